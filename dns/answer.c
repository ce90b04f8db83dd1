/* Answers of the zone. It is small by nature: the SOA and NS at its top, the address of each group's name, and nothing
 * else; what is not there is told with the SOA, so that resolvers know how long to believe it. */
#include "dns/zone.h"

#include <string.h>

enum {
    UDP_SIZE_PLAIN = 512, /* without EDNS */
    BADVERS_HIGH = 1,     /* of 16, the upper bits of the code */
};

/* ---- one query ---- */

struct asked {
    const struct zone *zone;
    ldns_pkt *query, *reply;
    const ldns_rr *question;
    const ldns_rdf *name;
    ldns_rr_type type;
    struct looked_up found;
};

static void push(struct asked *asked, ldns_pkt_section section, ldns_rr *record)
{
    if (record && !ldns_pkt_push_rr(asked->reply, section, record))
        ldns_rr_free(record);
}

static void add_soa(struct asked *asked, ldns_pkt_section section)
{
    push(asked, section, zone_soa(asked->zone, asked->found.serial));
}

/* Of a name that is there: what it has of the type, or the SOA for "nothing of that type". Who asks for ANY gets one
 * (RFC 8482). */
static void answer_address(struct asked *asked, const char *address)
{
    bool any = asked->type == LDNS_RR_TYPE_ANY;
    ldns_rr *record = NULL;
    if (any || asked->type == LDNS_RR_TYPE_A)
        record = zone_address(asked->zone, asked->name, address, LDNS_RR_TYPE_A);
    if (!record && (any || asked->type == LDNS_RR_TYPE_AAAA))
        record = zone_address(asked->zone, asked->name, address, LDNS_RR_TYPE_AAAA);
    if (record)
        push(asked, LDNS_SECTION_ANSWER, record);
    else
        add_soa(asked, LDNS_SECTION_AUTHORITY);
}

static void answer_top(struct asked *asked)
{
    if (asked->type == LDNS_RR_TYPE_NS)
        push(asked, LDNS_SECTION_ANSWER, zone_ns(asked->zone));
    else
        add_soa(asked, asked->type == LDNS_RR_TYPE_SOA || asked->type == LDNS_RR_TYPE_ANY
                           ? LDNS_SECTION_ANSWER
                           : LDNS_SECTION_AUTHORITY);
}

static ldns_pkt_rcode answer_in_zone(struct asked *asked, zone_look_up look_up, void *context)
{
    char name[NAME_SIZE];
    bool ours = zone_name_text(asked->name, ldns_rdf_size(asked->zone->origin), name);
    if (!look_up(context, ours ? name : "", &asked->found))
        return LDNS_RCODE_SERVFAIL;
    ldns_pkt_set_aa(asked->reply, true);
    if (ours && name[0] == '\0') {
        answer_top(asked);
    } else if (ours && asked->zone->own_name_server && strcmp(name, "ns") == 0) {
        answer_address(asked, asked->zone->own_address);
    } else if (ours && asked->found.exists) {
        answer_address(asked, asked->found.address);
    } else {
        add_soa(asked, LDNS_SECTION_AUTHORITY);
        return LDNS_RCODE_NXDOMAIN;
    }
    return LDNS_RCODE_NOERROR;
}

static bool is_transfer(ldns_rr_type type)
{
    return type == LDNS_RR_TYPE_AXFR || type == LDNS_RR_TYPE_IXFR;
}

static ldns_pkt_rcode answer(struct asked *asked, enum answer_way way, zone_look_up look_up,
                             void *context)
{
    if (ldns_pkt_edns(asked->query) && ldns_pkt_edns_version(asked->query) > 0) {
        ldns_pkt_set_edns_extended_rcode(asked->reply, BADVERS_HIGH);
        return LDNS_RCODE_NOERROR;
    }
    if (ldns_rr_get_class(asked->question) != LDNS_RR_CLASS_IN || is_transfer(asked->type) ||
        !zone_holds(asked->zone, asked->name))
        return LDNS_RCODE_REFUSED;
    if (way == ANSWER_CUT) {
        ldns_pkt_set_tc(asked->reply, true);
        return LDNS_RCODE_NOERROR;
    }
    return answer_in_zone(asked, look_up, context);
}

/* ---- bytes ---- */

struct header {
    uint8_t opcode;
    uint16_t questions, answers, authorities, additionals;
};

static uint16_t number_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static struct header header_read(const uint8_t *query)
{
    return (struct header){query[2] >> 3 & 15, number_at(query + 4), number_at(query + 6),
                           number_at(query + 8), number_at(query + 10)};
}

/* A header alone: what cannot be read is not repeated. */
static size_t header_answer(const uint8_t *query, ldns_pkt_rcode rcode, uint8_t *out)
{
    memset(out, 0, QUERY_SIZE_MIN);
    out[0] = query[0];
    out[1] = query[1];
    out[2] = (uint8_t)(0x80 | (query[2] & 0x79)); /* an answer; opcode and RD as they were */
    out[3] = (uint8_t)rcode;
    return QUERY_SIZE_MIN;
}

static ldns_pkt *reply_new(const ldns_pkt *query)
{
    ldns_pkt *reply = ldns_pkt_new();
    if (!reply)
        return NULL;
    ldns_pkt_set_id(reply, ldns_pkt_id(query));
    ldns_pkt_set_qr(reply, true);
    ldns_pkt_set_rd(reply, ldns_pkt_rd(query));
    if (ldns_pkt_edns(query)) {
        ldns_pkt_set_edns_udp_size(reply, ANSWER_SIZE_MAX);
        ldns_pkt_set_edns_do(reply, ldns_pkt_edns_do(query));
    }
    return reply;
}

static size_t room(const ldns_pkt *query, enum answer_way way)
{
    size_t told = ldns_pkt_edns(query) ? ldns_pkt_edns_udp_size(query) : 0;
    if (way == ANSWER_TCP || told > ANSWER_SIZE_MAX)
        return ANSWER_SIZE_MAX;
    return told < UDP_SIZE_PLAIN ? UDP_SIZE_PLAIN : told;
}

static size_t print(const ldns_pkt *packet, size_t size_max, uint8_t *out)
{
    uint8_t *wire = NULL;
    size_t size = 0;
    bool fits = ldns_pkt2wire(&wire, packet, &size) == LDNS_STATUS_OK && size <= size_max;
    if (fits)
        memcpy(out, wire, size);
    free(wire);
    return fits ? size : 0;
}

/* What does not fit is asked again over TCP. */
static void cut(ldns_pkt *reply)
{
    ldns_rr_list_deep_free(ldns_pkt_answer(reply));
    ldns_rr_list_deep_free(ldns_pkt_authority(reply));
    ldns_pkt_set_answer(reply, ldns_rr_list_new());
    ldns_pkt_set_authority(reply, ldns_rr_list_new());
    ldns_pkt_set_ancount(reply, 0);
    ldns_pkt_set_nscount(reply, 0);
    ldns_pkt_set_tc(reply, true);
}

static size_t answer_read(const struct zone *zone, ldns_pkt *query, enum answer_way way,
                          zone_look_up look_up, void *context, uint8_t *out)
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    ldns_pkt *reply = question ? reply_new(query) : NULL;
    if (!reply)
        return 0;
    struct asked asked = {.zone = zone,
                          .query = query,
                          .reply = reply,
                          .question = question,
                          .name = ldns_rr_owner(question),
                          .type = ldns_rr_get_type(question)};
    push(&asked, LDNS_SECTION_QUESTION, ldns_rr_clone(question));
    ldns_pkt_set_rcode(reply, (uint8_t)answer(&asked, way, look_up, context));
    size_t size = print(reply, room(query, way), out);
    if (size == 0) {
        cut(reply);
        size = print(reply, room(query, way), out);
    }
    ldns_pkt_free(reply);
    return size;
}

size_t zone_answer(const struct zone *zone, const uint8_t *query, size_t size, enum answer_way way,
                   zone_look_up look_up, void *context, uint8_t out[ANSWER_SIZE_MAX])
{
    if (size < QUERY_SIZE_MIN || query[2] & 0x80)
        return 0;
    struct header header = header_read(query);
    if (header.opcode != LDNS_PACKET_QUERY)
        return header_answer(query, LDNS_RCODE_NOTIMPL, out);
    /* One question and at most EDNS and a signature: a name in 512 bytes holds no chain of pointers that costs. */
    if (size > QUERY_SIZE_MAX || header.questions != 1 || header.answers > 0 ||
        header.authorities > 0 || header.additionals > 2)
        return header_answer(query, LDNS_RCODE_FORMERR, out);
    ldns_pkt *read = NULL;
    if (ldns_wire2pkt(&read, query, size) != LDNS_STATUS_OK)
        return header_answer(query, LDNS_RCODE_FORMERR, out);
    size_t answered = answer_read(zone, read, way, look_up, context, out);
    ldns_pkt_free(read);
    return answered;
}
