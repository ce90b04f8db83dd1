/* The prober speaks on its own thread: what it says comes through the inbox. A run of a container is known to it by a
 * token, so that what is said of an earlier run is recognized. */
#include "node-agent/supervise/probing.h"

#include "base/clock.h"
#include "base/log.h"
#include "node-agent/supervise/health.h"

#include <signal.h>

enum { SERVE_AGAIN_MS = 1000 };

/* ---- commands, as the prober wants them ---- */

static void *command_begin(void *context, const char *uid, const char *container,
                           const struct text_list *command, struct err *err)
{
    return runtime_command_begin(context, uid, container, command, err);
}

static int command_fd(const void *running)
{
    return runtime_command_fd(running);
}

static bool command_ended(void *running, int *exit_code)
{
    return runtime_command_ended(running, exit_code);
}

static const char *command_output(const void *running)
{
    return runtime_command_output(running);
}

static void command_end(void *running)
{
    runtime_command_free(running);
}

/* ---- what is said ---- */

struct probe_message {
    struct message message;
    struct probe_news news;
};

static void deliver_probe(void *agent, struct message *message)
{
    struct probe_message *probe = CONTAINER_OF(message, struct probe_message, message);

    agent_take_probe(agent, &probe->news);
    free(probe);
}

static bool on_probe(void *context, const struct probe_news *news)
{
    struct agent *agent = context;
    struct probe_message *message = calloc(1, sizeof *message);

    if (!message)
        return false;
    message->message.deliver = deliver_probe;
    message->news = *news;
    inbox_put(&agent->inbox, &message->message);
    return true;
}

bool agent_prober_new(struct agent *agent, struct err *err)
{
    struct probe_commands commands = {
        .begin = command_begin,
        .fd = command_fd,
        .ended = command_ended,
        .output = command_output,
        .end = command_end,
        .context = agent->parts.runtime,
    };

    agent->prober = prober_new(&commands, on_probe, agent, err);
    return agent->prober != NULL;
}

/* ---- who is asked ---- */

static bool is_asked(const struct hosted *group, const struct member *member)
{
    return group->stage == STAGE_UP && member->phase == MEMBER_RUNNING && !member->health.failed;
}

/* The group's own on this node, which need not be the one that clients are told. */
static const char *address_of(struct agent *agent, const struct hosted *group,
                              struct network_group *network)
{
    bool is_up = network_group_find(agent->parts.network, group->uid, network);

    return is_up ? network->address : group->address;
}

static bool probe_one(struct agent *agent, const struct hosted *group, const struct member *member,
                      enum probe_kind kind, const struct probe *asked)
{
    struct network_group network;
    struct err err = {0};

    if (!asked || !agent->prober) /* the agent is ending */
        return true;
    int64_t running_ms = clock_now_ms() - member->current.started_ms;
    struct probe_spec spec = {
        .token = member->health.token,
        .kind = kind,
        .uid = group->uid,
        .container = member->name,
        .address = address_of(agent, group, &network),
        .asked = asked,
        .good = kind == PROBE_LIVENESS || member->health.ready,
        .running_ms = running_ms > 0 ? running_ms : 0, /* the clock may have been set */
    };
    if (prober_begin(agent->prober, &spec, &err))
        return true;
    log_failure("probe_not_begun", &err);
    return false;
}

static void probe_stop(struct agent *agent, struct member *member)
{
    if (agent->prober)
        prober_end(agent->prober, member->health.token);
    member->health.token = 0;
}

/* One that could not be begun is begun with the group's next change. */
static void probe_start(struct agent *agent, const struct hosted *group, struct member *member)
{
    const struct container_properties *container = health_container(group, member->name);

    if (!container || (!container->liveness && !container->readiness))
        return;
    member->health.token = ++agent->probes_begun;
    if (!probe_one(agent, group, member, PROBE_LIVENESS, container->liveness) ||
        !probe_one(agent, group, member, PROBE_READINESS, container->readiness))
        probe_stop(agent, member);
}

void agent_probe(struct agent *agent, struct hosted *group)
{
    for (size_t i = 0; i < group->members_count; i++) {
        struct member *member = &group->members[i];
        bool asked = is_asked(group, member);
        if (!asked && member->health.token != 0)
            probe_stop(agent, member);
        else if (asked && member->health.token == 0)
            probe_start(agent, group, member);
    }
}

/* ---- what follows ---- */

static void unhealthy(struct happenings *list, int64_t now_ms, const char *probe, const char *text)
{
    happenings_add(list, now_ms, true, "Unhealthy", "%s probe failed: %s", probe, text);
    happenings_trim(list, "Unhealthy", LIMIT_PROBE_EVENTS_MAX);
}

static void liveness_failed(struct hosted *group, struct member *member, int64_t now_ms)
{
    member->health.failed = true;
    member->health.kill_ms = 0;
    happenings_add(&member->happenings, now_ms, false, "Killing",
                   "Killing container %s: failed liveness probe, will %s", member->name,
                   group->policy == RESTART_NEVER ? "not be restarted" : "be restarted");
    log_info("liveness_failed", "group=%s container=%s", group->uid, member->name);
}

static void readiness_is(const struct hosted *group, struct member *member, bool ready)
{
    if (member->health.ready != ready)
        log_info("readiness_changed", "group=%s container=%s ready=%d", group->uid, member->name,
                 ready);
    member->health.ready = ready;
}

/* A failure may be the container's end, which is looked for first: it is not to blame its health for it. */
void agent_take_probe(struct agent *agent, const struct probe_news *news)
{
    struct hosted *group = agent_find(agent, news->uid);
    struct member *member = group ? hosted_member(group, news->container) : NULL;
    bool liveness = news->kind == PROBE_LIVENESS;

    if (!member || member->health.token != news->token || !is_asked(group, member))
        return;
    int64_t now_ms = clock_now_ms();
    bool failed = news->answer == PROBE_FAILED;
    if (!failed || !agent_look(agent, group, member)) {
        if (failed)
            unhealthy(&member->happenings, now_ms, liveness ? "Liveness" : "Readiness", news->text);
        if (!liveness)
            readiness_is(group, member, news->good);
        else if (!news->good)
            liveness_failed(group, member, now_ms);
    }
    agent_changed(agent, group);
}

/* ---- steps ---- */

/* First asked, then killed, and again as long as it runs. */
static void step_kill(struct hosted *group, struct job *job)
{
    struct member *member = &group->members[job->member];

    job->signal_number = member->health.kill_ms > 0 ? SIGKILL : 0;
    text_copy(job->running[job->running_count++].name, MEMBER_NAME_SIZE, member->name);
    member->health.ending = true;
    member->health.kill_ms = steady_ms() + LIMIT_STOP_GRACE_MS;
}

/* What is open is not known from here until the job has told: an agent that is killed meanwhile leaves it so. */
void probing_step(struct hosted *group, struct job *job)
{
    if (job->step == PLAN_KILL)
        step_kill(group, job);
    if (job->step != PLAN_OPEN)
        return;
    job->ready = health_ready(group);
    group->serving = true;
    group->served = SERVED_UNKNOWN;
}

void probing_done(struct agent *agent UNUSED, struct hosted *group, const struct job *job)
{
    if (!job->ok)
        log_failure(job->step == PLAN_KILL ? "container_not_ended" : "ports_not_changed",
                    &job->err);
    if (job->step == PLAN_KILL) {
        group->members[job->member].health.ending = false;
        return;
    }
    group->serving = false;
    group->served = job->ok ? job->ready : SERVED_UNKNOWN;
    group->serve_ms = job->ok ? 0 : steady_ms() + SERVE_AGAIN_MS;
}
