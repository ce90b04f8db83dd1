/* The loop: take what arrived, plan each group, tell the plane, sleep until something happens. */
#include "node-agent/supervise/agent.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "node-agent/supervise/agent_state.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
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
    struct desired desired;
};
struct reported_message {
    struct message message;
    bool taken;
    struct report_answer answer;
    int64_t sent_boot_ns;
};

static void deliver_joined(void *agent, struct message *message)
{
    struct joined_message *joined = CONTAINER_OF(message, struct joined_message, message);

    agent_take_joined(agent, &joined->answer);
    free(joined);
}

static void on_joined(void *context, const struct join_answer *answer)
{
    struct agent *agent = context;
    struct joined_message *message = calloc(1, sizeof *message);

    if (!message)
        return;
    message->message.deliver = deliver_joined;
    message->answer = *answer;
    message->answer.node_id = message->answer.credential = NULL; /* end with the link's memory */
    inbox_put(&agent->inbox, &message->message);
}

static void deliver_desired(void *agent, struct message *message)
{
    struct desired_message *desired = CONTAINER_OF(message, struct desired_message, message);

    agent_take_desired(agent, desired->arena, &desired->desired);
    arena_free(desired->arena);
    free(desired);
}

static void on_desired(void *context, struct arena *arena, const struct desired *desired)
{
    struct agent *agent = context;
    struct desired_message *message = calloc(1, sizeof *message);

    if (!message) {
        arena_free(arena);
        return;
    }
    message->message.deliver = deliver_desired;
    message->arena = arena;
    message->desired = *desired;
    inbox_put(&agent->inbox, &message->message);
}

static void deliver_reported(void *agent, struct message *message)
{
    struct reported_message *reported = CONTAINER_OF(message, struct reported_message, message);

    agent_take_reported(agent, reported->taken ? &reported->answer : NULL, reported->sent_boot_ns);
    free(reported);
}

static void on_reported(void *context, const struct report_answer *answer, int64_t sent_boot_ns)
{
    struct agent *agent = context;
    struct reported_message *message = calloc(1, sizeof *message);

    if (!message)
        return;
    message->message.deliver = deliver_reported;
    message->taken = answer != NULL;
    if (answer)
        message->answer = *answer;
    message->sent_boot_ns = sent_boot_ns;
    inbox_put(&agent->inbox, &message->message);
}

/* ---- steps of a plan ---- */

static void step_run(struct hosted *group, struct job *job)
{
    struct member *member = &group->members[job->member];

    text_copy(job->member_name, sizeof job->member_name, member->name);
    job->once = group->policy == RESTART_NEVER;
    if (member->starts > 0) {
        member->previous = member->current;
        member->restarts++;
        metric_add(METRIC_container_restarts_total, 1);
    }
    job->restarts = member->restarts;
    member->phase = MEMBER_STARTING;
    member->current = (struct run){.exit_code = -1};
}

static void step_signal(struct hosted *group, struct job *job)
{
    int64_t now_ms = clock_now_ms();

    for (size_t i = 0; i < group->members_count && job->running_count < JOB_NAMES_MAX; i++) {
        struct member *member = &group->members[i];
        if (member->phase != MEMBER_RUNNING)
            continue;
        text_copy(job->running[job->running_count++].name, MEMBER_NAME_SIZE, member->name);
        happenings_add(&member->happenings, now_ms, false, "Killing", "Killing container %s",
                       member->name);
    }
    group->stage = STAGE_ENDING;
    group->ending_ms = steady_ms() + LIMIT_STOP_GRACE_MS;
}

static void step_begin(struct agent *agent, struct hosted *group)
{
    char path[PATH_SIZE];
    struct err err = {0};

    if (!hosted_begin(group, &err) ||
        !order_save(group->order, group_order_path(&agent->parts, group->uid, path), &err))
        log_failure("group_not_begun", &err);
    group->kept = false;
    agent_changed(agent, group);
}

static void step_submit(struct agent *agent, struct hosted *group, const struct plan *plan)
{
    struct job *job =
        job_new(&agent->jobs, plan->step, group->uid, group->incarnation, group->order);

    if (!job)
        return;
    job->done = agent_job_done;
    job->member = plan->member;
    job->keep_network = plan->keep_network;
    if (plan->step == PLAN_RUN)
        step_run(group, job);
    if (plan->step == PLAN_SIGNAL)
        step_signal(group, job);
    if (plan->step == PLAN_PREPARE) {
        group->preparing = true;
        job->cancel_fd = group->cancel.fd;
    }
    group->busy++;
    agent_changed(agent, group);
    job_submit(job);
}

/* Until the group has nothing to do now. */
static void agent_advance(struct agent *agent, struct hosted *group)
{
    for (;;) {
        struct plan plan = plan_group(group, steady_ms(), agent->leased && !agent->fenced);
        if (plan.step == PLAN_NONE) {
            if (plan.wake_ms > 0 && (agent->wake_ms == 0 || plan.wake_ms < agent->wake_ms))
                agent->wake_ms = plan.wake_ms;
            return;
        }
        if (plan.step == PLAN_CANCEL) {
            bell_ring(&group->cancel);
            return;
        }
        if (plan.step == PLAN_BEGIN)
            step_begin(agent, group);
        else
            step_submit(agent, group, &plan);
    }
}

static void agent_advance_all(struct agent *agent)
{
    agent->wake_ms = 0;
    for (struct hosted **at = &agent->groups; *at;) {
        struct hosted *group = *at;
        agent_advance(agent, group);
        /* What never had an incarnation is never told. */
        bool taken = group->taken == group->changes || group->incarnation == 0;
        if (group->forgotten && group->busy == 0 && taken) {
            *at = group->next;
            hosted_free(group);
        } else {
            at = &group->next;
        }
    }
}

/* ---- the second ---- */

static size_t tick_fill(struct agent *agent, struct tick_container *containers)
{
    size_t count = 0;

    for (struct hosted *group = agent->groups; group; group = group->next) {
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

static void take_timer(struct agent *agent)
{
    uint64_t times;

    if (read(agent->timer_fd, &times, sizeof times) == sizeof times) {
        agent->told_due = true;
        agent->refused = false;
        agent_start_tick(agent);
    }
}

static void take_inbox(struct agent *agent)
{
    struct message *message;

    bell_wait(&agent->inbox.bell, 0);
    while ((message = inbox_take(&agent->inbox)))
        message->deliver(agent, message);
}

static int wait_ms(const struct agent *agent)
{
    if (agent->wake_ms == 0)
        return -1;
    int64_t left_ms = agent->wake_ms - steady_ms();
    return left_ms < 0 ? 0 : left_ms > TICK_MS ? TICK_MS : (int)left_ms;
}

bool agent_run(struct agent *agent, struct err *err)
{
    enum { STOP, TIMER, INBOX, EXITS, FENCE, FDS };

    for (;;) {
        struct pollfd fds[FDS] = {
            [STOP] = {.fd = agent->stop_fd, .events = POLLIN},
            [TIMER] = {.fd = agent->timer_fd, .events = POLLIN},
            [INBOX] = {.fd = agent->inbox.bell.fd, .events = POLLIN},
            [EXITS] = {.fd = runtime_exit_fd(agent->parts.runtime), .events = POLLIN},
            [FENCE] = {.fd = agent->fence ? fence_fd(agent->fence) : -1, .events = POLLIN},
        };
        agent_watch_lease(agent);
        agent_advance_all(agent);
        agent_tell(agent);
        if (poll(fds, FDS, wait_ms(agent)) < 0 && errno != EINTR)
            return err_set_os(err, ERR_IO, errno, "the agent's loop cannot wait");
        if (fds[STOP].revents)
            return true;
        if (fds[TIMER].revents)
            take_timer(agent);
        if (fds[INBOX].revents)
            take_inbox(agent);
        if (fds[EXITS].revents)
            agent_take_exits(agent);
        if (fds[FENCE].revents && !fence_restart(agent->fence, err))
            log_failure("fence_not_restarted", err);
    }
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
    agent->timer_fd = agent->stop_fd = -1;
    agent->beat_ms = LIMIT_NODE_BEAT_MS;
    if (!inbox_init(&agent->inbox, err) || !timer_start(agent, err) || !agent_recover(agent, err))
        return NULL;
    agent->jobs = (struct jobs){.parts = *parts, .inbox = &agent->inbox};
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
    for (struct hosted *group = agent->groups; group; group = group->next)
        bell_ring(&group->cancel);
    workers_free(agent->jobs.workers);
    agent->jobs.workers = NULL; /* what is delivered below starts nothing any more */
    link_free(agent->jobs.link);
    /* Outcomes that nobody took are on disk and in the kernel: the next agent finds them. */
    while (agent->inbox.bell.fd > 0 && (message = inbox_take(&agent->inbox)))
        message->deliver(agent, message);
    while (agent->groups) {
        struct hosted *group = agent->groups;
        agent->groups = group->next;
        hosted_free(group);
    }
    fence_free(agent->fence);
    inbox_done(&agent->inbox);
    auto_close_fd(&agent->timer_fd);
    auto_close_fd(&agent->stop_fd);
    free(agent);
}
