/* The log of the run before. Two renames, newer file first: an agent that dies between them finds the older part
 * without its newer one, and moves it after. */
#include "node-agent/runtime/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { PATH_SIZE = 4096 };

bool runtime_log_previous(const char *log_path, char *out, size_t size)
{
    size_t length = strlen(log_path);

    if (length > 4 && strcmp(log_path + length - 4, ".log") == 0)
        length -= 4;
    return text_format(out, size, "%.*s.previous.log", (int)length, log_path);
}

/* 1: renamed, 0: there was none, -1: failed. */
static int move(const char *from, const char *to)
{
    if (rename(from, to) == 0)
        return 1;
    return errno == ENOENT ? 0 : -1;
}

bool runtime_log_keep(const char *log_path, struct err *err)
{
    char previous[PATH_SIZE], older[PATH_SIZE], previous_older[PATH_SIZE];

    if (!runtime_log_previous(log_path, previous, sizeof previous) ||
        !text_format(older, sizeof older, "%s.1", log_path) ||
        !text_format(previous_older, sizeof previous_older, "%s.1", previous))
        return err_set(err, ERR_INVALID, "the path of a log is too long");
    int newest = move(log_path, previous);
    int oldest = newest >= 0 ? move(older, previous_older) : -1;
    if (newest < 0 || oldest < 0)
        return err_set_os(err, ERR_IO, errno, "cannot keep the log %s", log_path);
    if (newest == 1 && oldest == 0 && unlink(previous_older) != 0 && errno != ENOENT)
        return err_set_os(err, ERR_IO, errno, "cannot remove the log %s", previous_older);
    return true;
}
