/* A listening TCP socket.   Owner: the caller closes it. */
#ifndef API_SOCKET_H
#define API_SOCKET_H

#include "base/err.h"

/* -1 on failure. `port` 0: any free one; `bound` gets the one in use. */
int socket_listen(const char *address, int port, int *bound, struct err *err) MUST_CHECK;

#endif
