/* node-agent/probe/probe.h: the thread that asks, against servers on loopback (server.py) and commands of a table. */
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "base/thread.h"
#include "node-agent/probe/probe.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define UID "00000000-0000-4000-8000-000000000001"

enum { NEWS_MAX = 256, WAIT_MS = 15000 };

static const char *server_path;

/* ---- what is told ---- */

static struct {
    pthread_mutex_t mutex;
    struct probe_news items[NEWS_MAX];
    size_t count;
    int refuse; /* so many are not taken */
} told = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static bool said(void *context UNUSED, const struct probe_news *news)
{
    pthread_mutex_lock(&told.mutex);
    bool taken = told.refuse == 0;
    told.refuse -= told.refuse > 0;
    if (taken && told.count < NEWS_MAX)
        told.items[told.count++] = *news;
    pthread_mutex_unlock(&told.mutex);
    return taken;
}

static size_t told_count(void)
{
    pthread_mutex_lock(&told.mutex);
    size_t count = told.count;
    pthread_mutex_unlock(&told.mutex);
    return count;
}

static int64_t now_ms(void)
{
    return clock_boot_ns() / 1000000;
}

/* The n-th thing that is told from now on, waited for. */
static struct probe_news heard(size_t n)
{
    int64_t until_ms = now_ms() + WAIT_MS;

    while (told_count() <= n) {
        if (now_ms() > until_ms)
            fail_msg("nothing was told in %d ms", WAIT_MS);
        usleep(2000);
    }
    pthread_mutex_lock(&told.mutex);
    struct probe_news news = told.items[n];
    pthread_mutex_unlock(&told.mutex);
    return news;
}

static void forget(void)
{
    pthread_mutex_lock(&told.mutex);
    told.count = 0;
    told.refuse = 0;
    pthread_mutex_unlock(&told.mutex);
}

/* ---- commands of a table ---- */

struct fake_command {
    struct bell bell;
    int code;
};
static struct {
    atomic_int code, begun, running;
    atomic_bool hangs, cannot;
    char output[64];
} commands;

static void *fake_begin(void *context UNUSED, const char *uid, const char *container,
                        const struct text_list *command, struct err *err)
{
    assert_string_equal(uid, UID);
    assert_string_equal(container, "web");
    assert_string_equal(command->items[command->count - 1], "last word");
    atomic_fetch_add(&commands.begun, 1);
    if (atomic_load(&commands.cannot)) {
        err_set(err, ERR_BUSY, "no");
        return NULL;
    }
    struct fake_command *fake = calloc(1, sizeof *fake);
    assert_true(fake && bell_init(&fake->bell, err));
    fake->code = atomic_load(&commands.code);
    if (!atomic_load(&commands.hangs))
        bell_ring(&fake->bell);
    atomic_fetch_add(&commands.running, 1);
    return fake;
}

static int fake_fd(const void *running)
{
    return ((const struct fake_command *)running)->bell.fd;
}

static bool fake_ended(void *running, int *exit_code)
{
    *exit_code = ((const struct fake_command *)running)->code;
    return true;
}

static const char *fake_output(const void *running UNUSED)
{
    return commands.output;
}

static void fake_end(void *running)
{
    struct fake_command *fake = running;

    bell_done(&fake->bell);
    free(fake);
    atomic_fetch_sub(&commands.running, 1);
}

static const struct probe_commands fakes = {.begin = fake_begin,
                                            .fd = fake_fd,
                                            .ended = fake_ended,
                                            .output = fake_output,
                                            .end = fake_end};

/* ---- the servers ---- */

static struct {
    pid_t pid;
    int input;
    int http, https, silent; /* ports */
} servers;

static int servers_begin(void **state UNUSED)
{
    int in[2], out[2];
    char line[64] = "";

    if (pipe(in) != 0 || pipe(out) != 0)
        return -1;
    servers.pid = fork();
    if (servers.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        execlp("python3", "python3", server_path, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    servers.input = in[1];
    FILE *stream = fdopen(out[0], "r");
    bool read_ = stream && fgets(line, sizeof line, stream) &&
                 sscanf(line, "%d %d %d", &servers.http, &servers.https, &servers.silent) == 3;
    if (stream)
        fclose(stream);
    return read_ ? 0 : -1;
}

static int servers_end(void **state UNUSED)
{
    close(servers.input);
    waitpid(servers.pid, NULL, 0);
    return 0;
}

/* ---- asking ---- */

struct asked {
    struct probe probe;
    struct probe_http_get get;
    struct probe_exec exec;
};

static struct opt_int given(int64_t value)
{
    return (struct opt_int){GIVEN_VALUE, value};
}

/* Each answer is told: the verdict to begin with is bad, and it takes one pass, or the failure is told anyhow. */
static struct asked get_of(int port, const char *path)
{
    return (struct asked){.probe = {.period_s = given(1), .timeout_s = given(1)},
                          .get = {.path = path, .port = given(port), .scheme = -1}};
}

static const char *const words[] = {"a", "last word"};

static struct asked exec_of(void)
{
    return (struct asked){.probe = {.period_s = given(1), .timeout_s = given(1)},
                          .exec.command = {.given = true, .items = (void *)words, .count = 2}};
}

static void begin(struct prober *prober, struct asked *asked, int64_t token, bool good)
{
    struct err err = {0};

    if (asked->exec.command.count > 0)
        asked->probe.exec = &asked->exec;
    else
        asked->probe.http_get = &asked->get;
    struct probe_spec spec = {.token = token,
                              .kind = good ? PROBE_LIVENESS : PROBE_READINESS,
                              .uid = UID,
                              .container = "web",
                              .address = "127.0.0.1",
                              .asked = &asked->probe,
                              .good = good};
    if (!prober_begin(prober, &spec, &err))
        fail_msg("%s", err.text);
}

static struct prober *prober(void)
{
    struct err err = {0};
    struct prober *made = prober_new(&fakes, said, NULL, &err);

    forget();
    assert_non_null(made);
    return made;
}

/* The first answer to one question. */
static struct probe_news ask(struct asked asked)
{
    AUTO(prober) *one = prober();

    begin(one, &asked, 7, false);
    return heard(0);
}

/* ---- HTTP ---- */

TEST(two_and_three_hundred_are_a_success_and_nothing_else_is)
{
    static const struct {
        const char *path;
        const char *words; /* NULL: passes */
    } cases[] = {
        {"/code/200", NULL},
        {"/code/204", NULL},
        {"/code/399", NULL},
        {NULL, NULL},
        {"/x?full=1&y=%20#z", NULL},
        {"/code/400", "HTTP probe failed with statuscode: 400"},
        {"/code/404", "HTTP probe failed with statuscode: 404"},
        {"/code/503", "HTTP probe failed with statuscode: 503"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct probe_news news = ask(get_of(servers.http, cases[i].path));
        assert_int_equal(news.answer, cases[i].words ? PROBE_FAILED : PROBE_PASSED);
        assert_string_equal(news.text, cases[i].words ? cases[i].words : "");
        assert_int_equal(news.token, 7);
        assert_string_equal(news.container, "web");
    }
}

TEST(redirects_are_followed_on_the_same_host_and_elsewhere_count_as_success)
{
    assert_int_equal(ask(get_of(servers.http, "/again/200")).answer, PROBE_PASSED);
    struct probe_news news = ask(get_of(servers.http, "/again/500"));
    assert_int_equal(news.answer, PROBE_FAILED);
    assert_string_equal(news.text, "HTTP probe failed with statuscode: 500");
    assert_int_equal(ask(get_of(servers.http, "/elsewhere")).answer, PROBE_PASSED);
    assert_int_equal(ask(get_of(servers.http, "/round")).answer, PROBE_PASSED);
}

TEST(headers_are_sent_as_given)
{
    struct http_header headers[] = {{"X-A", "b c"},
                                    {"X-Empty", NULL},
                                    {"Host", "inside.example"},
                                    {"user-agent", "berth-test"}};
    struct asked asked = get_of(servers.http, "/headers");

    assert_int_equal(ask(asked).answer, PROBE_FAILED);
    asked.get.headers = headers;
    asked.get.headers_count = COUNT_OF(headers);
    assert_int_equal(ask(asked).answer, PROBE_PASSED);
    assert_int_equal(ask(get_of(servers.http, "/agent")).answer, PROBE_PASSED);
}

TEST(https_asks_for_no_certificate_that_anyone_vouches_for)
{
    struct asked asked = get_of(servers.https, "/code/200");

    asked.get.scheme = PROBE_HTTPS;
    assert_int_equal(ask(asked).answer, PROBE_PASSED);
    asked.get.path = "/code/500";
    assert_int_equal(ask(asked).answer, PROBE_FAILED);
    asked = get_of(servers.http, "/");
    asked.get.scheme = PROBE_HTTPS; /* to one that speaks no TLS */
    assert_int_equal(ask(asked).answer, PROBE_FAILED);
}

TEST(who_does_not_listen_or_is_too_slow_has_failed)
{
    char url[64];

    struct probe_news news = ask(get_of(servers.silent, "/x"));
    text_format(url, sizeof url, "Get \"http://127.0.0.1:%d/x\": ", servers.silent);
    assert_int_equal(news.answer, PROBE_FAILED);
    assert_true(text_has_prefix(news.text, url) && strlen(news.text) > strlen(url));
    int64_t begun_ms = now_ms();
    news = ask(get_of(servers.http, "/slow"));
    assert_true(now_ms() - begun_ms >= 1000 && now_ms() - begun_ms < 2500);
    assert_int_equal(news.answer, PROBE_FAILED);
    text_format(url, sizeof url, "Get \"http://127.0.0.1:%d/slow\": no answer within 1 s",
                servers.http);
    assert_string_equal(news.text, url);
}

TEST(an_endless_answer_is_not_listened_to)
{
    int64_t begun_ms = now_ms();

    assert_int_equal(ask(get_of(servers.http, "/endless/200")).answer, PROBE_PASSED);
    assert_string_equal(ask(get_of(servers.http, "/endless/500")).text,
                        "HTTP probe failed with statuscode: 500");
    assert_int_equal(ask(get_of(servers.http, "/talkative/200")).answer, PROBE_PASSED);
    assert_string_equal(ask(get_of(servers.http, "/talkative/503")).text,
                        "HTTP probe failed with statuscode: 503");
    assert_true(now_ms() - begun_ms < 1000);
}

/* ---- what is told, and when ---- */

TEST(successes_that_change_nothing_wake_nobody)
{
    AUTO(prober) *one = prober();
    struct asked asked = get_of(servers.http, "/");

    begin(one, &asked, 1, true);
    usleep(1500000);
    assert_int_equal(told_count(), 0);
}

TEST(a_verdict_that_was_not_taken_is_told_again)
{
    AUTO(prober) *one = prober();
    struct asked asked = get_of(servers.http, "/");

    told.refuse = 1;
    begin(one, &asked, 1, false);
    struct probe_news news = heard(0);
    assert_int_equal(news.answer, PROBE_PASSED);
    assert_true(news.good);
}

TEST(failures_are_told_one_by_one_until_the_verdict_turns)
{
    AUTO(prober) *one = prober();
    struct asked asked = get_of(servers.http, "/code/500");

    asked.probe.failure_threshold = given(2);
    begin(one, &asked, 1, true);
    assert_true(heard(0).good);
    assert_false(heard(1).good);
}

TEST(probes_that_are_ended_are_silent)
{
    AUTO(prober) *one = prober();
    struct asked slow = get_of(servers.http, "/slow"), bad = get_of(servers.http, "/code/500");
    struct asked command = exec_of();

    atomic_store(&commands.hangs, true);
    begin(one, &slow, 1, true);
    begin(one, &bad, 2, true);
    begin(one, &command, 1, true);
    heard(0);
    prober_end(one, 1);
    prober_end(one, 2);
    usleep(100000);
    forget();
    usleep(2000000);
    assert_int_equal(told_count(), 0);
    assert_int_equal(atomic_load(&commands.running), 0);
    atomic_store(&commands.hangs, false);
}

/* ---- commands ---- */

TEST(a_command_passes_with_zero_and_its_words_are_told_otherwise)
{
    atomic_store(&commands.code, 0);
    assert_int_equal(ask(exec_of()).answer, PROBE_PASSED);
    atomic_store(&commands.code, 3);
    text_copy(commands.output, sizeof commands.output, "cat: no \xff file\x1b\n\n");
    struct probe_news news = ask(exec_of());
    assert_int_equal(news.answer, PROBE_FAILED);
    assert_string_equal(news.text, "cat: no ? file?");
    commands.output[0] = '\0';
    assert_string_equal(ask(exec_of()).text, "the command ended with 3");
    atomic_store(&commands.code, 0);
}

TEST(a_command_that_takes_too_long_is_ended_and_has_failed)
{
    atomic_store(&commands.hangs, true);
    struct probe_news news = ask(exec_of());
    assert_int_equal(news.answer, PROBE_FAILED);
    assert_string_equal(news.text, "the command ran longer than 1 s");
    assert_int_equal(atomic_load(&commands.running), 0);
    atomic_store(&commands.hangs, false);
}

TEST(what_could_not_be_asked_says_nothing)
{
    AUTO(prober) *one = prober();
    struct asked asked = exec_of();

    atomic_store(&commands.begun, 0);
    atomic_store(&commands.cannot, true);
    asked.probe.failure_threshold = given(1);
    begin(one, &asked, 1, true);
    while (atomic_load(&commands.begun) < 2)
        usleep(2000);
    assert_int_equal(told_count(), 0);
    atomic_store(&commands.cannot, false);
}

TEST(more_commands_than_may_run_at_once_take_turns)
{
    AUTO(prober) *one = prober();

    atomic_store(&commands.hangs, true);
    for (int64_t token = 1; token <= 100; token++) {
        struct asked asked = exec_of();
        begin(one, &asked, token, true);
    }
    usleep(500000);
    assert_int_equal(atomic_load(&commands.running), 64);
    heard(99); /* the others had their turn when those ran out of time */
    atomic_store(&commands.hangs, false);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_and_three_hundred_are_a_success_and_nothing_else_is),
        cmocka_unit_test(redirects_are_followed_on_the_same_host_and_elsewhere_count_as_success),
        cmocka_unit_test(headers_are_sent_as_given),
        cmocka_unit_test(https_asks_for_no_certificate_that_anyone_vouches_for),
        cmocka_unit_test(who_does_not_listen_or_is_too_slow_has_failed),
        cmocka_unit_test(an_endless_answer_is_not_listened_to),
        cmocka_unit_test(successes_that_change_nothing_wake_nobody),
        cmocka_unit_test(a_verdict_that_was_not_taken_is_told_again),
        cmocka_unit_test(failures_are_told_one_by_one_until_the_verdict_turns),
        cmocka_unit_test(probes_that_are_ended_are_silent),
        cmocka_unit_test(a_command_passes_with_zero_and_its_words_are_told_otherwise),
        cmocka_unit_test(a_command_that_takes_too_long_is_ended_and_has_failed),
        cmocka_unit_test(what_could_not_be_asked_says_nothing),
        cmocka_unit_test(more_commands_than_may_run_at_once_take_turns),
    };

    if (argc < 2)
        return 1;
    server_path = argv[1];
    return cmocka_run_group_tests(tests, servers_begin, servers_end);
}
