/* What a location must allow before a group may ask for it: rights over the node that runs it. */
#include "model/check/inside.h"

#include "model/capability.h"
#include "model/runtime_class.h"

static void check_privileged(struct check *check, const struct seat *seat, const char *location)
{
    check_problem(check, ERR_SECURITY_CONTEXT, seat_path(check, seat, "securityContext.privileged"),
                  "The container '%.63s' of container group '%.63s' cannot be privileged: location "
                  "'%.90s' does not allow it (setting 'privileged_locations').",
                  seat->container->name, check->name, location);
}

static void check_added(struct check *check, const struct seat *seat, const char *location)
{
    const struct text_list *added = &seat->container->properties->security->capabilities->add;

    for (size_t i = 0; i < added->count; i++) {
        int number = capability_find(added->items[i]);
        if (number != CAPABILITY_NONE && !(CAPABILITY_BIT(number) & capabilities_of_node()))
            continue;
        check_problem(check, ERR_SECURITY_CONTEXT,
                      seat_path(check, seat, "securityContext.capabilities.add[%zu]", i),
                      "The container '%.63s' of container group '%.63s' cannot have the capability "
                      "'%.63s', which reaches beyond the container: location '%.90s' does not "
                      "allow it (setting 'privileged_locations').",
                      seat->container->name, check->name, added->items[i], location);
    }
}

static void check_container(struct check *check, const struct seat *seat, const char *location)
{
    const struct security_context *security = seat->container->properties->security;

    if (security && security->privileged.value)
        check_privileged(check, seat, location);
    else if (security && security->capabilities)
        check_added(check, seat, location);
}

const char *group_runtime_class(const struct container_group *group,
                                const struct group_permits *permits)
{
    const char *named = runtime_class_of(group);
    return named ? named : permits->runtime_class;
}

static void check_rights(struct check *check, const char *location)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->containers_count; i++)
        check_container(check, &(struct seat){&properties->containers[i], "containers", i},
                        location);
    for (size_t i = 0; i < properties->init_containers_count; i++)
        check_container(check, &(struct seat){&properties->init_containers[i], "initContainers", i},
                        location);
}

bool group_check_allowed(const char *name, const struct container_group *group,
                         const struct group_permits *permits, struct problems *problems)
{
    struct check check = {.name = name, .group = group, .problems = problems};
    const char *class_name = group_runtime_class(group, permits);
    size_t before = problems->count + problems->more;

    if (!permits->privileged)
        check_rights(&check, permits->location);
    if (class_name)
        check_class(&check, class_name);
    return problems->count + problems->more == before;
}
