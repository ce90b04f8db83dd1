/* The volumes of groups (aci/features.md §14): brought up before the first container, mounted into containers, taken
 * down with the group.
 *
 *     struct volumes *volumes = volumes_open(&options, err);
 *     struct volume_group group = {.folder = "/var/lib/…/volumes", .volumes = …, .count = 2, .cancel_fd = fd};
 *     volumes_up(volumes, &group, err);
 *     volume_find(volumes, group.folder, "data", path, err);    the folder to mount
 *     volumes_down(volumes, group.folder, err);
 *
 * Below the group's folder there is, for each volume:
 *
 *     <name>/data       what containers see: a folder, or the place where something is mounted
 *     <name>/ready      written last: the volume is whole; says by what (mark.c)
 *     <name>/image      a file that holds a file system of limited size (sized.c)
 *     <name>/cache      what waits to be written to a share (share_rclone.c)
 *
 * All state is in the kernel and in these folders: an agent that comes back goes on with them. Whatever is not ready is
 * made anew. Secrets are only in memory that is never swapped.
 * Not for: mounting into containers (runtime.h).
 * Threads: any; one group is worked on by one thread at a time. Calls block; volumes_up() ends early when cancel_fd
 * becomes readable (ERR_CLOSED).   Owner: volumes_free(). */
#ifndef NODE_AGENT_VOLUME_H
#define NODE_AGENT_VOLUME_H

#include "base/err.h"
#include "base/idmap.h"
#include "model/link.h"

struct volumes;

enum { VOLUME_PATH_SIZE = 512 };

struct volumes_options {
    const char *git, *rclone, *mkfs; /* NULL: by their names, in PATH */
    const char *disks;              /* where local disks are, each as <id>/; NULL: there are none */
    const char *share_suffix;       /* NULL: "file.core.windows.net" */
    struct text_map share_servers;  /* account to host or host:port */
    struct text_list git_protocols; /* empty: https, http and git */
    const struct text_list *cgroups; /* what the fence ends; programs that serve shares run below */
};

/* The options stay the caller's and stay valid. */
struct volumes *volumes_open(const struct volumes_options *options, struct err *err) MUST_CHECK;
/* Leaves all volumes as they are. */
void volumes_free(struct volumes *volumes);
/* True when folders on disk can be held to a size here; the reason, for the log, when they cannot. */
bool volumes_are_sized(const struct volumes *volumes, const char **why_not);

struct volume_group {
    const char *folder; /* absolute, of this group's volumes alone; made when absent */
    const struct volume *volumes;
    size_t count;
    const struct disk_seat *disks; /* where the local disks that they name are */
    size_t disks_count;
    int64_t memory_bytes; /* ceiling of a folder in memory that names none */
    struct idmap users;   /* the group's own: whose root everything belongs to; none: the node's */
    int cancel_fd;        /* -1: none */
};

/* Each volume that is not up already, for these users: what was made for others is made anew. ERR_VOLUME: it can never
 * be (wrong key, no such share, no such revision); ERR_NOT_IMPLEMENTED: not on this node; other codes are worth another try. The text names volume and cause, and no
 * secret. What came up stays, also on failure. */
bool volumes_up(struct volumes *volumes, const struct volume_group *group, struct err *err)
    MUST_CHECK;
/* The folder to mount into containers. ERR_NOT_FOUND: it is not up (any more); bring the group's volumes up again. */
bool volume_find(struct volumes *volumes, const char *folder, const char *name,
                 char path[VOLUME_PATH_SIZE], struct err *err) MUST_CHECK;
/* Containers may only read it, whatever their mounts say. */
bool volume_is_read_only(const struct volume *volume);
/* Everything there is below the folder, whoever made it: programs, mounts, files; then the folder. Writes that wait for
 * a share are given LIMIT_VOLUME_FLUSH_MS. Success when nothing is left, also when nothing was there. No process of the
 * group may run any more. */
bool volumes_down(struct volumes *volumes, const char *folder, struct err *err) MUST_CHECK;

/* ---- local disks: they stay when groups go ----
 *
 *     <disks>/<id>/image    the file that holds its file system, with a journal: it outlives boots
 *     <disks>/<id>/data     where that is mounted, once for all groups; without loop devices a plain folder
 *
 * Each group has a mount of its own of `data`. */

/* Its mount, its file system and its folder go, with all that is in it: no group may have it any more. Success when
 * there was none. */
bool volumes_disk_remove(struct volumes *volumes, const char *id, struct err *err) MUST_CHECK;
/* For --clean, with no agent running: unmounts all disks below the state folder; what is in them stays. */
bool volumes_disks_unmount(const char *state_dir, struct err *err) MUST_CHECK;

AUTO_TYPE(volumes);

#endif
