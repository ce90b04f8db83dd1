/* Ports: one space for the whole group, because its containers share one network (aci/features.md §7.13, §12). */
#include "model/group_check_inside.h"

/* The ports of one space: an open hash table, twice as large as there are ports. */
struct ports_seen {
    uint32_t *slots; /* 0: free */
    size_t mask;
};

static bool ports_init(struct ports_seen *seen, size_t count, struct arena *arena)
{
    size_t size = 8;
    while (size < count * 2)
        size *= 2;
    *seen = (struct ports_seen){arena_array(arena, size, sizeof *seen->slots), size - 1};
    return seen->slots;
}

/* False: it was there. */
static bool ports_add(struct ports_seen *seen, const struct container_port *port)
{
    uint32_t key = (uint32_t)port->port | (uint32_t)(port->protocol == PROTOCOL_UDP) << 16;
    size_t at = key * 2654435761u >> 8;

    for (; seen->slots[at & seen->mask] != 0; at++) {
        if (seen->slots[at & seen->mask] == key)
            return false;
    }
    seen->slots[at & seen->mask] = key;
    return true;
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

static size_t container_ports_count(const struct group_properties *properties)
{
    size_t count = 0;

    for (size_t i = 0; i < properties->containers_count; i++) {
        if (properties->containers[i].properties)
            count += properties->containers[i].properties->ports_count;
    }
    return count;
}

static void check_address_ports(struct check *check, const struct group_address *address,
                                struct ports_seen *seen)
{
    for (size_t i = 0; i < address->ports_count; i++) {
        const struct container_port *port = &address->ports[i];
        const char *path = check_path(check, "properties.ipAddress.ports[%zu].port", i);
        if (check_port_range(check, port->port, path, NULL) && !ports_add(seen, port))
            check_problem(
                check, ERR_PORT_DUPLICATE, path,
                "The port '%lld' appears twice in the 'ipAddress' of container group '%s'.",
                (long long)port->port, check->name);
    }
}

void check_ports(struct check *check)
{
    const struct group_properties *properties = check->group->properties;
    const struct group_address *address = properties->address;
    struct arena *arena = check->problems->arena;
    struct ports_seen seen, address_seen;

    if (!ports_init(&seen, container_ports_count(properties), arena) ||
        !ports_init(&address_seen, address ? address->ports_count : 0, arena)) {
        check_problem(check, ERR_BUSY, "", "The server has no memory for this request.");
        return;
    }
    for (size_t i = 0; i < properties->containers_count; i++)
        check_container_ports(check, i, &seen);
    if (address)
        check_address_ports(check, address, &address_seen);
}
