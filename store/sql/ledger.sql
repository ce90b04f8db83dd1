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
    cpu_milli, memory_mib, gpus, price_class, ended)
values (:key, :group_key, :subscription_key, :node_key, :incarnation, :from_s, :start_s, :cap_s, :to_s,
    :cpu_milli, :memory_mib, :gpus, :price_class, :ended);

-- name: interval_untold
-- What an agent does not tell that meters neither GPUs nor classes: what the run was ordered with, or the group has now.
select coalesce((select a.gpus from assignments a where a.group_key = g.key and a.node_key = :node_key
                    and a.incarnation = :incarnation), g.gpus) as gpus, g.quota_class
  from container_groups g where g.key = :group_key;

-- name: interval_cap
-- An open one ends where the next begins, whatever its node's watermark says.
update usage_intervals set cap_s = :cap_s where key = :key and to_s is null;

-- name: interval_close
update usage_intervals set to_s = :to_s, ended = :ended where key = :key and to_s is null;

-- name: interval_close_node
update usage_intervals as i
   set to_s = max(i.start_s, min(coalesce(i.cap_s, 9223372036854775807),
                                 coalesce((select watermark_s from node_watermarks where node_key = :key), 0))),
       ended = :ended
 where i.node_key = :key and i.to_s is null;

-- name: interval_place
-- Where a page of a list ended.
select group_key, incarnation, from_s, node_key, start_s, ended from usage_intervals where key = :key;

-- fragment: usage_columns
i.key, u.uid, s.name as subscription, r.name as resource_group, u.name, i.incarnation, n.name as node, i.start_s, i.to_s is null as open,
coalesce(i.to_s, {counted_end}) as to_s, i.cpu_milli, i.memory_mib, i.gpus, i.price_class, n.os

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

-- name: usage_of_resource_group
-- The same of all its groups, the older lives of its name first.
select {usage_columns}
  from subscriptions s
  join resource_groups r on r.subscription_key = s.key and r.name = :resource_group
  join usage_groups u on u.resource_group_key = r.key and u.group_key >= :group_key
  join usage_intervals i on i.group_key = u.group_key
  join nodes n on n.key = i.node_key
  left join node_watermarks w on w.node_key = i.node_key
 where s.name = :subscription
   and (i.group_key, i.incarnation, i.from_s, i.node_key) > (:group_key, :incarnation, :begun_s, :node_key)
   and i.start_s < :to_s and coalesce(i.to_s, {counted_end}) > max(i.start_s, :from_s)
 order by r.key, u.group_key, i.incarnation, i.from_s, i.node_key
 limit :rows;

-- fragment: around_page
join usage_groups u on u.group_key = i.group_key
  join resource_groups r on r.key = u.resource_group_key
  join subscriptions s on s.key = u.subscription_key
  join nodes n on n.key = i.node_key
  left join node_watermarks w on w.node_key = i.node_key

-- fragment: behind
i.subscription_key = (select key from subscriptions where name = :subscription)
       and (i.start_s > :start_s or i.key > :after) and i.start_s < :to_s
       and (:resource_group is null or (select resource_group_key from usage_groups where group_key = i.group_key)
              in (select r.key from resource_groups r join subscriptions s on s.key = r.subscription_key
                   where s.name = :subscription and r.name = :resource_group))

-- fragment: closed_after
i.to_s > max(i.start_s, :from_s)

-- name: usage_by_time
-- Of a subscription, or of a resource group of it. By their beginning, behind (:start_s, :after). What touches a time may have begun long before it, so each class of length is
-- walked from where one that long could have begun: a page costs the same anywhere in a history. Bounds as in 0011.
-- scan: of the page that was found, at most :rows
select {usage_columns}
  from (select i.key, i.start_s from usage_intervals i
         where i.span = 1 and i.start_s >= max(:start_s, :from_s - 3600) and {behind} and {closed_after}
        union all
        select i.key, i.start_s from usage_intervals i
         where i.span = 2 and i.start_s >= max(:start_s, :from_s - 14400) and {behind} and {closed_after}
        union all
        select i.key, i.start_s from usage_intervals i
         where i.span = 3 and i.start_s >= max(:start_s, :from_s - 57600) and {behind} and {closed_after}
        union all
        select i.key, i.start_s from usage_intervals i
         where i.span = 4 and i.start_s >= max(:start_s, :from_s - 230400) and {behind} and {closed_after}
        union all
        select i.key, i.start_s from usage_intervals i
         where i.span = 5 and i.start_s >= max(:start_s, :from_s - 921600) and {behind} and {closed_after}
        union all
        select i.key, i.start_s from usage_intervals i
         where i.span = 6 and i.start_s >= max(:start_s, :from_s - 3686400) and {behind} and {closed_after}
        union all
        select i.key, i.start_s from usage_intervals i
         where i.span = 7 and i.start_s >= :start_s and {behind} and {closed_after}
        union all
        select i.key, i.start_s from usage_intervals i
          left join node_watermarks w on w.node_key = i.node_key
         where i.span = 0 and i.start_s >= :start_s and {behind}
           and {counted_end} > max(i.start_s, :from_s)
         order by 2, 1
         limit :rows) page
  join usage_intervals i on i.key = page.key
  {around_page}
 order by i.start_s, i.key;

-- name: usage_ended
-- In the order in which the ledger learned of their end, behind (:ended, :after).
select {usage_columns}
  from usage_intervals i
  {around_page}
 where i.subscription_key = (select key from subscriptions where name = :subscription)
   and i.ended is not null and (i.ended, i.key) > (:ended, :after) and i.to_s > i.start_s
 order by i.ended, i.key
 limit :rows;

-- name: usage_reported
-- One row of each node is looked at.
select min(w.watermark_s) as reported_s
  from nodes n
  join node_watermarks w on w.node_key = n.key
 where n.state = 0 and w.watermark_s > 0;

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
