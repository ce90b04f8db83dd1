/* The server on real sockets, with clients that do what clients do when they are slow, hasty or
 * broken. */
#include "base/limits.h"
#include "tests/unit/api/serve.h"

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { RACERS = 8, PUTS_EACH = 40 };

static void nap_ms(long ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&time, NULL);
}

static void expect(struct answer_text answer, int status, const char *words)
{
    assert_int_equal(answer.status, status);
    if (words && !strstr(answer.body, words))
        fail_msg("'%s' is not in '%s'", words, answer.body);
    answer_free(&answer);
}

/* ---- requests that are none ---- */

TEST(refuses_what_is_no_http)
{
    AUTO(served) *served = served_new();

    struct answer_text nothing = ask(served, "nonsense\r\n\r\n"); /* closed at once */
    assert_int_equal(nothing.status, 0);
    answer_free(&nothing);
    expect(ask(served, "GET /healthz HTTP/1.1\r\n\r\n"), 400, "InvalidRequestHeader"); /* no Host */
    expect(ask(served, "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n"), 400, "InvalidRequestHeader");
    assert_int_equal(call_status(served, "GET", "/healthz", NULL), 200);
}

TEST(refuses_long_paths_and_heads)
{
    AUTO(served) *served = served_new();
    AUTO(text) *request = text_new(1 << 20);

    text_add(request, "GET /");
    for (int i = 0; i < LIMIT_HTTP_URI_MAX; i++)
        text_add_char(request, 'x');
    text_add(request, " HTTP/1.1\r\nHost: h\r\n\r\n");
    expect(ask(served, request->bytes), 414, "UriTooLong");
    text_clear(request);
    text_add(request, "GET /healthz HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < LIMIT_HTTP_HEADER_MAX / 500; i++)
        text_addf(request, "X-%05d: %0500d\r\n", i, 0);
    text_add(request, "\r\n");
    expect(ask(served, request->bytes), 431, "RequestHeaderFieldsTooLarge");
    assert_int_equal(call_status(served, "GET", "/healthz", NULL), 200);
}

TEST(refuses_a_body_that_is_announced_too_large_before_it_comes)
{
    AUTO(served) *served = served_new();

    expect(ask(served, "PUT " SERVE_GROUPS "/g" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD
                       "Content-Length: 10485760\r\nExpect: 100-continue\r\n\r\n"),
           413, "RequestContentTooLarge");
    expect(ask(served, "PUT " SERVE_GROUPS "/g" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD
                       "Content-Length: 99999999999999999999\r\n\r\n"),
           413, NULL);
    expect(ask(served, "PUT " SERVE_GROUPS "/g" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD
                       "Content-Length: 1073741824\r\n\r\n"),
           413, "RequestContentTooLarge");
}

TEST(a_client_that_sends_ten_mib_all_the_same_reads_the_refusal_and_goes_on)
{
    AUTO(served) *served = served_new();
    AUTO_CLOSE int fd = client_open(served);
    static char block[1 << 20];

    memset(block, 'x', sizeof block);
    client_say(fd, "PUT " SERVE_GROUPS "/g" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD
                   "Content-Length: 10485760\r\n\r\n");
    for (int i = 0; i < 10; i++)
        client_send(fd, block, sizeof block);
    expect(client_take(fd, false), 413, "RequestContentTooLarge");
    client_say(fd, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    expect(client_take(fd, false), 200, "ok");
}

TEST(chunks_are_counted_too)
{
    AUTO(served) *served = served_new();
    AUTO_CLOSE int fd = client_open(served);
    static char block[65536];

    memset(block, ' ', sizeof block);
    client_say(fd, "PUT " SERVE_GROUPS "/g" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD
                   "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 32; i++) {
        client_say(fd, "10000\r\n");
        client_send(fd, block, sizeof block);
        client_say(fd, "\r\n");
    }
    client_say(fd, "0\r\n\r\n");
    expect(client_take(fd, false), 413, "RequestContentTooLarge");
}

TEST(a_body_in_chunks_is_a_body)
{
    AUTO(served) *served = served_new();
    AUTO_CLOSE int fd = client_open(served);
    const char *body = SERVE_GROUP;

    client_say(fd, "PUT " SERVE_GROUPS "/g" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD
                   "Transfer-Encoding: chunked\r\n\r\n");
    for (; *body; body++) {
        char chunk[8] = {'1', '\r', '\n', *body, '\r', '\n', 0};
        client_say(fd, chunk);
    }
    client_say(fd, "0\r\n\r\n");
    expect(client_take(fd, false), 201, "\"provisioningState\":\"Pending\"");
}

TEST(a_client_that_waits_to_continue_is_told_to)
{
    AUTO(served) *served = served_new();
    AUTO_CLOSE int fd = client_open(served);
    char head[512];

    (void)text_format(head, sizeof head,
                      "PUT " SERVE_GROUPS "/g" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD
                      "Content-Length: %zu\r\nExpect: 100-continue\r\n\r\n",
                      strlen(SERVE_GROUP));
    client_say(fd, head);
    expect(client_take(fd, true), 100, NULL);
    client_say(fd, SERVE_GROUP);
    expect(client_take(fd, false), 201, NULL);
}

TEST(who_has_no_token_is_refused_before_its_body_is_kept)
{
    AUTO(served) *served = served_new();
    char value[128];
    struct answer_text answer =
        ask(served, "PUT " SERVE_GROUPS "/g" SERVE_V
                    " HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd");

    assert_int_equal(answer.status, 401);
    assert_non_null(answer_header(&answer, "WWW-Authenticate", value, sizeof value));
    assert_null(answer_header(&answer, "Retry-After", value, sizeof value));
    answer_free(&answer);
    assert_int_equal(call_status(served, "GET", SERVE_GROUPS "/g" SERVE_V, NULL), 404);
}

/* ---- connections ---- */

TEST(requests_in_a_row_on_one_connection_are_answered_in_order)
{
    AUTO(served) *served = served_new();
    AUTO_CLOSE int fd = client_open(served);
    char put[1024];

    (void)text_format(put, sizeof put,
                      "PUT " SERVE_GROUPS "/g" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD
                      "Content-Length: %zu\r\n\r\n%s",
                      strlen(SERVE_GROUP), SERVE_GROUP);
    client_say(fd, put); /* parks; what follows waits its turn */
    client_say(fd, "GET " SERVE_GROUPS "/g" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD "\r\n"
                   "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
                   "HEAD " SERVE_RG SERVE_V " HTTP/1.1\r\n" SERVE_HEAD "\r\n"
                   "GET " SERVE_GROUPS "/none" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD "\r\n");
    expect(client_take(fd, false), 201, NULL);
    expect(client_take(fd, false), 200, "\"name\":\"g\"");
    expect(client_take(fd, false), 200, "ok");
    expect(client_take(fd, true), 204, NULL);
    expect(client_take(fd, false), 404, "ResourceNotFound");
}

TEST(a_request_that_comes_byte_by_byte_is_a_request)
{
    AUTO(served) *served = served_new();
    AUTO_CLOSE int fd = client_open(served);
    const char *request = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";

    for (; *request; request++) {
        client_send(fd, request, 1);
        nap_ms(1);
    }
    expect(client_take(fd, false), 200, "ok");
}

TEST(clients_that_go_away_in_the_middle_leave_nothing_behind)
{
    AUTO(served) *served = served_new();
    char put[1024];

    (void)text_format(put, sizeof put,
                      "PUT " SERVE_GROUPS "/gone" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD
                      "Content-Length: %zu\r\n\r\n%s",
                      strlen(SERVE_GROUP), SERVE_GROUP);
    for (size_t cut = 10; cut <= strlen(put); cut += 37) {
        AUTO_CLOSE int fd = client_open(served);
        struct linger reset = {.l_onoff = 1};
        client_send(fd, put, cut);
        if (cut % 2)
            assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    }
    { /* gone while parked */
        AUTO_CLOSE int fd = client_open(served);
        client_say(fd, put);
    }
    assert_int_equal(call_status(served, "GET", "/readyz", NULL), 200);
}

/* ---- under load ---- */

struct racer {
    pthread_t thread;
    const struct served *served;
    int number, fd, created;
};

static void *race(void *context)
{
    struct racer *racer = context;
    AUTO_CLOSE int fd = racer->fd;

    for (int i = 0; i < PUTS_EACH; i++) {
        char put[1024];
        (void)text_format(put, sizeof put,
                          "PUT " SERVE_GROUPS "/g-%d-%d" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD
                          "Content-Length: %zu\r\n\r\n%s",
                          racer->number, i, strlen(SERVE_GROUP), SERVE_GROUP);
        client_say(fd, put);
        struct answer_text answer = client_take(fd, false);
        racer->created += answer.status == 201;
        answer_free(&answer);
        if (answer.status != 0 && i % 5 == 0) {
            client_say(fd, "GET " SERVE_GROUPS SERVE_V "&$top=20 HTTP/1.1\r\n" SERVE_HEAD "\r\n");
            answer = client_take(fd, false);
            answer_free(&answer);
        }
    }
    return NULL;
}

static int count_groups(const struct served *served)
{
    struct answer_text answer = call(served, "GET", SERVE_GROUPS SERVE_V "&$top=1000", NULL);
    int count = 0;

    assert_int_equal(answer.status, 200);
    for (const char *at = answer.body; (at = strstr(at, "\"type\":\"Microsoft")) != NULL; at++)
        count++;
    answer_free(&answer);
    return count;
}

static void race_begin(struct racer *racers, const struct served *served)
{
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.served = served, .number = i, .fd = client_open(served)};
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
}

static int race_end(struct racer *racers)
{
    int created = 0;

    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
        created += racers[i].created;
    }
    return created;
}

TEST(many_parked_requests_are_each_answered_once)
{
    AUTO(served) *served = served_new();
    struct racer racers[RACERS];

    race_begin(racers, served);
    assert_int_equal(race_end(racers), RACERS * PUTS_EACH);
    assert_int_equal(count_groups(served), RACERS * PUTS_EACH);
    assert_int_equal(atomic_load(&served->admitted), RACERS * PUTS_EACH);
}

/* Ten of many that race get in; the scheduler hears of each of the others that its room is free again. */
TEST(a_create_beyond_its_quota_gives_back_the_room_it_was_promised)
{
    AUTO(served) *served = served_new();
    static const struct quota_rule ten = {.quota = QUOTA_GROUPS, .most = 10};
    struct racer racers[RACERS];
    struct err err = {0};

    served->options.quotas = &ten;
    served->options.quotas_count = 1;
    assert_true(api_reload(served->api, &served->options, &err));
    race_begin(racers, served);
    assert_int_equal(race_end(racers), 10);
    assert_int_equal(count_groups(served), 10);
    assert_int_equal(atomic_load(&served->admitted) - atomic_load(&served->undone), 10);
}

/* Nobody looks for nodes here, so they wait until they are told to go. */
TEST(what_was_acknowledged_before_a_stop_is_there_after_it)
{
    AUTO(served) *served = served_new();
    struct racer racers[RACERS];
    struct err err = {0};
    int created;

    race_begin(racers, served);
    nap_ms(30);
    served_stop(served);
    created = race_end(racers);
    store_close(served->store);
    api_free(served->api);
    served->store = store_open(&(struct store_options){served->path, served->key_path}, &err);
    served->options.store = served->store;
    served->api = api_new(&served->options, &err);
    assert_non_null(served->api);
    assert_true(api_start(served->api, &err));
    assert_true(count_groups(served) >= created);
}

static long long revision(const struct served *served)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(served->store, &err);
    assert_non_null(tx);
    return (long long)tx_revision(tx);
}

TEST(a_stopping_server_finishes_what_it_took_and_says_goodbye)
{
    AUTO(served) *served = served_new();
    struct fake_agent agent;
    char poll[512], value[64];
    struct timespec begun, ended;

    serve_join(served, "n1", &agent);
    (void)text_format(
        poll, sizeof poll,
        "GET /v1/agent/desired?epoch=%lld&after=%lld HTTP/1.1\r\nHost: h\r\nBerth-Node: %s\r\n"
        "Authorization: Bearer %s\r\n\r\n",
        agent.epoch, revision(served), agent.id, agent.credential);
    AUTO_CLOSE int fd = client_open(served);
    client_say(fd, poll);
    nap_ms(100);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    served_stop(served);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    struct answer_text answer = client_take(fd, false);
    assert_int_equal(answer.status, 200);
    assert_non_null(answer_header(&answer, "Connection", value, sizeof value));
    assert_string_equal(value, "close");
    answer_free(&answer);
    assert_true(ended.tv_sec - begun.tv_sec < 3);
}

/* Its threads share the port, with each other and with nobody else. */
TEST(a_port_that_another_server_has_is_refused)
{
    AUTO(served) *served = served_new();
    struct api_options options = served->options;
    struct err err = {0};

    options.listen_port = api_port(served->api);
    AUTO(api) *other = api_new(&options, &err);
    assert_non_null(other);
    assert_false(api_start(other, &err));
    assert_non_null(strstr(err.text, "cannot listen on"));
    assert_int_equal(call_status(served, "GET", "/healthz", NULL), 200);
}

TEST(settings_change_while_it_runs)
{
    AUTO(served) *served = served_new();
    struct err err = {0};

    served->options.token = "another-token-long-enough";
    assert_true(api_reload(served->api, &served->options, &err));
    assert_int_equal(call_status(served, "GET", SERVE_GROUPS SERVE_V, NULL), 401);
    served->options.token = "short";
    assert_false(api_reload(served->api, &served->options, &err));
    assert_int_equal(err.code, ERR_INVALID);
    served->options.token = SERVE_TOKEN;
    assert_true(api_reload(served->api, &served->options, &err));
    assert_int_equal(call_status(served, "GET", SERVE_GROUPS SERVE_V, NULL), 200);
}

TEST(readiness_follows_the_scheduler)
{
    AUTO(served) *served = served_new();

    assert_int_equal(call_status(served, "GET", "/readyz", NULL), 200);
    atomic_store(&served->not_ready, true);
    assert_int_equal(call_status(served, "GET", "/readyz", NULL), 503);
    assert_int_equal(call_status(served, "GET", "/healthz", NULL), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_http),
        cmocka_unit_test(refuses_long_paths_and_heads),
        cmocka_unit_test(refuses_a_body_that_is_announced_too_large_before_it_comes),
        cmocka_unit_test(a_client_that_sends_ten_mib_all_the_same_reads_the_refusal_and_goes_on),
        cmocka_unit_test(chunks_are_counted_too),
        cmocka_unit_test(a_body_in_chunks_is_a_body),
        cmocka_unit_test(a_client_that_waits_to_continue_is_told_to),
        cmocka_unit_test(who_has_no_token_is_refused_before_its_body_is_kept),
        cmocka_unit_test(requests_in_a_row_on_one_connection_are_answered_in_order),
        cmocka_unit_test(a_request_that_comes_byte_by_byte_is_a_request),
        cmocka_unit_test(clients_that_go_away_in_the_middle_leave_nothing_behind),
        cmocka_unit_test(many_parked_requests_are_each_answered_once),
        cmocka_unit_test(a_create_beyond_its_quota_gives_back_the_room_it_was_promised),
        cmocka_unit_test(what_was_acknowledged_before_a_stop_is_there_after_it),
        cmocka_unit_test(a_stopping_server_finishes_what_it_took_and_says_goodbye),
        cmocka_unit_test(a_port_that_another_server_has_is_refused),
        cmocka_unit_test(settings_change_while_it_runs),
        cmocka_unit_test(readiness_follows_the_scheduler),
    };
    return RUN_TESTS(tests);
}
