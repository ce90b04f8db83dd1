/* berth-fence LEASE ADDRESSES FOLDER...
 *
 * Waits until the lease in the file LEASE runs out, then kills every process in the cgroup folders, takes the addresses
 * named in the folder ADDRESSES off the links, and goes on so with whatever appears there until the agent renews the lease. Started by the agent, outlives it, holds no more than its own
 * few pages, and those locked: it must work when the machine is short of everything. Ends by SIGTERM, or when the
 * file is gone. */
#include "node-agent/fence/lease.h"
#include "node-agent/fence/sweep.h"
#include "node-agent/fence/withdraw.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BILLION = 1000000000, SWEEPS_AT_ONCE = 100, SWEEP_PAUSE_US = 2000 };

static int64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * BILLION + now.tv_nsec;
}

static void sleep_until(int64_t boot_ns)
{
    struct timespec when = {.tv_sec = boot_ns / BILLION, .tv_nsec = boot_ns % BILLION};
    clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &when, NULL);
}

/* ---- the watch ---- */

static int sweep_all(char **folders)
{
    int killed = 0;
    for (; *folders; folders++)
        killed += sweep(*folders);
    return killed;
}

/* Often at first: a process needs a moment to die, and its parent one more to have no children. */
static void sweep_round(struct lease *lease, const char *addresses, char **folders)
{
    int killed = 1;
    lease->sweeping = 1;
    for (int i = 0; i < SWEEPS_AT_ONCE && killed > 0 && lease->deadline_ns == LEASE_FIRED; i++) {
        killed = sweep_all(folders);
        if (killed > 0)
            usleep(SWEEP_PAUSE_US);
    }
    if (lease->deadline_ns == LEASE_FIRED)
        withdraw(addresses);
    lease->finished = killed == 0;
    lease->sweeping = 0;
}

/* Renewed at the last moment: then nothing happens. */
static void fire(struct lease *lease, int64_t deadline_ns)
{
    lease->fired_ms = nanoseconds(CLOCK_REALTIME) / 1000000;
    lease->finished = 0;
    atomic_compare_exchange_strong(&lease->deadline_ns, &deadline_ns, LEASE_FIRED);
}

static bool lease_there(int fd)
{
    struct stat about;
    return fstat(fd, &about) == 0 && about.st_nlink > 0;
}

static void watch(struct lease *lease, int fd, const char *addresses, char **folders)
{
    while (lease_there(fd)) {
        int64_t now_ns = nanoseconds(CLOCK_BOOTTIME), deadline_ns = lease->deadline_ns;
        if (deadline_ns > now_ns) {
            sleep_until(deadline_ns);
            continue;
        }
        if (deadline_ns > 0)
            fire(lease, deadline_ns);
        if (lease->deadline_ns == LEASE_FIRED)
            sweep_round(lease, addresses, folders);
        if (lease->deadline_ns <= 0)
            sleep_until(now_ns + LEASE_SWEEP_MS * INT64_C(1000000));
    }
}

/* ---- becoming the fence ---- */

static int fail(const char *what)
{
    dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
    return 1;
}

/* Each is for bad times and none is a must: without rights the fence still works in good ones. */
static void settle(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, "-1000", 5) < 0)
            errno = 0;
        close(fd);
    }
    setpriority(PRIO_PROCESS, 0, -20);
    mlockall(MCL_CURRENT | MCL_FUTURE);
}

static struct lease *lease_take(const char *path, int *fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    *fd = open(path, O_RDWR | O_CLOEXEC);
    if (*fd < 0 || fcntl(*fd, F_SETLK, &whole) != 0)
        return NULL;
    struct lease *lease = mmap(NULL, sizeof *lease, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    return lease == MAP_FAILED ? NULL : lease;
}

static bool let_go(void)
{
    int null = open("/dev/null", O_RDWR);
    return null >= 0 && chdir("/") == 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 &&
           dup2(null, 2) == 2 && (null <= 2 || close(null) == 0);
}

static int be_the_fence(char **argv, int tell)
{
    int fd;
    setsid();
    struct lease *lease = lease_take(argv[1], &fd);
    if (!lease)
        return fail(argv[1]);
    settle();
    lease->sweeping = 0;
    if (write(tell, "", 1) != 1 || close(tell) != 0 || !let_go())
        return fail("cannot stand alone");
    watch(lease, fd, argv[2], argv + 3);
    return 0;
}

/* The caller waits for this process, which waits until the other holds the lease. */
int main(int argc, char **argv)
{
    int ready[2];
    char byte;
    if (argc < 4) {
        dprintf(STDERR_FILENO,
                "usage: berth-fence LEASE ADDRESSES FOLDER...  (started by berth-agent)\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (pipe2(ready, O_CLOEXEC) != 0)
        return fail("pipe");
    pid_t child = fork();
    if (child < 0)
        return fail("fork");
    if (child == 0) {
        close(ready[0]);
        return be_the_fence(argv, ready[1]);
    }
    close(ready[1]);
    return read(ready[0], &byte, 1) == 1 ? 0 : 1;
}
