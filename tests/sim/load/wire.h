/* HTTP/1.1 by hand on a non-blocking socket that stays open: one request, one answer, many of them in one thread.
 * libcurl costs more for each request than the plane does, and the generator shares the plane's cores.
 *
 * Not for: programs that are shipped.   Threads: one.   Owner: wire_done(). */
#ifndef TESTS_SIM_LOAD_WIRE_H
#define TESTS_SIM_LOAD_WIRE_H

#include "base/err.h"
#include "base/text.h"

#include <netinet/in.h>

struct wire {
    int fd;
    struct text *out, *in;
    size_t sent;
    bool busy; /* a request is on its way or its answer is awaited */
    int64_t begun_ns;
    void *owner;
};

enum wire_outcome { WIRE_WAITS, WIRE_ANSWERED, WIRE_BROKEN };

bool wire_init(struct wire *wire, void *owner);
void wire_done(struct wire *wire);
void wire_close(struct wire *wire);
/* Queues one request on the connection, which is opened when it is not. The epoll set gets the socket, edge-triggered,
 * with `wire` as its data. */
bool wire_send(struct wire *wire, int epoll_fd, const struct sockaddr_in *to, const char *method,
               const char *path, const char *headers, const char *body, size_t body_size);
/* After an event: answered once the whole answer is in; status and body point into `in` until the next request. */
enum wire_outcome wire_move(struct wire *wire, int *status, const char **body, size_t *body_size);

#endif
