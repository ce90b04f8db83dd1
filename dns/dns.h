/* The zone in which groups with a DNS label are named: answered by berthd itself, and told to another server.
 *
 *     struct dns *dns = dns_new(&options, &err);      after store_open(), before any work of the store
 *     if (!dns || !dns_start(dns, &err)) ...          now it answers
 *     dns_stop(dns);                                  before store_close()
 *     dns_free(dns);                                  after it: the store tells its changes until it is closed
 *
 * Not for: which names there are (store), what a label and its scope make of a name (model).
 * Threads: `dns` answers, `dns-update` tells the other server; one thread calls new, start, stop and free.
 * Owner: dns_free(). Options are copied; the store must outlive dns_stop(). */
#ifndef DNS_DNS_H
#define DNS_DNS_H

#include "base/err.h"
#include "store/store.h"

struct dns;

/* The server that is told each change (RFC 2136), and the key that signs what it is told (TSIG). */
struct dns_update_options {
    const char *server;      /* "10.0.0.53:53"; NULL: none is told */
    const char *zone;        /* NULL: the zone itself */
    const char *key_name;    /* "berth-key" */
    const char *algorithm;   /* one of dns_algorithms */
    const char *secret_file; /* the key in base64 */
};

struct dns_options {
    struct store *store;
    const char *zone;
    const char *listen; /* "127.0.0.1:5353"; NULL: nothing is answered here */
    const char
        *name_server; /* of the zone; NULL: "ns." and the zone, with the address of `listen` */
    int64_t ttl_s;
    struct dns_update_options update;
};

/* Registers with store_listen(). ERR_INVALID names the setting that is wrong. */
struct dns *dns_new(const struct dns_options *options, struct err *err) MUST_CHECK;
bool dns_start(struct dns *dns, struct err *err) MUST_CHECK;
int dns_port(const struct dns *dns); /* 0: nothing is answered here */
void dns_stop(struct dns *dns);
void dns_free(struct dns *dns);
AUTO_TYPE(dns);

extern const char *const dns_algorithms[];        /* NULL ends it */
bool dns_address_valid(const char *address_port); /* "127.0.0.1:53", "[::1]:53" */

#endif
