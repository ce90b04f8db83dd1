/* Two readers of libarchive, one behind the other, so that both digests come out of one pass:
 *
 *     blob --> hash --> decompress ("raw") --> hash --> tar --> entries --> tree.h
 *              digest                          diff id
 *
 * The digests are known only at the end. Until then nothing that was unpacked is believed: the
 * caller throws the folder away when this fails. */
#include "node-agent/image/unpack.h"

#include "base/digest.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "node-agent/image/tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

AUTO_TYPE(archive);

enum { CHUNK = 256 * 1024, BLOCK = 4096 };

struct source {
    const struct unpack *job;
    struct archive *raw; /* decompresses; not owned */
    struct hash *blob_hash, *diff_hash;
    int64_t stream_bytes; /* decompressed so far */
    struct unpacked *done;
    struct err *err; /* what a callback could not return; set once */
    bool failed;
    char *chunk;
};

static bool source_fail(struct source *source, enum err_code code, int os_errno, const char *text)
{
    if (!source->failed && os_errno)
        err_set_os(source->err, code, os_errno, "%s", text);
    else if (!source->failed)
        err_set(source->err, code, "%s", text);
    source->failed = true;
    return false;
}

static bool cancelled(int fd)
{
    struct pollfd asked = {.fd = fd, .events = POLLIN};

    return fd >= 0 && poll(&asked, 1, 0) > 0;
}

/* ---- the blob ---- */

static la_ssize_t read_blob(struct archive *raw, void *context, const void **bytes)
{
    struct source *source = context;
    ssize_t size;

    do
        size = read(source->job->blob, source->chunk, CHUNK);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        source_fail(source, ERR_IO, errno, "cannot read a layer of the image");
    if (size > 0)
        hash_add(source->blob_hash, source->chunk, (size_t)size);
    if (cancelled(source->job->cancel_fd))
        source_fail(source, ERR_CLOSED, 0, "unpacking was cancelled");
    if (source->failed) {
        archive_set_error(raw, ECANCELED, "stopped");
        return ARCHIVE_FATAL;
    }
    *bytes = source->chunk;
    return size;
}

static struct archive *open_raw(struct source *source)
{
    AUTO(archive) *raw = archive_read_new();
    struct archive_entry *entry;

    if (!raw || archive_read_support_filter_gzip(raw) != ARCHIVE_OK ||
        archive_read_support_filter_zstd(raw) != ARCHIVE_OK ||
        archive_read_support_format_raw(raw) != ARCHIVE_OK)
        return NULL;
    if (archive_read_open(raw, source, NULL, read_blob, NULL) != ARCHIVE_OK)
        return NULL;
    /* "raw" is one entry without a name. */
    if (archive_read_next_header(raw, &entry) != ARCHIVE_OK)
        return NULL;
    return TAKE(raw);
}

/* ---- decompressed ---- */

static la_ssize_t read_stream(struct archive *tar, void *context, const void **bytes)
{
    struct source *source = context;
    size_t size = 0;
    la_int64_t offset;
    int status = archive_read_data_block(source->raw, bytes, &size, &offset);

    if (status == ARCHIVE_EOF)
        return 0;
    if (status < ARCHIVE_WARN)
        source_fail(source, ERR_IMAGE_INACCESSIBLE, 0, "a layer of the image is damaged");
    hash_add(source->diff_hash, *bytes, size);
    source->stream_bytes += (int64_t)size;
    if (source->stream_bytes > source->job->bytes_max)
        source_fail(source, ERR_IMAGE_INACCESSIBLE, 0, "the image unpacks to too many bytes");
    if (source->failed) {
        archive_set_error(tar, ECANCELED, "stopped");
        return ARCHIVE_FATAL;
    }
    return (la_ssize_t)size;
}

static struct archive *open_tar(struct source *source)
{
    AUTO(archive) *tar = archive_read_new();

    if (!tar || archive_read_support_format_tar(tar) != ARCHIVE_OK ||
        archive_read_support_format_empty(tar) != ARCHIVE_OK)
        return NULL;
    if (archive_read_open(tar, source, NULL, read_stream, NULL) != ARCHIVE_OK)
        return NULL;
    return TAKE(tar);
}

/* ---- one entry ---- */

static bool count(const struct source *source, const struct tree *tree, int64_t bytes,
                  struct err *err)
{
    struct unpacked *done = source->done;

    done->bytes += bytes;
    if (done->bytes > source->job->bytes_max)
        return tree_refuse(tree, err, "makes the image too large");
    if (done->files > source->job->files_max)
        return tree_refuse(tree, err, "makes the image hold too many files");
    return true;
}

static bool attributes_of(struct archive_entry *entry, const struct tree *tree,
                          struct tree_attributes *out, struct err *err)
{
    la_int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

    if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
        return tree_refuse(tree, err, "has an owner that no file can have");
    out->mode = archive_entry_mode(entry);
    out->uid = (uid_t)uid;
    out->gid = (gid_t)gid;
    out->modified.tv_sec = archive_entry_mtime(entry);
    out->modified.tv_nsec = archive_entry_mtime_nsec(entry);
    if (out->modified.tv_nsec < 0 || out->modified.tv_nsec > 999999999)
        out->modified.tv_nsec = 0;
    return true;
}

/* Capabilities and users' own attributes. Others belong to the machine an image was built on, and
 * overlayfs believes its own (trusted.overlay.*): those would let an image rearrange layers. */
static bool set_xattrs(struct archive_entry *entry, const struct tree *tree, int fd,
                       struct err *err)
{
    const char *name;
    const void *value;
    size_t size;

    archive_entry_xattr_reset(entry);
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
        if (strcmp(name, "security.capability") != 0 && !text_has_prefix(name, "user."))
            continue;
        if (fsetxattr(fd, name, value, size, 0) != 0 && errno != EOPNOTSUPP)
            return tree_fail(tree, err, errno, "cannot set an attribute of");
    }
    return true;
}

static bool write_at(int fd, const char *bytes, size_t size, off_t at)
{
    while (size > 0) {
        ssize_t put = pwrite(fd, bytes, size, at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes += put;
        size -= (size_t)put;
        at += put;
    }
    return true;
}

static bool blank(const char *bytes, size_t size)
{
    return size > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Blocks come with their place; between them are holes. Blocks of zeros are left holes too. */
static bool write_content(struct source *source, struct archive *tar, const struct tree *tree,
                          int fd, int64_t file_size, struct err *err)
{
    const void *bytes;
    size_t size;
    la_int64_t at;
    int status;

    while ((status = archive_read_data_block(tar, &bytes, &size, &at)) == ARCHIVE_OK ||
           status == ARCHIVE_WARN) {
        if (at < 0 || at > file_size || (int64_t)size > file_size - at)
            return tree_refuse(tree, err, "has more content than it says");
        if (size >= BLOCK && blank(bytes, size))
            continue;
        if (!count(source, tree, ((int64_t)size + BLOCK - 1) / BLOCK * BLOCK, err))
            return false;
        if (!write_at(fd, bytes, size, at))
            return tree_fail(tree, err, errno, "cannot write");
    }
    if (status != ARCHIVE_EOF)
        return tree_refuse(tree, err, "is cut off or damaged");
    if (ftruncate(fd, file_size) != 0)
        return tree_fail(tree, err, errno, "cannot write");
    return true;
}

static bool place_file(struct source *source, struct archive *tar, struct archive_entry *entry,
                       struct tree *tree, const struct tree_attributes *attributes, struct err *err)
{
    int64_t size = archive_entry_size(entry);

    if (size < 0 || size > source->job->bytes_max)
        return tree_refuse(tree, err, "is too large");
    AUTO_CLOSE int fd = tree_make_file(tree, err);
    return fd >= 0 && write_content(source, tar, tree, fd, size, err) &&
           tree_set_attributes(tree, fd, attributes, err) && set_xattrs(entry, tree, fd, err);
}

static bool place_folder(struct archive_entry *entry, struct tree *tree,
                         const struct tree_attributes *attributes, struct err *err)
{
    AUTO_CLOSE int fd = tree_make_folder(tree, err);

    return fd >= 0 && tree_set_attributes(tree, fd, attributes, err) &&
           set_xattrs(entry, tree, fd, err);
}

static bool place_symlink(struct archive_entry *entry, struct tree *tree,
                          const struct tree_attributes *attributes, struct err *err)
{
    const char *target = archive_entry_symlink(entry);

    if (!target || !*target)
        return tree_refuse(tree, err, "is a symlink to nothing");
    return tree_make_symlink(tree, target, attributes, err);
}

/* ".wh.name" deletes name, ".wh..wh..opq" all of a folder; other ".wh..wh." names are the private
 * notes of an old storage driver. */
static bool place_whiteout(struct tree *tree, struct err *err)
{
    if (strcmp(tree->leaf, ".wh..wh..opq") == 0)
        return tree_hide_all(tree, err);
    if (text_has_prefix(tree->leaf, ".wh..wh."))
        return true;
    return tree_hide(tree, tree->leaf + strlen(".wh."), err);
}

static bool place_entry(struct source *source, struct archive *tar, struct archive_entry *entry,
                        struct tree *tree, struct err *err)
{
    struct tree_attributes attributes;
    const char *name = archive_entry_pathname(entry);

    if (!name)
        return err_set(err, ERR_IMAGE_INACCESSIBLE, "the image has an entry without a name");
    source->done->files++;
    if (!tree_enter(tree, name, err) || !count(source, tree, BLOCK, err) ||
        !attributes_of(entry, tree, &attributes, err))
        return false;
    if (text_has_prefix(tree->leaf, ".wh."))
        return place_whiteout(tree, err);
    if (archive_entry_hardlink(entry))
        return tree_make_link(tree, archive_entry_hardlink(entry), err);
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
        return place_file(source, tar, entry, tree, &attributes, err);
    case AE_IFDIR:
        return place_folder(entry, tree, &attributes, err);
    case AE_IFLNK:
        return place_symlink(entry, tree, &attributes, err);
    case AE_IFCHR:
    case AE_IFBLK:
        return tree_make_node(tree,
                              makedev((unsigned)archive_entry_rdevmajor(entry),
                                      (unsigned)archive_entry_rdevminor(entry)),
                              &attributes, err);
    case AE_IFIFO:
        return tree_make_node(tree, 0, &attributes, err);
    default:
        return tree_refuse(tree, err, "is of a kind that no image has");
    }
}

static bool place_all(struct source *source, struct archive *tar, struct err *err)
{
    struct archive_entry *entry;
    struct tree tree;
    bool placed = true;
    int status = ARCHIVE_EOF;

    tree_init(&tree, source->job->root, source->job->lowers, source->job->lowers_count,
              source->job->debts);
    while (placed && ((status = archive_read_next_header(tar, &entry)) == ARCHIVE_OK ||
                      status == ARCHIVE_WARN))
        placed = place_entry(source, tar, entry, &tree, err);
    tree_done(&tree);
    if (placed && status != ARCHIVE_EOF)
        placed = err_set(err, ERR_IMAGE_INACCESSIBLE,
                         "a layer of the image is no tar archive, or "
                         "a damaged one");
    return placed;
}

/* ---- the whole layer ---- */

/* The tar ends before the stream, and the stream before the blob: both are hashed whole. */
static bool drain(struct source *source, struct archive *tar)
{
    const void *bytes;
    la_ssize_t size;

    while ((size = read_stream(tar, source, &bytes)) > 0)
        ;
    while (size == 0 && (size = read_blob(source->raw, source, &bytes)) > 0)
        size = 0;
    return size == 0;
}

static bool verify(struct source *source, struct err *err)
{
    char digest[DIGEST_SIZE], diff_id[DIGEST_SIZE];

    hash_end(source->blob_hash, digest);
    hash_end(source->diff_hash, diff_id);
    if (source->job->digest && strcmp(digest, source->job->digest) != 0)
        return err_set(err, ERR_IMAGE_INACCESSIBLE, "the layer %s arrived as %s",
                       source->job->digest, digest);
    if (source->job->diff_id && strcmp(diff_id, source->job->diff_id) != 0)
        return err_set(err, ERR_IMAGE_INACCESSIBLE, "the layer %s unpacked to %s, not to %s",
                       digest, diff_id, source->job->diff_id);
    return true;
}

static bool unpack_source(struct source *source, struct err *err)
{
    AUTO(archive) *raw = open_raw(source);
    if (!raw)
        return source_fail(source, ERR_IMAGE_INACCESSIBLE, 0, "a layer of the image is damaged");
    source->raw = raw;
    AUTO(archive) *tar = open_tar(source);
    struct err placing = {0};
    if (!tar)
        return source_fail(source, ERR_IMAGE_INACCESSIBLE, 0, "a layer of the image is damaged");
    if (!place_all(source, tar, &placing)) {
        /* What a reader met is the cause of what the writer saw. */
        if (!source->failed)
            *err = placing;
        return false;
    }
    if (!drain(source, tar))
        return source_fail(source, ERR_IMAGE_INACCESSIBLE, 0, "a layer of the image is damaged");
    return verify(source, err);
}

/* libarchive turns names of the pax format into those of the locale: UTF-8 as they are. */
static locale_t utf8;

static void locale_load(void)
{
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

bool unpack_prepare(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char digest[DIGEST_SIZE];

    pthread_once(&once, locale_load);
    digest_of("", 0, digest);
    return utf8 ? true : err_set(err, ERR_IO, "this machine lacks the locale C.UTF-8");
}

bool unpack_layer(const struct unpack *unpack, struct unpacked *out, struct err *err)
{
    AUTO(hash) *blob_hash = hash_new();
    AUTO(hash) *diff_hash = hash_new();
    AUTO_FREE char *chunk = malloc(CHUNK);
    struct unpacked done = {0};
    struct source source = {.job = unpack,
                            .blob_hash = blob_hash,
                            .diff_hash = diff_hash,
                            .done = &done,
                            .err = err,
                            .chunk = chunk};

    if (!blob_hash || !diff_hash || !chunk)
        return err_set(err, ERR_BUSY, "no memory to unpack an image");
    if (!unpack_prepare(err))
        return false;
    locale_t before = uselocale(utf8);
    bool unpacked = unpack_source(&source, err);
    uselocale(before);
    if (unpacked)
        *out = done;
    return unpacked;
}
