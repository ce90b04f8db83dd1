/* Shared by the files of this room. */
#ifndef VOLUME_INSIDE_H
#define VOLUME_INSIDE_H

#include "base/process.h"
#include "base/text.h"
#include "node-agent/volume/volume.h"

#include <sys/types.h>

struct lock;

struct volumes {
    struct volumes_options options;
    struct lock *
        disks_lock; /* local disks are shared by groups: one at a time makes, mounts, removes them */
    const char *unsized; /* why folders cannot be held to a size here; NULL: they can */
};

/* One volume being made. */
struct making {
    const struct volumes *volumes;
    const struct volume_group *group;
    const struct volume *volume;
    char folder[VOLUME_PATH_SIZE]; /* <group>/<name> */
    char data[VOLUME_PATH_SIZE];   /* <group>/<name>/data */
};

/* ---- the kinds, one file each: `data` is there and empty, and no mount ---- */

enum made { MADE_NOT, MADE_FOLDER, MADE_MOUNT, MADE_SERVED }; /* by what it is up: mark.c */

enum made empty_dir_make(const struct making *making, struct err *err) MUST_CHECK;
enum made secret_make(const struct making *making, struct err *err) MUST_CHECK;
enum made git_make(const struct making *making, struct err *err) MUST_CHECK;
enum made local_disk_make(const struct making *making, struct err *err) MUST_CHECK;
enum made share_make(const struct making *making, struct err *err) MUST_CHECK;

/* ---- mark.c: a volume is whole ---- */

bool mark_write(const char *folder, enum made made, uint32_t users_first, struct err *err)
    MUST_CHECK;
void mark_remove(const char *folder);
/* Whether the volume in this folder is up, as its mark says and the kernel confirms. */
bool mark_holds(const char *folder);
/* And it was made for these users. */
bool mark_holds_for(const char *folder, uint32_t users_first);

/* ---- mounts.c ---- */

/* Something is mounted here. Asks the kernel alone: a server that hangs does not matter. */
bool mount_is_here(const char *path);
/* Unmounts everything at and below the folder, the innermost first; what is in use goes with its last user. */
bool mounts_take_down(const char *folder, struct err *err) MUST_CHECK;
/* The last mount point at or below the folder, as mountinfo has it. For tests apart from mounts_take_down(). */
bool mounts_last_below(const char *mountinfo, const char *folder, char *path, size_t size);

/* ---- sized.c: a folder that holds so many bytes, as a file system in a sparse file ---- */

const char *sized_why_not(const struct volumes_options *options);
/* `image` is made anew and mounted at the folder `at`, empty. */
bool sized_mount(const struct making *making, const char *image, const char *at, int64_t bytes,
                 struct err *err) MUST_CHECK;

/* The two halves: the file, with a journal when it is to outlive boots; its mount, with what is in it. */
bool sized_image(const struct making *making, const char *image, int64_t bytes, bool journal,
                 struct err *err) MUST_CHECK;
bool sized_attach(const char *image, const char *at, struct err *err) MUST_CHECK;

/* ---- programs.c ---- */

struct program {
    const char *const *argv, *const *envp;
    const char *input; /* NULL: none */
    int64_t timeout_ms;
    bool (*in_child)(void *context);
    void *context;
    struct text *out; /* NULL: not wanted */
};
/* Runs it; `errors` gets what it said. False when it could not be run, was cancelled (ERR_CLOSED) or ran out of time. */
bool program_run(const struct making *making, const struct program *program, struct text *errors,
                 int *exit_code, struct err *err) MUST_CHECK;
/* It would be found by execvp(). */
bool program_is_here(const char *name);
/* The last line of what a program said that is not empty, in `out`. */
const char *last_line(const struct text *said, char *out, size_t size);

/* ---- git_address.c: pure ---- */

struct git_address {
    char clean[4200];               /* without user and password */
    char protocol[8];               /* in lower case */
    char user[512], password[1024]; /* decoded; "" */
};
bool git_address_parse(const char *address, struct git_address *out) MUST_CHECK;

/* ---- shares ---- */

struct share {
    const char *name, *account, *key;
    char host[256], port[8]; /* where the account's server is */
    char path[600];          /* //account.suffix/share, for people */
    bool read_only;
};
bool share_server_find(const struct volumes_options *options, const char *account,
                       struct share *out, struct err *err) MUST_CHECK;
/* "mount error(13): Permission denied" and the code for it. False. */
bool share_refused(const struct share *share, int number, const char *said, struct err *err);

enum made share_cifs_make(const struct making *making, const struct share *share, struct err *err)
    MUST_CHECK;
bool share_cifs_is_here(void);
enum made share_rclone_make(const struct making *making, const struct share *share, struct err *err)
    MUST_CHECK;
/* Lets the last writes reach the share, then ends the program that serves `data`. */
void share_rclone_end(const char *folder, bool flush);
bool share_rclone_serves(const char *folder);
/* The errno that a sentence of rclone means; 0: none that is for good. */
int share_errno(const char *said);

/* ---- served.c: the programs that serve a folder, found by their arguments ---- */

/* Process ids of programs whose arguments name this mount point. */
size_t served_find(const char *data, pid_t *pids, size_t max);
void served_end(const char *data);

#endif
