/* The tokens that guard calls and joins: from the configuration, from a file, or made at the first start.
 * Never logged; a made one's path is.   Threads: start-up and reload. */
#ifndef DAEMON_TOKENS_H
#define DAEMON_TOKENS_H

#include "daemon/config.h"

enum { TOKEN_SIZE_MIN = 16 };

struct tokens {
    const char *token, *join_token;
};

bool tokens_load(const struct config *config, struct arena *arena, struct tokens *tokens,
                 struct err *err) MUST_CHECK;

#endif
