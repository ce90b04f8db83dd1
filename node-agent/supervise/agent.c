/* The loop: take what arrived, plan each group, tell the plane, sleep until something happens. */
#include "node-agent/supervise/agent.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "node-agent/supervise/agent_state.h"
#include "node-agent/supervise/job_steps.h"
#include "node-agent/supervise/probing.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

enum { TICK_MS = 1000 };

void (*job_progress)(void *agent, struct message *message) = agent_progress;

/* ---- link events: from its threads into the inbox ---- */

struct joined_message {
    struct message message;
    struct join_answer answer;
};
struct desired_message {
    struct message message;
    struct arena *arena;
    int64_t after;
    struct desired desired;
};

static void deliver_joined(void *agent, struct message *message)
{
    struct joined_message *joined = CONTAINER_OF(message, struct joined_message, message);

    agent_take_joined(agent, &joined->answer);
    free(joined);
}

static bool on_joined(void *context, const struct join_answer *answer)
{
    struct agent *agent = context;
    struct joined_message *message = calloc(1, sizeof *message);

    if (!message)
        return false;
    message->message.deliver = deliver_joined;
    message->answer = *answer;
    message->answer.node_id = message->answer.credential = NULL; /* end with the link's memory */
    inbox_put(&agent->inbox, &message->message);
    return true;
}

static void deliver_desired(void *agent, struct message *message)
{
    struct desired_message *desired = CONTAINER_OF(message, struct desired_message, message);

    agent_take_desired(agent, desired->after, &desired->desired);
    arena_free(desired->arena);
    free(desired);
}

static bool on_desired(void *context, struct arena *arena, int64_t after,
                       const struct desired *desired)
{
    struct agent *agent = context;
    struct desired_message *message = calloc(1, sizeof *message);

    if (!message) {
        arena_free(arena);
        return false;
    }
    message->message.deliver = deliver_desired;
    message->arena = arena;
    message->after = after;
    message->desired = *desired;
    inbox_put(&agent->inbox, &message->message);
    return true;
}

static void deliver_reported(void *agent, struct message *message)
{
    struct reported_message *reported = CONTAINER_OF(message, struct reported_message, message);

    agent_take_reported(agent, reported->taken ? &reported->answer : NULL, reported->sent_boot_ns);
}

static void on_reported(void *context, const struct report_answer *answer, int64_t sent_boot_ns)
{
    struct agent *agent = context;
    struct reported_message *message = &agent->reported;

    *message = (struct reported_message){
        .message.deliver = deliver_reported, .taken = answer != NULL, .sent_boot_ns = sent_boot_ns};
    if (answer)
        message->answer = *answer;
    inbox_put(&agent->inbox, &message->message);
}

/* ---- the second ---- */

static size_t tick_fill(struct agent *agent, struct tick_container *containers)
{
    size_t count = 0;

    for (struct hosted *group = agent->groups.first; group; group = group->next) {
        bool first = true;
        for (size_t i = 0; i < group->members_count; i++) {
            if (group->members[i].phase != MEMBER_RUNNING)
                continue;
            if (containers) {
                struct tick_container *container = &containers[count];
                text_copy(container->uid, sizeof container->uid, group->uid);
                text_copy(container->name, sizeof container->name, group->members[i].name);
                container->incarnation = group->incarnation;
                container->first = first;
            }
            first = false;
            count++;
        }
    }
    return count;
}

void agent_start_tick(struct agent *agent)
{
    struct tick *tick;

    if (agent->ticking || !agent->jobs.workers || !(tick = calloc(1, sizeof *tick)))
        return;
    size_t count = tick_fill(agent, NULL);
    metric_set(METRIC_containers_running, (int64_t)count);
    tick->containers = calloc(count + 1, sizeof *tick->containers);
    if (!tick->containers) {
        tick_free(tick);
        return;
    }
    tick->count = tick_fill(agent, tick->containers);
    tick->jobs = &agent->jobs;
    tick->done = agent_tick_done;
    tick->collect = ++agent->ticks % (agent->parts.images_collect_ms / TICK_MS + 1) == 0;
    agent->ticking = true;
    tick_submit(tick);
}

/* ---- the loop ---- */

void agent_second(struct agent *agent)
{
    agent->told_due = true;
    agent->refused = false;
    agent_look_again(agent);
    agent_ask_again(agent);
    agent_leave_disks(agent);
    agent_settle(agent);
    agent_start_tick(agent);
}

static void take_timer(struct agent *agent)
{
    uint64_t times;

    if (read(agent->timer_fd, &times, sizeof times) == sizeof times)
        agent_second(agent);
}

static void take_inbox(struct agent *agent)
{
    struct message *message;

    bell_wait(&agent->inbox.bell, 0);
    while ((message = inbox_take(&agent->inbox)))
        message->deliver(agent, message);
}

static int wait_ms(const struct agent *agent, int wait_max_ms)
{
    if (agent->wake_ms == 0)
        return wait_max_ms;
    int64_t left_ms = agent->wake_ms - steady_ms();
    return left_ms < 0 ? 0 : left_ms > wait_max_ms ? wait_max_ms : (int)left_ms;
}

bool agent_round(struct agent *agent, int wait_max_ms, bool *stopping, struct err *err)
{
    enum { STOP, TIMER, INBOX, EXITS, FENCE, FDS };
    struct pollfd fds[FDS] = {
        [STOP] = {.fd = agent->stop_fd, .events = POLLIN},
        [TIMER] = {.fd = agent->timer_fd, .events = POLLIN},
        [INBOX] = {.fd = agent->inbox.bell.fd, .events = POLLIN},
        [EXITS] = {.fd = runtime_exit_fd(agent->parts.runtime), .events = POLLIN},
    };

    agent_watch_lease(agent);
    agent_advance_due(agent);
    agent_tell(agent);
    fds[FENCE] =
        (struct pollfd){.fd = agent->fence ? fence_fd(agent->fence) : -1, .events = POLLIN};
    if (poll(fds, FDS, wait_ms(agent, wait_max_ms)) < 0 && errno != EINTR)
        return err_set_os(err, ERR_IO, errno, "the agent's loop cannot wait");
    *stopping = fds[STOP].revents != 0;
    if (fds[TIMER].revents)
        take_timer(agent);
    if (fds[INBOX].revents)
        take_inbox(agent);
    if (fds[EXITS].revents)
        agent_take_exits(agent);
    struct err dead = {0};
    if (fds[FENCE].revents && !fence_restart(agent->fence, &dead))
        log_failure("fence_not_restarted", &dead);
    return true;
}

bool agent_run(struct agent *agent, struct err *err)
{
    bool stopping = false;

    while (!stopping) {
        if (!agent_round(agent, TICK_MS, &stopping, err))
            return false;
    }
    return true;
}

void agent_stop(struct agent *agent)
{
    uint64_t one = 1;

    if (write(agent->stop_fd, &one, sizeof one) < 0)
        return; /* the counter is full: it was asked already */
}

static bool timer_start(struct agent *agent, struct err *err)
{
    struct itimerspec each_second = {{1, 0}, {0, 1}};

    agent->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    agent->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (agent->timer_fd < 0 || agent->stop_fd < 0 ||
        timerfd_settime(agent->timer_fd, 0, &each_second, NULL) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make the agent's timer");
    return true;
}

struct agent *agent_new(const struct agent_parts *parts, struct err *err)
{
    AUTO(agent) *agent = calloc(1, sizeof *agent);

    if (!agent) {
        err_set(err, ERR_BUSY, "no memory for the agent");
        return NULL;
    }
    agent->parts = *parts;
    agent->groups.pace = &agent->parts.pace;
    agent->timer_fd = agent->stop_fd = -1;
    agent->beat_ms = LIMIT_NODE_BEAT_MS;
    agent->jobs = (struct jobs){.parts = *parts, .inbox = &agent->inbox};
    if (!inbox_init(&agent->inbox, err) || !timer_start(agent, err) ||
        !(agent->jobs.metadata = metadata_new(job_token_ask, &agent->jobs, err)) ||
        !agent_prober_new(agent, err) || !agent_recover(agent, err))
        return NULL;
    text_format(agent->identity_path, sizeof agent->identity_path, "%s/node.json",
                parts->state_dir);
    struct link_options options = {
        .plane_url = parts->plane_url,
        .plane_ca_file = parts->plane_ca_file,
        .join_token = parts->join_token,
        .identity_path = agent->identity_path,
        .join = parts->join,
        .events = {on_joined, on_desired, on_reported, agent},
    };
    agent->jobs.workers = workers_new(parts->workers_max, err);
    if (!agent->jobs.workers || !(agent->jobs.link = link_new(&options, err)))
        return NULL;
    return TAKE(agent);
}

void agent_free(struct agent *agent)
{
    struct message *message;

    if (!agent)
        return;
    for (struct hosted *group = agent->groups.first; group; group = group->next)
        bell_ring(&group->cancel);
    workers_free(agent->jobs.workers);
    agent->jobs.workers = NULL;          /* what is delivered below starts nothing any more */
    metadata_free(agent->jobs.metadata); /* its questions were answered with the workers */
    link_free(agent->jobs.link);
    prober_free(agent->prober);
    agent->prober = NULL;
    /* Outcomes that nobody took are on disk and in the kernel: the next agent finds them. */
    while (agent->inbox.bell.fd > 0 && (message = inbox_take(&agent->inbox)))
        message->deliver(agent, message);
    groups_done(&agent->groups);
    fence_free(agent->fence);
    inbox_done(&agent->inbox);
    auto_close_fd(&agent->timer_fd);
    auto_close_fd(&agent->stop_fd);
    free(agent);
}
