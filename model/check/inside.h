/* Shared by the files of group_check.   Threads: pure. */
#ifndef MODEL_GROUP_CHECK_INSIDE_H
#define MODEL_GROUP_CHECK_INSIDE_H

#include "base/text.h"
#include "model/container_group.h"

struct check {
    const char *name; /* of the group, from the path */
    const struct container_group *group;
    struct problems *problems;
    char path[160];
};

bool check_problem(struct check *check, enum err_code code, const char *path, const char *format,
                   ...) PRINTF_LIKE(4, 5);
const char *check_path(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);

void check_resources(struct check *check); /* group_check_resources.c: §8 */
void check_ports(struct check *check);     /* group_check_ports.c: §12.2-12.5, §7.13 */

#endif
