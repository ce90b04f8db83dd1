/* A node with a thousand groups: what one change costs must not grow with all the others. */
#include "tests/unit/supervise/node.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <time.h>

enum { MANY = 1000, FEW = 10, CHANGES = 200 };

static int64_t plans;

struct plan __real_plan_group(const struct hosted *group, int64_t now_ms, bool leased);
struct plan __wrap_plan_group(const struct hosted *group, int64_t now_ms, bool leased);
struct plan __wrap_plan_group(const struct hosted *group, int64_t now_ms, bool leased)
{
    plans++;
    return __real_plan_group(group, now_ms, leased);
}

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static const char *uid_of(int number, char out[ID_SIZE])
{
    text_format(out, ID_SIZE, "00000000-0000-4000-8000-%012d", number);
    return out;
}

/* All of them are known and stopped. */
static void order_stopped(struct agent *agent, int count)
{
    AUTO(arena) *arena = arena_new(16 << 20);
    struct assignment *assignments = arena_array(arena, (size_t)count, sizeof *assignments);
    struct desired desired = {.revision = 1, .complete = true, .assignments = assignments};

    for (int i = 0; i < count; i++) {
        char uid[ID_SIZE];
        assignments[desired.assignments_count++] = (struct assignment){
            .uid = arena_text(arena, uid_of(i, uid)), .incarnation = 1, .wanted = WANTED_STOP};
    }
    agent_take_desired(agent, 0, &desired);
}

/* Plans and microseconds of the loop for one change of one group. */
static void measure(int count, int64_t *plans_each, double *us_each)
{
    static const struct act acts[] = {{ACT_END, UNTIL_NOW}};
    char uid[ID_SIZE];

    node_begin(&(struct script){RESTART_ALWAYS, acts, 0});
    struct agent *agent = node_agent_new();
    node_round(agent);
    double begun = cpu_us();
    order_stopped(agent, count);
    for (int i = 0; i < 20; i++)
        node_round(agent);
    double ordered = cpu_us();
    plans = 0;
    for (int i = 0; i < CHANGES; i++) {
        agent_changed(agent, agent_find(agent, uid_of(i * 7 % count, uid)));
        node_round(agent);
    }
    *us_each = (cpu_us() - ordered) / CHANGES;
    *plans_each = plans / CHANGES;
    printf("# %d groups: taking and telling all %.0f us, a change %.0f us, %lld plans\n", count,
           ordered - begun, *us_each, (long long)*plans_each);
    node_agent_free(agent);
    node_end();
}

TEST(a_change_among_a_thousand_groups_is_planned_like_one_among_ten)
{
    int64_t few, many;
    double us;

    measure(FEW, &few, &us);
    measure(MANY, &many, &us);
    assert_true(many <= few + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_among_a_thousand_groups_is_planned_like_one_among_ten),
    };

    return RUN_TESTS(tests);
}
