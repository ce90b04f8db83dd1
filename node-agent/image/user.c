/* Names of users mean what the image's own passwd and group files say. The files are the image's:
 * found without leaving it, read only when they are plain files of a sensible size. */
#include "node-agent/image/image.h"

#include "base/log.h"
#include "base/text.h"
#include "node-agent/image/tree_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>

enum { FILE_MAX = 1024 * 1024, PARTS_MAX = 7 };

/* NULL when there is no such file, or it is none to be read. */
static char *read_beneath(int root, const char *path)
{
    AUTO_CLOSE int fd =
        tree_open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, RESOLVE_IN_ROOT);
    struct stat seen;
    size_t size = 0;

    if (fd < 0 || fstat(fd, &seen) != 0 || !S_ISREG(seen.st_mode) || seen.st_size > FILE_MAX)
        return NULL;
    char *bytes = malloc((size_t)seen.st_size + 1);
    while (bytes && size < (size_t)seen.st_size) {
        ssize_t got = read(fd, bytes + size, (size_t)seen.st_size - size);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    if (bytes)
        bytes[size] = '\0';
    return bytes;
}

/* Cuts the next line of `*rest` at its colons. False at the end. */
static bool next_line(char **rest, char *parts[PARTS_MAX], size_t *count)
{
    char *line = *rest;

    if (!line || !*line)
        return false;
    *rest = line + strcspn(line, "\n");
    if (**rest)
        *(*rest)++ = '\0';
    for (*count = 0; line && *count < PARTS_MAX; ++*count) {
        parts[*count] = line;
        line = strchr(line, ':');
        if (line)
            *line++ = '\0';
    }
    return true;
}

static bool to_id(const char *text, uint32_t *id)
{
    int64_t value;

    if (!*text || strspn(text, "0123456789") != strlen(text) || !text_to_int(text, &value) ||
        value < 0 || value >= UINT32_MAX)
        return false;
    *id = (uint32_t)value;
    return true;
}

/* name:password:uid:gid:comment:home:shell. The name of the user is left in `name`. */
static bool find_user(char *passwd, const char *wanted, struct image_user *out, char *name,
                      size_t name_size)
{
    char *parts[PARTS_MAX];
    size_t count;
    uint32_t number = 0, uid, gid;
    bool by_number = to_id(wanted, &number);

    while (next_line(&passwd, parts, &count)) {
        if (count < 6 || !to_id(parts[2], &uid) || !to_id(parts[3], &gid))
            continue;
        if (strcmp(parts[0], wanted) != 0 && !(by_number && uid == number))
            continue;
        out->uid = uid;
        out->gid = gid;
        if (*parts[5])
            (void)text_copy(out->home, sizeof out->home, parts[5]);
        return text_copy(name, name_size, parts[0]);
    }
    out->uid = number;
    return by_number;
}

static bool lists(const char *members, const char *name)
{
    size_t size = strlen(name);

    for (const char *at = members; *at;) {
        size_t length = strcspn(at, ",");
        if (length == size && memcmp(at, name, size) == 0)
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

/* name:password:gid:members. */
static void find_groups(char *group, const char *name, struct image_user *out)
{
    char *parts[PARTS_MAX];
    size_t count;
    uint32_t gid;

    while (*name && out->groups_count < COUNT_OF(out->groups) && next_line(&group, parts, &count)) {
        if (count >= 4 && to_id(parts[2], &gid) && gid != out->gid && lists(parts[3], name))
            out->groups[out->groups_count++] = gid;
    }
}

static bool find_group(char *group, const char *wanted, uint32_t *gid)
{
    char *parts[PARTS_MAX];
    size_t count;
    uint32_t found;

    while (next_line(&group, parts, &count)) {
        if (count >= 3 && strcmp(parts[0], wanted) == 0 && to_id(parts[2], &found)) {
            *gid = found;
            return true;
        }
    }
    return to_id(wanted, gid);
}

static bool find(int root, const char *user, const char *group, struct image_user *out,
                 struct err *err)
{
    AUTO_FREE char *passwd = read_beneath(root, "etc/passwd");
    AUTO_FREE char *groups = read_beneath(root, "etc/group");
    char name[128] = "";

    if (!find_user(passwd, user, out, name, sizeof name))
        return err_set(err, ERR_INVALID, "the image has no user %s", LOG_QUOTE(user));
    if (!group)
        find_groups(groups, name, out);
    else if (!find_group(groups, group, &out->gid))
        return err_set(err, ERR_INVALID, "the image has no group %s", LOG_QUOTE(group));
    return true;
}

bool image_user_find(const char *root, const char *user, struct image_user *out, struct err *err)
{
    struct image_user found = {.home = "/"};
    char name[256];
    AUTO_CLOSE int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_set_os(err, ERR_IO, errno, "cannot open %s", root);
    if (!text_copy(name, sizeof name, user && *user ? user : "0"))
        return err_set(err, ERR_INVALID, "the image's user %s is too long", LOG_QUOTE(user));
    char *colon = strchr(name, ':');
    if (colon)
        *colon = '\0';
    if (!find(fd, *name ? name : "0", colon && colon[1] ? colon + 1 : NULL, &found, err))
        return false;
    *out = found;
    return true;
}
