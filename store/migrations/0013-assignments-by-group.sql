-- Assignments lie by their group and node, which name them, without a number of their own: one tree less to write.
create table assignments_placed (
    group_key integer not null,
    node_key integer not null,
    incarnation integer not null,
    wanted integer not null,
    released integer not null,
    cpu_milli integer not null,
    memory_mib integer not null,
    gpus integer not null default 0,
    revision integer not null,
    primary key (group_key, node_key)
) without rowid;
insert into assignments_placed (group_key, node_key, incarnation, wanted, released, cpu_milli, memory_mib, gpus, revision)
select group_key, node_key, incarnation, wanted, released, cpu_milli, memory_mib, gpus, revision from assignments;
drop table assignments;
alter table assignments_placed rename to assignments;
create index assignments_of_node on assignments (node_key, revision);
