/* The thread, its rounds, and what wakes it. */
#include "scheduler/room.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#include <time.h>

#define MS INT64_C(1000000)
enum { TICK_MS = 1000, HOLD_OFF_MS = 200, PACE_MS = 5 };

/* ---- what the store tells: on its writer's thread ---- */

static bool changes_reserve(struct changes *changes, size_t count)
{
    if (changes->count + count <= changes->max)
        return true;
    size_t wanted = changes->max ? changes->max : 256;
    while (wanted < changes->count + count)
        wanted *= 2;
    if (wanted > LIMIT_SCHEDULER_CHANGES_MAX)
        return false;
    struct change *items = realloc(changes->items, wanted * sizeof *items);
    if (!items)
        return false;
    changes->items = items;
    changes->max = wanted;
    return true;
}

bool changes_add(struct scheduler *scheduler, const struct change *told, size_t count)
{
    struct changes *changes = &scheduler->changes;
    bool concerns_us = false;
    WITH_LOCK(&scheduler->changes_lock);
    bool room = changes_reserve(changes, count);
    changes->lost |= !room;
    for (size_t i = 0; i < count; i++) {
        if (told[i].kind == CHANGE_OPERATION || told[i].kind == CHANGE_NAME)
            continue;
        concerns_us = true;
        if (room)
            changes->items[changes->count++] = told[i];
    }
    return concerns_us;
}

static void listen(void *context, const struct change *changes, size_t count)
{
    struct scheduler *scheduler = context;
    if (changes_add(scheduler, changes, count))
        bell_ring(&scheduler->bell);
}

static struct changes changes_take(struct scheduler *scheduler)
{
    WITH_LOCK(&scheduler->changes_lock);
    struct changes taken = scheduler->changes;
    scheduler->changes = (struct changes){0};
    return taken;
}

/* ---- a round ---- */

bool slots_add(struct slots *slots, uint32_t slot)
{
    for (size_t i = slots->count; i > 0 && i + 8 > slots->count; i--)
        if (slots->items[i - 1] == slot)
            return true;
    if (slots->count == slots->max) {
        size_t wanted = slots->max ? slots->max * 2 : 64;
        uint32_t *items = realloc(slots->items, wanted * sizeof *items);
        if (!items)
            return false;
        slots->items = items;
        slots->max = wanted;
    }
    slots->items[slots->count++] = slot;
    return true;
}

/* Those that come in a stream are looked at together. The first one after a rest is looked at at once. */
static void rest(struct scheduler *scheduler)
{
    scheduler->rest_ns = clock_boot_ns() + PACE_MS * MS;
}

static bool look(struct scheduler *scheduler, struct err *err)
{
    struct changes changes = changes_take(scheduler);
    if (picture_bind(scheduler, changes.items, changes.count) > 0)
        rest(scheduler);
    bool looked = changes.lost ? picture_read(scheduler, err)
                               : picture_renew(scheduler, changes.items, changes.count, err);
    free(changes.items);
    if (!looked)
        picture_doubt(scheduler);
    return looked;
}

/* Agents that could not reach a plane that was away had no chance to renew their leases: it begins as after a start. */
static void note_time(struct scheduler *scheduler, int64_t now_ns)
{
    int64_t away_ns = now_ns - scheduler->round_ns;
    if (away_ns > scheduler->lost_ms * MS / 2) {
        log_warn("scheduler_was_away", "ms=%lld", (long long)(away_ns / MS));
        WITH_LOCK(&scheduler->lock);
        fleet_grace(&scheduler->fleet, now_ns);
    }
    scheduler->round_ns = now_ns;
}

static void keep_time(struct scheduler *scheduler, int64_t now_ns, bool tick)
{
    promises_renew(scheduler, now_ns);
    if (now_ns >= scheduler->lease_ns)
        scheduler->lease_ns = leases_renew(scheduler, now_ns);
    if (!tick)
        return;
    scheduler->tick_ns = now_ns + TICK_MS * MS;
    keep_renew(scheduler, now_ns);
    preempt_renew(scheduler);
    WITH_LOCK(&scheduler->lock);
    metric_set(METRIC_nodes_ready, (int64_t)fleet_ready_count(&scheduler->fleet));
}

static bool place(struct scheduler *scheduler, bool tick, struct err *err)
{
    int64_t begun_ns = clock_boot_ns();
    place_plan(scheduler);
    size_t count = scheduler->placing_count;
    if (count > 0)
        metric_observe_ns(METRIC_placement_seconds, clock_boot_ns() - begun_ns);
    if (!place_commit(scheduler, err))
        return false;
    if (count > 0 && count < COUNT_OF(scheduler->placing))
        rest(scheduler);
    return preempt(scheduler, tick, err) && reasons_tell(scheduler, tick, err);
}

static bool has_more(struct scheduler *scheduler)
{
    bool lists = scheduler->list_more && scheduler->waiting.count < LIMIT_SCHEDULER_PENDING_MAX;
    WITH_LOCK(&scheduler->lock);
    return lists || scheduler->fresh_count > 0 || scheduler->grown.count > 0 ||
           scheduler->again.count > 0 || scheduler->untold_count > 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t sleep_ns(struct scheduler *scheduler, int64_t now_ns)
{
    if (has_more(scheduler))
        return scheduler->hold_off_ns > now_ns ? scheduler->hold_off_ns - now_ns : 0;
    int64_t until_ns = earlier(scheduler->tick_ns, scheduler->lease_ns);
    {
        WITH_LOCK(&scheduler->lock);
        until_ns = earlier(until_ns, promises_next_ns(&scheduler->promises));
    }
    until_ns = earlier(until_ns, now_ns + scheduler->lost_ms * MS / 4);
    return until_ns > now_ns ? until_ns - now_ns : 0;
}

int64_t scheduler_round(struct scheduler *scheduler)
{
    struct err err = {0};
    int64_t now_ns = clock_boot_ns();
    bool tick = now_ns >= scheduler->tick_ns;
    note_time(scheduler, now_ns);
    bool ok = look(scheduler, &err);
    keep_time(scheduler, now_ns, tick);
    if (ok && now_ns >= scheduler->hold_off_ns)
        ok = place(scheduler, tick, &err);
    metric_set(METRIC_groups_pending, (int64_t)(scheduler->waiting.count + scheduler->fresh_count));
    if (!ok) {
        log_failure("scheduler_round_failed", &err);
        scheduler->hold_off_ns = now_ns + HOLD_OFF_MS * MS;
        return HOLD_OFF_MS * MS;
    }
    return sleep_ns(scheduler, now_ns);
}

/* A placement writes a page of each of five tables, however many groups it places. All that one round had no room for is
 * placed at once. */
static void pace(const struct scheduler *scheduler)
{
    int64_t left_ns = scheduler->rest_ns - clock_boot_ns();
    struct timespec rest = {.tv_nsec = (long)earlier(left_ns, PACE_MS * MS)};
    if (left_ns > 0)
        (void)nanosleep(&rest, NULL);
}

static void *run(void *context)
{
    struct scheduler *scheduler = context;
    while (!atomic_load(&scheduler->stopping)) {
        int64_t wait_ns = scheduler_round(scheduler);
        if (wait_ns > 0)
            bell_wait(&scheduler->bell, (wait_ns + MS - 1) / MS);
        pace(scheduler);
    }
    return NULL;
}

/* ---- beginning and end ---- */

bool scheduler_timings_check(int64_t beat_ms, int64_t fence_ms, int64_t lost_ms, struct err *err)
{
    if (beat_ms < 1)
        return err_set_field(err, ERR_INVALID, "beat_ms", "beat_ms is %lld; it must be at least 1",
                             (long long)beat_ms);
    if (fence_ms != 0 && fence_ms <= beat_ms)
        return err_set_field(
            err, ERR_INVALID, "fence_ms",
            "fence_ms (%lld) must be more than beat_ms (%lld), or 0 for no fencing",
            (long long)fence_ms, (long long)beat_ms);
    if (lost_ms <= fence_ms || lost_ms <= beat_ms)
        return err_set_field(
            err, ERR_INVALID, "lost_ms",
            "lost_ms (%lld) must be more than beat_ms (%lld) and fence_ms (%lld): groups must have "
            "stopped on a silent node before they run elsewhere",
            (long long)lost_ms, (long long)beat_ms, (long long)fence_ms);
    return true;
}

static bool locations_copy(struct scheduler *scheduler, const struct scheduler_options *options,
                           struct err *err)
{
    scheduler->locations = calloc(options->locations_count + 1, sizeof *scheduler->locations);
    if (!scheduler->locations)
        return err_set(err, ERR_BUSY, "no memory for the locations");
    for (size_t i = 0; i < options->locations_count; i++) {
        struct location *location = &scheduler->locations[i];
        location->queue = options->locations[i].queue;
        if (!fleet_location(options->locations[i].name, location->name))
            return err_set(err, ERR_INVALID, "location '%s' is too long",
                           options->locations[i].name);
    }
    scheduler->locations_count = options->locations_count;
    return fleet_location(options->default_location, scheduler->default_location) ||
           err_set(err, ERR_INVALID, "the default location is too long");
}

static bool parts_make(struct scheduler *scheduler, struct err *err)
{
    lock_init(&scheduler->lock, LOCK_SCHEDULER);
    lock_init(&scheduler->changes_lock, LOCK_SCHEDULER_CHANGES);
    scheduler->bell.fd = -1;
    scheduler->arena = arena_new(LIMIT_SCHEDULER_ARENA_MAX);
    if (!scheduler->arena)
        return err_set(err, ERR_BUSY, "no memory for the scheduler");
    return bell_init(&scheduler->bell, err) && fleet_init(&scheduler->fleet, err);
}

/* Everything that can fail comes before the store knows of it: there is no way to be forgotten there. */
static struct scheduler *begin(const struct scheduler_options *options, struct err *err)
{
    if (!scheduler_timings_check(options->beat_ms, options->fence_ms, options->lost_ms, err))
        return NULL;
    AUTO(scheduler) *scheduler = calloc(1, sizeof *scheduler);
    if (!scheduler) {
        err_set(err, ERR_BUSY, "no memory for the scheduler");
        return NULL;
    }
    scheduler->store = options->store;
    scheduler->fence_ms = options->fence_ms;
    scheduler->lost_ms = options->lost_ms;
    scheduler->round_ns = clock_boot_ns();
    bool made = parts_make(scheduler, err) && locations_copy(scheduler, options, err) &&
                picture_read(scheduler, err);
    return made ? TAKE(scheduler) : NULL;
}

/* What was committed while nobody listened is read again. */
static void listen_from_now(struct scheduler *scheduler)
{
    struct err err = {0};
    store_listen(scheduler->store, listen, scheduler);
    AUTO(tx) *tx = store_read(scheduler->store, &err);
    if (!tx || tx_revision(tx) != scheduler->picture_revision)
        picture_doubt(scheduler);
    bell_ring(&scheduler->bell);
}

struct scheduler *scheduler_new(const struct scheduler_options *options, struct err *err)
{
    struct scheduler *scheduler = begin(options, err);
    if (scheduler)
        listen_from_now(scheduler);
    return scheduler;
}

struct scheduler *scheduler_start(const struct scheduler_options *options, struct err *err)
{
    AUTO(scheduler) *scheduler = begin(options, err);
    if (!scheduler)
        return NULL;
    scheduler->started = thread_start(&scheduler->thread, "scheduler", run, scheduler, err);
    if (!scheduler->started)
        return NULL;
    listen_from_now(scheduler);
    atomic_store(&scheduler->ready, true);
    return TAKE(scheduler);
}

void scheduler_stop(struct scheduler *scheduler)
{
    if (!scheduler || !scheduler->started)
        return;
    atomic_store(&scheduler->stopping, true);
    bell_ring(&scheduler->bell);
    pthread_join(scheduler->thread, NULL);
    scheduler->started = false;
    atomic_store(&scheduler->ready, false);
}

void scheduler_free(struct scheduler *scheduler)
{
    if (!scheduler)
        return;
    scheduler_stop(scheduler);
    if (scheduler->fleet.plan)
        fleet_done(&scheduler->fleet);
    holds_done(&scheduler->holds);
    promises_done(&scheduler->promises);
    waiting_done(&scheduler->waiting);
    free(scheduler->locations);
    free(scheduler->changes.items);
    free(scheduler->grown.items);
    free(scheduler->again.items);
    free(scheduler->keeps);
    arena_free(scheduler->arena);
    if (scheduler->bell.fd >= 0)
        bell_done(&scheduler->bell);
    lock_done(&scheduler->lock);
    lock_done(&scheduler->changes_lock);
    free(scheduler);
}
