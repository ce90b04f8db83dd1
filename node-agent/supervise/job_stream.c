/* Questions that are answered by a stream: the connection to the plane is opened first, so that whatever fails then is
 * told through it. Workers only; the streams themselves run in stream/. */
#include "base/log.h"
#include "model/group_check.h"
#include "node-agent/link/link.h"
#include "node-agent/stream/stream.h"
#include "node-agent/supervise/job_steps.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

enum { ARENA_MAX = 256 * 1024, ROWS = 24, COLUMNS = 80 };

struct opening {
    struct work work;
    struct jobs *jobs;
    struct arena *arena;
    struct question question;
};

/* ---- the command ---- */

/* Whether the container has a file of that very name. */
static bool is_file(const struct opening *opening, const char *path)
{
    struct runtime_found found;
    struct err ignored;
    char root[64];
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};

    if (path[0] != '/' || !runtime_find(opening->jobs->parts.runtime, opening->question.uid,
                                        opening->question.container, &found, &ignored))
        return false;
    text_format(root, sizeof root, "/proc/%d/root", (int)found.pid);
    AUTO_CLOSE int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int fd =
        root_fd >= 0 ? (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how) : -1;
    return fd >= 0;
}

/* The service takes the whole string for the name of a program; where there is such a program, so do we. */
static bool words_take(struct opening *opening, struct text_list *words, struct err *err)
{
    const char *command = opening->question.command ? opening->question.command : "";

    if (strpbrk(command, " \t'\"\\") && is_file(opening, command)) {
        words->items = arena_array(opening->arena, 1, sizeof *words->items);
        if (!words->items)
            return err_set(err, ERR_BUSY, "no memory for a command");
        words->items[words->count++] = command;
        return true;
    }
    return stream_command_split(command, opening->arena, words, err);
}

/* ---- the kinds ---- */

static bool refuse(const struct opening *opening, const struct websocket_io *io, const char *words,
                   struct err *err)
{
    char reason[WEBSOCKET_REASON_SIZE];

    (void)text_format(reason, sizeof reason, "%s", words);
    return streams_add_words(opening->jobs->parts.streams, io,
                             opening->question.kind == QUESTION_FOLLOW ? "" : words, reason, err);
}

static bool exec_open(struct opening *opening, const struct websocket_io *io, struct err *err)
{
    const struct question *question = &opening->question;
    struct text_list words = {0};
    struct runtime_exec exec = {.uid = question->uid,
                                .name = question->container,
                                .args = &words,
                                .rows = question->rows > 0 ? (int)question->rows : ROWS,
                                .columns =
                                    question->columns > 0 ? (int)question->columns : COLUMNS};
    struct runtime_terminal terminal;
    struct err why = {0};

    if (!words_take(opening, &words, &why) ||
        !runtime_exec(opening->jobs->parts.runtime, &exec, &terminal, &why))
        return refuse(opening, io, why.text, err);
    struct stream_terminal of_stream = {terminal.fd, terminal.said_fd, terminal.pid};
    return streams_add_terminal(opening->jobs->parts.streams, io, &of_stream, err);
}

static bool logs_open(struct opening *opening, const struct websocket_io *io, struct err *err)
{
    const struct question *question = &opening->question;
    bool attach = question->kind == QUESTION_ATTACH;
    const char *one[] = {question->container};
    struct text_list only = {.items = one, .count = 1};
    char group[PATH_SIZE], folder[PATH_SIZE];
    struct stream_logs logs = {
        .uid = question->uid,
        .folder = folder,
        .containers = attach ? &only : &question->containers,
        .position = question->position,
        .tail = attach                                ? ROWS
                : question->tail.given == GIVEN_VALUE ? question->tail.value
                                                      : -1,
        .raw = attach,
        .ends = question->ends,
        .end_fd = attach ? runtime_end_fd(opening->jobs->parts.runtime, question->uid, one[0]) : -1,
    };

    text_format(folder, sizeof folder, "%s/logs",
                group_folder(&opening->jobs->parts, question->uid, group));
    logs.ends |= attach && logs.end_fd < 0;
    return streams_add_logs(opening->jobs->parts.streams, io, &logs, err);
}

/* ---- the work ---- */

static void opening_free(struct opening *opening)
{
    arena_free(opening->arena);
    free(opening);
}

static void opening_drop(struct work *work)
{
    opening_free(CONTAINER_OF(work, struct opening, work));
}

static void opening_run(struct work *work)
{
    struct opening *opening = CONTAINER_OF(work, struct opening, work);
    struct websocket_io io;
    struct err err = {0};
    bool opened = link_stream_open(opening->jobs->link, opening->question.id, &io, &err) &&
                  (opening->question.kind == QUESTION_EXEC ? exec_open(opening, &io, &err)
                                                           : logs_open(opening, &io, &err));

    if (!opened)
        log_debug("stream_not_opened", "group=%s text=%s", opening->question.uid,
                  LOG_QUOTE(err.text));
    opening_free(opening);
}

static bool text_is_copied(const char *from, struct arena *arena, const char **to)
{
    *to = arena_text(arena, from);
    return *to || !from;
}

/* Names become paths: only those of containers get through. */
static bool names_copy(const struct text_list *from, struct arena *arena, struct text_list *to)
{
    *to = (struct text_list){.items = arena_array(arena, from->count + 1, sizeof *to->items)};
    for (size_t i = 0; to->items && i < from->count; i++) {
        if (!container_name_valid(from->items[i]) ||
            !(to->items[to->count++] = arena_text(arena, from->items[i])))
            return false;
    }
    return to->items != NULL;
}

static bool question_keep(struct opening *opening, const struct question *from)
{
    struct question *to = &opening->question;
    struct arena *arena = opening->arena;

    *to = *from;
    return from->uid && id_valid(from->uid) &&
           (!from->container || container_name_valid(from->container)) &&
           (from->container || from->kind == QUESTION_FOLLOW) &&
           text_is_copied(from->id, arena, &to->id) && text_is_copied(from->uid, arena, &to->uid) &&
           text_is_copied(from->container, arena, &to->container) &&
           text_is_copied(from->command, arena, &to->command) &&
           text_is_copied(from->position, arena, &to->position) &&
           names_copy(&from->containers, arena, &to->containers);
}

void job_stream(struct jobs *jobs, const struct question *question)
{
    struct opening *opening = calloc(1, sizeof *opening);

    if (!opening)
        return;
    opening->work = (struct work){.run = opening_run, .drop = opening_drop};
    opening->jobs = jobs;
    opening->arena = arena_new(ARENA_MAX);
    if (!opening->arena || !jobs->parts.streams || !jobs->workers ||
        !question_keep(opening, question))
        opening_free(opening);
    else
        workers_submit(jobs->workers, &opening->work);
}
