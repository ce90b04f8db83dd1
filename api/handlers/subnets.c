/* Subnets are not Berth's. A client that takes one down deletes the association of container groups
 * with it first (§1.18): there is none, as no group is ever in one (501 for subnetIds). */
#include "api/handlers/handlers.h"

bool association_delete(struct request *request, struct err *err UNUSED)
{
    return reply_empty(request, 204);
}
