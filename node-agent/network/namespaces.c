/* The namespaces of a group. A process keeps one network namespace for each thread, so a short-lived thread makes the
 * new ones (or joins prepared ones), works inside and ends; the mounts in the group's folder keep them. */
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

static const struct {
    const char *name;
    int flag;
} kinds[] = {
    {"net", CLONE_NEWNET},
    {"ipc", CLONE_NEWIPC},
    {"uts", CLONE_NEWUTS},
};

static bool kind_path(const char *folder, size_t kind, char out[NETWORK_PATH_SIZE])
{
    return text_format(out, NETWORK_PATH_SIZE, "%s/%s", folder, kinds[kind].name);
}

static bool kind_mounted(const char *path)
{
    struct statfs found;
    return statfs(path, &found) == 0 && found.f_type == NSFS_MAGIC_NUMBER;
}

bool namespaces_there(const char *folder)
{
    char path[NETWORK_PATH_SIZE];
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!kind_path(folder, i, path) || !kind_mounted(path))
            return false;
    }
    return true;
}

/* ---- inside the thread ---- */

static bool kind_keep(const char *folder, size_t kind, struct err *err)
{
    char path[NETWORK_PATH_SIZE], source[64];
    if (!kind_path(folder, kind, path) ||
        !text_format(source, sizeof source, "/proc/thread-self/ns/%s", kinds[kind].name))
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

static bool spaces_make(const char *folder, struct err *err)
{
    int flags = 0;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        flags |= kinds[i].flag;
    if (unshare(flags) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make namespaces");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!kind_keep(folder, i, err))
            return false;
    }
    settings_write();
    AUTO(netlink) *inside = netlink_open(err);
    return inside && netlink_link_up(inside, "lo", LO_INDEX, err);
}

static bool spaces_join(const char *folder, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!kind_path(folder, i, path))
            return err_set(err, ERR_INVALID, "the folder name %s is too long", folder);
        AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, kinds[i].flag) != 0)
            return err_set_os(err, ERR_IO, errno, "cannot join the namespace at %s", path);
    }
    return true;
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
    bool there =
        plan->make ? spaces_make(plan->folder, job->err) : spaces_join(plan->folder, job->err);
    job->done = there && (!plan->hostname || connect_inside(plan, job->err));
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

bool namespaces_remove(const char *folder, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!kind_path(folder, i, path))
            return err_set(err, ERR_INVALID, "the folder name %s is too long", folder);
        while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
            continue;
        if (errno != EINVAL && errno != ENOENT)
            return err_set_os(err, ERR_IO, errno, "cannot let go of the namespace at %s", path);
    }
    return file_remove_tree(folder, err);
}
