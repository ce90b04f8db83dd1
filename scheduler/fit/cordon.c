/* An operator closed the node for new groups; those that run there stay. */
#include "scheduler/fit/fit.h"

bool fit_cordon(const struct plan_node *node, const struct plan_request *request)
{
    (void)request;
    return !node->cordoned;
}
