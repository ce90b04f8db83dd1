#include "api/socket.h"

#include "base/text.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { BACKLOG = 1024 };

static int bound_port(int fd)
{
    union {
        struct sockaddr_in6 six; /* the largest */
        struct sockaddr_in four;
        struct sockaddr any;
    } address = {0};
    socklen_t size = sizeof address;

    if (getsockname(fd, &address.any, &size) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.six.sin6_port : address.four.sin_port);
}

static bool bind_and_listen(int fd, const struct addrinfo *at, bool shared)
{
    int yes = 1;

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
           (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0) &&
           bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
}

int socket_listen(const char *address, int port, bool shared, int *bound, struct err *err)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    struct addrinfo *found = NULL;
    char service[16];

    if (port < 0 || port > 65535) {
        err_set(err, ERR_INVALID, "%d is no port", port);
        return -1;
    }
    (void)text_format(service, sizeof service, "%d", port);
    if (getaddrinfo(address, service, &hints, &found) != 0) {
        err_set(err, ERR_INVALID, "'%.60s' is no IP address to listen on", address);
        return -1;
    }
    AUTO_CLOSE int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool listening = fd >= 0 && bind_and_listen(fd, found, shared);
    int os_errno = errno;
    freeaddrinfo(found);
    if (!listening) {
        err_set_os(err, ERR_IO, os_errno, "cannot listen on %s port %d", address, port);
        return -1;
    }
    *bound = bound_port(fd);
    return TAKE_FD(fd);
}
