/* What process.c and process_child.c share. Not for: anybody else. */
#ifndef BASE_PROCESS_INNER_H
#define BASE_PROCESS_INNER_H

#include "base/process.h"

#include <stdint.h>
#include <sys/types.h>

struct run {
    const struct process *process;
    struct text *texts[2]; /* for output and errors; NULL: discarded */
    struct process_result result;
    pid_t parent, pid;
    int childs[3];    /* what becomes 0, 1 and 2 */
    int outputs[2];   /* our ends, -1 when closed */
    int said, saying; /* how the child tells that it could not start */
    int pidfd;
    int64_t deadline_ms; /* 0: none */
    int64_t kill_at_ms;  /* 0: nobody asked it to end */
};

enum process_step { PROCESS_HOOK, PROCESS_EXEC };
struct process_word {
    enum process_step step;
    int os_errno;
};

/* In the child, with all signals blocked: never returns. */
void process_become(const struct run *run) NORETURN;

#endif
