/* A command in a terminal. The program that runs it (the OCI runtime) is our child: its exit code is the
 * command's, and what it says on its standard error is about the command, not of it. */
#include "node-agent/stream/inside.h"

#include "model/link.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 16384, SAID_MAX = 2048, ORDER_MAX = 256, NOT_FOUND = 127, NOT_RUN = 126 };

/* ---- what the runtime said ---- */

static bool is_stamp_letter(char letter)
{
    return letter && strchr("0123456789-:.TZ", letter);
}

/* crun: "ESC[1;31m2026-01-31T08:11:33.310696Z: words ESC[0m". */
static void keep_words(char *text)
{
    char *to = text, *from = text;

    while (*from) {
        if (from[0] == '\x1b') {
            from += strcspn(from, "m");
            from += *from == 'm';
        } else if ((unsigned char)*from < 0x20) {
            from++;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
    for (from = text; is_stamp_letter(*from);)
        from++;
    if (from[0] == ' ' && from > text + 10 && from[-1] == ':')
        memmove(text, from + 1, strlen(from + 1) + 1);
}

/* By the time a command turns out not to be there, the runtime's standard error may be the terminal: then all that came
 * out of that is one such line. */
static bool is_of_runtime(const struct text *head)
{
    return head->bytes && text_ok(head) && text_has_prefix(head->bytes, "\x1b[1;31m2") &&
           strstr(head->bytes, "Z: ") && strchr(head->bytes, '\n') == head->bytes + head->size - 1;
}

static const char *said_words(struct stream *stream)
{
    struct text *said = stream->words->size > 0 ? stream->words : stream->head;

    if (stream->exit_code == 0 || said->size == 0 || (said == stream->head && !is_of_runtime(said)))
        return "";
    keep_words(said->bytes);
    return said->bytes;
}

/* As a shell would say it: of a command that was never run the runtime's own code says nothing. */
static int code_of(const struct stream *stream, const char *words)
{
    if (!words[0] || (stream->words->size > 0 && stream->head->size > 0))
        return stream->exit_code;
    if (strstr(words, "not found") || strstr(words, "No such file"))
        return NOT_FOUND;
    return NOT_RUN;
}

static void finish(struct stream *stream)
{
    char reason[WEBSOCKET_REASON_SIZE], line[SAID_MAX + 16];
    const char *words = said_words(stream);
    int code = code_of(stream, words);

    if (code != stream->exit_code) {
        (void)text_format(line, sizeof line, "%s\r\n", words);
        if (stream->head->size == 0)
            (void)!websocket_send(stream->socket, WEBSOCKET_BINARY, line, strlen(line));
        (void)text_format(reason, sizeof reason, "exit code %d: %s", code, words);
    } else {
        (void)text_format(reason, sizeof reason, "exit code %d", code);
    }
    stream_end(stream, reason);
}

/* ---- the terminal ---- */

static void terminal_read(struct stream *stream)
{
    char block[BLOCK];

    while (stream->terminal.fd >= 0 && !stream_is_full(stream)) {
        ssize_t got = read(stream->terminal.fd, block, sizeof block);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) { /* EIO: nobody has the other side open */
            watched_drop(stream, &stream->terminal);
            return;
        }
        text_add_cut(stream->head, block, (size_t)got);
        if (!websocket_send(stream->socket, WEBSOCKET_BINARY, block, (size_t)got))
            stream->socket_over = true;
    }
}

static void terminal_write(struct stream *stream)
{
    struct text *input = stream->input;
    size_t done = 0;

    while (stream->terminal.fd >= 0 && done < input->size) {
        ssize_t sent = write(stream->terminal.fd, input->bytes + done, input->size - done);
        if (sent <= 0)
            break;
        done += (size_t)sent;
    }
    if (done > 0) {
        memmove(input->bytes, input->bytes + done, input->size - done);
        input->size -= done;
    }
}

static void said_read(struct stream *stream)
{
    char block[512];

    while (stream->said.fd >= 0) {
        ssize_t got = read(stream->said.fd, block, sizeof block);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0)
            watched_drop(stream, &stream->said);
        else
            text_add_cut(stream->words, block, (size_t)got);
    }
}

static void child_reap(struct stream *stream)
{
    int status = 0;

    if (stream->pid == 0 || waitpid(stream->pid, &status, WNOHANG) != stream->pid)
        return;
    stream->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    stream->pid = 0;
    watched_drop(stream, &stream->child);
}

/* ---- from the plane ---- */

static void size_take(struct stream *stream)
{
    AUTO(arena) *arena = arena_new(16 * 1024);
    struct stream_size size = {0};
    struct err err = {0};

    if (arena && text_ok(stream->order) && stream->order->bytes &&
        fields_read(&stream_size_schema, stream->order->bytes, stream->order->size, arena, &size,
                    &err)) {
        struct winsize window = {.ws_row = (unsigned short)size.rows,
                                 .ws_col = (unsigned short)size.columns};
        if (stream->terminal.fd >= 0)
            (void)ioctl(stream->terminal.fd, TIOCSWINSZ, &window);
    }
    text_clear(stream->order);
}

static void take(struct stream *stream, enum websocket_kind kind, const void *bytes, size_t size,
                 bool whole)
{
    if (kind == WEBSOCKET_BINARY) {
        if (stream->terminal.fd >= 0)
            text_add_n(stream->input, bytes, size);
        if (stream->input->size > LIMIT_STREAM_BUFFER_BYTES)
            websocket_hold(stream->socket, true);
        return;
    }
    text_add_n(stream->order, bytes, size);
    if (whole)
        size_take(stream);
}

/* The program's end alone is not the end: what it wrote before is still in the terminal. */
static void settle(struct stream *stream)
{
    uint32_t wanted = 0;

    child_reap(stream);
    terminal_write(stream);
    terminal_read(stream);
    said_read(stream);
    bool full = stream_is_full(stream);
    bool hold = stream->input->size > LIMIT_STREAM_BUFFER_BYTES;
    if (hold != websocket_is_held(stream->socket))
        websocket_hold(stream->socket, hold);
    if (stream->pid == 0 && !full) {
        finish(stream);
        return;
    }
    wanted = (full ? 0 : EPOLLIN) | (stream->input->size > 0 ? EPOLLOUT : 0);
    watched_wait(stream, &stream->terminal, wanted);
    watched_wait(stream, &stream->said, EPOLLIN);
    watched_wait(stream, &stream->child, EPOLLIN);
}

/* The runtime's program holds the command's own terminal: with it that hangs up too. */
static void drop(struct stream *stream)
{
    watched_drop(stream, &stream->terminal);
    watched_drop(stream, &stream->said);
    if (stream->pid > 0) {
        (void)kill(stream->pid, SIGKILL);
        streams_orphan(stream->streams, stream->pid);
        stream->pid = 0;
    }
    watched_drop(stream, &stream->child);
    text_free(TAKE(stream->input));
    text_free(TAKE(stream->words));
    text_free(TAKE(stream->head));
    text_free(TAKE(stream->order));
}

static const struct source source = {.take = take, .settle = settle, .drop = drop};

bool streams_add_terminal(struct streams *streams, const struct websocket_io *io,
                          const struct stream_terminal *terminal, struct err *err)
{
    struct stream *stream = stream_new(&source, io, err);

    if (!stream) {
        if (terminal->fd >= 0)
            close(terminal->fd);
        if (terminal->said_fd >= 0)
            close(terminal->said_fd);
        (void)kill(terminal->pid, SIGKILL);
        (void)waitpid(terminal->pid, NULL, 0);
        return false;
    }
    stream->pid = terminal->pid;
    stream->terminal = (struct watched){stream, NULL, terminal->fd, 0};
    stream->said = (struct watched){stream, NULL, terminal->said_fd, 0};
    stream->child =
        (struct watched){stream, NULL, (int)syscall(SYS_pidfd_open, terminal->pid, 0), 0};
    /* One message of the plane may come on top of a full one. */
    stream->input = text_new(4 * LIMIT_STREAM_BUFFER_BYTES);
    stream->words = text_new(SAID_MAX);
    stream->head = text_new(SAID_MAX);
    stream->order = text_new(ORDER_MAX);
    stream_give(streams, stream);
    return true;
}
