/* Two threads and the identity that survives a restart. See link.h for the picture. */
#include "node-agent/link/link.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "node-agent/link/http.h"

#include <stdatomic.h>

enum {
    JOIN_TIMEOUT_MS = 10000,
    REPORT_TIMEOUT_MS = 5000,
    POLL_SLACK_MS = 10000,
    RETRY_FIRST_MS = 100,
    RETRY_LAST_MS = 2000,
    URL_SIZE = 1024,
    CA_FILE_MAX = 4 << 20, /* the system's own bundle is below 1 MiB */
};

struct link {
    struct link_options options;
    struct http *poll_http, *report_http;
    pthread_t poll_thread, report_thread;
    bool poll_runs, report_runs;
    struct bell stop, wake; /* stop: both threads end; wake: a report is there, or the end */
    atomic_bool stopping;
    struct lock lock; /* everything below */
    int64_t epoch;    /* 0: not joined */
    char node_id[64], credential[128];
    struct text *outgoing; /* report waiting or under way; NULL: free */
    int64_t ask_after;     /* poll from here on; -1: nobody asked */
};

struct identity_file {
    const char *node_id, *credential;
};
static const struct field identity_fields[] = {
    FIELD(struct identity_file, node_id, "nodeId"),
    FIELD(struct identity_file, credential, "credential", .flags = FIELD_SECRET),
};
static const struct schema identity_schema =
    SCHEMA("Identity", struct identity_file, identity_fields, "Who this node is to the plane.");

/* ---- identity ---- */

static bool identity_load(struct link *link, struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    AUTO(arena) *arena = arena_new(65536);
    struct identity_file identity;
    size_t size;

    if (!file_exists(link->options.identity_path))
        return true;
    if (!file_read(link->options.identity_path, 65536, &bytes, &size, err) ||
        !fields_read(&identity_schema, bytes, size, arena, &identity, err))
        return err_add(err, "while reading the node's identity %s", link->options.identity_path);
    text_copy(link->node_id, sizeof link->node_id, identity.node_id ? identity.node_id : "");
    text_copy(link->credential, sizeof link->credential,
              identity.credential ? identity.credential : "");
    return true;
}

static bool identity_save(struct link *link, struct err *err)
{
    AUTO(text) *out = text_new(4096);
    struct identity_file identity = {link->node_id, link->credential};

    fields_print(&identity_schema, &identity, FIELDS_WITH_SECRETS, out, NULL);
    return file_replace(link->options.identity_path, out->bytes, out->size, 0600, true, err);
}

/* ---- calls ---- */

/* The plane's own words for a refused call, as an error with the code of errors.def. */
static bool refused(const struct text *reply, int status, struct err *err)
{
    struct error_body {
        const char *code, *message;
    };
    struct envelope {
        struct error_body *error;
    };
    static const struct field body_fields[] = {
        FIELD(struct error_body, code, "code"),
        FIELD(struct error_body, message, "message"),
    };
    static const struct schema body_schema = SCHEMA("Error", struct error_body, body_fields, "");
    static const struct field envelope_fields[] = {
        FIELD_STRUCT(struct envelope, error, "error", &body_schema),
    };
    static const struct schema envelope_schema =
        SCHEMA("ErrorEnvelope", struct envelope, envelope_fields, "");
    AUTO(arena) *arena = arena_new(65536);
    struct envelope envelope = {0};
    struct err unreadable = {0};

    if (!fields_read(&envelope_schema, reply->bytes ? reply->bytes : "", reply->size, arena,
                     &envelope, &unreadable) ||
        !envelope.error || !envelope.error->code)
        return err_set(err, ERR_NODE_AWAY, "the plane answered %d", status);
    const char *code = envelope.error->code;
    const char *message = envelope.error->message ? envelope.error->message : code;
    if (text_equal_nocase(code, err_code_name(ERR_NODE_EPOCH)))
        return err_set(err, ERR_NODE_EPOCH, "%s", message);
    if (status == 401)
        return err_set(err, ERR_UNAUTHENTICATED, "%s", message);
    return err_set(err, ERR_CONFLICT, "%s: %s", code, message);
}

struct call {
    const char *method, *path;
    const struct text *body;
    int64_t timeout_ms;
    bool joining;
};

static bool call_plane(struct link *link, struct http *http, const struct call *call,
                       struct text *reply, struct err *err)
{
    char url[URL_SIZE], bearer[256], node[128];
    const char *headers[] = {bearer, node, NULL};
    int status;

    lock_take(&link->lock);
    text_format(url, sizeof url, "%s%s", link->options.plane_url, call->path);
    text_format(bearer, sizeof bearer, "Authorization: Bearer %s",
                call->joining ? link->options.join_token : link->credential);
    text_format(node, sizeof node, LINK_NODE_HEADER ": %s", link->node_id);
    lock_release(&link->lock);
    struct http_call request = {
        .method = call->method,
        .url = url,
        .headers = headers,
        .timeout_ms = call->timeout_ms,
        .body = call->body ? call->body->bytes : NULL,
        .body_size = call->body ? call->body->size : 0,
    };
    if (!http_send(http, &request, reply, &status, err))
        return false;
    return status / 100 == 2 ? true : refused(reply, status, err);
}

/* ---- joining and polling ---- */

static bool join(struct link *link, struct err *err)
{
    AUTO(arena) *arena = arena_new(65536);
    AUTO(text) *body = text_new(65536);
    AUTO(text) *reply = text_new(65536);
    struct join_request request = link->options.join;
    struct join_answer answer;

    request.node_id = link->node_id[0] ? link->node_id : NULL;
    request.credential = link->node_id[0] ? link->credential : NULL;
    fields_print(&join_request_schema, &request, FIELDS_WITH_SECRETS, body, NULL);
    if (!call_plane(link, link->poll_http,
                    &(struct call){"POST", "/v1/agent/join", body, JOIN_TIMEOUT_MS, true}, reply,
                    err) ||
        !fields_read(&join_answer_schema, reply->bytes, reply->size, arena, &answer, err))
        return false;

    lock_take(&link->lock);
    text_copy(link->node_id, sizeof link->node_id, answer.node_id);
    if (answer.credential)
        text_copy(link->credential, sizeof link->credential, answer.credential);
    link->epoch = answer.epoch;
    bool saved = !answer.credential || identity_save(link, err);
    lock_release(&link->lock);
    if (!saved)
        return false;
    return link->options.events.joined(link->options.events.context, &answer) ||
           err_set(err, ERR_BUSY, "no memory to join the plane");
}

static bool poll_once(struct link *link, int64_t *after, struct err *err)
{
    AUTO(arena) *arena = arena_new((size_t)LIMIT_LINK_MESSAGE_MAX * 8);
    AUTO(text) *reply = text_new((size_t)LIMIT_LINK_MESSAGE_MAX * 2);
    char path[128];
    struct desired desired;

    text_format(path, sizeof path, "/v1/agent/desired?epoch=%lld&after=%lld",
                (long long)link->epoch, (long long)*after);
    if (!call_plane(link, link->poll_http,
                    &(struct call){"GET", path, NULL, LIMIT_NODE_POLL_MS + POLL_SLACK_MS, false},
                    reply, err) ||
        !fields_read(&desired_schema, reply->bytes, reply->size, arena, &desired, err))
        return false;
    if (!link->options.events.desired(link->options.events.context, TAKE(arena), *after, &desired))
        return err_set(err, ERR_BUSY, "no memory for what the plane wants");
    *after = desired.revision;
    return true;
}

/* True when someone asked for another revision than the one polled from. */
static bool take_asked(struct link *link, int64_t *after)
{
    WITH_LOCK(&link->lock);
    bool asked = link->ask_after >= 0;

    if (asked && link->ask_after < *after)
        *after = link->ask_after;
    link->ask_after = -1;
    return asked;
}

static void *poll_run(void *context)
{
    struct link *link = context;
    int64_t retry_ms = RETRY_FIRST_MS, after = 0;
    bool joined = false, told = false;

    while (!atomic_load(&link->stopping)) {
        struct err err = {0};
        if (!joined && join(link, &err)) {
            log_info("plane_joined", "node=%s epoch=%lld", link->node_id, (long long)link->epoch);
            joined = true;
            after = 0;
        }
        take_asked(link, &after);
        if (joined && poll_once(link, &after, &err)) {
            retry_ms = RETRY_FIRST_MS;
            told = false;
            continue;
        }
        if (err.code == ERR_NODE_EPOCH || err.code == ERR_UNAUTHENTICATED)
            joined = false;
        if (err.code == ERR_NODE_EPOCH || (err.code == ERR_CLOSED && take_asked(link, &after)))
            continue;
        if (!told && err.code != ERR_CLOSED)
            log_trouble(LOG_WARN, "plane_away", &err);
        told |= err.code != ERR_CLOSED;
        bell_wait(&link->stop, retry_ms);
        retry_ms = retry_ms * 2 < RETRY_LAST_MS ? retry_ms * 2 : RETRY_LAST_MS;
    }
    return NULL;
}

/* ---- reporting ---- */

static void report_send(struct link *link, const struct text *body)
{
    AUTO(arena) *arena = arena_new(65536);
    AUTO(text) *reply = text_new(65536);
    struct report_answer answer;
    struct err err = {0};
    int64_t sent_boot_ns = clock_boot_ns();
    bool taken =
        call_plane(link, link->report_http,
                   &(struct call){"POST", "/v1/agent/report", body, REPORT_TIMEOUT_MS, false},
                   reply, &err) &&
        fields_read(&report_answer_schema, reply->bytes, reply->size, arena, &answer, &err);

    if (!taken && err.code != ERR_CLOSED)
        log_debug("report_refused", "code=%s text=%s", err_code_name(err.code),
                  LOG_QUOTE(err.text));
    lock_take(&link->lock);
    text_free(TAKE(link->outgoing));
    lock_release(&link->lock);
    link->options.events.reported(link->options.events.context, taken ? &answer : NULL,
                                  sent_boot_ns);
}

static void *report_run(void *context)
{
    struct link *link = context;

    while (!atomic_load(&link->stopping)) {
        bell_wait(&link->wake, -1);
        lock_take(&link->lock);
        const struct text *body = atomic_load(&link->stopping) ? NULL : link->outgoing;
        lock_release(&link->lock);
        if (body)
            report_send(link, body);
    }
    return NULL;
}

bool link_report(struct link *link, const struct report *report)
{
    struct report numbered = *report;

    WITH_LOCK(&link->lock);
    if (link->outgoing || link->epoch == 0)
        return false;
    link->outgoing = text_new((size_t)LIMIT_LINK_MESSAGE_MAX);
    if (!link->outgoing)
        return false;
    numbered.epoch = link->epoch;
    fields_print(&report_schema, &numbered, FIELDS_ALL, link->outgoing, NULL);
    if (!text_ok(link->outgoing)) {
        text_free(TAKE(link->outgoing));
        return false;
    }
    bell_ring(&link->wake);
    return true;
}

void link_ask(struct link *link, int64_t after)
{
    lock_take(&link->lock);
    link->ask_after = after;
    lock_release(&link->lock);
    http_interrupt(link->poll_http);
}

bool link_answer(struct link *link, const char *question_id, const struct answer *answer,
                 struct err *err)
{
    AUTO(http) *http = http_new(link->options.plane_ca_file, err);
    AUTO(text) *body = text_new((size_t)LIMIT_LINK_MESSAGE_MAX * 2);
    AUTO(text) *reply = text_new(65536);
    char path[128];

    if (!http)
        return false;
    fields_print(&answer_schema, answer, FIELDS_ALL, body, NULL);
    text_format(path, sizeof path, "/v1/agent/answers/%s", question_id);
    return call_plane(link, http, &(struct call){"POST", path, body, REPORT_TIMEOUT_MS, false},
                      reply, err);
}

bool link_token(struct link *link, const struct token_ask *ask, struct text *out, struct err *err)
{
    AUTO(http) *http = http_new(link->options.plane_ca_file, err);
    AUTO(text) *body = text_new(65536);

    if (!http)
        return false;
    fields_print(&token_ask_schema, ask, FIELDS_ALL, body, NULL);
    return call_plane(link, http,
                      &(struct call){"POST", "/v1/agent/tokens", body, REPORT_TIMEOUT_MS, false},
                      out, err);
}

bool link_stream_open(struct link *link, const char *question_id, struct websocket_io *io,
                      struct err *err)
{
    char url[URL_SIZE], bearer[256], node[128];
    const char *headers[] = {bearer, node, NULL};
    struct http_call call = {.url = url, .headers = headers};

    lock_take(&link->lock);
    text_format(url, sizeof url, "%s/v1/agent/streams/%s", link->options.plane_url, question_id);
    text_format(bearer, sizeof bearer, "Authorization: Bearer %s", link->credential);
    text_format(node, sizeof node, LINK_NODE_HEADER ": %s", link->node_id);
    lock_release(&link->lock);
    return http_stream_open(&call, link->options.plane_ca_file, io, err);
}

/* ---- life ---- */

/* A file that is not there is told at the start, not with each call. */
static bool ca_file_check(const struct link_options *options, struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    size_t size;

    if (!text_has_prefix(options->plane_url, "https://"))
        log_warn("plane_without_tls", "url=%s", LOG_QUOTE(options->plane_url));
    return !options->plane_ca_file ||
           file_read(options->plane_ca_file, CA_FILE_MAX, &bytes, &size, err) ||
           err_add(err, "plane_ca_file");
}

struct link *link_new(const struct link_options *options, struct err *err)
{
    AUTO(link) *link = calloc(1, sizeof *link);

    if (!link) {
        err_set(err, ERR_BUSY, "no memory for the link to the plane");
        return NULL;
    }
    link->options = *options;
    link->stop.fd = link->wake.fd = -1;
    link->ask_after = -1;
    lock_init(&link->lock, LOCK_AGENT_LINK);
    if (!bell_init(&link->stop, err) || !bell_init(&link->wake, err) || !identity_load(link, err) ||
        !ca_file_check(options, err) ||
        !(link->poll_http = http_new(options->plane_ca_file, err)) ||
        !(link->report_http = http_new(options->plane_ca_file, err)))
        return NULL;
    link->poll_runs = thread_start(&link->poll_thread, "link-poll", poll_run, link, err);
    link->report_runs =
        link->poll_runs && thread_start(&link->report_thread, "link-report", report_run, link, err);
    if (!link->report_runs)
        return NULL;
    return TAKE(link);
}

void link_free(struct link *link)
{
    if (!link)
        return;
    atomic_store(&link->stopping, true);
    if (link->poll_http)
        http_cancel(link->poll_http);
    if (link->report_http)
        http_cancel(link->report_http);
    bell_ring(&link->stop);
    bell_ring(&link->wake);
    if (link->poll_runs)
        pthread_join(link->poll_thread, NULL);
    if (link->report_runs)
        pthread_join(link->report_thread, NULL);
    http_free(link->poll_http);
    http_free(link->report_http);
    text_free(link->outgoing);
    bell_done(&link->stop);
    bell_done(&link->wake);
    lock_done(&link->lock);
    free(link);
}
