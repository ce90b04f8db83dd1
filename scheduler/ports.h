/* Ports that groups have taken of one node's own address, and how often: a group that moves may hold one twice.
 * Threads: one at a time.   Owner: ports_done(); a zeroed one is empty. */
#ifndef SCHEDULER_PORTS_H
#define SCHEDULER_PORTS_H

#include "model/container_group.h"

struct taken_ports {
    struct taken_port {
        uint32_t item, times;
    } * items;
    uint32_t count, max;
};

void ports_done(struct taken_ports *taken);
/* Without memory a port is not noted: its node would refuse the second group, and say why. */
void ports_take(struct taken_ports *taken, const struct port_set *ports);
void ports_give(struct taken_ports *taken, const struct port_set *ports);
bool ports_are_free(const struct taken_ports *taken, const struct port_set *ports);

#endif
