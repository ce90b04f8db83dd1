#include "scheduler/waiting.h"

#include "../unit.h"
#include "seed.h"

enum { GROUPS = 300, STEPS = 8000 };

struct model {
    bool waits;
    int64_t revision;
    struct shape shape;
};

static int64_t scan(const struct model *models, const struct shape *room)
{
    int64_t best = -1;
    for (int64_t key = 1; key <= GROUPS; key++)
        if (models[key].waits && models[key].shape.cpu_milli <= room->cpu_milli &&
            models[key].shape.memory_mib <= room->memory_mib &&
            (best < 0 || models[key].revision < models[best].revision))
            best = key;
    return best;
}

static struct shape some_shape(uint64_t *seed)
{
    return (struct shape){250 * seed_between(seed, 0, 8), 128 * seed_between(seed, 0, 8)};
}

TEST(gives_the_group_that_waits_longest_of_those_that_fit)
{
    struct waiting waiting = {0};
    struct model models[GROUPS + 1] = {{0}};
    struct plan_pool pool = {.number = 2};
    uint64_t seed = 7;
    for (int64_t step = 1; step <= STEPS; step++) {
        int64_t key = seed_between(&seed, 1, GROUPS);
        if (models[key].waits) {
            waiting_remove(&waiting, (uint32_t)waiting_find(&waiting, key));
            models[key].waits = false;
        } else {
            models[key] = (struct model){true, step, some_shape(&seed)};
            struct waiter waiter = {
                .group_key = key, .revision = step, .shape = models[key].shape, .pool = &pool};
            assert_true(waiting_add(&waiting, &waiter) >= 0);
        }
        struct shape room = some_shape(&seed);
        int64_t found = waiting_oldest(&waiting, &pool, 1, &room, NULL, NULL);
        assert_int_equal(found < 0 ? -1 : waiting.items[found].group_key, scan(models, &room));
    }
    waiting_done(&waiting);
}

TEST(pools_do_not_see_each_other)
{
    struct waiting waiting = {0};
    struct plan_pool here = {.number = 0}, there = {.number = 1};
    struct waiter waiter = {.group_key = 5, .revision = 1, .shape = {100, 100}, .pool = &here};
    struct shape room = {1000, 1000}, small = {99, 1000};
    assert_true(waiting_add(&waiting, &waiter) >= 0);
    assert_int_equal(waiting_oldest(&waiting, &there, 1, &room, NULL, NULL), -1);
    assert_int_equal(waiting_oldest(&waiting, &here, 1, &small, NULL, NULL), -1);
    assert_true(waiting_oldest(&waiting, &here, 1, &room, NULL, NULL) >= 0);
    waiting_done(&waiting);
}

TEST(who_is_bound_to_a_node_is_offered_its_room_alone)
{
    struct waiting waiting = {0};
    struct plan_pool pool = {.number = 0};
    struct shape room = {1000, 1000}, small = {99, 1000};
    struct waiter bound = {
        .group_key = 5, .revision = 1, .shape = {100, 100}, .pool = &pool, .disk_node_key = 7};
    struct waiter any = {.group_key = 6, .revision = 2, .shape = {100, 100}, .pool = &pool};
    assert_true(waiting_add(&waiting, &bound) >= 0);
    assert_int_equal(waiting_oldest(&waiting, &pool, 8, &room, NULL, NULL), -1);
    assert_true(waiting_add(&waiting, &any) >= 0);
    int64_t here = waiting_oldest(&waiting, &pool, 7, &room, NULL, NULL),
            there = waiting_oldest(&waiting, &pool, 8, &room, NULL, NULL);
    assert_true(here >= 0 && there >= 0);
    assert_int_equal(waiting.items[here].group_key, 5);
    assert_int_equal(waiting.items[there].group_key, 6);
    assert_int_equal(waiting_oldest(&waiting, &pool, 7, &small, NULL, NULL), -1);
    waiting_remove(&waiting, (uint32_t)here);
    assert_int_equal(waiting_oldest(&waiting, &pool, 7, &room, NULL, NULL), there);
    assert_int_equal(waiting.bound_count, 0);
    waiting_done(&waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_group_that_waits_longest_of_those_that_fit),
        cmocka_unit_test(pools_do_not_see_each_other),
        cmocka_unit_test(who_is_bound_to_a_node_is_offered_its_room_alone),
    };
    return RUN_TESTS(tests);
}
