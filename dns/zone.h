/* The zone's own names and its records, as the DNS library has them. Records are NULL when memory is out.
 * Not for: what is asked (answer.c).   Threads: any. */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

#include "dns/answer.h"

#include <ldns/ldns.h>

enum { NAME_SIZE = 256 };

struct zone {
    ldns_rdf *origin, *name_server, *contact;
    bool own_name_server; /* it is "ns." and the zone */
    char own_address[64];
    uint32_t ttl_s;
};

/* Its last labels are those of the zone. */
bool zone_holds(const struct zone *zone, const ldns_rdf *name);
/* The name without its last `but` bytes, in lower case with dots between its labels. False: no name of ours looks so. */
bool zone_name_text(const ldns_rdf *name, size_t but, char out[NAME_SIZE]);

ldns_rr *zone_soa(const struct zone *zone, uint32_t serial);
ldns_rr *zone_ns(const struct zone *zone);
/* NULL too when that is no address of the type. */
ldns_rr *zone_address(const struct zone *zone, const ldns_rdf *owner, const char *address,
                      ldns_rr_type type);

#endif
