/* Public groups of a location without a pool share the address of their node, where it has one: a port of it leads to
 * one of them. */
#include "scheduler/fit/fit.h"

bool fit_ports(const struct plan_node *node, const struct plan_request *request)
{
    return node->shares_nothing || ports_are_free(&node->ports, &request->shape.ports);
}
