/* The words of a dynamic update (RFC 2136), signed (RFC 8945).
 * Not for: sending them (update.c).   Threads: one at a time. */
#ifndef DNS_UPDATE_WIRE_H
#define DNS_UPDATE_WIRE_H

#include "base/err.h"
#include "store/store.h"

struct update_words {
    const char *names_zone; /* behind each name */
    const char *zone;       /* of the server, the same or above */
    uint32_t ttl_s;
    const char *key_name, *algorithm, *secret; /* secret: base64 */
};

struct update_message;
/* Each name loses what it has there and gets its address, if it has one: the order of `rows`. */
struct update_message *update_message_new(const struct update_words *words,
                                          const struct dns_name_row *rows, size_t count,
                                          struct err *err) MUST_CHECK;
void update_message_free(struct update_message *message);
AUTO_TYPE(update_message);
const uint8_t *update_message_bytes(const struct update_message *message, size_t *size);

/* Whether that is the server's signed word that all of it was done. ERR_IO says what it said instead. */
bool update_message_done(const struct update_message *message, const struct update_words *words,
                         const uint8_t *reply, size_t size, struct err *err) MUST_CHECK;

#endif
