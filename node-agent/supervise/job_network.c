/* The network of a group as its spec asks for it: names, resolver, open ports. */
#include "node-agent/supervise/job_steps.h"

#include "node-agent/supervise/health.h"

bool job_network_open(struct job *job, struct err *err)
{
    struct network_port ports[LIMIT_ADDRESS_PORTS_MAX];
    size_t count = health_ports(job->order->assignment->group->properties, job->ready, ports);

    return network_group_open(job->jobs->parts.network, job->uid, ports, count, err);
}

/* Published, or reached within its node alone. Nobody is ready yet. */
static bool expose(struct job *job, const struct assignment *assignment, struct err *err)
{
    const struct group_properties *properties = assignment->group->properties;
    const struct group_address *address = properties->address;
    struct network_port ports[LIMIT_ADDRESS_PORTS_MAX];
    struct network_exposure exposure = {
        .ports = ports,
        .ports_count = health_ports(properties, job->ready, ports),
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
    struct network_spec spec = {
        .uid = job->uid, .hostname = assignment->name, .own_users = job->users.first != 0};

    if (dns) {
        spec.dns_servers = dns->name_servers.items;
        spec.dns_servers_count = dns->name_servers.count;
        spec.dns_search = dns->search_domains;
        spec.dns_options = dns->options;
    }
    return network_group_up(job->jobs->parts.network, &spec, &group, err) &&
           expose(job, assignment, err) && job_identity_open(job->jobs, job->uid, assignment, err);
}
