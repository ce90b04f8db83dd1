/* Why a group finds no room, counted over all nodes and told in words. */
#include "scheduler/plan.h"

#include "base/limits.h"
#include "base/text.h"
#include "scheduler/fit/fit.h"

#include <string.h>

enum { WORDS_MAX = 1024 };

static int64_t weight(const struct shape *shape)
{
    return shape->cpu_milli * PLAN_CPU_WEIGHT + shape->memory_mib;
}

/* The largest by the weight of the score; the lowest slot of equals. */
static void largest_renew(struct plan_refusal *refusal, const struct plan_node *node)
{
    struct shape room = plan_free_shape(node);
    if (weight(&node->capacity) > weight(&refusal->largest_node))
        refusal->largest_node = node->capacity;
    if (node->ready && !node->cordoned && node->kept_for == 0 && node->alone == 0 &&
        room.cpu_milli > 0 && room.memory_mib > 0 && weight(&room) > weight(&refusal->largest))
        refusal->largest = room;
}

static bool is_listed(const struct plan_refusal *refusal, const struct plan_pool *pool)
{
    for (size_t i = 0; i < refusal->elsewhere_count; i++)
        if (refusal->elsewhere[i] == pool)
            return true;
    return false;
}

static void elsewhere_renew(struct plan_refusal *refusal, const struct plan_node *node,
                            const struct plan_request *request)
{
    struct plan_request there = {
        .pool = node->pool, .shape = request->shape, .last_slot = PLAN_NONE};
    if (refusal->elsewhere_count < PLAN_ELSEWHERE_MAX && node->pool->os == request->pool->os &&
        !is_listed(refusal, node->pool) && fit_refuses(node, &there) < 0)
        refusal->elsewhere[refusal->elsewhere_count++] = node->pool;
}

static bool has_zone(const struct plan_refusal *refusal, const char *zone)
{
    for (size_t i = 0; i < refusal->zones_count; i++)
        if (strcmp(refusal->zones[i], zone) == 0)
            return true;
    return false;
}

/* The zone asked for is always among them when there is one. */
static void zones_renew(struct plan_refusal *refusal, const char *zone)
{
    bool asked = strcmp(refusal->zone, zone) == 0;
    if (!zone[0] || has_zone(refusal, zone))
        return;
    if (refusal->zones_count < PLAN_ZONES_MAX)
        text_copy(refusal->zones[refusal->zones_count++], ZONE_SIZE, zone);
    else if (asked)
        text_copy(refusal->zones[0], ZONE_SIZE, zone);
}

/* What there is where the group is to run. */
static void there_renew(struct plan_refusal *refusal, const struct plan_node *node,
                        const struct plan_request *request)
{
    if (!fit_location(node, request))
        return;
    refusal->there++;
    refusal->systems |= UINT32_C(1) << node->pool->os;
    zones_renew(refusal, node->zone);
}

void plan_explain(const struct plan *plan, const struct plan_request *request,
                  struct plan_refusal *refusal)
{
    *refusal = (struct plan_refusal){.os = request->pool->os};
    text_copy(refusal->zone, sizeof refusal->zone, request->shape.zone);
    for (uint32_t i = 0; i < plan_slots(plan); i++) {
        const struct plan_node *node = plan_node_get(plan, i);
        if (!node)
            continue;
        refusal->nodes++;
        int rule = fit_refuses(node, request);
        if (rule < 0)
            refusal->allowed++;
        else
            refusal->refused[rule]++;
        refusal->could += fit_could(node, request);
        if (!fit_disk(node, request))
            continue; /* what it has is no help */
        there_renew(refusal, node, request);
        if (node->pool == request->pool)
            largest_renew(refusal, node);
        else if (request->disk_node == 0)
            elsewhere_renew(refusal, node, request);
    }
}

/* "1.5", "4": milli-units as people write them. */
static void add_milli(struct text *out, int64_t milli)
{
    text_addf(out, "%lld", (long long)(milli / 1000));
    int64_t rest = milli % 1000;
    if (rest == 0)
        return;
    char digits[8];
    text_format(digits, sizeof digits, ".%03lld", (long long)rest);
    size_t size = 4;
    while (digits[size - 1] == '0')
        size--;
    text_add_n(out, digits, size);
}

/* Requests are in tenths of a GB. */
static void add_shape(struct text *out, const char *what, const struct shape *shape)
{
    text_addf(out, " The largest %s has ", what);
    add_milli(out, shape->cpu_milli);
    text_add(out, " CPU and ");
    add_milli(out, shape->memory_mib * 1000 / 1024 / 100 * 100);
    text_add(out, " GB.");
}

static int64_t at_most(int64_t value, int64_t most)
{
    return value < most ? value : most;
}

/* What may be asked for now; or, when that would not help, what there is at all. A node may have more room than one
 * group may ask for. */
static void add_largest(struct text *out, const struct plan_refusal *refusal)
{
    struct shape most = {
        at_most(refusal->largest.cpu_milli, LIMIT_CPU_MILLI_MAX),
        at_most(refusal->largest.memory_mib, memory_mib_from_milli_gb(LIMIT_MEMORY_MILLI_GB_MAX))};
    if (refusal->could == 0 && refusal->largest_node.cpu_milli > 0)
        add_shape(out, "node there", &refusal->largest_node);
    if (most.cpu_milli > 0 && most.memory_mib > 0)
        add_shape(out, "group that fits now", &most);
    else if (refusal->largest_node.cpu_milli > 0)
        text_add(out, " Nothing is free there now.");
}

static bool lacks_system(const struct plan_refusal *refusal)
{
    return refusal->there > 0 && !(refusal->systems & UINT32_C(1) << refusal->os);
}

static bool lacks_zone(const struct plan_refusal *refusal)
{
    return refusal->there > 0 && refusal->zone[0] && !has_zone(refusal, refusal->zone);
}

/* Neither less nor later helps. */
static bool lacks_kind(const struct plan_refusal *refusal)
{
    return lacks_system(refusal) || lacks_zone(refusal);
}

static void add_systems(struct text *words, const struct plan_refusal *refusal)
{
    if (!lacks_system(refusal))
        return;
    for (int os = 0; os_type_words[os]; os++)
        if (refusal->systems & UINT32_C(1) << os)
            text_addf(words, " The nodes there run %s, none runs %s.", os_type_words[os],
                      os_type_words[refusal->os]);
}

static void add_zones(struct text *words, const struct plan_refusal *refusal)
{
    if (!lacks_zone(refusal))
        return;
    if (refusal->zones_count == 0)
        text_add(words, " No node there is in a zone.");
    for (size_t i = 0; i < refusal->zones_count; i++)
        text_addf(words, "%s '%s'", i > 0 ? "," : " The zones there are", refusal->zones[i]);
    text_add(words, refusal->zones_count > 0 ? "." : "");
}

static void add_reasons(struct text *words, const struct plan_refusal *refusal)
{
    if (refusal->nodes == 0)
        text_add(words, "There are no nodes.");
    else
        text_addf(words, "Of %zu node%s", refusal->nodes, refusal->nodes == 1 ? "" : "s");
    const char *between = " ";
    for (size_t i = 0; i < fit_rules_count; i++) {
        size_t count = refusal->refused[i];
        if (count == 0)
            continue;
        text_addf(words, "%s%zu %s", between, count,
                  count == 1 ? fit_rules[i].one : fit_rules[i].many);
        between = ", ";
    }
    if (refusal->nodes > 0)
        text_add(words, refusal->could == 0 ? "; none could ever hold it." : ".");
    add_systems(words, refusal);
    add_zones(words, refusal);
    if (refusal->nodes > 0 && !lacks_kind(refusal))
        add_largest(words, refusal);
}

static void add_advice(struct text *words, const struct plan_refusal *refusal)
{
    for (size_t i = 0; i < refusal->elsewhere_count; i++)
        text_addf(words, "%s'%s'", i > 0 ? ", " : " It would fit now in ",
                  refusal->elsewhere[i]->location);
    text_add(words, refusal->elsewhere_count > 0 ? "." : "");
    if (refusal->could > 0)
        text_add(words, " Ask for less, or again when there is room: it could run there.");
    else if (refusal->largest_node.cpu_milli > 0 && !lacks_kind(refusal))
        text_add(words, " Ask for less: waiting would not help.");
}

static void give(const struct text *words, char *out, size_t size)
{
    text_copy(out, size, text_ok(words) ? words->bytes : "There is no room.");
}

void plan_refusal_text(const struct plan_refusal *refusal, char *out, size_t size)
{
    AUTO(text) *words = text_new(WORDS_MAX);
    add_reasons(words, refusal);
    give(words, out, size);
}

void plan_refusal_advice(const struct plan_refusal *refusal, char *out, size_t size)
{
    AUTO(text) *words = text_new(WORDS_MAX);
    add_reasons(words, refusal);
    add_advice(words, refusal);
    give(words, out, size);
}

uint32_t plan_refusal_kinds(const struct plan_refusal *refusal)
{
    uint32_t kinds = 0;
    for (size_t i = 0; i < fit_rules_count; i++)
        if (refusal->refused[i] > 0)
            kinds |= UINT32_C(1) << i;
    return kinds;
}
