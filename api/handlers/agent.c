/* The nodes' link (model/link.h). The router has checked who calls: request->node_key and
 * node_epoch. */
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "base/log.h"
#include "base/metrics.h"

enum { QUESTIONS_MAX = 256 };

static bool print_secret(struct request *request, const struct schema *schema, const void *value)
{
    text_clear(request->out);
    fields_print(schema, value, FIELDS_WITH_SECRETS, request->out, NULL);
    return reply_json(request, 200);
}

/* ---- joining ---- */

struct joining {
    struct join_request asked;
    struct node_row row;
    const char *credential;
};

static bool join_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;
    struct joining *joining = request->data;

    joining->credential = NULL;
    return store_node_join(tx, &joining->asked, &joining->row, &joining->credential, request->arena,
                           err);
}

static bool join_done(struct request *request, struct err *err)
{
    const struct joining *joining = request->data;
    const struct api_hooks *hooks = &request->api->hooks;

    if (!wait_committed(request, err))
        return false;
    const struct join_answer answer = {
        .node_id = joining->row.id,
        .credential = joining->credential ? joining->credential : joining->asked.credential,
        .epoch = joining->row.epoch,
        .beat_ms = request->settings->beat_ms,
        .fence_ms = request->settings->fence_ms,
        .lost_ms = request->settings->lost_ms,
    };
    if (hooks->node_seen)
        hooks->node_seen(hooks->context, joining->row.key, joining->row.epoch);
    waits_node_joined(request->api->waits, joining->row.key);
    streams_node_joined(request->api->streams, joining->row.key);
    log_info("node_joined", "node=%s id=%s epoch=%lld", LOG_QUOTE(joining->asked.name),
             answer.node_id, (long long)answer.epoch);
    return print_secret(request, &join_answer_schema, &answer);
}

bool agent_join(struct request *request, struct err *err)
{
    struct joining *joining = ARENA_NEW(request->arena, struct joining);

    if (!joining)
        return request_full(err);
    request->data = joining;
    if (!request_read(request, &join_request_schema, &joining->asked, err))
        return false;
    if (!joining->asked.location || !joining->asked.location[0])
        joining->asked.location = request->settings->default_location;
    if (!joining->asked.location || !settings_location(request->settings, joining->asked.location))
        return err_set_field(err, ERR_INVALID, "location",
                             "'%.60s' is none of the plane's locations",
                             joining->asked.location ? joining->asked.location : "");
    joining->asked.location = settings_location(request->settings, joining->asked.location)->name;
    return wait_commit(request, join_work, join_done);
}

/* ---- reports ---- */

static bool stale(int64_t told, const struct request *request, struct err *err)
{
    return err_set(err, ERR_NODE_EPOCH, "epoch %lld is over, the node's is %lld now: join again",
                   (long long)told, (long long)request->node_epoch);
}

static bool report_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;

    return store_report_apply(tx, request->node_key, request->data, request->arena, err);
}

/* What could not be stored is sent again: no sequence is acknowledged. The node was heard all the same: without its
 * lease a full disk here would end every container there, and while nothing is stored no node is lost either. */
static bool report_done(struct request *request, struct err *err)
{
    const struct report *report = request->data;
    const struct api_hooks *hooks = &request->api->hooks;
    struct err failure = {0};
    bool stored = wait_committed(request, &failure);

    if (!stored && failure.code != ERR_STORAGE) {
        *err = failure;
        return false;
    }
    if (stored)
        metric_add(METRIC_node_reports_total, 1);
    else
        log_failure("report_not_stored", &failure);
    if (hooks->node_seen)
        hooks->node_seen(hooks->context, request->node_key, report->epoch);
    const struct report_answer answer = {.sequence = stored ? report->sequence : 0,
                                         .lease_ms = request->settings->fence_ms};
    return print_secret(request, &report_answer_schema, &answer);
}

bool agent_report(struct request *request, struct err *err)
{
    struct report *report = ARENA_NEW(request->arena, struct report);

    if (!report)
        return request_full(err);
    request->data = report;
    if (!request_read(request, &report_schema, report, err))
        return false;
    if (report->epoch != request->node_epoch)
        return stale(report->epoch, request, err);
    return wait_commit(request, report_work, report_done);
}

/* ---- desired state ---- */

struct poll {
    int64_t after;
    int64_t until_ns;
};

static bool has_news(struct request *request)
{
    const struct poll *poll = request->data;
    struct err err = {0};
    AUTO(tx) *tx = store_read(request->api->store, &err);
    bool waits = true;

    /* What cannot be looked up is told by the answer. */
    return waits_has_question(request->api->waits, request->node_key) ||
           streams_has_question(request->api->streams, request->node_key) || !tx ||
           !store_desired_waits(tx, request->node_key, poll->after, &waits, &err) || waits;
}

/* Those that want an answer, and those that want a stream. */
static bool questions_take(struct request *request, struct desired *desired)
{
    struct question *waiting, *all = arena_array(request->arena, QUESTIONS_MAX, sizeof *all);
    size_t *count = &desired->questions_count;

    if (!all ||
        !waits_questions(request->api->waits, request->node_key, request->arena, &waiting, count))
        return false;
    for (size_t i = 0; i < *count; i++)
        all[i] = waiting[i];
    desired->questions = all;
    return streams_questions(request->api->streams, request->node_key, request->arena, all,
                             QUESTIONS_MAX, count);
}

static bool desired_give(struct request *request, struct err *err)
{
    const struct poll *poll = request->data;
    struct desired desired = {0};
    AUTO(tx) *tx = store_read(request->api->store, err);

    if (!tx || !store_desired(tx, request->node_key, poll->after, request->arena, &desired, err))
        return false;
    if (request->wait.end != WAIT_OVERTAKEN && !questions_take(request, &desired))
        return request_full(err);
    return print_secret(request, &desired_schema, &desired);
}

static bool desired_waited(struct request *request, struct err *err)
{
    const struct poll *poll = request->data;
    int64_t left_ms = (poll->until_ns - clock_boot_ns()) / 1000000;

    if (request->wait.end != WAIT_ENDED || left_ms <= 0 || has_news(request))
        return desired_give(request, err);
    return wait_for(request, WAIT_DESIRED, request->node_key, left_ms, has_news, desired_waited);
}

static bool number_take(const struct request *request, const char *name, int64_t *number,
                        struct err *err)
{
    const char *text = request_query(request, name);

    return (text && text_to_int(text, number) && *number >= 0) ||
           err_set_field(err, ERR_BAD_QUERY, name, "'%s' must be a number", name);
}

/* A node that has seen what this database has not: an older copy of it was put back. The node joins again and is told
 * everything anew. */
static bool from_the_future(struct request *request, int64_t after, bool *future, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);

    if (!tx)
        return false;
    *future = after > tx_revision(tx);
    if (*future)
        log_warn("database_went_back", "node=%lld revision=%lld seen=%lld",
                 (long long)request->node_key, (long long)tx_revision(tx), (long long)after);
    return true;
}

bool agent_desired(struct request *request, struct err *err)
{
    bool future = false;
    struct poll *poll = ARENA_NEW(request->arena, struct poll);
    int64_t epoch = 0;

    if (!poll)
        return request_full(err);
    request->data = poll;
    if (!number_take(request, "epoch", &epoch, err) ||
        !number_take(request, "after", &poll->after, err))
        return false;
    if (epoch != request->node_epoch)
        return stale(epoch, request, err);
    if (!from_the_future(request, poll->after, &future, err))
        return false;
    if (future)
        return err_set(err, ERR_NODE_EPOCH, "the plane knows nothing of revision %lld: join again",
                       (long long)poll->after);
    if (poll->after == 0 || has_news(request))
        return desired_give(request, err);
    waits_overtake_polls(request->api->waits, request->node_key);
    poll->until_ns = clock_boot_ns() + (int64_t)LIMIT_NODE_POLL_MS * 1000000;
    return wait_for(request, WAIT_DESIRED, request->node_key, LIMIT_NODE_POLL_MS, has_news,
                    desired_waited);
}

/* ---- answers ---- */

bool agent_answer(struct request *request, struct err *err)
{
    if (!text_ok(request->body))
        return request_full(err);
    if (!waits_give_answer(request->api->waits, request->node_key, request->names[0],
                           request->body->bytes, request->body->size, err))
        return false;
    return reply_empty(request, 204);
}
