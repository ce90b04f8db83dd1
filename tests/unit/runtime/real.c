#include "tests/unit/runtime/real.h"

#include "base/process.h"

#include <dirent.h>
#include <limits.h>

struct real real;

/* ---- a node ---- */

static void copy_busybox(void)
{
    static const char *const applets[] = {"sh",     "cat",  "echo",     "sleep",  "id",   "ls",
                                          "mount",  "grep", "true",     "touch",  "head", "dd",
                                          "mkdir",  "kill", "hostname", "df",     "test", "seq",
                                          "printf", "env",  "mknod",    "taskset"};
    static const char *const folders[] = {"bin", "etc", "proc", "sys", "dev", "tmp"};
    char path[REAL_PATH];
    struct err err;
    char *bytes;
    size_t size;
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        text_format(path, sizeof path, "%s/%s", real.root, folders[i]);
        assert_true(file_make_folders(path, 0755, &err));
    }
    assert_true(file_read("/bin/busybox", 64 * 1024 * 1024, &bytes, &size, &err));
    text_format(path, sizeof path, "%s/bin/busybox", real.root);
    assert_true(file_replace(path, bytes, size, 0755, false, &err));
    free(bytes);
    for (size_t i = 0; i < COUNT_OF(applets); i++) {
        text_format(path, sizeof path, "%s/bin/%s", real.root, applets[i]);
        assert_int_equal(symlink("busybox", path), 0);
    }
}

/* "other": a runtime that Berth has never heard of. It is runc, under a name that is in no table. */
static void make_other(void)
{
    static char path[REAL_PATH];
    if (strcmp(real.program, "other") != 0)
        return;
    text_format(path, sizeof path, "%s/other", real.folder);
    assert_int_equal(symlink("/usr/sbin/runc", path), 0);
    real.program = path;
}

void real_arguments(int argc, char **argv)
{
    real.program = argc > 1 ? argv[1] : "crun";
    log_configure(getenv("BERTH_TEST_DEBUG") ? LOG_DEBUG : LOG_ERROR, false);
}

/* Named or none: what else the machine has is of no matter. */
static struct text_list classes_named(void)
{
    static const char *items[8];
    static char words[256];
    struct text_list list = {.given = true, .items = items};
    char *rest = words;
    text_copy(words, sizeof words, real.classes ? real.classes : "");
    for (char *word; (word = strsep(&rest, " "));)
        if (*word)
            items[list.count++] = word;
    return list;
}

int real_begin(void **state)
{
    (void)state;
    if (getuid() != 0) {
        print_error("these tests need root\n");
        return -1;
    }
    text_copy(real.folder, sizeof real.folder, "/tmp/berth-runtime-XXXXXX");
    if (!mkdtemp(real.folder))
        return -1;
    chmod(real.folder, 0755);
    text_format(real.run_dir, sizeof real.run_dir, "%s/run", real.folder);
    text_format(real.root, sizeof real.root, "%s/root", real.folder);
    text_format(real.cgroup, sizeof real.cgroup, "berth-test-%d/node", (int)getpid());
    mkdir(real.run_dir, 0700);
    copy_busybox();
    make_other();
    real.options = (struct runtime_options){.program = real.program,
                                            .classes = classes_named(),
                                            .run_dir = real.run_dir,
                                            .cgroup = real.cgroup,
                                            .enter = getenv("BERTH_ENTER")};
    real.arena = arena_new(16 * 1024 * 1024);
    OK(real.runtime = runtime_open(&real.options, &err));
    id_random(real.uid);
    struct runtime_group group = {.uid = real.uid, .cpu_milli = 2000, .memory_bytes = 256 << 20};
    OK(runtime_group_up(real.runtime, &group, &err));
    return 0;
}

/* Also the last test: nothing is left. */
int real_end(void **state)
{
    (void)state;
    char line[2048];
    OK(runtime_group_down(real.runtime, real.uid, &err));
    assert_int_equal(real_processes_below(), 0);
    runtime_free(real.runtime);
    OK(runtime_close_all(&real.options, &err));
    OK(runtime_close_all(&real.options, &err)); /* again */
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    while (fgets(line, sizeof line, mounts))
        if (strstr(line, real.folder))
            fail_msg("left mounted: %s", line);
    fclose(mounts);
    text_format(line, sizeof line, "berth-test-%d", (int)getpid());
    const char *find[] = {"find", "/sys/fs/cgroup", "-name", line, NULL};
    AUTO(text) *found = text_new(4096);
    struct process process = {.argv = find};
    OK(process_run(&process, found, NULL, &(struct process_result){0}, &err));
    assert_int_equal(found->size, 0);
    arena_free(real.arena);
    OK(file_remove_tree(real.folder, &err));
    return 0;
}

void real_reopen(void)
{
    runtime_free(real.runtime);
    OK(real.runtime = runtime_open(&real.options, &err));
}

/* ---- containers ---- */

static char *log_path(const char *name)
{
    return arena_format(real.arena, "%s/%s.log", real.folder, name);
}

struct runtime_container real_container(const char *name, const char *shell_command)
{
    const char **args = arena_array(real.arena, 3, sizeof *args);
    args[0] = "/bin/sh";
    args[1] = "-c";
    args[2] = shell_command;
    return (struct runtime_container){
        .uid = real.uid,
        .name = name,
        .incarnation = 7,
        .restarts = 3,
        .root = real.root,
        .args = {.given = true, .items = args, .count = 3},
        .hostname = "harbour",
        .log_path = log_path(name),
        .cpu_milli = 500,
        .memory_bytes = 64 << 20,
    };
}

void real_start(const struct runtime_container *container)
{
    int64_t started = 0, before = clock_now_ms();
    OK(runtime_create(real.runtime, container, &err));
    OK(runtime_start(real.runtime, container->uid, container->name, &started, &err));
    assert_in_range((uintmax_t)started, (uintmax_t)before, (uintmax_t)clock_now_ms());
}

struct runtime_found real_find(const char *name)
{
    struct runtime_found found = {0};
    OK(runtime_find(real.runtime, real.uid, name, &found, &err));
    return found;
}

bool real_ended(const char *name, int wait_ms)
{
    char uid[ID_SIZE], which[RUNTIME_NAME_SIZE];
    struct pollfd ended = {.fd = runtime_exit_fd(real.runtime), .events = POLLIN};
    poll(&ended, 1, wait_ms);
    while (runtime_exit_next(real.runtime, uid, which))
        if (strcmp(which, name) == 0 && strcmp(uid, real.uid) == 0)
            return true;
    return false;
}

struct runtime_found real_wait(const char *name)
{
    int64_t until = clock_boot_ns() / 1000000 + REAL_WAIT_MS;
    while (!real_ended(name, 100))
        if (clock_boot_ns() / 1000000 > until)
            fail_msg("%s did not end", name);
    return real_find(name);
}

void real_log(const char *name, char *out, size_t size)
{
    AUTO(text) *text = text_new(size);
    struct runtime_log_query query = {.tail = -1};
    OK(runtime_log_read(log_path(name), &query, text, &err));
    text_copy(out, size, text->bytes ? text->bytes : "");
}

void real_log_until(const char *name, const char *words)
{
    char log[65536];
    for (int tries = 0; tries < 2000; tries++) {
        real_log(name, log, sizeof log);
        if (strstr(log, words))
            return;
        usleep(5000);
    }
    fail_msg("%s never wrote %s, but: %s", name, words, log);
}

struct runtime_found real_run(const struct runtime_container *container, const char *output)
{
    char log[65536];
    real_start(container);
    struct runtime_found found = real_wait(container->name);
    assert_int_equal(found.phase, RUNTIME_EXITED);
    real_log(container->name, log, sizeof log);
    if (output)
        assert_string_equal(log, output);
    OK(runtime_remove(real.runtime, container->uid, container->name, &err));
    OK(runtime_log_remove(container->log_path, &err));
    return found;
}

/* ---- cgroups ---- */

bool real_cgroup_file(const char *container, const char *v1_controller, const char *v1_file,
                      const char *v2_file, char *out, size_t size)
{
    bool v2 = strcmp(runtime_cgroup_layout(real.runtime), "v2") == 0;
    char path[REAL_PATH];
    char *bytes;
    size_t length;
    struct err err;
    text_format(path, sizeof path, "/sys/fs/cgroup%s%s/%s/%s%s%s/%s", v2 ? "" : "/",
                v2 ? "" : v1_controller, real.cgroup, real.uid, container ? "/" : "",
                container ? container : "", v2 ? v2_file : v1_file);
    if (!file_read(path, 65536, &bytes, &length, &err))
        return false;
    bytes[strcspn(bytes, "\n")] = '\0';
    text_copy(out, size, bytes);
    free(bytes);
    return true;
}

static int64_t count_in(const char *folder)
{
    char path[PATH_MAX], line[64];
    int64_t count = 0;
    text_format(path, sizeof path, "%s/cgroup.procs", folder);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        count++;
    if (file)
        fclose(file);
    DIR *entries = opendir(folder);
    for (const struct dirent *entry; entries && (entry = readdir(entries));)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
            text_format(path, sizeof path, "%s/%s", folder, entry->d_name);
            count += count_in(path);
        }
    if (entries)
        closedir(entries);
    return count;
}

int64_t real_processes_below(void)
{
    int64_t count = 0;
    const struct text_list *folders = runtime_cgroup_folders(real.runtime);
    for (size_t i = 0; i < folders->count; i++)
        count += count_in(folders->items[i]);
    return count;
}
