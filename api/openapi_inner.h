/* Shared by the files of the contract's printer. */
#ifndef API_OPENAPI_INNER_H
#define API_OPENAPI_INNER_H

#include "api/router.h"

/* Calls of nodes are not part of the contract. */
bool openapi_shows(const struct route *route);

/* openapi_parts.c */
void openapi_add_parameters(const struct route *route, struct text *out); /* references */
void openapi_add_answers(const struct route *route, struct text *out);    /* "200":{...},... */
void openapi_add_components(struct text *out);                            /* what those name */

/* "ContainerGroupListResult" for a route that gives a list. */
void openapi_add_list_name(const struct route *route, struct text *out);

#endif
