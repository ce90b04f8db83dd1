/* Volumes and their mounts (aci/features.md §14). That each volume is of exactly one kind is said by its
 * table. */
#include "model/check/inside.h"
#include "model/empty_dir.h"

#include <string.h>

static void refuse(struct check *check, size_t index, const char *member, const char *why)
{
    const struct volume *volume = &check->group->properties->volumes[index];

    check_problem(check, ERR_VOLUME, check_path(check, "properties.volumes[%zu].%s", index, member),
                  "The volume '%.63s' in container group '%.63s' is invalid: %s.", volume->name,
                  check->name, why);
}

static void check_volume_name(struct check *check, size_t index)
{
    const struct volume *volumes = check->group->properties->volumes;

    if (!word_hyphened(volumes[index].name, 5, 63, false))
        check_problem(check, ERR_VOLUME, LIST_PATH(check, "volumes", index, ".name"),
                      "The volume name '%.100s' in container group '%.63s' is invalid. It must "
                      "have 5 to 63 lower-case letters, digits or hyphens, no hyphen first, last "
                      "or doubled.",
                      volumes[index].name, check->name);
    for (size_t i = 0; i < index; i++) {
        if (!volumes[i].name || strcmp(volumes[i].name, volumes[index].name) != 0)
            continue;
        check_problem(check, ERR_VOLUME_DUPLICATE, LIST_PATH(check, "volumes", index, ".name"),
                      "Duplicate volumes '%.63s' are found.", volumes[index].name);
        return;
    }
}

/* ---- the kinds ---- */

static void check_empty_dir(struct check *check, size_t index)
{
    struct empty_dir empty_dir;
    const char *fault =
        empty_dir_parse(&check->group->properties->volumes[index].empty_dir, &empty_dir);

    if (fault)
        refuse(check, index, "emptyDir", fault);
}

static void check_azure_file(struct check *check, size_t index)
{
    const struct azure_file_volume *file = check->group->properties->volumes[index].azure_file;

    if (file->share_name && !word_hyphened(file->share_name, 3, 63, false))
        refuse(check, index, "azureFile.shareName",
               "the name of a share has 3 to 63 lower-case letters, digits or hyphens, no hyphen "
               "first, last or doubled");
    if (file->account_name && (!word_hyphened(file->account_name, 3, 24, false) ||
                               strchr(file->account_name, '-') != NULL))
        refuse(check, index, "azureFile.storageAccountName",
               "the name of a storage account has 3 to 24 lower-case letters or digits");
    if (!file->account_key == !file->account_key_reference)
        refuse(check, index, "azureFile.storageAccountKey",
               "it needs one of 'storageAccountKey' and 'storageAccountKeyReference'");
    else if (file->account_key && (!file->account_key[0] || !word_base64(file->account_key)))
        refuse(check, index, "azureFile.storageAccountKey", "the key is not base64");
    if (file->account_key_reference)
        check_reference(check,
                        LIST_PATH(check, "volumes", index, ".azureFile.storageAccountKeyReference"),
                        file->account_key_reference);
}

static bool has_parent_step(const char *path)
{
    for (const char *at = path; (at = strstr(at, "..")) != NULL; at += 2) {
        if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
            return true;
    }
    return false;
}

/* Nothing that git could take for an option, a program to run or a path of the node. Whether a node clones from
 * file:// is its own setting. */
static bool is_repository(const char *address)
{
    static const char *const begins[] = {"https://", "http://", "git://", "file:///"};

    for (size_t i = 0; i < COUNT_OF(begins); i++) {
        size_t size = strlen(begins[i]);
        if (strncasecmp(address, begins[i], size) == 0)
            return address[size] && !strchr("/:?#", address[size]) && word_plain(address);
    }
    return false;
}

static void check_git(struct check *check, size_t index)
{
    const struct git_volume *git = check->group->properties->volumes[index].git;

    if (git->directory && (strstr(git->directory, "..") || !word_plain(git->directory)))
        refuse(check, index, "gitRepo.directory",
               "the directory must not contain '..' or control characters");
    else if (git->directory && git->directory[0] == '/')
        refuse(check, index, "gitRepo.directory", "the directory is relative to the volume");
    if (git->repository && !is_repository(git->repository))
        refuse(check, index, "gitRepo.repository",
               "the repository is the address of a git repository, https://, http:// or git://");
    if (git->revision && (git->revision[0] == '-' || !word_plain(git->revision)))
        refuse(check, index, "gitRepo.revision", "the revision is a commit, a tag or a branch");
}

static void check_file_names(struct check *check, size_t index, const struct text_map *files,
                             const char *member)
{
    for (size_t i = 0; i < files->count; i++) {
        if (!word_file_name(files->items[i].key))
            refuse(check, index, member, "each of its names must be the name of a file");
    }
}

/* No word of a secret's value is repeated. */
static void check_secret(struct check *check, size_t index)
{
    const struct text_map *files = &check->group->properties->volumes[index].secret;

    check_file_names(check, index, files, "secret");
    for (size_t i = 0; i < files->count; i++) {
        if (!word_base64(files->items[i].value))
            check_problem(check, ERR_VOLUME, LIST_PATH(check, "volumes", index, ".secret"),
                          "The volume '%.63s' in container group '%.63s' is invalid: the value of "
                          "its secret '%.63s' is not base64.",
                          check->group->properties->volumes[index].name, check->name,
                          files->items[i].key);
    }
}

static void check_secret_reference(struct check *check, size_t index)
{
    const struct text_map *files = &check->group->properties->volumes[index].secret_reference;

    check_file_names(check, index, files, "secretReference");
    for (size_t i = 0; i < files->count; i++)
        check_reference(check, LIST_PATH(check, "volumes", index, ".secretReference"),
                        files->items[i].value);
}

void check_volumes(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->volumes_count; i++) {
        const struct volume *volume = &properties->volumes[i];
        if (!volume->name)
            continue; /* told as missing by its table */
        check_volume_name(check, i);
        if (volume->azure_file)
            check_azure_file(check, i);
        if (volume->git)
            check_git(check, i);
        if (volume->empty_dir.text)
            check_empty_dir(check, i);
        check_secret(check, i);
        check_secret_reference(check, i);
    }
    check_disks(check);
}

/* ---- mounts ---- */

static bool volume_known(const struct check *check, const char *name)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->volumes_count; i++) {
        if (properties->volumes[i].name && strcmp(properties->volumes[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool is_at_or_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);

    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static const char *mount_path_fault(const char *path)
{
    if (path[0] != '/' || strchr(path, ':'))
        return "must be absolute and must not contain ':'";
    if (has_parent_step(path) || !word_plain(path))
        return "must not contain '..' or control characters";
    if (path[strspn(path, "/.")] == '\0' || is_at_or_below(path, "/proc") ||
        is_at_or_below(path, "/sys") || strcmp(path, "/dev") == 0)
        return "is the container's own";
    return NULL;
}

/* The same place, whatever slashes end it. */
static bool same_place(const char *left, const char *right)
{
    size_t left_size = strlen(left), right_size = strlen(right);

    while (left_size > 1 && left[left_size - 1] == '/')
        left_size--;
    while (right_size > 1 && right[right_size - 1] == '/')
        right_size--;
    return left_size == right_size && memcmp(left, right, left_size) == 0;
}

static void check_mount_path(struct check *check, const struct seat *seat, size_t index)
{
    const struct volume_mount *mounts = seat->container->properties->mounts;
    const char *fault = mount_path_fault(mounts[index].mount_path);

    if (fault)
        check_problem(check, ERR_VOLUME_MOUNT,
                      seat_path(check, seat, "volumeMounts[%zu].mountPath", index),
                      "The mount path '%.200s' in container '%.63s' of container group '%.63s' %s.",
                      mounts[index].mount_path, seat->container->name, check->name, fault);
    for (size_t i = 0; i < index; i++) {
        if (!mounts[i].mount_path || !same_place(mounts[i].mount_path, mounts[index].mount_path))
            continue;
        check_problem(check, ERR_VOLUME_MOUNT,
                      seat_path(check, seat, "volumeMounts[%zu].mountPath", index),
                      "Two volumes are mounted at '%.200s' in container '%.63s' of container group "
                      "'%.63s'.",
                      mounts[index].mount_path, seat->container->name, check->name);
        return;
    }
}

void check_mounts(struct check *check, const struct seat *seat)
{
    const struct container_properties *properties = seat->container->properties;

    for (size_t i = 0; i < properties->mounts_count; i++) {
        const struct volume_mount *mount = &properties->mounts[i];
        if (mount->name && !volume_known(check, mount->name))
            check_problem(check, ERR_VOLUME_MOUNT,
                          seat_path(check, seat, "volumeMounts[%zu].name", i),
                          "The volume mount '%.63s' in container '%.63s' of container group "
                          "'%.63s' names no volume of the group.",
                          mount->name, seat->container->name, check->name);
        if (mount->mount_path)
            check_mount_path(check, seat, i);
    }
}
