/* What the files of this room share: the server that answers and the updater that tells.
 * Not for: other rooms.   Threads: each part belongs to its own thread while that runs. */
#ifndef DNS_ROOM_H
#define DNS_ROOM_H

#include "base/thread.h"
#include "dns/dns.h"

#include <stdatomic.h>

/* server.c: listens when it is made, answers when it is started. */
struct server;
struct server *server_new(const struct dns_options *options, struct err *err) MUST_CHECK;
bool server_start(struct server *server, struct err *err) MUST_CHECK;
int server_port(const struct server *server);
void server_stop(struct server *server); /* NULL is fine */
void server_free(struct server *server);
AUTO_TYPE(server);

/* update.c */
struct updater;
struct updater *updater_new(const struct dns_options *options, struct err *err) MUST_CHECK;
bool updater_start(struct updater *updater, struct err *err) MUST_CHECK;
void updater_wake(struct updater *updater); /* any thread: a name changed */
void updater_stop(struct updater *updater); /* NULL is fine */
void updater_free(struct updater *updater);
AUTO_TYPE(updater);

#endif
