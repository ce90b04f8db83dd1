/* Sets of a few places each; a full set gives up the token that ends first. */
#include "api/auth/cache.h"

#include "base/id.h"
#include "base/limits.h"
#include "base/thread.h"

#include <string.h>

enum { WAYS = 4, SETS = LIMIT_TOKEN_CACHE_MAX / WAYS };

struct entry {
    char hash[TOKEN_HASH_SIZE];
    int64_t until_s; /* 0: free */
    struct caller caller;
};

struct token_cache {
    struct lock lock;
    struct entry entries[SETS][WAYS];
};

struct token_cache *token_cache_new(struct err *err)
{
    struct token_cache *cache = calloc(1, sizeof *cache);

    if (!cache) {
        err_set(err, ERR_BUSY, "out of memory for checked tokens");
        return NULL;
    }
    lock_init(&cache->lock, LOCK_API_TOKENS);
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (!cache)
        return;
    lock_done(&cache->lock);
    free(cache);
}

static struct entry *set_of(struct token_cache *cache, const char *hash)
{
    return cache->entries[id_hash_number(hash) % SETS];
}

bool token_cache_find(struct token_cache *cache, const char hash[TOKEN_HASH_SIZE], int64_t now_s,
                      struct caller *caller)
{
    WITH_LOCK(&cache->lock);
    const struct entry *set = set_of(cache, hash);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].until_s > now_s && memcmp(set[i].hash, hash, TOKEN_HASH_SIZE) == 0) {
            *caller = set[i].caller;
            return true;
        }
    }
    return false;
}

void token_cache_put(struct token_cache *cache, const char hash[TOKEN_HASH_SIZE], int64_t until_s,
                     const struct caller *caller)
{
    WITH_LOCK(&cache->lock);
    struct entry *set = set_of(cache, hash), *place = &set[0];
    for (size_t i = 1; i < WAYS; i++) {
        if (set[i].until_s < place->until_s)
            place = &set[i];
    }
    memcpy(place->hash, hash, TOKEN_HASH_SIZE);
    place->until_s = until_s;
    place->caller = *caller;
}

void token_cache_clear(struct token_cache *cache)
{
    WITH_LOCK(&cache->lock);
    memset(cache->entries, 0, sizeof cache->entries);
}
