-- Assignments: which node runs which incarnation of a group.

-- fragment: assignment_columns
a.group_key, a.node_key, u.uid, a.incarnation, a.wanted, a.released, a.cpu_milli, a.memory_mib, a.gpus, a.revision,
(select g.node_ports from container_groups g where g.key = a.group_key) as node_ports,
(select g.quota_class from container_groups g where g.key = a.group_key) as quota_class

-- name: assignment_list
-- scan: the scheduler's picture at its start is all of them.
select {assignment_columns} from assignments a join usage_groups u on u.group_key = a.group_key order by a.group_key, a.node_key;

-- name: assignment_of_group
select {assignment_columns} from assignments a join usage_groups u on u.group_key = a.group_key
 where a.group_key = :group_key
 order by a.incarnation desc, a.revision desc;

-- name: assignment_of_node
select {assignment_columns} from assignments a join usage_groups u on u.group_key = a.group_key
 where a.node_key = :node_key
 order by a.revision;

-- name: assignment_at
select {assignment_columns} from assignments a join usage_groups u on u.group_key = a.group_key
 where a.group_key = :group_key and a.node_key = :node_key;

-- name: assignment_insert
insert into assignments (group_key, node_key, incarnation, wanted, released, cpu_milli, memory_mib, gpus, revision)
values (:group_key, :node_key, :incarnation, :wanted, :released, :cpu_milli, :memory_mib, :gpus, :revision);

-- name: assignment_order
update assignments
   set incarnation = :incarnation, wanted = :wanted, released = :released, cpu_milli = :cpu_milli,
       memory_mib = :memory_mib, gpus = :gpus, revision = :revision
 where group_key = :group_key and node_key = :node_key;

-- name: assignment_hold
-- The node knows: its revision stays.
update assignments set released = :released where group_key = :group_key and node_key = :node_key;

-- name: assignment_drop
delete from assignments where group_key = :group_key and node_key = :node_key;

-- name: assignment_any
select node_key from assignments where group_key = :group_key limit 1;

-- name: assignment_reachable
-- One whose node may still have something of the group on its links: it is there, or it went without being fenced.
select a.node_key from assignments a join nodes n on n.key = a.node_key
 where a.group_key = :group_key and (n.state <> 1 or not a.released)
 limit 1;

-- name: assignment_page
-- What is new for a node.
select {assignment_columns} from assignments a join usage_groups u on u.group_key = a.group_key
 where a.node_key = :node_key and a.revision > :after
 order by a.revision
 limit :rows;

-- name: assignment_waits
select group_key from assignments where node_key = :node_key and revision > :after limit 1;
