-- Resource groups. One that is being deleted stands until nothing of it is left; then it is hidden and stays.

-- name: subscription_put
insert into subscriptions (name) values (:name) on conflict (name) do nothing;

-- name: subscription_find
select key, name from subscriptions where name = :subscription;

-- fragment: resource_group_columns
r.key, r.subscription_key, s.name as subscription, r.name, r.location, r.tags, r.managed_by, r.deleting, r.revision

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

-- name: resource_group_list_tagged
-- With a tag, whatever its value.
select {resource_group_columns}
  from subscriptions s
  join tags t on t.subscription_key = s.key and t.kind = 0 and t.name = :tag and t.owner_key > :after
  join resource_groups r on r.key = t.owner_key
 where s.name = :subscription
 order by t.owner_key
 limit :rows;

-- name: resource_group_list_valued
-- With a tag of that value.
select {resource_group_columns}
  from subscriptions s
  join tags t on t.subscription_key = s.key and t.kind = 0 and t.name = :tag and t.value = :value and t.owner_key > :after
  join resource_groups r on r.key = t.owner_key
 where s.name = :subscription
 order by t.owner_key
 limit :rows;

-- name: resource_group_insert
insert into resource_groups (key, subscription_key, name, location, tags, managed_by, deleted, revision)
values (:key, :subscription_key, :name, :location, :tags, :managed_by, 0, :key);

-- name: resource_group_update
update resource_groups set tags = :tags, managed_by = :managed_by, revision = :revision where key = :key;

-- name: resource_group_delete
update resource_groups set deleting = 1, revision = :revision where key = :key;

-- name: resource_group_deleting
-- Those whose deletion goes on, by key.
select key from resource_groups where deleting = 1 and key > :after order by key limit :rows;

-- name: resource_group_hide
-- Its deletion is done when no group of it lives and no node that answers still has one: a node that is lost stopped
-- them and forgets them when it comes back.
update resource_groups set deleting = 0, deleted = 1, revision = :revision
 where key = :key and deleting = 1
   and not exists (select 1 from container_groups g where g.resource_group_key = :key and g.living = 1)
   and not exists (select 1 from container_groups g
                     join assignments a on a.group_key = g.key
                     join nodes n on n.key = a.node_key and n.state = 0
                    where g.resource_group_key = :key);

-- name: resource_group_deletion
-- How far the deletion of that one is; one that was never ordered has none.
select r.deleted
  from resource_groups r join subscriptions s on s.key = r.subscription_key
 where r.key = :key and s.name = :subscription and (r.deleting = 1 or r.deleted = 1);

-- name: resource_group_groups
-- Keys of the living groups in it, a bounded number.
select key from container_groups
 where resource_group_key = :resource_group_key and living = 1 and key > :after
 order by key limit :rows;
