/* One connection to the database, with every statement of sql/ prepared on it. The only thing in this room that
 * a second database has to provide anew (backend_sqlite.c is the first).
 *
 *     AUTO(statement) *q = backend_statement(backend, SQL_group_spec);
 *     bind_int(q, P_key, key);
 *     while (statement_next(q, err))
 *         use(column_text(q, C_spec, arena));
 *     return statement_ok(q, err);
 *
 * Statements, parameters and columns are named by the enums that tools/sql2c.py makes (store/statements.h).
 * Not for: what the statements mean.
 * Threads: a connection belongs to one thread at a time.   Owner: backend_free(). */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"

#include <stdint.h>

/* ---- what sql2c.py makes ---- */

struct sql_statement {
    const char *name, *text;
    const char *scan;                          /* why it may read a whole table; NULL: it may not */
    const unsigned char *parameters, *columns; /* place + 1 by enum; 0: has none of that name */
    const char *const *parameters_names, *const *columns_names;
    int parameters_count, columns_count;
};

struct sql_migration {
    int number;
    const char *name, *checksum, *text;
};

struct sql_catalog {
    const struct sql_statement *statements;
    int statements_count;
    const struct sql_migration *migrations;
    int migrations_count;
};
extern const struct sql_catalog sql_catalog;

/* ---- connections ---- */

struct backend;
struct statement;

enum backend_use { BACKEND_WRITER, BACKEND_READER };

/* A writer makes the file when there is none. Statements are not prepared yet: the tables may not exist. */
struct backend *backend_open(const char *path, enum backend_use use, struct err *err) MUST_CHECK;
void backend_free(struct backend *backend);
AUTO_TYPE(backend);
bool backend_prepare(struct backend *backend, struct err *err) MUST_CHECK;

/* Several statements without parameters: migrations and settings. */
bool backend_script(struct backend *backend, const char *text, struct err *err) MUST_CHECK;
/* A single statement without parameters; ERR_NOT_FOUND when it gives no row. */
bool backend_number(struct backend *backend, const char *text, int64_t *number, struct err *err)
    MUST_CHECK;
/* Looks for damage, for so long at most. */
bool backend_check(struct backend *backend, int64_t time_ms, struct err *err) MUST_CHECK;

/* ---- transactions ---- */

bool backend_begin(struct backend *backend, struct err *err)
    MUST_CHECK; /* a writer's takes the lock at once */
/* On the disk when it returns, unless backend_leave_sync() was called. */
bool backend_commit(struct backend *backend, struct err *err) MUST_CHECK;
void backend_rollback(struct backend *backend); /* nothing to do when the database did it already */
bool backend_in_transaction(const struct backend *backend);

/* A mark inside a transaction: back to it, or forget it. One at a time. */
bool backend_mark(struct backend *backend, struct err *err) MUST_CHECK;
bool backend_mark_undo(struct backend *backend, struct err *err) MUST_CHECK;
bool backend_mark_keep(struct backend *backend, struct err *err) MUST_CHECK;

/* From now on a commit is in the log and seen by readers, and backend_sync() brings it to the disk: any thread, while
 * the connection goes on. What was committed when it begins is on the disk when it returns true. */
bool backend_leave_sync(struct backend *backend, struct err *err) MUST_CHECK;
bool backend_sync(const struct backend *backend, struct err *err) MUST_CHECK;

int64_t backend_changes(const struct backend *backend); /* rows changed since it was opened */
/* Damage or a failed sync was met: what is in memory may not be what is on disk. */
bool backend_broken(const struct backend *backend);

/* Moves committed pages from the log to the database file without keeping anyone waiting; `left` are those that
 * came meanwhile. */
bool backend_checkpoint(struct backend *backend, int64_t *left, struct err *err) MUST_CHECK;
int64_t backend_log_pages(
    const struct backend *backend); /* written by this connection's last commit and before */

/* ---- statements ---- */

struct statement *backend_statement(struct backend *backend, int sql); /* not while it is in use */
void statement_free(struct statement *statement);                      /* gives it back */
AUTO_TYPE(statement);

/* Texts must outlive the statement's use. NULL binds null. */
void bind_int(struct statement *statement, int parameter, int64_t value);
void bind_text(struct statement *statement, int parameter, const char *text);
void bind_bytes(struct statement *statement, int parameter, const void *bytes, size_t size);
void bind_null(struct statement *statement, int parameter);

/* True: there is a (further) row. False: no more, or it failed; statement_ok() tells which. */
bool statement_next(struct statement *statement, struct err *err) MUST_CHECK;
bool statement_ok(const struct statement *statement, struct err *err) MUST_CHECK;
/* For statements that give no rows. */
bool statement_run(struct statement *statement, struct err *err) MUST_CHECK;
/* Runs it and says whether it changed any row. */
bool statement_change(struct statement *statement, bool *changed, struct err *err) MUST_CHECK;

int64_t column_int(struct statement *statement, int column); /* 0 for null */
bool column_is_null(struct statement *statement, int column);
/* Copied. NULL for null, and when the arena is full: then statement_ok() fails. */
const char *column_text(struct statement *statement, int column, struct arena *arena);
/* "" for null; what does not fit is left out whole. */
void column_copy(struct statement *statement, int column, char *out, size_t size);
/* Until the next row only. */
const void *column_bytes(struct statement *statement, int column, size_t *size);

/* How the database goes about it, one step a line. */
bool backend_plan(struct backend *backend, int sql, struct text *out, struct err *err) MUST_CHECK;

#endif
