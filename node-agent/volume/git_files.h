/* The folder that a clone is written to: who owns it, and where git sees it.   Threads: any. */
#ifndef VOLUME_GIT_FILES_H
#define VOLUME_GIT_FILES_H

#include "base/err.h"

/* The user that git runs as: nobody's, on no system's list. */
enum { GIT_USER = 2147479552 };
#define GIT_SEES "/mnt"

/* For process_run(): the child sees the folder `context` (its path) as GIT_SEES, in mounts of its own, and is GIT_USER
 * without any right. */
bool git_confine(void *context);
/* Everything at and below the folder belongs to root from now on. Follows no symlink. */
bool git_files_to_root(const char *folder, uid_t root, struct err *err) MUST_CHECK;
/* The folder itself goes to git's user. */
bool git_files_to_git(const char *folder, struct err *err) MUST_CHECK;

#endif
