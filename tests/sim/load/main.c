/* Thousands of pretended nodes in one thread, for benchmarks and tests:
 *
 *     sim_agents PORT JOIN_TOKEN_FILE NODES [SECONDS [LOCATION [CPU_MILLI [MEMORY_MIB [BEAT_MS]]]]]
 *
 * Says "joined" on standard output once all have joined, and one JSON object at the end: after SECONDS (0: for ever), or
 * on SIGTERM. */
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "tests/sim/load/agent.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

enum { EVENTS = 512, TICK_MS = 10, LATENCIES = 4 << 20, JOINS_EACH_TICK = 50 };

static volatile sig_atomic_t ending;

static void end(int number UNUSED)
{
    ending = 1;
}

/* ---- arguments ---- */

static int64_t number_of(int argc, char **argv, int at, int64_t otherwise)
{
    int64_t value = otherwise;
    if (at < argc && !text_to_int(argv[at], &value)) {
        fprintf(stderr, "sim_agents: '%s' is not a number\n", argv[at]);
        exit(2);
    }
    return value;
}

static bool load_init(struct load *load, int argc, char **argv, struct err *err)
{
    static char token[512];
    AUTO_FREE char *bytes = NULL;
    size_t size;
    if (!file_read(argv[2], sizeof token - 1, &bytes, &size, err))
        return false;
    text_copy(token, sizeof token, bytes);
    token[strcspn(token, "\r\n ")] = '\0';
    *load = (struct load){
        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
        .plane = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number_of(argc, argv, 1, 0))},
        .join_token = token,
        .location = argc > 5 ? argv[5] : "",
        .capacity = {number_of(argc, argv, 6, 64000), number_of(argc, argv, 7, 262144)},
        .beat_ms = number_of(argc, argv, 8, LIMIT_NODE_BEAT_MS),
        .arena = arena_new(LIMIT_REQUEST_ARENA_MAX),
        .report_us = malloc(LATENCIES * sizeof(int32_t)),
        .report_us_max = LATENCIES,
    };
    load->plane.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool made = load->epoll_fd >= 0 && load->arena && load->report_us && load->beat_ms > 0;
    return made || err_set(err, ERR_BUSY, "the load cannot be made");
}

/* ---- the loop ---- */

static void work_once(struct load *load)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(load->epoll_fd, events, EVENTS, TICK_MS);
    for (int i = 0; i < count; i++) {
        struct wire *wire = events[i].data.ptr;
        agent_event(wire->owner, wire);
    }
}

/* Nodes begin a few at a time, as machines do; afterwards their beats stay spread over the second. */
static void loop(struct load *load, struct agent *agents, size_t count, int64_t seconds)
{
    int64_t begun_ns = clock_boot_ns(), ticked_ns = 0;
    size_t begun = 0;
    bool said = false;
    while (!ending && (seconds == 0 || clock_boot_ns() - begun_ns < seconds * 1000000000)) {
        work_once(load);
        int64_t now_ns = clock_boot_ns();
        if (now_ns - ticked_ns < TICK_MS * INT64_C(1000000))
            continue;
        ticked_ns = now_ns;
        begun = begun + JOINS_EACH_TICK < count ? begun + JOINS_EACH_TICK : count;
        for (size_t i = 0; i < begun; i++)
            agent_tick(&agents[i], now_ns);
        if (!said && load->joined == (int64_t)count) {
            printf("joined\n");
            fflush(stdout);
            said = true;
        }
    }
}

static int by_value(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

static void tell(struct load *load, size_t nodes)
{
    size_t count = load->report_us_count, middle = count / 2, high = count - count / 100;
    qsort(load->report_us, count, sizeof *load->report_us, by_value);
    double p50_ms = count ? load->report_us[middle] / 1000.0 : 0;
    double p99_ms = count ? load->report_us[high < count ? high : count - 1] / 1000.0 : 0;
    printf("{\"nodes\":%zu,\"joined\":%lld,\"reports\":%lld,\"polls\":%lld,\"running\":%lld,"
           "\"refused\":%lld,"
           "\"broken\":%lld,\"report_p50_ms\":%.2f,\"report_p99_ms\":%.2f}\n",
           nodes, (long long)load->joined, (long long)load->reports, (long long)load->polls,
           (long long)load->running, (long long)load->refused, (long long)load->broken, p50_ms,
           p99_ms);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct load load;
    struct rlimit files;
    if (argc < 4) {
        fprintf(stderr, "usage: sim_agents PORT JOIN_TOKEN_FILE NODES [SECONDS [LOCATION "
                        "[CPU_MILLI [MEMORY_MIB "
                        "[BEAT_MS]]]]]\n");
        return 2;
    }
    size_t count = (size_t)number_of(argc, argv, 3, 1);
    signal(SIGTERM, end);
    signal(SIGINT, end);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    char prefix[32]; /* several of these may load one plane */
    text_format(prefix, sizeof prefix, "sim-%lld-", (long long)getpid());
    struct agent *agents = calloc(count, sizeof *agents);
    bool made = agents && load_init(&load, argc, argv, &err);
    for (size_t i = 0; made && i < count; i++)
        made = agent_init(&agents[i], &load, prefix, i);
    if (!made) {
        log_failure("load_not_begun", &err);
        return 1;
    }
    loop(&load, agents, count, number_of(argc, argv, 4, 0));
    tell(&load, count);
    for (size_t i = 0; i < count; i++)
        agent_done(&agents[i]);
    arena_free(load.arena);
    free(load.report_us);
    free(agents);
    return 0;
}
