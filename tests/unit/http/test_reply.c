/* Replies good and hostile, each read in one piece and byte by byte. */
#include "tests/unit/unit.h"

#include "node-agent/http/http.h"

#include <string.h>

enum { BODY_MAX = 1000 };

static struct seen {
    struct http_reply reply;
    bool whole, failed;
    size_t taken;
    char body[BODY_MAX + 1], location[256];
    struct err err;
} seen;

static void read_in_pieces(const char *bytes, size_t size, size_t piece)
{
    AUTO(text) *body = text_new(BODY_MAX);
    AUTO(text) *location = text_new(sizeof seen.location - 1);

    seen = (struct seen){0};
    http_reply_begin(&seen.reply, body, location);
    while (seen.taken < size && !seen.failed && !seen.reply.whole) {
        size_t left = size - seen.taken, next = left < piece ? left : piece;
        char *copy =
            malloc(next ? next : 1); /* of that size alone, so that reading past it shows */
        assert_non_null(copy);
        memcpy(copy, bytes + seen.taken, next);
        ssize_t taken = http_reply_take(&seen.reply, copy, next, &seen.err);
        free(copy);
        seen.failed = taken < 0;
        seen.taken += taken > 0 ? (size_t)taken : 0;
    }
    if (!seen.failed && !seen.reply.whole)
        seen.failed = !http_reply_close(&seen.reply, &seen.err);
    seen.whole = seen.reply.whole;
    text_copy(seen.body, sizeof seen.body, body->bytes ? body->bytes : "");
    text_copy(seen.location, sizeof seen.location, location->bytes ? location->bytes : "");
}

static void read_all(const char *bytes)
{
    read_in_pieces(bytes, strlen(bytes), strlen(bytes));
}

TEST(replies_are_read_to_their_end)
{
    static const struct {
        const char *bytes, *body;
        int status;
        bool keeps;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 200, true},
        {"HTTP/1.1 200\nContent-Length:2 \n\nok", "ok", 200, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", 200, true},
        {"HTTP/1.1 204 No Content\r\n\r\n", "", 204, true},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", "", 304, true},
        {"HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", 200, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", 200, false},
        {"HTTP/1.1 200 OK\r\nconnection: x, Close\r\nContent-Length: 2\r\n\r\nok", "ok", 200,
         false},
        {"HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"
         "HTTP/1.1 409 Conflict\r\nContent-Length: 1\r\n\r\nx",
         "x", 409, true},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "", 101, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n00A;x=y\r\n0123456789\r\n"
         "0\r\nTrailer: x\r\n\r\n",
         "ok0123456789", 200, true},
        {"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\nok", "ok", 200, true},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t piece = 1; piece <= strlen(cases[i].bytes); piece++) {
            read_in_pieces(cases[i].bytes, strlen(cases[i].bytes), piece);
            if (seen.err.text[0])
                fail_msg("%s: %s", cases[i].bytes, seen.err.text);
            assert_true(seen.whole);
            assert_int_equal(seen.reply.status, cases[i].status);
            assert_int_equal(seen.reply.keeps, cases[i].keeps);
            assert_int_equal(seen.reply.bytes, strlen(cases[i].bytes));
            assert_string_equal(seen.body, cases[i].body);
        }
    }
}

TEST(what_is_behind_a_reply_is_left)
{
    read_all("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n");
    assert_true(seen.whole);
    assert_int_equal(seen.taken, strlen("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    read_all("HTTP/1.1 101 x\r\n\r\n\x81\x05hello");
    assert_true(seen.whole);
    assert_int_equal(seen.taken, strlen("HTTP/1.1 101 x\r\n\r\n"));
}

TEST(where_it_leads_is_kept)
{
    read_all("HTTP/1.1 302 Found\r\nlocation:  /there \r\nContent-Length: 0\r\n\r\n");
    assert_string_equal(seen.location, "/there");
}

TEST(what_is_no_reply_is_refused)
{
    static const struct {
        const char *bytes, *words;
    } cases[] = {
        {"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP/1.1"},
        {"HTTP/2 200 OK\r\n\r\n", "not HTTP/1.1"},
        {"HTTP/1.1 20 OK\r\n\r\n", "not HTTP/1.1"},
        {"HTTP/1.1 2000 OK\r\n\r\n", "not HTTP/1.1"},
        {"HTTP/1.1 099 OK\r\n\r\n", "not HTTP/1.1"},
        {"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "in header"},
        {"HTTP/1.1 200 OK\r\n: empty\r\n\r\n", "in header"},
        {"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", "content-length"},
        {"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok", "content-length"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok", "content-length"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
         "content-length"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", "content-length"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", "encoding"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "chunk size header"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "chunk size header"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "chunk size header"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
         "content-length"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n", "chunk size header"},
        {"", "without an answer"},
        {"HTTP/1.1 200 OK\r\n", "in the middle"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "in the middle"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n", "in the middle"},
        {"HTTP/1.1 100 Continue\r\n\r\n", "in the middle"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (size_t piece = 1; piece <= strlen(cases[i].bytes) + 1; piece++) {
            read_in_pieces(cases[i].bytes, strlen(cases[i].bytes), piece);
            if (!seen.failed)
                fail_msg("%s: taken", cases[i].bytes);
            if (!strstr(seen.err.text, cases[i].words))
                fail_msg("%s: %s", cases[i].bytes, seen.err.text);
        }
    }
    read_in_pieces("HTTP/1.1 200 OK\r\nA: x\0\r\n\r\n", 27, 27);
    assert_true(seen.failed);
}

/* Says the same again and again; true when that is refused in the end. */
static bool ends(const char *begin, const char *again, enum err_code code)
{
    AUTO(text) *body = text_new(BODY_MAX);
    struct http_reply reply;
    struct err err = {0};
    bool refused = false;

    http_reply_begin(&reply, body, NULL);
    assert_true(http_reply_take(&reply, begin, strlen(begin), &err) >= 0);
    for (int i = 0; i < 1000000 && !refused && !reply.whole; i++)
        refused = http_reply_take(&reply, again, strlen(again), &err) < 0;
    return refused && err.code == code && reply.bytes < 1 << 20;
}

TEST(endless_heads_and_bodies_end)
{
    assert_true(ends("HTTP/1.1 200 OK\r\nX: ", "x", ERR_IO));
    assert_true(ends("HTTP/1.1 200 OK\r\n", "X: y\r\n", ERR_IO));
    assert_true(ends("", "HTTP/1.1 100 Continue\r\n\r\n", ERR_IO));
    assert_true(ends("HTTP/1.1 200 OK\r\n\r\n", "x", ERR_TOO_LARGE));
    assert_true(
        ends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", ERR_TOO_LARGE));
    assert_true(ends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "x", ERR_IO));
    assert_true(
        ends("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n", ERR_IO));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read_to_their_end),
        cmocka_unit_test(what_is_behind_a_reply_is_left),
        cmocka_unit_test(where_it_leads_is_kept),
        cmocka_unit_test(what_is_no_reply_is_refused),
        cmocka_unit_test(endless_heads_and_bodies_end),
    };

    return RUN_TESTS(tests);
}
