#include "dns/zone.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

enum { REFRESH_S = 3600, RETRY_S = 600, EXPIRE_S = 86400 };

/* ---- making ---- */

static ldns_rdf *name_read(const char *text)
{
    return ldns_rdf_new_frm_str(LDNS_RDF_TYPE_DNAME, text);
}

static ldns_rdf *name_below(const char *first, const char *zone)
{
    char text[NAME_SIZE];
    return text_format(text, sizeof text, "%s.%s", first, zone) ? name_read(text) : NULL;
}

struct zone *zone_new(const char *name, const char *name_server, const char *own_address,
                      uint32_t ttl_s)
{
    AUTO(zone) *zone = calloc(1, sizeof *zone);
    if (!zone)
        return NULL;
    zone->own_name_server = !name_server;
    zone->ttl_s = ttl_s;
    zone->origin = name_read(name);
    zone->name_server = name_server ? name_read(name_server) : name_below("ns", name);
    zone->contact = name_below("hostmaster", name);
    if (own_address && strcmp(own_address, "0.0.0.0") != 0 && strcmp(own_address, "::") != 0)
        (void)text_copy(zone->own_address, sizeof zone->own_address, own_address);
    return zone->origin && zone->name_server && zone->contact ? TAKE(zone) : NULL;
}

void zone_free(struct zone *zone)
{
    if (!zone)
        return;
    ldns_rdf_deep_free(zone->origin);
    ldns_rdf_deep_free(zone->name_server);
    ldns_rdf_deep_free(zone->contact);
    free(zone);
}

/* ---- names ---- */

static bool is_host_letter(uint8_t letter)
{
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-';
}

bool zone_name_text(const ldns_rdf *name, size_t but, char out[NAME_SIZE])
{
    const uint8_t *bytes = ldns_rdf_data(name);
    size_t size = ldns_rdf_size(name) - but, used = 0;
    for (size_t at = 0; at < size; at += (size_t)bytes[at] + 1) {
        if (used > 0)
            out[used++] = '.';
        for (size_t i = 1; i <= bytes[at]; i++) {
            uint8_t letter = bytes[at + i];
            if (letter >= 'A' && letter <= 'Z')
                letter |= 0x20;
            if (!is_host_letter(letter))
                return false;
            out[used++] = (char)letter;
        }
    }
    out[used] = '\0';
    return true;
}

static uint8_t lower(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte; /* no size of a label is that large */
}

bool zone_holds(const struct zone *zone, const ldns_rdf *name)
{
    const uint8_t *bytes = ldns_rdf_data(name), *origin = ldns_rdf_data(zone->origin);
    size_t size = ldns_rdf_size(name), origin_size = ldns_rdf_size(zone->origin), at = 0;
    while (at < size && size - at > origin_size)
        at += (size_t)bytes[at] + 1;
    if (at > size || size - at != origin_size)
        return false;
    for (size_t i = 0; i < origin_size; i++)
        if (lower(bytes[at + i]) != lower(origin[i]))
            return false;
    return true;
}

/* ---- records ---- */

static ldns_rr *record_new(const struct zone *zone, const ldns_rdf *owner, ldns_rr_type type)
{
    ldns_rr *record = ldns_rr_new();
    if (!record)
        return NULL;
    ldns_rr_set_owner(record, ldns_rdf_clone(owner));
    ldns_rr_set_type(record, type);
    ldns_rr_set_class(record, LDNS_RR_CLASS_IN);
    ldns_rr_set_ttl(record, zone->ttl_s);
    return record;
}

ldns_rr *zone_soa(const struct zone *zone, uint32_t serial)
{
    ldns_rr *soa = record_new(zone, zone->origin, LDNS_RR_TYPE_SOA);
    if (!soa)
        return NULL;
    ldns_rr_push_rdf(soa, ldns_rdf_clone(zone->name_server));
    ldns_rr_push_rdf(soa, ldns_rdf_clone(zone->contact));
    ldns_rr_push_rdf(soa, ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, serial));
    ldns_rr_push_rdf(soa, ldns_native2rdf_int32(LDNS_RDF_TYPE_PERIOD, REFRESH_S));
    ldns_rr_push_rdf(soa, ldns_native2rdf_int32(LDNS_RDF_TYPE_PERIOD, RETRY_S));
    ldns_rr_push_rdf(soa, ldns_native2rdf_int32(LDNS_RDF_TYPE_PERIOD, EXPIRE_S));
    ldns_rr_push_rdf(soa, ldns_native2rdf_int32(LDNS_RDF_TYPE_PERIOD, zone->ttl_s));
    return soa;
}

ldns_rr *zone_ns(const struct zone *zone)
{
    ldns_rr *ns = record_new(zone, zone->origin, LDNS_RR_TYPE_NS);
    if (ns)
        ldns_rr_push_rdf(ns, ldns_rdf_clone(zone->name_server));
    return ns;
}

ldns_rr *zone_address(const struct zone *zone, const ldns_rdf *owner, const char *address,
                      ldns_rr_type type)
{
    uint8_t bytes[16];
    bool six = type == LDNS_RR_TYPE_AAAA;
    if (inet_pton(six ? AF_INET6 : AF_INET, address, bytes) != 1)
        return NULL;
    ldns_rr *record = record_new(zone, owner, type);
    if (record)
        ldns_rr_push_rdf(record, ldns_rdf_new_frm_data(six ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A,
                                                       six ? 16 : 4, bytes));
    return record;
}
