pragma application_id = 1112691784;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_migrations (
    number integer primary key,
    name text not null,
    checksum text not null,
    applied_ms integer not null
);
INSERT INTO schema_migrations VALUES(1,'first','09d2a01cec0f058ac8251ca9c5d6599711321fdee1059ff3e2290e2a37a7ec96',1795483559605);
INSERT INTO schema_migrations VALUES(2,'quotas','51cbd1be6110bb76f6c478ad0eac12d2e0366fdb71b6bb61990ef25ed116cfbd',1795483600000);
INSERT INTO schema_migrations VALUES(3,'resources','06b4f0f256446b3723fa3a266c438c309fd7bdf8019b722d917eb36ca117b0e1',1795699227915);
INSERT INTO schema_migrations VALUES(4,'node-images','465ee2cfdad4295cfdf90800ac52d3ad2d520daea75abd0299cf78a8a18a03c8',1795699227915);
CREATE TABLE counters (
    name text primary key,
    value integer not null
) without rowid;
INSERT INTO counters VALUES('revision',15);
INSERT INTO counters VALUES('swept',13);
CREATE TABLE settings (
    name text primary key,
    value blob not null
) without rowid;
INSERT INTO settings VALUES('key_check',X'0107d488138d920ee3582c8dbe1d04f6594d35513c5b2f1f8b0a380733c851931eb90f01e43c4c7a0361ab5354fa78f106c4a6d62d8e52c0f5c9a75bb46d941e5292ca1c27fb93ff');
CREATE TABLE subscriptions (
    key integer primary key,
    name text not null unique collate nocase
);
INSERT INTO subscriptions VALUES(1,'11111111-2222-3333-4444-555555555555');
CREATE TABLE resource_groups (
    key integer primary key,
    subscription_key integer not null,
    name text not null collate nocase,
    location text not null,
    tags text not null,
    deleted integer not null,
    revision integer not null
, deleting integer not null default 0, managed_by text);
INSERT INTO resource_groups VALUES(1,1,'rg','westus','{}',0,1,0,NULL);
CREATE TABLE container_groups (
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
, quota_class integer not null default 0, changed_ms integer not null default 0);
INSERT INTO container_groups VALUES(3,1,1,'Saved','00000000-0003-8699-8ef8-0ceb28005565','westus',1,0,1,4,0,1,1000,1024,1,1,1795483559657,10,4,2,NULL,'10.0.0.2',0,1795483559657);
INSERT INTO container_groups VALUES(5,1,1,'waiting','00000000-0005-8f93-adf9-b11134244ef9','westus',1,1,2,4,0,1,1000,1024,1,1,1795483559672,15,13,0,NULL,NULL,0,1795483559672);
CREATE TABLE group_specs (
    group_key integer primary key,
    address_at integer not null,
    spec text not null,
    sealed blob
);
INSERT INTO group_specs VALUES(3,0,'"properties":{"containers":[{"name":"c","properties":{"image":"alpine","environmentVariables":[{"name":"TOKEN"}],"resources":{"requests":{"memoryInGB":1.0,"cpu":1.0}}}}],"osType":"Linux","restartPolicy":"Always"},"location":"westus","tags":{}',NULL);
INSERT INTO group_specs VALUES(5,0,'"properties":{"containers":[{"name":"c","properties":{"image":"alpine","environmentVariables":[{"name":"TOKEN"}],"resources":{"requests":{"memoryInGB":1.0,"cpu":1.0}}}}],"osType":"Linux","restartPolicy":"Always"},"location":"westus","tags":{}',NULL);
CREATE TABLE group_reports (
    group_key integer primary key,
    status text,
    events text
);
INSERT INTO group_reports VALUES(3,'{"uid":"00000000-0003-8699-8ef8-0ceb28005565","incarnation":1,"state":"Running","provisioned":true,"released":false,"removed":false,"address":"10.0.0.2"}',NULL);
CREATE TABLE operations (
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
CREATE TABLE nodes (
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
INSERT INTO nodes VALUES(2,'00000000-0002-8fef-8159-55df4336504b','node-1','westus','Linux','amd64','127.0.0.1','1','boot','714525ae5513d6a3327e0a299ddb92b67e176f5ee9722e81fac06be59b72e505',64000,131072,1,0,0,1795483559653,2);
CREATE TABLE node_watermarks (
    node_key integer primary key,
    watermark_s integer not null,
    sequence integer not null
);
INSERT INTO node_watermarks VALUES(2,200,1);
CREATE TABLE assignments (
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
INSERT INTO assignments VALUES(7,3,2,1,0,0,1000,1024,7);
CREATE TABLE usage_groups (
    group_key integer primary key,
    uid text not null,
    subscription_key integer not null,
    resource_group_key integer not null,
    name text not null collate nocase
);
INSERT INTO usage_groups VALUES(3,'00000000-0003-8699-8ef8-0ceb28005565',1,1,'Saved');
CREATE TABLE usage_intervals (
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
INSERT INTO usage_intervals VALUES(11,3,1,2,1,100,100,NULL,NULL,1000,1024);
CREATE TABLE use_samples (
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
INSERT INTO use_samples VALUES(3,'c',1,150,5,0,0,0);
CREATE TABLE quota_uses (
    subscription_key integer not null,
    location text not null,
    quota integer not null,
    used integer not null,
    primary key (subscription_key, location, quota)
) without rowid;
INSERT INTO quota_uses VALUES(1,'westus',0,2);
INSERT INTO quota_uses VALUES(1,'westus',1,1000);
CREATE TABLE tags (
    owner_key integer not null,
    name text not null collate nocase,
    value text not null,
    subscription_key integer not null,
    kind integer not null,
    primary key (owner_key, name)
) without rowid;
CREATE TABLE node_images (
    node_key integer not null,
    image text not null,
    digest text not null,
    open integer not null,
    primary key (node_key, image)
) without rowid;
CREATE UNIQUE INDEX resource_groups_name on resource_groups (subscription_key, name) where deleted = 0;
CREATE INDEX resource_groups_of_subscription on resource_groups (subscription_key) where deleted = 0;
CREATE INDEX resource_groups_ever on resource_groups (subscription_key, name);
CREATE UNIQUE INDEX container_groups_name on container_groups (resource_group_key, name) where living = 1;
CREATE INDEX container_groups_of_subscription on container_groups (subscription_key) where living = 1;
CREATE INDEX container_groups_waiting on container_groups (waits_since) where waits_since is not null;
CREATE INDEX group_specs_sealed on group_specs (group_key) where sealed is not null;
CREATE UNIQUE INDEX nodes_name on nodes (name) where state <> 2;
CREATE UNIQUE INDEX assignments_place on assignments (group_key, node_key);
CREATE INDEX assignments_of_node on assignments (node_key, revision);
CREATE INDEX usage_groups_name on usage_groups (resource_group_key, name);
CREATE UNIQUE INDEX usage_intervals_of_group on usage_intervals (group_key, incarnation, from_s, node_key);
CREATE INDEX usage_intervals_of_subscription on usage_intervals (subscription_key, start_s);
CREATE INDEX usage_intervals_open on usage_intervals (node_key) where to_s is null;
CREATE INDEX resource_groups_deleting on resource_groups (deleting) where deleting = 1;
CREATE INDEX container_groups_of_resource_group on container_groups (resource_group_key, living);
CREATE INDEX tags_of_name on tags (subscription_key, kind, name, owner_key);
CREATE INDEX tags_of_value on tags (subscription_key, kind, name, value, owner_key);
CREATE INDEX node_images_open on node_images (image, node_key) where open = 1;
COMMIT;
