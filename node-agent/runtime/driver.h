/* What a kind of runtime provides: one table of functions, called by runtime.c after names were
 * checked. The real one is oci/ (any OCI runtime under conmon); fake.c keeps containers in memory
 * for tests of the layers above. The functions mean what runtime.h says of those of the same name.
 * Threads: as there. */
#ifndef NODE_AGENT_RUNTIME_DRIVER_H
#define NODE_AGENT_RUNTIME_DRIVER_H

#include "node-agent/runtime/runtime.h"

struct runtime_driver {
    void (*free)(struct runtime *runtime);
    const char *(*cgroup_layout)(const struct runtime *runtime);
    const struct text_list *(*cgroup_folders)(const struct runtime *runtime);
    const struct text_list *(*classes)(const struct runtime *runtime);

    bool (*takes_users)(const struct runtime *runtime, const char *class_name);
    bool (*users_try)(const struct runtime *runtime, struct err *err);
    bool (*group_up)(struct runtime *runtime, const struct runtime_group *group, struct err *err);
    bool (*group_down)(struct runtime *runtime, const char *uid, struct err *err);
    bool (*group_kill)(struct runtime *runtime, const char *uid, struct err *err);

    bool (*create)(struct runtime *runtime, const struct runtime_container *container,
                   struct err *err);
    bool (*start)(struct runtime *runtime, const char *uid, const char *name, int64_t *started_ms,
                  struct err *err);
    bool (*signal)(struct runtime *runtime, const char *uid, const char *name, int number,
                   struct err *err);
    bool (*remove)(struct runtime *runtime, const char *uid, const char *name, struct err *err);

    bool (*find)(struct runtime *runtime, const char *uid, const char *name,
                 struct runtime_found *out, struct err *err);
    bool (*list)(struct runtime *runtime, struct arena *arena, struct runtime_found **found,
                 size_t *count, struct err *err);
    int (*exit_fd)(const struct runtime *runtime);
    bool (*exit_next)(struct runtime *runtime, char uid[ID_SIZE], char name[RUNTIME_NAME_SIZE]);

    bool (*exec)(struct runtime *runtime, const struct runtime_exec *exec,
                 struct runtime_terminal *out, struct err *err);
    int (*end_fd)(struct runtime *runtime, const char *uid, const char *name);
    bool (*use)(struct runtime *runtime, const char *uid, const char *name, struct runtime_use *out,
                struct err *err);
    struct runtime_command *(*command_begin)(struct runtime *runtime, const char *uid,
                                             const char *name, const struct text_list *command,
                                             struct err *err);
    bool (*command_ended)(struct runtime_command *running, int *exit_code);
    void (*command_free)(struct runtime_command *running);
    bool (*log_rotate)(struct runtime *runtime, const char *uid, const char *name, struct err *err);
};

/* First member of each driver's own struct. */
struct runtime {
    const struct runtime_driver *driver;
};

/* First member of each driver's own of these. */
struct runtime_command {
    const struct runtime_driver *driver;
    int fd;
    struct text *output;
};

/* 1 to 63 of [a-z0-9-]: these become parts of paths. */
bool runtime_name_valid(const char *name);

struct runtime *oci_open(const struct runtime_options *options, struct err *err) MUST_CHECK;
bool oci_close_all(const struct runtime_options *options, struct err *err) MUST_CHECK;

#endif
