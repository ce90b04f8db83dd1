-- Resource groups. A deleted one is hidden and stays.

-- name: subscription_put
insert into subscriptions (name) values (:name) on conflict (name) do nothing;

-- name: subscription_find
select key, name from subscriptions where name = :subscription;

-- fragment: resource_group_columns
r.key, s.name as subscription, r.name, r.location, r.tags, r.revision

-- name: resource_group_find
select {resource_group_columns}
  from subscriptions s
  join resource_groups r on r.subscription_key = s.key and r.name = :name and r.deleted = 0
 where s.name = :subscription;

-- name: resource_group_list
-- Of a subscription, by key.
select {resource_group_columns}
  from subscriptions s
  join resource_groups r on r.subscription_key = s.key and r.deleted = 0 and r.key > :after
 where s.name = :subscription
 order by r.key
 limit :rows;

-- name: resource_group_insert
insert into resource_groups (key, subscription_key, name, location, tags, deleted, revision)
values (:key, :subscription_key, :name, :location, :tags, 0, :key);

-- name: resource_group_update
update resource_groups set tags = :tags, revision = :revision where key = :key;

-- name: resource_group_hide
update resource_groups set deleted = 1, revision = :revision where key = :key;

-- name: resource_group_present
-- It stands, or nodes have not forgotten groups of it.
select key from resource_groups r
 where key = :key and (deleted = 0 or exists (select 1 from container_groups g where g.resource_group_key = r.key));

-- name: resource_group_groups
-- Keys of the living groups in it, a bounded number.
select key from container_groups
 where resource_group_key = :resource_group_key and living = 1 and key > :after
 order by key limit :rows;
