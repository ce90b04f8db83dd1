/* The setting user_namespaces: whether groups have users of their own on this node.   Threads: start-up. */
#ifndef NODE_AGENT_USERS_H
#define NODE_AGENT_USERS_H

#include "node-agent/config.h"
#include "node-agent/image/image.h"
#include "node-agent/network/network.h"
#include "node-agent/runtime/runtime.h"

/* The first id for network_open(); 0: off. ERR_INVALID when the setting is none. */
bool users_setting(const struct agent_config *config, uint32_t *first, struct err *err) MUST_CHECK;
/* Tries it once. Where this node cannot: "on" fails, "auto" says why and goes on without. */
bool users_settle(const struct agent_config *config, struct network *network,
                  const struct runtime *runtime, struct image_store *images, struct err *err)
    MUST_CHECK;

#endif
