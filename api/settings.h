/* What of the options may change while the server runs: one immutable copy, replaced as a whole. A
 * request keeps the copy it began with; old copies live until the end, there is one for each
 * reload.
 * Threads: any may read.
 * Owner: struct api. */
#ifndef API_SETTINGS_H
#define API_SETTINGS_H

#include "api/api.h"
#include "base/arena.h"

struct settings {
    struct settings *older;
    struct arena *arena;
    char token_hash[65], join_token_hash[65]; /* id_hash() */
    const struct api_subscription *subscriptions;
    size_t subscriptions_count;
    const struct api_location *locations;
    size_t locations_count;
    const char *default_location;
    const struct quota_rule *quotas;
    size_t quotas_count;
    const struct address_pool **pools;
    size_t pools_count;
    const char *tenant_id; /* never NULL */
    int64_t beat_ms, fence_ms, lost_ms;
    const char *base_url; /* NULL: from the Host header */
};

struct settings *settings_new(const struct api_options *options, struct err *err) MUST_CHECK;
void settings_free(struct settings *settings);
AUTO_TYPE(settings);

/* NULL when there is none; names match without case, locations in their normal form. */
const struct api_subscription *settings_subscription(const struct settings *settings,
                                                     const char *id);
const struct api_location *settings_location(const struct settings *settings, const char *name);

/* What a subscription may hold in a location (NULL: may do at all). */
void settings_quotas(const struct settings *settings, const char *subscription,
                     const char *location, struct quota_limits *found);
/* Public addresses of a location; NULL: it has no pool. */
const struct address_pool *settings_pool(const struct settings *settings, const char *location);

#endif
