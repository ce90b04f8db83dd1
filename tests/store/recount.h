/* Counts what groups hold from their rows, and compares it with what the store says. Failures end the test (cmocka). */
#ifndef TESTS_STORE_RECOUNT_H
#define TESTS_STORE_RECOUNT_H

#include "store/store.h"
#include "tests/unit/unit.h"

#include <string.h>

enum { RECOUNT_PAGE = 50 };

static inline struct quota_use recount(struct tx *tx, const char *subscription,
                                       const char *location, struct arena *arena)
{
    struct quota_use use = {0};
    struct group_page page = {0};
    struct err err = {0};
    do {
        assert_true(store_group_list(tx, subscription, NULL, page.next_key, RECOUNT_PAGE, arena,
                                     &page, &err));
        for (size_t i = 0; i < page.count; i++) {
            const struct group_row *row = store_group_get(tx, page.rows[i].key, false, arena, &err);
            assert_non_null(row);
            bool holds = row->state != GROUP_STOPPED && row->state != GROUP_SUCCEEDED &&
                         row->state != GROUP_FAILED;
            if (strcmp(row->location, location) != 0)
                continue;
            const struct quota_pair *pair = &quota_pairs[row->quota_class];
            use.used[pair->groups]++;
            use.used[pair->cores] += holds ? row->shape.cpu_milli : 0;
        }
    } while (page.next_key != 0);
    return use;
}

static inline struct quota_use quotas_agree(struct store *store, const char *subscription,
                                            const char *location, struct arena *arena)
{
    struct err err = {0};
    struct quota_use use = {0};
    AUTO(tx) *tx = store_read(store, &err);
    assert_true(tx && store_quota_use(tx, subscription, location, &use, &err));
    struct quota_use counted = recount(tx, subscription, location, arena);
    for (int i = 0; i < QUOTA_USES; i++)
        if (use.used[i] != counted.used[i])
            fail_msg("%s in %s: %lld are counted, the rows say %lld", quota_kinds[i].name, location,
                     (long long)use.used[i], (long long)counted.used[i]);
    return use;
}

#endif
