#include "base/id.h"

#include "base/clock.h"

#include "tests/unit/unit.h"

#include <string.h>

TEST(random_ids_are_valid_and_differ)
{
    char first[ID_SIZE], second[ID_SIZE];
    id_random(first);
    id_random(second);
    assert_true(id_valid(first) && id_valid(second));
    assert_string_not_equal(first, second);
    assert_int_equal(first[14], '4');
}

static int64_t clock_value = 1700000000000;

static int64_t read_clock(void *context UNUSED)
{
    return clock_value;
}

TEST(ordered_ids_rise_even_when_the_clock_does_not)
{
    struct clock_source source = {.now_ms = read_clock, .boot_ns = read_clock};
    char before[ID_SIZE], next[ID_SIZE];
    id_ordered(before);
    clock_replace(&source); /* far in the past by now */
    for (int i = 0; i < 10000; i++) {
        id_ordered(next);
        assert_true(strcmp(before, next) < 0);
        memcpy(before, next, sizeof before);
    }
    clock_replace(NULL);
    assert_true(id_valid(next));
    assert_int_equal(next[14], '7');
    assert_non_null(strchr("89ab", next[19]));
}

TEST(knows_a_uuid)
{
    assert_true(id_valid("0190163D-8694-739b-aea5-966c26f8ad91"));
    assert_false(id_valid(""));
    assert_false(id_valid("0190163d-8694-739b-aea5-966c26f8ad9"));
    assert_false(id_valid("0190163d-8694-739b-aea5-966c26f8ad911"));
    assert_false(id_valid("0190163d-8694-739b-aea5-966c26f8ad9g"));
    assert_false(id_valid("0190163d08694-739b-aea5-966c26f8ad91"));
}

TEST(tokens_are_url_safe_and_differ)
{
    char first[ID_TOKEN_SIZE], second[ID_TOKEN_SIZE];
    id_token(first);
    id_token(second);
    assert_int_equal(strlen(first), 43);
    assert_int_equal(
        strspn(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    assert_string_not_equal(first, second);
}

TEST(hashes_as_sha256_does)
{
    char hash[65];
    id_hash("abc", hash);
    assert_string_equal(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(id_hash_number(hash), 0xba7816bf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_ids_are_valid_and_differ),
        cmocka_unit_test(ordered_ids_rise_even_when_the_clock_does_not),
        cmocka_unit_test(knows_a_uuid),
        cmocka_unit_test(tokens_are_url_safe_and_differ),
        cmocka_unit_test(hashes_as_sha256_does),
    };
    return RUN_TESTS(tests);
}
