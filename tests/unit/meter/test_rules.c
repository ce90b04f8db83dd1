/* The rules of meter.h, one by one. */
#include "tests/unit/meter/world.h"

#include "base/file.h"
#include "base/limits.h"

#include "tests/unit/unit.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

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

/* Seconds since the start, in milliseconds. */
static void at(int64_t real_ms)
{
    world.real_ms = real_ms;
}

static void begin(const char *uid, int64_t incarnation)
{
    if (!meter_begin(world.meter, uid, incarnation, &(struct meter_amounts){500, 128, 0, 0}, 0,
                     &err))
        fail_msg("%s", err.text);
}

static void end(const char *uid, int64_t incarnation)
{
    if (!meter_end(world.meter, uid, incarnation, 0, &err))
        fail_msg("%s", err.text);
}

static void tick(void)
{
    if (!meter_tick(world.meter, &err))
        fail_msg("%s", err.text);
}

static void plane_has(size_t index, int64_t incarnation, int64_t from, int64_t to)
{
    assert_true(index < plane.count);
    assert_int_equal(plane.intervals[index].incarnation, incarnation);
    assert_int_equal(plane.intervals[index].from_s - START_S, from);
    if (to == 0)
        assert_int_equal(plane.intervals[index].to_s, 0);
    else
        assert_int_equal(plane.intervals[index].to_s - START_S, to);
}

TEST(rounds_out_and_never_overlaps)
{
    at(10200);
    begin("g", 1);
    at(12100);
    end("g", 1);
    at(12400);
    begin("g", 2);
    at(12900);
    end("g", 2);
    at(12950);
    begin("g", 2); /* the same incarnation again: its name must differ from the empty one's */
    at(15000);
    end("g", 2);
    tick();
    world_report_all(&world, &plane);
    assert_int_equal(plane.count, 3);
    plane_has(0, 1, 10, 13);
    plane_has(1, 2, 13, 13);
    plane_has(2, 2, 14, 15);
}

TEST(a_newer_incarnation_ends_an_older_one)
{
    at(10000);
    begin("g", 1);
    begin("g", 1);
    at(12000);
    begin("g", 2);
    assert_false(
        meter_begin(world.meter, "g", 1, &(struct meter_amounts){500, 128, 0, 0}, 0, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    end("g", 1); /* long over */
    at(13000);
    tick();
    world_report_all(&world, &plane);
    assert_int_equal(plane.count, 2);
    plane_has(0, 1, 10, 12);
    plane_has(1, 2, 12, 0);
}

TEST(an_end_ends_an_older_incarnation_and_spares_a_newer_one)
{
    at(10000);
    begin("g", 2);
    at(11000);
    end("g", 1);
    at(12000);
    end("g", 3);
    tick();
    world_report_all(&world, &plane);
    assert_int_equal(plane.count, 1);
    plane_has(0, 2, 10, 12);
}

TEST(takes_the_time_an_event_happened_not_the_time_it_is_told)
{
    at(10000);
    begin("g", 1);
    at(15900);
    assert_true(meter_end(world.meter, "g", 1, world_now_ms(&world) - 3000, &err)); /* 12.9 */
    tick();
    world_report_all(&world, &plane);
    plane_has(0, 1, 10, 13);
}

TEST(nothing_below_the_watermark_changes)
{
    at(10000);
    begin("g", 1);
    at(20500);
    tick();
    world_report_all(&world, &plane);
    assert_int_equal(plane.watermark_s - START_S, 20);
    plane_has(0, 1, 10, 0);
    assert_true(meter_end(world.meter, "g", 1, world_now_ms(&world) - 5000, &err));
    assert_true(meter_begin(world.meter, "h", 1, &(struct meter_amounts){500, 128, 0, 0},
                            world_now_ms(&world) - 5000, &err));
    at(21000);
    tick();
    world_report_all(&world, &plane);
    plane_has(0, 1, 10, 20);
    plane_has(1, 1, 20, 0);
}

TEST(a_restart_leaves_no_gap)
{
    struct meter_held *held;
    size_t count;
    AUTO(arena) *arena = arena_new(65536);
    at(10000);
    begin("g", 1);
    begin("h", 1);
    at(11000);
    tick();
    world_kill(&world);
    at(31000);
    world_open(&world);
    tick();
    assert_true(meter_list(world.meter, arena, &held, &count, &err));
    assert_int_equal(count, 2);
    assert_true(held[0].in_doubt && held[1].in_doubt);
    assert_int_equal(held[0].from_s - START_S, 10);
    world_report_all(&world, &plane);
    assert_int_equal(plane.watermark_s - START_S, 11); /* stands still while in doubt */
    assert_true(meter_resume(world.meter, "g", 1, true, 0, &err));
    assert_true(
        meter_resume(world.meter, "h", 1, false, world_now_ms(&world) - 10500, &err)); /* 20.5 */
    assert_true(meter_resume(world.meter, "unknown", 1, false, 0, &err));
    at(32000);
    tick();
    world_report_all(&world, &plane);
    assert_int_equal(plane.watermark_s - START_S, 32);
    plane_has(0, 1, 10, 0);
    plane_has(1, 1, 10, 21);
}

TEST(a_reboot_closes_behind_the_last_second_that_began)
{
    at(10000);
    begin("g", 1);
    at(15200);
    tick();
    world_report_all(&world, &plane);
    at(95000);
    world_reboot(&world);
    begin("g", 2);
    at(96000);
    tick();
    world_report_all(&world, &plane);
    plane_has(0, 1, 10, 16);
    plane_has(1, 2, 95, 0);
    assert_int_equal(plane.watermark_s - START_S, 96);
}

TEST(a_reboot_into_the_past_does_not_go_back)
{
    at(10000);
    begin("g", 1);
    at(15000);
    tick();
    world.wall_ms = -1000 * START_S; /* 1970 */
    world_reboot(&world);
    begin("g", 2);
    at(18000);
    tick();
    world_report_all(&world, &plane);
    plane_has(0, 1, 10, 16);
    plane_has(1, 2, 16, 0);
    world.wall_ms = 0; /* the time service has come up: 18.0, the meter stood at 19 */
    at(23000);
    end("g", 2);
    tick();
    world_report_all(&world, &plane);
    assert_in_range(plane.intervals[1].to_s - plane.intervals[1].from_s, 8,
                    9); /* five and three seconds */
}

TEST(a_clock_set_back_changes_no_duration)
{
    at(10000);
    begin("g", 1);
    tick();
    world.wall_ms = -3600 * 1000;
    at(20000);
    tick();
    end("g", 1);
    world_report_all(&world, &plane);
    plane_has(0, 1, 10, 20);
    at(21000);
    tick(); /* nobody holds anything: time stands still at what was promised until the clock is there */
    at(25000);
    tick();
    begin("g", 2);
    at(30000);
    end("g", 2);
    tick();
    world_report_all(&world, &plane);
    plane_has(1, 2, 20, 25);
}

TEST(a_clock_set_forward_leaves_a_hole_that_nobody_pays)
{
    at(10000);
    begin("g", 1);
    tick();
    at(15300);
    world.wall_ms = 3600 * 1000;
    tick();
    at(20000);
    end("g", 1);
    tick();
    world_report_all(&world, &plane);
    assert_int_equal(plane.count, 2);
    plane_has(0, 1, 10, 15);
    plane_has(1, 1, 3615, 3620);
}

TEST(drift_of_a_clock_is_not_followed)
{
    at(10000);
    begin("g", 1);
    world.wall_ms = 1500;
    at(20000);
    tick();
    end("g", 1);
    world_report_all(&world, &plane);
    plane_has(0, 1, 10, 20);
}

TEST(tells_again_what_was_not_acknowledged)
{
    struct meter_report report;
    AUTO(arena) *arena = arena_new(1 << 20);
    at(10000);
    begin("g", 1);
    at(11000);
    tick();
    for (int i = 0; i < 3; i++) {
        assert_true(meter_report(world.meter, 10, arena, &report, &err));
        assert_int_equal(report.intervals_count, 1);
        plane_take(&plane, &report);
    }
    meter_ack(world.meter, report.sequence - 1); /* an old answer */
    meter_ack(world.meter, report.sequence + 1);
    assert_true(meter_report(world.meter, 10, arena, &report, &err));
    assert_int_equal(report.intervals_count, 1);
    int64_t sequence = report.sequence;
    end("g", 1); /* while the report is on its way */
    meter_ack(world.meter, sequence);
    assert_true(meter_report(world.meter, 10, arena, &report, &err));
    assert_int_equal(report.intervals_count, 1);
    assert_int_equal(report.intervals[0].to_s - START_S, 11);
    meter_ack(world.meter, report.sequence);
    assert_true(meter_report(world.meter, 10, arena, &report, &err));
    assert_int_equal(report.intervals_count, 0);
}

TEST(an_acknowledgement_survives_from_the_next_tick_on)
{
    at(10000);
    begin("g", 1);
    at(11000);
    tick();
    world_report_all(&world, &plane);
    at(12000);
    tick();
    world_kill(&world);
    world_open(&world);
    struct meter_report report;
    AUTO(arena) *arena = arena_new(1 << 20);
    assert_true(meter_report(world.meter, 10, arena, &report, &err));
    assert_int_equal(report.intervals_count, 0);
    plane_take(&plane, &report);
}

TEST(keeps_samples_until_they_were_told)
{
    struct use_sample one = {.uid = "g",
                             .incarnation = 1,
                             .container = "web",
                             .cpu_ns = 5,
                             .memory_bytes = 7,
                             .rx_bytes = 9,
                             .tx_bytes = 11};
    struct use_sample two = {.uid = "g", .incarnation = 1, .container = "side", .cpu_ns = 6};
    struct use_sample both[2] = {one, two};
    struct meter_report report;
    AUTO(arena) *arena = arena_new(1 << 20);
    for (int i = 0; i < 5; i++) {
        at(10000 + i * 1000);
        assert_true(meter_use(world.meter, both, 2, &err));
        tick();
    }
    world_kill(&world);
    world_open(&world);
    assert_true(meter_report(world.meter, 7, arena, &report, &err));
    assert_int_equal(report.samples_count, 7);
    assert_true(report.more);
    assert_string_equal(report.samples[0].container, "web");
    assert_string_equal(report.samples[1].container, "side");
    assert_string_equal(report.samples[2].uid, "g");
    assert_int_equal(report.samples[2].second - START_S, 11);
    assert_int_equal(report.samples[2].tx_bytes, 11);
    meter_ack(world.meter, report.sequence);
    at(16000);
    tick();
    world_kill(&world);
    world_open(&world);
    assert_true(meter_report(world.meter, 7, arena, &report, &err));
    assert_int_equal(report.samples_count, 3);
    assert_false(report.more);
    assert_int_equal(report.samples[0].second - START_S, 13);
    assert_string_equal(report.samples[0].container, "side");
}

TEST(drops_the_oldest_samples_and_no_interval)
{
    struct use_sample sample = {.uid = "g", .incarnation = 1, .container = "web"};
    struct meter_report report;
    AUTO(arena) *arena = arena_new(1 << 20);
    char path[128], *bytes;
    size_t size;
    at(1000);
    begin("g", 1);
    for (int64_t i = 0; i < 3 * LIMIT_METER_SAMPLES_MAX; i++) {
        at(1000 + i * 10);
        sample.cpu_ns = i;
        assert_true(meter_use(world.meter, &sample, 1, &err));
        tick();
    }
    world_path(&world, path);
    assert_true(file_read(path, (size_t)LIMIT_METER_JOURNAL_MAX, &bytes, &size, &err));
    free(bytes);
    assert_in_range(size, 1 << 20, 16 << 20);
    world_kill(&world);
    world_open(&world);
    assert_true(meter_report(world.meter, 10, arena, &report, &err));
    assert_int_equal(report.intervals_count, 1);
    assert_in_range(report.samples[0].cpu_ns, 2 * LIMIT_METER_SAMPLES_MAX - 100,
                    2 * LIMIT_METER_SAMPLES_MAX + 100);
}

TEST(reports_many_changes_in_parts_under_a_watermark_that_holds)
{
    int64_t many = LIMIT_REPORT_INTERVALS_MAX + 1000;
    char uid[ID_SIZE];
    struct meter_report report;
    AUTO(arena) *arena = arena_new(64 << 20);
    for (int64_t i = 0; i < many; i++) {
        at(1000 * (i / 10));
        text_format(uid, sizeof uid, "g%lld", (long long)i);
        begin(uid, 1);
        if (i % 10 == 0)
            tick();
    }
    at(many * 1000);
    tick();
    assert_true(meter_report(world.meter, 10, arena, &report, &err));
    assert_int_equal(report.intervals_count, LIMIT_REPORT_INTERVALS_MAX);
    assert_true(report.more);
    assert_int_equal(report.watermark_s - START_S, LIMIT_REPORT_INTERVALS_MAX / 10);
    meter_ack(world.meter, report.sequence);
    assert_true(meter_report(world.meter, 10, arena, &report, &err));
    assert_int_equal(report.intervals_count, 1000);
    assert_false(report.more);
    assert_int_equal(report.watermark_s - START_S, many);
}

TEST(a_full_disk_changes_nothing_and_is_said)
{
    struct rlimit old, none;
    char path[128], *bytes;
    size_t size;
    at(10000);
    begin("g", 1);
    world_path(&world, path);
    assert_true(file_read(path, 1 << 20, &bytes, &size, &err));
    free(bytes);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    none = (struct rlimit){size + 20, old.rlim_max}; /* in the middle of a record */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    at(11000);
    bool began = meter_begin(world.meter, "h", 1, &(struct meter_amounts){500, 128, 0, 0}, 0, &err);
    bool ended = meter_end(world.meter, "g", 1, 0, &err);
    bool ticked = meter_tick(world.meter, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_false(began || ended || ticked);
    assert_int_equal(err.code, ERR_STORAGE);
    world_report_all(&world, &plane);
    assert_int_equal(plane.count, 1);
    assert_int_equal(plane.watermark_s, 0);
    at(12000);
    end("g", 1);
    tick();
    world_kill(&world);
    world_open(&world);
    assert_int_equal(meter_dropped(world.meter), 0);
    world_report_all(&world, &plane);
    assert_int_equal(plane.count, 1);
    plane_has(0, 1, 10, 12);
}

static void *many_begin(void *context)
{
    char uid[ID_SIZE];
    struct err why;
    for (int i = 0; i < 50; i++) {
        text_format(uid, sizeof uid, "%s-%d", (const char *)context, i);
        if (!meter_begin(world.meter, uid, 1, &(struct meter_amounts){100, 64, 0, 0}, 0, &why) ||
            (i % 2 && !meter_end(world.meter, uid, 1, 0, &why)))
            return "failed";
    }
    return NULL;
}

TEST(threads_share_the_disk)
{
    static char *const names[] = {"a", "b", "c", "d"};
    pthread_t threads[COUNT_OF(names)];
    struct meter_held *held;
    size_t count;
    AUTO(arena) *arena = arena_new(1 << 20);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(thread_start(&threads[i], "begin", many_begin, names[i], &err));
    for (int i = 0; i < 20; i++)
        tick();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        void *said;
        pthread_join(threads[i], &said);
        assert_null(said);
    }
    world_kill(&world);
    world_open(&world);
    assert_true(meter_list(world.meter, arena, &held, &count, &err));
    assert_int_equal(count, COUNT_OF(names) * 25);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(rounds_out_and_never_overlaps),
        IN_WORLD(a_newer_incarnation_ends_an_older_one),
        IN_WORLD(an_end_ends_an_older_incarnation_and_spares_a_newer_one),
        IN_WORLD(takes_the_time_an_event_happened_not_the_time_it_is_told),
        IN_WORLD(nothing_below_the_watermark_changes),
        IN_WORLD(a_restart_leaves_no_gap),
        IN_WORLD(a_reboot_closes_behind_the_last_second_that_began),
        IN_WORLD(a_reboot_into_the_past_does_not_go_back),
        IN_WORLD(a_clock_set_back_changes_no_duration),
        IN_WORLD(a_clock_set_forward_leaves_a_hole_that_nobody_pays),
        IN_WORLD(drift_of_a_clock_is_not_followed),
        IN_WORLD(tells_again_what_was_not_acknowledged),
        IN_WORLD(an_acknowledgement_survives_from_the_next_tick_on),
        IN_WORLD(keeps_samples_until_they_were_told),
        IN_WORLD(drops_the_oldest_samples_and_no_interval),
        IN_WORLD(reports_many_changes_in_parts_under_a_watermark_that_holds),
        IN_WORLD(a_full_disk_changes_nothing_and_is_said),
        IN_WORLD(threads_share_the_disk),
    };
    return RUN_TESTS(tests);
}
