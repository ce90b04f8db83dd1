/* How fast the planner places 1,000,000 groups on 10,000 nodes, on one core: the planner of berthd, without the store.
 *
 * The peer is the obvious exact planner in the same program: it looks at every node for every group, over plain arrays.
 * It gives the same answers (checked), so the difference is the index alone. Both run A B A B; the peer places fewer
 * groups, since what it does for one does not depend on how many there are. */
#include "scheduler/plan.h"

#include "base/clock.h"
#include "base/text.h"

#include "../unit/scheduler/seed.h"

#include <stdio.h>

enum { NODES = 10000, GROUPS = 1000000, PEER_GROUPS = 20000, CHURN = 200000, ROUNDS_MAX = 99 };

struct workload {
    struct shape nodes[NODES];
    struct shape *groups;
};

/* Four kinds of machines; groups from 0.1 to 4 vCPU with 0.5 to 9 GB for each, most of them small. In the end they
 * hold nearly nine tenths of the CPU there is and are limited by memory on most nodes. */
static void workload_init(struct workload *workload)
{
    static const struct shape kinds[] = {
        {32000, 131072}, {64000, 262144}, {96000, 393216}, {96000, 786432}};
    static const int64_t cpus[] = {100, 250, 250, 500, 500, 500, 1000, 1000, 2000, 4000};
    uint64_t seed = 20231123;
    for (size_t i = 0; i < NODES; i++)
        workload->nodes[i] = kinds[seed_next(&seed) % COUNT_OF(kinds)];
    workload->groups = malloc(GROUPS * sizeof *workload->groups);
    CHECK(workload->groups);
    for (size_t i = 0; i < GROUPS; i++) {
        int64_t cpu_milli = cpus[seed_next(&seed) % COUNT_OF(cpus)];
        if (seed_between(&seed, 0, 99) > 36 && cpu_milli > 500)
            cpu_milli /= 4;
        int64_t memory_mib = cpu_milli * seed_between(&seed, 512, 9216) / 1000;
        workload->groups[i] = (struct shape){cpu_milli, memory_mib < 103 ? 103 : memory_mib};
    }
}

static struct plan *plan_filled(const struct workload *workload, const struct plan_pool **pool)
{
    struct plan *plan = plan_new();
    CHECK(plan && (*pool = plan_pool(plan, "westus", OS_LINUX)));
    for (size_t i = 0; i < NODES; i++) {
        struct plan_node node = {
            .key = (int64_t)i + 1, .pool = *pool, .ready = true, .capacity = workload->nodes[i]};
        CHECK(plan_node_put(plan, PLAN_NONE, &node) == (int64_t)i);
    }
    return plan;
}

static int64_t place(struct plan *plan, const struct plan_pool *pool, const struct shape *shape)
{
    struct plan_request request = {
        .pool = pool, .shape = *shape, .group_key = 1, .last_slot = PLAN_NONE};
    int64_t slot = plan_find(plan, &request);
    if (slot != PLAN_NONE)
        plan_take(plan, (uint32_t)slot, shape);
    return slot;
}

struct outcome {
    int64_t ns;
    size_t placed;
    int32_t *slots; /* where each group went */
};

static struct outcome run_planner(const struct workload *workload, size_t count)
{
    const struct plan_pool *pool;
    AUTO(plan) *plan = plan_filled(workload, &pool);
    struct outcome outcome = {.slots = malloc(count * sizeof(int32_t))};
    CHECK(outcome.slots);
    int64_t begun = clock_boot_ns();
    for (size_t i = 0; i < count; i++) {
        int64_t slot = place(plan, pool, &workload->groups[i]);
        outcome.slots[i] = (int32_t)slot;
        outcome.placed += slot != PLAN_NONE;
    }
    outcome.ns = clock_boot_ns() - begun;
    return outcome;
}

/* ---- the peer ---- */

static int32_t scan(const int32_t *cpu_milli, const int32_t *memory_mib, int32_t cpu_wanted,
                    int32_t memory_wanted)
{
    int32_t best = -1, best_score = INT32_MAX;
    for (int32_t i = 0; i < NODES; i++) {
        int32_t score = cpu_milli[i] * PLAN_CPU_WEIGHT + memory_mib[i];
        if (cpu_milli[i] >= cpu_wanted && memory_mib[i] >= memory_wanted && score < best_score) {
            best_score = score;
            best = i;
        }
    }
    return best;
}

static struct outcome run_peer(const struct workload *workload, size_t count)
{
    static int32_t cpu_milli[NODES], memory_mib[NODES];
    for (size_t i = 0; i < NODES; i++) {
        cpu_milli[i] = (int32_t)workload->nodes[i].cpu_milli;
        memory_mib[i] = (int32_t)workload->nodes[i].memory_mib;
    }
    struct outcome outcome = {.slots = malloc(count * sizeof(int32_t))};
    CHECK(outcome.slots);
    int64_t begun = clock_boot_ns();
    for (size_t i = 0; i < count; i++) {
        int32_t cpu = (int32_t)workload->groups[i].cpu_milli,
                memory = (int32_t)workload->groups[i].memory_mib;
        int32_t slot = scan(cpu_milli, memory_mib, cpu, memory);
        outcome.slots[i] = slot;
        if (slot < 0)
            continue;
        outcome.placed++;
        cpu_milli[slot] -= cpu;
        memory_mib[slot] -= memory;
    }
    outcome.ns = clock_boot_ns() - begun;
    return outcome;
}

/* ---- the latency of one, and life in a full region ---- */

static int by_value(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

static void percentiles(int32_t *ns, size_t count, double *p50_us, double *p99_us)
{
    qsort(ns, count, sizeof *ns, by_value);
    size_t middle = count / 2, high = count - count / 100;
    *p50_us = ns[middle] / 1000.0;
    *p99_us = ns[high] / 1000.0;
}

/* Places everything once more with a clock around each; then groups end at random and others come: the region stays
 * full, most nodes nearly so. Returns placements per second of that second part. */
static double run_timed(const struct workload *workload, double *p50_us, double *p99_us)
{
    const struct plan_pool *pool;
    AUTO(plan) *plan = plan_filled(workload, &pool);
    AUTO_FREE int32_t *ns = malloc(GROUPS * sizeof *ns), *slots = malloc(GROUPS * sizeof *slots);
    CHECK(ns && slots);
    for (size_t i = 0; i < GROUPS; i++) {
        int64_t begun = clock_boot_ns();
        slots[i] = (int32_t)place(plan, pool, &workload->groups[i]);
        ns[i] = (int32_t)(clock_boot_ns() - begun);
    }
    percentiles(ns, GROUPS, p50_us, p99_us);
    uint64_t seed = 7;
    size_t placed = 0;
    int64_t begun = clock_boot_ns();
    for (size_t i = 0; i < CHURN; i++) {
        size_t at = seed_next(&seed) % GROUPS;
        if (slots[at] >= 0)
            plan_give(plan, (uint32_t)slots[at], &workload->groups[at]);
        slots[at] = (int32_t)place(plan, pool, &workload->groups[at]);
        placed += slots[at] >= 0;
    }
    return (double)placed * 1e9 / (double)(clock_boot_ns() - begun);
}

static double rate_of(const struct outcome *outcome)
{
    return (double)outcome->placed * 1e9 / (double)outcome->ns;
}

static int by_rate(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *rates, size_t count)
{
    qsort(rates, count, sizeof *rates, by_rate);
    return rates[count / 2];
}

static size_t differences(const struct outcome *left, const struct outcome *right, size_t count)
{
    size_t different = 0;
    for (size_t i = 0; i < count; i++)
        different += left->slots[i] != right->slots[i];
    return different;
}

/* Of all CPU and memory, how much the groups hold in the end. */
static void shares_held(const struct workload *workload, const struct outcome *outcome, double *cpu,
                        double *memory)
{
    struct shape held = {0}, all = {0};
    for (size_t i = 0; i < NODES; i++) {
        all.cpu_milli += workload->nodes[i].cpu_milli;
        all.memory_mib += workload->nodes[i].memory_mib;
    }
    for (size_t i = 0; i < GROUPS; i++) {
        held.cpu_milli += outcome->slots[i] < 0 ? 0 : workload->groups[i].cpu_milli;
        held.memory_mib += outcome->slots[i] < 0 ? 0 : workload->groups[i].memory_mib;
    }
    *cpu = (double)held.cpu_milli / (double)all.cpu_milli;
    *memory = (double)held.memory_mib / (double)all.memory_mib;
}

int main(int argc, char **argv)
{
    int64_t rounds = 5;
    if (argc > 1 && (!text_to_int(argv[1], &rounds) || rounds < 1 || rounds > ROUNDS_MAX)) {
        fprintf(stderr, "usage: bench_placement [ROUNDS, at most %d]\n", ROUNDS_MAX);
        return 2;
    }
    static struct workload workload;
    workload_init(&workload);
    double ours[ROUNDS_MAX], peer[ROUNDS_MAX], cpu_held = 0, memory_held = 0, p50_us, p99_us;
    size_t placed = 0, different = 0;
    for (int64_t round = 0; round < rounds; round++) {
        struct outcome a = run_planner(&workload, GROUPS), b = run_peer(&workload, PEER_GROUPS);
        ours[round] = rate_of(&a);
        peer[round] = rate_of(&b);
        placed = a.placed;
        shares_held(&workload, &a, &cpu_held, &memory_held);
        different += differences(&a, &b, PEER_GROUPS);
        fprintf(stderr, "planner %.3f s for %zu, scan %.3f s for %zu\n", (double)a.ns / 1e9,
                a.placed, (double)b.ns / 1e9, b.placed);
        free(a.slots);
        free(b.slots);
    }
    double churn = run_timed(&workload, &p50_us, &p99_us), value = median(ours, (size_t)rounds);
    double peer_value = median(peer, (size_t)rounds);
    printf(
        "{\"bench\":\"placement\",\"unit\":\"placements/s\",\"value\":%.0f,"
        "\"peer\":{\"name\":\"brute-force best fit, same program\",\"value\":%.0f},\"ratio\":%.1f,"
        "\"p50_us\":%.2f,\"p99_us\":%.2f,\"churn_when_full_per_s\":%.0f,\"nodes\":%d,\"groups\":%d,"
        "\"placed\":%zu,"
        "\"cpu_held\":%.3f,\"memory_held\":%.3f,\"answers_that_differ\":%zu,"
        "\"published\":{\"Nomad, 5 servers\":3750,\"kube-scheduler\":1000}}\n",
        value, peer_value, value / peer_value, p50_us, p99_us, churn, NODES, GROUPS, placed,
        cpu_held, memory_held, different);
    free(workload.groups);
    return different == 0 ? 0 : 1;
}
