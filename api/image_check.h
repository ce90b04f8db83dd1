/* The images of a container group, looked at in their registries before the group is accepted: those
 * of all its containers at once, init containers' too.
 *
 *     return sent_take(request, putting, err) && image_check(request, &putting->group, create_sent, err);
 *
 * `then` runs at once when all images are known to be good (or images are not checked at all), and
 * after the looks otherwise; it does not run when one is bad: the answer names each. Not looked at are
 * images that the group, as it stands, uses with the same credential, and those of a group that would
 * be refused anyway (`then` refuses it).
 *
 * Threads: a request's own.   Owner: everything lives in the request's arena. */
#ifndef API_IMAGE_CHECK_H
#define API_IMAGE_CHECK_H

#include "api/request.h"

/* `group` is checked, its location one of ours, and it outlives the request's waits. */
bool image_check(struct request *request, const struct container_group *group, handler_fn then,
                 struct err *err);

#endif
