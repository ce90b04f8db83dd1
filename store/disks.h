/* Local disks inside the store: what groups name, and where it is.   Threads: the writer's. */
#ifndef STORE_DISKS_H
#define STORE_DISKS_H

#include "store/tx.h"

/* disks.c: what a new or changed group names from now on (row->disks). ERR_DISK: it can be had nowhere, or is of
 * another size; ERR_QUOTA: the subscription has too many. */
bool disks_name(struct tx *tx, const struct group_row *row, bool is_new, struct err *err)
    MUST_CHECK;
/* Whether that node may run the group. `words`, of DISK_WORDS_SIZE: why not. */
bool disks_allow(struct tx *tx, int64_t group_key, int64_t node_key, bool *allowed, char *words,
                 struct err *err) MUST_CHECK;
/* The group goes to that node, and all that it names and nobody made yet with it. */
bool disks_place(struct tx *tx, const struct group_row *row, int64_t node_key, struct err *err)
    MUST_CHECK;
bool disks_of_group(struct tx *tx, int64_t group_key, struct arena *arena, struct disk_seat **seats,
                    size_t *count, struct err *err) MUST_CHECK;

/* disks_leave.c: a group is gone for good: those that only waited for that are removed. */
bool disks_forget(struct tx *tx, int64_t group_key, struct err *err) MUST_CHECK;
bool disks_drop_resource_group(struct tx *tx, int64_t key, struct err *err) MUST_CHECK;
/* Those that a node is to remove, after `after`; with *full there are more, behind *last. */
bool disks_leaving(struct tx *tx, int64_t node_key, int64_t after, struct arena *arena,
                   struct text_list *ids, int64_t *last, bool *full, struct err *err) MUST_CHECK;
bool disks_leaving_any(struct tx *tx, int64_t node_key, int64_t after, bool *any, struct err *err)
    MUST_CHECK;
bool disks_removed(struct tx *tx, int64_t node_key, const struct text_list *ids, struct err *err)
    MUST_CHECK;

#endif
