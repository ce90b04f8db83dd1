/* What the stories of tests/api cannot show: long lists in short pages, and answers behind TLS. */
#include "base/limits.h"
#include "base/text.h"
#include "tests/unit/api/serve.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS = LIMIT_PAGE_LOOKED_AT_MAX + 100 };

static bool make_groups(struct tx *tx, void *data UNUSED, struct err *err)
{
    char name[16];

    for (int i = 0; i < GROUPS; i++) {
        text_format(name, sizeof name, "g%d", i);
        struct group_row row = {.subscription = SERVE_SUBSCRIPTION,
                                .resource_group = "rg",
                                .name = name,
                                .location = "westus",
                                .spec = "\"properties\":{},\"location\":\"westus\",\"tags\":{}",
                                .os = OS_LINUX,
                                .shape = {1000, 1024}};
        if (!store_group_create(tx, &row, "{}", err))
            return false;
    }
    return true;
}

/* The path behind the host of its nextLink; "" when there is none. */
static void next_of(const struct answer_text *answer, char *out, size_t size)
{
    const char *link = strstr(answer->body, "\"nextLink\":\"http://berth.test");

    out[0] = '\0';
    if (link)
        text_format(out, size, "%.*s", (int)strcspn(link + 29, "\""), link + 29);
}

TEST(a_page_of_a_filtered_list_ends_when_many_rows_were_looked_at)
{
    AUTO(served) *served = served_new();
    struct err err = {0};
    char path[512] = "/subscriptions/" SERVE_SUBSCRIPTION
                     "/resources?api-version=2021-04-01&$filter=substringof('g1099',name)";
    int pages = 0;
    bool found = false;

    assert_true(store_write(served->store, make_groups, NULL, &err));
    while (path[0]) {
        struct answer_text answer = call(served, "GET", path, NULL);
        assert_int_equal(answer.status, 200);
        found = strstr(answer.body, "\"name\":\"g1099\"") != NULL;
        assert_true(found || strstr(answer.body, "{\"value\":[],\"nextLink\":"));
        next_of(&answer, path, sizeof path);
        answer_free(&answer);
        pages++;
    }
    assert_true(found);
    assert_int_equal(pages, 2);
}

TEST(who_reads_links_of_https_is_told_to_stay_with_it)
{
    AUTO(served) *served = served_new();
    struct err err = {0};
    char value[64];

    served->options.base_url = "https://berth.example";
    served->options.tenant_id = "77777777-0000-0000-0000-000000000000";
    assert_true(api_reload(served->api, &served->options, &err));
    struct answer_text answer = call(served, "GET", "/tenants?api-version=2022-12-01", NULL);
    assert_non_null(answer_header(&answer, "Strict-Transport-Security", value, sizeof value));
    assert_string_equal(value, "max-age=31536000; includeSubDomains");
    assert_non_null(strstr(answer.body, "/tenants/77777777-0000-0000-0000-000000000000"));
    answer_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_a_filtered_list_ends_when_many_rows_were_looked_at),
        cmocka_unit_test(who_reads_links_of_https_is_told_to_stay_with_it),
    };
    return RUN_TESTS(tests);
}
