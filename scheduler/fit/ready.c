/* A node without a lease may be dead: nothing new goes there. */
#include "scheduler/fit/fit.h"

bool fit_ready(const struct plan_node *node, const struct plan_request *request)
{
    (void)request;
    return node->ready;
}
