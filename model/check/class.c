/* What a group asks for and its runtime class cannot do: refused before it is accepted, not when it runs. */
#include "model/check/inside.h"

#include "model/runtime_class.h"

static void refuse(struct check *check, const char *path, const char *class_name, const char *what)
{
    check_problem(check, ERR_RUNTIME_CLASS, path,
                  "The container group '%.63s' runs with the runtime class '%s', whose containers "
                  "have a kernel of their own: %s.",
                  check->name, class_name, what);
}

static void check_container_class(struct check *check, const struct seat *seat,
                                  const char *class_name)
{
    const struct container_properties *properties = seat->container->properties;
    const struct security_context *security = properties->security;
    const struct resource_requirements *resources = properties->resources;

    if (security && security->privileged.value)
        refuse(check, seat_path(check, seat, "securityContext.privileged"), class_name,
               "a container cannot be privileged on the node's");
    if (security && security->seccomp_profile)
        refuse(check, seat_path(check, seat, "securityContext.seccompProfile"), class_name,
               "it takes no seccomp profile");
    if (resources && resources->requests && resources->requests->gpu)
        refuse(check, seat_path(check, seat, "resources.requests.gpu"), class_name,
               "it does not drive the node's devices");
}

void check_class(struct check *check, const char *class_name)
{
    const struct group_properties *properties = check->group->properties;
    const struct runtime_class *known = runtime_class_known(class_name);

    if (!runtime_class_valid(class_name)) {
        check_problem(check, ERR_RUNTIME_CLASS, "tags." RUNTIME_CLASS_TAG,
                      "The runtime class '%.63s' of container group '%.63s' must be 1 to %d of "
                      "a-z, 0-9 and '-' (e.g. 'runsc').",
                      class_name, check->name, RUNTIME_CLASS_SIZE - 1);
        return;
    }
    if (!known || !known->own_kernel)
        return;
    for (size_t i = 0; i < properties->containers_count; i++)
        check_container_class(check, &(struct seat){&properties->containers[i], "containers", i},
                              class_name);
    for (size_t i = 0; i < properties->init_containers_count; i++)
        check_container_class(check,
                              &(struct seat){&properties->init_containers[i], "initContainers", i},
                              class_name);
}
