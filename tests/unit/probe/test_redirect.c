#include "tests/unit/unit.h"

#include "node-agent/probe/redirect.h"

TEST(a_location_leads_from_where_it_stood)
{
    static const struct {
        const char *from, *location, *to;
    } cases[] = {
        {"http://1.2.3.4:80/a/b?c", "/d", "http://1.2.3.4:80/d"},
        {"http://1.2.3.4:80/a/b?c/d", "e?f#g", "http://1.2.3.4:80/a/e?f"},
        {"http://1.2.3.4:80", "e", "http://1.2.3.4:80/e"},
        {"http://1.2.3.4:80?q", "e", "http://1.2.3.4:80/e"},
        {"http://1.2.3.4/a/b?c", "?d", "http://1.2.3.4/a/b?d"},
        {"https://1.2.3.4/a", "//5.6.7.8/b", "https://5.6.7.8/b"},
        {"https://1.2.3.4/a", "http://5.6.7.8:9/b#c", "http://5.6.7.8:9/b"},
        {"https://1.2.3.4/a", "/b?to=http://x", "https://1.2.3.4/b?to=http://x"},
        {"https://1.2.3.4/a/", "b?to=http://x", "https://1.2.3.4/a/b?to=http://x"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(text) *out = text_new(1000);
        assert_true(redirect_add(out, cases[i].from, cases[i].location));
        assert_string_equal(out->bytes, cases[i].to);
    }
}

TEST(hosts_are_compared_whatever_their_ports)
{
    assert_true(redirect_same_host("http://1.2.3.4/", "https://1.2.3.4:8443/x"));
    assert_false(redirect_same_host("http://1.2.3.4/", "http://1.2.3.5/"));
    assert_false(redirect_same_host("http://1.2.3.4/", "http://1.2.3.4@evil/"));
    assert_false(redirect_same_host("http://1.2.3.4/", "ftp://1.2.3.4/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_location_leads_from_where_it_stood),
        cmocka_unit_test(hosts_are_compared_whatever_their_ports),
    };

    return RUN_TESTS(tests);
}
