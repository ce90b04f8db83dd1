-- The first form of everything.
--
-- Keys of resource groups, groups, operations, nodes, assignments and intervals are numbers of the one revision
-- sequence, taken when the row is made: they rise, are never used twice, and rows are appended in their order. The
-- UUIDs of groups, operations and nodes carry the key of their row (row_id.h), so they need no index.
-- Enumerations are kept by their number in model/ (words there never change place). Seconds end in _s,
-- milliseconds in _ms, both of Unix time. Names match without case and are kept as first written.

create table counters (
    name text primary key,
    value integer not null
) without rowid;
insert into counters (name, value) values ('revision', 0), ('swept', 0);

create table settings (
    name text primary key,
    value blob not null
) without rowid;

create table subscriptions (
    key integer primary key,
    name text not null unique collate nocase
);

-- A deleted one stays, hidden: operations and the ledger name the groups that were in it.
create table resource_groups (
    key integer primary key,
    subscription_key integer not null,
    name text not null collate nocase,
    location text not null,
    tags text not null,
    deleted integer not null,
    revision integer not null
);
create unique index resource_groups_name on resource_groups (subscription_key, name) where deleted = 0;
create index resource_groups_of_subscription on resource_groups (subscription_key) where deleted = 0;
create index resource_groups_ever on resource_groups (subscription_key, name);

-- What changes while a group lives; small. living = 0: removed, waiting for its nodes to forget it.
-- waits_since: the revision at which it began to wait for a node, null when it does not.
create table container_groups (
    key integer primary key,
    subscription_key integer not null,
    resource_group_key integer not null,
    name text not null collate nocase,
    uid text not null,
    location text not null,
    living integer not null,
    wanted integer not null,
    state integer not null,
    provisioning integer not null,
    restart_policy integer not null,
    os integer not null,
    cpu_milli integer not null,
    memory_mib integer not null,
    generation integer not null,
    incarnation integer not null,
    created_ms integer not null,
    revision integer not null,
    operation_key integer not null,
    node_key integer not null,
    waits_since integer,
    address text
);
create unique index container_groups_name on container_groups (resource_group_key, name) where living = 1;
create index container_groups_of_subscription on container_groups (subscription_key) where living = 1;
create index container_groups_of_resource_group on container_groups (resource_group_key);
create index container_groups_waiting on container_groups (waits_since) where waits_since is not null;

-- What the client wrote, without secrets, and the secrets, sealed (seal.c).
create table group_specs (
    group_key integer primary key,
    address_at integer not null,
    spec text not null,
    sealed blob
);
create index group_specs_sealed on group_specs (group_key) where sealed is not null;

-- What the node told last, and the plane's own events.
create table group_reports (
    group_key integer primary key,
    status text,
    events text
);

-- Appended at one end and dropped at the other: the sweep walks by key.
create table operations (
    key integer primary key,
    id text not null,
    group_key integer not null,
    resource_group_key integer not null,
    name text not null,
    location text not null,
    kind integer not null,
    status integer not null,
    started_ms integer not null,
    ended_ms integer,
    error_code text,
    error_text text
);

-- credential: SHA-256 of the node's token. state 2: removed, kept for the ledger's sake.
create table nodes (
    key integer primary key,
    id text not null,
    name text not null collate nocase,
    location text not null,
    os text not null,
    architecture text not null,
    address text not null,
    version text not null,
    boot_id text not null,
    credential text not null,
    cpu_milli integer not null,
    memory_mib integer not null,
    epoch integer not null,
    state integer not null,
    cordoned integer not null,
    joined_ms integer not null,
    revision integer not null
);
create unique index nodes_name on nodes (name) where state <> 2;

-- Apart from nodes because each node's changes every second: ten thousand fit in a few pages. sequence: of the newest
-- report taken since the node joined.
create table node_watermarks (
    node_key integer primary key,
    watermark_s integer not null,
    sequence integer not null
);

-- One for each group and node that has to do with it. The node forgets a group before its row goes.
create table assignments (
    key integer primary key,
    group_key integer not null,
    node_key integer not null,
    incarnation integer not null,
    wanted integer not null,
    released integer not null,
    cpu_milli integer not null,
    memory_mib integer not null,
    revision integer not null
);
create unique index assignments_place on assignments (group_key, node_key);
create index assignments_of_node on assignments (node_key, revision);

-- Who a group was, from its first placement, for ever.
create table usage_groups (
    group_key integer primary key,
    uid text not null,
    subscription_key integer not null,
    resource_group_key integer not null,
    name text not null collate nocase
);
create index usage_groups_name on usage_groups (resource_group_key, name);

-- Told by nodes as (node, group, incarnation, from_s, to_s); counted as [start_s, to_s) after clipping by the
-- group's neighbouring intervals (ledger.c). to_s null: open, and counted up to its node's watermark or
-- cap_s, the start of the next run.
create table usage_intervals (
    key integer primary key,
    group_key integer not null,
    subscription_key integer not null,
    node_key integer not null,
    incarnation integer not null,
    from_s integer not null,
    start_s integer not null,
    cap_s integer,
    to_s integer,
    cpu_milli integer not null,
    memory_mib integer not null
);
create unique index usage_intervals_of_group on usage_intervals (group_key, incarnation, from_s, node_key);
create index usage_intervals_of_subscription on usage_intervals (subscription_key, start_s);
create index usage_intervals_open on usage_intervals (node_key) where to_s is null;

-- The newest measured sample of each container.
create table use_samples (
    group_key integer not null,
    container text not null,
    incarnation integer not null,
    second integer not null,
    cpu_ns integer not null,
    memory_bytes integer not null,
    rx_bytes integer not null,
    tx_bytes integer not null,
    primary key (group_key, container)
) without rowid;
