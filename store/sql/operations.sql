-- Operations: what clients asked for, and how it went.

-- fragment: operation_columns
key, id, group_key, resource, location, kind, status, started_ms, ended_ms, error_code, error_text

-- name: operation_find
select {operation_columns} from operations where key = :key and id = :id collate nocase;

-- name: operation_get
select {operation_columns} from operations where key = :key;

-- name: operation_insert
insert into operations (key, id, group_key, resource, location, kind, status, started_ms)
values (:key, :id, :group_key, :resource, :location, :kind, 0, :now_ms);

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
