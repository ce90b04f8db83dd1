/* The unpacker on archives from nowhere. The first byte chooses: 1 puts right the checksums of the tar, so that what
 * comes behind them is reached; 2 lays a folder of another layer below. Nothing may change outside the root.
 *
 * Needs root, as the agent does. It works in a mount namespace of its own where all but a tmpfs over /run (where no
 * checkout stands) and the current folder is read-only: an escape would be seen, and would do no harm. */
#include "base/err.h"
#include "base/file.h"
#include "node-agent/image/unpack.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { BLOCK = 512 };

static bool set_read_only(const char *path, bool read_only, unsigned flags)
{
    struct mount_attr attributes = {.attr_set = read_only ? MOUNT_ATTR_RDONLY : 0,
                                    .attr_clr = read_only ? 0 : MOUNT_ATTR_RDONLY};

    return syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof attributes) == 0;
}

/* ---- the place ---- */

static void make(const char *path)
{
    CHECK(mkdir(path, 0755) == 0);
}

static void put(const char *path)
{
    struct err err;

    CHECK(file_replace(path, "untouched", 9, 0644, false, &err));
}

static void begin(void)
{
    CHECK(unshare(CLONE_NEWNS) == 0); /* not root? */
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    char *here = realpath(".", NULL);
    CHECK(here && mount(here, here, NULL, MS_BIND, NULL) == 0);
    CHECK(set_read_only("/", true, AT_RECURSIVE) && set_read_only(here, false, 0));
    CHECK(chdir(here) == 0); /* through the new mount */
    free(here);
    CHECK(mount("fuzz", "/run", "tmpfs", 0, "size=64m,nr_inodes=10000") == 0);
    make("/run/lower");
    make("/run/lower/etc");
    put("/run/lower/etc/motd");
    CHECK(symlink("/outside", "/run/lower/door") == 0);
    make("/run/outside");
    put("/run/outside/victim");
}

static void check_folder(const char *path, const char *const *expected, size_t count)
{
    DIR *listing = opendir(path);
    size_t seen = 0;

    CHECK(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        bool known = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
        for (size_t i = 0; i < count && !known; i++) {
            known = strcmp(entry->d_name, expected[i]) == 0;
            seen += known;
        }
        CHECK(known);
    }
    closedir(listing);
    CHECK(seen == count);
}

static void check_file(const char *path)
{
    AUTO_FREE char *content = NULL;
    struct stat seen;
    struct err err;

    CHECK(lstat(path, &seen) == 0 && S_ISREG(seen.st_mode) && seen.st_nlink == 1);
    CHECK((seen.st_mode & 07777) == 0644 && seen.st_uid == 0);
    CHECK(file_read(path, 100, &content, NULL, &err) && strcmp(content, "untouched") == 0);
}

static void check_outside(void)
{
    static const char *const top[] = {"lower", "outside", "root"}, *const outside[] = {"victim"},
                             *const lower[] = {"etc", "door"}, *const etc[] = {"motd"};

    check_folder("/run", top, COUNT_OF(top));
    check_folder("/run/outside", outside, COUNT_OF(outside));
    check_folder("/run/lower", lower, COUNT_OF(lower));
    check_folder("/run/lower/etc", etc, COUNT_OF(etc));
    check_file("/run/outside/victim");
    check_file("/run/lower/etc/motd");
    CHECK(getxattr("/run", "trusted.overlay.opaque", NULL, 0) < 0);
}

/* ---- the input ---- */

static uint64_t octal(const uint8_t *field, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        value = value * 8 + (field[i] - '0');
    return value;
}

static void mend_header(uint8_t *header)
{
    static const char digits[] = "01234567";
    unsigned sum = 0;

    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += header[i];
    for (size_t i = 6; i-- > 0; sum >>= 3)
        header[148 + i] = (uint8_t)digits[sum & 7];
    header[154] = '\0';
}

/* Goes from header to header as the sizes say. */
static void mend(uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at + BLOCK <= size;) {
        uint64_t content = octal(bytes + at + 124, 11);
        mend_header(bytes + at);
        if (content > size)
            break;
        at += BLOCK + (content + BLOCK - 1) / BLOCK * BLOCK;
    }
}

static int as_file(const uint8_t *bytes, size_t size, bool mended)
{
    static const uint8_t end[2 * BLOCK];
    int fd = memfd_create("layer", MFD_CLOEXEC);
    AUTO_FREE uint8_t *copy = malloc(size + 1);

    CHECK(fd >= 0 && copy);
    memcpy(copy, bytes, size);
    if (mended)
        mend(copy, size);
    CHECK(write(fd, copy, size) == (ssize_t)size);
    if (mended)
        CHECK(pwrite(fd, end, sizeof end, (off_t)((size + BLOCK - 1) / BLOCK * BLOCK)) > 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void unpack(const uint8_t *bytes, size_t size, uint8_t choice)
{
    AUTO_CLOSE int blob = as_file(bytes, size, choice & 1);
    AUTO_CLOSE int root = open("/run/root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int lower = open("/run/lower", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct unpack layer = {.blob = blob,
                                 .root = root,
                                 .lowers = &lower,
                                 .lowers_count = choice & 2 ? 1 : 0,
                                 .bytes_max = 1 << 20,
                                 .files_max = 200,
                                 .cancel_fd = -1};
    struct unpacked done = {0};
    struct err err = {0};

    CHECK(root >= 0 && lower >= 0);
    if (unpack_layer(&layer, &done, &err)) {
        CHECK(done.bytes <= layer.bytes_max && done.files <= layer.files_max);
    } else {
        CHECK(err.code == ERR_IMAGE_INACCESSIBLE || err.code == ERR_STORAGE);
        CHECK(err.text[0] != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool begun;
    struct err err = {0};

    if (!begun)
        begin();
    begun = true;
    if (size == 0)
        return 0;
    make("/run/root");
    unpack(bytes + 1, size - 1, bytes[0]);
    check_outside();
    CHECK(file_remove_tree("/run/root", &err));
    return 0;
}
