/* A node that empties for a group that waited long takes no other. */
#include "scheduler/fit/fit.h"

bool fit_kept(const struct plan_node *node, const struct plan_request *request)
{
    return node->kept_for == 0 || node->kept_for == request->group_key;
}
