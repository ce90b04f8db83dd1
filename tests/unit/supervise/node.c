#include "tests/unit/supervise/node.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "node-agent/runtime/fake.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

enum { ROUNDS_MAX = 2000, ROUND_MS = 100 };

struct node *node;

/* Thousands of agents are forked, each to live for a moment: what a sanitizer writes to in each of them is what takes
 * the time. Freed memory is kept aside for a while still; ASAN_OPTIONS overrules. */
const char *
__asan_default_options(void); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
const char *
__asan_default_options(void) /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
{
    return "quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_size=2:"
           "max_malloc_fill_size=64";
}

/* ---- time ---- */

static int64_t wall_now(void *context UNUSED)
{
    return node->now_ms;
}

static int64_t boot_now(void *context UNUSED)
{
    return (node->now_ms - (NODE_START_S - 1000) * INT64_C(1000)) * 1000000;
}

void node_pass(int64_t seconds)
{
    node->now_ms += seconds * 1000;
}

void node_moment(const char *what)
{
    bool named = node->kill_at_name && strcmp(what, node->kill_at_name) == 0;

    if (++node->moments != node->kill_at && !named)
        return;
    text_copy(node->killed_at, sizeof node->killed_at, what);
    kill(getpid(), SIGKILL);
}

/* ---- an agent ---- */

static struct meter *meter_of_node(void)
{
    char folder[80];
    struct err err = {0};
    struct meter_options options = {.folder = folder, .boot_id = "boot"};

    text_format(folder, sizeof folder, "%s/meter", node->folder);
    struct meter *meter = meter_open(&options, &err);
    if (!meter)
        fail_msg("%s", err.text);
    return meter;
}

struct agent *node_agent_new(void)
{
    static struct node_capacity capacity = {4000, 4000};
    struct itimerspec never = {0};
    struct err err = {0};
    struct agent_parts parts = {.runtime = node->runtime,
                                .meter = meter_of_node(),
                                .state_dir = node->folder,
                                .run_dir = node->folder,
                                .join = {.capacity = &capacity},
                                .images_collect_ms = 60000,
                                .stop_grace_ms = LIMIT_STOP_GRACE_MS,
                                .pace = restart_pace_usual};
    struct agent *agent = agent_new(&parts, &err);

    if (!agent)
        print_error("%s\n", err.text);
    CHECK(agent);
    timerfd_settime(agent->timer_fd, 0, &never, NULL); /* seconds pass by the test's clock */
    fakes_tell_joined();
    return agent;
}

void node_agent_free(struct agent *agent)
{
    struct meter *meter = agent->parts.meter;

    agent_free(agent);
    meter_free(meter);
}

void node_round(struct agent *agent)
{
    bool stopping;
    struct err err = {0};

    if (!agent_round(agent, 0, &stopping, &err))
        fail_msg("%s", err.text);
    fakes_work();
    fakes_tell_reported();
    plane_end_init();
    node->now_ms += ROUND_MS;
    if (node->now_ms % 1000 == 0)
        agent_second(agent);
}

static void agent_live(void)
{
    struct agent *agent = node_agent_new();

    plane_advance();
    fakes_tell_desired();
    for (int round = 0; round < ROUNDS_MAX && !node->played; round++) {
        node_round(agent);
        if (plane_advance())
            fakes_tell_desired();
    }
    if (!node->played)
        text_format(node->fault, sizeof node->fault,
                    "act %d never came about: incarnation %lld is %d, released %d", node->step,
                    (long long)node->incarnation, (int)node->seen[node->incarnation].state,
                    node->seen[node->incarnation].released);
    node->kill_at = 0;
    node->kill_at_name = NULL;
    for (int round = 0; round < 20; round++) /* what is left to be told */
        node_round(agent);
    node_agent_free(agent);
}

static bool live_in_a_child(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        agent_live();
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 0)
        fail_msg("an agent ended with %d", WEXITSTATUS(status));
    return WIFSIGNALED(status);
}

/* One that is not to be killed lives here: a fork costs more than a life. */
bool node_live(int64_t kill_at)
{
    node->moments = 0;
    node->kill_at = kill_at;
    if (kill_at > 0 || node->kill_at_name)
        return live_in_a_child();
    agent_live();
    return false;
}

/* ---- the node ---- */

void node_begin(const struct script *script)
{
    static const struct clock_source source = {wall_now, boot_now, NULL};

    log_configure(getenv("BERTH_TEST_DEBUG") ? LOG_DEBUG : LOG_ERROR, false);
    node = mmap(NULL, sizeof *node, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(node != MAP_FAILED);
    *node = (struct node){.script = *script, .now_ms = NODE_START_S * INT64_C(1000)};
    text_copy(node->folder, sizeof node->folder, "/dev/shm/berth-supervise-XXXXXX");
    assert_non_null(mkdtemp(node->folder));
    node->runtime = fake_runtime_new();
    clock_replace(&source);
}

void node_end(void)
{
    struct err err = {0};

    clock_replace(NULL);
    runtime_free(node->runtime);
    node->kill_at = 0;
    assert_true(file_remove_tree(node->folder, &err));
    munmap(node, sizeof *node);
}
