-- Container groups as resources among others: no documents are read, and each list walks an index by key.

-- fragment: resource_columns
g.key, r.name as resource_group, g.name, g.location, g.provisioning, g.created_ms, g.changed_ms

-- name: resource_list
-- Of a subscription.
select {resource_columns}
  from container_groups g join resource_groups r on r.key = g.resource_group_key
 where g.subscription_key = (select key from subscriptions where name = :subscription)
   and g.living = 1 and g.key > :after
 order by g.key
 limit :rows;

-- name: resource_list_in
-- Of a resource group.
select {resource_columns}
  from container_groups g join resource_groups r on r.key = g.resource_group_key
 where g.resource_group_key = :resource_group_key and g.living = 1 and g.key > :after
 order by g.key
 limit :rows;

-- name: resource_list_named
-- Of a name, in a whole subscription.
select {resource_columns}
  from container_groups g join resource_groups r on r.key = g.resource_group_key
 where g.subscription_key = (select key from subscriptions where name = :subscription)
   and g.name = :name and g.living = 1 and g.key > :after
 order by g.key
 limit :rows;

-- name: resource_list_tagged
-- With a tag, whatever its value.
select {resource_columns}
  from tags t
  join container_groups g on g.key = t.owner_key
  join resource_groups r on r.key = g.resource_group_key
 where t.subscription_key = (select key from subscriptions where name = :subscription)
   and t.kind = 1 and t.name = :tag and t.owner_key > :after
 order by t.owner_key
 limit :rows;

-- name: resource_list_valued
-- With a tag of that value.
select {resource_columns}
  from tags t
  join container_groups g on g.key = t.owner_key
  join resource_groups r on r.key = g.resource_group_key
 where t.subscription_key = (select key from subscriptions where name = :subscription)
   and t.kind = 1 and t.name = :tag and t.value = :value and t.owner_key > :after
 order by t.owner_key
 limit :rows;
