/* MiB: memory is never promised twice. */
#include "scheduler/fit/fit.h"

bool fit_memory(const struct plan_node *node, const struct plan_request *request)
{
    return node->capacity.memory_mib - node->used.memory_mib >= request->shape.memory_mib;
}
