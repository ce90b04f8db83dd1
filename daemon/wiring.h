/* berthd put together: store, scheduler, api and sweeper, begun in this order and ended in the reverse one.
 *
 *   api ──▶ store ◀── scheduler        they meet in the store; what the api asks the scheduler
 *    └───── hooks ───────▲             (room, leases) goes through hooks that this file hands out
 *
 * Threads: one.   Owner: wiring_stop(), which takes a NULL. */
#ifndef DAEMON_WIRING_H
#define DAEMON_WIRING_H

#include "daemon/config.h"
#include "daemon/tokens.h"

struct wiring;

/* Begins everything; when it returns, requests are answered. The configuration and the tokens are copied where they
 * are needed for longer. */
struct wiring *wiring_start(const struct config *config, const struct tokens *tokens,
                            struct err *err) MUST_CHECK;
/* Takes over what may change while it runs. On failure nothing has changed. */
bool wiring_reload(struct wiring *wiring, const struct config *config, const struct tokens *tokens,
                   struct err *err) MUST_CHECK;
/* Finishes what was accepted. */
void wiring_stop(struct wiring *wiring);

int wiring_port(const struct wiring *wiring);
int wiring_dns_port(const struct wiring *wiring); /* 0: it answers no questions about its zone */

#endif
