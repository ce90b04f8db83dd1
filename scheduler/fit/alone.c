/* A group of the sku Dedicated has its node to itself: it comes to an empty one, and nobody comes to it. */
#include "scheduler/fit/fit.h"

bool fit_empty(const struct plan_node *node, const struct plan_request *request)
{
    return !request->shape.alone || node->groups == 0;
}

bool fit_shared(const struct plan_node *node, const struct plan_request *request)
{
    return request->shape.alone || node->alone == 0;
}
