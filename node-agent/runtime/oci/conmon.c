/* Starting a container's conmon. It is the container's parent: it holds the pipes of stdout and
 * stderr, writes what comes through them to the log, and leaves the exit code in a file, whatever
 * becomes of the agent.
 *
 *   agent ─ posix_spawn ▶ conmon ─ fork ▶ conmon, a daemon ─ fork, exec ▶ berth-enter ▶ crun create
 *     ▲                     └ exit             │                           └ the first process
 *     └─────────── sync pipe: {"data": pid} ───┘ */
#include "node-agent/runtime/oci/oci.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "node-agent/runtime/oci/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { STOP_ROUNDS = 500 }; /* of 2 ms */
enum { ARGUMENTS_MAX = 96, SAID_MAX = 16 * 1024 };

struct arguments {
    const char *items[ARGUMENTS_MAX];
    size_t count;
};

static void add(struct arguments *arguments, const char *argument)
{
    CHECK(arguments->count < ARGUMENTS_MAX - 1);
    arguments->items[arguments->count++] = argument;
}

static void add_pair(struct arguments *arguments, const char *option, const char *value)
{
    add(arguments, option);
    add(arguments, value);
}

/* ---- the command line ---- */

/* What conmon calls, and with what before its own words. */
static bool add_runtime(const struct oci *oci, const struct oci_place *place, struct arena *arena,
                        struct arguments *to)
{
    const char *words[OCI_WORDS_MAX];
    size_t count = oci_words(oci, place, arena, words);
    if (count > 0)
        add_pair(to, "-r", words[0]);
    for (size_t i = 1; i < count; i++)
        add_pair(to, "--runtime-arg", words[i]);
    return count > 0;
}

/* The log is not synced at the end (it would delay the exit file), and has no ceiling in conmon
 * (it would throw lines away): the agent rotates it. */
static bool fill(const struct oci *oci, const struct oci_place *place, const char *log_path,
                 struct arena *arena, struct arguments *to)
{
    add(to, oci->conmon);
    add_pair(to, "--api-version", "1");
    add_pair(to, "-c", place->id);
    add_pair(to, "-u", place->id);
    add_pair(to, "-n", place->id);
    add_pair(to, "-b", place->folder);
    add_pair(to, "-p", arena_format(arena, "%s/pid", place->folder));
    add_pair(to, "-P", arena_format(arena, "%s/conmon.pid", place->folder));
    add_pair(to, "--persist-dir", place->folder);
    add_pair(to, "-l", arena_format(arena, "k8s-file:%s", log_path));
    add_pair(to, "--log-level", "error");
    add(to, "--no-sync-log");
    add(to, "--full-attach");
    if (!add_runtime(oci, place, arena, to))
        return false;
    for (size_t i = 0; i < to->count; i++)
        if (!to->items[i])
            return false;
    to->items[to->count] = NULL;
    return true;
}

/* ---- starting it ---- */

/* Its standard error goes where the answer comes: whatever went wrong, and wherever, arrives in
 * one place. It works in the container's folder: that is where it leaves its file "oom". */
static int start(const struct arguments *arguments, const char *folder, int answer_fd, pid_t *pid)
{
    static const char *const environment[] = {"TZ=UTC0", "_OCI_SYNCPIPE=3", NULL};
    struct child child = {.words = arguments->items,
                          .more = environment,
                          .folder = folder,
                          .output_fd = -1,
                          .errors_fd = answer_fd,
                          .extra_fd = answer_fd};
    return child_start(&child, pid);
}

/* ---- its answer ---- */

struct answer {
    int64_t data;
    const char *message;
};
static const struct field answer_fields[] = {
    FIELD(struct answer, data, "data", .doc = "The process, or -1."),
    FIELD(struct answer, message, "message", .doc = "What the runtime said."),
};
static const struct schema answer_schema =
    SCHEMA("Answer", struct answer, answer_fields, "conmon's answer.");

/* The line that is conmon's answer; NULL: not there, or not whole. */
static char *answer_line(char *said)
{
    for (char *line = said; line; line = (line = strchr(line, '\n')) ? line + 1 : NULL)
        if (text_has_prefix(line, "{\"data\"") && strchr(line, '\n'))
            return line;
    return NULL;
}

/* Until the answer is whole, the pipe is closed or the time is up. */
static bool hear(int fd, char said[SAID_MAX])
{
    size_t size = 0;
    int64_t until = clock_boot_ns() / 1000000 + LIMIT_RUNTIME_CALL_MS;
    said[0] = '\0';
    while (size < SAID_MAX - 1 && !answer_line(said)) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t left = until - clock_boot_ns() / 1000000;
        if (left <= 0 || (poll(&ready, 1, (int)left) < 0 && errno != EINTR))
            return false;
        ssize_t got = ready.revents ? read(fd, said + size, SAID_MAX - 1 - size) : -1;
        if (got == 0)
            return true;
        size += got > 0 ? (size_t)got : 0;
        said[size] = '\0';
    }
    return true;
}

static void trim_end(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && strchr(" \r\n", text[size - 1]))
        text[--size] = '\0';
}

/* runc logs: `time="…" level=error msg="runc create failed: … exec: \"/x\": …"`. Only the
 * message is of use. */
static void keep_message(char *text)
{
    char *from = strstr(text, " msg=\""), *to = text;
    if (!from)
        return;
    for (from += strlen(" msg=\""); *from && *from != '"'; from++) {
        if (*from == '\\' && from[1])
            from++;
        *to++ = *from;
    }
    *to = '\0';
}

/* The client's fault when its command cannot be run or a mount does not fit the image, the node's otherwise. */
static bool refuse(const struct oci_place *place, const char *message, struct err *err)
{
    bool theirs = strstr(message, "executable file") || strstr(message, "exec: ") ||
                  strstr(message, "open executable") || strcasestr(message, "not a directory");
    return err_set(err, theirs ? ERR_INVALID : ERR_IO, "container %s cannot be created: %s",
                   place->name, *message ? message : "conmon ended without a word");
}

static bool understand(const struct oci_place *place, char *said, struct arena *arena, int64_t *pid,
                       struct err *err)
{
    struct answer answer = {0};
    struct err ignored;
    char *line = answer_line(said);
    if (line && fields_read(&answer_schema, line, strcspn(line, "\n"), arena, &answer, &ignored)) {
        *pid = answer.data;
        if (answer.data > 0)
            return true;
    }
    char *message = answer.message ? arena_text(arena, answer.message) : said;
    if (!message)
        return err_set(err, ERR_BUSY, "out of memory");
    keep_message(message);
    trim_end(message);
    return refuse(place, message, err);
}

bool conmon_create(const struct oci *oci, const struct oci_place *place, const char *log_path,
                   int64_t *pid, struct err *err)
{
    AUTO(arena) *arena = arena_new(256 * 1024);
    struct arguments arguments = {.count = 0};
    char said[SAID_MAX];
    int ends[2] = {-1, -1};
    pid_t child;
    if (!arena || !fill(oci, place, log_path, arena, &arguments) || !child_pipe(ends))
        return err_set_os(err, ERR_BUSY, errno, "cannot prepare to start conmon");
    AUTO_CLOSE int answer = ends[0];
    int failed = start(&arguments, place->folder, ends[1], &child);
    close(ends[1]);
    if (failed)
        return err_set_os(err, ERR_IO, failed, "cannot start %s", oci->conmon);
    bool heard = hear(answer, said);
    if (!heard)
        kill(child, SIGKILL); /* in vain when it has become a daemon, which the caller ends */
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (!heard)
        return err_set(err, ERR_TIMEOUT, "container %s was not created within %lld ms", place->name,
                       (long long)LIMIT_RUNTIME_CALL_MS);
    return understand(place, said, arena, pid, err);
}

/* ---- finding it ---- */

/* The file may be older than the number in it is: only a process that names the container on its
 * command line counts. */
int64_t conmon_find(const struct oci_place *place)
{
    char path[OCI_PATH_SIZE];
    AUTO_FREE char *number = NULL;
    AUTO_FREE char *line = NULL;
    size_t size;
    int64_t pid;
    struct err ignored;
    oci_file(place->folder, "conmon.pid", path);
    if (!file_read(path, 64, &number, &size, &ignored) || !text_to_int(number, &pid) || pid <= 1)
        return 0;
    text_format(path, sizeof path, "/proc/%lld/cmdline", (long long)pid);
    if (!file_read(path, 64 * 1024, &line, &size, &ignored))
        return 0;
    return memmem(line, size, place->id, strlen(place->id) + 1) ? pid : 0;
}

/* Whether its command line has both as words of their own, or the second as the end of one. */
static bool names(const char *pid, const char *word, const char *root)
{
    char path[64], line[8192], needle[OCI_ID_SIZE + 2] = "";
    text_format(path, sizeof path, "/proc/%s/cmdline", pid);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, line, sizeof line) : -1;
    text_copy(needle + 1, sizeof needle - 1, word); /* between two NULs */
    return size > 0 && memmem(line, (size_t)size, needle, strlen(word) + 2) &&
           memmem(line, (size_t)size, root, strlen(root));
}

static int kill_named(const struct oci *oci, const struct oci_place *place)
{
    int count = 0;
    int64_t pid;
    DIR *entries = opendir("/proc");
    if (!entries)
        return 0;
    for (const struct dirent *entry; (entry = readdir(entries));)
        if (text_to_int(entry->d_name, &pid) && pid > 1 && pid != getpid() &&
            names(entry->d_name, place->id, oci->root)) {
            kill((pid_t)pid, SIGKILL);
            count++;
        }
    closedir(entries);
    return count;
}

void conmon_stop_creating(const struct oci *oci, const struct oci_place *place)
{
    struct timespec wait = {.tv_nsec = 2000000};
    for (int round = 0; round < STOP_ROUNDS && kill_named(oci, place) > 0; round++)
        nanosleep(&wait, NULL);
}
