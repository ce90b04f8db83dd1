/* Containers whose end is awaited: one descriptor for the main loop's poll, readable when any of
 * the watched processes has ended. A name is watched once; adding it again replaces what was
 * watched.
 * Threads: any.   Owner: watch_done(). */
#ifndef NODE_AGENT_RUNTIME_WATCH_H
#define NODE_AGENT_RUNTIME_WATCH_H

#include "base/thread.h"
#include "node-agent/runtime/runtime.h"

struct watched;

struct watch {
    struct lock lock;
    int epoll_fd;
    struct watched *items;
    size_t count, capacity;
    uint64_t last_key;
};

bool watch_init(struct watch *watch, struct err *err) MUST_CHECK;
void watch_done(struct watch *watch);

/* Takes the process descriptor; -1: it has ended already, so it is told at once. */
bool watch_add(struct watch *watch, const char *uid, const char *name, int process_fd,
               struct err *err) MUST_CHECK;
void watch_remove(struct watch *watch, const char *uid, const char *name);
/* One whose process has ended, and watches it no longer; false when there is none. */
bool watch_next(struct watch *watch, char uid[ID_SIZE], char name[RUNTIME_NAME_SIZE]);

#endif
