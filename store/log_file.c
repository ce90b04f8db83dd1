/* A "VFS" of SQLite that differs from the usual one in the files of logs alone. */
#include "store/log_file.h"

#include "base/err.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* The usual way writes less than 128 KiB at a time: no page is larger, and it counts with 17 bits. */
enum { ROOM = 256 * 1024, PIECE = 124 * 1024 };

/* SQLite gives the memory; the file as the usual way knows it lies behind ours. */
struct log_file {
    sqlite3_file file; /* first: what SQLite sees */
    sqlite3_file *real;
    char *bytes; /* ROOM of them, from the first write on */
    int used;
    sqlite3_int64 at; /* where in the file they begin */
};

static struct log_file *log_of(sqlite3_file *file)
{
    return (struct log_file *)(void *)file;
}

/* ---- what is kept ---- */

/* What cannot be written is forgotten: SQLite learns that and rolls back. */
static int flush(struct log_file *log)
{
    int used = log->used, result = SQLITE_OK;
    log->used = 0;
    for (int done = 0, size; done < used && result == SQLITE_OK; done += size) {
        size = used - done < PIECE ? used - done : PIECE;
        result = log->real->pMethods->xWrite(log->real, log->bytes + done, size, log->at + done);
    }
    return result;
}

static bool follows(const struct log_file *log, int size, sqlite3_int64 at)
{
    return at == log->at + log->used && size <= ROOM - log->used;
}

static int log_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    if (!log->bytes)
        log->bytes = malloc(ROOM);
    if (!follows(log, size, at)) {
        int result = flush(log);
        if (result != SQLITE_OK)
            return result;
        log->at = at;
    }
    if (!log->bytes || size > ROOM)
        return log->real->pMethods->xWrite(log->real, bytes, size, at);
    memcpy(log->bytes + log->used, bytes, (size_t)size);
    log->used += size;
    return SQLITE_OK;
}

/* ---- everything else finds it in the file ---- */

static int log_close(sqlite3_file *file)
{
    struct log_file *log = log_of(file);
    int result = flush(log), closed = log->real->pMethods->xClose(log->real);
    free(log->bytes);
    return result == SQLITE_OK ? closed : result;
}

static int log_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    struct log_file *log = log_of(file);
    int result = flush(log);
    return result == SQLITE_OK ? log->real->pMethods->xRead(log->real, bytes, size, at) : result;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log_file *log = log_of(file);
    int result = flush(log);
    return result == SQLITE_OK ? log->real->pMethods->xTruncate(log->real, size) : result;
}

static int log_sync(sqlite3_file *file, int flags)
{
    struct log_file *log = log_of(file);
    int result = flush(log);
    return result == SQLITE_OK ? log->real->pMethods->xSync(log->real, flags) : result;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct log_file *log = log_of(file);
    int result = flush(log);
    return result == SQLITE_OK ? log->real->pMethods->xFileSize(log->real, size) : result;
}

/* ---- handed on ---- */

static int log_lock(sqlite3_file *file, int level)
{
    return log_of(file)->real->pMethods->xLock(log_of(file)->real, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
    return log_of(file)->real->pMethods->xUnlock(log_of(file)->real, level);
}

static int log_is_reserved(sqlite3_file *file, int *is)
{
    return log_of(file)->real->pMethods->xCheckReservedLock(log_of(file)->real, is);
}

static int log_control(sqlite3_file *file, int what, void *value)
{
    return log_of(file)->real->pMethods->xFileControl(log_of(file)->real, what, value);
}

static int log_sector(sqlite3_file *file)
{
    return log_of(file)->real->pMethods->xSectorSize(log_of(file)->real);
}

static int log_traits(sqlite3_file *file)
{
    return log_of(file)->real->pMethods->xDeviceCharacteristics(log_of(file)->real);
}

/* Version 1: a log is neither shared memory nor mapped. */
static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_is_reserved,
    .xFileControl = log_control,
    .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_traits,
};

/* ---- the way ---- */

static sqlite3_vfs *usual, ours;
static bool registered;

static int open_log(const char *path, struct log_file *log, int flags, int *flags_then)
{
    *log = (struct log_file){.real = (sqlite3_file *)(void *)(log + 1)};
    int result = usual->xOpen(usual, path, log->real, flags, flags_then);
    if (result == SQLITE_OK)
        log->file.pMethods = &log_methods; /* else NULL: there is nothing to close */
    return result;
}

static int open_any(sqlite3_vfs *vfs UNUSED, const char *path, sqlite3_file *file, int flags,
                    int *flags_then)
{
    if (flags & SQLITE_OPEN_WAL)
        return open_log(path, log_of(file), flags, flags_then);
    return usual->xOpen(usual, path, file, flags, flags_then);
}

static void make_way(void)
{
    usual = sqlite3_vfs_find(NULL);
    if (!usual)
        return;
    ours = *usual;
    ours.pNext = NULL;
    ours.zName = "berth";
    ours.szOsFile += (int)sizeof(struct log_file);
    ours.xOpen = open_any;
    registered = sqlite3_vfs_register(&ours, 0) == SQLITE_OK;
}

const char *log_file_way(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    CHECK(pthread_once(&once, make_way) == 0);
    return registered ? ours.zName : NULL;
}
