/* Shared by the files of this folder.   Threads: pure. */
#ifndef MODEL_CHECK_INSIDE_H
#define MODEL_CHECK_INSIDE_H

#include "base/limits.h"
#include "base/text.h"
#include "model/group_check.h"

struct check {
    const char *name; /* of the group, from the path */
    const struct container_group *group;
    struct problems *problems;
    size_t told; /* problems that the tables have named already */
    char path[192];
};

/* One container and where it stands. */
struct seat {
    const struct container *container;
    const char *list; /* "containers" or "initContainers" */
    size_t index;
};

/* Names a fault, unless a table has told of the same place, or of what holds it. Returns false. */
bool check_problem(struct check *check, enum err_code code, const char *path, const char *format,
                   ...) PRINTF_LIKE(4, 5);
/* The service's own sentence for what a table has told of this very place; false when it has not. */
bool check_instead(struct check *check, const char *path, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* In check->path, until the next call. */
const char *check_path(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);
/* "properties.containers[0].properties." and the rest. */
const char *seat_path(struct check *check, const struct seat *seat, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* A table has named this very place. */
bool check_told(const struct check *check, const char *path);

/* Among all containers of the group, init containers first. */
struct seat seat_at(const struct group_properties *properties, size_t index);

/* A fault in a list of the group: "properties.<list>[index]<member>". */
#define LIST_PATH(check, list, index, member) \
    check_path(check, "properties." list "[%zu]" member, index)

/* ---- words.c: forms of texts ---- */

/* Lower-case letters, digits and hyphens, none of them first or last. */
bool word_hyphened(const char *name, size_t size_min, size_t size_max, bool doubled);
bool word_variable(const char *name);
bool word_file_name(const char *name);
bool word_plain(const char *text);  /* no control characters */
bool word_token(const char *text);  /* of HTTP: the name of a header */
bool word_arm_id(const char *text); /* /subscriptions/… with a name at its end */
/* Base64 as .NET takes it: padded, white space anywhere. */
bool word_base64(const char *text);
/* `raw` is an object; it has `name`, in whatever case, among its names. */
bool raw_is_object(const struct raw_json *raw);
bool raw_is_empty(const struct raw_json *raw);
bool raw_has_name(const struct raw_json *raw, const char *name);

/* ---- the rules, one file each ---- */

void check_kind(struct check *check);       /* kind.c: operating system, sku, priority, zones */
void check_containers(struct check *check); /* containers.c: §7, §15, §23 */
void check_probes(struct check *check, const struct seat *seat);   /* probes.c: §11 */
void check_security(struct check *check, const struct seat *seat); /* security.c: §7.9 */
void check_resources(struct check *check);                         /* resources.c: §8 */
void check_ports(struct check *check);                             /* ports.c: §7.13, §12 */
void check_network(struct check *check);                           /* network.c: §12, §13 */
void check_volumes(struct check *check);                           /* volumes.c: §14 */
void check_disks(struct check *check);                             /* disks.c: localDisk */
void check_mounts(struct check *check, const struct seat *seat);   /* volumes.c: §14.7 */
void check_credentials(struct check *check);                       /* registry.c: §16 */
void check_lacking(struct check *check);                           /* lacking.c: what none has */
void check_identity(struct check *check);                          /* identity.c: §15.3, §17 */
void check_class(struct check *check, const char *class_name);     /* class.c: what it cannot */
/* The group has a secretReference of this name; named as a fault at `path` otherwise. */
bool check_reference(struct check *check, const char *path, const char *name);

#endif
