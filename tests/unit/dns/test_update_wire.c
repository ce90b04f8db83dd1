/* Updates are messages that a server's parser takes; the whole conversation with a real server is in tests/dns. */
#include "base/limits.h"
#include "dns/dns.h"
#include "dns/update_wire.h"
#include "tests/unit/unit.h"

#include <string.h>

static const struct update_words words = {.names_zone = "berth.example",
                                          .zone = "example",
                                          .ttl_s = 10,
                                          .key_name = "berth-key",
                                          .algorithm = "hmac-sha256",
                                          .secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQ="};
static const struct dns_name_row rows[] = {{"web.westus", "10.1.2.3"}, {"gone.westus", NULL}};

TEST(an_update_deletes_each_name_and_adds_the_address_it_has)
{
    struct err err = {0};
    size_t size;
    AUTO(update_message) *message = update_message_new(&words, rows, 2, &err);
    assert_non_null(message);
    const uint8_t *bytes = update_message_bytes(message, &size);
    assert_int_equal(bytes[2] >> 3 & 15, 5); /* UPDATE */
    assert_memory_equal(bytes + 4, "\x00\x01\x00\x00\x00\x03\x00\x01",
                        8); /* zone 1, records 3, key 1 */
    assert_non_null(memmem(bytes, size, "\x0a\x01\x02\x03", 4));
    assert_non_null(memmem(bytes, size,
                           "\x09"
                           "berth-key",
                           10));
    assert_non_null(memmem(bytes, size, "\x00\xff\x00\xff\x00\x00\x00\x00\x00\x00",
                           10)); /* all of it, deleted */
    assert_null(memmem(bytes, size, words.secret, strlen(words.secret)));
}

TEST(the_most_and_longest_names_fit_in_one_message)
{
    char name[DNS_NAME_SIZE], zone[DNS_ZONE_MAX + 1];
    struct dns_name_row many[LIMIT_DNS_UPDATE_NAMES];
    struct update_words longest = words;
    struct err err = {0};
    size_t size;
    memset(name, 'a', sizeof name - 1);
    memset(zone, 'z', sizeof zone - 1);
    name[63] = name[80] = zone[50] = '.';
    name[sizeof name - 1] = zone[sizeof zone - 1] = '\0';
    longest.names_zone = longest.zone = zone;
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct dns_name_row){name, "2001:db8::1"};
    AUTO(update_message) *message = update_message_new(&longest, many, COUNT_OF(many), &err);
    assert_non_null(message);
    (void)update_message_bytes(message, &size);
    assert_true(size < 65536);
}

TEST(a_key_that_is_no_base64_is_told)
{
    struct update_words bad = words;
    struct err err = {0};
    bad.secret = "!!";
    assert_null(update_message_new(&bad, rows, 2, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.text, "berth-key"));
}

/* Our own message with an answer's bit set is no answer that the key signed. */
TEST(only_the_signed_word_of_the_server_counts)
{
    struct err err = {0};
    size_t size;
    uint8_t reply[2048];
    AUTO(update_message) *message = update_message_new(&words, rows, 2, &err);
    assert_non_null(message);
    const uint8_t *bytes = update_message_bytes(message, &size);
    memcpy(reply, bytes, size);
    assert_false(update_message_done(message, &words, reply, size, &err));
    reply[2] |= 0x80;
    assert_false(update_message_done(message, &words, reply, size, &err));
    assert_non_null(strstr(err.text, "not signed"));
    reply[3] = 5;
    assert_false(update_message_done(message, &words, reply, size, &err));
    assert_non_null(strstr(err.text, "REFUSED"));
    assert_false(update_message_done(message, &words, reply, 11, &err));
    reply[0] ^= 1;
    assert_false(update_message_done(message, &words, reply, size, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_deletes_each_name_and_adds_the_address_it_has),
        cmocka_unit_test(the_most_and_longest_names_fit_in_one_message),
        cmocka_unit_test(a_key_that_is_no_base64_is_told),
        cmocka_unit_test(only_the_signed_word_of_the_server_counts),
    };
    return RUN_TESTS(tests);
}
