/* Containers share the kernel of their node, so both are of one system. */
#include "scheduler/fit/fit.h"

bool fit_os(const struct plan_node *node, const struct plan_request *request)
{
    return node->pool->os == request->pool->os;
}
