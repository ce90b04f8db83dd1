/* SQLite behind backend.h: the only file that sees it, beside vfs.c.
 *
 * A connection prepares a statement at its first use and keeps it; backend_prepare() does all at once, so that a
 * typo fails the start. Names of parameters and columns are compared with what SQLite says then. */
#include "store/backend.h"

#include "base/clock.h"
#include "store/statements.h"
#include "store/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

struct statement {
    struct backend *backend;
    const struct sql_statement *info;
    sqlite3_stmt *handle;
    uint64_t unbound; /* bit i: parameter i + 1 has no value yet */
    bool in_use, failed, short_of_memory;
};

struct backend {
    sqlite3 *handle;
    enum backend_use use;
    bool broken;
    int log_fd; /* -1: commits are synced when they return */
    int64_t log_pages;
    struct statement statements[SQL_COUNT];
};

/* ---- failures ---- */

static enum err_code code_of(int result, int os_errno)
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
        return ERR_BUSY;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return ERR_STORAGE;
    default:
        return os_errno ? ERR_STORAGE : ERR_INTERNAL;
    }
}

/* What people can do about it; NULL: only SQLite's own words. */
static const char *advice(int result, int os_errno)
{
    if ((result & 0xff) == SQLITE_FULL || os_errno == ENOSPC || os_errno == EDQUOT)
        return "the disk that holds the database is full: make room";
    switch (result & 0xff) {
    case SQLITE_CORRUPT:
        return "the database file is damaged: restore it from a backup";
    case SQLITE_NOTADB:
        return "the file is damaged or no database: restore it from a backup";
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return "the database file or its folder cannot be written: check its owner, mode and mount";
    case SQLITE_CANTOPEN:
        return "the database file cannot be opened: check that its folder exists, its owner and "
               "mode";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another program holds the database";
    default:
        return NULL;
    }
}

static bool fail(struct backend *backend, int result, const char *doing, struct err *err)
{
    int os_errno = backend->handle ? sqlite3_system_errno(backend->handle) : 0;
    if ((result & 0xff) != SQLITE_IOERR && (result & 0xff) != SQLITE_CANTOPEN &&
        (result & 0xff) != SQLITE_FULL && (result & 0xff) != SQLITE_READONLY)
        os_errno = 0; /* left over from an earlier one */
    bool full = os_errno == ENOSPC || os_errno == EDQUOT;
    if ((result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB ||
        ((result & 0xff) == SQLITE_IOERR && !full))
        backend->broken = true;
    const char *said = backend->handle ? sqlite3_errmsg(backend->handle) : sqlite3_errstr(result);
    const char *help = advice(result, os_errno);
    enum err_code code = code_of(result, os_errno);
    if (os_errno)
        return err_set_os(err, code, os_errno, "%s: %s%s%s", doing, help ? help : "",
                          help ? ": " : "", said);
    return err_set(err, code, "%s: %s%s%s", doing, help ? help : "", help ? ": " : "", said);
}

/* ---- connections ---- */

static int note_log_pages(void *context, sqlite3 *handle UNUSED, const char *name UNUSED, int pages)
{
    ((struct backend *)context)->log_pages = pages;
    return SQLITE_OK;
}

/* The library counts its memory under one lock of all threads, twice for each piece; a create takes 55. Nobody asks. */
static void set_up_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static bool open_handle(struct backend *backend, const char *path, enum backend_use use,
                        struct err *err)
{
    /* A connection belongs to one thread at a time, so SQLite needs no locks of its own around it. */
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, set_up_library) == 0);
    if (use == BACKEND_WRITER)
        flags |= SQLITE_OPEN_CREATE;
    const char *way = use == BACKEND_WRITER ? vfs_name() : NULL;
    int result = sqlite3_open_v2(path, &backend->handle, flags, way);
    if (result != SQLITE_OK)
        return fail(backend, result, path, err);
    sqlite3_busy_timeout(backend->handle, 5000);
    return true;
}

/* A writer's file may be new: its page size is set before anything is written. */
static bool set_up(struct backend *backend, enum backend_use use, struct err *err)
{
    if (use == BACKEND_READER)
        return backend_script(backend, sql_script_open_reader, err);
    int64_t tables = 0;
    if (!backend_number(backend, sql_script_count_tables, &tables, err))
        return false;
    if (tables == 0 && !backend_script(backend, sql_script_open_new, err))
        return false;
    int64_t log_is_on = 0;
    if (!backend_script(backend, sql_script_open_writer, err) ||
        !backend_number(backend, sql_script_log_is_on, &log_is_on, err))
        return false;
    if (!log_is_on)
        return err_set(err, ERR_STORAGE,
                       "the file system cannot hold a database with a log: use a local disk");
    sqlite3_wal_hook(backend->handle, note_log_pages, backend);
    return true;
}

struct backend *backend_open(const char *path, enum backend_use use, struct err *err)
{
    AUTO(backend) *backend = calloc(1, sizeof *backend);
    if (!backend) {
        err_set(err, ERR_BUSY, "no memory for a database connection");
        return NULL;
    }
    backend->use = use;
    backend->log_fd = -1;
    if (!open_handle(backend, path, use, err) || !set_up(backend, use, err))
        return NULL;
    return TAKE(backend);
}

void backend_free(struct backend *backend)
{
    if (!backend)
        return;
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(backend->statements[i].handle);
    sqlite3_close_v2(backend->handle);
    auto_close_fd(&backend->log_fd);
    free(backend);
}

bool backend_script(struct backend *backend, const char *text, struct err *err)
{
    int result = sqlite3_exec(backend->handle, text, NULL, NULL, NULL);
    return result == SQLITE_OK ? true : fail(backend, result, "the database", err);
}

bool backend_number(struct backend *backend, const char *text, int64_t *number, struct err *err)
{
    sqlite3_stmt *handle = NULL;
    int result = sqlite3_prepare_v2(backend->handle, text, -1, &handle, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(handle);
    if (result == SQLITE_ROW)
        *number = sqlite3_column_int64(handle, 0);
    bool ok = result == SQLITE_ROW;
    if (result == SQLITE_DONE)
        err_set(err, ERR_NOT_FOUND, "the database gave no row");
    else if (!ok)
        fail(backend, result, "the database", err);
    sqlite3_finalize(handle);
    return ok;
}

static int past(void *deadline_ns)
{
    return clock_boot_ns() > *(const int64_t *)deadline_ns;
}

bool backend_check(struct backend *backend, int64_t time_ms, struct err *err)
{
    int64_t deadline_ns = clock_boot_ns() + time_ms * 1000000;
    sqlite3_progress_handler(backend->handle, 20000, past, &deadline_ns);
    sqlite3_stmt *handle = NULL;
    int result = sqlite3_prepare_v2(backend->handle, sql_script_quick_check, -1, &handle, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(handle);
    bool ok = (result & 0xff) == SQLITE_INTERRUPT; /* out of time: nothing found so far */
    const char *said = result == SQLITE_ROW ? (const char *)sqlite3_column_text(handle, 0) : "";
    if (result == SQLITE_ROW && said && strcmp(said, "ok") == 0)
        ok = true;
    else if (result == SQLITE_ROW)
        err_set(err, ERR_STORAGE, "the database file is damaged: restore it from a backup: %s",
                said);
    else if (!ok)
        fail(backend, result, "checking the database", err);
    sqlite3_finalize(handle);
    sqlite3_progress_handler(backend->handle, 0, NULL, NULL);
    return ok;
}

/* ---- preparing ---- */

/* sql2c.py's reading of names against SQLite's. */
static bool names_agree(const struct sql_statement *info, sqlite3_stmt *handle, struct err *err)
{
    bool same = sqlite3_bind_parameter_count(handle) == info->parameters_count;
    for (int i = 0; same && i < info->parameters_count; i++)
        same =
            strcmp(sqlite3_bind_parameter_name(handle, i + 1) + 1, info->parameters_names[i]) == 0;
    if (info->columns_count > 0)
        same = same && sqlite3_column_count(handle) == info->columns_count;
    for (int i = 0; same && i < info->columns_count; i++)
        same = strcmp(sqlite3_column_name(handle, i), info->columns_names[i]) == 0;
    if (!same)
        return err_set(err, ERR_INTERNAL, "statement %s: the database reads its names otherwise",
                       info->name);
    return true;
}

static bool prepare(struct backend *backend, int sql, struct err *err)
{
    struct statement *statement = &backend->statements[sql];
    if (statement->handle)
        return true;
    statement->backend = backend;
    statement->info = &sql_catalog.statements[sql];
    int result = sqlite3_prepare_v3(backend->handle, statement->info->text, -1,
                                    SQLITE_PREPARE_PERSISTENT, &statement->handle, NULL);
    if (result != SQLITE_OK)
        return fail(backend, result, statement->info->name, err);
    return names_agree(statement->info, statement->handle, err);
}

bool backend_prepare(struct backend *backend, struct err *err)
{
    for (int i = 0; i < SQL_COUNT; i++)
        if (!prepare(backend, i, err))
            return false;
    return true;
}

/* ---- transactions ---- */

static bool run_plain(struct backend *backend, int sql, struct err *err)
{
    AUTO(statement) *q = backend_statement(backend, sql);
    return statement_run(q, err);
}

bool backend_begin(struct backend *backend, struct err *err)
{
    return run_plain(backend, backend->use == BACKEND_WRITER ? SQL_begin_write : SQL_begin_read,
                     err);
}

bool backend_commit(struct backend *backend, struct err *err)
{
    return run_plain(backend, SQL_commit, err);
}

/* Its own descriptor: SQLite's is used by the connection's thread meanwhile. A log that is not vfs.c's goes on being
 * synced by SQLite. */
bool backend_leave_sync(struct backend *backend, struct err *err)
{
    const char *path = sqlite3_filename_wal(sqlite3_db_filename(backend->handle, "main"));
    sqlite3_file *log = NULL;
    sqlite3_file_control(backend->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (!log || !vfs_leave_sync(log))
        return true;
    backend->log_fd = open(path, O_RDWR | O_CLOEXEC);
    return backend->log_fd >= 0 ||
           err_set_os(err, ERR_STORAGE, errno, "cannot open the database's log %s", path);
}

bool backend_sync(const struct backend *backend, struct err *err)
{
    return backend->log_fd < 0 || fdatasync(backend->log_fd) == 0 ||
           err_set_os(err, ERR_STORAGE, errno, "bringing the database's log to the disk");
}

void backend_rollback(struct backend *backend)
{
    struct err ignored; /* a rollback that fails was done already */
    if (backend_in_transaction(backend) && !run_plain(backend, SQL_rollback, &ignored))
        CHECK(!backend_in_transaction(backend));
}

bool backend_in_transaction(const struct backend *backend)
{
    return !sqlite3_get_autocommit(backend->handle);
}

bool backend_mark(struct backend *backend, struct err *err)
{
    return run_plain(backend, SQL_mark, err);
}

bool backend_mark_undo(struct backend *backend, struct err *err)
{
    return run_plain(backend, SQL_mark_undo, err) && run_plain(backend, SQL_mark_keep, err);
}

bool backend_mark_keep(struct backend *backend, struct err *err)
{
    return run_plain(backend, SQL_mark_keep, err);
}

int64_t backend_changes(const struct backend *backend)
{
    return sqlite3_total_changes64(backend->handle);
}

bool backend_broken(const struct backend *backend)
{
    return backend->broken;
}

bool backend_checkpoint(struct backend *backend, int64_t *left, struct err *err)
{
    int pages = 0, moved = 0;
    int result = sqlite3_wal_checkpoint_v2(backend->handle, "main", SQLITE_CHECKPOINT_PASSIVE,
                                           &pages, &moved);
    if ((result & 0xff) == SQLITE_BUSY)
        pages = moved = 0; /* another connection is at it */
    else if (result != SQLITE_OK)
        return fail(backend, result, "moving pages from the log to the database", err);
    *left = pages - moved;
    return true;
}

int64_t backend_log_pages(const struct backend *backend)
{
    return backend->log_pages;
}

/* ---- statements ---- */

struct statement *backend_statement(struct backend *backend, int sql)
{
    struct statement *statement = &backend->statements[sql];
    CHECK(!statement->in_use);
    struct err unused; /* statement_next() says that it cannot be prepared */
    bool prepared = prepare(backend, sql, &unused);
    statement->in_use = true;
    statement->failed = !prepared;
    statement->short_of_memory = false;
    statement->unbound = (UINT64_C(1) << statement->info->parameters_count) - 1;
    return statement;
}

void statement_free(struct statement *statement)
{
    if (!statement)
        return;
    sqlite3_reset(statement->handle); /* repeats the failure of the last step, which was told */
    statement->in_use = false;
}

static int place_of_parameter(struct statement *statement, int parameter)
{
    CHECK(parameter >= 0 && parameter < P_COUNT && statement->info->parameters);
    int place = statement->info->parameters[parameter];
    CHECK(place > 0);
    statement->unbound &= ~(UINT64_C(1) << (place - 1));
    return place;
}

void bind_int(struct statement *statement, int parameter, int64_t value)
{
    int place = place_of_parameter(statement, parameter);
    statement->failed |= sqlite3_bind_int64(statement->handle, place, value) != SQLITE_OK;
}

void bind_text(struct statement *statement, int parameter, const char *text)
{
    int place = place_of_parameter(statement, parameter);
    statement->failed |=
        sqlite3_bind_text(statement->handle, place, text, -1, SQLITE_STATIC) != SQLITE_OK;
}

void bind_bytes(struct statement *statement, int parameter, const void *bytes, size_t size)
{
    int place = place_of_parameter(statement, parameter);
    statement->failed |=
        sqlite3_bind_blob64(statement->handle, place, bytes, size, SQLITE_STATIC) != SQLITE_OK;
}

void bind_null(struct statement *statement, int parameter)
{
    int place = place_of_parameter(statement, parameter);
    statement->failed |= sqlite3_bind_null(statement->handle, place) != SQLITE_OK;
}

bool statement_next(struct statement *statement, struct err *err)
{
    CHECK(statement->unbound == 0);
    if (statement->short_of_memory)
        return false;
    if (statement->failed)
        return err_set(err, ERR_INTERNAL, "statement %s could not be made ready",
                       statement->info->name);
    int result = sqlite3_step(statement->handle);
    if (result == SQLITE_ROW)
        return true;
    if (result == SQLITE_DONE)
        return false;
    statement->failed = true;
    return fail(statement->backend, result, statement->info->name, err);
}

bool statement_ok(const struct statement *statement, struct err *err)
{
    if (statement->short_of_memory)
        return err_set(err, ERR_BUSY, "an answer does not fit in its memory");
    return !statement->failed;
}

bool statement_run(struct statement *statement, struct err *err)
{
    while (statement_next(statement, err))
        ;
    return statement_ok(statement, err);
}

bool statement_change(struct statement *statement, bool *changed, struct err *err)
{
    int64_t before = backend_changes(statement->backend);
    if (!statement_run(statement, err))
        return false;
    *changed = backend_changes(statement->backend) != before;
    return true;
}

static int place_of_column(const struct statement *statement, int column)
{
    CHECK(column >= 0 && column < C_COUNT && statement->info->columns);
    CHECK(statement->info->columns[column] > 0);
    return statement->info->columns[column] - 1;
}

int64_t column_int(struct statement *statement, int column)
{
    return sqlite3_column_int64(statement->handle, place_of_column(statement, column));
}

bool column_is_null(struct statement *statement, int column)
{
    return sqlite3_column_type(statement->handle, place_of_column(statement, column)) ==
           SQLITE_NULL;
}

void column_copy(struct statement *statement, int column, char *out, size_t size)
{
    int place = place_of_column(statement, column);
    const char *text = (const char *)sqlite3_column_text(statement->handle, place);
    if (!text_copy(out, size, text ? text : ""))
        out[0] = '\0';
}

const char *column_text(struct statement *statement, int column, struct arena *arena)
{
    int place = place_of_column(statement, column);
    const char *text = (const char *)sqlite3_column_text(statement->handle, place);
    if (!text && sqlite3_column_type(statement->handle, place) == SQLITE_NULL)
        return NULL;
    size_t size = (size_t)sqlite3_column_bytes(statement->handle, place);
    const char *copy = text ? arena_text_n(arena, text, size) : NULL;
    if (!copy)
        statement->short_of_memory = true;
    return copy;
}

const void *column_bytes(struct statement *statement, int column, size_t *size)
{
    int place = place_of_column(statement, column);
    const void *bytes = sqlite3_column_blob(statement->handle, place);
    *size = (size_t)sqlite3_column_bytes(statement->handle, place);
    return bytes;
}

bool backend_plan(struct backend *backend, int sql, struct text *out, struct err *err)
{
    AUTO(text) *question = text_new(1 << 20);
    if (!question)
        return err_set(err, ERR_BUSY, "no memory");
    text_addf(question, "explain query plan %s", sql_catalog.statements[sql].text);
    sqlite3_stmt *handle = NULL;
    int result = sqlite3_prepare_v2(backend->handle, question->bytes, -1, &handle, NULL);
    while (result == SQLITE_OK || result == SQLITE_ROW) {
        result = sqlite3_step(handle);
        if (result == SQLITE_ROW)
            text_addf(out, "%s\n", (const char *)sqlite3_column_text(handle, 3));
    }
    bool ok = result == SQLITE_DONE || fail(backend, result, sql_catalog.statements[sql].name, err);
    sqlite3_finalize(handle);
    return ok;
}
