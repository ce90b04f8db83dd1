/* What the files of this room share besides request.h: the server as a whole. */
#ifndef API_INSIDE_H
#define API_INSIDE_H

#include "api/rates.h"
#include "api/request.h"
#include "api/waits.h"
#include "base/thread.h"

#include <stdatomic.h>

struct assets;
struct http_server;

struct api {
    struct store *store;
    struct api_hooks hooks;
    char address[64];
    char dns_zone[DNS_ZONE_MAX + 1];
    int port, threads;
    struct auth *auth;
    bool tls;
    struct settings *_Atomic settings;
    struct waits *waits;
    struct assets *assets;
    struct rates *rates;
    struct streams *streams;
    struct image_looks *looks; /* NULL: images are not checked */
    struct http_server *server;
    _Atomic bool refusing; /* nothing is begun any more */
    pthread_t clock;
    bool has_clock;
    struct bell clock_bell;
    struct lock spare_lock;
    struct request *spare;
    size_t spare_count;
};

/* Frees what the pool of requests keeps. */
void requests_drop(struct api *api);

#endif
