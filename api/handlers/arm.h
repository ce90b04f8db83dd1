/* What the handlers around container groups share: resource groups, resources, tags. */
#ifndef API_HANDLERS_ARM_H
#define API_HANDLERS_ARM_H

#include "api/request.h"

#define RESOURCE_TYPE_RESOURCE_GROUP "Microsoft.Resources/resourceGroups"

/* The one of the request's path. NULL with ERR_RESOURCE_GROUP_NOT_FOUND when it is not there. */
struct resource_group_row *resource_group_get(struct request *request, struct tx *tx,
                                              struct err *err) MUST_CHECK;
/* As clients see it. */
void resource_group_print(const struct resource_group_row *row, struct text *out);
/* `{"name":"value"}` */
void tags_print(const struct text_map *tags, struct text *out);
/* The same into the arena; NULL when it is full. */
const char *tags_text(const struct text_map *tags, struct arena *arena);

#endif
