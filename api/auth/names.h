/* The names under which clients reach the server: they stand in its certificate, and a token is
 * taken when it was given for one of them.
 * Threads: constant once made, but for names_make().   Owner: the arena. */
#ifndef API_AUTH_NAMES_H
#define API_AUTH_NAMES_H

#include "api/auth/auth.h"

/* Loopback, the host name, and those of the options; without any twice. */
bool names_make(const struct auth_options *options, struct arena *arena, struct text_list *names,
                struct err *err) MUST_CHECK;
bool names_hold(const struct text_list *names, const char *name);
/* Whether a token for that audience is for this server: the URL of one of its names, or what clients
 * of the public cloud ask for. */
bool names_hold_audience(const struct text_list *names, const char *audience);
/* The host of "https://host:port/…", without the brackets of IPv6. */
bool url_host(const char *url, char *out, size_t size);
bool name_is_address(const char *name);

#endif
