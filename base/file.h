/* Files and folders, written so that a crash leaves the old content or the new, never half.
 * Threads: any. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"

#include <sys/types.h>

/* Whole file as malloc'ed, NUL-terminated bytes. ERR_NOT_FOUND when absent, ERR_TOO_LARGE past the
 * ceiling. */
bool file_read(const char *path, size_t size_max, char **bytes, size_t *size, struct err *err)
    MUST_CHECK;
/* Temporary file, write, rename. `durable` adds fsync of file and folder before returning. */
bool file_replace(const char *path, const char *bytes, size_t size, mode_t mode, bool durable,
                  struct err *err) MUST_CHECK;
bool file_make_folders(const char *path, mode_t mode, struct err *err)
    MUST_CHECK; /* like mkdir -p */
/* Removes a tree below `path` and `path` itself; never follows a symlink, never crosses a mount.
 * An absent path is success. */
bool file_remove_tree(const char *path, struct err *err) MUST_CHECK;
bool file_exists(const char *path);
/* fsync of a folder, so that names in it survive a power cut. */
bool file_sync_folder(const char *path, struct err *err) MUST_CHECK;

#endif
