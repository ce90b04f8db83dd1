-- Operations: what clients asked for, and how it went.

-- fragment: operation_columns
o.key, o.id, o.group_key, s.name as subscription, r.name as resource_group, o.name, o.location, o.kind, o.status,
o.started_ms, o.ended_ms, o.error_code, o.error_text

-- fragment: operation_tables
operations o join resource_groups r on r.key = o.resource_group_key join subscriptions s on s.key = r.subscription_key

-- name: operation_find
select {operation_columns} from {operation_tables} where o.key = :key and o.id = :id collate nocase;

-- name: operation_get
select {operation_columns} from {operation_tables} where o.key = :key;

-- name: operation_insert
insert into operations (key, id, group_key, resource_group_key, name, location, kind, status, started_ms)
values (:key, :id, :group_key, :resource_group_key, :name, :location, :kind, 0, :now_ms);

-- name: operation_end
-- Only a pending one ends.
update operations
   set status = :status, ended_ms = :now_ms, error_code = :error_code, error_text = :error_text
 where key = :key and status = 0;

-- name: operation_next
-- Behind those the sweep looked at, in the order they began.
select key, group_key, status, started_ms from operations where key > :after order by key limit :rows;

-- name: operation_drop_old
-- scan: only the oldest few are looked at.
delete from operations
 where key in (select o.key from (select key, ended_ms from operations order by key limit :rows) o
                where o.ended_ms < :before_ms);
