/* Why a group finds no room, counted over all nodes and told in words. */
#include "scheduler/plan.h"

#include "base/text.h"
#include "scheduler/fit/fit.h"

/* The largest by the weight of the score; the lowest slot of equals. */
static void largest_renew(struct shape *largest, const struct plan_node *node)
{
    struct shape room = plan_free_shape(node);
    if (!node->ready || node->cordoned || node->kept_for != 0 || room.cpu_milli <= 0 ||
        room.memory_mib <= 0)
        return;
    if (room.cpu_milli * PLAN_CPU_WEIGHT + room.memory_mib >
        largest->cpu_milli * PLAN_CPU_WEIGHT + largest->memory_mib)
        *largest = room;
}

void plan_explain(const struct plan *plan, const struct plan_request *request,
                  struct plan_refusal *refusal)
{
    *refusal = (struct plan_refusal){0};
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
        if (node->pool == request->pool)
            largest_renew(&refusal->largest, node);
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

static void add_largest(struct text *out, const struct shape *largest)
{
    if (largest->cpu_milli <= 0 || largest->memory_mib <= 0) {
        text_add(out, " Nothing is free there now.");
        return;
    }
    text_add(out, " The largest group that fits now has ");
    add_milli(out, largest->cpu_milli);
    text_add(out, " CPU and ");
    add_milli(out,
              largest->memory_mib * 1000 / 1024 / 100 * 100); /* requests are in tenths of a GB */
    text_add(out, " GB.");
}

void plan_refusal_text(const struct plan_refusal *refusal, char *out, size_t size)
{
    AUTO(text) *words = text_new(1024);
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
    if (refusal->nodes > 0 && refusal->could > 0)
        add_largest(words, &refusal->largest);
    text_copy(out, size, text_ok(words) ? words->bytes : "There is no room.");
}

uint32_t plan_refusal_kinds(const struct plan_refusal *refusal)
{
    uint32_t kinds = 0;
    for (size_t i = 0; i < fit_rules_count; i++)
        if (refusal->refused[i] > 0)
            kinds |= UINT32_C(1) << i;
    return kinds;
}
