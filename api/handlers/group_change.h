/* What a PUT may change of a group that stands, and what such a change asks for. */
#ifndef API_HANDLERS_GROUP_CHANGE_H
#define API_HANDLERS_GROUP_CHANGE_H

#include "api/request.h"

/* ERR_GROUP_UPDATE for each property that may not change (§20.2), naming it with its old and new
 * value. */
bool group_change_check(const char *name, const struct container_group *stands,
                        const struct container_group *sent, struct problems *problems) MUST_CHECK;
/* Nothing but the tags differs: the group keeps running. */
bool group_change_is_tags_only(struct request *request, const struct group_row *old,
                               const struct container_group *stands, struct container_group *sent);

#endif
