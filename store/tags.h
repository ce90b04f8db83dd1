/* Tags of resource groups and container groups, kept apart from their documents to search by.
 * Not for: other rooms (their documents have them too).   Threads: the writer's; reading: any. */
#ifndef STORE_TAGS_H
#define STORE_TAGS_H

#include "store/tx.h"

enum tags_kind { TAGS_OF_RESOURCE_GROUP, TAGS_OF_GROUP };
struct tags_owner {
    int64_t key, subscription_key;
    enum tags_kind kind;
    bool is_new; /* it has none yet */
};

/* The tags it has from now on: of `members`, a document without its outer braces. */
bool tags_put(struct tx *tx, const struct tags_owner *owner, const char *members, struct err *err)
    MUST_CHECK;
bool tags_list(struct tx *tx, int64_t owner_key, struct arena *arena, struct text_map *tags,
               struct err *err) MUST_CHECK;

#endif
