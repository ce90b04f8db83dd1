/* Thousands of random steps beside a second opinion: a model that knows the definition of an interval and nothing of
 * journals, reports or acknowledgements. After each report the plane must hold what the model holds, second by second
 * up to the watermark; at the end, everything. */
#include "tests/unit/meter/world.h"

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>

enum { GROUPS = 6, STEPS = 4000, SEEDS = 20 };

struct group {
    char uid[8];
    int64_t incarnation;
    bool held, doubted;
    int64_t last_from, last_to; /* of the last interval; last_to 0: open */
};

struct model {
    struct group groups[GROUPS];
    struct told intervals[WORLD_INTERVALS];
    size_t count;
    int64_t watermark_s;
    int64_t held_ms[GROUPS], began_ms[GROUPS]; /* real time */
};

static struct world world;
static struct plane plane;
static struct model model;
static struct err err;

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void must(bool done)
{
    if (!done)
        fail_msg("%s", err.text);
}

/* ---- the second opinion ---- */

static struct told *model_open(struct group *group)
{
    for (size_t i = model.count; i > 0; i--) {
        struct told *told = &model.intervals[i - 1];
        if (told->to_s == 0 && strcmp(told->uid, group->uid) == 0)
            return told;
    }
    fail_msg("the model has lost %s", group->uid);
    return NULL;
}

static void model_begin(struct group *group, int64_t at_ms)
{
    int64_t from = most(at_ms / 1000, model.watermark_s);
    if (group->incarnation > 1 || group->last_from)
        from = most(from, most(group->last_to, group->last_from + 1));
    assert_true(model.count < WORLD_INTERVALS);
    struct told *told = &model.intervals[model.count++];
    *told = (struct told){.incarnation = group->incarnation, .from_s = from};
    text_copy(told->uid, sizeof told->uid, group->uid);
    group->held = true;
    group->last_from = from;
    group->last_to = 0;
}

static void model_end(struct group *group, int64_t to_s)
{
    struct told *told = model_open(group);
    told->to_s = group->last_to = most(to_s, told->from_s);
    group->held = group->doubted = false;
}

/* Both cut off at the watermark. */
static int64_t seconds_of(const struct told *intervals, size_t count, const char *uid,
                          int64_t watermark_s)
{
    int64_t seconds = 0;
    for (size_t i = 0; i < count; i++) {
        const struct told *told = &intervals[i];
        int64_t to_s = told->to_s == 0 || told->to_s > watermark_s ? watermark_s : told->to_s;
        if (strcmp(told->uid, uid) == 0 && to_s > told->from_s)
            seconds += to_s - told->from_s;
    }
    return seconds;
}

static void compare(void)
{
    for (size_t g = 0; g < GROUPS; g++)
        assert_int_equal(
            seconds_of(plane.intervals, plane.count, model.groups[g].uid, plane.watermark_s),
            seconds_of(model.intervals, model.count, model.groups[g].uid, plane.watermark_s));
}

/* Each run holds another number. */
static int64_t gpus_held(int64_t incarnation)
{
    return gpus_of((int)(incarnation % GPU_SKUS), incarnation % 5);
}

static void gpus_as_held(void)
{
    for (size_t i = 0; i < plane.count; i++)
        assert_int_equal(plane.intervals[i].gpus, gpus_held(plane.intervals[i].incarnation));
}

static void no_overlap(void)
{
    for (size_t i = 0; i < plane.count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct told *a = &plane.intervals[i], *b = &plane.intervals[j];
            if (strcmp(a->uid, b->uid) == 0)
                assert_true(a->from_s >= b->to_s || b->from_s >= a->to_s);
        }
    }
}

/* ---- steps ---- */

static struct group *any_group(void)
{
    return &model.groups[world_dice(&world, GROUPS)];
}

static void step_begin(void)
{
    struct group *group = any_group();
    int64_t at_ms = world_now_ms(&world) - (int64_t)world_dice(&world, 300);
    struct meter_amounts amounts = {500, 128, gpus_held(group->incarnation), 0};
    if (group->doubted)
        return;
    if (group->held && world_dice(&world, 2)) { /* repeated */
        must(meter_begin(world.meter, group->uid, group->incarnation, &amounts, at_ms, &err));
        return;
    }
    bool newer = group->held || group->incarnation == 0 || world_dice(&world, 4);
    if (group->held)
        model_end(group, most((at_ms + 999) / 1000, model.watermark_s));
    group->incarnation += newer; /* else the same one runs again */
    amounts.gpus = gpus_held(group->incarnation);
    must(meter_begin(world.meter, group->uid, group->incarnation, &amounts, at_ms, &err));
    model_begin(group, at_ms);
}

static void step_end(void)
{
    struct group *group = any_group();
    int64_t at_ms = world_now_ms(&world) - (int64_t)world_dice(&world, 300);
    if (group->doubted)
        return;
    must(meter_end(world.meter, group->uid, group->incarnation, at_ms, &err));
    if (group->held)
        model_end(group, most((at_ms + 999) / 1000, model.watermark_s));
}

static bool any_doubt(void)
{
    for (size_t i = 0; i < GROUPS; i++) {
        if (model.groups[i].doubted)
            return true;
    }
    return false;
}

static void step_tick(void)
{
    must(meter_tick(world.meter, &err));
    if (!any_doubt())
        model.watermark_s = most(model.watermark_s, world_now_ms(&world) / 1000);
}

static void step_use(void)
{
    struct use_sample sample = {.uid = any_group()->uid, .incarnation = 1, .container = "web"};
    must(meter_use(world.meter, &sample, 1, &err));
}

static void step_report(void)
{
    struct meter_report report;
    AUTO(arena) *arena = arena_new(1 << 20);
    must(meter_report(world.meter, world_dice(&world, 20), arena, &report, &err));
    if (world_dice(&world, 4) == 0)
        return; /* lost on the way */
    plane_take(&plane, &report);
    compare();
    if (world_dice(&world, 3))
        meter_ack(world.meter, report.sequence); /* else the answer is lost */
}

/* Half a record at the end, as a machine leaves it that lost power while writing. */
static void tear(void)
{
    char path[128];
    static const char half[] = "\x40\0\0\0\x12\x34\x56\x78\x02rest";
    world_path(&world, path);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, half, sizeof half), sizeof half);
}

static void step_kill(void)
{
    world_kill(&world);
    if (world_dice(&world, 2))
        tear();
    world.real_ms += (int64_t)world_dice(&world, 5000);
    world_open(&world);
    for (size_t i = 0; i < GROUPS; i++)
        model.groups[i].doubted = model.groups[i].held;
}

static void step_resume(void)
{
    for (size_t i = 0; i < GROUPS; i++) {
        struct group *group = &model.groups[i];
        int64_t ended_ms = world_now_ms(&world) - (int64_t)world_dice(&world, 4000);
        if (!group->doubted || world_dice(&world, 3) == 0)
            continue;
        bool held = world_dice(&world, 2);
        if (world_dice(&world, 4) == 0)
            ended_ms = 0;
        must(meter_resume(world.meter, group->uid, group->incarnation, held, ended_ms, &err));
        group->doubted = false;
        if (!held)
            model_end(group, most((ended_ms + 999) / 1000, model.watermark_s));
    }
}

static void step_reboot(void)
{
    world.real_ms += (int64_t)world_dice(&world, 60000);
    /* A reboot takes seconds: the clock is past the second in which the machine went down. */
    world.real_ms += 2000;
    world_reboot(&world);
    for (size_t i = 0; i < GROUPS; i++) {
        if (model.groups[i].held)
            model_end(&model.groups[i], model.watermark_s + 1);
    }
}

static void step(void)
{
    uint64_t dice = world_dice(&world, 1000);
    world.real_ms += (int64_t)world_dice(&world, 400);
    if (dice < 200)
        step_begin();
    else if (dice < 350)
        step_end();
    else if (dice < 700)
        step_tick();
    else if (dice < 760)
        step_use();
    else if (dice < 950)
        step_report();
    else if (dice < 985)
        step_resume();
    else if (dice < 997)
        step_kill();
    else
        step_reboot();
}

static void settle(void)
{
    world.real_ms += 1000;
    while (any_doubt())
        step_resume();
    for (size_t i = 0; i < GROUPS; i++) {
        struct group *group = &model.groups[i];
        if (!group->held)
            continue;
        must(meter_end(world.meter, group->uid, group->incarnation, 0, &err));
        model_end(group, (world_now_ms(&world) + 999) / 1000);
    }
    world.real_ms += 3000;
    step_tick();
    world_report_all(&world, &plane);
}

static void one_seed(uint64_t seed)
{
    world_begin(&world, seed);
    plane = (struct plane){0};
    model = (struct model){0};
    for (int i = 0; i < GROUPS; i++)
        text_format(model.groups[i].uid, sizeof model.groups[i].uid, "g%d", i);
    for (int i = 0; i < STEPS; i++)
        step();
    settle();
    compare();
    no_overlap();
    gpus_as_held();
    assert_int_equal(plane.count, model.count);
    assert_int_equal(plane.watermark_s, model.watermark_s);
    assert_true(plane.count > 100);
    world_end(&world);
}

TEST(random_lives_add_up_to_the_second)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        print_message("seed %d\n", (int)seed);
        one_seed(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(random_lives_add_up_to_the_second)};
    return RUN_TESTS(tests);
}
