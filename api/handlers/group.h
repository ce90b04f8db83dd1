/* What the handlers of container groups share: finding one, showing one, admission, operations, what
 * a client knows of it. The stored spec is the public document without its outer braces; it begins
 * with `"properties":{`, so showing a group means putting a few members into that text (fast path),
 * not parsing it. */
#ifndef API_HANDLERS_GROUP_H
#define API_HANDLERS_GROUP_H

#include "api/request.h"

/* The group of the request's path. */
struct resource_id group_id_of(const struct request *request);
/* NULL with err set when it is not there: ERR_NOT_FOUND, or ERR_RESOURCE_GROUP_NOT_FOUND. */
struct group_row *group_find(struct request *request, struct tx *tx, bool with_spec,
                             struct err *err) MUST_CHECK;
bool group_missing(struct request *request, struct tx *tx, struct err *err);
/* The container's own spelling of the name, of init containers too; ERR_CONTAINER_NOT_FOUND. */
bool group_container_find(struct request *request, const struct group_row *row, const char *asked,
                          const char **name, struct err *err) MUST_CHECK;
/* Whether a node is there to be asked; ERR_NODE_AWAY. */
bool group_node_is_there(const struct request *request, int64_t node_key, struct err *err)
    MUST_CHECK;
/* true or false; ERR_BAD_QUERY. Absent is `fallback`. */
bool query_flag(const struct request *request, const char *name, bool fallback, bool *flag,
                struct err *err) MUST_CHECK;
bool query_tail(const struct request *request, struct opt_int *tail, struct err *err) MUST_CHECK;
/* Stopped, Succeeded or Failed: nothing of it runs, nothing is held. */
bool group_is_over(const struct group_row *row);

/* Appends the group as clients see it. `with_view`: also the group's instanceView (lists leave it
 * out, and the containers' views are only in group_print_whole()). */
void group_print(const struct group_row *row, const char *dns_zone, bool with_view,
                 struct text *out);
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

/* Reads the body of a PUT. True too with faults of its form in request->problems, as long as there is a
 * group to hold against the rules: all faults are told at once. */
bool group_read(struct request *request, struct container_group *group, struct err *err) MUST_CHECK;
/* Whether what was read keeps every rule; all faults are in request->problems, the first one in err. */
bool group_fits(struct request *request, struct container_group *group, struct err *err) MUST_CHECK;
/* Who the group is to others, where it asks for an identity: principal, tenant and client ids are filled in. */
bool group_identity_fill(struct request *request, struct container_group *group, struct err *err)
    MUST_CHECK;
/* Reads the stored spec back. */
bool group_spec_read(struct request *request, const struct group_row *row,
                     struct container_group *group, struct err *err) MUST_CHECK;

/* On the writer's thread, a row found with its spec: other tags, and nothing else. */
bool group_retag(struct request *request, struct tx *tx, struct group_row *row,
                 const struct text_map *tags, struct err *err) MUST_CHECK;

/* The local disks that a checked group names, into its row. */
bool group_disks(struct request *request, const struct container_group *group,
                 struct group_row *row, struct err *err) MUST_CHECK;
/* The scheduler's leave; ERR_NO_CAPACITY in ACI's words and its own. */
bool group_admit(struct request *request, struct group_row *row, struct err *err) MUST_CHECK;
/* What was admitted is not stored after all. One that was not admitted, or without room, is fine. */
void group_admit_undo(struct request *request, struct group_row *row);

/* ---- operations: group_operations.c ---- */

/* The operation's URL in Azure-AsyncOperation, and when to ask. */
void group_operation_header(struct request *request, const char *location,
                            const char *operation_id);
/* The same operation as Location: 202 until it ended, then what it gave. For PUT alone: az and the
 * SDKs would ask it after a start or restart and take its answer for theirs. */
void group_result_header(struct request *request, const char *location, const char *operation_id);

enum { JOINS_NONE = -1 };
/* Fails with ERR_TRANSITIONING while an operation runs that is not of the kind `joins`; *joined
 * gets the running one of that kind, NULL when none runs. */
bool group_settled(struct request *request, struct tx *tx, const struct group_row *row, int joins,
                   struct operation_row **joined, struct err *err) MUST_CHECK;
/* For wait_for(WAIT_OPERATION): the operation that the request waits for has ended, or is gone. */
bool group_operation_due(struct request *request);
bool group_operation_ended(struct request *request, int64_t key);

/* Texts of a row outlive its transaction only when they are copied. */
bool group_operation_keep(struct request *request, const struct group_row *row,
                          const char **operation_id, struct err *err) MUST_CHECK;

/* ---- what the client knows of it: group_etag.c ---- */

/* The ETag of what is shown. */
void group_etag_give(struct request *request, const struct group_row *row);
/* If-Match and If-None-Match of a call that changes the group; `row` NULL: there is none.
 * ERR_PRECONDITION. A tag fits as long as nobody changed what was asked for: what nodes report
 * meanwhile does not count. */
bool group_precondition(const struct request *request, const struct group_row *row, struct err *err)
    MUST_CHECK;
/* The client holds exactly this (If-None-Match of a GET): 304 is the answer, and given. */
bool group_not_modified(struct request *request, const struct group_row *row);
/* The same for a list: `revision` of the store, which counts every change there is. */
bool list_not_modified(struct request *request, int64_t revision);

/* "1.5" for 1500. */
const char *milli_text(int64_t milli, struct arena *arena);

#endif
