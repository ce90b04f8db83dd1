/* A group that names a runtime class needs a node that has it. */
#include "scheduler/fit/fit.h"

bool fit_class(const struct plan_node *node, const struct plan_request *request)
{
    return !request->shape.runtime_class[0] ||
           runtime_classes_have(node->classes, request->shape.runtime_class);
}
