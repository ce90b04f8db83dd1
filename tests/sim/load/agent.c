#include "tests/sim/load/agent.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

#include <string.h>

enum { MS = 1000000, PATH_SIZE = 128, HEADERS_SIZE = 256, RETRY_MS = 300 };

bool agent_init(struct agent *agent, struct load *load, const char *prefix, size_t number)
{
    *agent = (struct agent){.load = load};
    text_format(agent->name, sizeof agent->name, "%s%zu", prefix, number);
    agent->statuses = text_new(LIMIT_LINK_MESSAGE_MAX);
    agent->intervals = text_new(LIMIT_LINK_MESSAGE_MAX);
    return wire_init(&agent->beat, agent) && wire_init(&agent->poll, agent) && agent->statuses &&
           agent->intervals;
}

void agent_done(struct agent *agent)
{
    wire_done(&agent->beat);
    wire_done(&agent->poll);
    text_free(agent->statuses);
    text_free(agent->intervals);
    free(agent->runs);
}

/* ---- requests ---- */

static bool ask(struct agent *agent, struct wire *wire, const char *method, const char *path,
                const struct text *body)
{
    char headers[HEADERS_SIZE];
    text_format(headers, sizeof headers, "Authorization: Bearer %s\r\n" LINK_NODE_HEADER ": %s\r\n",
                agent->credential, agent->id);
    return wire_send(wire, agent->load->epoll_fd, &agent->load->plane, method, path, headers,
                     body ? body->bytes : NULL, body ? body->size : 0);
}

static void join(struct agent *agent)
{
    char headers[HEADERS_SIZE];
    struct load *load = agent->load;
    struct join_request request = {.name = agent->name,
                                   .node_id = agent->id[0] ? agent->id : NULL,
                                   .credential = agent->id[0] ? agent->credential : NULL,
                                   .boot_id = "sim",
                                   .location = load->location,
                                   .os = "Linux",
                                   .architecture = "amd64",
                                   .address = "127.0.0.1",
                                   .version = "sim",
                                   .capacity = &load->capacity};
    AUTO(text) *body = text_new(4096);
    fields_print(&join_request_schema, &request, FIELDS_WITH_SECRETS, body, NULL);
    text_format(headers, sizeof headers, "Authorization: Bearer %s\r\n", load->join_token);
    if (text_ok(body))
        wire_send(&agent->beat, load->epoll_fd, &load->plane, "POST", "/v1/agent/join", headers,
                  body->bytes, body->size);
}

static void report(struct agent *agent)
{
    AUTO(text) *body = text_new(LIMIT_LINK_MESSAGE_MAX);
    agent->told_statuses = agent->statuses->size;
    agent->told_intervals = agent->intervals->size;
    text_addf(body, "{\"epoch\":%lld,\"sequence\":%lld,\"watermark\":%lld", (long long)agent->epoch,
              (long long)++agent->sequence, (long long)(clock_now_ms() / 1000));
    if (agent->told_statuses > 0)
        text_addf(body, ",\"statuses\":[%s]", agent->statuses->bytes);
    if (agent->told_intervals > 0)
        text_addf(body, ",\"intervals\":[%s]", agent->intervals->bytes);
    text_add_char(body, '}');
    if (text_ok(body))
        ask(agent, &agent->beat, "POST", "/v1/agent/report", body);
}

static void poll_desired(struct agent *agent)
{
    char path[PATH_SIZE];
    text_format(path, sizeof path, "/v1/agent/desired?epoch=%lld&after=%lld",
                (long long)agent->epoch, (long long)agent->after);
    ask(agent, &agent->poll, "GET", path, NULL);
}

/* ---- groups ---- */

static struct run *run_of(struct agent *agent, const char *uid)
{
    for (size_t i = 0; i < agent->runs_count; i++)
        if (strcmp(agent->runs[i].uid, uid) == 0)
            return &agent->runs[i];
    if (agent->runs_count == agent->runs_max) {
        size_t wanted = agent->runs_max ? agent->runs_max * 2 : 16;
        struct run *runs = realloc(agent->runs, wanted * sizeof *runs);
        if (!runs)
            return NULL;
        agent->runs = runs;
        agent->runs_max = wanted;
    }
    struct run *run = &agent->runs[agent->runs_count++];
    *run = (struct run){0};
    text_copy(run->uid, sizeof run->uid, uid);
    return run;
}

static void tell_interval(struct agent *agent, const struct run *run, int64_t to_s)
{
    text_addf(agent->intervals,
              "%s{\"uid\":\"%s\",\"incarnation\":%lld,\"from\":%lld,\"to\":%lld,\"cpuMilli\":%lld,"
              "\"memoryMib\":%lld}",
              agent->intervals->size > 0 ? "," : "", run->uid, (long long)run->incarnation,
              (long long)run->from_s, (long long)to_s, (long long)run->held.cpu_milli,
              (long long)run->held.memory_mib);
}

static struct container_status *containers_of(struct agent *agent,
                                              const struct container_group *group, size_t *count)
{
    struct arena *arena = agent->load->arena;
    *count = group && group->properties ? group->properties->containers_count : 0;
    struct container_status *statuses = arena_array(arena, *count + 1, sizeof *statuses);
    char *now = arena_alloc(arena, CLOCK_TEXT_SIZE);
    if (!statuses || !now) {
        *count = 0;
        return statuses;
    }
    clock_text(clock_now_ms(), now);
    for (size_t i = 0; i < *count; i++) {
        statuses[i].name = group->properties->containers[i].name;
        statuses[i].view = ARENA_NEW(arena, struct container_view);
        if (statuses[i].view)
            statuses[i].view->current_state = ARENA_NEW(arena, struct container_state);
        if (statuses[i].view && statuses[i].view->current_state)
            *statuses[i].view->current_state =
                (struct container_state){.state = "Running", .start_time = now};
    }
    return statuses;
}

static void tell_status(struct agent *agent, const struct run *run,
                        const struct assignment *assignment)
{
    bool runs = assignment->wanted == WANTED_RUN;
    struct group_status status = {.uid = run->uid,
                                  .incarnation = run->incarnation,
                                  .state = runs ? GROUP_RUNNING : GROUP_STOPPED,
                                  .provisioned = runs,
                                  .released = !runs,
                                  .removed = assignment->wanted == WANTED_REMOVE,
                                  .address = runs ? "10.0.0.2" : NULL};
    if (runs)
        status.containers = containers_of(agent, assignment->group, &status.containers_count);
    if (agent->statuses->size > 0)
        text_add_char(agent->statuses, ',');
    fields_print(&group_status_schema, &status, FIELDS_ALL, agent->statuses, NULL);
}

static void take(struct agent *agent, const struct assignment *assignment)
{
    struct run *run = run_of(agent, assignment->uid);
    int64_t now_s = clock_now_ms() / 1000;
    if (!run || assignment->incarnation < run->incarnation)
        return;
    bool same = assignment->incarnation == run->incarnation;
    if (run->holds && !(same && assignment->wanted == WANTED_RUN)) {
        tell_interval(agent, run, now_s > run->from_s ? now_s : run->from_s + 1);
        run->holds = false;
        agent->load->running--;
    }
    run->incarnation = assignment->incarnation;
    if (assignment->wanted == WANTED_RUN && !run->holds) {
        run->holds = true;
        run->from_s = now_s;
        run->held = (struct node_capacity){assignment->cpu_milli, assignment->memory_mib};
        tell_interval(agent, run, 0);
        agent->load->running++;
    }
    tell_status(agent, run, assignment);
    if (assignment->wanted == WANTED_REMOVE)
        *run = agent->runs[--agent->runs_count];
}

/* ---- answers ---- */

static void taken_join(struct agent *agent, const char *body, size_t size, struct err *err)
{
    struct join_answer answer;
    if (!fields_read(&join_answer_schema, body, size, agent->load->arena, &answer, err))
        return;
    text_copy(agent->id, sizeof agent->id, answer.node_id);
    if (answer.credential && answer.credential[0])
        text_copy(agent->credential, sizeof agent->credential, answer.credential);
    agent->epoch = answer.epoch;
    agent->after = 0;
    agent->load->joined += !agent->joined;
    agent->joined = true;
}

static void drop_told(struct text *text, size_t told)
{
    size_t from = told < text->size ? told + 1 : told; /* and the comma */
    memmove(text->bytes, text->bytes + from, text->size - from + 1);
    text->size -= from;
}

static void note_latency(struct load *load, int64_t ns)
{
    if (load->report_us_count < load->report_us_max)
        load->report_us[load->report_us_count++] = (int32_t)(ns / 1000);
}

static void taken_report(struct agent *agent)
{
    note_latency(agent->load, clock_boot_ns() - agent->beat.begun_ns);
    if (agent->told_statuses > 0)
        drop_told(agent->statuses, agent->told_statuses);
    if (agent->told_intervals > 0)
        drop_told(agent->intervals, agent->told_intervals);
    agent->told_statuses = agent->told_intervals = 0;
    agent->load->reports++;
}

static void taken_desired(struct agent *agent, const char *body, size_t size, struct err *err)
{
    struct desired desired;
    if (!fields_read(&desired_schema, body, size, agent->load->arena, &desired, err))
        return;
    for (size_t i = 0; i < desired.assignments_count; i++)
        take(agent, &desired.assignments[i]);
    agent->after = desired.revision;
    agent->load->polls++;
    if (desired.assignments_count > 0)
        agent->next_beat_ns = 0; /* news are told at once */
}

static void retry_later(struct agent *agent)
{
    agent->next_beat_ns = agent->next_poll_ns = clock_boot_ns() + RETRY_MS * (int64_t)MS;
}

/* The plane does not know this epoch any more, or is not there: join again. */
static void refused(struct agent *agent, int status)
{
    agent->load->refused++;
    if (status == 409 || status == 401 || status == 404) {
        agent->load->joined -= agent->joined;
        agent->joined = false;
    }
    retry_later(agent);
}

void agent_event(struct agent *agent, struct wire *wire)
{
    int status;
    const char *body;
    size_t size;
    struct err err = {0};
    switch (wire_move(wire, &status, &body, &size)) {
    case WIRE_WAITS:
        return;
    case WIRE_BROKEN:
        agent->load->broken++;
        retry_later(agent);
        return;
    case WIRE_ANSWERED:
        break;
    }
    arena_reset(agent->load->arena);
    if (status >= 300)
        refused(agent, status);
    else if (wire == &agent->poll)
        taken_desired(agent, body, size, &err);
    else if (!agent->joined)
        taken_join(agent, body, size, &err);
    else
        taken_report(agent);
    if (err.code != ERR_OK)
        log_failure("answer_not_understood", &err);
    agent_tick(agent, clock_boot_ns());
}

void agent_tick(struct agent *agent, int64_t now_ns)
{
    if (!agent->beat.busy && now_ns >= agent->next_beat_ns) {
        agent->next_beat_ns = now_ns + agent->load->beat_ms * MS;
        if (agent->joined)
            report(agent);
        else
            join(agent);
    }
    if (agent->joined && !agent->poll.busy &&
        now_ns + agent->load->beat_ms * MS >= agent->next_beat_ns)
        poll_desired(agent);
}
