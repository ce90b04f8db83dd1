#include "dns/address.h"
#include "tests/unit/unit.h"

static union address read_good(const char *word)
{
    union address address;
    assert_true(address_parse(word, &address));
    return address;
}

TEST(reads_an_address_and_its_port)
{
    union address four = read_good("127.0.0.1:5353"), six = read_good("[::1]:53");
    assert_int_equal(four.any.sa_family, AF_INET);
    assert_int_equal(address_port(&four), 5353);
    assert_int_equal(six.any.sa_family, AF_INET6);
    assert_int_equal(address_port(&six), 53);
}

TEST(refuses_what_is_neither)
{
    static const char *const words[] = {
        "",      "127.0.0.1", ":53",        "127.0.0.1:",    "::1:53",     "[::1]",       "[::1]53",
        "[]:53", "host:53",   "1.2.3.4:-1", "1.2.3.4:65536", "1.2.3.4:5x", "[1.2.3.4]:53"};
    union address address;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (address_parse(words[i], &address))
            fail_msg("%s", words[i]);
}

TEST(neighbours_are_one_network)
{
    union address one = read_good("10.1.2.3:1"), near = read_good("10.1.2.250:9"),
                  far = read_good("10.1.3.3:1");
    union address six = read_good("[2001:db8:0:1200::1]:1"),
                  near_six = read_good("[2001:db8:0:12ff::9]:1"),
                  far_six = read_good("[2001:db8:0:1300::1]:1");
    assert_int_equal(address_network(&one), address_network(&near));
    assert_int_not_equal(address_network(&one), address_network(&far));
    assert_int_equal(address_network(&six), address_network(&near_six));
    assert_int_not_equal(address_network(&six), address_network(&far_six));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_address_and_its_port),
        cmocka_unit_test(refuses_what_is_neither),
        cmocka_unit_test(neighbours_are_one_network),
    };
    return RUN_TESTS(tests);
}
