/* Subnets are not Berth's: to groups one is a name that those in it have in common. A client that takes one down
 * deletes the association of container groups with it first (§1.18): nothing of ours keeps it. */
#include "api/handlers/handlers.h"

bool association_delete(struct request *request, struct err *err UNUSED)
{
    return reply_empty(request, 204);
}
