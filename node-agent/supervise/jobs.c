/* How jobs travel, and where a group's files are. The steps themselves: job_prepare.c, job_run.c, job_clear.c. */
#include "node-agent/supervise/jobs.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "model/group_check.h"
#include "node-agent/link/link.h"
#include "node-agent/supervise/job_steps.h"

const char *group_folder(const struct agent_parts *parts, const char *uid, char out[PATH_SIZE])
{
    text_format(out, PATH_SIZE, "%s/groups/%s", parts->state_dir, uid);
    return out;
}

const char *group_order_path(const struct agent_parts *parts, const char *uid, char out[PATH_SIZE])
{
    text_format(out, PATH_SIZE, "%s/orders/%s.json", parts->run_dir, uid);
    return out;
}

const char *group_newest_path(const struct agent_parts *parts, const char *uid, char out[PATH_SIZE])
{
    text_format(out, PATH_SIZE, "%s/orders/%s.newest.json", parts->run_dir, uid);
    return out;
}

static void job_free(struct job *job)
{
    order_free(job->order);
    free(job);
}

static void job_deliver(void *agent, struct message *message)
{
    struct job *job = CONTAINER_OF(message, struct job, message);

    job->done(agent, job);
    job_free(job);
}

static void job_execute(struct work *work)
{
    struct job *job = CONTAINER_OF(work, struct job, work);
    int64_t begun_ns = clock_boot_ns();

    switch (job->step) {
    case PLAN_PREPARE:
        job->ok = job_prepare(job, &job->err);
        break;
    case PLAN_RUN:
        job->ok = job_run(job, &job->err);
        break;
    case PLAN_OPEN:
        job->ok = job_network_open(job, &job->err);
        break;
    case PLAN_KILL:
    case PLAN_SIGNAL:
        job->ok = job_signal(job, &job->err);
        break;
    case PLAN_CLEAR:
        job->ok = job_clear(job, &job->err);
        break;
    case PLAN_FORGET:
        job->ok = job_forget(job, &job->err);
        break;
    case PLAN_NONE:
    case PLAN_BEGIN:
    case PLAN_CANCEL:
        break;
    }
    log_debug("job_done", "group=%s step=%d member=%s ok=%d us=%lld", job->uid, (int)job->step,
              job->member_name, job->ok, (long long)((clock_boot_ns() - begun_ns) / 1000));
    inbox_put(job->jobs->inbox, &job->message);
}

static void job_drop(struct work *work)
{
    job_free(CONTAINER_OF(work, struct job, work));
}

struct job *job_new(struct jobs *jobs, enum plan_step step, const char *uid, int64_t incarnation,
                    struct order *order)
{
    struct job *job = calloc(1, sizeof *job);

    if (!job)
        return NULL;
    job->work = (struct work){.run = job_execute, .drop = job_drop};
    job->message.deliver = job_deliver;
    job->jobs = jobs;
    job->step = step;
    text_copy(job->uid, sizeof job->uid, uid);
    job->incarnation = incarnation;
    job->order = order ? order_hold(order) : NULL;
    job->cancel_fd = -1;
    return job;
}

void job_submit(struct job *job)
{
    workers_submit(job->jobs->workers, &job->work);
}

/* ---- questions ---- */

struct asking {
    struct work work;
    struct jobs *jobs;
    char id[ID_SIZE], uid[ID_SIZE], container[MEMBER_NAME_SIZE];
    int64_t tail, bytes_max;
    bool timestamps, previous;
};

static void asking_drop(struct work *work)
{
    free(CONTAINER_OF(work, struct asking, work));
}

static size_t json_size(const struct text *text)
{
    size_t size = text->size;

    for (size_t i = 0; i < text->size; i++)
        size += (unsigned char)text->bytes[i] < 0x20
                    ? 5
                    : text->bytes[i] == '"' || text->bytes[i] == '\\';
    return size;
}

/* What does not fit a message, because of all that has to be escaped in it, loses more of its beginning. */
static bool log_read(const char *path, const struct runtime_log_query *query, struct text *content,
                     struct err *err)
{
    struct runtime_log_query less = *query;

    if (less.bytes_max <= 0)
        less.bytes_max = LIMIT_LOG_ANSWER_MAX;
    for (;; less.bytes_max /= 2) {
        text_clear(content);
        if (!runtime_log_read(path, &less, content, err))
            return false;
        if (json_size(content) < (size_t)LIMIT_LINK_MESSAGE_MAX - 4096)
            return true;
    }
}

static void asking_run(struct work *work)
{
    struct asking *asking = CONTAINER_OF(work, struct asking, work);
    AUTO(text) *content = text_new((size_t)LIMIT_LINK_MESSAGE_MAX);
    struct runtime_log_query query = {
        .tail = asking->tail, .bytes_max = asking->bytes_max, .timestamps = asking->timestamps};
    struct answer answer = {0};
    struct err err = {0};
    char folder[PATH_SIZE], log[PATH_SIZE], path[PATH_SIZE];

    group_folder(&asking->jobs->parts, asking->uid, folder);
    text_format(log, sizeof log, "%s/logs/%s.log", folder, asking->container);
    if (!asking->previous)
        text_copy(path, sizeof path, log);
    else if (!runtime_log_previous(log, path, sizeof path))
        path[0] = '\0';
    if (log_read(path, &query, content, &err)) {
        answer.content = content->bytes ? content->bytes : "";
    } else {
        answer.error_code = err_code_name(ERR_LOG_NOT_AVAILABLE);
        answer.error_text = err.text;
    }
    if (!link_answer(asking->jobs->link, asking->id, &answer, &err))
        log_debug("answer_refused", "text=%s", LOG_QUOTE(err.text));
    free(asking);
}

void job_answer(struct jobs *jobs, const struct question *question)
{
    if (question->kind != QUESTION_LOGS) {
        job_stream(jobs, question);
        return;
    }
    struct asking *asking = calloc(1, sizeof *asking);

    if (!asking || !jobs->workers || !question->uid || !id_valid(question->uid) ||
        !question->container || !container_name_valid(question->container)) {
        free(asking);
        return;
    }
    asking->work = (struct work){.run = asking_run, .drop = asking_drop};
    asking->jobs = jobs;
    text_copy(asking->id, sizeof asking->id, question->id);
    text_copy(asking->uid, sizeof asking->uid, question->uid);
    text_copy(asking->container, sizeof asking->container, question->container);
    asking->tail = question->tail.given == GIVEN_VALUE ? question->tail.value : -1;
    asking->timestamps = question->timestamps;
    asking->previous = question->previous;
    asking->bytes_max = question->bytes_max;
    workers_submit(jobs->workers, &asking->work);
}
