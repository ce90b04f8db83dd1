-- Nodes. State 2 (left) is a removed one, kept for the ledger's sake.

-- fragment: node_columns
n.key, n.id, n.name, n.location, n.zone, n.os, n.architecture, n.address, n.version, n.boot_id, n.cpu_milli, n.memory_mib, n.classes, n.gpus, n.user_namespaces,
n.epoch, n.state, n.cordoned, n.joined_ms, n.revision, coalesce(w.watermark_s, 0) as watermark_s, n.credential

-- name: node_get
select {node_columns} from nodes n left join node_watermarks w on w.node_key = n.key where n.key = :key;

-- name: node_find_id
select {node_columns} from nodes n left join node_watermarks w on w.node_key = n.key where n.key = :key and n.id = :id collate nocase;

-- name: node_find_name
select {node_columns} from nodes n left join node_watermarks w on w.node_key = n.key
 where n.name = :name and n.state <> 2;

-- name: node_list
-- scan: the answer is all of them.
select {node_columns} from nodes n left join node_watermarks w on w.node_key = n.key where n.state <> 2 order by n.key;

-- name: node_platforms
-- scan: asked for by looks at images, each tens of milliseconds long, and by clients that begin.
-- What the nodes of a location are.
select os, architecture
  from nodes where location = :location and state <> 2 group by os, architecture order by os, architecture;

-- name: node_sizes
-- scan: asked for by clients that begin.
-- The most that a ready node of a location can hold, for each system and number of GPUs.
select os, gpus, max(cpu_milli) as cpu_milli, max(memory_mib) as memory_mib
  from nodes where location = :location and state = 0 group by os, gpus order by os, gpus limit :rows;

-- name: node_plan
-- What a placement depends on.
select name, epoch, state, cordoned from nodes where key = :key;

-- name: node_check
select key, epoch, state, credential from nodes where key = :key and id = :id collate nocase;

-- name: node_insert
insert into nodes (key, id, name, location, zone, os, architecture, address, version, boot_id, credential, cpu_milli,
    memory_mib, epoch, state, cordoned, joined_ms, revision, classes, gpus, user_namespaces)
values (:key, :id, :name, :location, :zone, :os, :architecture, :address, :version, :boot_id, :credential, :cpu_milli,
    :memory_mib, 1, 0, 0, :now_ms, :key, :classes, :gpus, :user_namespaces);

-- name: node_rejoin
update nodes
   set name = :name, location = :location, zone = :zone, os = :os, architecture = :architecture, address = :address,
       version = :version, boot_id = :boot_id, cpu_milli = :cpu_milli, memory_mib = :memory_mib,
       classes = :classes, gpus = :gpus, user_namespaces = :user_namespaces, epoch = epoch + 1, state = 0, joined_ms = :now_ms, revision = :revision
 where key = :key;

-- name: node_capacity
update nodes set cpu_milli = :cpu_milli, memory_mib = :memory_mib, gpus = :gpus, revision = :revision where key = :key;

-- name: node_cordon
update nodes set cordoned = :cordoned, revision = :revision where key = :key;

-- name: node_holds
-- How many groups take room there.
select count(*) as held from assignments where node_key = :node_key and released = 0;

-- name: node_groups
-- Which they are, those that were ordered last first.
select s.name as subscription, r.name as resource_group, g.name
  from assignments a
  join container_groups g on g.key = a.group_key
  join resource_groups r on r.key = g.resource_group_key
  join subscriptions s on s.key = g.subscription_key
 where a.node_key = :node_key and a.released = 0
 order by a.revision desc
 limit :rows;

-- name: node_lose
update nodes set state = 1, epoch = epoch + 1, revision = :revision where key = :key;

-- name: node_leave
-- Its credential opens nothing any more.
update nodes set state = 2, epoch = epoch + 1, credential = '', revision = :revision where key = :key;

-- name: watermark_get
select watermark_s, sequence from node_watermarks where node_key = :node_key;

-- name: watermark_raise
-- Only up.
insert into node_watermarks (node_key, watermark_s, sequence) values (:node_key, :watermark_s, :sequence)
    on conflict (node_key) do update
   set watermark_s = max(watermark_s, excluded.watermark_s), sequence = max(sequence, excluded.sequence);

-- name: watermark_new_sequence
-- After a join reports are counted anew.
update node_watermarks set sequence = 0 where node_key = :key;
