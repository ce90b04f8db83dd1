/* A group runs in the location it names. */
#include "scheduler/fit/fit.h"

#include <string.h>

bool fit_location(const struct plan_node *node, const struct plan_request *request)
{
    return node->pool == request->pool ||
           strcmp(node->pool->location, request->pool->location) == 0;
}
