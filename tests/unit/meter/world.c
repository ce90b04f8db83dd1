#include "tests/unit/meter/world.h"

#include "base/clock.h"
#include "base/file.h"

#include "tests/unit/unit.h"

#include <string.h>

static int64_t wall_now(void *context)
{
    return world_now_ms(context);
}

static int64_t boot_now(void *context)
{
    const struct world *world = context;
    return (world->real_ms - world->boot_ms) * 1000000;
}

int64_t world_now_ms(const struct world *world)
{
    return START_S * 1000 + world->wall_ms + world->real_ms;
}

/* xorshift64*: the same numbers for the same seed. */
uint64_t world_dice(struct world *world, uint64_t sides)
{
    world->seed ^= world->seed >> 12;
    world->seed ^= world->seed << 25;
    world->seed ^= world->seed >> 27;
    return (world->seed * 0x2545f4914f6cdd1du >> 33) % sides;
}

void world_path(const struct world *world, char out[128])
{
    text_format(out, 128, "%s/journal", world->folder);
}

void world_begin(struct world *world, uint64_t seed)
{
    *world = (struct world){.seed = seed * 0x9e3779b97f4a7c15u + 1, .boot_id = "boot-0"};
    text_copy(world->folder, sizeof world->folder, "/dev/shm/berth-meter-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    static struct clock_source source; /* kept by the clock */
    source = (struct clock_source){wall_now, boot_now, world};
    clock_replace(&source);
    world_open(world);
}

void world_end(struct world *world)
{
    struct err err;
    world_kill(world);
    clock_replace(NULL);
    assert_true(file_remove_tree(world->folder, &err));
}

void world_open(struct world *world)
{
    struct err err;
    struct meter_options options = {.folder = world->folder, .boot_id = world->boot_id};
    world->meter = meter_open(&options, &err);
    if (!world->meter)
        fail_msg("%s", err.text);
}

void world_kill(struct world *world)
{
    meter_free(TAKE(world->meter));
}

void world_reboot(struct world *world)
{
    world_kill(world);
    world->boot_ms = world->real_ms;
    text_format(world->boot_id, sizeof world->boot_id, "boot-%d", ++world->boots);
    world_open(world);
}

static int64_t gpus_told(const struct usage_interval *interval)
{
    return interval->gpus.given == GIVEN_VALUE ? interval->gpus.value : METER_UNTOLD;
}

static int64_t class_told(const struct usage_interval *interval)
{
    return interval->price_class.given == GIVEN_VALUE ? interval->price_class.value : METER_UNTOLD;
}

static struct told *plane_find(struct plane *plane, const struct usage_interval *interval)
{
    for (size_t i = 0; i < plane->count; i++) {
        struct told *told = &plane->intervals[i];
        if (told->incarnation == interval->incarnation && told->from_s == interval->from_s &&
            strcmp(told->uid, interval->uid) == 0)
            return told;
    }
    assert_true(plane->count < WORLD_INTERVALS);
    struct told *told = &plane->intervals[plane->count++];
    *told = (struct told){.incarnation = interval->incarnation,
                          .from_s = interval->from_s,
                          .cpu_milli = interval->cpu_milli,
                          .gpus = gpus_told(interval),
                          .price_class = class_told(interval)};
    text_copy(told->uid, sizeof told->uid, interval->uid);
    assert_true(interval->from_s >= plane->watermark_s); /* nothing new below the watermark */
    return told;
}

void plane_take(struct plane *plane, const struct meter_report *report)
{
    assert_true(report->sequence > plane->sequence);
    assert_true(report->watermark_s >= plane->watermark_s);
    for (size_t i = 0; i < report->intervals_count; i++) {
        const struct usage_interval *interval = &report->intervals[i];
        struct told *told = plane_find(plane, interval);
        assert_int_equal(told->cpu_milli, interval->cpu_milli);
        assert_int_equal(told->gpus, gpus_told(interval));
        assert_int_equal(told->price_class, class_told(interval));
        if (told->to_s != 0) {
            assert_true(interval->to_s == told->to_s); /* never moves once given */
        } else if (interval->to_s != 0) {
            assert_true(interval->to_s >= plane->watermark_s && interval->to_s >= interval->from_s);
            told->to_s = interval->to_s;
        }
    }
    plane->sequence = report->sequence;
    plane->watermark_s = report->watermark_s;
    plane->samples += (int64_t)report->samples_count;
}

static bool report_once(struct world *world, struct plane *plane)
{
    struct meter_report report;
    struct err err;
    AUTO(arena) *arena = arena_new(64 << 20);
    if (!meter_report(world->meter, 100, arena, &report, &err))
        fail_msg("%s", err.text);
    plane_take(plane, &report);
    meter_ack(world->meter, report.sequence);
    return report.more;
}

void world_report(struct world *world, struct plane *plane)
{
    if (report_once(world, plane))
        return;
}

void world_report_all(struct world *world, struct plane *plane)
{
    while (report_once(world, plane))
        continue;
}
