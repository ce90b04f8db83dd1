/* A group that names local disks goes where they are: another node would give it empty ones. */
#include "scheduler/fit/fit.h"

bool fit_disk(const struct plan_node *node, const struct plan_request *request)
{
    return request->disk_node == 0 || node->key == request->disk_node;
}
