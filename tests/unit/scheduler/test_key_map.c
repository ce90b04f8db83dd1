#include "scheduler/key_map.h"

#include "../unit.h"
#include "seed.h"

enum { KEYS = 500, STEPS = 50000 };

TEST(remembers_what_an_array_remembers)
{
    struct key_map map = {0};
    int64_t known[KEYS + 1];
    size_t count = 0;
    uint64_t seed = 42;
    for (int i = 0; i <= KEYS; i++)
        known[i] = KEY_MAP_NONE;
    for (int step = 0; step < STEPS; step++) {
        int64_t key = seed_between(&seed, 1, KEYS);
        if (seed_between(&seed, 0, 2) > 0) {
            uint32_t value = (uint32_t)step;
            count += known[key] == KEY_MAP_NONE;
            assert_true(key_map_put(&map, key, value));
            known[key] = value;
        } else {
            count -= known[key] != KEY_MAP_NONE;
            key_map_remove(&map, key);
            known[key] = KEY_MAP_NONE;
        }
        int64_t other = seed_between(&seed, 1, KEYS);
        assert_int_equal(key_map_find(&map, other), known[other]);
        assert_int_equal(map.count, count);
    }
    for (int64_t key = 1; key <= KEYS; key++)
        assert_int_equal(key_map_find(&map, key), known[key]);
    key_map_done(&map);
}

TEST(finds_nothing_when_empty)
{
    struct key_map map = {0};
    assert_int_equal(key_map_find(&map, 7), KEY_MAP_NONE);
    key_map_remove(&map, 7);
    key_map_done(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers_what_an_array_remembers),
        cmocka_unit_test(finds_nothing_when_empty),
    };
    return RUN_TESTS(tests);
}
