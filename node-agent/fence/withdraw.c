/* rtnetlink by hand: berth-fence is linked to libc alone. What fails is tried again with the fence's next start at the latest;
 * nobody is there to be told. */
#include "node-agent/fence/withdraw.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { FOLDER_BYTES = 2048, ANSWER_BYTES = 16384, PATIENCE_S = 1, OWN_PREFIX = 32 };

struct asked {
    struct nlmsghdr header;
    struct ifaddrmsg about;
    struct rtattr attribute;
    struct in_addr address;
};

static int netlink_open(void)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static bool ask(int fd, struct asked *asked, int type, int flags, size_t size)
{
    asked->header.nlmsg_type = (uint16_t)type;
    asked->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    asked->header.nlmsg_len = (uint32_t)size;
    asked->about.ifa_family = AF_INET;
    return send(fd, asked, size, 0) == (ssize_t)size;
}

/* The macros for attributes do not mind signs; the compiler does. */
static bool is_own(const struct nlmsghdr *message, struct in_addr address)
{
    const struct ifaddrmsg *about = NLMSG_DATA(message);
    const struct rtattr *attribute;
    const char *bytes = (const char *)message;
    for (size_t at = NLMSG_SPACE(sizeof *about); at + sizeof *attribute <= message->nlmsg_len;
         at += RTA_ALIGN(attribute->rta_len)) {
        attribute = (const struct rtattr *)(const void *)(bytes + at);
        if (attribute->rta_len < sizeof *attribute)
            return false;
        if (attribute->rta_type == IFA_LOCAL)
            return about->ifa_prefixlen == OWN_PREFIX &&
                   memcmp(RTA_DATA(attribute), &address, sizeof address) == 0;
    }
    return false;
}

/* Of one answer: the link that has the address, where it is among them. False: there are no more. */
static bool answer_read(const char *answer, ssize_t size, struct in_addr address, int *link)
{
    const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)answer;
    for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
        if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
            return false;
        if (message->nlmsg_type == RTM_NEWADDR && is_own(message, address))
            *link = (int)((const struct ifaddrmsg *)NLMSG_DATA(message))->ifa_index;
    }
    return true;
}

/* 0: none has it. */
static int link_of(int fd, struct in_addr address)
{
    static _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    struct asked asked = {0};
    int link = 0;
    if (!ask(fd, &asked, RTM_GETADDR, NLM_F_DUMP, NLMSG_LENGTH(sizeof asked.about)))
        return 0;
    for (ssize_t size; (size = recv(fd, answer, sizeof answer, 0)) > 0;) {
        if (!answer_read(answer, size, address, &link))
            break;
    }
    return link;
}

/* The kernel does it while it is told: its answer need not be waited for. */
static void take_off(struct in_addr address)
{
    int fd = netlink_open();
    if (fd < 0)
        return;
    struct asked asked = {
        .attribute = {.rta_type = IFA_LOCAL, .rta_len = RTA_LENGTH(sizeof address)},
        .address = address};
    asked.about.ifa_index = (uint32_t)link_of(fd, address);
    asked.about.ifa_prefixlen = OWN_PREFIX;
    if (asked.about.ifa_index != 0)
        ask(fd, &asked, RTM_DELADDR, 0, sizeof asked);
    close(fd);
}

struct entry { /* as getdents64 tells it */
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static void entry_withdraw(int folder, const char *name)
{
    struct in_addr address;
    if (inet_pton(AF_INET, name, &address) != 1)
        return;
    unlinkat(folder, name, 0);
    take_off(address);
}

void withdraw(const char *folder)
{
    _Alignas(struct entry) char bytes[FOLDER_BYTES];
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (long size; (size = syscall(SYS_getdents64, fd, bytes, sizeof bytes)) > 0;) {
        for (long at = 0; at < size;) {
            const struct entry *entry = (const struct entry *)(const void *)(bytes + at);
            entry_withdraw(fd, entry->name);
            at += entry->size;
        }
    }
    close(fd);
}
