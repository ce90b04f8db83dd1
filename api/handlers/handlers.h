/* All handlers, by the file they are in, and the tables of the bodies they take and give; routes.c
 * names each. */
#ifndef API_HANDLERS_HANDLERS_H
#define API_HANDLERS_HANDLERS_H

#include "api/request.h"

/* service.c */
bool health_show(struct request *request, struct err *err) MUST_CHECK;
bool ready_show(struct request *request, struct err *err) MUST_CHECK;
bool metrics_show(struct request *request, struct err *err) MUST_CHECK;
bool not_yet(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema failure_schema;

/* providers.c, providers_data.c */
bool provider_list(struct request *request, struct err *err) MUST_CHECK;
bool provider_show(struct request *request, struct err *err) MUST_CHECK;
bool provider_types_list(struct request *request, struct err *err) MUST_CHECK;
bool provider_operations_list(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema provider_schema, provider_type_schema, provider_operation_schema;

/* resources.c */
bool resource_list(struct request *request, struct err *err) MUST_CHECK;
bool resource_exists(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema resource_schema;

/* docs.c */
bool contract_show(struct request *request, struct err *err) MUST_CHECK;
bool docs_show(struct request *request, struct err *err) MUST_CHECK;

/* metadata.c */
bool cloud_show(struct request *request, struct err *err) MUST_CHECK;

/* sign_in.c, views_sign_in.c */
bool openid_show(struct request *request, struct err *err) MUST_CHECK;
bool openid_v2_show(struct request *request, struct err *err) MUST_CHECK;
bool token_keys_show(struct request *request, struct err *err) MUST_CHECK;
bool token_give(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema openid_schema, token_keys_schema, token_request_schema, token_schema,
    sign_in_failure_schema;

/* subscriptions.c */
bool subscription_list(struct request *request, struct err *err) MUST_CHECK;
bool subscription_show(struct request *request, struct err *err) MUST_CHECK;
bool tenant_list(struct request *request, struct err *err) MUST_CHECK;
bool location_list(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema subscription_schema, tenant_schema, location_schema;

/* resource_groups.c, resource_groups_put.c, resource_groups_delete.c */
bool resource_group_put(struct request *request, struct err *err) MUST_CHECK;
bool resource_group_patch(struct request *request, struct err *err) MUST_CHECK;
bool resource_group_show(struct request *request, struct err *err) MUST_CHECK;
bool resource_group_list(struct request *request, struct err *err) MUST_CHECK;
bool resource_group_delete(struct request *request, struct err *err) MUST_CHECK;
bool resource_group_deletion_show(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema resource_group_schema, resource_group_patch_schema;

/* tags.c */
bool scope_tags_show(struct request *request, struct err *err) MUST_CHECK;
bool scope_tags_put(struct request *request, struct err *err) MUST_CHECK; /* PATCH too */
bool scope_tags_delete(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema tags_schema, tags_patch_schema;

/* group_put.c, group_what_if.c, group_patch.c */
bool group_put(struct request *request, struct err *err) MUST_CHECK;
bool group_what_if(struct request *request, struct err *err) MUST_CHECK;
bool group_patch(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema patch_schema, what_if_schema;

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

/* exec.c */
bool container_exec(struct request *request, struct err *err) MUST_CHECK;
bool container_attach(struct request *request, struct err *err) MUST_CHECK;
bool stream_open(struct request *request, struct err *err) MUST_CHECK;
bool agent_stream(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema exec_request_schema, stream_ticket_schema;

/* follow.c */
bool group_follow(struct request *request, struct err *err) MUST_CHECK;

/* locations.c */
bool location_capabilities_list(struct request *request, struct err *err) MUST_CHECK;
bool location_images_list(struct request *request, struct err *err) MUST_CHECK;
/* The location of a path LOCATION/…, by ARM's error when there is none; `type`: "locations/usages". */
bool location_of_path(struct request *request, const char *type,
                      const struct api_location **location, struct err *err) MUST_CHECK;
extern const struct schema capabilities_schema, cached_image_schema;

/* sign_in.c: the issuer of every token; NULL: no memory */
const char *sign_in_issuer(const struct request *request);

/* operations.c */
bool operation_show(struct request *request, struct err *err) MUST_CHECK;
bool operation_result_show(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema operation_schema;

/* subnets.c */
bool association_delete(struct request *request, struct err *err) MUST_CHECK;

/* usages.c */
bool usages_list(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema quota_usage_schema;

/* usage.c */
bool usage_show(struct request *request, struct err *err) MUST_CHECK;
bool usage_ended_list(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema usage_schema, usage_ended_schema;

/* nodes.c */
bool node_list(struct request *request, struct err *err) MUST_CHECK;
bool node_show(struct request *request, struct err *err) MUST_CHECK;
bool node_cordon(struct request *request, struct err *err) MUST_CHECK;
bool node_drain(struct request *request, struct err *err) MUST_CHECK;
bool node_uncordon(struct request *request, struct err *err) MUST_CHECK;
bool node_delete(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema node_schema, nodes_schema;

/* disks.c */
bool disk_list(struct request *request, struct err *err) MUST_CHECK;
bool disk_delete(struct request *request, struct err *err) MUST_CHECK;
extern const struct schema disk_schema;

/* group_identity.c */
bool agent_token(struct request *request, struct err *err) MUST_CHECK;

/* agent.c */
bool agent_join(struct request *request, struct err *err) MUST_CHECK;
bool agent_report(struct request *request, struct err *err) MUST_CHECK;
bool agent_desired(struct request *request, struct err *err) MUST_CHECK;
bool agent_answer(struct request *request, struct err *err) MUST_CHECK;

#endif
