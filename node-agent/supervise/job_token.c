/* A group's identity on its node: where its containers ask for tokens, and a worker that fetches one from the plane. */
#include "node-agent/supervise/job_steps.h"

#include "base/log.h"
#include "node-agent/link/link.h"

enum {
    TOKEN_ANSWER_MAX = 65536,
    WORDS_MAX = 1024,
    STATUS_OK = 200,
    STATUS_BAD = 400,
    STATUS_AWAY = 503
};

struct fetching {
    struct work work;
    struct jobs *jobs;
    struct metadata_question *question;
};

static void fetching_drop(struct work *work)
{
    struct fetching *fetching = CONTAINER_OF(work, struct fetching, work);

    metadata_answer(fetching->question, STATUS_AWAY, NULL);
    free(fetching);
}

static const char *or_none(const char *text)
{
    return text[0] ? text : NULL;
}

static void refusal_print(const struct err *why, struct text *out)
{
    text_clear(out);
    text_add(out, "{\"error\":\"invalid_request\",\"error_description\":");
    text_add_json(out, why->text);
    text_add_char(out, '}');
}

static void fetching_run(struct work *work)
{
    struct fetching *fetching = CONTAINER_OF(work, struct fetching, work);
    struct metadata_question *question = fetching->question;
    AUTO(text) *out = text_new(TOKEN_ANSWER_MAX);
    struct token_ask ask = {
        .uid = question->uid,
        .resource = question->resource,
        .client_id = or_none(question->client_id),
        .principal_id = or_none(question->object_id),
        .resource_id = or_none(question->resource_id),
    };
    struct err err = {0};

    if (link_token(fetching->jobs->link, &ask, out, &err)) {
        metadata_answer(question, STATUS_OK, out->bytes);
    } else if (err.code == ERR_NODE_AWAY || err.code == ERR_NODE_EPOCH) {
        metadata_answer(question, STATUS_AWAY, NULL);
    } else {
        refusal_print(&err, out);
        metadata_answer(question, STATUS_BAD, text_ok(out) ? out->bytes : NULL);
    }
    free(fetching);
}

bool job_token_ask(void *context, struct metadata_question *question)
{
    struct jobs *jobs = context;
    struct fetching *fetching = calloc(1, sizeof *fetching);

    if (!fetching || !jobs->workers || !jobs->link) {
        free(fetching);
        return false;
    }
    fetching->work = (struct work){.run = fetching_run, .drop = fetching_drop};
    fetching->jobs = jobs;
    fetching->question = question;
    workers_submit(jobs->workers, &fetching->work);
    return true;
}

static bool has_identity(const struct assignment *assignment)
{
    const struct identity *identity = assignment->group ? assignment->group->identity : NULL;

    return identity && identity->type >= 0 && identity->type != IDENTITY_NONE;
}

bool job_identity_open(struct jobs *jobs, const char *uid, const struct assignment *assignment,
                       struct err *err)
{
    int fd;

    if (!has_identity(assignment))
        return true;
    return network_group_listen(jobs->parts.network, uid, METADATA_ADDRESS, METADATA_PORT, &fd,
                                err) &&
           metadata_open(jobs->metadata, uid, fd, err);
}
