/* A listener inside a group's network namespace, on an address that only the group has. The socket belongs to the
 * namespace it was made in, whoever holds it. */
#include "node-agent/network/inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

enum { BACKLOG = 16, LO_INDEX = 1, WHOLE_ADDRESS = 32 };

struct listening {
    const char *net_path;
    struct in_addr address;
    uint16_t port;
    int fd;
    bool done;
    struct err *err;
};

static bool address_put(const struct listening *listening)
{
    AUTO(netlink) *inside = netlink_open(listening->err);

    return inside && netlink_address_add(inside, LO_INDEX, ntohl(listening->address.s_addr),
                                         WHOLE_ADDRESS, listening->err);
}

static bool socket_open(struct listening *listening)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(listening->port), .sin_addr = listening->address};
    int yes = 1;
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, BACKLOG) != 0)
        return err_set_os(listening->err, ERR_IO, errno, "cannot listen inside the namespace at %s",
                          listening->net_path);
    listening->fd = TAKE_FD(fd);
    return true;
}

static void *listen_run(void *context)
{
    struct listening *listening = context;
    AUTO_CLOSE int net = open(listening->net_path, O_RDONLY | O_CLOEXEC);

    if (net < 0 || setns(net, CLONE_NEWNET) != 0)
        err_set_os(listening->err, ERR_IO, errno, "cannot join the namespace at %s",
                   listening->net_path);
    else
        listening->done = address_put(listening) && socket_open(listening);
    return NULL;
}

bool network_group_listen(struct network *network, const char *uid, const char *address,
                          uint16_t port, int *fd, struct err *err)
{
    struct network_group group;
    struct listening listening = {.port = port, .fd = -1, .err = err};
    pthread_t thread;

    if (!network_group_find(network, uid, &group))
        return err_set(err, ERR_NOT_FOUND, "the group's network is not up");
    listening.net_path = group.net_path;
    if (inet_pton(AF_INET, address, &listening.address) != 1)
        return err_set(err, ERR_INVALID, "'%s' is no IPv4 address", address);
    if (!thread_start(&thread, "listen", listen_run, &listening, err))
        return false;
    CHECK(pthread_join(thread, NULL) == 0);
    *fd = listening.fd;
    return listening.done;
}
