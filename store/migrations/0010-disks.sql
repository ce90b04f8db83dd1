-- Local disks: folders on nodes that outlive groups. A row is made with the first placement of a group that names it, and
-- goes when its node has removed it. removing 0: it stays; 1: it goes once no group has to do with it any more; 2: its node
-- was told (revision: since when). size_bytes 0: nobody said.
create table disks (
    key integer primary key,
    id text not null,
    subscription_key integer not null,
    resource_group_key integer not null,
    name text not null,
    node_key integer not null,
    size_bytes integer not null,
    created_ms integer not null,
    removing integer not null,
    revision integer not null
);
create unique index disks_name on disks (resource_group_key, name) where removing = 0;
create index disks_of_subscription on disks (subscription_key);
create index disks_of_resource_group on disks (resource_group_key);
create index disks_leaving on disks (node_key, revision) where removing = 2;

-- Which groups name them, until their nodes have forgotten the group. disk_key null: it is not made yet.
create table disk_uses (
    group_key integer not null,
    name text not null,
    subscription_key integer not null,
    resource_group_key integer not null,
    size_bytes integer not null,
    disk_key integer,
    primary key (group_key, name)
) without rowid;
create index disk_uses_name on disk_uses (resource_group_key, name);
create index disk_uses_of_disk on disk_uses (disk_key) where disk_key is not null;
create index disk_uses_unmade on disk_uses (subscription_key) where disk_key is null;
