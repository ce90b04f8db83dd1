/* What the tests with real containers share: a node of their own below a temporary folder and a
 * cgroup named after the process, a root filesystem made of busybox, and one line to run a
 * command in a container. Needs root. The OCI runtime is the program's first argument. */
#ifndef TESTS_UNIT_RUNTIME_REAL_H
#define TESTS_UNIT_RUNTIME_REAL_H

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "node-agent/runtime/runtime.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REAL_PATH = 600, REAL_WAIT_MS = 20000 };

struct real {
    const char *program;
    const char *classes; /* others, with blanks between; NULL: none */
    char folder[64];     /* everything is below it */
    char run_dir[96], root[96], cgroup[64];
    struct runtime_options options;
    struct runtime *runtime;
    struct arena *arena;
    char uid[ID_SIZE]; /* of a group that is up */
};
extern struct real real;

int real_begin(void **state);
int real_end(void **state);
void real_arguments(int argc, char **argv);
#define REAL_TESTS(tests, argc, argv) \
    (real_arguments((argc), (argv)), cmocka_run_group_tests((tests), real_begin, real_end))
void real_reopen(void); /* as an agent that was killed and came back */

#define OK(call)                                                               \
    do {                                                                       \
        struct err err = {0};                                                  \
        if (!(call))                                                           \
            fail_msg("%s: %s (%s)", #call, err.text, err_code_name(err.code)); \
    } while (0)

struct runtime_container real_container(const char *name, const char *shell_command);
void real_start(const struct runtime_container *container);
/* Starts it, waits for its end, checks that the log holds nothing but `output` (NULL: whatever),
 * removes it. */
struct runtime_found real_run(const struct runtime_container *container, const char *output);
bool real_ended(const char *name, int wait_ms);
struct runtime_found real_wait(const char *name);
struct runtime_found real_find(const char *name);
void real_log(const char *name, char *out, size_t size);  /* whole log */
void real_log_until(const char *name, const char *words); /* waits for them to appear */
bool real_cgroup_file(const char *container, const char *v1_controller, const char *v1_file,
                      const char *v2_file, char *out, size_t size);
int64_t real_processes_below(void); /* how many processes are in this node's cgroups */

#endif
