#include "node-agent/supervise/health.h"

#include <netinet/in.h>
#include <string.h>

/* ---- readiness ---- */

const struct container_properties *health_container(const struct hosted *group, const char *name)
{
    if (!group->order || !group->order->assignment->group)
        return NULL;
    const struct group_properties *properties = group->order->assignment->group->properties;
    for (size_t i = 0; i < properties->containers_count; i++) {
        if (strcmp(properties->containers[i].name, name) == 0)
            return properties->containers[i].properties;
    }
    return NULL;
}

static bool is_ready(const struct hosted *group, const char *name)
{
    for (size_t i = 0; i < group->members_count; i++) {
        const struct member *member = &group->members[i];
        if (strcmp(member->name, name) == 0)
            return member->health.ready && !member->health.failed;
    }
    return false;
}

/* Without the spec nothing is known to have changed. */
int64_t health_ready(const struct hosted *group)
{
    bool any = false;
    int64_t ready = 0;

    for (size_t i = 0; i < group->members_count; i++)
        any |= group->members[i].health.ready;
    if (!any)
        return 0; /* groups without readiness probes, and most of the others' changes, end here */
    if (!group->order || !group->order->assignment->group)
        return group->served;
    const struct group_properties *properties = group->order->assignment->group->properties;
    for (size_t i = 0; i < properties->containers_count; i++) {
        if (is_ready(group, properties->containers[i].name))
            ready |= INT64_C(1) << i;
    }
    return ready;
}

static bool declares(const struct container_properties *container,
                     const struct container_port *port)
{
    for (size_t i = 0; i < container->ports_count; i++) {
        bool udp = container->ports[i].protocol == PROTOCOL_UDP;
        if (container->ports[i].port == port->port && udp == (port->protocol == PROTOCOL_UDP))
            return true;
    }
    return false;
}

/* One of those that declare it is enough; and so is that nobody does. */
static bool in_service(const struct group_properties *properties, int64_t ready,
                       const struct container_port *port)
{
    bool declared = false;

    for (size_t i = 0; i < properties->containers_count; i++) {
        const struct container_properties *container = properties->containers[i].properties;
        if (!declares(container, port))
            continue;
        declared = true;
        if (!container->readiness || ready >> i & 1)
            return true;
    }
    return !declared;
}

size_t health_ports(const struct group_properties *properties, int64_t ready,
                    struct network_port ports[LIMIT_ADDRESS_PORTS_MAX])
{
    const struct group_address *address = properties->address;
    size_t count = 0;

    for (size_t i = 0; address && i < address->ports_count; i++) {
        const struct container_port *port = &address->ports[i];
        if (count < LIMIT_ADDRESS_PORTS_MAX && in_service(properties, ready, port))
            ports[count++] = (struct network_port){
                .protocol = port->protocol == PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP,
                .port = (uint16_t)port->port};
    }
    return count;
}

/* ---- liveness ---- */

bool health_ended(const struct hosted *group, struct member *member)
{
    bool failed = member->health.failed;

    member->health.ready = member->health.failed = false;
    member->health.kill_ms = 0;
    return failed && group->stage != STAGE_ENDING && group->policy != RESTART_NEVER;
}

/* ---- what is next ---- */

/* Nobody is ended who could not be started again now. */
static bool wants_end(const struct member *member, bool leased)
{
    return leased && member->health.failed && member->phase == MEMBER_RUNNING &&
           !member->health.ending;
}

struct plan health_plan(const struct hosted *group, int64_t now_ms, bool leased)
{
    struct plan none = {.step = PLAN_NONE};

    if (!group->serving && health_ready(group) != group->served) {
        if (group->serve_ms <= now_ms)
            return (struct plan){.step = PLAN_OPEN};
        none.wake_ms = group->serve_ms; /* the last try failed */
    }
    for (size_t i = 0; i < group->members_count; i++) {
        const struct member *member = &group->members[i];
        if (!wants_end(member, leased))
            continue;
        if (member->health.kill_ms <= now_ms)
            return (struct plan){.step = PLAN_KILL, .member = i};
        if (none.wake_ms == 0 || member->health.kill_ms < none.wake_ms)
            none.wake_ms = member->health.kill_ms;
    }
    return none;
}
