/* Queries made by hand, byte by byte; answers read by hand too, so that two faults of one library do not cancel out. */
#include "dns/answer.h"
#include "tests/unit/unit.h"

#include <string.h>

enum { A = 1, NS = 2, SOA = 6, TXT = 16, AAAA = 28, AXFR = 252, ANY = 255 };
enum { NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED };

struct exchange {
    uint8_t query[600], answer[ANSWER_SIZE_MAX];
    size_t query_size, answer_size;
};

/* What the store would know. */
static bool look_up(void *context, const char *name, struct looked_up *found)
{
    *found = (struct looked_up){.serial = 77};
    if (context)
        return false;
    if (strcmp(name, "web.westus") == 0)
        *found = (struct looked_up){true, "10.1.2.3", 77};
    if (strcmp(name, "six.westus") == 0)
        *found = (struct looked_up){true, "2001:db8::7", 77};
    if (strcmp(name, "stopped.westus") == 0 || strcmp(name, "westus") == 0)
        *found = (struct looked_up){true, "", 77};
    return true;
}

static void put(struct exchange *exchange, const void *bytes, size_t size)
{
    memcpy(exchange->query + exchange->query_size, bytes, size);
    exchange->query_size += size;
}

static void put_name(struct exchange *exchange, const char *name)
{
    while (*name) {
        size_t size = strcspn(name, ".");
        uint8_t byte = (uint8_t)size;
        put(exchange, &byte, 1);
        put(exchange, name, size);
        name += size + (name[size] == '.');
    }
    put(exchange, "", 1);
}

static struct exchange query_of(const char *name, int type, int rr_class)
{
    struct exchange exchange = {0};
    const uint8_t tail[] = {(uint8_t)(type >> 8), (uint8_t)type, 0, (uint8_t)rr_class};
    put(&exchange, "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
    put_name(&exchange, name);
    put(&exchange, tail, sizeof tail);
    return exchange;
}

static void put_edns(struct exchange *exchange, int size, int version)
{
    const uint8_t opt[] = {0, 0, 41, (uint8_t)(size >> 8), (uint8_t)size, 0, (uint8_t)version, 0,
                           0, 0, 0};
    put(exchange, opt, sizeof opt);
    exchange->query[11] = 1;
}

static void send_to(struct exchange *exchange, enum answer_way way, void *context)
{
    AUTO(zone) *zone = zone_new("berth.internal", NULL, "192.0.2.53", 10);
    assert_non_null(zone);
    exchange->answer_size = zone_answer(zone, exchange->query, exchange->query_size, way, look_up,
                                        context, exchange->answer);
}

static struct exchange ask(const char *name, int type)
{
    struct exchange exchange = query_of(name, type, 1);
    send_to(&exchange, ANSWER_UDP, NULL);
    return exchange;
}

static int number(const struct exchange *exchange, size_t at)
{
    return exchange->answer[at] << 8 | exchange->answer[at + 1];
}

static int rcode(const struct exchange *exchange)
{
    assert_true(exchange->answer_size >= 12);
    assert_int_equal(number(exchange, 0), 0x1234);
    assert_true(exchange->answer[2] & 0x80);
    return exchange->answer[3] & 15;
}

static bool holds(const struct exchange *exchange, const void *bytes, size_t size)
{
    return memmem(exchange->answer, exchange->answer_size, bytes, size) != NULL;
}

/* Of these codes, with so many records in answer and authority. */
static void assert_counts(const struct exchange *exchange, int code, int answers, int authorities)
{
    assert_int_equal(rcode(exchange), code);
    assert_int_equal(number(exchange, 6), answers);
    assert_int_equal(number(exchange, 8), authorities);
}

TEST(a_name_has_its_address_for_a_short_time)
{
    struct exchange seen = ask("web.westus.berth.internal", A);
    assert_counts(&seen, NOERROR, 1, 0);
    assert_true(seen.answer[2] & 4);            /* authoritative */
    assert_true(seen.answer[2] & 1);            /* RD as it was asked */
    assert_int_equal(seen.answer[3] & 0x80, 0); /* no recursion here */
    assert_true(holds(&seen, "\x00\x01\x00\x01\x00\x00\x00\x0a\x00\x04\x0a\x01\x02\x03", 14));
}

TEST(what_it_has_not_is_told_with_the_soa)
{
    struct exchange stopped = ask("stopped.westus.berth.internal", A);
    struct exchange six = ask("web.westus.berth.internal", AAAA);
    struct exchange text = ask("web.westus.berth.internal", TXT);
    struct exchange between = ask("westus.berth.internal", A);
    assert_counts(&stopped, NOERROR, 0, 1);
    assert_counts(&six, NOERROR, 0, 1);
    assert_counts(&text, NOERROR, 0, 1);
    assert_counts(&between, NOERROR, 0, 1);
    assert_true(holds(&stopped, "\x00\x00\x00\x4d", 4)); /* the serial */
}

TEST(an_address_of_version_six_answers_aaaa)
{
    struct exchange seen = ask("six.westus.berth.internal", AAAA);
    struct exchange four = ask("six.westus.berth.internal", A);
    assert_counts(&seen, NOERROR, 1, 0);
    assert_true(holds(&seen, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07", 16));
    assert_counts(&four, NOERROR, 0, 1);
}

TEST(a_name_that_nobody_has_is_not_there)
{
    static const char *const names[] = {"nobody.westus.berth.internal", "a.b.c.d.berth.internal",
                                        "web_1.westus.berth.internal", "*.westus.berth.internal",
                                        "we\xffz.westus.berth.internal"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct exchange seen = ask(names[i], A);
        assert_counts(&seen, NXDOMAIN, 0, 1);
    }
}

TEST(the_top_has_a_soa_and_a_name_server)
{
    struct exchange soa = ask("berth.internal", SOA), ns = ask("berth.internal", NS);
    struct exchange a = ask("berth.internal", A), server = ask("ns.berth.internal", A);
    assert_counts(&soa, NOERROR, 1, 0);
    assert_true(holds(&soa, "hostmaster", 10));
    assert_counts(&ns, NOERROR, 1, 0);
    assert_true(holds(&ns, "\x02ns", 3));
    assert_counts(&a, NOERROR, 0, 1);
    assert_counts(&server, NOERROR, 1, 0);
    assert_true(holds(&server, "\xc0\x00\x02\x35", 4));
}

TEST(any_gets_one_record)
{
    struct exchange name = ask("web.westus.berth.internal", ANY), top = ask("berth.internal", ANY);
    assert_counts(&name, NOERROR, 1, 0);
    assert_counts(&top, NOERROR, 1, 0);
}

TEST(other_zones_transfers_and_classes_are_refused)
{
    static const char *const names[] = {"example.com", "internal", "xberth.internal", "",
                                        "web.westus.berth.internal.example"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct exchange seen = ask(names[i], A);
        assert_counts(&seen, REFUSED, 0, 0);
    }
    struct exchange transfer = ask("berth.internal", AXFR);
    struct exchange chaos = query_of("berth.internal", A, 3);
    send_to(&chaos, ANSWER_UDP, NULL);
    assert_counts(&transfer, REFUSED, 0, 0);
    assert_counts(&chaos, REFUSED, 0, 0);
}

TEST(the_case_of_the_question_comes_back)
{
    struct exchange seen = ask("wEb.WESTus.bErTh.internal", A);
    assert_counts(&seen, NOERROR, 1, 0);
    assert_true(holds(&seen,
                      "\x03wEb\x06WESTus\x05"
                      "bErTh\x08internal",
                      26));
}

TEST(edns_is_answered_and_other_versions_of_it_are_not)
{
    struct exchange seen = query_of("web.westus.berth.internal", A, 1);
    struct exchange plain = ask("web.westus.berth.internal", A);
    struct exchange newer = query_of("web.westus.berth.internal", A, 1);
    put_edns(&seen, 4096, 0);
    put_edns(&newer, 4096, 1);
    send_to(&seen, ANSWER_UDP, NULL);
    send_to(&newer, ANSWER_UDP, NULL);
    assert_counts(&seen, NOERROR, 1, 0);
    assert_int_equal(number(&seen, 10), 1);
    assert_true(holds(&seen, "\x00\x00\x29\x04\xd0\x00\x00", 7));
    assert_int_equal(number(&plain, 10), 0);
    assert_counts(&newer, NOERROR, 0, 0);
    assert_true(holds(&newer, "\x00\x00\x29\x04\xd0\x01\x00", 7)); /* BADVERS */
}

TEST(who_asks_too_often_is_sent_to_tcp)
{
    struct exchange seen = query_of("web.westus.berth.internal", A, 1);
    send_to(&seen, ANSWER_CUT, NULL);
    assert_counts(&seen, NOERROR, 0, 0);
    assert_true(seen.answer[2] & 2);
}

TEST(without_the_store_it_says_so)
{
    struct exchange seen = query_of("web.westus.berth.internal", A, 1);
    send_to(&seen, ANSWER_UDP, &seen);
    assert_counts(&seen, SERVFAIL, 0, 0);
}

TEST(what_is_no_query_gets_a_header_or_nothing)
{
    struct exchange reply = query_of("web.westus.berth.internal", A, 1), update = reply,
                    two = reply, cut = reply, shortest = reply, loop = reply;
    reply.query[2] |= 0x80;
    update.query[2] = 5 << 3;
    two.query[5] = 2;
    cut.query_size -= 5;
    shortest.query_size = 11;
    loop.query[12] = 0xc0;
    loop.query[13] = 12;
    send_to(&reply, ANSWER_UDP, NULL);
    send_to(&update, ANSWER_UDP, NULL);
    send_to(&two, ANSWER_UDP, NULL);
    send_to(&cut, ANSWER_UDP, NULL);
    send_to(&shortest, ANSWER_UDP, NULL);
    send_to(&loop, ANSWER_UDP, NULL);
    assert_int_equal(reply.answer_size, 0);
    assert_counts(&update, NOTIMP, 0, 0);
    assert_int_equal(update.answer[2] >> 3 & 15, 5);
    assert_counts(&two, FORMERR, 0, 0);
    assert_counts(&cut, FORMERR, 0, 0);
    assert_int_equal(shortest.answer_size, 0);
    assert_counts(&loop, FORMERR, 0, 0);
}

TEST(what_does_not_fit_is_cut_and_told_so)
{
    char long_server[101];
    memset(long_server, 'a', sizeof long_server);
    for (size_t i = 50; i < sizeof long_server; i += 51)
        long_server[i] = '.';
    long_server[100] = '\0';
    char name[240];
    memset(name, 'b', sizeof name);
    for (size_t i = 60; i < 224; i += 61)
        name[i] = '.';
    memcpy(name + 224, ".berth.internal", 16);
    AUTO(zone) *zone = zone_new("berth.internal", long_server, NULL, 10);
    struct exchange seen = query_of(name, A, 1);
    seen.answer_size =
        zone_answer(zone, seen.query, seen.query_size, ANSWER_UDP, look_up, NULL, seen.answer);
    assert_counts(&seen, NXDOMAIN, 0, 1);
    assert_true(seen.answer_size <= 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_its_address_for_a_short_time),
        cmocka_unit_test(what_it_has_not_is_told_with_the_soa),
        cmocka_unit_test(an_address_of_version_six_answers_aaaa),
        cmocka_unit_test(a_name_that_nobody_has_is_not_there),
        cmocka_unit_test(the_top_has_a_soa_and_a_name_server),
        cmocka_unit_test(any_gets_one_record),
        cmocka_unit_test(other_zones_transfers_and_classes_are_refused),
        cmocka_unit_test(the_case_of_the_question_comes_back),
        cmocka_unit_test(edns_is_answered_and_other_versions_of_it_are_not),
        cmocka_unit_test(who_asks_too_often_is_sent_to_tcp),
        cmocka_unit_test(without_the_store_it_says_so),
        cmocka_unit_test(what_is_no_query_gets_a_header_or_nothing),
        cmocka_unit_test(what_does_not_fit_is_cut_and_told_so),
    };
    return RUN_TESTS(tests);
}
