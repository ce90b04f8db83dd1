/* A share by rclone, through FUSE. It takes its key from its environment: in no file, in no argument. It runs in a
 * session of its own, below the cgroup that the fence ends, and goes on when the agent dies; who it serves is told by
 * its arguments (served.c).
 *
 * Writes go into a cache and from there to the share a second after a file was closed. That second is what makes
 * "write a new file, rename it over the old one" safe: rclone renames in its cache what it has not begun to write
 * (docs/adr/0027). A group that goes waits until nothing is dirty; what a killed rclone left dirty is written by the
 * next one of the same incarnation. */
#include "base/file.h"
#include "base/limits.h"
#include "node-agent/volume/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SAID_MAX = 16 << 10,
    PASSWORD_MAX = 4096,
    WORD_SIZE = 1500,
    CGROUP_SIZE = 600,
    RCLONE_NOT_FOUND = 3,
};

struct rclone {
    const struct making *making;
    const struct share *share;
    char cgroup[CGROUP_SIZE]; /* cgroup.procs; "": none */
    char cache[VOLUME_PATH_SIZE], cache_image[VOLUME_PATH_SIZE];
    char words[6][WORD_SIZE];
    const char *env[16];
};

static const char *rclone_of(const struct making *making)
{
    const char *program = making->volumes->options.rclone;

    return program ? program : "rclone";
}

/* ---- its surroundings ---- */

/* rclone wants its password scrambled. It gets it, and gives it back, by pipes. */
static bool scramble(const struct rclone *rclone, char *out, size_t size, struct err *err)
{
    const char *argv[] = {rclone_of(rclone->making), "--config=/dev/null", "obscure", "-", NULL};
    AUTO(text) *scrambled = text_new(PASSWORD_MAX);
    struct program program = {.argv = argv,
                              .input = rclone->share->key,
                              .timeout_ms = LIMIT_VOLUME_MOUNT_MS,
                              .out = scrambled};
    int exit_code = 0;
    bool done = program_run(rclone->making, &program, NULL, &exit_code, err) &&
                ((exit_code == 0 && text_ok(scrambled) && scrambled->size > 0) ||
                 err_set(err, ERR_IO, "rclone cannot take the account's key"));

    if (done)
        text_format(out, size, "RCLONE_SMB_PASS=%.*s", (int)strcspn(scrambled->bytes, "\r\n"),
                    scrambled->bytes);
    text_wipe(scrambled);
    return done;
}

/* The encoding is rclone's own without "Dot" and "RightPeriod": with these its release 1.60 makes a folder named like a
 * full stop beside each new folder. */
static bool surround(struct rclone *rclone, struct err *err)
{
    static const char encoding[] = "RCLONE_SMB_ENCODING=Slash,LtGt,DoubleQuote,Colon,Question,"
                                   "Asterisk,Pipe,BackSlash,Ctl,RightSpace,InvalidUtf8";
    static const char *const fixed[] = {"HOME=/nonexistent", "LANG=C.UTF-8", "GOMEMLIMIT=64MiB",
                                        encoding};
    const char *path = getenv("PATH");
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        rclone->env[count++] = fixed[i];
    text_format(rclone->words[0], WORD_SIZE, "PATH=%s", path ? path : "/usr/bin:/bin");
    text_format(rclone->words[1], WORD_SIZE, "RCLONE_SMB_HOST=%s", rclone->share->host);
    text_format(rclone->words[2], WORD_SIZE, "RCLONE_SMB_PORT=%s", rclone->share->port);
    text_format(rclone->words[3], WORD_SIZE, "RCLONE_SMB_USER=%s", rclone->share->account);
    if (!scramble(rclone, rclone->words[4], WORD_SIZE, err))
        return false;
    for (size_t i = 0; i < 5; i++)
        rclone->env[count++] = rclone->words[i];
    rclone->env[count] = NULL;
    return true;
}

/* ---- the server ---- */

/* "2026/11/26 14:11:54 Failed to create file system for ":smb:docs/.berth": couldn't connect SMB: …": the end of it. */
static const char *without_time(const char *line)
{
    const char *at = strstr(line, "\": ");

    return at ? at + 3 : line;
}

/* Looks for a folder that is not there: the answer takes one round trip, however large the share is. */
static bool server_asked(const struct rclone *rclone, struct err *err)
{
    char where[600], line[600];
    AUTO(text) *said = text_new(SAID_MAX);
    const char *argv[] = {rclone_of(rclone->making),
                          "--config=/dev/null",
                          "--retries=1",
                          "--low-level-retries=1",
                          "--contimeout=5s",
                          "--timeout=10s",
                          "lsf",
                          where,
                          NULL};
    struct program program = {
        .argv = argv, .envp = rclone->env, .timeout_ms = LIMIT_VOLUME_MOUNT_MS};
    int exit_code = 0;

    text_format(where, sizeof where, ":smb:%s/.berth-is-it-there", rclone->share->name);
    if (!program_run(rclone->making, &program, said, &exit_code, err))
        return err->code == ERR_TIMEOUT
                   ? share_refused(rclone->share, ETIMEDOUT, "the server does not answer", err)
                   : false;
    if (exit_code == 0 || exit_code == RCLONE_NOT_FOUND)
        return true;
    last_line(said, line, sizeof line);
    return share_refused(rclone->share, share_errno(line), without_time(line), err);
}

/* ---- the mount ---- */

/* Below what the fence ends, beside the groups. */
static bool cgroup_make(struct rclone *rclone, struct err *err)
{
    const struct text_list *folders = rclone->making->volumes->options.cgroups;
    char path[CGROUP_SIZE - 16];

    if (!folders || folders->count == 0)
        return true;
    if (!text_format(path, sizeof path, "%s/shares", folders->items[0]) ||
        (mkdir(path, 0755) != 0 && errno != EEXIST))
        return err_set_os(err, ERR_IO, errno, "cannot make the cgroup %s", path);
    text_format(rclone->cgroup, sizeof rclone->cgroup, "%s/cgroup.procs", path);
    return true;
}

static bool join_cgroup(void *context)
{
    const char *path = context;

    if (!*path)
        return true;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool joined = fd >= 0 && write(fd, "0", 1) == 1;
    if (fd >= 0)
        close(fd);
    return joined;
}

/* A cache that is mounted holds what an earlier rclone could not write any more. */
static bool cache_make(struct rclone *rclone, struct err *err)
{
    if (!file_make_folders(rclone->cache, 0700, err))
        return false;
    return mount_is_here(rclone->cache) || rclone->making->volumes->unsized ||
           sized_mount(rclone->making, rclone->cache_image, rclone->cache, LIMIT_VOLUME_BYTES_MAX,
                       err);
}

/* The option --daemon lets rclone go into the background when the mount is there. */
static bool serve(struct rclone *rclone, struct err *err)
{
    char what[300], shown[620], line[400], user[24], user_group[24];
    AUTO(text) *said = text_new(SAID_MAX);
    const char *argv[] = {
        rclone_of(rclone->making),
        "mount",
        what,
        rclone->making->data,
        "--daemon",
        "--daemon-wait=12s",
        "--config=/dev/null",
        "--devname",
        shown,
        "--cache-dir",
        rclone->cache,
        "--vfs-cache-mode=writes",
        "--vfs-write-back=1s",
        "--vfs-cache-max-size=1G",
        "--dir-cache-time=2s",
        "--buffer-size=1M",
        "--allow-other",
        user,
        user_group,
        "--umask=0",
        "--dir-perms=0777",
        "--file-perms=0777",
        "--contimeout=5s",
        "--timeout=15s",
        "--low-level-retries=3",
        rclone->share->read_only ? "--read-only" : NULL,
        NULL,
    };
    struct program program = {.argv = argv,
                              .envp = rclone->env,
                              .timeout_ms = LIMIT_VOLUME_MOUNT_MS,
                              .in_child = join_cgroup,
                              .context = rclone->cgroup};
    int exit_code = 0;

    text_format(user, sizeof user, "--uid=%u", rclone->making->group->users.first);
    text_format(user_group, sizeof user_group, "--gid=%u", rclone->making->group->users.first);
    text_format(what, sizeof what, ":smb:%s", rclone->share->name);
    text_format(shown, sizeof shown, "%s", rclone->share->path);
    if (!program_run(rclone->making, &program, said, &exit_code, err))
        return false;
    if (exit_code == 0 && mount_is_here(rclone->making->data))
        return true;
    return share_refused(rclone->share, 0, last_line(said, line, sizeof line), err);
}

/* Both programs come from Debian; a node may do without them. */
static bool is_possible(const struct rclone *rclone, struct err *err)
{
    if (access("/dev/fuse", R_OK | W_OK) != 0)
        return err_set(err, ERR_NOT_IMPLEMENTED,
                       "this node mounts no shares: its kernel has neither CIFS nor FUSE");
    return program_is_here(rclone_of(rclone->making)) && program_is_here("fusermount3")
               ? true
               : err_set(err, ERR_NOT_IMPLEMENTED,
                         "this node mounts no shares: its kernel has no CIFS, and rclone or "
                         "fusermount3 is missing (packages rclone, fuse3)");
}

enum made share_rclone_make(const struct making *making, const struct share *share, struct err *err)
{
    struct rclone rclone = {.making = making, .share = share};

    text_format(rclone.cache, sizeof rclone.cache, "%s/cache", making->folder);
    text_format(rclone.cache_image, sizeof rclone.cache_image, "%s/cache.image", making->folder);
    bool made = is_possible(&rclone, err) && surround(&rclone, err) && server_asked(&rclone, err) &&
                cgroup_make(&rclone, err) && cache_make(&rclone, err) && serve(&rclone, err);
    explicit_bzero(rclone.words, sizeof rclone.words);
    if (!made)
        served_end(making->data);
    return made ? MADE_SERVED : MADE_NOT;
}
