/* GPUs in the journal and in reports, and journals of agents that did not write them. */
#include "tests/unit/meter/world.h"

#include "base/file.h"
#include "model/quota.h"

#include "tests/unit/unit.h"

#include <string.h>

enum { RECORD_OF_INTERVAL = 2, TAIL_SIZE = 16 }; /* as journals have them */

static struct world world;
static struct plane plane;
static struct err err;

static int up(void **state UNUSED)
{
    world_begin(&world, 1);
    plane = (struct plane){0};
    return 0;
}

static int down(void **state UNUSED)
{
    world_end(&world);
    return 0;
}

static void begin(const char *uid, int64_t incarnation, int64_t gpus)
{
    struct meter_amounts amounts = {500, 128, gpus, QUOTA_CLASS_V100};
    if (!meter_begin(world.meter, uid, incarnation, &amounts, 0, &err))
        fail_msg("%s", err.text);
}

static void tick_at(int64_t real_ms)
{
    world.real_ms = real_ms;
    if (!meter_tick(world.meter, &err))
        fail_msg("%s", err.text);
}

static bool copy_as_before(int kind, struct unpacker *payload, void *out)
{
    struct packer packer = {.size = payload->left};
    if (kind == RECORD_OF_INTERVAL)
        packer.size -= TAIL_SIZE; /* GPUs and the class stand at the end */
    memcpy(packer.bytes, payload->at, packer.size);
    frame_add(out, kind, &packer);
    return true;
}

/* The journal as an agent would have left it that knew of no GPUs. */
static void journal_age(void)
{
    char path[128], *bytes;
    size_t size;
    AUTO(text) *out = text_new(1 << 20);
    world_path(&world, path);
    assert_true(file_read(path, 1 << 20, &bytes, &size, &err));
    assert_int_equal(frames_read(bytes, size, copy_as_before, out), size);
    assert_true(file_replace(path, out->bytes, out->size, 0600, false, &err));
    free(bytes);
}

TEST(gpus_outlive_the_agent_and_are_told)
{
    int64_t gpus = gpus_of(0, 2) + gpus_of(2, 4);
    world.real_ms = 10000;
    begin("g", 1, gpus);
    begin("plain", 1, 0);
    tick_at(11000);
    world_kill(&world);
    world_open(&world);
    assert_true(meter_resume(world.meter, "g", 1, true, 0, &err));
    assert_true(meter_resume(world.meter, "plain", 1, true, 0, &err));
    tick_at(12000);
    world_report_all(&world, &plane);
    assert_int_equal(plane.count, 2);
    assert_int_equal(plane.intervals[0].gpus, gpus);
    assert_int_equal(plane.intervals[1].gpus, 0);
    assert_int_equal(plane.intervals[1].price_class, QUOTA_CLASS_V100);
}

TEST(gpus_stay_when_the_clock_is_set_forward)
{
    world.real_ms = 10000;
    begin("g", 1, gpus_of(1, 1));
    tick_at(11000);
    world.wall_ms += 3600000;
    tick_at(12000);
    world_report_all(&world, &plane);
    assert_int_equal(plane.count, 2);
    assert_int_equal(plane.intervals[1].gpus, gpus_of(1, 1));
}

TEST(an_older_agent_s_journal_goes_on_and_its_gpus_are_untold)
{
    world.real_ms = 10000;
    begin("old", 1, gpus_of(0, 1));
    tick_at(11000);
    world_kill(&world);
    journal_age();
    world_open(&world);
    assert_int_equal(meter_dropped(world.meter), 0);
    assert_true(meter_resume(world.meter, "old", 1, true, 0, &err));
    begin("new", 1, gpus_of(0, 1));
    tick_at(12000);
    world_kill(&world); /* and what was untold stays so in the journal written anew */
    world_open(&world);
    world.real_ms = 13000;
    assert_true(meter_resume(world.meter, "old", 1, true, 0, &err));
    assert_true(meter_end(world.meter, "old", 1, 0, &err));
    assert_true(meter_resume(world.meter, "new", 1, true, 0, &err));
    tick_at(14000);
    world_report_all(&world, &plane);
    assert_int_equal(plane.count, 2);
    assert_string_equal(plane.intervals[0].uid, "new");
    assert_int_equal(plane.intervals[0].gpus, gpus_of(0, 1));
    assert_int_equal(plane.intervals[1].gpus, METER_UNTOLD);
    assert_int_equal(plane.intervals[1].price_class, METER_UNTOLD);
    assert_int_equal(plane.intervals[1].from_s - START_S, 10);
    assert_int_equal(plane.intervals[1].to_s - START_S, 13);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(gpus_outlive_the_agent_and_are_told),
        IN_WORLD(gpus_stay_when_the_clock_is_set_forward),
        IN_WORLD(an_older_agent_s_journal_goes_on_and_its_gpus_are_untold),
    };
    return RUN_TESTS(tests);
}
