/* The configMap of a container as files that change while it runs (aci/features.md §7.10).
 *
 *     <folder>/..17/colour     what the order of revision 17 says
 *     <folder>/..data  ->  ..17
 *     <folder>/colour  ->  ..data/colour
 *
 * One rename moves all files at once, and nobody sees half of one.
 * Threads: any; one folder may be written by two at the same time, the newer revision stays. */
#ifndef SUPERVISE_CONFIG_FILES_H
#define SUPERVISE_CONFIG_FILES_H

#include "base/err.h"
#include "base/fields.h"

#include <sys/types.h>

/* Does nothing when the files are of that revision, or newer. They belong to `owner`. */
bool config_files_write(const char *folder, int64_t revision, const struct text_map *pairs,
                        uid_t owner, struct err *err) MUST_CHECK;

#endif
