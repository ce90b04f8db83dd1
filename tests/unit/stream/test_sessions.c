/* The plane's table of streams, and bytes through it, with a client and a node on socket pairs. */
#include "api/stream/stream.h"
#include "base/limits.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NODE = 7, WAIT_MS = 5000 };

struct end {
    struct websocket *socket;
    struct text *said;
    int fd; /* the streams' side */
};

static int asked; /* how often the node was rung for */

static void on_asked(void *context, int64_t node_key)
{
    (void)context;
    assert_int_equal(node_key, NODE);
    asked++;
}

static void on_said(void *context, enum websocket_kind kind, const void *bytes, size_t size,
                    bool whole)
{
    (void)kind;
    (void)whole;
    text_add_n(((struct end *)context)->said, bytes, size);
}

static struct streams *make_idle(int64_t idle_ms)
{
    struct streams_options options = {.idle_ms = idle_ms, .node_asked = on_asked};
    struct err err = {0};
    struct streams *streams = streams_new(&options, &err);

    asked = 0;
    assert_non_null(streams);
    return streams;
}

static struct streams *make(void)
{
    return make_idle(0);
}

static bool open_one(struct streams *streams, struct stream_ticket *ticket, struct err *err)
{
    struct question question = {
        .kind = QUESTION_EXEC, .uid = "u", .container = "c", .command = "sh"};
    struct stream_ask ask = {NODE, "subscription", &question};

    return streams_open(streams, &ask, ticket, err);
}

static void end_make(struct end *end)
{
    struct websocket_events events = {on_said, end};
    struct err err = {0};
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct websocket_io io = websocket_plain(fds[0]);
    end->said = text_new(1 << 20);
    end->socket = websocket_new(WEBSOCKET_CLIENT, &io, &events, &err);
    end->fd = fds[1];
    assert_non_null(end->socket);
}

static void end_done(struct end *end)
{
    websocket_free(end->socket);
    text_free(end->said);
}

/* True until the stream is over. */
static bool end_run(struct end *end)
{
    struct pollfd ready = {.fd = websocket_fd(end->socket), .events = POLLIN};
    bool goes_on = websocket_write(end->socket);

    (void)poll(&ready, 1, 10);
    goes_on &= websocket_read(end->socket);
    return websocket_write(end->socket) && goes_on;
}

static void hear_until(struct end *end, const char *part)
{
    for (int waited = 0; waited < WAIT_MS; waited += 10) {
        if (!end_run(end) || strstr(end->said->bytes ? end->said->bytes : "", part))
            return;
    }
    fail_msg("'%s' does not come, only: %s", part, end->said->bytes ? end->said->bytes : "");
}

static void client_take(struct streams *streams, const char *id, struct end *end, bool control)
{
    struct err err = {0};
    struct websocket_io io;

    assert_true(streams_claim(streams, id, NULL, &err));
    end_make(end);
    io = websocket_plain(end->fd);
    streams_take_client(streams, id, control, &io, NULL, 0);
}

static void node_take(struct streams *streams, const char *id, struct end *end)
{
    struct websocket_io io;

    end_make(end);
    io = websocket_plain(end->fd);
    streams_take_node(streams, id, &io, NULL, 0);
}

static void say(struct end *end, enum websocket_kind kind, const char *words)
{
    assert_true(websocket_send(end->socket, kind, words, strlen(words)));
    bool going = end_run(end);
    (void)going;
}

static size_t questions(struct streams *streams, int64_t node_key)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct question told[8];
    size_t count = 0;

    assert_true(streams_questions(streams, node_key, arena, told, 8, &count));
    return count;
}

static void wait_asked(struct streams *streams, struct end *client)
{
    for (int waited = 0; waited < WAIT_MS && !streams_has_question(streams, NODE); waited += 10)
        (void)end_run(client);
    assert_true(streams_has_question(streams, NODE));
}

TEST(a_node_is_asked_only_once_the_password_was_right)
{
    AUTO(streams) *streams = make();
    struct stream_ticket ticket;
    struct end client;
    struct err err = {0};

    assert_true(open_one(streams, &ticket, &err));
    client_take(streams, ticket.id, &client, false);
    assert_false(streams_has_question(streams, NODE));
    say(&client, WEBSOCKET_TEXT, ticket.password);
    wait_asked(streams, &client);
    assert_int_equal(asked, 1);
    assert_int_equal(questions(streams, NODE + 1), 0);
    assert_int_equal(questions(streams, NODE), 1);
    assert_int_equal(questions(streams, NODE), 0);
    streams_node_joined(streams, NODE);
    assert_int_equal(questions(streams, NODE), 1);
    end_done(&client);
}

TEST(a_password_is_good_once_and_a_wrong_one_ends_the_session)
{
    AUTO(streams) *streams = make();
    struct stream_ticket ticket;
    struct end client;
    struct err err = {0};

    assert_true(open_one(streams, &ticket, &err));
    assert_false(streams_claim(streams, ticket.id, "wrong", &err));
    assert_int_equal(err.code, ERR_UNAUTHENTICATED);
    assert_false(streams_claim(streams, ticket.id, ticket.password, &err));
    assert_int_equal(err.code, ERR_STREAM_NOT_FOUND);
    assert_true(open_one(streams, &ticket, &err));
    client_take(streams, ticket.id, &client, false);
    assert_false(streams_claim(streams, ticket.id, NULL, &err));
    say(&client, WEBSOCKET_TEXT, "wrong");
    hear_until(&client, "nothing of that");
    assert_int_equal(websocket_end_code(client.socket), 1008);
    assert_int_equal(asked, 0);
    end_done(&client);
}

TEST(a_password_without_end_is_none)
{
    AUTO(streams) *streams = make();
    struct stream_ticket ticket;
    struct end client;
    struct err err = {0};
    char *large = calloc(1, 100001);

    memset(large, 'x', 100000);
    assert_true(open_one(streams, &ticket, &err));
    client_take(streams, ticket.id, &client, false);
    say(&client, WEBSOCKET_TEXT, large);
    hear_until(&client, "nothing of that");
    assert_int_equal(websocket_end_code(client.socket), 1008);
    free(large);
    end_done(&client);
}

TEST(bytes_go_both_ways_and_the_nodes_last_words_are_the_clients)
{
    AUTO(streams) *streams = make();
    struct stream_ticket ticket;
    struct end client, node;
    struct err err = {0};
    char reason[WEBSOCKET_REASON_SIZE];

    assert_true(open_one(streams, &ticket, &err));
    client_take(streams, ticket.id, &client, true);
    say(&client, WEBSOCKET_TEXT, ticket.password);
    say(&client, WEBSOCKET_BINARY, "early");
    wait_asked(streams, &client);
    assert_false(streams_awaits_node(streams, ticket.id, NODE + 1, &err));
    assert_true(streams_awaits_node(streams, ticket.id, NODE, &err));
    node_take(streams, ticket.id, &node);
    hear_until(&node, "early");
    say(&client, WEBSOCKET_TEXT, "{\"rows\":50,\"cols\":132}");
    hear_until(&node, "{\"rows\":50,\"cols\":132}");
    say(&node, WEBSOCKET_BINARY, "output");
    hear_until(&client, "output");
    websocket_end(node.socket, 1000, "exit code 3");
    for (int i = 0; i < 20 && end_run(&node); i++)
        ;
    hear_until(&client, "nothing of that");
    assert_int_equal(websocket_end_code(client.socket), 1000);
    websocket_end_reason(client.socket, reason);
    assert_string_equal(reason, "exit code 3");
    end_done(&client);
    end_done(&node);
}

TEST(an_order_that_is_none_ends_the_stream)
{
    AUTO(streams) *streams = make();
    struct stream_ticket ticket;
    struct end client, node;
    struct err err = {0};

    assert_true(open_one(streams, &ticket, &err));
    client_take(streams, ticket.id, &client, true);
    say(&client, WEBSOCKET_TEXT, ticket.password);
    wait_asked(streams, &client);
    node_take(streams, ticket.id, &node);
    say(&client, WEBSOCKET_TEXT, "{\"rows\":0,\"cols\":132}");
    hear_until(&client, "nothing of that");
    assert_int_equal(websocket_end_code(client.socket), 1007);
    end_done(&client);
    end_done(&node);
}

TEST(it_ends_when_nothing_is_said_for_too_long)
{
    AUTO(streams) *streams = make_idle(300);
    struct stream_ticket ticket;
    struct end client, node;
    struct err err = {0};
    char reason[WEBSOCKET_REASON_SIZE];

    assert_true(open_one(streams, &ticket, &err));
    client_take(streams, ticket.id, &client, false);
    say(&client, WEBSOCKET_TEXT, ticket.password);
    wait_asked(streams, &client);
    node_take(streams, ticket.id, &node);
    hear_until(&client, "nothing of that");
    websocket_end_reason(client.socket, reason);
    assert_string_equal(reason, "nothing was said for too long");
    end_done(&client);
    end_done(&node);
}

TEST(a_subscription_cannot_take_all_sessions)
{
    AUTO(streams) *streams = make();
    struct stream_ticket ticket;
    struct err err = {0};

    for (int i = 0; i < LIMIT_STREAMS_SUBSCRIPTION_MAX; i++)
        assert_true(open_one(streams, &ticket, &err));
    assert_false(open_one(streams, &ticket, &err));
    assert_int_equal(err.code, ERR_STREAMS);
}

TEST(who_is_there_is_told_when_the_server_stops)
{
    struct streams *streams = make();
    struct stream_ticket ticket;
    struct end client;
    struct err err = {0};

    assert_true(open_one(streams, &ticket, &err));
    client_take(streams, ticket.id, &client, false);
    websocket_end(client.socket, 1000,
                  ""); /* as a client answers, which this one cannot while it waits below */
    (void)end_run(&client);
    streams_stop(streams);
    assert_false(open_one(streams, &ticket, &err));
    assert_int_equal(err.code, ERR_CLOSED);
    streams_free(streams);
    end_done(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_asked_only_once_the_password_was_right),
        cmocka_unit_test(a_password_is_good_once_and_a_wrong_one_ends_the_session),
        cmocka_unit_test(a_password_without_end_is_none),
        cmocka_unit_test(bytes_go_both_ways_and_the_nodes_last_words_are_the_clients),
        cmocka_unit_test(an_order_that_is_none_ends_the_stream),
        cmocka_unit_test(it_ends_when_nothing_is_said_for_too_long),
        cmocka_unit_test(a_subscription_cannot_take_all_sessions),
        cmocka_unit_test(who_is_there_is_told_when_the_server_stops),
    };
    return RUN_TESTS(tests);
}
