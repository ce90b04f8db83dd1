/* Migrations: numbered, append-only, each recorded with the checksum of its text. All that are missing run in one
 * transaction, so a start that is cut short leaves the old form. */
#include "base/clock.h"
#include "store/statements.h"
#include "store/store_room.h"

#include <string.h>

enum { APPLICATION_ID = 1112691784 }; /* as in sql/connection.sql */

/* A file of another program is not touched. */
static bool is_ours(struct backend *backend, struct err *err)
{
    int64_t tables = 0, id = 0;
    if (!backend_number(backend, sql_script_count_tables, &tables, err) ||
        !backend_number(backend, sql_script_application_id, &id, err))
        return false;
    if (tables > 0 && id != APPLICATION_ID)
        return err_set(err, ERR_STORAGE,
                       "the file is a database of another program: name another path");
    return true;
}

static bool check_one(int64_t number, const char *name, const char *checksum, struct err *err)
{
    if (number > sql_catalog.migrations_count)
        return err_set(err, ERR_STORAGE,
                       "the database is newer than this program: it has migration %lld (%s), this "
                       "program knows "
                       "%d: start the newer program",
                       (long long)number, name, sql_catalog.migrations_count);
    const struct sql_migration *ours = &sql_catalog.migrations[number - 1];
    if (strcmp(ours->checksum, checksum) != 0)
        return err_set(err, ERR_STORAGE,
                       "migration %d (%s) ran with another text than this program has: the "
                       "database belongs to "
                       "another build: start that one",
                       ours->number, name);
    return true;
}

static bool check_recorded(struct backend *backend, struct err *err)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    AUTO(statement) *q = backend_statement(backend, SQL_migration_list);
    if (!arena)
        return arena_full(err);
    while (statement_next(q, err)) {
        const char *name = column_text(q, C_name, arena),
                   *checksum = column_text(q, C_checksum, arena);
        if (!name || !checksum || !check_one(column_int(q, C_number), name, checksum, err))
            return name && checksum ? false : arena_full(err);
    }
    return statement_ok(q, err);
}

static bool run_one(struct backend *backend, const struct sql_migration *migration, struct err *err)
{
    if (!backend_script(backend, migration->text, err))
        return err_add(err, "migration %d (%s)", migration->number, migration->name);
    AUTO(statement) *q = backend_statement(backend, SQL_migration_put);
    bind_int(q, P_number, migration->number);
    bind_text(q, P_name, migration->name);
    bind_text(q, P_checksum, migration->checksum);
    bind_int(q, P_now_ms, clock_now_ms());
    return statement_run(q, err);
}

static bool run_missing(struct backend *backend, int newest, struct err *err)
{
    int64_t done = 0;
    if (!backend_script(backend, sql_script_migrations_table, err) ||
        !backend_number(backend, sql_script_migrations_newest, &done, err) ||
        !check_recorded(backend, err))
        return false;
    for (int i = (int)done; i < sql_catalog.migrations_count && i < newest; i++)
        if (!run_one(backend, &sql_catalog.migrations[i], err))
            return false;
    return true;
}

bool store_migrate(struct backend *backend, int newest, struct err *err)
{
    if (!is_ours(backend, err) || !backend_begin(backend, err))
        return false;
    if (!run_missing(backend, newest, err)) {
        backend_rollback(backend);
        return false;
    }
    return backend_commit(backend, err);
}
