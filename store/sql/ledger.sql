-- The ledger: who held what, from when to when. And what was measured last.

-- name: usage_group_put
insert into usage_groups (group_key, uid, subscription_key, resource_group_key, name)
values (:key, :uid, :subscription_key, :resource_group_key, :name)
    on conflict (group_key) do nothing;

-- name: usage_group_find
select group_key, subscription_key from usage_groups where group_key = :key and uid = :uid;

-- name: interval_find
select key, start_s, cap_s, to_s from usage_intervals
 where group_key = :group_key and incarnation = :incarnation and from_s = :from_s and node_key = :node_key;

-- fragment: counted_end
max(i.start_s, min(coalesce(i.cap_s, 9223372036854775807), coalesce(w.watermark_s, 0)))

-- name: interval_before
-- The neighbour that was told to begin earlier, and where it ends as far as anyone knows.
select i.key, i.to_s is null as open, coalesce(i.to_s, {counted_end}) as to_s
  from usage_intervals i
  left join node_watermarks w on w.node_key = i.node_key
 where i.group_key = :group_key
   and (i.incarnation, i.from_s, i.node_key) < (:incarnation, :from_s, :node_key)
 order by i.incarnation desc, i.from_s desc, i.node_key desc
 limit 1;

-- name: interval_after
select i.start_s
  from usage_intervals i
 where i.group_key = :group_key
   and (i.incarnation, i.from_s, i.node_key) > (:incarnation, :from_s, :node_key)
 order by i.incarnation, i.from_s, i.node_key
 limit 1;

-- name: interval_insert
insert into usage_intervals (key, group_key, subscription_key, node_key, incarnation, from_s, start_s, cap_s, to_s,
    cpu_milli, memory_mib)
values (:key, :group_key, :subscription_key, :node_key, :incarnation, :from_s, :start_s, :cap_s, :to_s,
    :cpu_milli, :memory_mib);

-- name: interval_cap
-- An open one ends where the next begins, whatever its node's watermark says.
update usage_intervals set cap_s = :cap_s where key = :key and to_s is null;

-- name: interval_close
update usage_intervals set to_s = :to_s where key = :key and to_s is null;

-- name: interval_close_node
update usage_intervals as i
   set to_s = max(i.start_s, min(coalesce(i.cap_s, 9223372036854775807),
                                 coalesce((select watermark_s from node_watermarks where node_key = :key), 0)))
 where i.node_key = :key and i.to_s is null;

-- name: interval_place
-- Where a page of a list ended.
select group_key, incarnation, from_s, node_key, start_s from usage_intervals where key = :key;

-- fragment: usage_columns
i.key, u.uid, s.name as subscription, r.name as resource_group, u.name, i.incarnation, n.name as node, i.start_s, i.to_s is null as open,
coalesce(i.to_s, {counted_end}) as to_s, i.cpu_milli, i.memory_mib

-- name: usage_of_group
-- All lives of a name, in their order, behind (:group_key, :incarnation, :begun_s, :node_key). A later life of the
-- resource group holds later groups.
select {usage_columns}
  from subscriptions s
  join resource_groups r on r.subscription_key = s.key and r.name = :resource_group
  join usage_groups u on u.resource_group_key = r.key and u.name = :name and u.group_key >= :group_key
  join usage_intervals i on i.group_key = u.group_key
  join nodes n on n.key = i.node_key
  left join node_watermarks w on w.node_key = i.node_key
 where s.name = :subscription
   and (i.group_key, i.incarnation, i.from_s, i.node_key) > (:group_key, :incarnation, :begun_s, :node_key)
   and i.start_s < :to_s and coalesce(i.to_s, {counted_end}) > max(i.start_s, :from_s)
 order by r.key, u.group_key, i.incarnation, i.from_s, i.node_key
 limit :rows;

-- name: usage_of_subscription
-- By their beginning, behind (:start_s, :after).
select {usage_columns}
  from usage_intervals i
  join usage_groups u on u.group_key = i.group_key
  join resource_groups r on r.key = u.resource_group_key
  join subscriptions s on s.key = u.subscription_key
  join nodes n on n.key = i.node_key
  left join node_watermarks w on w.node_key = i.node_key
 where i.subscription_key = (select key from subscriptions where name = :subscription)
   and (i.start_s, i.key) > (:start_s, :after)
   and i.start_s < :to_s and coalesce(i.to_s, {counted_end}) > max(i.start_s, :from_s)
 order by i.start_s, i.key
 limit :rows;

-- name: use_put
-- Only of a living group, only newer than what is there.
insert into use_samples (group_key, container, incarnation, second, cpu_ns, memory_bytes, rx_bytes, tx_bytes)
select g.key, :container, :incarnation, :second, :cpu_ns, :memory_bytes, :rx_bytes, :tx_bytes
  from container_groups g where g.key = :group_key and g.living = 1
    on conflict (group_key, container) do update
   set incarnation = excluded.incarnation, second = excluded.second, cpu_ns = excluded.cpu_ns,
       memory_bytes = excluded.memory_bytes, rx_bytes = excluded.rx_bytes, tx_bytes = excluded.tx_bytes
 where excluded.incarnation > incarnation or (excluded.incarnation = incarnation and excluded.second > second);

-- name: use_list
select container, incarnation, second, cpu_ns, memory_bytes, rx_bytes, tx_bytes from use_samples
 where group_key = :group_key
   and incarnation = (select max(incarnation) from use_samples where group_key = :group_key)
 order by container;

-- name: use_purge
delete from use_samples where group_key = :key;
