/* What subscriptions hold of their quotas, kept in the transaction that moves a group: read once for each subscription
 * and location that a commit touches, counted in memory, written back just before the commit.
 *
 * A row counts as it was when it was read (group_row.counted); saving it counts the difference. Saving is the one place
 * where a group begins or ceases to count: store_group_create() and group_save().
 *
 * Not for: other rooms (store.h has the question).   Threads: the writer's. */
#ifndef STORE_QUOTAS_H
#define STORE_QUOTAS_H

#include "store/store.h"

enum { QUOTA_LOCATION_SIZE = 91 };

struct quota_entry {
    int64_t subscription_key;
    char location[QUOTA_LOCATION_SIZE];
    int64_t used[QUOTA_USES], stored[QUOTA_USES];
};
struct quota_note {
    size_t entry;
    enum quota quota;
    int64_t amount;
};
/* Of one commit. */
struct quota_book {
    struct quota_entry *entries;
    struct quota_note *notes; /* every change, to be undone when its work fails */
    size_t entries_count, entries_capacity, notes_count, notes_capacity;
};

/* ERR_QUOTA, in the service's words, when the group would hold more than row->limits allow once it runs. Changes
 * nothing: ask before anything is written. */
bool quota_allows(struct tx *tx, const struct group_row *row, struct err *err) MUST_CHECK;
/* The row was saved: what it holds now instead of row->counted. */
bool quota_count(struct tx *tx, struct group_row *row, struct err *err) MUST_CHECK;

/* ---- for writer.c ---- */

void quotas_begin(struct tx *tx);
void quotas_forget(struct tx *tx, size_t notes_count);
bool quotas_save(struct tx *tx, struct err *err) MUST_CHECK;
void quotas_done(struct quota_book *book);

#endif
