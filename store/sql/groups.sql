-- Container groups: what clients wrote and where their life stands.

-- fragment: life_columns
g.key, g.uid, g.subscription_key, g.resource_group_key, g.name, g.location, g.living, g.wanted, g.state,
g.provisioning, g.restart_policy, g.os, g.cpu_milli, g.memory_mib, g.gpus, g.runtime_class, g.generation, g.incarnation, g.created_ms,
g.revision, g.operation_key, g.node_key, g.waits_since, g.address, g.quota_class, g.public_address,
g.node_ports, g.zone

-- fragment: group_columns
{life_columns}, s.name as subscription, r.name as resource_group

-- name: group_load
-- What moves it, living or not.
select {life_columns},
       not exists (select 1 from disk_uses u where u.group_key = g.key) as no_disks,
       not exists (select 1 from dns_names n where n.group_key = g.key) as no_dns_name
  from container_groups g
 where g.key = :key;

-- name: group_find
-- The living group of a name.
select {group_columns}, d.address_at, o.id as operation_id, p.status, p.events, n.name as dns_name
  from subscriptions s
  join resource_groups r on r.subscription_key = s.key and r.name = :resource_group and r.deleted = 0
  join container_groups g on g.resource_group_key = r.key and g.name = :name and g.living = 1
  join group_specs d on d.group_key = g.key
  left join operations o on o.key = g.operation_key
  left join group_reports p on p.group_key = g.key
  left join dns_names n on n.group_key = g.key
 where s.name = :subscription;

-- name: group_get
-- Living or not.
select {group_columns}, d.address_at, o.id as operation_id, p.status, p.events, n.name as dns_name
  from container_groups g
  join resource_groups r on r.key = g.resource_group_key
  join subscriptions s on s.key = g.subscription_key
  join group_specs d on d.group_key = g.key
  left join operations o on o.key = g.operation_key
  left join group_reports p on p.group_key = g.key
  left join dns_names n on n.group_key = g.key
 where g.key = :key;

-- fragment: listed_columns
g.key, g.name, g.provisioning, g.address, g.public_address, r.name as resource_group, d.address_at, d.spec

-- name: group_list_subscription
-- What a list shows, and nothing else: each column of each row costs.
select {listed_columns}, (select name from subscriptions where name = :subscription) as subscription
  from container_groups g
  join resource_groups r on r.key = g.resource_group_key
  join group_specs d on d.group_key = g.key
 where g.subscription_key = (select key from subscriptions where name = :subscription)
   and g.living = 1 and g.key > :after
 order by g.key
 limit :rows;

-- name: group_list_resource_group
select {listed_columns}, s.name as subscription
  from resource_groups r
  join subscriptions s on s.key = r.subscription_key
  join container_groups g on g.resource_group_key = r.key
  join group_specs d on d.group_key = g.key
 where r.key = :resource_group_key and g.living = 1 and g.key > :after
 order by g.key
 limit :rows;

-- name: group_parents
-- Where a new group goes: keys of its subscription and resource group, as first written.
select s.key as subscription_key, s.name as subscription, r.key as resource_group_key, r.name as resource_group,
       r.deleting
  from subscriptions s
  join resource_groups r on r.subscription_key = s.key and r.name = :resource_group and r.deleted = 0
 where s.name = :subscription;

-- name: group_named
select key from container_groups where resource_group_key = :resource_group_key and name = :name and living = 1;

-- name: group_insert
insert into container_groups (key, subscription_key, resource_group_key, name, uid, location, living, wanted, state,
    provisioning, restart_policy, os, cpu_milli, memory_mib, generation, incarnation, created_ms, revision,
    operation_key, node_key, waits_since, address, quota_class, changed_ms, gpus, runtime_class, zone)
values (:key, :subscription_key, :resource_group_key, :name, :uid, :location, 1, :wanted, :state,
    :provisioning, :restart_policy, :os, :cpu_milli, :memory_mib, 1, 1, :now_ms, :key,
    :operation_key, :node_key, :waits_since, null, :quota_class, :now_ms, :gpus, :runtime_class, :zone)
    on conflict do nothing;

-- name: group_save
-- Where its life stands. It keeps its place in the queue while the same run waits.
update container_groups
   set wanted = :wanted, state = :state, provisioning = :provisioning, incarnation = :incarnation,
       operation_key = :operation_key, node_key = :node_key, address = :address, revision = :revision,
       waits_since = case when :waits and incarnation = :incarnation then coalesce(waits_since, :revision)
                          when :waits then :revision end
 where key = :key;

-- name: group_touch
-- What is shown of it changed, not where it stands.
update container_groups set revision = :revision where key = :key;

-- name: group_respec
-- The columns that follow from the spec.
update container_groups
   set restart_policy = :restart_policy, os = :os, zone = :zone, cpu_milli = :cpu_milli, memory_mib = :memory_mib,
       gpus = :gpus, quota_class = :quota_class, runtime_class = :runtime_class, generation = :generation, changed_ms = :now_ms
 where key = :key;

-- name: group_publish
update container_groups set public_address = :public_address, node_ports = :node_ports where key = :key;

-- name: group_node_ports
select node_ports from container_groups where key = :key;

-- name: public_taken
select key from container_groups where public_address = :address;

-- name: public_gap
-- The lowest free address behind one that is taken.
select g.public_address + 1 as address from container_groups g
 where g.public_address >= :first and g.public_address < :last
   and not exists (select 1 from container_groups n where n.public_address = g.public_address + 1)
 order by g.public_address
 limit 1;

-- name: group_hide
update container_groups set living = 0 where key = :key;

-- name: group_purge
delete from container_groups where key = :key;

-- name: group_spec
select spec from group_specs where group_key = :key;

-- name: group_spec_sealed
select d.sealed, g.uid, g.generation
  from container_groups g join group_specs d on d.group_key = g.key
 where g.key = :key;

-- name: group_spec_any_sealed
-- scan: of an index that holds the sealed ones alone, and the first ends it.
select group_key from group_specs where sealed is not null limit 1;

-- name: group_spec_put
insert into group_specs (group_key, address_at, spec, sealed) values (:key, :address_at, :spec, :sealed)
    on conflict (group_key) do update
   set address_at = excluded.address_at, spec = excluded.spec, sealed = excluded.sealed;

-- name: group_spec_unseal
update group_specs set sealed = null where group_key = :key and sealed is not null;

-- name: group_spec_purge
delete from group_specs where group_key = :key;

-- name: group_status_put
insert into group_reports (group_key, status) values (:key, :status)
    on conflict (group_key) do update set status = excluded.status;

-- name: group_events_put
insert into group_reports (group_key, events) values (:key, :events)
    on conflict (group_key) do update set events = excluded.events;

-- name: group_living
select key from container_groups where key = :key and living = 1;

-- name: group_report_get
select status, events from group_reports where group_key = :key;

-- name: group_report_purge
delete from group_reports where group_key = :key;

-- fragment: pending_columns
key, incarnation, waits_since, cpu_milli, memory_mib, gpus, runtime_class, os, location, node_key, node_ports, zone, quota_class,
(select d.node_key from disk_uses u join disks d on d.key = u.disk_key
  where u.group_key = container_groups.key limit 1) as disk_node_key

-- name: pending_list
select {pending_columns} from container_groups
 where waits_since > :after
 order by waits_since
 limit :rows;

-- name: pending_find
select {pending_columns} from container_groups where key = :key and waits_since is not null;
