-- Local disks, and the groups that name them.

-- name: disk_named
-- The one of that name that stays.
select d.key, d.size_bytes, d.node_key from disks d
 where d.resource_group_key = :resource_group_key and d.name = :name and d.removing = 0;

-- name: disk_other_size
-- A size that another group gave this name, before there is the disk.
select u.size_bytes from disk_uses u join container_groups g on g.key = u.group_key and g.living = 1
 where u.resource_group_key = :resource_group_key and u.name = :name and u.group_key <> :group_key
   and u.size_bytes <> 0 limit 1;

-- name: disk_count
-- Of a subscription: those there are, and how often one is named that is not made yet.
select (select count(*) from disks where subscription_key = :subscription_key) as made,
       (select count(*) from disk_uses
         where subscription_key = :subscription_key and disk_key is null) as unmade;

-- name: disk_use_put
insert into disk_uses (group_key, name, subscription_key, resource_group_key, size_bytes, disk_key)
values (:group_key, :name, :subscription_key, :resource_group_key, :size_bytes, :disk_key);

-- name: disk_uses_drop
delete from disk_uses where group_key = :key;

-- name: disk_uses_of_group
select u.name, u.disk_key, d.size_bytes, d.id, d.node_key, n.name as node
  from disk_uses u left join disks d on d.key = u.disk_key left join nodes n on n.key = d.node_key
 where u.group_key = :key order by u.name;

-- name: disk_insert
insert into disks (key, id, subscription_key, resource_group_key, name, node_key, size_bytes, created_ms, removing, revision)
values (:key, :id, :subscription_key, :resource_group_key, :name, :node_key, :size_bytes, :now_ms, 0, :key);

-- name: disk_meet
-- All that wait for that name have it from now on.
update disk_uses set disk_key = :key
 where resource_group_key = :resource_group_key and name = :name and disk_key is null
   and group_key in (select key from container_groups where resource_group_key = :resource_group_key and living = 1);

-- name: disk_size_of_name
-- What the groups that name it say; 0: nothing.
select max(u.size_bytes) as size_bytes from disk_uses u join container_groups g on g.key = u.group_key and g.living = 1
 where u.resource_group_key = :resource_group_key and u.name = :name;

-- name: disk_get
select d.key, d.name, d.node_key, d.removing, n.state from disks d join nodes n on n.key = d.node_key where d.key = :key;

-- name: disk_find
select d.key, d.name, d.removing from disks d where d.key = :key and d.id = :id collate nocase;

-- name: disk_user
-- A living group that names it.
select g.name from disk_uses u join container_groups g on g.key = u.group_key and g.living = 1
 where u.disk_key = :key limit 1;

-- name: disk_users
select g.name from disk_uses u join container_groups g on g.key = u.group_key and g.living = 1
 where u.disk_key = :key order by u.group_key limit :rows;

-- name: disk_any_use
select group_key from disk_uses where disk_key = :key limit 1;

-- name: disk_leave
update disks set removing = :removing, revision = :revision where key = :key;

-- name: disk_drop
delete from disks where key = :key;

-- name: disk_drop_told
-- Its node says that nothing of it is left.
delete from disks where key = :key and id = :id and node_key = :node_key and removing = 2;

-- name: disks_of_resource_group
select key from disks where resource_group_key = :key and removing = 0 order by key limit :rows;

-- name: disks_leaving
-- Those that a node is to remove.
select id, revision from disks where node_key = :node_key and removing = 2 and revision > :after
 order by revision limit :rows;

-- name: disks_leaving_any
select key from disks where node_key = :node_key and removing = 2 and revision > :after limit 1;

-- name: disks_left
-- Their node will never come back.
delete from disks where node_key = :key and removing = 2;

-- fragment: disk_columns
d.key, d.id, s.name as subscription, r.name as resource_group, d.name, d.size_bytes, d.created_ms, d.removing,
n.name as node, n.state

-- name: disk_list
-- An operator's list of all, in pages by key.
select {disk_columns} from disks d
  join subscriptions s on s.key = d.subscription_key
  join resource_groups r on r.key = d.resource_group_key
  join nodes n on n.key = d.node_key
 where d.key > :after order by d.key limit :rows;

-- name: disk_list_subscription
select {disk_columns} from subscriptions s
  join disks d on d.subscription_key = s.key and d.key > :after
  join resource_groups r on r.key = d.resource_group_key
  join nodes n on n.key = d.node_key
 where s.name = :subscription order by d.key limit :rows;

-- name: disk_list_resource_group
select {disk_columns} from subscriptions s
  join resource_groups r on r.subscription_key = s.key and r.name = :resource_group and r.deleted = 0
  join disks d on d.resource_group_key = r.key and d.key > :after
  join nodes n on n.key = d.node_key
 where s.name = :subscription order by d.key limit :rows;
