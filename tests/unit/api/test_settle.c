/* An answer that rests on what a commit under way will have done waits until the disk has it; one that only shows it does
 * not. */
#include "serve.h"
#include "tests/unit/held_sync.h"

#include <poll.h>
#include <unistd.h>

enum { AT_ONCE_MS = 100 };

static int asks_to_delete(const struct served *served)
{
    int fd = client_open(served);

    client_say(fd, "DELETE " SERVE_GROUPS "/web" SERVE_V " HTTP/1.1\r\n" SERVE_HEAD "\r\n");
    return fd;
}

static bool is_answered(int fd, int within_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    return poll(&ready, 1, within_ms) > 0;
}

static int status_of(int fd)
{
    struct answer_text answer = client_take(fd, false);
    int status = answer.status;

    answer_free(&answer);
    close(fd);
    return status;
}

/* A group whose deletion stands at the gate, and another call that finds it gone. */
struct deletions {
    int first, second;
};

static struct deletions delete_twice(const struct served *served)
{
    struct deletions deletions;

    assert_int_equal(call_status(served, "PUT", SERVE_GROUPS "/web" SERVE_V, SERVE_GROUP), 201);
    sync_hold();
    deletions.first = asks_to_delete(served);
    sync_reached();
    assert_int_equal(call_status(served, "GET", SERVE_GROUPS "/web" SERVE_V, NULL), 404);
    deletions.second = asks_to_delete(served);
    assert_false(is_answered(deletions.second, AT_ONCE_MS));
    assert_false(is_answered(deletions.first, 0));
    return deletions;
}

TEST(what_is_gone_already_is_answered_when_the_disk_has_it)
{
    AUTO(served) *served = served_new();
    struct deletions deletions = delete_twice(served);

    sync_let_go(false);
    assert_int_equal(status_of(deletions.first), 200);
    assert_int_equal(status_of(deletions.second), 204);
}

TEST(it_fails_when_the_disk_does)
{
    AUTO(served) *served = served_new();
    struct deletions deletions = delete_twice(served);

    sync_let_go(true);
    assert_int_equal(status_of(deletions.first), 503);
    assert_int_equal(status_of(deletions.second), 503);
    assert_int_equal(call_status(served, "DELETE", SERVE_GROUPS "/web" SERVE_V, NULL), 503);
    held_sync.fails = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_gone_already_is_answered_when_the_disk_has_it),
        cmocka_unit_test(it_fails_when_the_disk_does),
    };
    return RUN_TESTS(tests);
}
