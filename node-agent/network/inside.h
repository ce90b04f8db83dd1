/* What the files of this room share. Not for other rooms.
 *
 *     <run_dir>/network/ip_forward   "0" or "1": the node's setting before the first open
 *     <run_dir>/network/range        the range the bridge was made for
 *     <run_dir>/network/next         the address given last
 *     <run_dir>/network/public/      a file for each public address that we have put on a link, named as it
 *     <run_dir>/ns/<uid>/            net ipc uts (mounts of the namespaces), hosts, hostname, resolv.conf, and
 *                                    rules, what the packet rules were told of it; address, written last: without
 *                                    it the group is half made
 *                                    user (the namespace that those belong to) and users, its first id on the node,
 *                                    written first; neither: they belong to the node's users
 *     <run_dir>/ns/.spare-<id>/      the namespaces made in advance; ".new-<id>" until they are complete */
#ifndef NODE_AGENT_NETWORK_INSIDE_H
#define NODE_AGENT_NETWORK_INSIDE_H

#include "node-agent/network/elements.h"
#include "node-agent/network/netlink.h"
#include "node-agent/network/network.h"
#include "node-agent/network/range.h"

#include "base/fields.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/thread.h"

#include <stdatomic.h>

enum {
    NETWORK_TABLE_SIZE = 64,
    NETWORK_RANGE_SIZE = 20,
    NETWORK_HOSTNAME_MAX = 63,
    NETWORK_RUN_DIR_MAX = 128,
    GROUP_PORTS_MAX = 2 * (int)LIMIT_ADDRESS_PORTS_MAX /* both protocols */
};

/* Ranges of user ids, of LIMIT_GROUP_USERS each. */
struct users {
    uint32_t first; /* 0: groups have the node's own */
    uint32_t count, next;
    bool *taken;
};

struct network {
    char bridge[NETWORK_LINK_SIZE], table[NETWORK_TABLE_SIZE], range_text[NETWORK_RANGE_SIZE];
    char run_dir[NETWORK_RUN_DIR_MAX + 1];
    char public_link[NETWORK_LINK_SIZE]; /* empty: none */
    uint32_t public_address;             /* 0: none */
    bool nat;
    struct text_list outbound, outbound_closed_ports; /* the caller's: read while opening */
    int bridge_index, mtu;
    struct lock lock; /* guards what follows */
    struct range range;
    struct users users;
    struct netlink *counters;  /* kept open: asked for each group each second */
    struct watch *watch;       /* the ticking worker's alone */
    struct elements *elements; /* kept open: closing one waits for what it has dropped to be gone */
    _Atomic bool look_due;     /* the sets may hold what no file tells of */
};

/* ---- small files of the run folder (paths.c) ---- */

bool network_path(const struct network *network, char out[NETWORK_PATH_SIZE], const char *name);
void group_path(const struct network *network, const char *uid, const char *name,
                char out[NETWORK_PATH_SIZE]);
bool uid_valid(const char *uid);
/* The node's end of the pair. Two agents on one machine may both know a group: the bridge is part of it. */
void link_name(const char *bridge, const char *uid, char out[NETWORK_LINK_SIZE]);
/* One line without its end; false when there is no such file or it does not fit. */
bool line_read(const char *path, char *out, size_t size);
bool line_write(const char *path, const char *line, struct err *err) MUST_CHECK;
/* Into a file of /proc/sys. */
bool setting_write(const char *path, const char *value, struct err *err) MUST_CHECK;
void setting_try(const char *path,
                 const char *value); /* a preference: a kernel without it has no such file */
/* Names in <run_dir>/ns: the groups (prefix NULL), or those that start with '.' and the rest of the prefix. */
bool folder_names(const struct network *network, const char *prefix, struct arena *arena,
                  struct text_list *names, struct err *err) MUST_CHECK;
/* Unmounts and removes each of them. */
bool folders_remove(const struct network *network, const char *prefix, struct err *err) MUST_CHECK;

/* ---- bridge.c ---- */

void link_ipv4_only(const char *link);
bool bridge_open(struct network *network, struct err *err) MUST_CHECK;
bool bridge_remove(const struct network *network, struct err *err)
    MUST_CHECK; /* and all links in it */

/* ---- rules.c ---- */

/* Sets and maps whose elements are the groups (group_rules.c); what each means stands in rules.c. */
#define SET_LINKS "links"
#define SET_OWNERS "owners"
#define SET_OPEN "open"
#define MAP_PUBLISHED "published"
#define MAP_LEAVES_AS "leaves_as"
#define SET_RESERVED "reserved"
#define MAP_SUBNET "subnet"
#define SET_NEIGHBOURS "neighbours"

bool rules_put(const struct network *network, struct err *err) MUST_CHECK; /* and forwarding */
bool rules_remove(const struct network *network, struct err *err) MUST_CHECK;

/* ---- group_rules.c ---- */

struct group_rules {
    uint32_t address; /* 0: nothing at all */
    struct network_port ports[GROUP_PORTS_MAX];
    size_t ports_count;
    uint32_t public_address; /* 0: none */
    bool public_own;         /* nobody else's, not even the node's */
    uint32_t subnet;         /* 0: none; groups of one number reach each other */
};
/* False: the kernel was told nothing of the group. */
bool group_rules_read(const struct network *network, const char *uid, struct group_rules *out)
    MUST_CHECK;
/* From what they were to this, in one step. A public address of its own comes to the link when `publish` says so; else one
 * that was withdrawn stays so. */
bool group_rules_set(struct network *network, const char *uid, const struct group_rules *rules,
                     bool publish, struct err *err) MUST_CHECK;
/* The kernel forgets the group, and the file goes. */
bool group_rules_clear(struct network *network, const char *uid, struct err *err) MUST_CHECK;

/* What the kernel has of the group, by its file; under the lock. */
void group_rules_elements(const struct network *network, const char *uid,
                          void (*each)(const struct element *, void *), void *context);
/* Of an element of SET_OWNERS. */
uint32_t element_owner_address(const struct element *element);

/* ---- publish.c ---- */

/* Sets it on the public link and tells the neighbours. */
bool public_add(const struct network *network, uint32_t address, struct err *err) MUST_CHECK;
/* Ours, as far as anybody told. */
bool public_held(const struct network *network, uint32_t address) MUST_CHECK;
/* Nothing happens when it is not held: it may be another node's by now. */
bool public_remove(const struct network *network, uint32_t address, struct err *err) MUST_CHECK;

/* ---- watch.c ---- */

struct watch *watch_new(struct err *err) MUST_CHECK;
void watch_free(struct watch *watch);
AUTO_TYPE(watch);
/* What rules_put() has just put is as it should be. */
bool watch_begin(struct network *network, struct err *err) MUST_CHECK;
/* What the kernel has of nftables. ERR_BUSY: somebody changed it meanwhile. */
struct nlmsghdr;
struct watch_question {
    int type, flags, family;
    const char *table, *set; /* of elements */
    int (*each)(const struct nlmsghdr *message, void *context);
    void *context;
};
bool watch_ask(struct watch *watch, const struct watch_question *question, struct err *err)
    MUST_CHECK;

/* ---- members.c ---- */

/* The sets hold what the groups' files say, and nothing else; how much they did not. */
bool members_mend(struct network *network, size_t *dropped, size_t *added, struct err *err)
    MUST_CHECK;

/* ---- users.c ---- */

enum { NAMESPACE_USER, NAMESPACE_NET, NAMESPACE_IPC, NAMESPACE_UTS, NAMESPACE_KINDS };
extern const struct namespace_kind {
    const char *name;
    int flag;
} namespace_kinds[NAMESPACE_KINDS];

bool users_init(struct users *users, uint32_t first, uint32_t addresses, struct err *err)
    MUST_CHECK;
void users_done(struct users *users);
bool users_take(struct users *users, uint32_t *first, struct err *err) MUST_CHECK;
void users_mark(struct users *users, uint32_t first, bool taken);
/* Of a folder; false: its namespaces belong to the node's users. */
bool users_read(const char *folder, uint32_t *first) MUST_CHECK;
bool users_write(const char *folder, uint32_t first, struct err *err) MUST_CHECK;
/* Namespaces as descriptors, which belong to a new user namespace with these ids, or to this one (-1: none). */
bool users_bear(uint32_t first, int user_fd, int fds[NAMESPACE_KINDS], struct err *err) MUST_CHECK;

/* ---- namespaces.c ---- */

/* A folder's namespaces made, or joined, by a thread of their own: no other thread ever leaves its own. */
struct namespaces_plan {
    const char *folder;
    bool make;               /* new ones, mounted in the folder; else those mounted there */
    uint32_t users_first;    /* made: they belong to these users; 0: the node's */
    const char *hostname;    /* NULL: only made, not connected */
    struct netlink *outside; /* a socket of the node's namespace */
    const char *link;        /* the node's end */
    uint32_t address, gateway;
    int mtu;
};
bool namespaces_work(const struct namespaces_plan *plan, struct err *err) MUST_CHECK;
/* Unmounts and removes the folder. */
bool namespaces_remove(const char *folder, struct err *err) MUST_CHECK;
/* The folder holds the mounted namespaces of a group. */
bool namespaces_there(const char *folder);
/* Its users are still there, whatever became of the rest. */
bool namespaces_users_there(const char *folder);
/* Unmounts and removes all but those. */
bool namespaces_strip(const char *folder, struct err *err) MUST_CHECK;

/* ---- files.c ---- */

bool files_write(const struct network *network, const struct network_spec *spec, uint32_t address,
                 struct err *err) MUST_CHECK;
/* What of a resolv.conf is of use inside a group: everything but servers on loopback. The count of servers left. */
int resolv_filter(const char *content, struct text *out);
/* The IPv4 name servers a group is given when it names none. */
void resolv_servers(void (*each)(uint32_t address, void *context), void *context);

/* ---- group.c, pool.c ---- */

/* Removes what is left of groups that were not finished, and marks the addresses of the others. */
bool groups_recover(struct network *network, struct err *err) MUST_CHECK;
/* Takes the public addresses of all groups off the node's links. */
bool groups_unpublish(const struct network *network, struct err *err) MUST_CHECK;
/* Renames a spare, with users of its own or without, to `folder`; false when there is none. */
bool pool_take(struct network *network, const char *folder, bool own_users);
/* Namespaces and folder go, and the ids are free for others. */
bool spaces_remove(struct network *network, const char *folder, struct err *err) MUST_CHECK;
/* The folder of a group that is not up has its namespaces, made now if need be. */
bool spaces_take(struct network *network, const char *folder, bool own_users, struct err *err)
    MUST_CHECK;
/* Made in the folder, which is there. */
bool spaces_make(struct network *network, const char *folder, bool own_users, struct err *err)
    MUST_CHECK;
/* Remembers whose ids are taken; spares of another kind than is made now go. */
bool spaces_recover(struct network *network, struct err *err) MUST_CHECK;

#endif
