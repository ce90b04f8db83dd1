/* What is said of paths that no route has, in the words ARM has for them.   Threads: any. */
#ifndef API_REFUSE_H
#define API_REFUSE_H

#include "api/request.h"

/* Returns false. Names what of the path is wrong: subscription, provider, resource type, api-version. */
bool refuse_path(struct request *request, struct err *err);
/* Of a path that has routes, for other methods; names them in Allow too. Returns false. */
bool refuse_method(struct request *request, unsigned allowed, struct err *err);
/* A subscription that is none of the configured ones. Returns false. */
bool refuse_subscription(const char *id, struct err *err);

#endif
