#include "api/filter.h"
#include "base/text.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct arena *arena;
static struct filter filter;

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

static void read_it(const char *text)
{
    struct err err = {0};
    if (!filter_parse(text, FILTER_ALL, arena, &filter, &err))
        fail_msg("%s: %s", text, err.text);
}

static void refused(const char *text, unsigned allowed, const char *why)
{
    struct filter untouched = {.count = 7};
    struct err err = {0};
    assert_false(filter_parse(text, allowed, arena, &untouched, &err));
    assert_int_equal(err.code, ERR_FILTER);
    if (!strstr(err.text, why))
        fail_msg("%s: %s", text, err.text);
    assert_int_equal(untouched.count, 7);
}

static bool fits(const char *text, const char *name, const char *group, struct text_map tags)
{
    const struct filter_facts facts = {.name = name,
                                       .resource_group = group,
                                       .resource_type = "Microsoft.X/things",
                                       .location = "westus",
                                       .tags = &tags};
    read_it(text);
    return filter_fits(&filter, &facts);
}

static bool plain(const char *text)
{
    static struct text_pair tags[] = {{"Env", "prod"}, {"Team", ""}};
    return fits(text, "Web", "my-RG", (struct text_map){true, tags, COUNT_OF(tags)});
}

TEST(nothing_lets_everything_through)
{
    assert_true(plain(""));
    assert_true(plain("  "));
    assert_int_equal(filter.count, 0);
}

TEST(words_match_without_case_and_values_of_tags_with_it)
{
    assert_true(plain("name eq 'WEB'"));
    assert_true(plain("NAME EQ 'web' AND ResourceGroup Eq 'MY-rg'"));
    assert_true(plain("tagname eq 'ENV' and tagvalue eq 'prod'"));
    assert_false(plain("tagname eq 'env' and tagvalue eq 'Prod'"));
    assert_true(plain("location eq 'West US'"));
    assert_true(plain("resourceType eq 'microsoft.x/Things'"));
}

TEST(and_binds_closer_than_or)
{
    assert_true(plain("name eq 'web' or name eq 'x' and name eq 'y'"));
    assert_true(plain("name eq 'x' and name eq 'y' or name eq 'web'"));
    assert_false(plain("name eq 'x' or name eq 'web' and name eq 'y'"));
    assert_false(plain("name eq 'x' or name eq 'y'"));
}

TEST(unequal_parts_and_beginnings)
{
    assert_false(plain("name ne 'web'"));
    assert_true(plain("name ne 'api'"));
    assert_true(plain("substringof('E',name)"));
    assert_true(plain("substringof( '' , name )"));
    assert_true(plain("substringof('-r', resourceGroup) and substringof('WEB', name)"));
    assert_false(plain("substringof('webb', name)"));
    assert_true(plain("startswith(tagName, 'te')"));
    assert_false(plain("startswith(tagName, 'teams')"));
}

TEST(a_tag_s_value_belongs_to_the_name_beside_it)
{
    assert_true(plain("tagValue eq 'prod' and tagName eq 'env'"));
    assert_false(plain("tagName eq 'team' and tagValue eq 'prod'"));
    assert_true(plain("tagName eq 'team' and tagValue eq ''"));
    assert_true(plain("tagName eq 'none' or tagName eq 'env' and tagValue eq 'prod'"));
    refused("tagValue eq 'prod'", FILTER_ALL, "tagValue needs");
    refused("tagName eq 'env' or tagValue eq 'prod'", FILTER_ALL, "tagValue needs");
    refused("tagName eq 'a' and tagName eq 'b' and tagValue eq 'c'", FILTER_ALL, "several tags");
    refused("tagName eq 'a' and tagValue eq 'b' and tagValue eq 'c'", FILTER_ALL, "several tags");
}

TEST(a_doubled_quote_is_one)
{
    read_it("name eq 'it''s'");
    assert_string_equal(filter.terms[0].text, "it's");
    read_it("name eq ''''");
    assert_string_equal(filter.terms[0].text, "'");
    read_it("name eq ''");
    assert_string_equal(filter.terms[0].text, "");
}

TEST(says_what_it_does_not_understand)
{
    refused("colour eq 'red'", FILTER_ALL, "no filter here is colour");
    refused("identity/principalId eq 'x'", FILTER_ALL, "identity/principalId");
    refused("name", FILTER_ALL, "misses a comparison");
    refused("name gt 'a'", FILTER_ALL, "no comparison is gt");
    refused("name eq", FILTER_ALL, "misses '''");
    refused("name eq a", FILTER_ALL, "misses '''");
    refused("name eq 'a", FILTER_ALL, "has no end");
    refused("name eq 'a''", FILTER_ALL, "has no end");
    refused("name eq 'a' or", FILTER_ALL, "expected before its end");
    refused("name eq 'a' name eq 'b'", FILTER_ALL, "before name");
    refused("(name eq 'a')", FILTER_ALL, "a property is expected before (name");
    refused("name eq 'a')", FILTER_ALL, "before )");
    refused("$filter=name eq 'a'", FILTER_ALL, "a property is expected before $filter");
    refused("substringof('a' name)", FILTER_ALL, "misses ','");
    refused("substringof('a', location)", FILTER_ALL, "not known for location");
    refused("startswith(name, 'a')", FILTER_ALL, "not known for name");
    refused("tagName ne 'a'", FILTER_ALL, "not known for tagName");
    refused("name eq 'a'", FILTER_TAGS, "no filter here is name");
}

TEST(has_an_end_to_its_terms)
{
    AUTO(text) *many = text_new(4096);
    for (int i = 0; i < LIMIT_FILTER_TERMS_MAX; i++)
        text_addf(many, "%sname eq 'a'", i > 0 ? " or " : "");
    read_it(many->bytes);
    assert_int_equal(filter.count, LIMIT_FILTER_TERMS_MAX);
    text_add(many, " or name eq 'b'");
    refused(many->bytes, FILTER_ALL, "too many terms");
}

TEST(only_what_every_answer_must_pass_narrows_it)
{
    read_it("name eq 'a' and substringof('b', name) and tagName eq 'c'");
    assert_string_equal(filter_must(&filter, FILTER_NAME)->text, "a");
    assert_string_equal(filter_must(&filter, FILTER_TAG_NAME)->text, "c");
    assert_null(filter_must(&filter, FILTER_RESOURCE_GROUP));
    read_it("name eq 'a' or resourceGroup eq 'b'");
    assert_null(filter_must(&filter, FILTER_NAME));
    read_it("name ne 'a'");
    assert_null(filter_must(&filter, FILTER_NAME));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lets_everything_through),
        cmocka_unit_test(words_match_without_case_and_values_of_tags_with_it),
        cmocka_unit_test(and_binds_closer_than_or),
        cmocka_unit_test(unequal_parts_and_beginnings),
        cmocka_unit_test(a_tag_s_value_belongs_to_the_name_beside_it),
        cmocka_unit_test(a_doubled_quote_is_one),
        cmocka_unit_test(says_what_it_does_not_understand),
        cmocka_unit_test(has_an_end_to_its_terms),
        cmocka_unit_test(only_what_every_answer_must_pass_narrows_it),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
