/* What a node could never hold, however empty, it never takes: asked before what changes, so that "too small" and "full"
 * are told apart. */
#include "scheduler/fit/fit.h"

bool fit_size(const struct plan_node *node, const struct plan_request *request)
{
    return node->capacity.cpu_milli >= request->shape.cpu_milli &&
           node->capacity.memory_mib >= request->shape.memory_mib;
}
