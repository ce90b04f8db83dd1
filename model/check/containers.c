/* Containers and init containers: names, images, commands, environment (aci/features.md §7, §15, §23). */
#include "model/check/inside.h"

#include "model/image_reference.h"

#include <string.h>

static void check_container_name(struct check *check, const struct seat *seat)
{
    if (!container_name_valid(seat->container->name))
        check_problem(check, ERR_CONTAINER_NAME,
                      check_path(check, "properties.%s[%zu].name", seat->list, seat->index),
                      "The container name '%.100s' in container group '%.63s' is invalid. The "
                      "container name must contain no more than 63 characters and must match the "
                      "regex '[a-z0-9]([-a-z0-9]*[a-z0-9])?' (e.g. 'my-name').",
                      seat->container->name, check->name);
}

static void check_image(struct check *check, const struct seat *seat)
{
    const char *image = seat->container->properties->image;
    struct image_reference reference;
    struct err err = {0};

    if (!image && !check->group->properties->profile)
        check_problem(check, ERR_IMAGE_REFERENCE, seat_path(check, seat, "image"),
                      "The image is not specified in container '%.63s' of container group '%.63s'.",
                      seat->container->name, check->name);
    else if (image && !image_reference_parse(image, &reference, &err))
        check_problem(check, ERR_IMAGE_REFERENCE, seat_path(check, seat, "image"),
                      "The image name '%.160s' in container '%.63s' of container group '%.63s' is "
                      "invalid: %.160s",
                      image, seat->container->name, check->name, err.text);
}

static void check_command(struct check *check, const struct seat *seat)
{
    const struct text_list *command = &seat->container->properties->command;

    if (command->count > 0 && !command->items[0][0])
        check_problem(check, ERR_COMMAND, seat_path(check, seat, "command[0]"),
                      "The command of container '%.63s' in container group '%.63s' begins with an "
                      "empty text: nothing can be run.",
                      seat->container->name, check->name);
    for (size_t i = 0; i < command->count; i++) {
        size_t size = strlen(command->items[i]);
        if (size > (size_t)LIMIT_ENVIRONMENT_ENTRY_MAX)
            check_problem(check, ERR_COMMAND, seat_path(check, seat, "command[%zu]", i),
                          "An argument of container '%.63s' in container group '%.63s' has %zu "
                          "bytes; the limit is %d.",
                          seat->container->name, check->name, size, LIMIT_ENVIRONMENT_ENTRY_MAX);
    }
}

/* ---- environment ---- */

static void check_variable_size(struct check *check, const struct seat *seat,
                                const struct environment_variable *variable, size_t index)
{
    const char *value = variable->value ? variable->value : variable->secure_value;
    size_t size = strlen(variable->name) + 1 + (value ? strlen(value) : 0);

    if (size > (size_t)LIMIT_ENVIRONMENT_ENTRY_MAX)
        check_problem(check, ERR_ENVIRONMENT_VARIABLE,
                      seat_path(check, seat, "environmentVariables[%zu]", index),
                      "The environment variable '%.63s' in container '%.63s' of container group "
                      "'%.63s' has %zu bytes, name and '=' included; the limit is %d.",
                      variable->name, seat->container->name, check->name, size,
                      LIMIT_ENVIRONMENT_ENTRY_MAX);
}

static void check_variable(struct check *check, const struct seat *seat, size_t index)
{
    const struct environment_variable *variable = &seat->container->properties->environment[index];
    int values = !!variable->value + !!variable->secure_value + !!variable->secure_value_reference;

    if (!variable->name)
        return; /* told as missing by its table */
    if (!word_variable(variable->name))
        check_problem(
            check, ERR_ENVIRONMENT_VARIABLE,
            seat_path(check, seat, "environmentVariables[%zu].name", index),
            "The environment variable name in container '%.63s' of container group '%.63s' is "
            "invalid. A valid environment variable name must start with alphabetic character or "
            "'_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or "
            "'MY_NAME',  or 'MyName').",
            seat->container->name, check->name);
    if (values > 1)
        check_problem(check, ERR_ENVIRONMENT_VARIABLE,
                      seat_path(check, seat, "environmentVariables[%zu]", index),
                      "The environment variable '%.63s' in container '%.63s' of container group "
                      "'%.63s' must have only one of 'value', 'secureValue' and "
                      "'secureValueReference'.",
                      variable->name, seat->container->name, check->name);
    check_variable_size(check, seat, variable, index);
    if (variable->secure_value_reference)
        check_reference(
            check, seat_path(check, seat, "environmentVariables[%zu].secureValueReference", index),
            variable->secure_value_reference);
}

static void check_config_map(struct check *check, const struct seat *seat)
{
    const struct config_map *map = seat->container->properties->config_map;

    for (size_t i = 0; map && i < map->pairs.count; i++) {
        if (!word_file_name(map->pairs.items[i].key) ||
            strncmp(map->pairs.items[i].key, "..", 2) == 0) /* the node's own names */
            check_problem(check, ERR_CONFIG_MAP, seat_path(check, seat, "configMap.keyValuePairs"),
                          "The key '%.100s' of the configMap in container '%.63s' of container "
                          "group '%.63s' is no name of a file.",
                          map->pairs.items[i].key, seat->container->name, check->name);
    }
}

/* ---- all of them ---- */

static void check_one(struct check *check, const struct seat *seat)
{
    if (!seat->container->name || !seat->container->properties)
        return; /* told as missing by their table */
    check_container_name(check, seat);
    check_image(check, seat);
    check_command(check, seat);
    for (size_t i = 0; i < seat->container->properties->environment_count; i++)
        check_variable(check, seat, i);
    check_config_map(check, seat);
    check_mounts(check, seat);
    check_probes(check, seat);
    check_security(check, seat);
}

struct seat seat_at(const struct group_properties *properties, size_t index)
{
    size_t first = properties->init_containers_count;
    bool init = index < first;

    return (struct seat){group_container_at(properties, index),
                         init ? "initContainers" : "containers", init ? index : index - first};
}

static void check_duplicate(struct check *check, size_t index)
{
    struct seat seat = seat_at(check->group->properties, index);

    for (size_t i = 0; seat.container->name && i < index; i++) {
        const char *other = seat_at(check->group->properties, i).container->name;
        if (!other || strcmp(seat.container->name, other) != 0)
            continue;
        check_problem(check, ERR_CONTAINER_DUPLICATE,
                      check_path(check, "properties.%s[%zu].name", seat.list, seat.index),
                      "Duplicate container names '%.63s' are found in container group '%.63s'.",
                      seat.container->name, check->name);
        return;
    }
}

void check_containers(struct check *check)
{
    const struct group_properties *properties = check->group->properties;
    size_t count = group_containers_total(properties);

    if (properties->containers_count == 0)
        check_problem(check, ERR_CONTAINER_COUNT, "properties.containers",
                      "The container group '%.63s' must have at least one container.", check->name);
    if (count > (size_t)LIMIT_CONTAINERS_MAX)
        check_problem(check, ERR_CONTAINER_COUNT, "properties.containers",
                      "The container group '%.63s' has %zu containers, init containers included; "
                      "the limit is %d.",
                      check->name, count, LIMIT_CONTAINERS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct seat seat = seat_at(properties, i);
        check_duplicate(check, i);
        check_one(check, &seat);
    }
}
