#include "base/limits.h"
#include "model/tags_check.h"
#include "tests/unit/unit.h"

#include <string.h>

static enum err_code check(const char *name, const char *value)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct text_pair pair = {name, value};
    struct text_map tags = {true, &pair, 1};
    struct problems problems;
    problems_init(&problems, arena);
    if (tags_check(&tags, "tags", &problems)) {
        assert_int_equal(problems.count, 0);
        return ERR_OK;
    }
    assert_string_equal(problems.items[0].field, "tags");
    return problems.items[0].code;
}

static const char *long_text(const char *letter, size_t count)
{
    static char text[4096];
    text[0] = '\0';
    for (size_t at = 0; count-- > 0; at += strlen(letter))
        memcpy(text + at, letter, strlen(letter) + 1);
    return text;
}

TEST(a_name_has_letters_and_an_end)
{
    assert_int_equal(check("cost center", "1"), ERR_OK);
    assert_int_equal(check("", "1"), ERR_TAG_NAME);
    assert_int_equal(check(" \t", "1"), ERR_TAG_NAME);
    assert_int_equal(check(long_text("n", LIMIT_TAG_NAME_MAX), "1"), ERR_OK);
    assert_int_equal(check(long_text("n", LIMIT_TAG_NAME_MAX + 1), "1"), ERR_TAG_NAME);
}

TEST(characters_are_counted_and_not_bytes)
{
    assert_int_equal(check("n", long_text("ж", LIMIT_TAG_VALUE_MAX)), ERR_OK);
    assert_int_equal(check("n", long_text("ж", LIMIT_TAG_VALUE_MAX + 1)), ERR_TAG_VALUE);
    assert_int_equal(check("n", ""), ERR_OK);
    assert_int_equal(check("n", NULL), ERR_OK);
}

TEST(letters_of_addresses_are_reserved)
{
    static const char *const bad[] = {"a<b", "a>b", "a%b", "a&b", "a\\b", "a?b", "a/b", "a\nb"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(check(bad[i], "v"), ERR_TAG_LETTERS);
    assert_int_equal(check("hidden-link:/some/where", "Resource"), ERR_OK);
    assert_int_equal(check("Link:/some/where", "Resource"), ERR_OK);
    assert_int_equal(check("a.b-c_d:e", "<&?/>"), ERR_OK);
}

TEST(names_that_differ_by_case_are_one)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct text_pair pairs[] = {{"Owner", "a"}, {"team", "b"}, {"OWNER", "c"}};
    struct text_map tags = {true, pairs, COUNT_OF(pairs)};
    struct problems problems;
    problems_init(&problems, arena);
    assert_false(tags_check(&tags, "tags", &problems));
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].code, ERR_TAG_NAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_letters_and_an_end),
        cmocka_unit_test(characters_are_counted_and_not_bytes),
        cmocka_unit_test(letters_of_addresses_are_reserved),
        cmocka_unit_test(names_that_differ_by_case_are_one),
    };
    return RUN_TESTS(tests);
}
