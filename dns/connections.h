/* Questions over TCP. A connection asks as often as it wants, one question at a time:
 *
 *     size, query ─▶ answer ─▶ sent ─┐
 *     ▲──────────────────────────────┘
 *
 * Not for: UDP, which keeps nothing (server.c).   Threads: one. */
#ifndef DNS_CONNECTIONS_H
#define DNS_CONNECTIONS_H

#include "base/limits.h"
#include "dns/answer.h"

enum { SIZE_BYTES = 2 }; /* the size goes ahead of each message */

struct connection {
    int fd; /* -1: free */
    int64_t until_ns;
    size_t in_size, out_size, out_sent;
    uint8_t in[SIZE_BYTES + QUERY_SIZE_MAX], out[SIZE_BYTES + ANSWER_SIZE_MAX];
};

/* The size of what was written to `out`; 0: there is no answer, and no more to say. */
typedef size_t (*connection_answer)(void *context, const uint8_t *query, size_t size, uint8_t *out);

struct connections {
    int epoll; /* not its own; the data of its events are connections */
    connection_answer answer;
    void *context;
    struct connection all[LIMIT_DNS_CONNECTIONS_MAX];
};

void connections_init(struct connections *connections, connection_answer answer, void *context);
void connections_done(struct connections *connections);
void connections_accept(struct connections *connections, int listener);
void connections_serve(struct connections *connections, struct connection *connection);
void connections_close_silent(struct connections *connections);

#endif
