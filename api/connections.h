/* The open connections, so that none is held for ever by a client that sends a byte now and then:
 * each must bring a whole request, and take the whole reply, within LIMIT_HTTP_REQUEST_TIMEOUT_S.
 * (One that sends and takes nothing at all is closed earlier, after LIMIT_HTTP_IDLE_TIMEOUT_S.)
 * Threads: any.
 * Owner: connections_free(). */
#ifndef API_CONNECTIONS_H
#define API_CONNECTIONS_H

#include "base/err.h"

#include <stdint.h>

struct connections;
struct connection;
struct tls_sender;

struct connections *connections_new(struct err *err) MUST_CHECK;
void connections_free(struct connections *connections);

/* NULL when there is no memory: that connection is then not watched. */
struct connection *connections_add(struct connections *connections, int fd);
void connections_remove(struct connections *connections, struct connection *connection);
/* A whole request is there; the time is the server's now. And its reply has gone. */
void connections_ready(struct connection *connection);
void connections_idle(struct connection *connection);
/* How its bytes go out over TLS; NULL for NULL. */
struct tls_sender *connections_sender(struct connection *connection);
/* Cuts off those that are late; returns how many are open. */
int64_t connections_sweep(struct connections *connections, int64_t now_ns);

#endif
