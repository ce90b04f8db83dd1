/* node-agent/link/link.h against a plane that is a socket: what is asked for, from which revision, and what happens when
 * it cannot be taken. */
#include "tests/unit/unit.h"

#include "base/file.h"
#include "base/log.h"
#include "base/thread.h"
#include "node-agent/link/link.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

enum { REQUEST_SIZE = 8192, PATIENCE_MS = 10000 };

static struct plane {
    char folder[64], url[64], identity[96];
    int listener, connection;
    char request[REQUEST_SIZE]; /* the newest: its head, and its body if it has one */
} plane;

/* ---- the plane ---- */

static void plane_begin(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;

    log_configure(LOG_ERROR, false);
    plane = (struct plane){.connection = -1};
    text_copy(plane.folder, sizeof plane.folder, "/tmp/berth-link-XXXXXX");
    assert_non_null(mkdtemp(plane.folder));
    plane.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(plane.listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(plane.listener, 8), 0);
    assert_int_equal(getsockname(plane.listener, (struct sockaddr *)&at, &size), 0);
    text_format(plane.url, sizeof plane.url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    text_format(plane.identity, sizeof plane.identity, "%s/node.json", plane.folder);
}

static void plane_end(void)
{
    struct err err = {0};

    auto_close_fd(&plane.connection);
    auto_close_fd(&plane.listener);
    assert_true(file_remove_tree(plane.folder, &err));
}

static bool readable(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};

    return poll(&wanted, 1, PATIENCE_MS) == 1;
}

static bool request_is_whole(void)
{
    const char *body = strstr(plane.request, "\r\n\r\n");
    const char *length = strstr(plane.request, "Content-Length: ");

    return body && (!length || strlen(body + 4) >= (size_t)strtol(length + 16, NULL, 10));
}

/* Waits for the next request; a connection that the link gave up is followed by its next one. Its first line. */
static const char *plane_hear(void)
{
    size_t filled = 0;

    memset(plane.request, 0, sizeof plane.request);
    while (!request_is_whole()) {
        if (plane.connection < 0) {
            assert_true(readable(plane.listener));
            plane.connection = accept4(plane.listener, NULL, NULL, SOCK_CLOEXEC);
        }
        assert_true(readable(plane.connection));
        ssize_t count = read(plane.connection, plane.request + filled, REQUEST_SIZE - 1 - filled);
        if (count <= 0)
            auto_close_fd(&plane.connection);
        else
            filled += (size_t)count;
    }
    plane.request[strcspn(plane.request, "\r")] = '\0';
    return plane.request;
}

static void plane_say(const char *json)
{
    char reply[1024];

    text_format(
        reply, sizeof reply,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
        strlen(json), json);
    assert_int_equal(write(plane.connection, reply, strlen(reply)), strlen(reply));
}

/* ---- the agent ---- */

static struct {
    atomic_int joins, taken, refusals; /* the next so many are refused */
    atomic_long after;
} agent;

static bool refuses(void)
{
    int left = atomic_load(&agent.refusals);

    if (left > 0)
        atomic_store(&agent.refusals, left - 1);
    return left > 0;
}

static bool on_joined(void *context UNUSED, const struct join_answer *answer UNUSED)
{
    atomic_fetch_add(&agent.joins, 1);
    return true;
}

static bool on_desired(void *context UNUSED, struct arena *arena, int64_t after,
                       const struct desired *desired UNUSED)
{
    arena_free(arena);
    if (refuses())
        return false;
    atomic_store(&agent.after, (long)after);
    atomic_fetch_add(&agent.taken, 1);
    return true;
}

static void on_reported(void *context UNUSED, const struct report_answer *answer UNUSED,
                        int64_t sent_boot_ns UNUSED)
{
}

/* Joined, and told everything up to revision 7. */
static struct link *link_begin(int refusals)
{
    static struct node_capacity capacity = {1000, 1000};
    struct err err = {0};
    struct link_options options = {.plane_url = plane.url,
                                   .join_token = "t",
                                   .identity_path = plane.identity,
                                   .join = {.name = "n", .capacity = &capacity},
                                   .events = {on_joined, on_desired, on_reported, NULL}};

    atomic_store(&agent.joins, 0);
    atomic_store(&agent.taken, 0);
    atomic_store(&agent.refusals, refusals);
    struct link *link = link_new(&options, &err);
    assert_non_null(link);
    assert_string_equal(plane_hear(), "POST /v1/agent/join HTTP/1.1");
    plane_say("{\"nodeId\":\"i\",\"credential\":\"c\",\"epoch\":3,\"beatMs\":1000}");
    assert_string_equal(plane_hear(), "GET /v1/agent/desired?epoch=3&after=0 HTTP/1.1");
    plane_say("{\"revision\":7,\"complete\":true}");
    return link;
}

/* ---- what must hold ---- */

TEST(a_poll_goes_on_from_the_last_revision)
{
    plane_begin();
    struct link *link = link_begin(0);

    assert_string_equal(plane_hear(), "GET /v1/agent/desired?epoch=3&after=7 HTTP/1.1");
    plane_say("{\"revision\":9}");
    assert_string_equal(plane_hear(), "GET /v1/agent/desired?epoch=3&after=9 HTTP/1.1");
    assert_int_equal(atomic_load(&agent.after), 7);
    link_free(link);
    plane_end();
}

TEST(what_could_not_be_taken_is_polled_again)
{
    plane_begin();
    struct link *link = link_begin(1);

    assert_string_equal(plane_hear(), "GET /v1/agent/desired?epoch=3&after=0 HTTP/1.1");
    plane_say("{\"revision\":7,\"complete\":true}");
    assert_string_equal(plane_hear(), "GET /v1/agent/desired?epoch=3&after=7 HTTP/1.1");
    assert_int_equal(atomic_load(&agent.taken), 1);
    link_free(link);
    plane_end();
}

TEST(asking_again_ends_the_poll_under_way)
{
    plane_begin();
    struct link *link = link_begin(0);

    assert_string_equal(plane_hear(), "GET /v1/agent/desired?epoch=3&after=7 HTTP/1.1");
    link_ask(link, 4); /* the poll is held open by the plane */
    assert_string_equal(plane_hear(), "GET /v1/agent/desired?epoch=3&after=4 HTTP/1.1");
    plane_say("{\"revision\":7}");
    assert_string_equal(plane_hear(), "GET /v1/agent/desired?epoch=3&after=7 HTTP/1.1");
    assert_int_equal(atomic_load(&agent.joins), 1);
    link_free(link);
    plane_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poll_goes_on_from_the_last_revision),
        cmocka_unit_test(what_could_not_be_taken_is_polled_again),
        cmocka_unit_test(asking_again_ends_the_poll_under_way),
    };

    return RUN_TESTS(tests);
}
