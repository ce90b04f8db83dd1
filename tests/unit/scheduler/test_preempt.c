#include "scheduler/preempt.h"

#include "../unit.h"

/* Bit of a key: that group is chosen. */
static uint32_t chosen(struct victim *victims, size_t count, struct shape room, struct shape wanted)
{
    uint32_t keys = 0;
    if (!victims_choose(victims, count, &room, &wanted))
        return 0;
    for (size_t i = 0; i < count; i++)
        keys |= victims[i].chosen ? UINT32_C(1) << victims[i].group_key : 0;
    return keys;
}

TEST(the_cheapest_set_that_is_enough_makes_room)
{
    struct victim victims[] = {
        {.group_key = 1, .shape = {4000, 4096}},
        {.group_key = 2, .shape = {1000, 1024}},
        {.group_key = 3, .shape = {1000, 1024}},
        {.group_key = 4, .shape = {2500, 2048}},
    };
    const struct {
        struct shape room, wanted;
        uint32_t keys;
    } cases[] = {
        {{0, 0}, {1000, 512}, 1 << 2},
        {{0, 0}, {2000, 2048}, 1 << 2 | 1 << 3},
        {{0, 0}, {2500, 2048}, 1 << 4},
        {{500, 0}, {3000, 2048}, 1 << 4},
        {{0, 0}, {3500, 3072}, 1 << 2 | 1 << 4},
        {{0, 0}, {8500, 8192}, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4},
        {{0, 0}, {8501, 1024}, 0},
        {{0, 0}, {100, 100, .alone = true}, 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t keys = chosen(victims, COUNT_OF(victims), cases[i].room, cases[i].wanted);
        if (keys != cases[i].keys)
            fail_msg("case %zu: %x", i, keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cheapest_set_that_is_enough_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
