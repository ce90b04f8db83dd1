#include "tests/unit/unit.h"

#include "base/text.h"
#include "base/thread.h"
#include "node-agent/metadata/metadata.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#define GOOD \
    "GET "   \
    "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.example"
#define MARK "Metadata: true\r\n"

static struct metadata *metadata;
static struct metadata_question *asked; /* the newest, not yet answered */
static struct bell rung;
static bool refuses;
static int port;

static bool take(void *context UNUSED, struct metadata_question *question)
{
    if (refuses)
        return false;
    asked = question;
    bell_ring(&rung);
    return true;
}

static int listen_somewhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    port = ntohs(at.sin_port);
    return fd;
}

static int begin(void **state UNUSED)
{
    struct err err = {0};

    refuses = false;
    asked = NULL;
    assert_true(bell_init(&rung, &err));
    metadata = metadata_new(take, NULL, &err);
    assert_non_null(metadata);
    assert_true(metadata_open(metadata, "group-1", listen_somewhere(), &err));
    return 0;
}

static int end(void **state UNUSED)
{
    metadata_free(metadata);
    bell_done(&rung);
    return 0;
}

static int connect_to_it(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static int send_request(const char *line, const char *headers)
{
    char request[1024];
    int fd = connect_to_it();

    text_format(request, sizeof request,
                "%s HTTP/1.1\r\nHost: 169.254.169.254\r\n%sConnection: close\r\n\r\n", line,
                headers);
    assert_int_equal(send(fd, request, strlen(request), 0), (int)strlen(request));
    return fd;
}

/* Everything until the other side closes. */
static const char *receive(int fd)
{
    static char reply[8192];
    size_t size = 0;
    ssize_t got;

    while ((got = recv(fd, reply + size, sizeof reply - 1 - size, 0)) > 0)
        size += (size_t)got;
    reply[size] = '\0';
    close(fd);
    return reply;
}

static void assert_says(int fd, const char *status, const char *words)
{
    const char *reply = receive(fd);

    if (!strstr(reply, status) || !strstr(reply, words))
        fail_msg("wanted %s and \"%s\", got: %s", status, words, reply);
}

static void a_question_names_its_group_and_whom_the_token_is_for(void **state UNUSED)
{
    int fd = send_request(GOOD "&client_id=abc", MARK);

    assert_true(bell_wait(&rung, 5000));
    assert_string_equal(asked->uid, "group-1");
    assert_string_equal(asked->resource, "https://vault.example");
    assert_string_equal(asked->client_id, "abc");
    assert_string_equal(asked->object_id, "");
    metadata_answer(asked, 200, "{\"access_token\":\"t\"}");
    assert_says(fd, "200 OK", "{\"access_token\":\"t\"}");
}

static void what_is_no_question_is_refused_with_its_reason(void **state UNUSED)
{
    assert_says(send_request(GOOD, ""), "400", "Required metadata header not specified");
    assert_says(send_request(GOOD, MARK "X-Forwarded-For: 10.0.0.1\r\n"), "400", "proxy");
    assert_says(send_request("GET /metadata/identity/oauth2/token?resource=r", MARK), "400",
                "'api-version' is missing");
    assert_says(send_request("GET /metadata/identity/oauth2/token?api-version=1", MARK), "400",
                "'resource' is missing");
    assert_says(send_request("POST /metadata/identity/oauth2/token?api-version=1&resource=r",
                             MARK "Content-Length: 0\r\n"),
                "405", "Only GET");
    assert_says(send_request("GET /metadata/instance?api-version=1", MARK), "404", "There is only");
    assert_null(asked);
}

static void a_value_that_is_too_long_is_refused(void **state UNUSED)
{
    char line[400];

    text_format(line, sizeof line, "%s&client_id=%0200d", GOOD, 7);
    assert_says(send_request(line, MARK), "400", "too long");
    assert_null(asked);
}

static void nobody_to_ask_is_told(void **state UNUSED)
{
    refuses = true;
    assert_says(send_request(GOOD, MARK), "503", "temporarily_unavailable");
}

static void an_answer_after_the_group_has_gone_finds_nobody(void **state UNUSED)
{
    int fd = send_request(GOOD, MARK);

    assert_true(bell_wait(&rung, 5000));
    metadata_close(metadata, "group-1");
    assert_string_equal(receive(fd), "");
    metadata_answer(asked, 200, "{}");
    metadata_close(metadata, "group-1"); /* again is fine */
}

static void a_client_that_left_costs_nothing(void **state UNUSED)
{
    close(send_request(GOOD, MARK));
    assert_true(bell_wait(&rung, 5000));
    metadata_answer(asked, 200, "{}");
    int fd = send_request(GOOD, MARK);
    assert_true(bell_wait(&rung, 5000));
    metadata_answer(asked, 200, "{\"second\":1}");
    assert_says(fd, "200 OK", "second");
}

static void a_group_that_is_open_keeps_its_listener(void **state UNUSED)
{
    struct err err = {0};
    int first = port;

    assert_true(metadata_open(metadata, "group-1", listen_somewhere(), &err));
    port = first;
    refuses = true;
    assert_says(send_request(GOOD, MARK), "503", "temporarily");
}

static void a_request_may_come_in_pieces(void **state UNUSED)
{
    static const char request[] = GOOD "&mi_res_id=a+b%2f HTTP/1.1\r\nmetadata:TRUE \r\n\r\n";
    int fd = connect_to_it();

    for (size_t i = 0; i < sizeof request - 1; i++) {
        assert_int_equal(send(fd, request + i, 1, 0), 1);
        if (i % 16 == 0)
            usleep(1000);
    }
    assert_true(bell_wait(&rung, 5000));
    assert_string_equal(asked->resource_id, "a b/");
    metadata_answer(asked, 200, "{}");
    assert_says(fd, "200 OK", "{}");
}

static void what_is_no_http_is_refused(void **state UNUSED)
{
    static const char *const requests[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /metadata\r\n\r\n",
        "GET metadata HTTP/1.1\r\n\r\n",
        GOOD " HTTP/1.1\r\nMetadata\r\n\r\n",
        GOOD " HTTP/1.1\r\n: true\r\n\r\n",
        GOOD " HTTP/1.1\r\n" MARK " folded: x\r\n\r\n",
        GOOD "%zz HTTP/1.1\r\n" MARK "\r\n",
        GOOD "%00 HTTP/1.1\r\n" MARK "\r\n",
        GOOD "% HTTP/1.1\r\n" MARK "\r\n",
        GOOD "&a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p HTTP/1.1\r\n" MARK "\r\n",
    };

    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        int fd = connect_to_it();
        assert_int_equal(send(fd, requests[i], strlen(requests[i]), 0), (int)strlen(requests[i]));
        assert_says(fd, "HTTP/1.1 400 Bad Request", "no request of HTTP/1.1");
    }
    assert_null(asked);
}

static void a_head_that_does_not_end_is_refused(void **state UNUSED)
{
    static char head[8192];
    int fd = connect_to_it();

    memset(head, 'x', sizeof head);
    assert_int_equal(send(fd, head, sizeof head, 0), (int)sizeof head);
    assert_says(fd, "431", "Content-Length: 0");
}

static void what_is_too_many_waits_for_its_turn(void **state UNUSED)
{
    int fds[20];

    refuses = true;
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = connect_to_it();
    assert_int_equal(send(fds[19], GOOD " HTTP/1.1\r\n" MARK "\r\n",
                          strlen(GOOD " HTTP/1.1\r\n" MARK "\r\n"), 0) > 0,
                     1);
    usleep(50000);
    char byte;
    assert_int_equal(recv(fds[19], &byte, 1, MSG_DONTWAIT), -1);
    for (size_t i = 0; i < 19; i++)
        close(fds[i]);
    assert_says(fds[19], "503", "temporarily");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_question_names_its_group_and_whom_the_token_is_for, begin,
                                        end),
        cmocka_unit_test_setup_teardown(what_is_no_question_is_refused_with_its_reason, begin, end),
        cmocka_unit_test_setup_teardown(a_value_that_is_too_long_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(nobody_to_ask_is_told, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_after_the_group_has_gone_finds_nobody, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_client_that_left_costs_nothing, begin, end),
        cmocka_unit_test_setup_teardown(a_group_that_is_open_keeps_its_listener, begin, end),
        cmocka_unit_test_setup_teardown(a_request_may_come_in_pieces, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_http_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_head_that_does_not_end_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(what_is_too_many_waits_for_its_turn, begin, end),
    };

    return cmocka_run_group_tests_name("metadata server", tests, NULL, NULL);
}
