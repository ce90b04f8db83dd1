/* The server over TLS, and the client that nodes speak to it with. */
#include "serve.h"

#include "api/tls.h"
#include "base/clock.h"
#include "base/limits.h"
#include "node-agent/link/http.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

struct called {
    int status;
    struct err err;
    char body[4096];
};

static struct called call_by(struct http *http, const char *host, int port, const char *path)
{
    struct called called = {0};
    AUTO(text) *reply = text_new(65536);
    char url[128];
    const char *headers[] = {"Authorization: Bearer " SERVE_TOKEN, NULL};

    text_format(url, sizeof url, "https://%s:%d%s", host, port, path);
    struct http_call call = {.method = "GET", .url = url, .headers = headers, .timeout_ms = 20000};
    if (http_send(http, &call, reply, &called.status, &called.err))
        text_copy(called.body, sizeof called.body, reply->bytes ? reply->bytes : "");
    return called;
}

static struct called call_once(const struct served *served, const char *ca, const char *host)
{
    struct err err = {0};
    AUTO(http) *http = http_new(ca, &err);

    assert_non_null(http);
    return call_by(http, host, api_port(served->api), "/healthz");
}

static const char *ca_of(const struct served *served)
{
    static char path[96];

    text_format(path, sizeof path, "%s/ca.pem", served->folder);
    return path;
}

TEST(a_node_that_knows_the_ca_is_answered)
{
    AUTO(served) *served = served_new_tls();
    struct called called = call_once(served, ca_of(served), "127.0.0.1");

    assert_string_equal(called.err.text, "");
    if (called.status != 200)
        printf("%s\n", called.body);
    assert_int_equal(called.status, 200);
    assert_string_equal(called.body, "ok\n");
}

TEST(a_node_without_the_ca_says_that_the_certificate_does_not_fit)
{
    AUTO(served) *served = served_new_tls();
    struct called called = call_once(served, NULL, "127.0.0.1");

    assert_int_equal(called.err.code, ERR_NODE_AWAY);
    assert_non_null(strstr(called.err.text, "certificate does not fit"));
    assert_non_null(strstr(called.err.text, "no plane_ca_file"));
}

TEST(a_node_that_calls_by_another_name_says_that_the_certificate_does_not_fit)
{
    AUTO(served) *served = served_new_tls();
    struct called called = call_once(served, ca_of(served), "127.0.0.2");

    assert_int_equal(called.err.code, ERR_NODE_AWAY);
    assert_non_null(strstr(called.err.text, "certificate does not fit"));
    assert_non_null(strstr(called.err.text, "127.0.0.2"));
}

TEST(a_ca_file_that_holds_none_is_named)
{
    AUTO(served) *served = served_new_tls();
    struct called called = call_once(served, served->key_path, "127.0.0.1");

    assert_int_equal(called.err.code, ERR_NODE_AWAY);
    assert_non_null(strstr(called.err.text, served->key_path));
}

/* Each of them sleeps while the store commits: what the TLS library has read already must not be
 * forgotten meanwhile. */
TEST(parked_requests_of_one_connection_are_all_answered)
{
    AUTO(served) *served = served_new_tls();
    struct err err = {0};
    AUTO(http) *http = http_new(ca_of(served), &err);

    assert_non_null(http);
    for (int i = 0; i < 300; i++) {
        struct called called = call_by(http, "127.0.0.1", api_port(served->api), "/readyz");
        assert_string_equal(called.err.text, "");
        if (called.status != 200)
            printf("%s\n", called.body);
        assert_int_equal(called.status, 200);
    }
}

/* The client's end of its connection to the server. */
static int socket_to(int port)
{
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_in other = {0};
        socklen_t size = sizeof other;
        if (getpeername(fd, (struct sockaddr *)(void *)&other, &size) == 0 &&
            other.sin_family == AF_INET && ntohs(other.sin_port) == port)
            return fd;
    }
    return -1;
}

static unsigned packets_taken(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info.tcpi_data_segs_in;
}

TEST(the_head_and_the_body_of_a_reply_travel_as_one)
{
    AUTO(served) *served = served_new_tls();
    struct err err = {0};
    AUTO(http) *http = http_new(ca_of(served), &err);
    int port = api_port(served->api);
    const char *path = "/providers?api-version=2021-04-01";

    assert_non_null(http);
    /* The handshake; the library sets the socket's options with its first large reply. */
    assert_int_equal(call_by(http, "127.0.0.1", port, path).status, 200);
    int fd = socket_to(port);
    assert_true(fd >= 0);
    unsigned before = packets_taken(fd);
    assert_int_equal(call_by(http, "127.0.0.1", port, path).status, 200);
    assert_int_equal(packets_taken(fd), before + 1);
}

/* ---- a client that asks much and takes little ---- */

enum { REPLIES = 1000, TAKEN_AT_ONCE = 1000 };

static SSL *session_over(int fd)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *session = SSL_new(context);

    assert_true(session && SSL_set_fd(session, fd) == 1);
    SSL_CTX_free(context); /* the session holds it */
    assert_int_equal(SSL_connect(session), 1);
    return session;
}

/* Of the first one; 0: it has not come whole. */
static size_t reply_size(const char *bytes, size_t size)
{
    const char *body = memmem(bytes, size, "\r\n\r\n", 4);
    const char *length = body ? memmem(bytes, size, "Content-Length: ", 16) : NULL;

    if (!body)
        return 0;
    assert_true(length && length < body);
    size_t whole = (size_t)(body + 4 - bytes) + strtoul(length + 16, NULL, 10);
    return whole <= size ? whole : 0;
}

static void take_more(SSL *session, struct text *taken)
{
    char bytes[TAKEN_AT_ONCE];
    int size = SSL_read(session, bytes, sizeof bytes);

    assert_true(size > 0);
    text_add_n(taken, bytes, (size_t)size);
}

/* All requests before the first byte of a reply is taken: heads and bodies go out in what pieces there is room for. */
TEST(replies_to_a_client_that_is_slow_to_take_them_are_whole)
{
    static const char request[] = "GET /providers?api-version=2021-04-01 HTTP/1.1\r\nHost: x\r\n"
                                  "Authorization: Bearer " SERVE_TOKEN "\r\n\r\n";
    AUTO(served) *served = served_new_tls();
    AUTO(text) *taken = text_new(64 << 20);
    AUTO_CLOSE int fd = client_open_narrow(served, 4096);
    SSL *session = session_over(fd);
    size_t at = 0;

    for (int i = 0; i < REPLIES; i++)
        assert_int_equal(SSL_write(session, request, sizeof request - 1), sizeof request - 1);
    for (int replies = 0; replies < REPLIES;) {
        if (replies % 100 == 0)
            (void)poll(NULL, 0, 20); /* nothing more goes out meanwhile */
        size_t size = reply_size(taken->bytes + at, taken->size - at);
        if (size == 0) {
            take_more(session, taken);
            continue;
        }
        assert_memory_equal(taken->bytes + at, "HTTP/1.1 200 OK\r\n", 17);
        assert_memory_equal(taken->bytes + at + size - 1, "}", 1);
        at += size;
        replies++;
    }
    assert_int_equal(at, taken->size);
    SSL_free(session);
}

/* ---- handshakes that do not come ---- */

static _Atomic int64_t ahead_ns; /* set while the server looks at the clock */

static int64_t later_ns(void *context UNUSED)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec + ahead_ns;
}

static int64_t later_ms(void *context UNUSED)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

TEST(a_handshake_that_is_slow_is_cut_off)
{
    static const struct clock_source source = {.now_ms = later_ms, .boot_ns = later_ns};
    AUTO(served) *served = served_new_tls();
    AUTO_CLOSE int fd = client_open(served);
    char byte;

    client_send(fd, "\x16\x03\x01\x02", 4); /* a hello that never ends */
    ahead_ns = 0;
    clock_replace(&source);
    while (call_once(served, ca_of(served), "127.0.0.1").status != 200)
        ;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1); /* still open */
    ahead_ns = INT64_C(1000000000) * (LIMIT_HTTP_REQUEST_TIMEOUT_S + 1);
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    clock_replace(NULL);
}

TEST(a_request_without_tls_is_not_answered)
{
    AUTO(served) *served = served_new_tls();
    AUTO_CLOSE int fd = client_open(served);
    char bytes[512];
    ssize_t size;

    client_say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    while ((size = recv(fd, bytes, sizeof bytes, 0)) > 0)
        assert_null(memmem(bytes, (size_t)size, "HTTP/1.1", 8));
}

/* ---- renewal ---- */

TEST(a_new_certificate_is_shown_to_the_next_handshake)
{
    AUTO(served) *served = served_new_tls();
    struct err err = {0};
    const char *name = "127.0.0.2";
    struct auth_options options = {.state_dir = served->folder,
                                   .listen_address = "0.0.0.0",
                                   .tls = true,
                                   .names = {true, &name, 1}};
    AUTO(http) *held = http_new(ca_of(served), &err);

    assert_non_null(held);
    assert_int_equal(call_by(held, "127.0.0.1", api_port(served->api), "/healthz").status, 200);
    assert_int_equal(call_once(served, ca_of(served), name).status, 0);
    assert_true(auth_reload(served->auth, &options, &err));
    assert_int_equal(call_once(served, ca_of(served), name).status, 200);
    assert_int_equal(call_by(held, "127.0.0.1", api_port(served->api), "/healthz").status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_that_knows_the_ca_is_answered),
        cmocka_unit_test(a_node_without_the_ca_says_that_the_certificate_does_not_fit),
        cmocka_unit_test(a_node_that_calls_by_another_name_says_that_the_certificate_does_not_fit),
        cmocka_unit_test(a_ca_file_that_holds_none_is_named),
        cmocka_unit_test(parked_requests_of_one_connection_are_all_answered),
        cmocka_unit_test(the_head_and_the_body_of_a_reply_travel_as_one),
        cmocka_unit_test(replies_to_a_client_that_is_slow_to_take_them_are_whole),
        cmocka_unit_test(a_handshake_that_is_slow_is_cut_off),
        cmocka_unit_test(a_request_without_tls_is_not_answered),
        cmocka_unit_test(a_new_certificate_is_shown_to_the_next_handshake),
    };
    return RUN_TESTS(tests);
}
