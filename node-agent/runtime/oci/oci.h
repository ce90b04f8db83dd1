/* The OCI driver's own declarations. What it keeps of containers below <run_dir>/runtime (a tmpfs):
 *
 *     lock                       held while an agent has it open
 *     oci/                       the OCI runtime's own state (--root)
 *     shm/<group>                the group's /dev/shm, a tmpfs
 *     dev/<group>.<container>/   the devices of one with users of its own, on a tmpfs of their own
 *     c/<group>/<container>/     one container: the bundle of the runtime, the persist dir of conmon
 *         class                  a link to the name of its runtime class
 *         users                  a link to the first user id of its own users, if it has any
 *         config.json            until it was created, or started by its program; holds secrets
 *         process                user, environment and rights, for commands run in it; holds secrets
 *         record                 what we know (struct record); without one it is half-created
 *         pid, conmon.pid        of its first process, of its conmon
 *         exit                   written by conmon at the end: the code
 *         attach, ctl, winsz     conmon's sockets and pipes
 *
 * Beside it, <run_dir>/root is an empty folder: over it, in a mount namespace of its own, berth-enter mounts the root of
 * a container with users of its own, who have no way to where that is.
 *
 * A container is known to runtime and conmon as "<group>.<container>".
 * Threads: see runtime.h. */
#ifndef NODE_AGENT_RUNTIME_OCI_H
#define NODE_AGENT_RUNTIME_OCI_H

#include "model/runtime_class.h"
#include "node-agent/runtime/cgroup/cgroup.h"
#include "node-agent/runtime/driver.h"
#include "node-agent/runtime/oci/watch.h"

enum { OCI_PATH_SIZE = 512, OCI_ID_SIZE = ID_SIZE + RUNTIME_NAME_SIZE };

/* What we know of an OCI runtime beyond its command line. A new one is a line in the table of
 * classes.c. */
struct oci_program {
    const char *name; /* of the program's file; NULL: any other, of which nothing is assumed */
    bool entered;     /* started by berth-enter (enter_main.c says what that is good for) */
    /* On v1, entered into the container's cgroup, which the agent has made, with this option
     * that makes it leave cgroups alone. NULL: it makes its own. */
    const char *cgroups_off;
    /* `exec` hands the terminal over by --console-socket while it goes on waiting. Without, it sits between two
     * terminals. */
    bool gives_terminal;
    bool
        shares_terminal; /* or the command uses the one that `exec` was given: there is none within */
    const char *option;    /* before every command; NULL */
    bool state_of_sandbox; /* its state is the file <id>_sandbox:<id>.state, not a folder <id> */
    bool takes_bpf;        /* the annotation run.oci.seccomp_bpf_data */
    /* Its state is a folder of --root, its pid the container's first process: no need to run it
     * for signals and removal. */
    bool is_plain;
    /* Containers may have users of their own: it joins their namespace. */
    bool joins_users;
    int maps_users_until; /* it wants to be told their ids, too, before this release, 102 is 1.2 */
    /* What opens exec.fifo in that folder. */
    enum { START_BY_PROGRAM, START_BY_WRITING, START_BY_READING } start;
};

/* An OCI runtime that this node has. */
struct oci_class {
    char name[RUNTIME_CLASS_SIZE];
    const struct oci_program *traits;
    char program[OCI_PATH_SIZE];
    bool maps_users;
};

struct oci {
    struct runtime base;
    struct oci_class classes[RUNTIME_CLASSES_MAX]; /* the first is the usual one */
    size_t classes_count;
    const char *class_names[RUNTIME_CLASSES_MAX];
    struct text_list class_list;
    char conmon[OCI_PATH_SIZE], enter[OCI_PATH_SIZE];
    char root[OCI_PATH_SIZE];  /* <run_dir>/runtime */
    char stage[OCI_PATH_SIZE]; /* <run_dir>/root */
    struct cgroups cgroups;
    char fence_folder[CGROUP_PATH_SIZE];
    const char *folder_items[1];
    struct text_list folders;
    char *seccomp_json, *seccomp_bpf;
    int64_t files_max;
    uint64_t capabilities_held; /* the agent's own: it can give no others */
    struct watch watch;
    int lock_fd;
};

/* Paths of one container; every one fits, because oci_open() bounds the root. */
struct oci_place {
    const char *name;         /* the container's, as in id */
    char id[OCI_ID_SIZE];     /* "<group>.<container>" */
    char cgroup[OCI_ID_SIZE]; /* "<group>/<container>" */
    char folder[OCI_PATH_SIZE], state[OCI_PATH_SIZE];
    const struct oci_class *class; /* of whom it is */
    uint32_t users_first;          /* 0: the node's own */
    const char *staged; /* its root folder, while it is created with users of its own; NULL */
};
void oci_place(const struct oci *oci, const char *uid, const char *name, struct oci_place *out);
/* "<run_dir>/runtime" */
bool oci_root(const struct runtime_options *options, char out[OCI_PATH_SIZE], struct err *err)
    MUST_CHECK;
void oci_file(const char *folder, const char *file, char out[OCI_PATH_SIZE]);

/* ---- record.c ---- */

struct record {
    int64_t incarnation, restarts;
    int64_t created_ms, started_ms; /* started: written before it is let go */
    int64_t cpu_milli, cpu_weight_milli;
    int64_t pid, pid_began; /* of its first process; began: its start time as the kernel counts */
    int64_t conmon, conmon_began;
    const char *log_path;
};
/* ERR_NOT_FOUND: no such container, or only half of one. */
bool record_read(const struct oci_place *place, struct arena *arena, struct record *out,
                 struct err *err) MUST_CHECK;
bool record_write(const struct oci_place *place, const struct record *record, struct err *err)
    MUST_CHECK;

/* When a process began, in the kernel's ticks since boot; 0: there is none, or a dead one that
 * nobody reaped. */
int64_t process_began(int64_t pid);
static inline bool process_lives(int64_t pid, int64_t began)
{
    return pid > 0 && began > 0 && process_began(pid) == began;
}
/* A descriptor of that very process, readable when it ends; -1: it has ended. */
int process_open(int64_t pid, int64_t began);
/* Waits for its end; false when it still lives after timeout_ms. */
bool process_wait(int process_fd, int64_t timeout_ms);

/* ---- conmon.c ---- */

struct conmon_report {
    int64_t pid;
    char message[400];
};
/* Runs conmon, which runs `<runtime> create` and stays. False: the runtime said no, in its own
 * words. */
bool conmon_create(const struct oci *oci, const struct oci_place *place, const char *log_path,
                   int64_t *pid, struct err *err) MUST_CHECK;
/* Kills whoever still creates this container for an agent that died: conmon, berth-enter, the
 * runtime. They are known by their command lines, as there may be no pid file yet. */
void conmon_stop_creating(const struct oci *oci, const struct oci_place *place);
/* The conmon of a container, from its pid file, when it lives; 0. */
int64_t conmon_find(const struct oci_place *place);

/* ---- words.c ---- */

enum { OCI_WORDS_MAX = 48 };
/* How the OCI runtime is started for a container: berth-enter with its own words first, or the runtime itself, and
 * its global options. The number of words; 0: no memory. */
size_t oci_words(const struct oci *oci, const struct oci_place *place, struct arena *arena,
                 const char *words[OCI_WORDS_MAX]) MUST_CHECK;

/* ---- create.c, find.c, list.c, remove.c, rotate.c ---- */

/* What is known of a container: its record, and what became of it. */
bool oci_look(const struct oci *oci, const char *uid, const char *name,
              const struct oci_place *place, struct record *record, struct arena *arena,
              struct runtime_found *out, struct err *err) MUST_CHECK;
bool oci_create(struct runtime *runtime, const struct runtime_container *container,
                struct err *err);
bool oci_start(struct runtime *runtime, const char *uid, const char *name, int64_t *started_ms,
               struct err *err);
bool oci_signal(struct runtime *runtime, const char *uid, const char *name, int number,
                struct err *err);
/* What the OCI runtime itself remembers of a container. */
bool oci_remove_state(const struct oci *oci, const struct oci_place *place, struct err *err)
    MUST_CHECK;
bool oci_remove(struct runtime *runtime, const char *uid, const char *name, struct err *err);
bool oci_find(struct runtime *runtime, const char *uid, const char *name, struct runtime_found *out,
              struct err *err);
bool oci_list(struct runtime *runtime, struct arena *arena, struct runtime_found **found,
              size_t *count, struct err *err);
bool oci_exit_next(struct runtime *runtime, char uid[ID_SIZE], char name[RUNTIME_NAME_SIZE]);
bool oci_group_limit_cpu(const struct oci *oci, const char *uid, struct err *err) MUST_CHECK;
bool oci_group_up(struct runtime *runtime, const struct runtime_group *group, struct err *err);
bool oci_group_down(struct runtime *runtime, const char *uid, struct err *err);
bool oci_group_kill(struct runtime *runtime, const char *uid, struct err *err);
bool oci_use(struct runtime *runtime, const char *uid, const char *name, struct runtime_use *out,
             struct err *err);
/* process.c: what a command in the container is, as JSON in a memory file, for a child's CHILD_EXTRA_FD. `terminal`: it has
 * one of that size; NULL: none. -1: see err. */
#define OCI_PROCESS_SEEN "/proc/self/fd/3"
int oci_process_open(const struct oci_place *place, const struct text_list *args,
                     const struct runtime_exec *terminal, struct err *err) MUST_CHECK;
/* command.c */
struct runtime_command *oci_command_begin(struct runtime *runtime, const char *uid,
                                          const char *name, const struct text_list *command,
                                          struct err *err);
bool oci_command_ended(struct runtime_command *running, int *exit_code);
void oci_command_free(struct runtime_command *running);
/* exec.c */
bool oci_exec(struct runtime *runtime, const struct runtime_exec *exec,
              struct runtime_terminal *out, struct err *err);
int oci_end_fd(struct runtime *runtime, const char *uid, const char *name);
bool oci_log_rotate(struct runtime *runtime, const char *uid, const char *name, struct err *err);

/* classes.c: finds the runtimes; tells that of a container; writes down that of a new one. */
bool oci_find_classes(struct oci *oci, const struct runtime_options *options, struct err *err)
    MUST_CHECK;
const struct oci_class *oci_class_named(const struct oci *oci, const char *name); /* NULL: none */
const struct oci_class *oci_class_of(const struct oci *oci, const char *folder);
bool oci_class_take(const struct oci *oci, struct oci_place *place, const char *name,
                    struct err *err) MUST_CHECK;
void oci_place_state(const struct oci *oci, struct oci_place *place);
bool oci_find_program(const char *name, char out[OCI_PATH_SIZE], struct err *err) MUST_CHECK;

/* users.c */
bool oci_takes_users(const struct runtime *runtime, const char *class_name);
bool oci_users_try(const struct runtime *runtime, struct err *err) MUST_CHECK;
bool oci_users_take(struct oci_place *place, const struct runtime_container *container,
                    struct err *err) MUST_CHECK;
uint32_t oci_users_of(const char *folder);

/* device_nodes.c: those of a container with users of its own, "<folder>/0" and so on in the order of its devices; the
 * tmpfs that all are on. */
bool device_nodes_open(const struct oci *oci, struct err *err) MUST_CHECK;
void device_nodes_close(const char *root);
bool device_nodes_make(const struct oci *oci, const struct oci_place *place,
                       const struct runtime_container *container, char folder[OCI_PATH_SIZE],
                       struct err *err) MUST_CHECK;
bool device_nodes_remove(const struct oci *oci, const struct oci_place *place, struct err *err)
    MUST_CHECK;
/* Something is mounted on the folder. */
bool oci_is_mounted(const char *folder);

/* Whether we make the cgroup of a container, and not the runtime. */
bool oci_makes_cgroup(const struct oci *oci, const struct oci_place *place);
/* Runs the container's OCI runtime itself: `<program> --root … <command> [option] <id> [argument]`. What it
 * says goes to `said`, and into the error when it fails; NULL. */
bool oci_run(const struct oci *oci, const struct oci_place *place, const char *const *words,
             struct text *said, struct err *err) MUST_CHECK;

#endif
