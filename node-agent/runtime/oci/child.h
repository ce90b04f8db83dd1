/* Starts what the driver starts and does not wait for: conmon, commands, commands with a terminal.
 * Not for: what the caller waits for (base/process.h).
 * Threads: any. The child has default signals and no descriptors of ours but those named here. */
#ifndef NODE_AGENT_RUNTIME_OCI_CHILD_H
#define NODE_AGENT_RUNTIME_OCI_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Descriptors below it are replaced in the child: what is handed to it must not be among them. */
enum { CHILD_EXTRA_FD = 3, CHILD_ABOVE_FD = 4 };

struct child {
    const char *const *words; /* its path first */
    const char *const *more;  /* of its environment, beside PATH; NULL: nothing */
    const char *folder;       /* where it works; NULL: where we do */
    const char *terminal; /* for its input, and its output unless that is named; NULL: /dev/null */
    int output_fd;        /* -1: see `terminal` */
    int errors_fd;        /* -1: as its output */
    int extra_fd;         /* its descriptor 3; -1: none */
    enum {
        CHILD_OURS,  /* of our process group */
        CHILD_GROUP, /* of one of its own */
        CHILD_SESSION, /* of a session of its own: `terminal` is its controlling one, it is hung up with it */
    } apart;
};

/* 0, or errno. */
int child_start(const struct child *child, pid_t *pid);
/* A pipe whose writing end may be handed to a child. */
bool child_pipe(int ends[2]);

#endif
