-- Settings and transactions of a connection.

-- script: open_new
-- For an empty file, before anything is written. The page size is measured (README.md). The id tells our file
-- from others ("BRTH").
pragma page_size = 8192;
pragma application_id = 1112691784;

-- script: open_writer
-- A commit is on the disk when it returns. The log is emptied by the checkpointer, not in the middle of a commit, and
-- keeps its room so that writing it again moves no file sizes.
pragma journal_mode = wal;
pragma synchronous = full;
-- No fuller sync on our systems: how vfs.c tells the syncs of a checkpoint from those of commits.
pragma checkpoint_fullfsync = on;
pragma wal_autocheckpoint = 0;
pragma journal_size_limit = 134217728;
pragma cache_size = -16384;
pragma temp_store = memory;

-- script: open_reader
pragma query_only = on;
pragma wal_autocheckpoint = 0;
pragma cache_size = -2048;
pragma temp_store = memory;

-- script: log_is_on
-- Some file systems cannot share memory between connections.
select journal_mode = 'wal' from pragma_journal_mode;

-- script: application_id
pragma application_id;

-- script: count_tables
select count(*) from sqlite_schema where type = 'table';

-- script: quick_check
pragma quick_check(1);

-- script: migrations_table
create table if not exists schema_migrations (
    number integer primary key,
    name text not null,
    checksum text not null,
    applied_ms integer not null
);

-- script: migrations_newest
select coalesce(max(number), 0) from schema_migrations;

-- name: migration_list
-- scan: a handful of rows, read once at start.
select number, name, checksum from schema_migrations order by number;

-- name: migration_put
insert into schema_migrations (number, name, checksum, applied_ms) values (:number, :name, :checksum, :now_ms);

-- name: begin_write
begin immediate;

-- name: begin_read
begin;

-- name: commit
commit;

-- name: rollback
rollback;

-- name: mark
savepoint mark;

-- name: mark_undo
rollback to mark;

-- name: mark_keep
release mark;

-- name: revision_get
-- The newest revision.
select value from counters where name = 'revision';

-- name: revision_set
update counters set value = :value where name = 'revision';

-- name: swept_get
-- The newest operation the sweep looked at.
select value from counters where name = 'swept';

-- name: swept_set
update counters set value = :value where name = 'swept';

-- name: setting_get
select value from settings where name = :name;

-- name: setting_put
insert into settings (name, value) values (:name, :value)
    on conflict (name) do update set value = excluded.value;
