/* milli-CPU: the sum of the containers' requests is held, used or not. */
#include "scheduler/fit/fit.h"

bool fit_cpu(const struct plan_node *node, const struct plan_request *request)
{
    return node->capacity.cpu_milli - node->used.cpu_milli >= request->shape.cpu_milli;
}
