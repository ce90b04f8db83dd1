/* Ports: one space for the whole group, because its containers share one network (aci/features.md §7.13, §12). */
#include "model/group_check_inside.h"

enum { PORTS = 65536 };

/* One bit for each port of a protocol. */
struct ports_seen {
    uint8_t bits[2][PORTS / 8];
};

static bool ports_add(struct ports_seen *seen, const struct container_port *port)
{
    uint8_t *byte = &seen->bits[port->protocol == PROTOCOL_UDP][port->port / 8];
    uint8_t bit = (uint8_t)(1u << (port->port % 8));
    bool fresh = (*byte & bit) == 0;

    *byte |= bit;
    return fresh;
}

static bool check_port_range(struct check *check, int64_t port, const char *path,
                             const char *container)
{
    if (port >= 1 && port <= 65535)
        return true;
    if (container)
        return check_problem(check, ERR_PORTS, path,
                             "The ports '%lld' are invalid for container '%s' in container group "
                             "'%s'. The port must be "
                             "beteween 1 and 65535.",
                             (long long)port, container, check->name);
    return check_problem(check, ERR_PORTS, path,
                         "The ports '%lld' are invalid in the 'ipAddress' of container group '%s'. "
                         "The port must be beteween 1 "
                         "and 65535.",
                         (long long)port, check->name);
}

static void check_container_ports(struct check *check, size_t index, struct ports_seen *seen)
{
    const struct container *container = &check->group->properties->containers[index];

    if (!container->name || !container->properties)
        return;
    for (size_t i = 0; i < container->properties->ports_count; i++) {
        const struct container_port *port = &container->properties->ports[i];
        const char *path =
            check_path(check, "properties.containers[%zu].properties.ports[%zu].port", index, i);
        if (check_port_range(check, port->port, path, container->name) && !ports_add(seen, port))
            check_problem(check, ERR_PORT_DUPLICATE, path,
                          "The port '%lld/%s' of container '%s' in container group '%s' is taken: "
                          "the containers of a group share "
                          "one network, so a port can be used once.",
                          (long long)port->port, protocol_words[port->protocol == PROTOCOL_UDP],
                          container->name, check->name);
    }
}

void check_ports(struct check *check)
{
    const struct group_properties *properties = check->group->properties;
    struct ports_seen *seen = arena_alloc(check->problems->arena, sizeof *seen);
    struct ports_seen *address_seen = arena_alloc(check->problems->arena, sizeof *address_seen);

    if (!seen || !address_seen) {
        check_problem(check, ERR_BUSY, "", "The server has no memory for this request.");
        return;
    }
    for (size_t i = 0; i < properties->containers_count; i++)
        check_container_ports(check, i, seen);
    for (size_t i = 0; properties->address && i < properties->address->ports_count; i++) {
        const struct container_port *port = &properties->address->ports[i];
        const char *path = check_path(check, "properties.ipAddress.ports[%zu].port", i);
        if (check_port_range(check, port->port, path, NULL) && !ports_add(address_seen, port))
            check_problem(
                check, ERR_PORT_DUPLICATE, path,
                "The port '%lld' appears twice in the 'ipAddress' of container group '%s'.",
                (long long)port->port, check->name);
    }
}
