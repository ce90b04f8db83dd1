/* Between vfork and exec: in the memory of the parent, whose other threads run on and may hold any lock.
 * Nothing here allocates, formats or logs, nothing is written but to the stack and errno: system calls
 * only. What they change (signals, descriptors, group, limits) is the child's own. */
#include "base/process_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void fail(const struct run *run, enum process_step step) NORETURN;

static void fail(const struct run *run, enum process_step step)
{
    struct process_word word = {step, errno};
    ssize_t written UNUSED = write(run->saying, &word, sizeof word);
    _exit(127);
}

static void reset_signals(void)
{
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &by_default, NULL); /* fails for KILL, STOP and the library's own: fine */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Our descriptors are above 2 first, so that none is overwritten before it is moved. */
static bool place_descriptors(const struct run *run)
{
    int above[3];
    for (int i = 0; i < 3; i++)
        if ((above[i] = fcntl(run->childs[i], F_DUPFD_CLOEXEC, 3)) < 0)
            return false;
    for (int i = 0; i < 3; i++)
        if (dup2(above[i], i) < 0)
            return false;
    return true;
}

/* All but 0-2 close at exec; the pipe to the parent does anyhow. */
static void close_inherited(void)
{
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    long count = sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < (count > 0 && count < 65536 ? (int)count : 65536); fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void process_become(const struct run *run)
{
    const struct process *process = run->process;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* whoever waits for it is gone, so it goes too */
    if (getppid() != run->parent)
        _exit(127);
    reset_signals();
    if (!place_descriptors(run))
        fail(run, PROCESS_EXEC);
    if (process->in_child && !process->in_child(process->context))
        fail(run, PROCESS_HOOK);
    close_inherited();
    char *const *argv = (char *const *)(const void *)process->argv;
    if (process->envp)
        execvpe(argv[0], argv, (char *const *)(const void *)process->envp);
    else
        execvp(argv[0], argv);
    fail(run, PROCESS_EXEC);
}
