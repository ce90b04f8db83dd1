/* node-agent/link/http.h against a server that does as the path says, well or badly. */
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "base/thread.h"
#include "node-agent/link/http.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

enum { REQUEST_SIZE = 65536, CALL_MS = 5000 };

/* ---- the server: one connection at a time ---- */

static struct {
    pthread_t thread;
    int listener, port;
    struct bell stop;
    atomic_int connections;
} server;

static bool server_waits(int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = server.stop.fd, .events = POLLIN}};

    return poll(fds, 2, -1) > 0 && !fds[1].revents;
}

/* A request with its body; false: the client is gone, or the test is over. */
static bool hear(int fd, char *request, size_t *size)
{
    size_t wanted = 0;

    for (*size = 0; wanted == 0 || *size < wanted;) {
        if (!server_waits(fd))
            return false;
        ssize_t got = read(fd, request + *size, REQUEST_SIZE - 1 - *size);
        if (got <= 0)
            return false;
        *size += (size_t)got;
        request[*size] = '\0';
        const char *body = strstr(request, "\r\n\r\n");
        const char *length = strstr(request, "Content-Length: ");
        if (body)
            wanted = (size_t)(body + 4 - request) + (length ? strtoul(length + 16, NULL, 10) : 0);
    }
    return true;
}

static void say(int fd, const char *words)
{
    (void)!send(fd, words, strlen(words), MSG_NOSIGNAL);
}

/* As the last part of the path says. */
static bool stream_to(int fd, const char *request)
{
    char key[WEBSOCKET_KEY_SIZE] = "", accept[WEBSOCKET_ACCEPT_SIZE] = "", head[512];
    const char *given = strstr(request, "Sec-WebSocket-Key: ");

    if (given)
        text_format(key, sizeof key, "%.24s", given + 19);
    if (!websocket_accept(key, accept))
        return false;
    text_format(head, sizeof head, "HTTP/1.1 101 x\r\nSec-WebSocket-Accept: %s\r\n\r\nbehind",
                strstr(request, "/stream/wrong ") ? "x" : accept);
    if (strstr(request, "/stream/refused "))
        say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    else if (!strstr(request, "/stream/endless "))
        say(fd, head);
    for (int i = 0; i < 10000 && strstr(request, "/stream/endless "); i++)
        say(fd, "HTTP/1.1 101 ");
    return !strstr(request, "/stream/cut ");
}

/* False: the connection is closed. */
static bool reply_to(int fd, const char *request, size_t size, bool first)
{
    char line[128];

    if (strstr(request, " /first-only ") && !first)
        return false;

    if (strstr(request, " /echo ")) {
        text_format(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
        say(fd, line);
        say(fd, request);
    } else if (strstr(request, " /chunks ")) {
        say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
        poll(NULL, 0, 20);
        say(fd, "1\r\nc\r\n0\r\n\r\n");
    } else if (strstr(request, " /early ")) {
        say(fd, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    } else if (strstr(request, " /close ")) {
        say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
        return false;
    } else if (strstr(request, " /then-gone ")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        return false;
    } else if (strstr(request, " /cut ")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly");
        return false;
    } else if (strstr(request, " /first-only ")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    } else if (strstr(request, " /nothing ")) {
        return false;
    } else if (strstr(request, " /stall ")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly");
    } else if (strstr(request, " /trickle ")) {
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
        while (send(fd, "x", 1, MSG_NOSIGNAL) == 1)
            poll(NULL, 0, 5);
        return false;
    } else if (strstr(request, " /large ")) {
        say(fd, "HTTP/1.1 200 OK\r\n\r\n");
        while (send(fd, line, sizeof line, MSG_NOSIGNAL) > 0)
            ;
        return false;
    } else if (strstr(request, " /stream/")) {
        return stream_to(fd, request);
    } else {
        say(fd, "SSH-2.0-x\r\n");
    }
    return true;
}

static void *serve(void *context UNUSED)
{
    char *request = malloc(REQUEST_SIZE);
    size_t size;

    while (server_waits(server.listener)) {
        int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
        atomic_fetch_add(&server.connections, 1);
        bool first = true;
        for (; hear(fd, request, &size) && reply_to(fd, request, size, first); first = false)
            ;
        close(fd);
    }
    free(request);
    return NULL;
}

static int server_begin(void **state UNUSED)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    struct err err;

    signal(SIGPIPE, SIG_IGN);
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    atomic_store(&server.connections, 0);
    if (bind(server.listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(server.listener, 8) != 0 ||
        getsockname(server.listener, (struct sockaddr *)&at, &size) != 0)
        return 1;
    server.port = ntohs(at.sin_port);
    return bell_init(&server.stop, &err) &&
                   thread_start(&server.thread, "server", serve, NULL, &err)
               ? 0
               : 1;
}

static int server_end(void **state UNUSED)
{
    bell_ring(&server.stop);
    pthread_join(server.thread, NULL);
    bell_done(&server.stop);
    close(server.listener);
    return 0;
}

/* ---- calls ---- */

static struct {
    bool sent;
    int status;
    struct err err;
    char body[REQUEST_SIZE];
    int64_t took_ms;
} called;

static void call_at(struct http *http, const char *url, const char *body, size_t body_size,
                    int64_t timeout_ms)
{
    AUTO(text) *reply = text_new(REQUEST_SIZE);
    const char *headers[] = {"Authorization: Bearer x", NULL};
    struct http_call call = {.method = body ? "POST" : "GET",
                             .url = url,
                             .headers = headers,
                             .body = body,
                             .body_size = body_size,
                             .timeout_ms = timeout_ms};
    int64_t begin_ns = clock_boot_ns();

    called.err = (struct err){0};
    called.sent = http_send(http, &call, reply, &called.status, &called.err);
    called.took_ms = (clock_boot_ns() - begin_ns) / 1000000;
    text_copy(called.body, sizeof called.body, reply->bytes ? reply->bytes : "");
}

static void call(struct http *http, const char *path)
{
    char url[128];

    text_format(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
    call_at(http, url, NULL, 0, CALL_MS);
}

static struct http *http_made(void)
{
    struct err err;
    struct http *http = http_new(NULL, &err);

    assert_non_null(http);
    return http;
}

TEST(one_connection_carries_many_calls)
{
    AUTO(http) *http = http_made();
    char expected[256];

    for (int i = 0; i < 20; i++) {
        call(http, i % 2 ? "/chunks" : "/echo");
        assert_true(called.sent);
        assert_int_equal(called.status, 200);
    }
    assert_string_equal(called.body, "abc");
    call(http, "/early");
    assert_int_equal(called.status, 503);
    assert_string_equal(called.body, "busy");
    call(http, "/echo");
    text_format(expected, sizeof expected,
                "GET /echo HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n"
                "Authorization: Bearer x\r\n\r\n",
                server.port);
    assert_string_equal(called.body, expected);
    assert_int_equal(atomic_load(&server.connections), 1);
}

TEST(a_body_goes_out_whole)
{
    AUTO(http) *http = http_made();
    static char body[50000], url[128];

    memset(body, 'b', sizeof body);
    text_format(url, sizeof url, "http://127.0.0.1:%d/echo", server.port);
    call_at(http, url, body, sizeof body, CALL_MS);
    assert_true(called.sent);
    const char *came = strstr(called.body, "\r\n\r\n");
    assert_non_null(came);
    assert_int_equal(strlen(came + 4), sizeof body);
    assert_non_null(
        strstr(called.body, "Content-Type: application/json\r\nContent-Length: 50000\r\n"));
}

TEST(a_connection_that_was_closed_meanwhile_is_replaced)
{
    AUTO(http) *http = http_made();

    call(http, "/close");
    assert_true(called.sent);
    call(http, "/then-gone");
    assert_true(called.sent);
    call(http, "/then-gone"); /* at once: the end of the other may be on its way still */
    assert_true(called.sent);
    poll(NULL, 0, 50);
    call(http, "/echo");
    assert_true(called.sent);
    assert_int_equal(atomic_load(&server.connections), 4);
    call(http, "/first-only"); /* closed instead of an answer */
    assert_true(called.sent);
    assert_int_equal(atomic_load(&server.connections), 5);
}

TEST(a_server_is_found_by_its_name)
{
    AUTO(http) *http = http_made();
    char url[128];

    text_format(url, sizeof url, "http://localhost:%d/close", server.port);
    call_at(http, url, NULL, 0, CALL_MS);
    assert_string_equal(called.err.text, "");
    assert_true(called.sent);
    call_at(http, "http://no-such-host.invalid/", NULL, 0, CALL_MS);
    assert_false(called.sent);
    assert_int_equal(called.err.code, ERR_NODE_AWAY);
    assert_non_null(strstr(called.err.text, "no-such-host.invalid"));
}

TEST(what_goes_wrong_is_told)
{
    AUTO(http) *http = http_made();
    static const struct {
        const char *path, *words;
    } cases[] = {
        {"/cut", "closed in the middle of the answer"},
        {"/nothing", "closed without an answer"},
        {"/ssh", "not HTTP/1.1"},
        {"/large", "too long"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        call(http, cases[i].path);
        assert_false(called.sent);
        assert_int_equal(called.err.code, ERR_NODE_AWAY);
        assert_non_null(strstr(called.err.text, cases[i].words));
        assert_non_null(strstr(called.err.text, cases[i].path)); /* the URL is named */
    }
    call_at(http, "http://127.0.0.1:1/", NULL, 0, CALL_MS);
    assert_non_null(strstr(called.err.text, "Connection refused"));
    call_at(http, "gopher://127.0.0.1/", NULL, 0, CALL_MS);
    assert_int_equal(called.err.code, ERR_NODE_AWAY);
    call(http, "/echo");
    assert_true(called.sent);
}

TEST(a_call_ends_with_its_time)
{
    AUTO(http) *http = http_made();
    static const char *const paths[] = {"/stall", "/trickle"};
    char url[128];

    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        text_format(url, sizeof url, "http://127.0.0.1:%d%s", server.port, paths[i]);
        call_at(http, url, NULL, 0, 200);
        assert_false(called.sent);
        assert_int_equal(called.err.code, ERR_NODE_AWAY);
        assert_non_null(strstr(called.err.text, "no answer in time"));
        assert_in_range(called.took_ms, 190, 2000);
    }
}

static void *end_soon(void *context)
{
    poll(NULL, 0, 100);
    http_interrupt(context);
    return NULL;
}

TEST(a_call_can_be_ended_from_another_thread)
{
    AUTO(http) *http = http_made();
    pthread_t thread;
    struct err err;

    assert_true(thread_start(&thread, "end", end_soon, http, &err));
    call(http, "/stall");
    assert_false(called.sent);
    assert_int_equal(called.err.code, ERR_CLOSED);
    assert_in_range(called.took_ms, 50, 2000);
    pthread_join(thread, NULL);
    call(http, "/echo");
    assert_true(called.sent);
    http_interrupt(http); /* none is under way: the next one */
    call(http, "/echo");
    assert_int_equal(called.err.code, ERR_CLOSED);
    call(http, "/echo");
    assert_true(called.sent);
    http_cancel(http);
    for (int i = 0; i < 2; i++) {
        call(http, "/echo");
        assert_int_equal(called.err.code, ERR_CLOSED);
    }
}

static bool stream(const char *path, struct websocket_io *io)
{
    char url[128];
    const char *headers[] = {"Authorization: Bearer x", NULL};
    const struct http_call call = {.url = url, .headers = headers};

    called.err = (struct err){0};
    text_format(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
    return http_stream_open(&call, NULL, io, &called.err);
}

TEST(a_stream_begins_behind_the_head)
{
    struct websocket_io io;
    char bytes[16] = "";

    assert_true(stream("/stream/good", &io));
    assert_int_equal(io.read(io.context, bytes, 3), 3);
    assert_int_equal(io.read(io.context, bytes + 3, sizeof bytes - 4), 3);
    assert_string_equal(bytes, "behind");
    assert_int_equal(io.read(io.context, bytes, sizeof bytes), 0); /* not now */
    assert_int_equal(io.write(io.context, "x", 1), 1);
    io.close(io.context);
    assert_true(stream("/stream/cut", &io));
    assert_int_equal(io.read(io.context, bytes, sizeof bytes), 6);
    struct pollfd over = {.fd = io.fd, .events = POLLIN};
    assert_int_equal(poll(&over, 1, CALL_MS), 1);
    assert_int_equal(io.read(io.context, bytes, sizeof bytes), -1);
    io.close(io.context);
}

TEST(a_stream_that_is_not_taken_is_told)
{
    struct websocket_io io;

    assert_false(stream("/stream/refused", &io));
    assert_int_equal(called.err.code, ERR_CONFLICT);
    assert_non_null(strstr(called.err.text, "404"));
    assert_false(stream("/stream/wrong", &io));
    assert_int_equal(called.err.code, ERR_CONFLICT);
    assert_false(stream("/stream/endless", &io));
    assert_int_equal(called.err.code, ERR_NODE_AWAY);
    assert_false(stream("/nothing", &io));
    assert_int_equal(called.err.code, ERR_NODE_AWAY);
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, server_begin, server_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(one_connection_carries_many_calls),
        SERVED(a_body_goes_out_whole),
        SERVED(a_connection_that_was_closed_meanwhile_is_replaced),
        SERVED(a_server_is_found_by_its_name),
        SERVED(what_goes_wrong_is_told),
        SERVED(a_call_ends_with_its_time),
        SERVED(a_call_can_be_ended_from_another_thread),
        SERVED(a_stream_begins_behind_the_head),
        SERVED(a_stream_that_is_not_taken_is_told),
    };

    return RUN_TESTS(tests);
}
