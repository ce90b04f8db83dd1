/* What a container group may look like: every rule of ACI that the field tables cannot say alone (names,
 * sums, duplicates, one kind of many), with ACI's own codes and messages, several at once. The rules are in
 * check/, one file for each subject.
 * Source: aci/features.md §7-§18, §22-§24, §27.   Threads: any; pure. */
#ifndef MODEL_GROUP_CHECK_H
#define MODEL_GROUP_CHECK_H

#include "model/container_group.h"

/* False when there was any problem; each names its field. `name` is the group's name from the path. Takes
 * what could be read of a document too: what its tables have told in `problems` is not told again. What is
 * no fault and worth a word becomes a note of `problems`. */
bool group_check(const char *name, const struct container_group *group, struct problems *problems)
    MUST_CHECK;

/* What is valid and not run yet: ERR_NOT_IMPLEMENTED naming the field. */
bool group_check_supported(const struct container_group *group, struct problems *problems)
    MUST_CHECK;

/* What the location allows that a group asks to run in. */
struct group_permits {
    const char *location;      /* for the message */
    bool privileged;           /* containers with rights over their node */
    const char *runtime_class; /* of groups that name none; NULL: the node's */
};
/* The class the group runs with; NULL: the usual one of its node. */
const char *group_runtime_class(const struct container_group *group,
                                const struct group_permits *permits);
bool group_check_allowed(const char *name, const struct container_group *group,
                         const struct group_permits *permits, struct problems *problems) MUST_CHECK;

bool group_name_valid(const char *name);          /* §23.1 */
bool container_name_valid(const char *name);      /* §23.2 */
bool resource_group_name_valid(const char *name); /* §23.7 */

/* The bytes of a base64 text (padded, white space anywhere) in the arena; NULL: it is none, or there is no memory. */
const char *word_base64_text(const char *text, struct arena *arena, size_t *size);

#endif
