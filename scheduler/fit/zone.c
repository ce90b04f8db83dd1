/* A group that names a zone runs on nodes of that zone. */
#include "scheduler/fit/fit.h"

#include <string.h>

bool fit_zone(const struct plan_node *node, const struct plan_request *request)
{
    return !request->shape.zone[0] || strcmp(node->zone, request->shape.zone) == 0;
}
