-- Operations: what clients asked for, and how it went.

-- fragment: operation_columns
key, id, group_key, resource, location, kind, status, started_ms, ended_ms, error_code, error_text

-- name: operation_find
select {operation_columns} from operations where id = :id;

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

-- name: operation_overdue
select key, group_key from operations
 where status = 0 and started_ms < :before_ms
 order by started_ms
 limit :rows;

-- name: operation_drop_old
delete from operations
 where key in (select key from operations where ended_ms < :before_ms order by ended_ms limit :rows);
