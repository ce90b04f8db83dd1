/* A user namespace for a test, and those that belong to it, as groups have them. Needs root.
 * Threads: one.   Owner: test_users_end() lets it go. */
#ifndef TESTS_UNIT_USERS_H
#define TESTS_UNIT_USERS_H

#include "base/auto.h"
#include "base/idmap.h"
#include "base/limits.h"
#include "base/text.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEST_USERS_FIRST = 1879048192 };

struct test_users {
    pid_t holder;
    char path[64];
    struct idmap map;
};

static inline void test_users_map(pid_t pid, const char *name)
{
    char path[64], line[64];
    text_format(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    text_format(line, sizeof line, "0 %d %d", TEST_USERS_FIRST, (int)LIMIT_GROUP_USERS);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, line, strlen(line)), strlen(line));
}

/* A process that waits keeps it, until it is mapped from outside. */
static inline void test_users_begin(struct test_users *users)
{
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    users->holder = fork();
    if (users->holder == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody, nor its locks */
        dup2(ends[1], STDIN_FILENO);
        close_range(STDERR_FILENO + 1, ~0u, 0);
        if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0 &&
            write(STDIN_FILENO, "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    test_users_map(users->holder, "uid_map");
    test_users_map(users->holder, "gid_map");
    text_format(users->path, sizeof users->path, "/proc/%d/ns/user", (int)users->holder);
    users->map = (struct idmap){users->path, TEST_USERS_FIRST};
}

static inline void test_users_end(struct test_users *users)
{
    kill(users->holder, SIGKILL);
    waitpid(users->holder, NULL, 0);
}

#endif
