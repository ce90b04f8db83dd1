#include "dns/update_wire.h"

#include "base/text.h"
#include "dns/dns.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>

enum { FUDGE_S = 300, NAME_SIZE = 256, MAC_AT = 3 };

const char *const dns_algorithms[] = {"hmac-sha256", "hmac-sha512", NULL};

struct update_message {
    uint16_t id;
    ldns_rdf *mac; /* the answer's signature covers it */
    uint8_t *bytes;
    size_t size;
};

static bool no_memory(struct err *err)
{
    return err_set(err, ERR_BUSY, "out of memory for a DNS update");
}

/* ---- records ---- */

static ldns_rdf *owner_of(const struct update_words *words, const char *name)
{
    char text[NAME_SIZE];
    return text_format(text, sizeof text, "%s.%s", name, words->names_zone)
               ? ldns_rdf_new_frm_str(LDNS_RDF_TYPE_DNAME, text)
               : NULL;
}

static ldns_rr *record_new(const struct update_words *words, const char *name, ldns_rr_type type,
                           ldns_rr_class rr_class, uint32_t ttl_s)
{
    ldns_rr *record = ldns_rr_new();
    ldns_rdf *owner = record ? owner_of(words, name) : NULL;
    if (!owner) {
        ldns_rr_free(record);
        return NULL;
    }
    ldns_rr_set_owner(record, owner);
    ldns_rr_set_type(record, type);
    ldns_rr_set_class(record, rr_class);
    ldns_rr_set_ttl(record, ttl_s);
    return record;
}

static bool add(ldns_rr_list *list, ldns_rr *record)
{
    if (record && ldns_rr_list_push_rr(list, record))
        return true;
    ldns_rr_free(record);
    return false;
}

static bool add_address(const struct update_words *words, const struct dns_name_row *row,
                        ldns_rr_list *list)
{
    uint8_t bytes[16];
    bool four = inet_pton(AF_INET, row->address, bytes) == 1;
    if (!four && inet_pton(AF_INET6, row->address, bytes) != 1)
        return true; /* what is no address is not shown */
    ldns_rr *record = record_new(words, row->name, four ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA,
                                 LDNS_RR_CLASS_IN, words->ttl_s);
    if (record)
        ldns_rr_push_rdf(record, ldns_rdf_new_frm_data(four ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA,
                                                       four ? 4 : 16, bytes));
    return add(list, record);
}

/* §2.5.3 there: class and type ANY, no data: all that the name has is deleted. */
static bool add_name(const struct update_words *words, const struct dns_name_row *row,
                     ldns_rr_list *list)
{
    return add(list, record_new(words, row->name, LDNS_RR_TYPE_ANY, LDNS_RR_CLASS_ANY, 0)) &&
           (!row->address || add_address(words, row, list));
}

static ldns_pkt *packet_new(const struct update_words *words, const struct dns_name_row *rows,
                            size_t count)
{
    ldns_rr_list *list = ldns_rr_list_new();
    ldns_rdf *zone = ldns_rdf_new_frm_str(LDNS_RDF_TYPE_DNAME, words->zone);
    bool good = list && zone;
    for (size_t i = 0; good && i < count; i++)
        good = add_name(words, &rows[i], list);
    ldns_pkt *packet = good ? ldns_update_pkt_new(zone, LDNS_RR_CLASS_IN, NULL, list, NULL) : NULL;
    if (!packet)
        ldns_rdf_deep_free(zone);
    ldns_rr_list_deep_free(list);
    return packet;
}

/* ---- messages ---- */

/* The library leaks when it is given what is none. */
static bool is_base64(const char *text)
{
    ldns_rdf *read = ldns_rdf_new_frm_str(LDNS_RDF_TYPE_B64, text);
    bool good = read && ldns_rdf_size(read) > 0;
    ldns_rdf_deep_free(read);
    return good;
}

static bool sign(const struct update_words *words, ldns_pkt *packet, struct err *err)
{
    char algorithm[64];
    if (!is_base64(words->secret))
        return err_set(err, ERR_INVALID, "the key '%.60s' for DNS updates is not base64",
                       words->key_name);
    text_format(algorithm, sizeof algorithm, "%s.", words->algorithm);
    ldns_status status =
        ldns_pkt_tsig_sign(packet, words->key_name, words->secret, FUDGE_S, algorithm, NULL);
    return status == LDNS_STATUS_OK ||
           err_set(err, ERR_INVALID, "a DNS update cannot be signed with the key '%.60s': %s",
                   words->key_name, ldns_get_errorstr_by_id(status));
}

struct update_message *update_message_new(const struct update_words *words,
                                          const struct dns_name_row *rows, size_t count,
                                          struct err *err)
{
    AUTO(update_message) *message = calloc(1, sizeof *message);
    ldns_pkt *packet = message ? packet_new(words, rows, count) : NULL;
    if (!packet) {
        no_memory(err);
        return NULL;
    }
    ldns_pkt_set_random_id(packet);
    bool good = sign(words, packet, err);
    if (good) {
        message->id = ldns_pkt_id(packet);
        message->mac = ldns_rdf_clone(ldns_rr_rdf(ldns_pkt_tsig(packet), MAC_AT));
        good = (message->mac &&
                ldns_pkt2wire(&message->bytes, packet, &message->size) == LDNS_STATUS_OK) ||
               no_memory(err);
    }
    ldns_pkt_free(packet);
    return good ? TAKE(message) : NULL;
}

void update_message_free(struct update_message *message)
{
    if (!message)
        return;
    ldns_rdf_deep_free(message->mac);
    free(message->bytes);
    free(message);
}

const uint8_t *update_message_bytes(const struct update_message *message, size_t *size)
{
    *size = message->size;
    return message->bytes;
}

/* ---- what the server says ---- */

static bool reply_good(const struct update_message *message, const struct update_words *words,
                       ldns_pkt *reply, const uint8_t *bytes, size_t size, struct err *err)
{
    if (ldns_pkt_id(reply) != message->id || !ldns_pkt_qr(reply))
        return err_set(err, ERR_IO, "the DNS server answered something else");
    ldns_pkt_rcode rcode = ldns_pkt_get_rcode(reply);
    if (rcode != LDNS_RCODE_NOERROR) {
        AUTO_FREE char *word = ldns_pkt_rcode2str(rcode);
        return err_set(err, ERR_IO, "the DNS server refused the update: %.40s", word ? word : "?");
    }
    return ldns_pkt_tsig_verify(reply, bytes, size, words->key_name, words->secret, message->mac) ||
           err_set(err, ERR_IO, "the DNS server's answer is not signed with the key '%.60s'",
                   words->key_name);
}

bool update_message_done(const struct update_message *message, const struct update_words *words,
                         const uint8_t *reply, size_t size, struct err *err)
{
    ldns_pkt *packet = NULL;
    if (ldns_wire2pkt(&packet, reply, size) != LDNS_STATUS_OK)
        return err_set(err, ERR_IO, "the DNS server's answer cannot be read");
    bool good = reply_good(message, words, packet, reply, size, err);
    ldns_pkt_free(packet);
    return good;
}
