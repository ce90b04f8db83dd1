/* Ports: one space for the whole group, because its containers share one network (aci/features.md §7.13, §12). */
#include "model/check/inside.h"

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

/* The slot that holds the port, or the free one where it would stand. */
static uint32_t *ports_slot(const struct ports_seen *seen, uint32_t key)
{
    size_t at = key * 2654435761u >> 8;

    while (seen->slots[at & seen->mask] != 0 && seen->slots[at & seen->mask] != key)
        at++;
    return &seen->slots[at & seen->mask];
}

static uint32_t port_key(const struct container_port *port)
{
    return (uint32_t)port->port | (uint32_t)(port->protocol == PROTOCOL_UDP) << 16;
}

static bool ports_has(const struct ports_seen *seen, const struct container_port *port)
{
    return *ports_slot(seen, port_key(port)) != 0;
}

/* False: it was there. */
static bool ports_add(struct ports_seen *seen, const struct container_port *port)
{
    uint32_t *slot = ports_slot(seen, port_key(port));
    bool is_new = *slot == 0;

    *slot = port_key(port);
    return is_new;
}

static bool port_valid(const struct container_port *port)
{
    return port->port >= 1 && port->port <= 65535;
}

static bool refuse_range(struct check *check, int64_t port, const char *path, const char *container)
{
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

static const char *port_path(struct check *check, size_t container, size_t index)
{
    return check_path(check, "properties.containers[%zu].properties.ports[%zu].port", container,
                      index);
}

static void check_container_ports(struct check *check, size_t index, struct ports_seen *seen)
{
    const struct container *container = &check->group->properties->containers[index];

    if (!container->name || !container->properties)
        return;
    for (size_t i = 0; i < container->properties->ports_count; i++) {
        const struct container_port *port = &container->properties->ports[i];
        if (!port_valid(port))
            refuse_range(check, port->port, port_path(check, index, i), container->name);
        else if (!ports_add(seen, port))
            check_problem(
                check, ERR_PORT_DUPLICATE, port_path(check, index, i),
                "The port '%lld/%s' of container '%s' in container group '%.63s' is taken: "
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

/* Reachable all the same, because the containers share one network: ACI takes it, and so it is said, not
 * refused. */
static void note_unheard(struct check *check, const struct container_port *port)
{
    problem_note(
        check->problems,
        "port %lld/%s of the ipAddress is a port of no container: nothing may listen there",
        (long long)port->port, protocol_words[port->protocol == PROTOCOL_UDP]);
}

static void check_address_ports(struct check *check, const struct group_address *address,
                                const struct ports_seen *of_containers, struct ports_seen *seen)
{
    for (size_t i = 0; i < address->ports_count; i++) {
        const struct container_port *port = &address->ports[i];
        if (!port_valid(port))
            refuse_range(check, port->port,
                         check_path(check, "properties.ipAddress.ports[%zu].port", i), NULL);
        else if (!ports_add(seen, port))
            check_problem(
                check, ERR_PORT_DUPLICATE,
                check_path(check, "properties.ipAddress.ports[%zu].port", i),
                "The port '%lld' appears twice in the 'ipAddress' of container group '%.63s'.",
                (long long)port->port, check->name);
        else if (!ports_has(of_containers, port))
            note_unheard(check, port);
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
        check_address_ports(check, address, &seen, &address_seen);
}
