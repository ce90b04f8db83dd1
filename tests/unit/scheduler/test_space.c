#include "scheduler/space.h"

#include "../unit.h"
#include "seed.h"

enum { POINTS = 400, STEPS = 20000 };

struct point {
    bool used;
    uint32_t x, y;
    uint64_t rank;
};

struct world {
    struct space *space;
    struct point points[POINTS];
    uint64_t seed;
};

static int64_t scan(const struct point *points, uint32_t x, uint32_t y, bool above)
{
    int64_t best = SPACE_NONE;
    for (uint32_t i = 0; i < POINTS; i++) {
        const struct point *point = &points[i];
        bool fits = above ? point->x >= x && point->y >= y : point->x <= x && point->y <= y;
        if (point->used && fits && (best == SPACE_NONE || point->rank < points[best].rank))
            best = i;
    }
    return best;
}

static void point_flip(struct world *world, int64_t range)
{
    uint32_t id = (uint32_t)seed_between(&world->seed, 0, POINTS - 1);
    struct point *point = &world->points[id];
    assert_int_equal(space_has(world->space, id), point->used);
    if (point->used) {
        space_remove(world->space, id);
        point->used = false;
        return;
    }
    uint32_t x = (uint32_t)seed_between(&world->seed, 0, range),
             y = (uint32_t)seed_between(&world->seed, 0, range);
    *point = (struct point){true, x, y, space_rank(x, y, id)};
    assert_true(space_put(world->space, id, x, y, point->rank));
}

static void compare(struct world *world, int64_t range)
{
    uint32_t x = (uint32_t)seed_between(&world->seed, 0, range),
             y = (uint32_t)seed_between(&world->seed, 0, range);
    assert_int_equal(space_find_above(world->space, x, y, NULL, NULL),
                     scan(world->points, x, y, true));
    assert_int_equal(space_find_below(world->space, x, y, NULL, NULL),
                     scan(world->points, x, y, false));
}

static void walk(uint64_t seed, int64_t range)
{
    struct world world = {.space = space_new(), .seed = seed};
    assert_non_null(world.space);
    for (int step = 0; step < STEPS; step++) {
        point_flip(&world, range);
        compare(&world, range);
    }
    space_free(world.space);
}

TEST(finds_what_a_scan_finds_among_scattered_points)
{
    walk(1, 1 << 20);
    walk(2, SPACE_COORDINATE_MAX);
}

TEST(finds_what_a_scan_finds_among_crowded_points)
{
    walk(3, 0); /* all at one place */
    walk(4, 3);
    walk(5, 30);
}

TEST(finds_nothing_in_an_empty_space)
{
    AUTO(space) *space = space_new();
    assert_int_equal(space_find_above(space, 0, 0, NULL, NULL), SPACE_NONE);
    assert_true(space_put(space, 7, 1, 1, 0));
    space_remove(space, 7);
    assert_int_equal(space_find_below(space, 9, 9, NULL, NULL), SPACE_NONE);
    assert_int_equal(space_count(space), 0);
}

static bool is_odd(uint32_t id, void *asked)
{
    ++*(int *)asked;
    return id % 2 == 1;
}

TEST(goes_on_to_the_next_point_when_one_is_not_allowed)
{
    AUTO(space) *space = space_new();
    for (uint32_t id = 0; id < 10; id++)
        assert_true(space_put(space, id, 5, 5, space_rank(5, 5, id)));
    int asked = 0;
    assert_int_equal(space_find_above(space, 5, 5, is_odd, &asked), 1);
    assert_int_equal(asked, 2);
}

TEST(orders_ids_beyond_the_sum_of_coordinates)
{
    AUTO(space) *space = space_new();
    assert_true(space_put(space, 3, 4, 6, space_rank(4, 6, 3)));
    assert_true(space_put(space, 2, 6, 4, space_rank(6, 4, 2)));
    assert_int_equal(space_find_above(space, 1, 1, NULL, NULL), 2);
    assert_int_equal(space_find_above(space, 1, 5, NULL, NULL), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_a_scan_finds_among_scattered_points),
        cmocka_unit_test(finds_what_a_scan_finds_among_crowded_points),
        cmocka_unit_test(finds_nothing_in_an_empty_space),
        cmocka_unit_test(goes_on_to_the_next_point_when_one_is_not_allowed),
        cmocka_unit_test(orders_ids_beyond_the_sum_of_coordinates),
    };
    return RUN_TESTS(tests);
}
