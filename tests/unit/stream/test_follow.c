/* Logs that are rotated, restarted and left behind, read by a stream over a socket pair. */
#include "base/file.h"
#include "node-agent/stream/stream.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 5000 };

static char folder[64];

struct reader {
    struct streams *streams;
    struct websocket *socket;
    struct text *said;
};

static void on_said(void *context, enum websocket_kind kind, const void *bytes, size_t size,
                    bool whole)
{
    (void)kind;
    (void)whole;
    text_add_n(((struct reader *)context)->said, bytes, size);
}

static int folder_make(void **state)
{
    struct err err = {0};

    (void)state;
    text_format(folder, sizeof folder, "/tmp/berth-follow-%d", (int)getpid());
    assert_true(file_remove_tree(folder, &err));
    assert_true(file_make_folders(folder, 0700, &err));
    return 0;
}

static int folder_remove(void **state)
{
    struct err err = {0};

    (void)state;
    return file_remove_tree(folder, &err) ? 0 : -1;
}

/* One line more, as conmon writes it; the number is its time too. */
static void put(const char *file, int number)
{
    char path[128], line[128];

    text_format(path, sizeof path, "%s/%s", folder, file);
    text_format(line, sizeof line, "2026-01-31T08:11:33.%09d+00:00 stdout F line %d\n", number,
                number);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, line, strlen(line)), strlen(line));
    close(fd);
}

static void move(const char *from, const char *to)
{
    char old[128], new[128];

    text_format(old, sizeof old, "%s/%s", folder, from);
    text_format(new, sizeof new, "%s/%s", folder, to);
    assert_int_equal(rename(old, new), 0);
}

static void follow(struct reader *reader, const char *position, int64_t tail, bool raw, bool ends)
{
    static const char *names[] = {"c"};
    static const struct text_list containers = {.items = names, .count = 1};
    struct websocket_events events = {on_said, reader};
    struct stream_logs logs = {.uid = "3f0c2c52-0000-4000-8000-000000000000",
                               .folder = folder,
                               .containers = &containers,
                               .position = position,
                               .tail = tail,
                               .raw = raw,
                               .ends = ends,
                               .end_fd = -1};
    struct err err = {0};
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct websocket_io ours = websocket_plain(fds[0]), theirs = websocket_plain(fds[1]);
    reader->said = text_new(1 << 20);
    reader->streams = streams_new(&err);
    reader->socket = websocket_new(WEBSOCKET_SERVER, &ours, &events, &err);
    assert_non_null(reader->streams);
    assert_non_null(reader->socket);
    assert_true(streams_add_logs(reader->streams, &theirs, &logs, &err));
}

static void hear_until(struct reader *reader, const char *part)
{
    for (int waited = 0; waited < WAIT_MS; waited += 10) {
        struct pollfd ready = {.fd = websocket_fd(reader->socket), .events = POLLIN};
        bool more = websocket_read(reader->socket);
        more &= websocket_write(reader->socket);
        if (strstr(reader->said->bytes ? reader->said->bytes : "", part) || !more)
            return;
        (void)poll(&ready, 1, 10);
    }
    fail_msg("'%s' does not come, only: %s", part, reader->said->bytes);
}

static void done(struct reader *reader)
{
    websocket_free(reader->socket);
    streams_free(reader->streams);
    text_free(reader->said);
}

static void has_once(const struct reader *reader, int from, int to)
{
    const char *at = reader->said->bytes;

    for (int number = from; number <= to; number++) {
        char words[32];
        text_format(words, sizeof words, "line %d\"", number);
        const char *found = at ? strstr(at, words) : NULL;
        if (!found || strstr(found + 1, words))
            fail_msg("%s: not once behind those before it, in: %s", words, reader->said->bytes);
        at = found;
    }
}

/* The last id that was given. */
static void last_id(const struct reader *reader, char out[256])
{
    const char *at = reader->said->bytes, *found = NULL;

    while (at && (at = strstr(at, "id: ")))
        found = at++;
    assert_non_null(found);
    if (found)
        text_format(out, 256, "%.*s", (int)strcspn(found + 4, "\n"), found + 4);
}

TEST(lines_come_as_they_are_written_also_over_a_rotation)
{
    struct reader reader;

    put("c.log", 1);
    follow(&reader, NULL, -1, false, false);
    hear_until(&reader, "line 1\"");
    put("c.log", 2);
    move("c.log", "c.log.1");
    put("c.log.1", 3); /* conmon has not opened the new one yet */
    put("c.log", 4);
    hear_until(&reader, "line 4\"");
    has_once(&reader, 1, 4);
    assert_null(strstr(reader.said->bytes, "event: gap"));
    done(&reader);
}

TEST(it_goes_on_behind_an_id_over_a_rotation_and_a_new_run)
{
    struct reader reader;
    char id[256];

    put("c.log", 1);
    put("c.log", 2);
    follow(&reader, NULL, -1, false, true);
    hear_until(&reader, "line 2\"");
    last_id(&reader, id);
    done(&reader);
    put("c.log", 3);
    move("c.log", "c.log.1");
    put("c.log", 4);
    move("c.log.1", "c.previous.log.1");
    move("c.log", "c.previous.log");
    put("c.log", 5);
    follow(&reader, id, -1, false, true);
    hear_until(&reader, "line 5\"");
    has_once(&reader, 3, 5);
    assert_null(strstr(reader.said->bytes, "line 2\""));
    assert_null(strstr(reader.said->bytes, "event: gap"));
    done(&reader);
}

TEST(what_is_kept_no_more_is_told_as_a_gap)
{
    struct reader reader;

    put("c.log", 7);
    follow(&reader, "c=20250101000000000000000.12", -1, false, true);
    hear_until(&reader, "line 7\"");
    assert_non_null(strstr(reader.said->bytes, "event: gap"));
    done(&reader);
}

TEST(only_the_last_lines_when_asked)
{
    struct reader reader;

    for (int i = 1; i <= 9; i++)
        put("c.log", i);
    follow(&reader, NULL, 2, false, true);
    hear_until(&reader, "line 9\"");
    has_once(&reader, 8, 9);
    assert_null(strstr(reader.said->bytes, "line 7\""));
    done(&reader);
}

TEST(attach_gives_what_was_written_and_nothing_else)
{
    struct reader reader;

    put("c.log", 1);
    follow(&reader, NULL, 24, true, false);
    hear_until(&reader, "line 1\n");
    put("c.log", 2);
    hear_until(&reader, "line 2\n");
    assert_string_equal(reader.said->bytes, "line 1\nline 2\n");
    done(&reader);
}

TEST(it_ends_with_what_is_there_when_nothing_more_will_come)
{
    struct reader reader;
    char reason[WEBSOCKET_REASON_SIZE];

    put("c.log", 1);
    follow(&reader, NULL, -1, false, true);
    hear_until(&reader, "nothing of that");
    websocket_end_reason(reader.socket, reason);
    assert_string_equal(reason, "that is all");
    has_once(&reader, 1, 1);
    done(&reader);
}

TEST(it_ends_with_its_group)
{
    struct reader reader;

    put("c.log", 1);
    follow(&reader, NULL, -1, false, false);
    hear_until(&reader, "line 1\"");
    streams_group_over(reader.streams, "3f0c2c52-0000-4000-8000-000000000000");
    hear_until(&reader, "nothing of that");
    assert_int_equal(websocket_end_code(reader.socket), 1000);
    done(&reader);
}

#define FOLLOWED(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLLOWED(lines_come_as_they_are_written_also_over_a_rotation),
        FOLLOWED(it_goes_on_behind_an_id_over_a_rotation_and_a_new_run),
        FOLLOWED(what_is_kept_no_more_is_told_as_a_gap),
        FOLLOWED(only_the_last_lines_when_asked),
        FOLLOWED(attach_gives_what_was_written_and_nothing_else),
        FOLLOWED(it_ends_with_what_is_there_when_nothing_more_will_come),
        FOLLOWED(it_ends_with_its_group),
    };
    return RUN_TESTS(tests);
}
