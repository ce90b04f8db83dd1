/* Two ends over a socket pair, and one end against bytes that nobody who means well would send. */
#include "base/websocket.h"

#include "base/text.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

struct heard {
    struct text *text;
    enum websocket_kind kind;
    int messages;
};

static void on_received(void *context, enum websocket_kind kind, const void *bytes, size_t size,
                        bool whole)
{
    struct heard *heard = context;

    text_add_n(heard->text, bytes, size);
    heard->kind = kind;
    heard->messages += whole;
}

static struct websocket *make(enum websocket_side side, int fd, struct heard *heard)
{
    struct websocket_io io = websocket_plain(fd);
    struct websocket_events events = {on_received, heard};
    struct err err = {0};
    struct websocket *socket = websocket_new(side, &io, &events, &err);

    heard->text = text_new(1 << 22);
    assert_non_null(socket);
    return socket;
}

struct pair {
    struct websocket *server, *client;
    struct heard at_server, at_client;
};

static void pair_make(struct pair *pair)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    *pair = (struct pair){0};
    pair->server = make(WEBSOCKET_SERVER, fds[0], &pair->at_server);
    pair->client = make(WEBSOCKET_CLIENT, fds[1], &pair->at_client);
}

static void pair_drop(struct pair *pair)
{
    websocket_free(pair->server);
    websocket_free(pair->client);
    text_free(pair->at_server.text);
    text_free(pair->at_client.text);
}

static void pair_run(struct pair *pair)
{
    for (int i = 0; i < 2000; i++) {
        bool going = websocket_write(pair->client);
        going &= websocket_read(pair->server);
        going &= websocket_write(pair->server);
        going &= websocket_read(pair->client);
        if (!going && i > 8)
            return;
    }
}

TEST(messages_arrive_whole_and_of_their_kind_both_ways)
{
    struct pair pair;
    char *large = calloc(1, 300000);

    pair_make(&pair);
    memset(large, 'x', 300000);
    assert_true(websocket_send(pair.client, WEBSOCKET_TEXT, "hello", 5));
    assert_true(websocket_send(pair.server, WEBSOCKET_BINARY, large, 300000));
    pair_run(&pair);
    assert_int_equal(pair.at_server.messages, 1);
    assert_int_equal(pair.at_server.kind, WEBSOCKET_TEXT);
    assert_string_equal(pair.at_server.text->bytes, "hello");
    assert_int_equal(pair.at_client.messages, 1);
    assert_int_equal(pair.at_client.kind, WEBSOCKET_BINARY);
    assert_int_equal(pair.at_client.text->size, 300000);
    free(large);
    pair_drop(&pair);
}

TEST(the_end_comes_behind_what_was_sent_and_with_its_code)
{
    struct pair pair;
    char reason[WEBSOCKET_REASON_SIZE];

    pair_make(&pair);
    assert_true(websocket_send(pair.server, WEBSOCKET_BINARY, "last", 4));
    websocket_end(pair.server, 1000, "exit code 3");
    pair_run(&pair);
    assert_string_equal(pair.at_client.text->bytes, "last");
    assert_int_equal(websocket_end_code(pair.client), 1000);
    websocket_end_reason(pair.client, reason);
    assert_string_equal(reason, "exit code 3");
    assert_int_equal(websocket_end_code(pair.server), 1000);
    assert_false(websocket_write(pair.server));
    pair_drop(&pair);
}

TEST(what_is_held_stays_unread_and_comes_later)
{
    struct pair pair;

    pair_make(&pair);
    websocket_hold(pair.server, true);
    assert_true(websocket_send(pair.client, WEBSOCKET_BINARY, "later", 5));
    pair_run(&pair);
    assert_int_equal(pair.at_server.messages, 0);
    websocket_hold(pair.server, false);
    pair_run(&pair);
    assert_int_equal(pair.at_server.messages, 1);
    pair_drop(&pair);
}

TEST(what_came_with_the_head_is_read_first)
{
    static const unsigned char frame[] = {0x81, 0x82, 0, 0, 0, 0, 'o', 'k'};
    struct heard heard = {0};
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct websocket *server = make(WEBSOCKET_SERVER, fds[0], &heard);
    assert_true(websocket_put_back(server, frame, 5));
    assert_int_equal(write(fds[1], frame + 5, sizeof frame - 5), sizeof frame - 5);
    assert_true(websocket_read(server));
    assert_string_equal(heard.text->bytes, "ok");
    websocket_free(server);
    close(fds[1]);
    text_free(heard.text);
}

/* What a server makes of these bytes, sent one by one. */
static struct heard hear(const unsigned char *bytes, size_t size, bool *goes_on, int *code)
{
    struct heard heard = {0};
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct websocket *server = make(WEBSOCKET_SERVER, fds[0], &heard);
    *goes_on = true;
    for (size_t i = 0; i < size && *goes_on; i++) {
        assert_int_equal(write(fds[1], bytes + i, 1), 1);
        *goes_on = websocket_read(server);
    }
    unsigned char reply[64] = {0};
    bool more UNUSED = websocket_write(server);
    *code = recv(fds[1], reply, sizeof reply, MSG_DONTWAIT) >= 4 && reply[0] == 0x88
                ? reply[2] * 256 + reply[3]
                : 0;
    websocket_free(server);
    close(fds[1]);
    return heard;
}

TEST(a_message_in_fragments_with_a_ping_between_is_one_message)
{
    static const unsigned char bytes[] = {0x01, 0x82, 0, 0,    0,    0, 'a', 'b', 0x89, 0x80, 0,
                                          0,    0,    0, 0x80, 0x81, 0, 0,   0,   0,    'c'};
    bool goes_on;
    int code;
    struct heard heard = hear(bytes, sizeof bytes, &goes_on, &code);

    assert_true(goes_on);
    assert_int_equal(heard.messages, 1);
    assert_string_equal(heard.text->bytes, "abc");
    text_free(heard.text);
}

TEST(hostile_frames_end_the_stream_with_a_protocol_error)
{
    static const struct {
        const char *what;
        unsigned char bytes[16];
        size_t size;
    } cases[] = {
        {"not masked", {0x81, 0x02, 'a', 'b'}, 4},
        {"a reserved bit", {0xC1, 0x81, 0, 0, 0, 0, 'a'}, 7},
        {"an unknown opcode", {0x83, 0x81, 0, 0, 0, 0, 'a'}, 7},
        {"a ping in fragments", {0x09, 0x80, 0, 0, 0, 0}, 6},
        {"a ping that is too long", {0x89, 0xFE, 0x00, 0x7E, 0, 0, 0, 0}, 8},
        {"a continuation of nothing", {0x80, 0x81, 0, 0, 0, 0, 'a'}, 7},
        {"a new message within one", {0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0}, 12},
        {"a length beyond 63 bits",
         {0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
         10},
        {"a length longer than needed", {0x82, 0xFE, 0x00, 0x01, 0, 0, 0, 0, 'a'}, 9},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool goes_on;
        int code;
        struct heard heard = hear(cases[i].bytes, cases[i].size, &goes_on, &code);
        if (goes_on || heard.messages > 0)
            fail_msg("%s is taken", cases[i].what);
        text_free(heard.text);
    }
}

TEST(who_pings_without_taking_the_answers_is_not_read_for_ever)
{
    static const unsigned char ping[] = {0x89, 0x80, 0, 0, 0, 0};
    struct heard heard = {0};
    int fds[2], sent = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct websocket *server = make(WEBSOCKET_SERVER, fds[0], &heard);
    for (int i = 0; i < 200000; i++) {
        sent += send(fds[1], ping, sizeof ping, MSG_DONTWAIT) == sizeof ping;
        bool reads UNUSED = websocket_read(server);
    }
    assert_true(sent < 100000);
    websocket_free(server);
    close(fds[1]);
    text_free(heard.text);
}

TEST(the_handshake_is_that_of_the_standard)
{
    char accept[WEBSOCKET_ACCEPT_SIZE], key[WEBSOCKET_KEY_SIZE];

    assert_true(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", accept));
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_false(websocket_accept("short", accept));
    websocket_key(key);
    assert_true(websocket_accept(key, accept));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_whole_and_of_their_kind_both_ways),
        cmocka_unit_test(the_end_comes_behind_what_was_sent_and_with_its_code),
        cmocka_unit_test(what_is_held_stays_unread_and_comes_later),
        cmocka_unit_test(what_came_with_the_head_is_read_first),
        cmocka_unit_test(a_message_in_fragments_with_a_ping_between_is_one_message),
        cmocka_unit_test(hostile_frames_end_the_stream_with_a_protocol_error),
        cmocka_unit_test(who_pings_without_taking_the_answers_is_not_read_for_ever),
        cmocka_unit_test(the_handshake_is_that_of_the_standard),
    };
    return RUN_TESTS(tests);
}
