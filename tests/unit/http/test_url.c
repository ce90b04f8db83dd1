#include "tests/unit/unit.h"

#include "node-agent/http/http.h"

TEST(a_url_is_taken_apart)
{
    static const struct {
        const char *text;
        bool tls;
        const char *host, *port, *authority, *path;
    } cases[] = {
        {"http://a", false, "a", "80", "a", ""},
        {"https://a.b/c?d", true, "a.b", "443", "a.b", "/c?d"},
        {"HTTPS://a:8443?d", true, "a", "8443", "a:8443", "?d"},
        {"https://a:443/", true, "a", "443", "a", "/"},
        {"http://a:443/", false, "a", "443", "a:443", "/"},
        {"https://[::1]:87/x", true, "::1", "87", "[::1]:87", "/x"},
        {"http://a/b c", false, "a", "80", "a", "/b c"},
    };
    struct http_url url;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(http_url_parse(cases[i].text, &url));
        assert_int_equal(url.tls, cases[i].tls);
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.port, cases[i].port);
        assert_string_equal(url.authority, cases[i].authority);
        assert_string_equal(url.path, cases[i].path);
    }
}

TEST(what_is_no_url_is_refused)
{
    static const char *const cases[] = {
        "",
        "a",
        "ftp://a",
        "http://",
        "http:///x",
        "http://a:0/",
        "http://a:65536",
        "http://a:1x",
        "http://a:/",
        "http://u@a/",
        "http://[::1/x",
        "http://a b/",
        "http://[::1]x",
    };
    struct http_url url;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_false(http_url_parse(cases[i], &url));
}

TEST(a_path_cannot_end_the_line_it_stands_in)
{
    AUTO(text) *head = text_new(1000);

    http_add_request(head, "GET", "/a b\r\nX: y\x7f\xff?q=%20#part");
    assert_string_equal(head->bytes, "GET /a%20b%0D%0AX:%20y%7F%FF?q=%20 HTTP/1.1\r\n");
    text_clear(head);
    http_add_request(head, "GET", "?q");
    assert_string_equal(head->bytes, "GET /?q HTTP/1.1\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_taken_apart),
        cmocka_unit_test(what_is_no_url_is_refused),
        cmocka_unit_test(a_path_cannot_end_the_line_it_stands_in),
    };

    return RUN_TESTS(tests);
}
