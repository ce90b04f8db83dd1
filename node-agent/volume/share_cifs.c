/* A share by the kernel's own client. mount(2) takes the options itself, so that no program sees the key; the kernel
 * does not show it in /proc/mounts. It must be told the server's address as a number. */
#include "base/file.h"
#include "base/limits.h"
#include "node-agent/volume/inside.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>

enum { FILESYSTEMS_MAX = 64 << 10, OPTIONS_SIZE = 3000 };

static bool kernel_knows_cifs(void)
{
    AUTO_FREE char *list = NULL;
    struct err ignored = {0};
    size_t size;

    return file_read("/proc/filesystems", FILESYSTEMS_MAX, &list, &size, &ignored) &&
           strstr(list, "\tcifs\n") != NULL;
}

bool share_cifs_is_here(void)
{
    const char *argv[] = {"modprobe", "-q", "cifs", NULL};
    struct process modprobe = {.argv = argv, .timeout_ms = LIMIT_VOLUME_MOUNT_MS};
    struct process_result result;
    struct err ignored = {0};

    if (kernel_knows_cifs())
        return true;
    return process_run(&modprobe, NULL, NULL, &result, &ignored) && result.exit_code == 0 &&
           kernel_knows_cifs();
}

/* The kernel would wait for long: a server that cannot be reached is found here, within a ceiling. */
static int connect_within(const struct addrinfo *address, const struct volume_group *group)
{
    AUTO_CLOSE int fd =
        socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    struct pollfd ready[2] = {{.fd = fd, .events = POLLOUT},
                              {.fd = group->cancel_fd, .events = POLLIN}};
    int failed = 0;
    socklen_t size = sizeof failed;

    if (fd < 0)
        return errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    if (poll(ready, 2, (int)LIMIT_VOLUME_MOUNT_MS) <= 0 || !ready[0].revents)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0 ? failed : errno;
}

static bool find_address(const struct making *making, const struct share *share, char *out,
                         socklen_t size, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int failed = getaddrinfo(share->host, share->port, &hints, &found);

    if (failed != 0)
        return share_refused(share, 0, gai_strerror(failed), err);
    failed = connect_within(found, making->group);
    bool named =
        getnameinfo(found->ai_addr, found->ai_addrlen, out, size, NULL, 0, NI_NUMERICHOST) == 0;
    freeaddrinfo(found);
    return failed == 0 && named ? true : share_refused(share, failed, strerror(failed), err);
}

enum made share_cifs_make(const struct making *making, const struct share *share, struct err *err)
{
    char options[OPTIONS_SIZE], address[256], source[600];
    uint32_t owner = making->group->users.first;
    unsigned long flags = MS_NOSUID | MS_NODEV | (share->read_only ? MS_RDONLY : 0);

    if (!find_address(making, share, address, sizeof address, err))
        return MADE_NOT;
    if (strpbrk(share->key, ", \t\r\n") ||
        !text_format(options, sizeof options,
                     "ip=%s,port=%s,user=%s,pass=%s,vers=3.0,uid=%u,gid=%u,forceuid,forcegid,"
                     "file_mode=0777,dir_mode=0777,soft,nostrictsync,serverino,mfsymlinks",
                     address, share->port, share->account, share->key, owner, owner)) {
        err_set(err, ERR_VOLUME, "share '%s': the account's key is no key", share->path);
        return MADE_NOT;
    }
    text_format(source, sizeof source, "//%s/%s", share->host, share->name);
    bool mounted = mount(source, making->data, "cifs", flags, options) == 0;
    int failed = errno;
    explicit_bzero(options, sizeof options);
    if (mounted)
        return MADE_MOUNT;
    share_refused(share, failed, strerror(failed), err);
    return MADE_NOT;
}
