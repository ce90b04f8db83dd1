/* The rules in the order of the document: group, containers, resources, ports, volumes, registries, address.
 * Messages are ACI's own where it has them (aci/features.md §24); the arithmetic is ours. */
#include "model/group_check.h"

#include "base/limits.h"
#include "model/group_check_inside.h"
#include "model/image_reference.h"
#include "model/tags_check.h"

#include <ctype.h>
#include <string.h>

bool check_problem(struct check *check, enum err_code code, const char *path, const char *format,
                   ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    text_format_v(text, sizeof text, format, arguments);
    va_end(arguments);
    return problem_add(check->problems, code, path, "%s", text);
}

const char *check_path(struct check *check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_format_v(check->path, sizeof check->path, format, arguments);
    va_end(arguments);
    return check->path;
}

/* ---- names ---- */

static bool lower_or_digit(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
}

/* Lower-case letters, digits and hyphens, none of them first or last. */
static bool hyphened_name(const char *name, size_t size_min, size_t size_max, bool doubled)
{
    size_t size = strlen(name);

    if (size < size_min || size > size_max || name[0] == '-' || name[size - 1] == '-')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '-' ? !doubled && name[i + 1] == '-' : !lower_or_digit(name[i]))
            return false;
    }
    return true;
}

bool group_name_valid(const char *name)
{
    return hyphened_name(name, 1, (size_t)LIMIT_GROUP_NAME_MAX, false);
}

bool container_name_valid(const char *name)
{
    return hyphened_name(name, 1, (size_t)LIMIT_GROUP_NAME_MAX, true);
}

bool resource_group_name_valid(const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || size > (size_t)LIMIT_RESOURCE_GROUP_NAME_MAX || name[size - 1] == '.')
        return false;
    for (const char *at = name; *at; at++) {
        if (!isalnum((unsigned char)*at) && !strchr("-_.()", *at))
            return false;
    }
    return true;
}

static bool label_valid(const char *label)
{
    return hyphened_name(label, 5, 63, true) && label[0] >= 'a' && label[0] <= 'z';
}

static bool variable_name_valid(const char *name)
{
    if (!isalpha((unsigned char)name[0]) && name[0] != '_')
        return false;
    for (const char *at = name; *at; at++) {
        if (!isalnum((unsigned char)*at) && *at != '_')
            return false;
    }
    return true;
}

/* ---- containers ---- */

static void check_environment(struct check *check, const struct container *container,
                              const char *list, size_t index)
{
    const struct container_properties *properties = container->properties;

    for (size_t i = 0; i < properties->environment_count; i++) {
        const struct environment_variable *variable = &properties->environment[i];
        if (!variable->name)
            continue; /* told as missing by its table */
        if (!variable_name_valid(variable->name))
            check_problem(
                check, ERR_ENVIRONMENT_VARIABLE,
                check_path(check, "properties.%s[%zu].properties.environmentVariables[%zu].name",
                           list, index, i),
                "The environment variable name in container '%s' of container group '%s' is "
                "invalid. A valid "
                "environment variable name must start with alphabetic character or '_', followed "
                "by a string of "
                "alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName').",
                container->name, check->name);
        if (variable->value && variable->secure_value)
            check_problem(check, ERR_ENVIRONMENT_VARIABLE,
                          check_path(check,
                                     "properties.%s[%zu].properties.environmentVariables[%zu]",
                                     list, index, i),
                          "The environment variable '%s' in container '%s' of container group '%s' "
                          "has both a value and a "
                          "secureValue; give one of them.",
                          variable->name, container->name, check->name);
    }
}

static void check_image(struct check *check, const struct container *container, const char *list,
                        size_t index)
{
    struct image_reference reference;
    struct err err = {0};

    if (container->properties->image &&
        !image_reference_parse(container->properties->image, &reference, &err))
        check_problem(
            check, ERR_IMAGE_REFERENCE,
            check_path(check, "properties.%s[%zu].properties.image", list, index),
            "The image name '%.200s' in container '%s' of container group '%s' is invalid: %.200s",
            container->properties->image, container->name, check->name, err.text);
}

static bool mount_known(const struct check *check, const char *name)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->volumes_count; i++) {
        if (properties->volumes[i].name && strcmp(properties->volumes[i].name, name) == 0)
            return true;
    }
    return false;
}

static void check_mounts(struct check *check, const struct container *container, const char *list,
                         size_t index)
{
    const struct container_properties *properties = container->properties;

    for (size_t i = 0; i < properties->mounts_count; i++) {
        const struct volume_mount *mount = &properties->mounts[i];
        if (!mount->name || !mount->mount_path)
            continue;
        if (!mount_known(check, mount->name))
            check_problem(check, ERR_VOLUME_MOUNT,
                          check_path(check, "properties.%s[%zu].properties.volumeMounts[%zu].name",
                                     list, index, i),
                          "The volume mount '%.63s' in container '%s' of container group '%s' "
                          "names no volume of the group.",
                          mount->name, container->name, check->name);
        if (mount->mount_path[0] != '/' || strchr(mount->mount_path, ':'))
            check_problem(check, ERR_VOLUME_MOUNT,
                          check_path(check,
                                     "properties.%s[%zu].properties.volumeMounts[%zu].mountPath",
                                     list, index, i),
                          "The mount path '%.200s' in container '%s' of container group '%s' must "
                          "be absolute and must not "
                          "contain ':'.",
                          mount->mount_path, container->name, check->name);
        for (size_t j = 0; j < i; j++) {
            const char *other = properties->mounts[j].mount_path;
            if (other && strcmp(other, mount->mount_path) == 0)
                check_problem(
                    check, ERR_VOLUME_MOUNT,
                    check_path(check, "properties.%s[%zu].properties.volumeMounts[%zu].mountPath",
                               list, index, i),
                    "Two volumes are mounted at '%.200s' in container '%s' of container group "
                    "'%s'.",
                    mount->mount_path, container->name, check->name);
        }
    }
}

static void check_container_name(struct check *check, const struct container *container,
                                 const char *list, size_t index)
{
    if (!container_name_valid(container->name))
        check_problem(check, ERR_CONTAINER_NAME,
                      check_path(check, "properties.%s[%zu].name", list, index),
                      "The container name '%.100s' in container group '%s' is invalid. The "
                      "container name must contain no more "
                      "than 63 characters and must match the regex '[a-z0-9]([-a-z0-9]*[a-z0-9])?' "
                      "(e.g. 'my-name').",
                      container->name, check->name);
}

static void check_containers(struct check *check, const struct container *containers, size_t count,
                             const char *list)
{
    for (size_t i = 0; i < count; i++) {
        const struct container *container = &containers[i];
        if (!container->name || !container->properties)
            continue; /* told as missing by their table */
        check_container_name(check, container, list, i);
        check_image(check, container, list, i);
        check_environment(check, container, list, i);
        check_mounts(check, container, list, i);
    }
}

static const struct container *container_at(const struct group_properties *properties, size_t index)
{
    return index < properties->init_containers_count
               ? &properties->init_containers[index]
               : &properties->containers[index - properties->init_containers_count];
}

static void check_container_set(struct check *check)
{
    const struct group_properties *properties = check->group->properties;
    size_t count = properties->containers_count + properties->init_containers_count;

    if (properties->containers_count == 0)
        check_problem(check, ERR_CONTAINER_COUNT, "properties.containers",
                      "The container group '%s' must have at least one container.", check->name);
    if (count > (size_t)LIMIT_CONTAINERS_MAX)
        check_problem(check, ERR_CONTAINER_COUNT, "properties.containers",
                      "The container group '%s' has %zu containers, init containers included; the "
                      "limit is %lld.",
                      check->name, count, (long long)LIMIT_CONTAINERS_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *name = container_at(properties, i)->name;
        for (size_t j = 0; name && j < i; j++) {
            const char *other = container_at(properties, j)->name;
            if (other && strcmp(name, other) == 0) {
                bool init = i < properties->init_containers_count;
                check_problem(
                    check, ERR_CONTAINER_DUPLICATE,
                    check_path(check, "properties.%s[%zu].name",
                               init ? "initContainers" : "containers",
                               init ? i : i - properties->init_containers_count),
                    "Duplicate container names '%.63s' are found in container group '%s'.", name,
                    check->name);
                break;
            }
        }
    }
}

/* ---- volumes, registries, address ---- */

static void check_volumes(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->volumes_count; i++) {
        const struct volume *volume = &properties->volumes[i];
        if (!volume->name)
            continue;
        if (!hyphened_name(volume->name, 5, 63, false))
            check_problem(check, ERR_VOLUME, check_path(check, "properties.volumes[%zu].name", i),
                          "The volume name '%.100s' in container group '%s' is invalid. It must "
                          "have 5 to 63 lower-case "
                          "letters, digits or hyphens, no hyphen first, last or doubled.",
                          volume->name, check->name);
        for (size_t j = 0; j < i; j++) {
            if (properties->volumes[j].name &&
                strcmp(properties->volumes[j].name, volume->name) == 0)
                check_problem(check, ERR_VOLUME_DUPLICATE,
                              check_path(check, "properties.volumes[%zu].name", i),
                              "Duplicate volumes '%.63s' are found.", volume->name);
        }
        if (volume->git && volume->git->directory && strstr(volume->git->directory, ".."))
            check_problem(
                check, ERR_VOLUME,
                check_path(check, "properties.volumes[%zu].gitRepo.directory", i),
                "The directory of volume '%.63s' in container group '%s' must not contain '..'.",
                volume->name, check->name);
    }
}

static void check_credentials(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->credentials_count; i++) {
        const struct registry_credential *credential = &properties->credentials[i];
        if (!credential->server)
            continue;
        if (!credential->server[0] || strpbrk(credential->server, "/ \t@"))
            check_problem(check, ERR_REGISTRY_SERVER,
                          check_path(check, "properties.imageRegistryCredentials[%zu].server", i),
                          "The server '%.100s' in the 'imageRegistryCredentials' of container "
                          "group '%s' is invalid. It should "
                          "be a valid host name without protocol.",
                          credential->server, check->name);
        if (!credential->identity && (!credential->password || !credential->password[0]))
            check_problem(check, ERR_REGISTRY_PASSWORD,
                          check_path(check, "properties.imageRegistryCredentials[%zu].password", i),
                          "The password in the 'imageRegistryCredentials' of container group '%s' "
                          "for server '%.100s' cannot "
                          "be empty.",
                          check->name, credential->server);
        for (size_t j = 0; j < i; j++) {
            if (properties->credentials[j].server &&
                text_equal_nocase(properties->credentials[j].server, credential->server))
                check_problem(
                    check, ERR_REGISTRY_SERVER,
                    check_path(check, "properties.imageRegistryCredentials[%zu].server", i),
                    "The server '%.100s' appears twice in the 'imageRegistryCredentials' of "
                    "container group '%s'.",
                    credential->server, check->name);
        }
    }
}

static void check_address(struct check *check)
{
    const struct group_properties *properties = check->group->properties;
    const struct group_address *address = properties->address;

    if (!address)
        return;
    if (address->ports_count == 0)
        check_problem(check, ERR_ADDRESS_PORTS_MISSING, "properties.ipAddress.ports",
                      "The ports in the 'ipAddress' of container group '%s' cannot be empty.",
                      check->name);
    if (address->ports_count > (size_t)LIMIT_ADDRESS_PORTS_MAX)
        check_problem(check, ERR_PORTS, "properties.ipAddress.ports",
                      "The 'ipAddress' of container group '%s' has %zu ports; the limit is %lld.",
                      check->name, address->ports_count, (long long)LIMIT_ADDRESS_PORTS_MAX);
    if (address->type == ADDRESS_PUBLIC && properties->subnets_count > 0)
        check_problem(check, ERR_ADDRESS_TYPE, "properties.ipAddress.type",
                      "IP Address type can't be public when network profile is set.");
    if (address->dns_name_label && !label_valid(address->dns_name_label))
        check_problem(check, ERR_DNS_LABEL, "properties.ipAddress.dnsNameLabel",
                      "The DNS name label '%.63s' in container group '%s' is invalid. It can "
                      "contain only lowercase letters, "
                      "numbers and hyphens. The first character must be a letter. The last "
                      "character must be a letter or "
                      "number. The value must be between 5 and 63 characters long.",
                      address->dns_name_label, check->name);
}

bool group_check(const char *name, const struct container_group *group, struct problems *problems)
{
    struct check check = {.name = name, .group = group, .problems = problems};
    size_t before = problems->count + problems->more;

    if (!group_name_valid(name))
        check_problem(&check, ERR_BAD_NAME, "name",
                      "The container group name '%.100s' is invalid. It must have 1 to 63 "
                      "lower-case letters, digits or "
                      "hyphens, no hyphen first, last or doubled.",
                      name);
    tags_check(&group->tags, "tags", problems);
    if (!group->properties)
        return problems->count + problems->more == before; /* told as missing by its table */
    if (group->properties->os_type < 0)
        check_problem(&check, ERR_OS_TYPE, "properties.osType",
                      "The 'osType' for container group '%s' is invalid. The value must be one of "
                      "'Windows,Linux'.",
                      name);
    check_container_set(&check);
    check_containers(&check, group->properties->init_containers,
                     group->properties->init_containers_count, "initContainers");
    check_containers(&check, group->properties->containers, group->properties->containers_count,
                     "containers");
    check_resources(&check);
    check_ports(&check);
    check_volumes(&check);
    check_credentials(&check);
    check_address(&check);
    return problems->count + problems->more == before;
}
