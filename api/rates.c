#include "api/rates.h"

#include "api/inside.h"
#include "api/router.h"

#include <string.h>

enum {
    TICK_S = 5,
    RING_SIZE = 3600 / TICK_S + 1, /* the tick that has begun, and an hour before it */
    SLOTS = 2 * LIMIT_RATE_SUBSCRIPTIONS_MAX,
};

static const struct {
    int64_t ticks;
    const char *interval, *header;
} windows[RATE_WINDOWS] = {
    [RATE_HOUR] = {3600 / TICK_S, "01:00:00",
                   "x-ms-ratelimit-remaining-subscription-resource-requests-pt1h"},
    [RATE_5_MINUTES] = {300 / TICK_S, "00:05:00",
                        "x-ms-ratelimit-remaining-subscription-resource-requests-pt5m"},
};

static const struct {
    unsigned route;
    enum quota quotas[RATE_WINDOWS];
    const char *action;
} kinds[RATE_KINDS] = {
    [RATE_CREATES] = {ROUTE_CREATES, {QUOTA_CREATES_HOUR, QUOTA_CREATES_5_MINUTES}, "write"},
    [RATE_DELETES] = {ROUTE_DELETES, {QUOTA_DELETES_HOUR, QUOTA_DELETES_5_MINUTES}, "delete"},
};

/* Calls of one kind. */
struct calls {
    int64_t tick; /* up to which it is counted */
    int64_t sums[RATE_WINDOWS];
    uint32_t ring[RING_SIZE]; /* by tick */
};
struct subscriber {
    char subscription[37];
    struct calls calls[RATE_KINDS];
};
struct rates {
    struct lock lock;
    struct subscriber *slots[SLOTS]; /* by hash, the next free one when taken */
    size_t count;
};

struct rates *rates_new(struct err *err)
{
    struct rates *rates = calloc(1, sizeof *rates);

    if (rates)
        lock_init(&rates->lock, LOCK_API_RATES);
    else
        err_set(err, ERR_BUSY, "out of memory");
    return rates;
}

void rates_free(struct rates *rates)
{
    if (!rates)
        return;
    for (size_t i = 0; i < SLOTS; i++)
        free(rates->slots[i]);
    lock_done(&rates->lock);
    free(rates);
}

/* ---- one window ---- */

static uint32_t *bucket(struct calls *calls, int64_t tick)
{
    return &calls->ring[(tick + RING_SIZE) % RING_SIZE];
}

/* Time went on: what left a window is not in its sum any more. */
static void advance(struct calls *calls, int64_t tick)
{
    if (tick - calls->tick >= RING_SIZE) {
        memset(calls, 0, sizeof *calls);
        calls->tick = tick;
    }
    while (calls->tick < tick) {
        calls->tick++;
        for (int i = 0; i < RATE_WINDOWS; i++)
            calls->sums[i] -= *bucket(calls, calls->tick - windows[i].ticks - 1);
        *bucket(calls, calls->tick) = 0;
    }
}

/* Seconds until one more call has room in a window that is full; all of it when nothing is allowed. */
static int64_t wait_s(struct calls *calls, enum rate_window window, int64_t most, int64_t now_ns)
{
    int64_t left = calls->sums[window], tick = calls->tick - windows[window].ticks;

    if (most == 0)
        return windows[window].ticks * TICK_S;
    for (; tick <= calls->tick; tick++) {
        left -= *bucket(calls, tick);
        if (left < most)
            break;
    }
    int64_t free_ns = (tick + windows[window].ticks + 1) * TICK_S * INT64_C(1000000000);
    return (free_ns - now_ns + 999999999) / 1000000000;
}

/* ---- subscriptions ---- */

static size_t hash(const char *subscription)
{
    uint32_t value = 2166136261;

    for (; *subscription; subscription++)
        value = (value ^ ((uint32_t)(unsigned char)*subscription | 0x20)) * 16777619;
    return value % SLOTS;
}

static struct subscriber *subscriber_new(const char *subscription, int64_t tick)
{
    struct subscriber *subscriber = calloc(1, sizeof *subscriber);

    if (!subscriber ||
        !text_copy(subscriber->subscription, sizeof subscriber->subscription, subscription)) {
        free(subscriber);
        return NULL;
    }
    for (int i = 0; i < RATE_KINDS; i++)
        subscriber->calls[i].tick = tick;
    return subscriber;
}

/* NULL: there is no memory for one more. Half of the slots stay free, so that the search ends. */
static struct calls *calls_of(struct rates *rates, const char *subscription, enum rate_kind kind,
                              int64_t tick)
{
    size_t at = hash(subscription);

    while (rates->slots[at] && !text_equal_nocase(rates->slots[at]->subscription, subscription))
        at = (at + 1) % SLOTS;
    if (!rates->slots[at] && rates->count < LIMIT_RATE_SUBSCRIPTIONS_MAX) {
        rates->slots[at] = subscriber_new(subscription, tick);
        rates->count += rates->slots[at] != NULL;
    }
    if (!rates->slots[at])
        return NULL;
    advance(&rates->slots[at]->calls[kind], tick);
    return &rates->slots[at]->calls[kind];
}

static int64_t tick_at(int64_t now_ns)
{
    return now_ns / (TICK_S * INT64_C(1000000000));
}

static void add(struct calls *calls, int64_t tick, int count)
{
    *bucket(calls, tick) += (uint32_t)count;
    for (int i = 0; i < RATE_WINDOWS; i++)
        if (calls->tick - tick <= windows[i].ticks)
            calls->sums[i] += count;
}

/* What cannot be counted is not refused. */
static struct rate_answer look(struct rates *rates, const char *subscription, enum rate_kind kind,
                               const struct rate_limits *most, bool take)
{
    int64_t now_ns = clock_boot_ns();
    struct rate_answer answer = {.taken = take, .tick = tick_at(now_ns)};

    WITH_LOCK(&rates->lock);
    struct calls *calls = calls_of(rates, subscription, kind, answer.tick);
    for (int i = 0; calls && i < RATE_WINDOWS; i++) {
        if (!take || calls->sums[i] < most->most[i])
            continue;
        int64_t after_s = wait_s(calls, (enum rate_window)i, most->most[i], now_ns);
        if (answer.taken || after_s > answer.after_s) {
            answer.full = (enum rate_window)i;
            answer.after_s = after_s;
        }
        answer.taken = false;
    }
    if (calls && answer.taken)
        add(calls, answer.tick, 1);
    for (int i = 0; i < RATE_WINDOWS; i++) {
        int64_t left = most->most[i] - (calls ? calls->sums[i] : 0);
        answer.left[i] = left > 0 ? left : 0;
    }
    return answer;
}

struct rate_answer rates_take(struct rates *rates, const char *subscription, enum rate_kind kind,
                              const struct rate_limits *most)
{
    return look(rates, subscription, kind, most, true);
}

struct rate_answer rates_ask(struct rates *rates, const char *subscription, enum rate_kind kind,
                             const struct rate_limits *most)
{
    return look(rates, subscription, kind, most, false);
}

void rates_give(struct rates *rates, const char *subscription, enum rate_kind kind, int64_t tick)
{
    int64_t now = tick_at(clock_boot_ns());

    WITH_LOCK(&rates->lock);
    struct calls *calls = calls_of(rates, subscription, kind, now);
    if (calls && now - tick<RING_SIZE && * bucket(calls, tick)> 0)
        add(calls, tick, -1);
}

/* ---- requests ---- */

/* The kind of calls that the route makes; RATE_KINDS: it is not counted. */
static enum rate_kind kind_of(const struct request *request)
{
    int kind = 0;

    while (kind < RATE_KINDS && !(request->route && request->route->flags & kinds[kind].route))
        kind++;
    return (enum rate_kind)kind;
}

static struct rate_limits limits_of(const struct request *request, enum rate_kind kind)
{
    struct quota_limits found;

    settings_quotas(request->settings, request->names[0], NULL, &found);
    return (struct rate_limits){{found.most[kinds[kind].quotas[RATE_HOUR]],
                                 found.most[kinds[kind].quotas[RATE_5_MINUTES]]}};
}

bool rate_take(struct request *request, struct err *err)
{
    enum rate_kind kind = kind_of(request);

    if (request->rate.taken || kind == RATE_KINDS)
        return true;
    struct rate_limits most = limits_of(request, kind);
    struct rate_answer answer = rates_take(request->api->rates, request->names[0], kind, &most);
    request->rate = (struct rate){answer.taken, answer.tick, answer.left[RATE_HOUR],
                                  answer.left[RATE_5_MINUTES]};
    if (answer.taken)
        return true;
    request->retry_after_s = answer.after_s;
    return err_set(err, ERR_THROTTLED,
                   "Number of requests for action '" RESOURCE_TYPE_GROUP
                   "/%s' exceeded the limit of '%lld' for time interval '%s'. Please try again "
                   "after '%lld' seconds.",
                   kinds[kind].action, (long long)most.most[answer.full],
                   windows[answer.full].interval, (long long)answer.after_s);
}

void rate_give(struct request *request)
{
    if (request->rate.taken)
        rates_give(request->api->rates, request->names[0], kind_of(request), request->rate.tick);
    request->rate.taken = false;
}

static void look_again(struct request *request, enum rate_kind kind)
{
    struct rate_limits most = limits_of(request, kind);
    struct rate_answer answer = rates_ask(request->api->rates, request->names[0], kind, &most);

    request->rate.left_hour = answer.left[RATE_HOUR];
    request->rate.left_5_minutes = answer.left[RATE_5_MINUTES];
}

void rate_end(struct request *request)
{
    enum rate_kind kind = kind_of(request);

    if (request->reply.status >= 400 || request->reply.status == 204)
        rate_give(request);
    if (kind == RATE_KINDS || request->refused) /* refused: who asked may not be known */
        return;
    if (!request->rate.taken)
        look_again(request, kind);
    reply_header(request, windows[RATE_5_MINUTES].header, "%lld",
                 (long long)request->rate.left_5_minutes);
    reply_header(request, windows[RATE_HOUR].header, "%lld", (long long)request->rate.left_hour);
}
