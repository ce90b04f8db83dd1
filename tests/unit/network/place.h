/* Where the network's tests run: network and mount namespaces of their own, with a way to "outside", a third
 * namespace that knows nothing of the groups' range. Needs root.
 *
 *     outside 198.51.100.2/24 -- up0 198.51.100.1 [the tests' namespace] bridge -- groups
 *
 * Threads: one.   Owner: place_free(). */
#ifndef TESTS_UNIT_NETWORK_PLACE_H
#define TESTS_UNIT_NETWORK_PLACE_H

#include "node-agent/network/inside.h"

#define OUTSIDE "198.51.100.2"
#define NODE_OUTSIDE "198.51.100.1"

struct place {
    char folder[64];  /* a tmpfs */
    char outside[96]; /* path of its network namespace */
};

bool place_new(struct place *place, struct err *err);
bool place_free(struct place *place, struct err *err);

/* Runs `work` in a thread that has joined the namespaces at these paths (NULL: stays). */
bool place_inside(const char *net, const char *uts, bool (*work)(void *context), void *context);
/* A socket that belongs to another network namespace; NULL: ours. -1 with errno. */
int place_socket(const char *net, int type, int protocol);
/* Listens there on address:port. */
int place_listen(const char *net, const char *address, uint16_t port);
/* Connects from there; milliseconds of patience. */
int place_connect(const char *net, const char *address, uint16_t port, int patience_ms);
/* From one of several addresses there. */
int place_connect_from(const char *net, const char *from, const char *address, uint16_t port,
                       int patience_ms);
/* From here, as another user of the node than root. */
int place_connect_as(uid_t user, const char *address, uint16_t port, int patience_ms);
/* One datagram goes from there to here. */
bool place_datagram(const char *from, const char *to, const char *address, uint16_t port);
bool place_datagram_under(const char *from, const char *source, const char *to, const char *address,
                          uint16_t port);
/* Runs `ip` there with these words. */
bool place_ip(const char *net, const char *words);
/* Accepts, and tells who came. */
bool place_accept(int listener, char peer[NETWORK_ADDRESS_SIZE]);
/* One echo request and its answer. */
bool place_ping(const char *net, const char *address);
/* One of our links has it. */
bool place_has_address(const char *address);
int place_count_links(void);
int place_count_mounts(void);

#endif
