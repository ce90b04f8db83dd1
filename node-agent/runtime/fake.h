/* A runtime without containers, for tests of the layers above: it remembers what it was told, and
 * the test says what happens. Names are checked and states kept as the real one does; nothing runs.
 *
 *     struct runtime *runtime = fake_runtime_new();
 *     ... the layer under test creates and starts "web" ...
 *     fake_runtime_end(runtime, uid, "web", 1, false);       it ends with 1; runtime_exit_next() tells
 *
 * Its memory is shared with forked children: a child that is an agent can be killed, and its containers are there for
 * the next one.
 * Threads: any.   Owner: runtime_free(). */
#ifndef NODE_AGENT_RUNTIME_FAKE_H
#define NODE_AGENT_RUNTIME_FAKE_H

#include "node-agent/runtime/runtime.h"

enum fake_call {
    FAKE_NONE,
    FAKE_GROUP_UP,
    FAKE_CREATE,
    FAKE_START,
    FAKE_REMOVE,
    FAKE_GROUP_DOWN,
    FAKE_FIND,
    FAKE_COMMAND
};

struct runtime *fake_runtime_new(void);
/* The container's first process ends. */
void fake_runtime_end(struct runtime *runtime, const char *uid, const char *name, int exit_code,
                      bool oom_killed);
/* The next call of this kind fails with the code. */
void fake_runtime_fail(struct runtime *runtime, enum fake_call call, enum err_code code,
                       const char *text);
/* What runtime_use() answers from now on. */
void fake_runtime_use(struct runtime *runtime, const struct runtime_use *use);
/* How every command in a container ends, and with what words; -1: it does not end. At first: 0, none. */
void fake_runtime_command(struct runtime *runtime, int exit_code, const char *output);
/* Signals end containers with 128 + number (the default), or only SIGKILL does. */
void fake_runtime_stubborn(struct runtime *runtime, bool stubborn);
/* How often this kind of call has succeeded. */
int fake_runtime_calls(const struct runtime *runtime, enum fake_call call);

struct fake_run { /* from the first instruction to the last, whoever looked */
    char uid[ID_SIZE];
    char name[RUNTIME_NAME_SIZE];
    int64_t incarnation, restarts;
    int64_t started_ms, finished_ms; /* finished 0: it runs */
};
/* Every run there was, oldest first. */
const struct fake_run *fake_runtime_runs(const struct runtime *runtime, size_t *count);

#endif
