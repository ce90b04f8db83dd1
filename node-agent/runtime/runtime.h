/* Containers of this node: each is run by an OCI runtime under a conmon of its own, in the cgroup
 * of its group.
 *
 *     struct runtime *runtime = runtime_open(&options, err);
 *     runtime_group_up(runtime, &group, err);
 *     runtime_create(runtime, &container, err);         set up, its first instruction not yet run
 *     runtime_start(runtime, uid, "web", &started_ms, err);
 *     ... poll(runtime_exit_fd(runtime)); runtime_exit_next() names one, runtime_find() tells how
 *     runtime_remove(runtime, uid, "web", err);
 *     runtime_group_down(runtime, uid, err);
 *
 *   runtime_create      runtime_start         its first process ends
 *        |                   |                       |
 *     CREATED ----------> RUNNING ---------------> EXITED    the code is known
 *                            '---------------------> GONE    it is not: its conmon was killed first
 *
 * Everything lives in the kernel, in conmon and in files below `run_dir`: containers do not notice
 * that an agent dies, and an agent that comes back opens the same run_dir and finds them with
 * runtime_list(). After a reboot there are none. There is one container of a name in a group at a
 * time; one that ended is removed before the next of its name is created.
 * Not for: images and root filesystems (image.h), namespaces of a group (network.h), deciding what
 * runs (supervise/).
 * Threads: any, several at once; one container is worked on by one thread at a time. Calls
 * block: create and start some milliseconds, remove and group_down at most
 * LIMIT_RUNTIME_REMOVE_MS and a bit.   Owner: runtime_free(). */
#ifndef NODE_AGENT_RUNTIME_H
#define NODE_AGENT_RUNTIME_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/id.h"
#include "base/idmap.h"
#include "base/text.h"
#include "model/seccomp_profile.h"

#include <stdint.h>
#include <sys/types.h>

struct runtime;

enum { RUNTIME_NAME_SIZE = 64 }; /* a container's name: 1 to 63 of [a-z0-9-], with the NUL */

struct runtime_options {
    const char *program; /* the usual OCI runtime; NULL: "crun" */
    /* Others that groups may ask for, "name" or "name=program"; not given: those of crun, runc and runsc
     * that are installed. */
    struct text_list classes;
    const char *conmon;  /* NULL: "conmon" */
    const char *enter;   /* berth-enter; NULL: beside the running program */
    const char *run_dir; /* absolute; "runtime/" is made in it, on a tmpfs of its own if need be */
    const char *cgroup;  /* "berth/<node>": below the root of each hierarchy */
};

/* Finds out how this machine's cgroups are laid out; an error sentence says what to change when
 * they cannot be used, or which program is missing. One process at a time (ERR_CONFLICT). */
struct runtime *runtime_open(const struct runtime_options *options, struct err *err) MUST_CHECK;
/* Leaves all containers running. */
void runtime_free(struct runtime *runtime);
/* After all groups are down and the runtime was freed: removes what runtime_open() made (tmpfs,
 * the node's cgroup). */
bool runtime_close_all(const struct runtime_options *options, struct err *err) MUST_CHECK;

/* Names of its runtime classes, the usual one first. Valid as long as the runtime. */
const struct text_list *runtime_classes(const struct runtime *runtime);
/* Whether containers of this class (NULL: the usual one) can have users of their own, where the node can. */
bool runtime_takes_users(const struct runtime *runtime, const char *class_name);
/* Whether the node can, as far as the usual class and the kernel go; says why not. Before the first of them. */
bool runtime_users_try(const struct runtime *runtime, struct err *err) MUST_CHECK;
/* "v1", "v2" or "mixed", for the log and the node's capacity. */
const char *runtime_cgroup_layout(const struct runtime *runtime);
/* Folders that hold the processes of all groups at some depth: what a fence kills. Valid as long
 * as the runtime. */
const struct text_list *runtime_cgroup_folders(const struct runtime *runtime);

/* ---- groups ---- */

struct runtime_group {
    const char *uid;
    int64_t cpu_milli;    /* ceiling over all its containers; 0: none */
    int64_t memory_bytes; /* likewise */
    uint32_t users_first; /* of its own users (struct idmap); 0: the node's */
};

/* Makes the group's cgroup and its /dev/shm, or finds them and sets the ceilings anew. */
bool runtime_group_up(struct runtime *runtime, const struct runtime_group *group, struct err *err)
    MUST_CHECK;
/* Kills every process of the group, removes its containers, cgroups and memory files. Success
 * when nothing is left, also when nothing was there. */
bool runtime_group_down(struct runtime *runtime, const char *uid, struct err *err) MUST_CHECK;
/* SIGKILL to every process of the group, at once; its containers end with 137. Success when none
 * runs. */
bool runtime_group_kill(struct runtime *runtime, const char *uid, struct err *err) MUST_CHECK;

/* ---- containers ---- */

struct runtime_mount {
    const char *source; /* a file or folder of the node */
    const char *target; /* absolute, in the container; made when absent */
    bool read_only;
};

/* A device file that only this container has. */
struct runtime_device {
    const char *path; /* in the container */
    char type;        /* 'c', 'b' or 'p' */
    unsigned major, minor, mode, user, user_group;
    const char *access; /* of "rwm" */
};

/* A program of the node that the OCI runtime runs at a moment of the container's life. */
struct runtime_hook {
    const char *moment, *path; /* "createContainer", … */
    struct text_list args, env;
    int64_t timeout_s; /* 0: none */
};

/* What its processes may do, where that is not as usual. Sets are those of model/capability.h. */
struct runtime_rights {
    bool privileged;                       /* the node's devices and its kernel's settings */
    bool may_gain;                         /* programs with a set-user-id bit give rights */
    uint64_t capabilities;                 /* at most these */
    uint64_t named;                        /* those of them that it has whoever it runs as */
    const struct seccomp_profile *profile; /* NULL: the usual one */
};

struct runtime_container {
    const char *uid; /* of its group, which is up */
    const char *name;
    int64_t incarnation, restarts; /* not looked at: runtime_list() gives them back */
    const char *runtime_class;     /* NULL: the usual one */
    const char *root;              /* its mounted root folder */
    struct text_list args;         /* at least one */
    struct text_list env;          /* "NAME=value"; PATH and HOME are the caller's business */
    const char *working_dir;       /* NULL: "/"; made when absent */
    uint32_t user, user_group;
    const uint32_t *groups; /* additional ones */
    size_t groups_count;
    const char *hostname;                       /* only used without uts_path */
    const char *net_path, *ipc_path, *uts_path; /* namespaces to join; NULL: a new one */
    struct idmap users; /* whose they are; user and groups above are numbers of these */
    const struct runtime_mount *mounts;
    size_t mounts_count;
    const struct runtime_rights *rights; /* NULL: as usual */
    const struct runtime_device *devices;
    size_t devices_count;
    const struct runtime_hook *hooks;
    size_t hooks_count;
    int64_t cpu_milli, memory_bytes; /* 0: only the group's ceiling */
    int64_t cpu_weight_milli; /* its share beside others when CPU is short; 0: as cpu_milli */
    int64_t pids_max;         /* 0: LIMIT_CONTAINER_PIDS_MAX */
    const char *log_path;     /* absolute; its folder exists; the previous file is <log_path>.1 */
};

/* ERR_CONFLICT when there is one of this name. On failure nothing is left; the text carries the
 * runtime's own words (a command that does not exist is told here: ERR_INVALID). Several of one
 * group may be created at the same time. */
bool runtime_create(struct runtime *runtime, const struct runtime_container *container,
                    struct err *err) MUST_CHECK;
/* Lets it go. Starting twice is ERR_CONFLICT. */
bool runtime_start(struct runtime *runtime, const char *uid, const char *name, int64_t *started_ms,
                   struct err *err) MUST_CHECK;
/* To its first process. ERR_NOT_FOUND when it does not run. */
bool runtime_signal(struct runtime *runtime, const char *uid, const char *name, int signal_number,
                    struct err *err) MUST_CHECK;
/* "SIGTERM", "TERM", "15", in any case; 0 when there is no such signal. */
int runtime_signal_number(const char *name);
/* Kills what runs and removes all traces but the log. Always ends; success when nothing was
 * there. */
bool runtime_remove(struct runtime *runtime, const char *uid, const char *name, struct err *err)
    MUST_CHECK;

enum runtime_phase { RUNTIME_CREATED, RUNTIME_RUNNING, RUNTIME_EXITED, RUNTIME_GONE };

struct runtime_found {
    char uid[ID_SIZE];
    char name[RUNTIME_NAME_SIZE];
    int64_t incarnation, restarts;
    enum runtime_phase phase;
    pid_t pid;           /* its first process, as the node sees it; 0 when it has ended */
    int64_t started_ms;  /* 0: runtime_start() was never called for it */
    int64_t finished_ms; /* EXITED; GONE: when that was noticed */
    int exit_code;       /* EXITED: 0 to 255, 128 + signal when one ended it */
    bool oom_killed;     /* EXITED badly, and the kernel killed some of it for want of memory */
};

/* False when there is no such container (err ERR_NOT_FOUND), or it cannot be told. */
bool runtime_find(struct runtime *runtime, const char *uid, const char *name,
                  struct runtime_found *out, struct err *err) MUST_CHECK;
/* Every container below run_dir, whoever created it, in no order. For an agent that begins, before any
 * container is worked on: half-created ones (the agent died in the middle) are removed here, and
 * those that were about to be started are CREATED again. */
bool runtime_list(struct runtime *runtime, struct arena *arena, struct runtime_found **found,
                  size_t *count, struct err *err) MUST_CHECK;

/* Readable when a container ended (or its conmon did): for the main loop's poll. Containers
 * started by runtime_start() are watched, and those that runtime_list() found. */
int runtime_exit_fd(const struct runtime *runtime);
/* The next one to look at with runtime_find(); false when there is none. Does not block. One
 * that turns out to be still running (only its conmon died) goes on being watched. */
bool runtime_exit_next(struct runtime *runtime, char uid[ID_SIZE], char name[RUNTIME_NAME_SIZE]);

/* ---- commands within ---- */

struct runtime_exec {
    const char *uid, *name;       /* of a container that runs */
    const struct text_list *args; /* at least one */
    int rows, columns;            /* of its terminal */
};
struct runtime_terminal {
    int fd; /* the controlling side, not blocking; -1: the command was not begun, `said_fd` tells why */
    int said_fd; /* what the OCI runtime says of its own, a command that does not exist say */
    pid_t pid;   /* its exit code is the command's; to be waited for, or killed, by the caller */
};
/* Runs a command in a container as the container's own process runs: user, groups, environment, working folder,
 * rights. It has a terminal, whose end hangs it up; it ends with the container at the latest. ERR_NOT_FOUND when the
 * container does not run. Whether the command exists is told by the process. */
bool runtime_exec(struct runtime *runtime, const struct runtime_exec *exec,
                  struct runtime_terminal *out, struct err *err) MUST_CHECK;
/* Readable once the container has ended and all it wrote is in its log; -1: it has. The caller closes it. */
int runtime_end_fd(struct runtime *runtime, const char *uid, const char *name);

/* ---- use ---- */

struct runtime_use {
    int64_t cpu_ns;       /* cumulative since it was created */
    int64_t memory_bytes; /* now, page cache included */
    int64_t tasks;        /* now */
};
/* Of one container, or of the whole group (name NULL). Three small reads, some ten microseconds. */
bool runtime_use(struct runtime *runtime, const char *uid, const char *name,
                 struct runtime_use *out, struct err *err) MUST_CHECK;

/* ---- commands ---- */

struct runtime_command; /* a command under way in a container */

/* Runs a command in a running container, with the environment, user, rights, folder and ceilings of its first process,
 * and comes back at once (a millisecond). NULL when there is no such container, or nothing can be started; that the
 * container does not take the command is told as its end, with the runtime's words for output. */
struct runtime_command *runtime_command_begin(struct runtime *runtime, const char *uid,
                                              const char *name, const struct text_list *command,
                                              struct err *err) MUST_CHECK;
/* Readable when there is something to look at. */
int runtime_command_fd(const struct runtime_command *running);
/* Takes what it wrote; true when it has ended: 0 to 255, 128 + signal when one ended it. Does not block. */
bool runtime_command_ended(struct runtime_command *running, int *exit_code);
/* What it wrote so far, to both outputs, at most LIMIT_PROBE_OUTPUT_MAX of it; any bytes. */
const char *runtime_command_output(const struct runtime_command *running);
/* Kills it when it still runs (what it sent to the background goes on), and frees. */
void runtime_command_free(struct runtime_command *running);

/* ---- logs ---- */

/* Renames the log to <log_path>.1 and makes conmon go on in a new file; no line is lost. Does
 * nothing while the file is below LIMIT_CONTAINER_LOG_FILE_MAX: call it every second or so. */
bool runtime_log_rotate(struct runtime *runtime, const char *uid, const char *name, struct err *err)
    MUST_CHECK;

struct runtime_log_query {
    int64_t tail; /* newest lines; -1: all */
    int64_t
        bytes_max; /* from the end, whole lines; 0: LIMIT_LOG_ANSWER_MAX; never above LIMIT_LOG_LARGE_MAX */
    bool timestamps; /* each line begins with its time, RFC 3339 with nanoseconds */
};
/* Both files of a log as one text in the order written; valid UTF-8 whatever was in them. No log
 * yet is an empty text. Needs no runtime: the log of a container that was removed can be read as
 * long as it exists. */
bool runtime_log_read(const char *log_path, const struct runtime_log_query *query, struct text *out,
                      struct err *err) MUST_CHECK;
/* The log becomes that of the run before (runtime_log_previous()), whose own is removed. Nothing when there is none. */
bool runtime_log_keep(const char *log_path, struct err *err) MUST_CHECK;
/* "…/c.log" gives "…/c.previous.log". */
bool runtime_log_previous(const char *log_path, char *out, size_t size) MUST_CHECK;
/* Removes both files. */
bool runtime_log_remove(const char *log_path, struct err *err) MUST_CHECK;

AUTO_TYPE(runtime);
AUTO_TYPE(runtime_command);

#endif
