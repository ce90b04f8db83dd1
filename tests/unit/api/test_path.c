#include "api/page.h"
#include "api/router.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct arena *arena;

static int begin(void **state UNUSED)
{
    arena = arena_new(1 << 20);
    return arena ? 0 : -1;
}

static int end(void **state UNUSED)
{
    arena_free(arena);
    return 0;
}

static enum err_code split(const char *path, size_t expected)
{
    const char *segments[SEGMENTS_MAX];
    size_t count;
    struct err err = {0};

    if (path_split(path, arena, segments, &count, &err))
        assert_int_equal(count, expected);
    return err.code;
}

TEST(passes_over_empty_segments)
{
    assert_int_equal(split("", 0), ERR_OK);
    assert_int_equal(split("/", 0), ERR_OK);
    assert_int_equal(split("//a///b/", 2), ERR_OK);
}

TEST(decodes_each_segment_by_itself)
{
    const char *segments[SEGMENTS_MAX];
    size_t count;
    struct err err = {0};

    assert_true(path_split("/West%20US/%41b+c", arena, segments, &count, &err));
    assert_string_equal(segments[0], "West US");
    assert_string_equal(segments[1], "Ab+c");
}

TEST(refuses_what_no_name_may_hold)
{
    static const char *const bad[] = {"/a%2Fb", "/a%00b", "/a%0ab",  "/a%",
                                      "/a%4",   "/a%zz",  "/%ff%fe", "/a\177b"};

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(split(bad[i], 0), ERR_BAD_PATH);
    assert_int_equal(split("/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g", 16), ERR_OK);
    assert_int_equal(split("/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h", 0), ERR_NOT_FOUND);
}

TEST(takes_a_query_apart)
{
    struct text_pair pairs[QUERY_MAX];
    size_t count;
    struct err err = {0};

    assert_true(
        query_split("api-version=2023-05-01&&tail=5&flag&a=b%3Dc+d", arena, pairs, &count, &err));
    assert_int_equal(count, 4);
    assert_string_equal(pairs[1].value, "5");
    assert_string_equal(pairs[2].key, "flag");
    assert_string_equal(pairs[2].value, "");
    assert_string_equal(pairs[3].value, "b=c d");
    assert_false(query_split("a=%00", arena, pairs, &count, &err));
    assert_int_equal(err.code, ERR_BAD_QUERY);
}

TEST(refuses_a_query_without_end)
{
    struct text_pair pairs[QUERY_MAX];
    char query[QUERY_MAX * 2 + 3];
    size_t count;
    struct err err = {0};

    for (size_t i = 0; i <= QUERY_MAX; i++)
        memcpy(query + i * 2, "a&", 3);
    assert_false(query_split(query, arena, pairs, &count, &err));
    assert_int_equal(err.code, ERR_BAD_QUERY);
}

TEST(knows_an_api_version_when_it_sees_one)
{
    static const char *const good[] = {"2023-05-01", "2022-10-01-preview", "1999-12-31",
                                       "2025-09-01-alpha.1"};
    static const char *const bad[] = {
        "",           "2023",       "2023-5-1",    "2023-13-01",        "2023-00-10",
        "2023-05-32", "2023-05-00", "2023-05-01-", "2023-05-01preview", "2023-05-01-pre view",
        "abcd-ef-gh"};

    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(api_version_valid(good[i]));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(api_version_valid(bad[i]));
}

TEST(lets_only_plain_hosts_into_links)
{
    assert_true(host_valid("127.0.0.1:8080"));
    assert_true(host_valid("[::1]:80"));
    assert_false(host_valid(""));
    assert_false(host_valid("a/b"));
    assert_false(host_valid("a\"b"));
    assert_false(host_valid("evil.example\r\nX: y"));
}

/* ---- routes ---- */

static const struct route *find(enum http_method method, const char *path, size_t *names_count,
                                unsigned *allowed)
{
    const char *segments[SEGMENTS_MAX], *names[NAMES_MAX];
    size_t count;
    struct err err = {0};

    assert_true(path_split(path, arena, segments, &count, &err));
    return route_find(method, segments, count, names, names_count, allowed);
}

TEST(each_route_is_found_by_its_own_path)
{
    for (size_t i = 0; i < routes_count; i++) {
        size_t names_count;
        unsigned allowed;
        enum http_method lowest = (enum http_method)(routes[i].methods & (~routes[i].methods + 1));
        assert_ptr_equal(find(lowest, routes[i].path, &names_count, &allowed), &routes[i]);
    }
}

TEST(routes_match_without_case)
{
    size_t names_count;
    unsigned allowed;
    const struct route *route = find(HTTP_GET,
                                     "/SUBSCRIPTIONS/s/resourcegroups/RG/Providers/"
                                     "microsoft.containerinstance//CONTAINERGROUPS/x",
                                     &names_count, &allowed);

    assert_non_null(route);
    assert_string_equal(route->operation, "ContainerGroups_Get");
    assert_int_equal(names_count, 3);
}

TEST(says_which_methods_a_path_has)
{
    size_t names_count;
    unsigned allowed;

    assert_null(find(HTTP_POST, "/subscriptions/s/resourceGroups/rg", &names_count, &allowed));
    assert_int_equal(allowed, HTTP_PUT | HTTP_PATCH | HTTP_GET | HTTP_HEAD | HTTP_DELETE);
    assert_null(find(HTTP_GET, "/nothing/here", &names_count, &allowed));
    assert_int_equal(allowed, 0);
}

TEST(every_operation_has_a_name_of_its_own)
{
    for (size_t i = 0; i < routes_count; i++) {
        for (size_t j = i + 1; j < routes_count; j++)
            assert_string_not_equal(routes[i].operation, routes[j].operation);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_over_empty_segments),
        cmocka_unit_test(decodes_each_segment_by_itself),
        cmocka_unit_test(refuses_what_no_name_may_hold),
        cmocka_unit_test(takes_a_query_apart),
        cmocka_unit_test(refuses_a_query_without_end),
        cmocka_unit_test(knows_an_api_version_when_it_sees_one),
        cmocka_unit_test(lets_only_plain_hosts_into_links),
        cmocka_unit_test(each_route_is_found_by_its_own_path),
        cmocka_unit_test(routes_match_without_case),
        cmocka_unit_test(says_which_methods_a_path_has),
        cmocka_unit_test(every_operation_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
