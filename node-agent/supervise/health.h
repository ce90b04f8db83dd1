/* What probes found, as the rest of supervision sees it: which containers are ready, which ports are in service, who is
 * ended for failing its liveness probe.
 *
 *   a container with a readiness probe:  starts out of service --passes--> in service --fails so often--> out of it
 *   one without: in service. A port of the group's address that no container declares: in service.
 *   liveness fails so often:  asked to end (KILL after LIMIT_STOP_GRACE_MS), out of service, started again by policy
 *
 * Threads: any; pure. */
#ifndef SUPERVISE_HEALTH_H
#define SUPERVISE_HEALTH_H

#include "base/limits.h"
#include "node-agent/network/network.h"
#include "node-agent/supervise/plan.h"

/* One bit for each container of the spec that has a readiness probe and passed it. */
int64_t health_ready(const struct hosted *group);
/* The ports in service when those are ready. */
size_t health_ports(const struct group_properties *properties, int64_t ready,
                    struct network_port ports[LIMIT_ADDRESS_PORTS_MAX]);

/* What is to be done about it while the group is up, before anything else is. */
struct plan health_plan(const struct hosted *group, int64_t now_ms, bool leased);

/* A run is over. True when the policy starts it again however it ended: it was ended for its health. */
bool health_ended(const struct hosted *group, struct member *member);

const struct container_properties *health_container(const struct hosted *group, const char *name);

#endif
