-- Resource groups that are being deleted, and who manages them; when a group's document changed; tags to search by.

-- deleting: everything in it is being removed; it stands until that is done.
alter table resource_groups add column deleting integer not null default 0;
alter table resource_groups add column managed_by text;
create index resource_groups_deleting on resource_groups (deleting) where deleting = 1;

alter table container_groups add column changed_ms integer not null default 0;
update container_groups set changed_ms = created_ms;
-- With living, so that what its nodes have not forgotten yet is not walked over.
drop index container_groups_of_resource_group;
create index container_groups_of_resource_group on container_groups (resource_group_key, living);

-- Of resource groups that stand (kind 0) and container groups that live (kind 1): both have keys of the one sequence.
create table tags (
    owner_key integer not null,
    name text not null collate nocase,
    value text not null,
    subscription_key integer not null,
    kind integer not null,
    primary key (owner_key, name)
) without rowid;
create index tags_of_name on tags (subscription_key, kind, name, owner_key);
create index tags_of_value on tags (subscription_key, kind, name, value, owner_key);

insert or ignore into tags (owner_key, name, value, subscription_key, kind)
select r.key, t.key, t.value, r.subscription_key, 0
  from resource_groups r, json_each(r.tags) t
 where r.deleted = 0;
insert or ignore into tags (owner_key, name, value, subscription_key, kind)
select g.key, t.key, t.value, g.subscription_key, 1
  from container_groups g join group_specs d on d.group_key = g.key, json_each('{' || d.spec || '}', '$.tags') t
 where g.living = 1;
