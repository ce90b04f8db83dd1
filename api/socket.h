/* Listening TCP sockets.   Owner: the caller closes them. */
#ifndef API_SOCKET_H
#define API_SOCKET_H

#include "base/err.h"

/* -1 on failure. `port` 0: any free one; `bound` gets the one in use. `shared`: others that are, too, may listen there,
 * and the kernel deals the connections out to them all. */
int socket_listen(const char *address, int port, bool shared, int *bound, struct err *err)
    MUST_CHECK;

#endif
