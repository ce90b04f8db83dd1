-- Container groups as resources among others: no documents are read, and each list walks an index by key.

-- fragment: resource_columns
g.key as place, g.key, r.name as resource_group, g.name, g.location, g.provisioning, g.created_ms, g.changed_ms

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
-- Of a name, in a whole subscription: each resource group is asked for it, those that have none too, so that a page
-- looks at so many and no more. An index over names would cost every create more than these questions do.
-- scan: of the few that the inner question gives.
select r.place, g.key, r.name as resource_group, g.name, g.location, g.provisioning, g.created_ms, g.changed_ms
  from (select key as place, name from resource_groups
         where subscription_key = (select key from subscriptions where name = :subscription)
           and deleted = 0 and key > :after
         order by key
         limit :rows) r
  left join container_groups g on g.resource_group_key = r.place and g.name = :name and g.living = 1
 order by r.place;

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
