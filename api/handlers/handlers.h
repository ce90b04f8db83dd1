/* All handlers, by the file they are in, and the tables of the bodies they take and give; routes.c
 * names each. */
#ifndef API_HANDLERS_HANDLERS_H
#define API_HANDLERS_HANDLERS_H

#include "api/request.h"

/* service.c */
bool health_show(struct request *request, struct err *err) MUST_CHECK;
bool ready_show(struct request *request, struct err *err) MUST_CHECK;
bool metrics_show(struct request *request, struct err *err) MUST_CHECK;
bool provider_operations_list(struct request *request, struct err *err) MUST_CHECK;
bool not_yet(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema provider_operation_schema, failure_schema;

/* metadata.c */
bool cloud_show(struct request *request, struct err *err) MUST_CHECK;

/* sign_in.c */
bool openid_show(struct request *request, struct err *err) MUST_CHECK;
bool openid_v2_show(struct request *request, struct err *err) MUST_CHECK;
bool token_keys_show(struct request *request, struct err *err) MUST_CHECK;
bool token_give(struct request *request, struct err *err) MUST_CHECK;

/* subscriptions.c */
bool subscription_list(struct request *request, struct err *err) MUST_CHECK;
bool subscription_show(struct request *request, struct err *err) MUST_CHECK;
bool location_list(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema subscription_schema, location_schema;

/* resource_groups.c */
bool resource_group_put(struct request *request, struct err *err) MUST_CHECK;
bool resource_group_show(struct request *request, struct err *err) MUST_CHECK;
bool resource_group_list(struct request *request, struct err *err) MUST_CHECK;
bool resource_group_delete(struct request *request, struct err *err) MUST_CHECK;
bool resource_group_deletion_show(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema resource_group_schema;

/* group_put.c, group_patch.c */
bool group_put(struct request *request, struct err *err) MUST_CHECK;
bool group_patch(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema patch_schema;

/* group_show.c */
bool group_show(struct request *request, struct err *err) MUST_CHECK;
bool group_list(struct request *request, struct err *err) MUST_CHECK;
bool group_dependencies_list(struct request *request, struct err *err) MUST_CHECK;

/* group_orders.c */
bool group_delete(struct request *request, struct err *err) MUST_CHECK;
bool group_stop(struct request *request, struct err *err) MUST_CHECK;
bool group_start(struct request *request, struct err *err) MUST_CHECK;
bool group_restart(struct request *request, struct err *err) MUST_CHECK;

/* group_logs.c */
bool container_logs(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema logs_schema;

/* operations.c */
bool operation_show(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema operation_schema;

/* usage.c */
bool usage_show(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema usage_schema;

/* nodes.c */
bool node_list(struct request *request, struct err *err) MUST_CHECK;
bool node_show(struct request *request, struct err *err) MUST_CHECK;
bool node_cordon(struct request *request, struct err *err) MUST_CHECK;
bool node_uncordon(struct request *request, struct err *err) MUST_CHECK;
bool node_delete(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema node_schema, nodes_schema;

/* agent.c */
bool agent_join(struct request *request, struct err *err) MUST_CHECK;
bool agent_report(struct request *request, struct err *err) MUST_CHECK;
bool agent_desired(struct request *request, struct err *err) MUST_CHECK;
bool agent_answer(struct request *request, struct err *err) MUST_CHECK;

#endif
