#include "tests/unit/network/place.h"

#include "base/file.h"
#include "base/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { INNER_INDEX = 2, PATIENCE_MS = 2000 };

/* ---- the place ---- */

struct addressing {
    uint32_t address;
};

static bool outside_addressed(void *context)
{
    struct addressing *addressing = context;
    struct err err;
    AUTO(netlink) *inside = netlink_open(&err);
    return inside && netlink_link_up(inside, "eth0", INNER_INDEX, &err) &&
           netlink_address_add(inside, INNER_INDEX, addressing->address, 24, &err);
}

static bool outside_make(struct place *place, struct err *err)
{
    char folder[80];
    struct addressing addressing;
    uint32_t ours;
    text_format(folder, sizeof folder, "%s/outside", place->folder);
    text_format(place->outside, sizeof place->outside, "%s/net", folder);
    struct namespaces_plan plan = {.folder = folder, .make = true};
    if (!file_make_folders(folder, 0755, err) || !namespaces_work(&plan, err))
        return false;
    AUTO(netlink) *netlink = netlink_open(err);
    AUTO_CLOSE int netns = open(place->outside, O_RDONLY | O_CLOEXEC);
    struct pair_plan pair = {.name = "up0",
                             .inner_name = "eth0",
                             .inner_index = INNER_INDEX,
                             .inner_netns = netns,
                             .mtu = 1400,
                             .inner_mac = {2, 0, 0, 0, 0, 9},
                             .outer_mac = {2, 0, 0, 0, 0, 8}};
    if (!netlink || !address_parse(NODE_OUTSIDE, &ours) ||
        !address_parse(OUTSIDE, &addressing.address) || !netlink_pair_create(netlink, &pair, err) ||
        !netlink_link_up(netlink, "up0", 0, err) ||
        !netlink_address_add(netlink, (int)if_nametoindex("up0"), ours, 24, err) ||
        !place_inside(place->outside, NULL, outside_addressed, &addressing))
        return false;
    return netlink_route_default(netlink, (int)if_nametoindex("up0"), addressing.address, err);
}

bool place_new(struct place *place, struct err *err)
{
    text_copy(place->folder, sizeof place->folder, "/tmp/berth-network-XXXXXX");
    if (!mkdtemp(place->folder) || unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", place->folder, "tmpfs", 0, "mode=0755") != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make a place for the test (it needs root)");
    setting_try("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
    setting_try("/proc/sys/net/ipv4/ip_forward",
                "0"); /* a new namespace takes it from the machine's first */
    AUTO(netlink) *netlink = netlink_open(err);
    return netlink && netlink_link_up(netlink, "lo", 1, err) && outside_make(place, err);
}

bool place_free(struct place *place, struct err *err)
{
    char folder[80];
    text_format(folder, sizeof folder, "%s/outside", place->folder);
    if (!namespaces_remove(folder, err))
        return false;
    if (umount2(place->folder, MNT_DETACH) != 0 || rmdir(place->folder) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot remove the test's place");
    return true;
}

/* ---- looking from inside ---- */

struct visit {
    const char *net, *uts;
    bool (*work)(void *context);
    void *context;
    bool done;
};

static bool enter(const char *path, int kind)
{
    if (!path)
        return true;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && setns(fd, kind) == 0;
}

static void *visit_run(void *context)
{
    struct visit *visit = context;
    visit->done = enter(visit->net, CLONE_NEWNET) && enter(visit->uts, CLONE_NEWUTS) &&
                  visit->work(visit->context);
    return NULL;
}

bool place_inside(const char *net, const char *uts, bool (*work)(void *context), void *context)
{
    struct visit visit = {net, uts, work, context, false};
    pthread_t thread;
    struct err err;
    if (!thread_start(&thread, "visit", visit_run, &visit, &err))
        return false;
    pthread_join(thread, NULL);
    return visit.done;
}

struct wish {
    int type, protocol, fd;
};

static bool socket_open(void *context)
{
    struct wish *wish = context;
    wish->fd = socket(AF_INET, wish->type | SOCK_CLOEXEC, wish->protocol);
    return wish->fd >= 0;
}

int place_socket(const char *net, int type, int protocol)
{
    struct wish wish = {type, protocol, -1};
    return place_inside(net, NULL, socket_open, &wish) ? wish.fd : -1;
}

static struct sockaddr_in endpoint(const char *address, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    CHECK(inet_pton(AF_INET, address, &to.sin_addr) == 1);
    return to;
}

static bool ready(int fd, short events, int patience_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    return poll(&poll_fd, 1, patience_ms) == 1;
}

int place_listen(const char *net, const char *address, uint16_t port)
{
    struct sockaddr_in at = endpoint(address, port);
    AUTO_CLOSE int fd = place_socket(net, SOCK_STREAM, 0);
    int yes = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 8) != 0)
        return -1;
    return TAKE_FD(fd);
}

int place_connect_from(const char *net, const char *from, const char *address, uint16_t port,
                       int patience_ms)
{
    struct sockaddr_in to = endpoint(address, port), at = endpoint(from, 0);
    AUTO_CLOSE int fd = place_socket(net, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int failed = 0;
    socklen_t size = sizeof failed;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        return -1;
    if (!ready(fd, POLLOUT, patience_ms) ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0 || failed) {
        errno = failed;
        return -1;
    }
    return TAKE_FD(fd);
}

int place_connect(const char *net, const char *address, uint16_t port, int patience_ms)
{
    return place_connect_from(net, "0.0.0.0", address, port, patience_ms);
}

/* A socket belongs to the file system's user of the thread that makes it. */
int place_connect_as(uid_t user, const char *address, uint16_t port, int patience_ms)
{
    struct sockaddr_in to = endpoint(address, port);
    struct timeval patience = {.tv_usec = patience_ms * 1000};
    setfsuid(user);
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setfsuid(0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        return -1;
    return TAKE_FD(fd);
}

bool place_datagram(const char *from, const char *to, const char *address, uint16_t port)
{
    return place_datagram_under(from, "0.0.0.0", to, address, port);
}

bool place_datagram_under(const char *from, const char *source, const char *to, const char *address,
                          uint16_t port)
{
    struct sockaddr_in at = endpoint(address, port), own = endpoint(source, 0);
    AUTO_CLOSE int server = place_socket(to, SOCK_DGRAM, 0);
    AUTO_CLOSE int client = place_socket(from, SOCK_DGRAM, 0);
    char byte = 'x';
    return server >= 0 && client >= 0 && bind(server, (struct sockaddr *)&at, sizeof at) == 0 &&
           bind(client, (struct sockaddr *)&own, sizeof own) == 0 &&
           sendto(client, &byte, 1, 0, (struct sockaddr *)&at, sizeof at) == 1 &&
           ready(server, POLLIN, 300) && recv(server, &byte, 1, 0) == 1;
}

static bool ip_run(void *context)
{
    const char *words[16] = {"ip"};
    char copy[200], *rest = copy;
    struct process process = {.argv = words};
    struct process_result result;
    struct err err;
    text_copy(copy, sizeof copy, context);
    for (size_t i = 1; rest && i < COUNT_OF(words) - 1; i++)
        words[i] = strsep(&rest, " ");
    return process_run(&process, NULL, NULL, &result, &err) && result.exit_code == 0;
}

bool place_ip(const char *net, const char *words)
{
    char copy[200];
    text_copy(copy, sizeof copy, words);
    return place_inside(net, NULL, ip_run, copy);
}

bool place_accept(int listener, char peer[NETWORK_ADDRESS_SIZE])
{
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    if (!ready(listener, POLLIN, PATIENCE_MS))
        return false;
    AUTO_CLOSE int fd = accept4(listener, (struct sockaddr *)&from, &size, SOCK_CLOEXEC);
    return fd >= 0 && inet_ntop(AF_INET, &from.sin_addr, peer, NETWORK_ADDRESS_SIZE);
}

bool place_ping(const char *net, const char *address)
{
    struct sockaddr_in to = endpoint(address, 0);
    struct icmphdr echo = {.type = ICMP_ECHO, .un.echo.sequence = htons(1)}, answer;
    AUTO_CLOSE int fd = place_socket(net, SOCK_DGRAM, IPPROTO_ICMP);
    return fd >= 0 &&
           sendto(fd, &echo, sizeof echo, 0, (struct sockaddr *)&to, sizeof to) == sizeof echo &&
           ready(fd, POLLIN, PATIENCE_MS) && recv(fd, &answer, sizeof answer, 0) == sizeof answer &&
           answer.type == ICMP_ECHOREPLY;
}

struct wanted_address {
    uint32_t address;
    bool found;
};

static void address_look(int index UNUSED, uint32_t address, int prefix UNUSED, void *context)
{
    struct wanted_address *wanted = context;
    wanted->found |= address == wanted->address;
}

bool place_has_address(const char *address)
{
    struct err err;
    struct wanted_address wanted = {0};
    AUTO(netlink) *netlink = netlink_open(&err);
    return netlink && address_parse(address, &wanted.address) &&
           netlink_addresses(netlink, address_look, &wanted, &err) && wanted.found;
}

static void count_one(const struct link_info *link, void *context)
{
    int *count = context;
    *count += link->index > 0;
}

int place_count_links(void)
{
    int count = 0;
    struct err err;
    AUTO(netlink) *netlink = netlink_open(&err);
    return netlink && netlink_links(netlink, count_one, &count, &err) ? count : -1;
}

int place_count_mounts(void)
{
    AUTO_FREE char *content = NULL;
    size_t size;
    struct err err;
    int count = 0;
    if (!file_read("/proc/self/mountinfo", 1 << 22, &content, &size, &err))
        return -1;
    for (const char *c = content; *c; c++)
        count += *c == '\n';
    return count;
}
