/* Tokens that were checked, by the SHA-256 of the token, until they end: a client brings the same one
 * with each call, and a signature costs a hundred times the look.
 * Threads: any.   Owner: token_cache_free(). */
#ifndef API_AUTH_CACHE_H
#define API_AUTH_CACHE_H

#include "api/auth/auth.h"

struct token_cache;

struct token_cache *token_cache_new(struct err *err) MUST_CHECK;
void token_cache_free(struct token_cache *cache);

enum { TOKEN_HASH_SIZE = 65 };

bool token_cache_find(struct token_cache *cache, const char hash[TOKEN_HASH_SIZE], int64_t now_s,
                      struct caller *caller);
void token_cache_put(struct token_cache *cache, const char hash[TOKEN_HASH_SIZE], int64_t until_s,
                     const struct caller *caller);
/* Nothing is known any more: the principals have changed. */
void token_cache_clear(struct token_cache *cache);

#endif
