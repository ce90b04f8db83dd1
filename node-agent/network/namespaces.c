/* The namespaces of a group. A process keeps one network namespace for each thread, so a short-lived thread makes the
 * new ones (or joins prepared ones, or those that belong to other users: users.c), works inside and ends; the mounts in
 * the group's folder keep them. */
#include "node-agent/network/inside.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum { LO_INDEX = 1, INNER_INDEX = 2, NSFS_MAGIC_NUMBER = 0x6e736673 };

/* A group has no neighbours but the node: all that leaves it is routed, and so passes the packet rules. */
enum { ADDRESS_PREFIX = 32 };

const struct namespace_kind namespace_kinds[NAMESPACE_KINDS] = {
    [NAMESPACE_USER] = {"user", CLONE_NEWUSER},
    [NAMESPACE_NET] = {"net", CLONE_NEWNET},
    [NAMESPACE_IPC] = {"ipc", CLONE_NEWIPC},
    [NAMESPACE_UTS] = {"uts", CLONE_NEWUTS},
};

static bool kind_path(const char *folder, size_t kind, char out[NETWORK_PATH_SIZE])
{
    return text_format(out, NETWORK_PATH_SIZE, "%s/%s", folder, namespace_kinds[kind].name);
}

static bool kind_mounted(const char *path)
{
    struct statfs found;
    return statfs(path, &found) == 0 && found.f_type == NSFS_MAGIC_NUMBER;
}

static bool kind_there(const char *folder, size_t kind)
{
    char path[NETWORK_PATH_SIZE];
    return kind_path(folder, kind, path) && kind_mounted(path);
}

bool namespaces_users_there(const char *folder)
{
    uint32_t first;
    return users_read(folder, &first) && kind_there(folder, NAMESPACE_USER);
}

bool namespaces_there(const char *folder)
{
    uint32_t first;
    bool there = !users_read(folder, &first) || kind_there(folder, NAMESPACE_USER);
    for (size_t i = NAMESPACE_NET; there && i < NAMESPACE_KINDS; i++)
        there = kind_there(folder, i);
    return there;
}

/* ---- inside the thread ---- */

static bool kind_keep(const char *folder, size_t kind, const char *source, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    if (!kind_path(folder, kind, path))
        return err_set(err, ERR_INVALID, "the folder name %s is too long", folder);
    AUTO_CLOSE int fd = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0400);
    if (fd < 0 || mount(source, path, NULL, MS_BIND, NULL) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot keep a namespace at %s", path);
    return true;
}

/* IPv4 alone; any user of a container may take any port and may ping. */
static void settings_write(void)
{
    setting_try("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    setting_try("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
    setting_try("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
}

static bool settle_in(struct err *err)
{
    settings_write();
    AUTO(netlink) *inside = netlink_open(err);
    return inside && netlink_link_up(inside, "lo", LO_INDEX, err);
}

static bool make_ours(const char *folder, struct err *err)
{
    char source[64];
    if (unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make namespaces");
    for (size_t i = NAMESPACE_NET; i < NAMESPACE_KINDS; i++) {
        text_format(source, sizeof source, "/proc/thread-self/ns/%s", namespace_kinds[i].name);
        if (!kind_keep(folder, i, source, err))
            return false;
    }
    return settle_in(err);
}

/* Their users were kept when only the rest had to be made again. */
static bool keep_theirs(const char *folder, const int *fds, bool users_kept, struct err *err)
{
    char source[64];
    for (size_t i = users_kept ? NAMESPACE_NET : NAMESPACE_USER; i < NAMESPACE_KINDS; i++) {
        text_format(source, sizeof source, "/proc/thread-self/fd/%d", fds[i]);
        if (!kind_keep(folder, i, source, err))
            return false;
    }
    for (size_t i = NAMESPACE_NET; i < NAMESPACE_KINDS; i++) {
        if (setns(fds[i], namespace_kinds[i].flag) != 0)
            return err_set_os(err, ERR_IO, errno, "cannot join a new namespace");
    }
    return settle_in(err);
}

static bool make_theirs(const char *folder, uint32_t users_first, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    int fds[NAMESPACE_KINDS] = {-1, -1, -1, -1};
    bool kept = kind_there(folder, NAMESPACE_USER) && kind_path(folder, NAMESPACE_USER, path);
    AUTO_CLOSE int users = kept ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool made = (kept ? users >= 0 : users_write(folder, users_first, err)) &&
                users_bear(users_first, users, fds, err) && keep_theirs(folder, fds, kept, err);
    for (size_t i = 0; i < NAMESPACE_KINDS; i++)
        auto_close_fd(&fds[i]);
    return made;
}

static bool join(const char *folder, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    for (size_t i = NAMESPACE_NET; i < NAMESPACE_KINDS; i++) {
        if (!kind_path(folder, i, path))
            return err_set(err, ERR_INVALID, "the folder name %s is too long", folder);
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, namespace_kinds[i].flag) != 0)
            return err_set_os(err, ERR_IO, errno, "cannot join the namespace at %s", path);
    }
    return true;
}

static bool be_inside(const struct namespaces_plan *plan, struct err *err)
{
    if (!plan->make)
        return join(plan->folder, err);
    return plan->users_first ? make_theirs(plan->folder, plan->users_first, err)
                             : make_ours(plan->folder, err);
}

/* A link of this name without a finished group is what a crash left: it goes. */
static bool pair_create(const struct namespaces_plan *plan, const struct pair_plan *pair,
                        struct err *err)
{
    struct err why;
    if (netlink_pair_create(plan->outside, pair, &why))
        return true;
    if (why.code == ERR_CONFLICT)
        return netlink_link_delete(plan->outside, plan->link, err) &&
               netlink_pair_create(plan->outside, pair, err);
    *err = why;
    return false;
}

/* Up before the inner end, which then sends from its first moment. */
static bool outer_up(const struct namespaces_plan *plan, struct err *err)
{
    return netlink_link_up(plan->outside, plan->link, 0, err);
}

static bool connect_inside(const struct namespaces_plan *plan, struct err *err)
{
    AUTO_CLOSE int netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    struct pair_plan pair = {.name = plan->link,
                             .inner_name = "eth0",
                             .inner_index = INNER_INDEX,
                             .inner_netns = netns,
                             .mtu = plan->mtu};
    address_mac(plan->address, pair.inner_mac);
    address_mac(plan->gateway, pair.outer_mac);
    if (netns < 0 || sethostname(plan->hostname, strlen(plan->hostname)) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot name the namespaces");
    AUTO(netlink) *inside = netlink_open(err);
    return inside && pair_create(plan, &pair, err) && outer_up(plan, err) &&
           netlink_link_up(inside, pair.inner_name, INNER_INDEX, err) &&
           netlink_address_add(inside, INNER_INDEX, plan->address, ADDRESS_PREFIX, err) &&
           netlink_neighbour_set(inside, INNER_INDEX, plan->gateway, pair.outer_mac, err) &&
           netlink_route_default(inside, INNER_INDEX, plan->gateway, err);
}

struct job {
    const struct namespaces_plan *plan;
    struct err *err;
    bool done;
};

static void *job_run(void *context)
{
    struct job *job = context;
    const struct namespaces_plan *plan = job->plan;
    job->done = be_inside(plan, job->err) && (!plan->hostname || connect_inside(plan, job->err));
    return NULL;
}

bool namespaces_work(const struct namespaces_plan *plan, struct err *err)
{
    struct job job = {.plan = plan, .err = err};
    pthread_t thread;
    if (!thread_start(&thread, "namespaces", job_run, &job, err))
        return false;
    CHECK(pthread_join(thread, NULL) == 0);
    return job.done;
}

/* ---- removing ---- */

static bool kind_remove(const char *folder, size_t kind, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    if (!kind_path(folder, kind, path))
        return err_set(err, ERR_INVALID, "the folder name %s is too long", folder);
    while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        continue;
    if (errno != EINVAL && errno != ENOENT)
        return err_set_os(err, ERR_IO, errno, "cannot let go of the namespace at %s", path);
    return true;
}

bool namespaces_remove(const char *folder, struct err *err)
{
    for (size_t i = 0; i < NAMESPACE_KINDS; i++) {
        if (!kind_remove(folder, i, err))
            return false;
    }
    return file_remove_tree(folder, err);
}

bool namespaces_strip(const char *folder, struct err *err)
{
    static const char *const files[] = {"address", "net",      "ipc",         "uts",
                                        "hosts",   "hostname", "resolv.conf", "rules"};
    char path[NETWORK_PATH_SIZE];
    for (size_t i = NAMESPACE_NET; i < NAMESPACE_KINDS; i++) {
        if (!kind_remove(folder, i, err))
            return false;
    }
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        if (!text_format(path, sizeof path, "%s/%s", folder, files[i]) ||
            !file_remove_tree(path, err))
            return false;
    }
    return true;
}
