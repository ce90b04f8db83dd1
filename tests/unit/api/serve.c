#include "tests/unit/api/serve.h"

#include "base/file.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* ---- the server ---- */

static bool admit(void *context, const struct shape *shape UNUSED, enum os_type os UNUSED,
                  const char *location UNUSED, int64_t node_key UNUSED,
                  struct promised_place *place, char *why, size_t size)
{
    struct served *served = context;
    if (atomic_load(&served->full)) {
        (void)text_copy(why, size, "1 node was looked at: 1 has too little memory.");
        return false;
    }
    place->promise = 1 + atomic_fetch_add(&served->admitted, 1);
    return true;
}

static void admit_undo(void *context, int64_t promise UNUSED)
{
    struct served *served = context;
    atomic_fetch_add(&served->undone, 1);
}

static void node_seen(void *context, int64_t node_key UNUSED, int64_t epoch UNUSED)
{
    struct served *served = context;
    atomic_fetch_add(&served->seen, 1);
}

static bool node_room(void *context UNUSED, int64_t node_key UNUSED, struct api_node_room *room)
{
    *room =
        (struct api_node_room){.cpu_milli = 1000, .memory_mib = 2048, .groups = 1, .silent_ms = 5};
    return true;
}

static bool ready(void *context)
{
    struct served *served = context;
    return !atomic_load(&served->not_ready);
}

static void options_fill(struct served *served)
{
    served->subscription = (struct api_subscription){SERVE_SUBSCRIPTION, "Tests"};
    served->location = (struct api_location){"westus", "West US"};
    served->options = (struct api_options){
        .store = served->store,
        .hooks = {.context = served,
                  .admit = admit,
                  .admit_undo = admit_undo,
                  .node_seen = node_seen,
                  .node_room = node_room,
                  .ready = ready},
        .threads = 2,
        .token = SERVE_TOKEN,
        .join_token = SERVE_JOIN,
        .subscriptions = &served->subscription,
        .subscriptions_count = 1,
        .locations = &served->location,
        .locations_count = 1,
        .default_location = "westus",
        .beat_ms = 1000,
        .fence_ms = 8000,
        .lost_ms = 10000,
    };
}

static struct served *served_make(void)
{
    struct served *served = calloc(1, sizeof *served);
    struct err err = {0};

    assert_non_null(served);
    log_configure(LOG_ERROR, false);
    (void)text_copy(served->folder, sizeof served->folder, "/tmp/berth-api-XXXXXX");
    assert_non_null(mkdtemp(served->folder));
    (void)text_format(served->path, sizeof served->path, "%s/db", served->folder);
    (void)text_format(served->key_path, sizeof served->key_path, "%s/key", served->folder);
    served->store = store_open(&(struct store_options){served->path, served->key_path}, &err);
    assert_string_equal(err.text, "");
    assert_non_null(served->store);
    options_fill(served);
    return served;
}

static void start(struct served *served)
{
    struct err err = {0};

    served->api = api_new(&served->options, &err);
    assert_string_equal(err.text, "");
    assert_true(api_start(served->api, &err));
}

struct served *served_new_tls(void)
{
    struct served *served = served_make();
    struct err err = {0};

    served->auth = auth_open(&(struct auth_options){.state_dir = served->folder,
                                                    .listen_address = "0.0.0.0",
                                                    .tls = true},
                             &err);
    assert_string_equal(err.text, "");
    served->options.listen_address = "0.0.0.0";
    served->options.auth = served->auth;
    served->options.tls = true;
    start(served);
    return served;
}

struct served *served_new(void)
{
    struct served *served = served_make();

    start(served);
    assert_int_equal(
        call_status(served, "PUT", SERVE_RG "?api-version=2021-04-01", "{\"location\":\"westus\"}"),
        201);
    return served;
}

void served_stop(struct served *served)
{
    api_stop(served->api);
}

void served_free(struct served *served)
{
    struct err err = {0};

    if (!served)
        return;
    api_stop(served->api);
    store_close(served->store);
    api_free(served->api);
    auth_free(served->auth);
    assert_true(file_remove_tree(served->folder, &err));
    free(served);
}

/* ---- clients ---- */

int client_open(const struct served *served)
{
    return client_open_narrow(served, 0);
}

int client_open_narrow(const struct served *served, int receive_bytes)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)api_port(served->api)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (receive_bytes > 0)
        assert_int_equal(
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return fd;
}

void client_send(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* refused early: the answer tells */
        bytes += sent;
        size -= (size_t)sent;
    }
}

void client_say(int fd, const char *text)
{
    client_send(fd, text, strlen(text));
}

const char *answer_header(const struct answer_text *answer, const char *name, char *out,
                          size_t size)
{
    size_t name_size = strlen(name);

    for (const char *line = strstr(answer->head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_size) != 0 || line[name_size] != ':')
            continue;
        line += name_size + 1;
        line += strspn(line, " ");
        (void)text_format(out, size, "%.*s", (int)strcspn(line, "\r"), line);
        return out;
    }
    return NULL;
}

/* Up to the empty line, byte by byte: what follows may belong to the next answer. */
static bool take_head(int fd, struct text *head)
{
    char byte;

    while (recv(fd, &byte, 1, 0) == 1) {
        text_add_char(head, byte);
        if (head->size >= 4 && memcmp(head->bytes + head->size - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

struct answer_text client_take(int fd, bool head_only)
{
    struct answer_text answer = {0};
    AUTO(text) *head = text_new(65536);
    char length[32];
    int64_t size = 0, status = 0;

    if (!take_head(fd, head))
        return answer;
    char digits[4] = {head->bytes[9], head->bytes[10], head->bytes[11], 0};
    assert_true(text_to_int(digits, &status));
    answer.status = (int)status;
    answer.head = text_take(head, NULL);
    if (answer_header(&answer, "Content-Length", length, sizeof length))
        assert_true(text_to_int(length, &size));
    if (head_only)
        size = 0;
    answer.body = calloc(1, (size_t)size + 1);
    assert_non_null(answer.body);
    while (answer.body_size < (size_t)size) {
        ssize_t got = recv(fd, answer.body + answer.body_size, (size_t)size - answer.body_size, 0);
        if (got <= 0)
            break;
        answer.body_size += (size_t)got;
    }
    assert_int_equal(answer.body_size, size);
    return answer;
}

void answer_free(struct answer_text *answer)
{
    free(answer->head);
    free(answer->body);
    *answer = (struct answer_text){0};
}

struct answer_text ask(const struct served *served, const char *request)
{
    AUTO_CLOSE int fd = client_open(served);

    client_say(fd, request);
    return client_take(fd, strncmp(request, "HEAD ", 5) == 0);
}

static struct answer_text call_with(const struct served *served, const char *method,
                                    const char *path, const char *headers, const char *body)
{
    AUTO(text) *request = text_new(32 * 1024 * 1024);
    AUTO_CLOSE int fd = client_open(served);

    text_addf(request, "%s %s HTTP/1.1\r\nHost: berth.test\r\n%s", method, path, headers);
    if (body)
        text_addf(request, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                  strlen(body));
    text_add(request, "\r\n");
    text_add(request, body ? body : "");
    assert_true(text_ok(request));
    client_send(fd, request->bytes, request->size);
    return client_take(fd, strcmp(method, "HEAD") == 0);
}

struct answer_text call(const struct served *served, const char *method, const char *path,
                        const char *body)
{
    return call_with(served, method, path, "Authorization: Bearer " SERVE_TOKEN "\r\n", body);
}

int call_status(const struct served *served, const char *method, const char *path, const char *body)
{
    struct answer_text answer = call(served, method, path, body);
    int status = answer.status;

    answer_free(&answer);
    return status;
}

/* ---- a node ---- */

static void take_member(const char *json, const char *name, char *out, size_t size)
{
    char pattern[64];
    const char *at;

    (void)text_format(pattern, sizeof pattern, "\"%s\":", name);
    at = strstr(json, pattern);
    assert_non_null(at);
    at += strlen(pattern);
    at += *at == '"';
    (void)text_format(out, size, "%.*s", (int)strcspn(at, "\",}"), at);
}

void serve_join(const struct served *served, const char *name, struct fake_agent *agent)
{
    char body[512], epoch[24];
    int64_t number;

    (void)text_format(
        body, sizeof body,
        "{\"name\":\"%s\",\"bootId\":\"b\",\"os\":\"Linux\",\"architecture\":\"amd64\","
        "\"capacity\":{\"cpuMilli\":4000,\"memoryMib\":8192}}",
        name);
    struct answer_text answer = call_with(served, "POST", "/v1/agent/join",
                                          "Authorization: Bearer " SERVE_JOIN "\r\n", body);
    assert_int_equal(answer.status, 200);
    take_member(answer.body, "nodeId", agent->id, sizeof agent->id);
    take_member(answer.body, "credential", agent->credential, sizeof agent->credential);
    take_member(answer.body, "epoch", epoch, sizeof epoch);
    assert_true(text_to_int(epoch, &number));
    agent->epoch = number;
    answer_free(&answer);
}

struct answer_text serve_agent_call(const struct served *served, const struct fake_agent *agent,
                                    const char *method, const char *path, const char *body)
{
    char headers[256];

    (void)text_format(headers, sizeof headers, "Authorization: Bearer %s\r\nBerth-Node: %s\r\n",
                      agent->credential, agent->id);
    return call_with(served, method, path, headers, body);
}
