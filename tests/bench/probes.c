/* What asking costs: N requests a second, each on a new connection to a server on loopback, by the prober alone.
 *
 *     bench_probes [PROBES [SECONDS]]
 *
 * Prints requests/s as the server counted them, CPU of this process (the prober's thread; the server is another
 * process) as a share of one core, and memory for each probe. */
#include "base/limits.h"
#include "node-agent/probe/probe.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BACKLOG = 4096, REQUEST_SIZE = 4096 };

static atomic_long *answered;

static void serve(int listener)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
    char request[REQUEST_SIZE];

    for (;;) {
        int taken = accept(listener, NULL, NULL);
        if (taken < 0)
            continue;
        if (read(taken, request, sizeof request) > 0 &&
            write(taken, answer, sizeof answer - 1) == (ssize_t)sizeof answer - 1)
            atomic_fetch_add(answered, 1);
        close(taken);
    }
}

static int listen_here(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, size) == 0 &&
          listen(listener, BACKLOG) == 0 &&
          getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return listener;
}

static atomic_long failed;

static bool said(void *context UNUSED, const struct probe_news *news UNUSED)
{
    atomic_fetch_add(&failed, 1);
    return true;
}

static double cpu_s(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

static long memory_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    CHECK(file && fscanf(file, "%*s %ld", &pages) == 1);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void begin_all(struct prober *prober, long count, int port)
{
    struct probe_http_get get = {.path = "/", .port = {GIVEN_VALUE, port}, .scheme = PROBE_HTTP};
    struct probe asked = {.http_get = &get, .period_s = {GIVEN_VALUE, 1}};
    struct err err;

    for (long i = 0; i < count; i++) {
        struct probe_spec spec = {.token = i + 1,
                                  .kind = PROBE_LIVENESS,
                                  .uid = "00000000-0000-4000-8000-000000000001",
                                  .container = "web",
                                  .address = "127.0.0.1",
                                  .asked = &asked,
                                  .good = true,
                                  .running_ms = 3600000}; /* spread, as those of a node are */
        CHECK(prober_begin(prober, &spec, &err));
    }
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 500;
    long seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 10;
    struct probe_commands commands = {0};
    struct err err;
    int port;

    answered =
        mmap(NULL, sizeof *answered, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(answered != MAP_FAILED);
    int listener = listen_here(&port);
    pid_t server = fork();
    if (server == 0)
        serve(listener);
    long memory_before = memory_kib();
    AUTO(prober) *prober = prober_new(&commands, said, NULL, &err);
    CHECK(prober);
    begin_all(prober, count, port);
    sleep(2); /* all have been asked once */
    long before = atomic_load(answered);
    double cpu_before = cpu_s();
    sleep((unsigned)seconds);
    double cpu = cpu_s() - cpu_before;
    printf("{\"probes\": %ld, \"per_second\": %.1f, \"cpu_percent\": %.2f, \"us_each\": %.1f, "
           "\"memory_kib_each\": %.1f, \"failed\": %ld}\n",
           count, (double)(atomic_load(answered) - before) / (double)seconds,
           cpu * 100 / (double)seconds, cpu * 1e6 / (double)(atomic_load(answered) - before),
           (double)(memory_kib() - memory_before) / (double)count, atomic_load(&failed));
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return 0;
}
