/* Containers as rows of a table. Small and slow on purpose: tests have few of them. */
#include "node-agent/runtime/fake.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/thread.h"
#include "node-agent/runtime/driver.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

enum { ROWS_MAX = 256, RUNS_MAX = 1024, CALLS = FAKE_COMMAND + 1, FIRST_PID = 1000 };

struct row {
    bool used, told; /* told: its end was reported */
    size_t run;      /* where in `runs`; valid once it runs */
    struct runtime_found found;
};

struct fake {
    struct runtime base;
    struct lock lock;
    struct bell bell;
    struct row rows[ROWS_MAX];
    char groups[ROWS_MAX][ID_SIZE];
    struct runtime_use use;
    bool stubborn;
    enum fake_call failing;
    enum err_code fail_code;
    char fail_text[256];
    int calls[CALLS];
    struct fake_run runs[RUNS_MAX];
    size_t runs_count;
    struct text_list folders;
    int command_code; /* of every command; -1: it does not end */
    char command_output[256];
};

static struct row *row_of(struct fake *fake, const char *uid, const char *name)
{
    for (size_t i = 0; i < ROWS_MAX; i++)
        if (fake->rows[i].used && strcmp(fake->rows[i].found.uid, uid) == 0 &&
            (!name || strcmp(fake->rows[i].found.name, name) == 0))
            return &fake->rows[i];
    return NULL;
}

static char *group_slot(struct fake *fake, const char *uid)
{
    for (size_t i = 0; i < ROWS_MAX; i++)
        if (strcmp(fake->groups[i], uid) == 0)
            return fake->groups[i];
    return NULL;
}

static bool absent(const char *name, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is no container %s", name);
}

/* Counts the call, or fails it as the test wanted. */
static bool may(struct fake *fake, enum fake_call call, struct err *err)
{
    if (fake->failing == call) {
        fake->failing = FAKE_NONE;
        return err_set(err, fake->fail_code, "%s", fake->fail_text);
    }
    fake->calls[call]++;
    return true;
}

static void end_row(struct fake *fake, struct row *row, int exit_code, bool oom_killed)
{
    if (row->found.phase != RUNTIME_RUNNING && row->found.phase != RUNTIME_CREATED)
        return;
    if (row->found.phase == RUNTIME_RUNNING)
        fake->runs[row->run].finished_ms = clock_now_ms();
    row->found.phase = RUNTIME_EXITED;
    row->found.exit_code = exit_code;
    row->found.oom_killed = oom_killed;
    row->found.finished_ms = clock_now_ms();
    row->found.pid = 0;
    row->told = false;
    bell_ring(&fake->bell);
}

/* ---- the driver ---- */

static void fake_free(struct runtime *runtime)
{
    struct fake *fake = (struct fake *)runtime;
    bell_done(&fake->bell);
    lock_done(&fake->lock);
    munmap(fake, sizeof *fake);
}

static const char *fake_layout(const struct runtime *runtime UNUSED)
{
    return "fake";
}

static const struct text_list *fake_folders(const struct runtime *runtime)
{
    return &((const struct fake *)runtime)->folders;
}

static bool fake_group_up(struct runtime *runtime, const struct runtime_group *group,
                          struct err *err)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    char *slot = group_slot(fake, group->uid);
    slot = slot ? slot : group_slot(fake, "");
    return slot && may(fake, FAKE_GROUP_UP, err) && text_copy(slot, ID_SIZE, group->uid);
}

static bool fake_group_kill(struct runtime *runtime, const char *uid, struct err *err UNUSED)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    for (size_t i = 0; i < ROWS_MAX; i++)
        if (fake->rows[i].used && strcmp(fake->rows[i].found.uid, uid) == 0)
            end_row(fake, &fake->rows[i], 128 + SIGKILL, false);
    return true;
}

static bool fake_group_down(struct runtime *runtime, const char *uid, struct err *err)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    char *slot = group_slot(fake, uid);
    if (!may(fake, FAKE_GROUP_DOWN, err))
        return false;
    for (struct row *row; (row = row_of(fake, uid, NULL));) {
        end_row(fake, row, 128 + SIGKILL, false);
        row->used = false;
    }
    if (slot)
        slot[0] = '\0';
    return true;
}

static bool fake_create(struct runtime *runtime, const struct runtime_container *container,
                        struct err *err)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    size_t free_row = 0;
    if (!group_slot(fake, container->uid))
        return err_set(err, ERR_NOT_FOUND, "group %s is not up", container->uid);
    if (row_of(fake, container->uid, container->name))
        return err_set(err, ERR_CONFLICT, "there is a container %s already", container->name);
    while (free_row < ROWS_MAX && fake->rows[free_row].used)
        free_row++;
    CHECK(free_row < ROWS_MAX);
    if (!may(fake, FAKE_CREATE, err))
        return false;
    struct row *row = &fake->rows[free_row];
    *row = (struct row){.used = true, .told = true};
    row->found = (struct runtime_found){.phase = RUNTIME_CREATED,
                                        .pid = (pid_t)(FIRST_PID + (int)free_row),
                                        .incarnation = container->incarnation,
                                        .restarts = container->restarts};
    text_copy(row->found.uid, sizeof row->found.uid, container->uid);
    text_copy(row->found.name, sizeof row->found.name, container->name);
    return true;
}

static bool fake_start(struct runtime *runtime, const char *uid, const char *name,
                       int64_t *started_ms, struct err *err)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    struct row *row = row_of(fake, uid, name);
    if (!row)
        return absent(name, err);
    if (row->found.phase != RUNTIME_CREATED)
        return err_set(err, ERR_CONFLICT, "container %s was started before", name);
    if (!may(fake, FAKE_START, err))
        return false;
    CHECK(fake->runs_count < RUNS_MAX);
    row->found.phase = RUNTIME_RUNNING;
    row->found.started_ms = *started_ms = clock_now_ms();
    row->run = fake->runs_count++;
    struct fake_run *run = &fake->runs[row->run];
    *run = (struct fake_run){.incarnation = row->found.incarnation,
                             .restarts = row->found.restarts,
                             .started_ms = row->found.started_ms};
    text_copy(run->uid, sizeof run->uid, uid);
    text_copy(run->name, sizeof run->name, name);
    return true;
}

static bool fake_signal(struct runtime *runtime, const char *uid, const char *name, int number,
                        struct err *err)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    struct row *row = row_of(fake, uid, name);
    if (!row || row->found.phase != RUNTIME_RUNNING)
        return absent(name, err);
    if (number == SIGKILL || !fake->stubborn)
        end_row(fake, row, 128 + number, false);
    return true;
}

static bool fake_remove(struct runtime *runtime, const char *uid, const char *name, struct err *err)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    struct row *row = row_of(fake, uid, name);
    if (!may(fake, FAKE_REMOVE, err))
        return false;
    if (row) {
        end_row(fake, row, 128 + SIGKILL, false);
        row->used = false;
    }
    return true;
}

static bool fake_find(struct runtime *runtime, const char *uid, const char *name,
                      struct runtime_found *out, struct err *err)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    const struct row *row = row_of(fake, uid, name);
    if (!may(fake, FAKE_FIND, err))
        return false;
    if (!row)
        return absent(name, err);
    *out = row->found;
    return true;
}

static bool fake_list(struct runtime *runtime, struct arena *arena, struct runtime_found **found,
                      size_t *count, struct err *err)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    struct runtime_found *items = arena_array(arena, ROWS_MAX, sizeof *items);
    size_t filled = 0;
    if (!items)
        return err_set(err, ERR_BUSY, "out of memory");
    for (size_t i = 0; i < ROWS_MAX; i++)
        if (fake->rows[i].used)
            items[filled++] = fake->rows[i].found;
    *found = items;
    *count = filled;
    return true;
}

static int fake_exit_fd(const struct runtime *runtime)
{
    return ((const struct fake *)runtime)->bell.fd;
}

static bool fake_exit_next(struct runtime *runtime, char uid[ID_SIZE], char name[RUNTIME_NAME_SIZE])
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    bell_wait(&fake->bell, 0);
    for (size_t i = 0; i < ROWS_MAX; i++) {
        struct row *row = &fake->rows[i];
        if (!row->used || row->told)
            continue;
        row->told = true;
        text_copy(uid, ID_SIZE, row->found.uid);
        text_copy(name, RUNTIME_NAME_SIZE, row->found.name);
        bell_ring(&fake->bell); /* there may be more */
        return true;
    }
    return false;
}

static bool fake_use(struct runtime *runtime, const char *uid, const char *name,
                     struct runtime_use *out, struct err *err)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    if (name ? !row_of(fake, uid, name) : !group_slot(fake, uid))
        return absent(name ? name : uid, err);
    *out = fake->use;
    return true;
}

static bool fake_exec(struct runtime *runtime UNUSED, const struct runtime_exec *exec UNUSED,
                      struct runtime_terminal *out UNUSED, struct err *err)
{
    return err_set(err, ERR_NOT_IMPLEMENTED, "containers in memory run no commands");
}

static int fake_end_fd(struct runtime *runtime UNUSED, const char *uid UNUSED,
                       const char *name UNUSED)
{
    return -1;
}

static bool fake_log_rotate(struct runtime *runtime UNUSED, const char *uid UNUSED,
                            const char *name UNUSED, struct err *err UNUSED)
{
    return true;
}

/* ---- commands ---- */

struct fake_command {
    struct runtime_command base;
    struct fake *fake;
    struct bell bell;
};

static void fake_command_free(struct runtime_command *base)
{
    struct fake_command *running = (struct fake_command *)base;
    bell_done(&running->bell);
    text_free(running->base.output);
    free(running);
}

static struct runtime_command *fake_command_begin(struct runtime *runtime, const char *uid,
                                                  const char *name,
                                                  const struct text_list *command UNUSED,
                                                  struct err *err)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    const struct row *row = row_of(fake, uid, name);
    if (!row || row->found.phase != RUNTIME_RUNNING) {
        absent(name, err);
        return NULL;
    }
    struct fake_command *running = may(fake, FAKE_COMMAND, err) ? calloc(1, sizeof *running) : NULL;
    if (!running)
        return NULL;
    CHECK(bell_init(&running->bell, err));
    running->fake = fake;
    running->base = (struct runtime_command){runtime->driver, running->bell.fd,
                                             text_new(LIMIT_PROBE_OUTPUT_MAX)};
    text_add(running->base.output, fake->command_output);
    bell_ring(&running->bell);
    return &running->base;
}

static bool fake_command_ended(struct runtime_command *base, int *exit_code)
{
    const struct fake_command *running = (const struct fake_command *)base;
    *exit_code = running->fake->command_code;
    return running->fake->command_code >= 0;
}

static bool fake_takes_users(const struct runtime *runtime UNUSED, const char *class_name UNUSED)
{
    return false;
}

static bool fake_users_try(const struct runtime *runtime UNUSED, struct err *err)
{
    return err_set(err, ERR_NOT_IMPLEMENTED, "containers in memory have no users");
}

static const struct text_list *fake_classes(const struct runtime *runtime UNUSED)
{
    static const struct text_list none;
    return &none;
}

static const struct runtime_driver fake_driver = {
    .free = fake_free,
    .cgroup_layout = fake_layout,
    .cgroup_folders = fake_folders,
    .classes = fake_classes,
    .takes_users = fake_takes_users,
    .users_try = fake_users_try,
    .group_up = fake_group_up,
    .group_down = fake_group_down,
    .group_kill = fake_group_kill,
    .create = fake_create,
    .start = fake_start,
    .signal = fake_signal,
    .remove = fake_remove,
    .find = fake_find,
    .list = fake_list,
    .exit_fd = fake_exit_fd,
    .exit_next = fake_exit_next,
    .exec = fake_exec,
    .end_fd = fake_end_fd,
    .use = fake_use,
    .command_begin = fake_command_begin,
    .command_ended = fake_command_ended,
    .command_free = fake_command_free,
    .log_rotate = fake_log_rotate,
};

/* ---- what tests say ---- */

struct runtime *fake_runtime_new(void)
{
    struct err err;
    struct fake *fake =
        mmap(NULL, sizeof *fake, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(fake != MAP_FAILED && bell_init(&fake->bell, &err));
    lock_init(&fake->lock, LOCK_RUNTIME);
    fake->base.driver = &fake_driver;
    return &fake->base;
}

void fake_runtime_end(struct runtime *runtime, const char *uid, const char *name, int exit_code,
                      bool oom_killed)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    struct row *row = row_of(fake, uid, name);
    CHECK(row);
    end_row(fake, row, exit_code, oom_killed);
}

void fake_runtime_fail(struct runtime *runtime, enum fake_call call, enum err_code code,
                       const char *text)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    fake->failing = call;
    fake->fail_code = code;
    text_copy(fake->fail_text, sizeof fake->fail_text, text);
}

void fake_runtime_use(struct runtime *runtime, const struct runtime_use *use)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    fake->use = *use;
}

void fake_runtime_command(struct runtime *runtime, int exit_code, const char *output)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    fake->command_code = exit_code;
    text_copy(fake->command_output, sizeof fake->command_output, output);
}

void fake_runtime_stubborn(struct runtime *runtime, bool stubborn)
{
    struct fake *fake = (struct fake *)runtime;
    WITH_LOCK(&fake->lock);
    fake->stubborn = stubborn;
}

int fake_runtime_calls(const struct runtime *runtime, enum fake_call call)
{
    return ((const struct fake *)runtime)->calls[call];
}

const struct fake_run *fake_runtime_runs(const struct runtime *runtime, size_t *count)
{
    const struct fake *fake = (const struct fake *)runtime;
    *count = fake->runs_count;
    return fake->runs;
}
