/* The network of a group as its spec asks for it: names, resolver, open ports. */
#include "node-agent/supervise/job_steps.h"

#include "base/limits.h"

#include <netinet/in.h>

enum { PORTS_MAX = LIMIT_ADDRESS_PORTS_MAX };

static size_t ports_of(const struct group_address *address, struct network_port ports[PORTS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; address && i < address->ports_count && count < PORTS_MAX; i++)
        ports[count++] = (struct network_port){
            .protocol = address->ports[i].protocol == PROTOCOL_UDP ? IPPROTO_UDP : IPPROTO_TCP,
            .port = (uint16_t)address->ports[i].port};
    return count;
}

/* Published, or reached within its node alone. */
static bool expose(struct job *job, const struct assignment *assignment, struct err *err)
{
    const struct group_properties *properties = assignment->group->properties;
    const struct group_address *address = properties->address;
    struct network_port ports[PORTS_MAX];
    struct network_exposure exposure = {
        .ports = ports,
        .ports_count = ports_of(address, ports),
        .is_public = address && address->type == ADDRESS_PUBLIC,
        .public_address = assignment->public_address,
        .subnet = properties->subnets_count > 0 ? properties->subnets[0].id : NULL,
    };

    return network_group_expose(job->jobs->parts.network, job->uid, &exposure, job->address, err);
}

/* A group that was up keeps its network, and what is open follows the newest spec. */
bool job_network_up(struct job *job, const struct assignment *assignment, struct err *err)
{
    const struct group_properties *properties = assignment->group->properties;
    const struct dns_config *dns = properties->dns;
    struct network_group group;
    struct network_spec spec = {.uid = job->uid, .hostname = assignment->name};

    if (dns) {
        spec.dns_servers = dns->name_servers.items;
        spec.dns_servers_count = dns->name_servers.count;
        spec.dns_search = dns->search_domains;
        spec.dns_options = dns->options;
    }
    return network_group_up(job->jobs->parts.network, &spec, &group, err) &&
           expose(job, assignment, err);
}
