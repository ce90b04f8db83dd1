/* Running another program: argument vector (no shell), output captured up to a ceiling, a deadline.
 * The child gets default signals, no inherited descriptors but 0-2 and those given, and dies with the deadline
 * (SIGTERM, then SIGKILL after two seconds), its process group with it, and with the thread that
 * waits for it. What it leaves running is no concern: the call ends when the program itself does.
 * Not for: containers (node-agent/runtime).
 * Threads: any; blocks the caller. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/err.h"
#include "base/text.h"

enum { PROCESS_FDS_MAX = 160 };

struct process {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *envp; /* NULL: the caller's environment */
    const char *input;       /* standard input; NULL: /dev/null */
    size_t input_size;
    const int *fds;       /* become 3, 4, … of the child; they stay the caller's */
    size_t fds_count;     /* at most PROCESS_FDS_MAX */
    int64_t timeout_ms;   /* 0: no deadline */
    const int *cancel_fd; /* readable: end the child now; NULL: cannot be cancelled */
    bool (*in_child)(
        void
            *context); /* runs before exec in our memory, while this thread waits: system calls that
                           change the child only; NULL: none */
    void *context;
};

struct process_result {
    int exit_code; /* 128 + signal when a signal ended it */
    bool timed_out;
    bool cancelled;
};

/* False only when the program could not be run at all; its exit code is in `result`. `out` and
 * `errors` may be NULL (discarded) or the same text; what is beyond a text's ceiling is dropped and
 * text_ok() is false. */
bool process_run(const struct process *process, struct text *out, struct text *errors,
                 struct process_result *result, struct err *err) MUST_CHECK;

/* The path of a program that stands beside the running one; false: it does not fit. */
bool process_beside(const char *name, char *out, size_t size) MUST_CHECK;

#endif
