/* From the bytes of a query to those of its answer, with no state and no input or output but one look-up.
 * Not for: sockets (server.c), how often somebody may ask (rate.c).   Threads: any. */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include "base/err.h"

#include <stdint.h>

struct zone;
/* `name_server` NULL: "ns." and the zone, whose address is `own_address` ("0.0.0.0" and NULL: none is told). NULL: out of
 * memory, or they are no names. */
struct zone *zone_new(const char *name, const char *name_server, const char *own_address,
                      uint32_t ttl_s);
void zone_free(struct zone *zone);
AUTO_TYPE(zone);

struct looked_up {
    bool exists;
    char address[64]; /* "": none */
    uint32_t serial;  /* of the zone */
};
/* `name` is below the zone, in lower case, "" for the zone itself. False: it cannot be said now. */
typedef bool (*zone_look_up)(void *context, const char *name, struct looked_up *found);

/* What asks for more than this is not read. */
enum { QUERY_SIZE_MIN = 12, QUERY_SIZE_MAX = 512, ANSWER_SIZE_MAX = 1232 };

enum answer_way {
    ANSWER_UDP,
    ANSWER_TCP,
    ANSWER_CUT, /* over UDP, to be asked again over TCP: somebody asks very often */
};
/* The size of what was written to `out`; 0: this gets no answer. */
size_t zone_answer(const struct zone *zone, const uint8_t *query, size_t size, enum answer_way way,
                   zone_look_up look_up, void *context, uint8_t out[ANSWER_SIZE_MAX]);

#endif
