/* Graphics processors are given whole, and never twice. */
#include "scheduler/fit/fit.h"

bool fit_gpu(const struct plan_node *node, const struct plan_request *request)
{
    return gpus_fit(request->shape.gpus, node->capacity.gpus, node->used.gpus);
}

bool fit_gpu_size(const struct plan_node *node, const struct plan_request *request)
{
    return gpus_fit(request->shape.gpus, node->capacity.gpus, 0);
}
