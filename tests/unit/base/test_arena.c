#include "base/arena.h"

#include "tests/unit/unit.h"

#include <string.h>

TEST(gives_zeroed_aligned_memory)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    for (size_t size = 0; size < 300; size++) {
        unsigned char *memory = arena_alloc(arena, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xAA, size);
    }
}

TEST(refuses_past_its_ceiling_and_goes_on)
{
    AUTO(arena) *arena = arena_new(1000);
    assert_null(arena_alloc(arena, 1001));
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_array(arena, SIZE_MAX / 2, 3));
    assert_null(arena_text_n(arena, "", SIZE_MAX));
    assert_non_null(arena_alloc(arena, 900));
    assert_null(arena_alloc(arena, 200));
    assert_true(arena_used(arena) <= 1000);
}

static void keep_apart(struct arena *arena)
{
    enum { COUNT = 600 };
    static unsigned char *pieces[COUNT];
    static size_t sizes[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        sizes[i] = i % 50 == 0 ? 100000 + i : i * 7 % 3000;
        pieces[i] = arena_alloc(arena, sizes[i]);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)(i & 0xFF), sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(pieces[i][at], i & 0xFF);
    arena_free(arena);
}

TEST(keeps_pieces_of_all_sizes_apart)
{
    keep_apart(arena_new(64 << 20));
    keep_apart(arena_new_small(64 << 20));
}

TEST(starts_over_after_reset)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 100; i++) {
            char *memory = arena_alloc(arena, 5000);
            assert_non_null(memory);
            assert_int_equal(memory[4999], 0);
            memset(memory, 1, 5000);
        }
        assert_true(arena_used(arena) >= 500000);
        arena_reset(arena);
        assert_int_equal(arena_used(arena), 0);
    }
}

TEST(copies_and_formats_texts)
{
    AUTO(arena) *arena = arena_new(100000);
    assert_string_equal(arena_text(arena, "one"), "one");
    assert_null(arena_text(arena, NULL));
    assert_string_equal(arena_text_n(arena, "two and more", 3), "two");
    assert_string_equal(arena_format(arena, "%s-%d", "three", 3), "three-3");
    const char *longer = arena_format(arena, "%05000d", 7);
    assert_int_equal(strlen(longer), 5000);
    assert_null(arena_format(arena, "%0200000d", 7));
}

TEST(frees_nothing_when_there_is_nothing)
{
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory),
        cmocka_unit_test(refuses_past_its_ceiling_and_goes_on),
        cmocka_unit_test(keeps_pieces_of_all_sizes_apart),
        cmocka_unit_test(starts_over_after_reset),
        cmocka_unit_test(copies_and_formats_texts),
        cmocka_unit_test(frees_nothing_when_there_is_nothing),
    };
    return RUN_TESTS(tests);
}
