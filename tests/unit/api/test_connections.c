#include "api/connections.h"
#include "base/clock.h"
#include "base/limits.h"
#include "tests/unit/unit.h"

#include <sys/socket.h>

static const int64_t second_ns = 1000000000;
static int64_t now_ns;

static int64_t boot_ns(void *context UNUSED)
{
    return now_ns;
}

static int64_t now_ms(void *context UNUSED)
{
    return now_ns / 1000000;
}

struct pair {
    struct connections *connections;
    struct connection *connection;
    int ours, theirs;
};

static void pair_begin(struct pair *pair)
{
    static const struct clock_source source = {.now_ms = now_ms, .boot_ns = boot_ns};
    struct err err = {0};
    int fds[2];

    now_ns = 5 * second_ns;
    clock_replace(&source);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    pair->ours = fds[0];
    pair->theirs = fds[1];
    pair->connections = connections_new(&err);
    assert_non_null(pair->connections);
    pair->connection = connections_add(pair->connections, pair->ours);
}

static void pair_end(struct pair *pair)
{
    connections_remove(pair->connections, pair->connection);
    assert_int_equal(connections_sweep(pair->connections, now_ns), 0);
    connections_free(pair->connections);
    close(pair->ours);
    close(pair->theirs);
    clock_replace(NULL);
}

static bool is_cut_off(const struct pair *pair)
{
    char byte;

    return recv(pair->theirs, &byte, 1, 0) == 0;
}

static void pass(struct pair *pair, int64_t seconds)
{
    now_ns += seconds * second_ns;
    assert_int_equal(connections_sweep(pair->connections, now_ns), 1);
}

TEST(cuts_off_who_never_finishes_a_request)
{
    struct pair pair;

    pair_begin(&pair);
    pass(&pair, LIMIT_HTTP_REQUEST_TIMEOUT_S);
    assert_false(is_cut_off(&pair));
    pass(&pair, 1);
    assert_true(is_cut_off(&pair));
    pair_end(&pair);
}

TEST(waits_as_long_as_the_answer_takes)
{
    struct pair pair;

    pair_begin(&pair);
    connections_ready(pair.connection);
    pass(&pair, INT64_C(10) * LIMIT_HTTP_REQUEST_TIMEOUT_S);
    assert_false(is_cut_off(&pair));
    connections_idle(pair.connection);
    pass(&pair, LIMIT_HTTP_REQUEST_TIMEOUT_S);
    assert_false(is_cut_off(&pair));
    pass(&pair, 1);
    assert_true(is_cut_off(&pair));
    pair_end(&pair);
}

TEST(a_connection_that_could_not_be_noted_is_harmless)
{
    struct err err = {0};
    struct connections *connections = connections_new(&err);

    connections_ready(NULL);
    connections_idle(NULL);
    connections_remove(connections, NULL);
    assert_int_equal(connections_sweep(connections, 0), 0);
    connections_free(connections);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_off_who_never_finishes_a_request),
        cmocka_unit_test(waits_as_long_as_the_answer_takes),
        cmocka_unit_test(a_connection_that_could_not_be_noted_is_harmless),
    };
    return RUN_TESTS(tests);
}
