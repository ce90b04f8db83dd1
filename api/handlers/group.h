/* What the handlers of container groups share: finding one, showing one, admission, operations. The
 * stored spec is the public document without its outer braces; it begins with `"properties":{`, so
 * showing a group means putting a few members into that text (fast path), not parsing it. */
#ifndef API_HANDLERS_GROUP_H
#define API_HANDLERS_GROUP_H

#include "api/request.h"

/* The group of the request's path. */
struct resource_id group_id_of(const struct request *request);
/* NULL with err set when it is not there: ERR_NOT_FOUND, or ERR_RESOURCE_GROUP_NOT_FOUND. */
struct group_row *group_find(struct request *request, struct tx *tx, bool with_spec,
                             struct err *err) MUST_CHECK;
bool group_missing(struct request *request, struct tx *tx, struct err *err);

/* Appends the group as clients see it. `with_view`: also the group's instanceView (lists leave it
 * out, and the containers' views are only in group_print_whole()). */
void group_print(const struct group_row *row, bool with_view, struct text *out);
/* With the containers' instanceViews, from the newest status. */
bool group_print_whole(struct request *request, const struct group_row *row, struct text *out,
                       struct err *err) MUST_CHECK;
/* The newest status when it speaks of the run that stands now; NULL otherwise. */
bool group_status_take(struct request *request, const struct group_row *row,
                       struct group_status **status, struct err *err) MUST_CHECK;
/* The plane's own events and the node's, as one array. */
bool group_events_take(struct request *request, const struct group_row *row,
                       const struct group_status *status, struct event **events, size_t *count,
                       struct err *err) MUST_CHECK;

/* Reads the stored spec back. */
bool group_spec_read(struct request *request, const struct group_row *row,
                     struct container_group *group, struct err *err) MUST_CHECK;

/* On the writer's thread, a row found with its spec: other tags, and nothing else. */
bool group_retag(struct request *request, struct tx *tx, struct group_row *row,
                 const struct text_map *tags, struct err *err) MUST_CHECK;

/* The operation's URL in Azure-AsyncOperation, and when to ask. */
void group_operation_header(struct request *request, const char *location,
                            const char *operation_id);

/* The scheduler's leave; ERR_NO_CAPACITY in ACI's words and its own. */
bool group_admit(struct request *request, const struct group_row *row, struct err *err) MUST_CHECK;
void group_admit_undo(struct request *request, const struct group_row *row);

enum { JOINS_NONE = -1 };
/* Fails with ERR_TRANSITIONING while an operation runs that is not of the kind `joins`; *joined
 * gets the running one of that kind, NULL when none runs. */
bool group_settled(struct request *request, struct tx *tx, const struct group_row *row, int joins,
                   struct operation_row **joined, struct err *err) MUST_CHECK;

/* Texts of a row outlive its transaction only when they are copied. */
bool group_operation_keep(struct request *request, const struct group_row *row,
                          const char **operation_id, struct err *err) MUST_CHECK;

/* "1.5" for 1500. */
const char *milli_text(int64_t milli, struct arena *arena);

#endif
