/* Each file is the usual one with some of its methods replaced; what ours remember of it lies behind what the usual
 * ones do. */
#include "store/vfs.h"

#include "base/thread.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* The usual way writes less than 128 KiB at a time: no page is larger, and it counts with 17 bits. */
enum { ROOM = 256 * 1024, PIECE = 124 * 1024, AHEAD = 1024 * 1024, SLICE = 1024 * 1024 };

static sqlite3_vfs *usual, ours;
static bool registered;

/* The usual methods of a kind of file, and those in their place. */
struct methods {
    const sqlite3_io_methods *usual;
    sqlite3_io_methods ours;
};

static struct methods log_methods, database_methods;

static void *behind(sqlite3_file *file)
{
    return (char *)file + usual->szOsFile;
}

/* ---- logs ---- */

struct log_state {
    char *bytes; /* ROOM of them, from the first write on */
    int used;
    sqlite3_int64 at;   /* where in the file they begin */
    sqlite3_int64 size; /* of the file, zeros too; less than that where it is not known */
    bool leaves_sync;
};

/* NULL: zeros. */
static int write_pieces(sqlite3_file *file, const char *bytes, sqlite3_int64 count,
                        sqlite3_int64 at)
{
    static const char zeros[PIECE];
    int result = SQLITE_OK;
    for (sqlite3_int64 done = 0, size; done < count && result == SQLITE_OK; done += size) {
        size = count - done < PIECE ? count - done : PIECE;
        result =
            log_methods.usual->xWrite(file, bytes ? bytes + done : zeros, (int)size, at + done);
    }
    return result;
}

/* The log's end is `end`, at least. A full disk may refuse: then the next commit finds out whether it fits. */
static void grow_ahead(sqlite3_file *file, struct log_state *log, sqlite3_int64 end)
{
    if (end < log->size || log_methods.usual->xFileSize(file, &log->size) != SQLITE_OK ||
        end < log->size)
        return;
    sqlite3_int64 target = (end / AHEAD + 1) * AHEAD;
    if (write_pieces(file, NULL, target - end, end) == SQLITE_OK)
        log->size = target;
}

/* What cannot be written is forgotten: SQLite learns that and rolls back. */
static int flush(sqlite3_file *file)
{
    struct log_state *log = behind(file);
    int used = log->used;
    log->used = 0;
    int result = write_pieces(file, log->bytes, used, log->at);
    if (result == SQLITE_OK && used > 0)
        grow_ahead(file, log, log->at + used);
    return result;
}

static bool follows(const struct log_state *log, int size, sqlite3_int64 at)
{
    return at == log->at + log->used && size <= ROOM - log->used;
}

static int log_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    struct log_state *log = behind(file);
    if (!log->bytes)
        log->bytes = malloc(ROOM);
    if (!follows(log, size, at)) {
        int result = flush(file);
        if (result != SQLITE_OK)
            return result;
        log->at = at;
    }
    if (!log->bytes || size > ROOM)
        return log_methods.usual->xWrite(file, bytes, size, at);
    memcpy(log->bytes + log->used, bytes, (size_t)size);
    log->used += size;
    return SQLITE_OK;
}

static int log_close(sqlite3_file *file)
{
    struct log_state *log = behind(file);
    int result = flush(file), closed = log_methods.usual->xClose(file);
    free(TAKE(log->bytes));
    return result == SQLITE_OK ? closed : result;
}

static int log_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    int result = flush(file);
    return result == SQLITE_OK ? log_methods.usual->xRead(file, bytes, size, at) : result;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log_state *log = behind(file);
    int result = flush(file);
    log->size = 0;
    return result == SQLITE_OK ? log_methods.usual->xTruncate(file, size) : result;
}

static int log_sync(sqlite3_file *file, int flags)
{
    const struct log_state *log = behind(file);
    int result = flush(file);
    if (result != SQLITE_OK || (log->leaves_sync && (flags & 0xf) == SQLITE_SYNC_NORMAL))
        return result;
    return log_methods.usual->xSync(file, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size)
{
    int result = flush(file);
    return result == SQLITE_OK ? log_methods.usual->xFileSize(file, size) : result;
}

bool vfs_leave_sync(sqlite3_file *file)
{
    struct log_state *log = behind(file);
    if (file->pMethods != &log_methods.ours)
        return false;
    log->leaves_sync = true;
    return true;
}

static void replace_log_methods(sqlite3_io_methods *methods)
{
    methods->xWrite = log_write;
    methods->xClose = log_close;
    methods->xRead = log_read;
    methods->xTruncate = log_truncate;
    methods->xSync = log_sync;
    methods->xFileSize = log_size;
}

/* ---- databases ---- */

struct database_state {
    int unsynced; /* bytes */
};

static int database_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    struct database_state *database = behind(file);
    int result = database_methods.usual->xWrite(file, bytes, size, at);
    database->unsynced += size;
    if (result != SQLITE_OK || database->unsynced < SLICE)
        return result;
    database->unsynced = 0;
    return database_methods.usual->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

static int database_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_int64 before = 0;
    if (database_methods.usual->xFileSize(file, &before) == SQLITE_OK && before == size)
        return SQLITE_OK;
    return database_methods.usual->xTruncate(file, size);
}

static void replace_database_methods(sqlite3_io_methods *methods)
{
    methods->xWrite = database_write;
    methods->xTruncate = database_truncate;
}

/* ---- the VFS ---- */

/* A file whose usual methods are others than those we know stays as it is. */
static void take_over(sqlite3_file *file, struct methods *methods,
                      void (*replace)(sqlite3_io_methods *methods))
{
    static struct lock lock = {.mutex = PTHREAD_MUTEX_INITIALIZER, .rank = LOCK_STORE_VFS};
    WITH_LOCK(&lock);
    if (!methods->usual) {
        methods->ours = *file->pMethods;
        replace(&methods->ours);
        methods->usual = file->pMethods;
    }
    if (methods->usual == file->pMethods)
        file->pMethods = &methods->ours;
}

static int open_any(sqlite3_vfs *vfs UNUSED, const char *path, sqlite3_file *file, int flags,
                    int *flags_then)
{
    int result = usual->xOpen(usual, path, file, flags, flags_then);
    if (result != SQLITE_OK)
        return result;
    memset(behind(file), 0, (size_t)(ours.szOsFile - usual->szOsFile));
    if (flags & SQLITE_OPEN_WAL)
        take_over(file, &log_methods, replace_log_methods);
    if (flags & SQLITE_OPEN_MAIN_DB)
        take_over(file, &database_methods, replace_database_methods);
    return SQLITE_OK;
}

static void make(void)
{
    const size_t state = sizeof(union {
        struct log_state log;
        struct database_state database;
    });
    usual = sqlite3_vfs_find(NULL);
    if (!usual)
        return;
    ours = *usual;
    ours.pNext = NULL;
    ours.zName = "berth";
    ours.szOsFile += (int)state;
    ours.xOpen = open_any;
    registered = sqlite3_vfs_register(&ours, 0) == SQLITE_OK;
}

const char *vfs_name(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, make) == 0);
    return registered ? ours.zName : NULL;
}
