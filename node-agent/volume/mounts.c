/* What is mounted where. No call here waits for what is behind a mount: its server may be gone. */
#include "base/file.h"
#include "node-agent/volume/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { MOUNTINFO_MAX = 64 << 20, MOUNTS_ROUNDS = 1000 };

bool mount_is_here(const char *path)
{
    struct statx about;

    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, 0U, &about) == 0 &&
           (about.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* ---- mountinfo ---- */

/* "\040" and the like become what they stand for. */
static void unescape(char *text)
{
    char *out = text;

    for (const char *at = text; *at; out++) {
        if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] && at[3]) {
            *out = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            at += 4;
        } else {
            *out = *at++;
        }
    }
    *out = '\0';
}

/* The fifth word of "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - tmpfs tmpfs rw", copied. */
static bool mount_point(const char *line, char *out, size_t size)
{
    for (int skipped = 0; skipped < 4; skipped++) {
        line += strcspn(line, " \n");
        line += *line == ' ';
    }
    bool whole = text_format(out, size, "%.*s", (int)strcspn(line, " \n"), line);
    unescape(out);
    return whole;
}

static bool is_at_or_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);

    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

bool mounts_last_below(const char *mountinfo, const char *folder, char *path, size_t size)
{
    char found[PATH_MAX];
    bool any = false;

    for (const char *line = mountinfo; *line;) {
        if (mount_point(line, found, sizeof found) && is_at_or_below(found, folder))
            any = text_copy(path, size, found) || any;
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    return any;
}

/* ---- down ---- */

static bool take_down(const char *path, struct err *err)
{
    if (umount2(path, UMOUNT_NOFOLLOW) == 0 || errno == EINVAL || errno == ENOENT)
        return true;
    if (umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
        return true;
    return err_set_os(err, ERR_IO, errno, "cannot unmount %s", path);
}

bool mounts_take_down(const char *folder, struct err *err)
{
    char path[PATH_MAX];

    for (int i = 0; i < MOUNTS_ROUNDS; i++) {
        AUTO_FREE char *mountinfo = NULL;
        size_t size;
        if (!file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &mountinfo, &size, err))
            return false;
        if (!mounts_last_below(mountinfo, folder, path, sizeof path))
            return true;
        if (!take_down(path, err))
            return false;
    }
    return err_set(err, ERR_IO, "%s is mounted over again and again", folder);
}
