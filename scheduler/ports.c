/* A handful for each node: a plain list, looked at only for groups that ask for ports. */
#include "scheduler/ports.h"

#include <stdlib.h>

void ports_done(struct taken_ports *taken)
{
    free(taken->items);
    *taken = (struct taken_ports){0};
}

static struct taken_port *find(const struct taken_ports *taken, uint32_t item)
{
    for (uint32_t i = 0; i < taken->count; i++)
        if (taken->items[i].item == item)
            return &taken->items[i];
    return NULL;
}

static void add(struct taken_ports *taken, uint32_t item)
{
    if (taken->count == taken->max) {
        uint32_t wanted = taken->max ? taken->max * 2 : 8;
        struct taken_port *items = realloc(taken->items, wanted * sizeof *items);
        if (!items)
            return;
        taken->items = items;
        taken->max = wanted;
    }
    taken->items[taken->count++] = (struct taken_port){item, 1};
}

void ports_take(struct taken_ports *taken, const struct port_set *ports)
{
    for (uint32_t i = 0; i < ports->count; i++) {
        struct taken_port *known = find(taken, ports->items[i]);
        if (known)
            known->times++;
        else
            add(taken, ports->items[i]);
    }
}

void ports_give(struct taken_ports *taken, const struct port_set *ports)
{
    for (uint32_t i = 0; i < ports->count; i++) {
        struct taken_port *known = find(taken, ports->items[i]);
        if (known && --known->times == 0)
            *known = taken->items[--taken->count];
    }
}

bool ports_are_free(const struct taken_ports *taken, const struct port_set *ports)
{
    for (uint32_t i = 0; i < ports->count; i++)
        if (find(taken, ports->items[i]))
            return false;
    return true;
}
