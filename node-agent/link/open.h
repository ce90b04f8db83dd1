/* A connection to the plane: its name looked up, its addresses tried one after another, its certificate checked.
 * Threads: any; blocks until `until_ms` (clock_boot_ns() / 10^6) or until the bell rings. */
#ifndef LINK_OPEN_H
#define LINK_OPEN_H

#include "base/thread.h"
#include "node-agent/http/http.h"

/* NULL with why, which names the URL: ERR_NODE_AWAY; ERR_CLOSED: the bell. */
struct wire *open_wire(const char *text, const struct http_url *url, const char *ca_file,
                       int64_t until_ms, const struct bell *stop, struct err *err) MUST_CHECK;

/* Until the wire can go on. False: ERR_TIMEOUT or ERR_CLOSED. */
bool open_wait(const struct wire *wire, int64_t until_ms, const struct bell *stop, struct err *err)
    MUST_CHECK;

int64_t open_now_ms(void);

#endif
