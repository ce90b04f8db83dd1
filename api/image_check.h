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
 * What the looks find the names to mean is what the group runs from then on (image_check_pins()). So the
 * images of a group that stands are looked at anew, whatever is known of them: that is how a new version
 * of it takes up a tag that moved. One that cannot be looked at then goes on meaning what it meant.
 *
 * Threads: a request's own.   Owner: everything lives in the request's arena. */
#ifndef API_IMAGE_CHECK_H
#define API_IMAGE_CHECK_H

#include "api/request.h"

/* `group` is checked, its location one of ours, and it outlives the request's waits. */
bool image_check(struct request *request, const struct container_group *group, handler_fn then,
                 struct err *err);

/* Whether what was looked at may be from before this request. */
bool image_check_is_due_anew(const struct request *request);
/* Once, after image_check(): `row`, read in `tx`, stands. Nothing of `tx` is kept. */
bool image_check_anew(struct request *request, struct tx *tx, const struct group_row *row,
                      handler_fn then, struct err *err);

/* What each image means; without a digest: what it meant. Untouched when images are not checked. */
bool image_check_pins(struct request *request, const struct image_pin **pins, size_t *count,
                      struct err *err) MUST_CHECK;

#endif
