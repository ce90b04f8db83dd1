#include "node-agent/link/resolve.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>

/* Shared by who asks and the thread; whoever lets go last frees it. */
struct question {
    atomic_int holders;
    struct bell done;
    char host[256], port[8];
    struct addrinfo *found;
    int failure;
};

static int look_up(const char *host, const char *port, int flags, struct addrinfo **found)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};

    return getaddrinfo(host, port, &hints, found);
}

static void question_leave(struct question *question)
{
    if (atomic_fetch_sub(&question->holders, 1) > 1)
        return;
    if (question->found)
        freeaddrinfo(question->found);
    bell_done(&question->done);
    free(question);
}

static void *answer(void *context)
{
    struct question *question = context;

    question->failure = look_up(question->host, question->port, AI_ADDRCONFIG, &question->found);
    bell_ring(&question->done);
    question_leave(question);
    return NULL;
}

static struct question *question_new(const char *host, const char *port, struct err *err)
{
    struct question *question = calloc(1, sizeof *question);
    pthread_t thread;

    if (!question || !bell_init(&question->done, err)) {
        free(question);
        err_set(err, ERR_BUSY, "no memory to look up a name");
        return NULL;
    }
    text_copy(question->host, sizeof question->host, host);
    text_copy(question->port, sizeof question->port, port);
    atomic_store(&question->holders, 2);
    if (!thread_start(&thread, "resolve", answer, question, err)) {
        atomic_store(&question->holders, 1);
        question_leave(question);
        return NULL;
    }
    pthread_detach(thread);
    return question;
}

/* The bells are two: one says that it is known, the other that nobody wants to know any more. */
static bool wait_known(const struct question *question, int64_t until_ms, const struct bell *stop,
                       struct err *err)
{
    struct pollfd bells[] = {{.fd = question->done.fd, .events = POLLIN},
                             {.fd = stop->fd, .events = POLLIN}};
    int64_t left_ms = until_ms - clock_boot_ns() / 1000000;
    int ready;

    do
        ready = poll(bells, COUNT_OF(bells), left_ms > 0 ? (int)left_ms : 0);
    while (ready < 0 && errno == EINTR);
    if (bells[0].revents)
        return true;
    if (bells[1].revents)
        return err_set(err, ERR_CLOSED, "the connection is being closed");
    return err_set(err, ERR_TIMEOUT, "nobody knows %s in time", question->host);
}

struct addrinfo *resolve(const char *host, const char *port, int64_t until_ms,
                         const struct bell *stop, struct err *err)
{
    struct addrinfo *found = NULL;

    if (look_up(host, port, AI_NUMERICHOST, &found) == 0)
        return found;
    struct question *question = question_new(host, port, err);
    if (!question)
        return NULL;
    if (wait_known(question, until_ms, stop, err)) {
        if (question->failure)
            err_set(err, ERR_IO, "%s: %s", host, gai_strerror(question->failure));
        else
            found = TAKE(question->found);
    }
    question_leave(question);
    return found;
}
