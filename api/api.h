/* HTTP in and out: the ARM paths of container groups, the native calls under /v1, and the nodes'
 * link.
 *
 *     struct api *api = api_new(&options, &err);        after store_open(), before any work of the store
 *     if (!api || !api_start(api, &err)) ...            now it answers; api_port() says where
 *     api_reload(api, &options, &err);                  SIGHUP
 *     api_stop(api);                                    SIGTERM: finishes what was accepted
 *     store_close(store); api_free(api);                the store tells its changes until it is closed
 *
 * Not for: where a group runs (the hooks ask the scheduler), what is remembered (store).
 * Threads: one thread calls new, start, reload, stop and free. Hooks are called by HTTP threads,
 * several at once, and must not block.
 * Owner: api_free(). Options are copied; the store, `auth` and the hooks' context must outlive
 * api_free().
 */
#ifndef API_API_H
#define API_API_H

#include "api/auth/auth.h"
#include "base/err.h"
#include "base/fields.h"
#include "model/container_group.h"
#include "store/store.h"

struct api;

struct api_subscription {
    const char *id; /* UUID */
    const char *display_name;
};

struct api_location {
    const char *name;          /* "westus", in its normal form */
    const char *display_name;  /* "West US" */
    bool privileged;           /* its groups may have rights over their nodes */
    const char *runtime_class; /* of groups that name none; NULL: the node's usual one */
};

struct api_node_room {
    int64_t cpu_milli, memory_mib; /* neither held nor promised */
    int64_t groups;
    int64_t silent_ms; /* since the last report; -1: it has no lease */
};

/* What only the scheduler knows. */
struct api_hooks {
    void *context;
    /* May a group of that shape be accepted now? True keeps the room for it. False: `why` says why
     * not. */
    /* node_key: the only node that has its local disks; 0: any will do. */
    bool (*admit)(void *context, const struct shape *shape, enum os_type os, const char *location,
                  int64_t node_key, struct promised_place *place, char *why, size_t size);
    /* What was admitted was not stored after all. */
    void (*admit_undo)(void *context, int64_t promise);
    /* A report of that epoch arrived: the node's lease starts anew. */
    void (*node_seen)(void *context, int64_t node_key, int64_t epoch);
    /* The node takes no new groups from now on: told once it is committed, before the client knows. */
    void (*node_cordoned)(void *context, int64_t node_key);
    /* False: not known there. */
    bool (*node_room)(void *context, int64_t node_key, struct api_node_room *room);
    bool (*ready)(void *context); /* the scheduler has its picture and works */
};

/* Whether images are looked at in their registries before a group is accepted. */
struct api_image_check {
    bool on;
    const char *skopeo; /* program; NULL: "skopeo" from PATH */
    const char *certs;  /* folder of registries' CAs (registry.h); NULL: the system's alone */
    struct text_list insecure; /* registries spoken to without TLS */
    int workers;               /* looks at the same time */
    int64_t cache_ms;          /* how long a good answer counts */
};

struct api_options {
    struct store *store;
    struct api_hooks hooks;

    const char *listen_address; /* NULL: 127.0.0.1; "::1" and "0.0.0.0" work too */
    int listen_port;            /* 0: any free one, see api_port() */
    int threads;                /* 0: one for each core, at most 16 */
    const char *dns_zone;       /* in which groups with a label are named; NULL: "berth.internal" */
    const char *docs_dir;       /* made by portal/make, served under /docs; NULL: none */
    struct auth *auth;          /* who may sign in; NULL: nobody, only `token` opens */
    bool tls;                   /* speak it, with the certificate of `auth` */
    struct api_image_check image_check;
    int64_t stream_idle_ms; /* exec and attach end when nothing is said this long; 0: never */

    /* These may change in api_reload(). */
    const char *token;      /* guards every call but health; at least 16 characters */
    const char *join_token; /* with which nodes join; at least 16 characters */
    const struct api_subscription *subscriptions;
    size_t subscriptions_count;
    const struct api_location *locations;
    size_t locations_count;
    const char *default_location;    /* of nodes that name none */
    const char *tenant_id;           /* UUID; NULL: one of zeros */
    const struct quota_rule *quotas; /* quota_rules_sort() */
    size_t quotas_count;
    const struct address_pool *pools; /* of public addresses; at most one of a location */
    size_t pools_count;
    int64_t beat_ms, fence_ms, lost_ms;
    /* "https://berth.example" for absolute links; NULL: from the Host header. */
    const char *base_url;
};

/* Checks the options (ERR_INVALID names what is wrong) and registers with store_listen(). */
struct api *api_new(const struct api_options *options, struct err *err) MUST_CHECK;
bool api_start(struct api *api, struct err *err) MUST_CHECK;
/* The port in use. */
int api_port(const struct api *api);
/* Takes the part of the options that may change; requests under way keep the old. On failure
 * nothing changes. */
bool api_reload(struct api *api, const struct api_options *options, struct err *err) MUST_CHECK;
/* Takes no new connections, ends long polls, answers what was accepted (at most
 * LIMIT_HTTP_STOP_TIMEOUT_MS for clients that are slow to send or take), then closes. */
void api_stop(struct api *api);
void api_free(struct api *api);

AUTO_TYPE(api);

#endif
