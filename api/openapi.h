/* The contract as an OpenAPI 3.1 document, printed from the table of routes and the field tables.
 * Not for: the calls of nodes; both sides of their link are one release's own.
 * Threads: any. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "base/text.h"

/* Appends compact JSON. */
void openapi_print(struct text *out);

#endif
