/* A folder that cannot hold more than it may: an ext4 file system without a journal in a sparse file, on a loop device
 * that goes with its mount. Making one costs some milliseconds and a few hundred KiB; what is deleted in it is given
 * back to the disk (discard). No journal where nothing in it outlives the boot. Quotas of projects would need the node's own
 * file system to have them switched on, which Debian's does not (docs/adr/0027). */
#include "base/limits.h"
#include "node-agent/volume/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { LOOP_TRIES = 100, DEVICE_SIZE = 32, MKFS_SAID_MAX = 4096 };

static const char *mkfs_of(const struct volumes_options *options)
{
    return options->mkfs ? options->mkfs : "mkfs.ext4";
}

const char *sized_why_not(const struct volumes_options *options)
{
    if (access("/dev/loop-control", R_OK | W_OK) != 0)
        return "there are no loop devices (/dev/loop-control; modprobe loop)";
    return program_is_here(mkfs_of(options)) ? NULL : "mkfs.ext4 is missing (package e2fsprogs)";
}

/* ---- the file ---- */

bool sized_image(const struct making *making, const char *image, int64_t bytes, bool journal,
                 struct err *err)
{
    AUTO_CLOSE int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    AUTO(text) *said = text_new(MKFS_SAID_MAX);
    char line[256];
    int exit_code = 0;
    const char *argv[] = {
        mkfs_of(&making->volumes->options),
        "-q",
        "-F",
        "-m",
        "0",
        "-O",
        journal ? "has_journal,^resize_inode" : "^has_journal,^resize_inode",
        "-E",
        "nodiscard,lazy_itable_init=1,lazy_journal_init=1,packed_meta_blocks=1,root_owner=0:0",
        image,
        NULL,
    };
    struct program program = {.argv = argv, .timeout_ms = LIMIT_VOLUME_MOUNT_MS};

    if (fd < 0 || ftruncate(fd, bytes) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make %s", image);
    if (!program_run(making, &program, said, &exit_code, err))
        return false;
    return exit_code == 0 || err_set(err, ERR_IO, "cannot make a file system in %s: %s", image,
                                     last_line(said, line, sizeof line));
}

/* ---- the device ---- */

static int loop_open(int control, char device[DEVICE_SIZE])
{
    int number = ioctl(control, LOOP_CTL_GET_FREE);

    if (number < 0 || !text_format(device, DEVICE_SIZE, "/dev/loop%d", number))
        return -1;
    return open(device, O_RDWR | O_CLOEXEC);
}

/* The device that is free now may be another's a moment later. It frees itself when nobody uses it any more. */
static int loop_attach(const char *image, char device[DEVICE_SIZE], struct err *err)
{
    AUTO_CLOSE int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    AUTO_CLOSE int file = open(image, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct loop_config config = {
        .fd = (uint32_t)file,
        .info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
    };

    text_copy((char *)config.info.lo_file_name, sizeof config.info.lo_file_name, "berth volume");
    for (int i = 0; control >= 0 && file >= 0 && i < LOOP_TRIES; i++) {
        AUTO_CLOSE int loop = loop_open(control, device);
        if (loop >= 0 && ioctl(loop, LOOP_CONFIGURE, &config) == 0)
            return TAKE_FD(loop);
        if (errno != EBUSY && errno != ENXIO && errno != ENOENT)
            break;
    }
    err_set_os(err, ERR_IO, errno, "cannot have a loop device for %s", image);
    return -1;
}

static bool loop_holds(const char *device, const struct stat *image)
{
    AUTO_CLOSE int loop = open(device, O_RDONLY | O_CLOEXEC);
    struct loop_info64 info;

    return loop >= 0 && ioctl(loop, LOOP_GET_STATUS64, &info) == 0 &&
           info.lo_device == image->st_dev && info.lo_inode == image->st_ino;
}

/* The device that holds the file already, opened; -1: none. A mount that is gone here may live on in a namespace that
 * somebody made meanwhile: a second device would be a second file system in the same file, and the end of both. */
static int loop_find(const char *image, char device[DEVICE_SIZE])
{
    struct stat about;
    int found = -1;
    DIR *blocks = stat(image, &about) == 0 ? opendir("/sys/block") : NULL;

    for (struct dirent *entry; blocks && found < 0 && (entry = readdir(blocks));) {
        if (strncmp(entry->d_name, "loop", 4) == 0 &&
            text_format(device, DEVICE_SIZE, "/dev/%s", entry->d_name) &&
            loop_holds(device, &about))
            found = open(device, O_RDWR | O_CLOEXEC);
    }
    if (blocks)
        closedir(blocks);
    return found;
}

/* What mkfs makes beside an empty folder would be seen. */
static bool empty_it(const char *at, struct err *err)
{
    char path[VOLUME_PATH_SIZE];

    if (!text_format(path, sizeof path, "%s/lost+found", at) ||
        (rmdir(path) != 0 && errno != ENOENT))
        return err_set_os(err, ERR_IO, errno, "cannot remove %s/lost+found", at);
    return true;
}

bool sized_attach(const char *image, const char *at, struct err *err)
{
    char device[DEVICE_SIZE];
    AUTO_CLOSE int loop = loop_find(image, device);

    if (loop < 0)
        loop = loop_attach(image, device, err);
    if (loop < 0)
        return false;
    if (mount(device, at, "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME, "discard") != 0)
        return err_set_os(err, ERR_IO, errno, "cannot mount %s at %s", image, at);
    return empty_it(at, err);
}

bool sized_mount(const struct making *making, const char *image, const char *at, int64_t bytes,
                 struct err *err)
{
    return sized_image(making, image, bytes, false, err) && sized_attach(image, at, err);
}
