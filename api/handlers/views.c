/* The answers that handlers print by hand, as tables: for the contract alone (openapi.c), so only
 * names, kinds and words. */
#include "api/handlers/handlers.h"

/* clang-format off */

#define SHOWN(kind_, ...) { .kind = (kind_), .name = __VA_ARGS__ }
#define SHOWN_SCHEMA(name_, table, doc_) { .name = (name_), .doc = (doc_), .fields = (table), .count = COUNT_OF(table) }

/* group_logs.c */
static const struct field logs_fields[] = {
    SHOWN(FIELD_TEXT, "content", .max = LIMIT_LOG_ANSWER_MAX, .doc = "Empty when there is nothing; never null."),
};
const struct schema logs_schema = SHOWN_SCHEMA("Logs", logs_fields, "What a container wrote.");

/* subscriptions.c */
static const struct field policies_fields[] = {
    SHOWN(FIELD_TEXT, "locationPlacementId"),
    SHOWN(FIELD_TEXT, "quotaId"),
    SHOWN(FIELD_TEXT, "spendingLimit", .doc = "Off."),
};
static const struct schema policies_schema =
    SHOWN_SCHEMA("SubscriptionPolicies", policies_fields, "What holds for the subscription as a whole.");

static const struct field subscription_fields[] = {
    SHOWN(FIELD_TEXT, "id"),
    SHOWN(FIELD_TEXT, "subscriptionId"),
    SHOWN(FIELD_TEXT, "tenantId"),
    SHOWN(FIELD_TEXT, "displayName"),
    SHOWN(FIELD_TEXT, "state", .doc = "Enabled."),
    SHOWN(FIELD_OBJECT, "subscriptionPolicies", .schema = &policies_schema),
    SHOWN(FIELD_TEXT, "authorizationSource", .doc = "RoleBased."),
    SHOWN(FIELD_LIST, "managedByTenants", .doc = "Always empty."),
};
const struct schema subscription_schema =
    SHOWN_SCHEMA("Subscription", subscription_fields, "One of those that the configuration names.");

static const struct field tenant_fields[] = {
    SHOWN(FIELD_TEXT, "id"),
    SHOWN(FIELD_TEXT, "tenantId"),
    SHOWN(FIELD_TEXT, "tenantCategory", .doc = "Home."),
    SHOWN(FIELD_TEXT, "displayName"),
    SHOWN(FIELD_LIST, "domains", .doc = "Always empty."),
};
const struct schema tenant_schema = SHOWN_SCHEMA("TenantIdDescription", tenant_fields, "Whose subscriptions they are.");

static const struct field location_metadata_fields[] = {
    SHOWN(FIELD_TEXT, "regionType"),
    SHOWN(FIELD_TEXT, "regionCategory"),
    SHOWN(FIELD_LIST, "pairedRegion", .doc = "Always empty."),
};
static const struct schema location_metadata_schema =
    SHOWN_SCHEMA("LocationMetadata", location_metadata_fields, "What kind of location it is.");

static const struct field location_fields[] = {
    SHOWN(FIELD_TEXT, "id"),
    SHOWN(FIELD_TEXT, "name"),
    SHOWN(FIELD_TEXT, "type", .doc = "Region."),
    SHOWN(FIELD_TEXT, "displayName"),
    SHOWN(FIELD_TEXT, "regionalDisplayName"),
    SHOWN(FIELD_OBJECT, "metadata", .schema = &location_metadata_schema),
};
const struct schema location_schema =
    SHOWN_SCHEMA("Location", location_fields, "Where groups may run.");

/* resources.c */
static const struct field resource_fields[] = {
    SHOWN(FIELD_TEXT, "id"),
    SHOWN(FIELD_TEXT, "name"),
    SHOWN(FIELD_TEXT, "type"),
    SHOWN(FIELD_TEXT, "location"),
    SHOWN(FIELD_MAP, "tags"),
    SHOWN(FIELD_TEXT, "createdTime", .doc = "With $expand."),
    SHOWN(FIELD_TEXT, "changedTime", .doc = "With $expand: when its document changed."),
    SHOWN(FIELD_TEXT, "provisioningState", .doc = "With $expand."),
};
const struct schema resource_schema =
    SHOWN_SCHEMA("GenericResourceExpanded", resource_fields, "Anything in a resource group; here, a container group.");

/* providers.c */
static const struct field provider_type_fields[] = {
    SHOWN(FIELD_TEXT, "resourceType"),
    SHOWN(FIELD_LIST, "locations", .doc = "By display name."),
    SHOWN(FIELD_LIST, "apiVersions", .doc = "Newest first; any other is served too."),
    SHOWN(FIELD_TEXT, "defaultApiVersion"),
    SHOWN(FIELD_TEXT, "capabilities"),
};
const struct schema provider_type_schema =
    SHOWN_SCHEMA("ProviderResourceType", provider_type_fields, "A kind of resource.");

static const struct field provider_fields[] = {
    SHOWN(FIELD_TEXT, "id"),
    SHOWN(FIELD_TEXT, "namespace"),
    SHOWN(FIELD_TEXT, "registrationState", .doc = "Registered, always."),
    SHOWN(FIELD_TEXT, "registrationPolicy"),
    SHOWN(FIELD_ITEMS_, "resourceTypes", .schema = &provider_type_schema),
};
const struct schema provider_schema = SHOWN_SCHEMA("Provider", provider_fields, "Who serves which resources.");

/* locations.c */
static const struct field capability_fields[] = {
    SHOWN(FIELD_DECIMAL, "maxMemoryInGB"),
    SHOWN(FIELD_DECIMAL, "maxCpu"),
    SHOWN(FIELD_DECIMAL, "maxGpuCount"),
};
static const struct schema capability_schema =
    SHOWN_SCHEMA("CapabilitiesCapabilities", capability_fields, "The largest group of the kind.");

static const struct field capabilities_fields[] = {
    SHOWN(FIELD_TEXT, "resourceType", .doc = "containerGroups."),
    SHOWN(FIELD_TEXT, "osType"),
    SHOWN(FIELD_TEXT, "location"),
    SHOWN(FIELD_TEXT, "ipAddressType", .doc = "Public or Private."),
    SHOWN(FIELD_TEXT, "gpu", .doc = "None, or the sku of GPUs that nodes there have."),
    SHOWN(FIELD_OBJECT, "capabilities", .schema = &capability_schema),
};
const struct schema capabilities_schema =
    SHOWN_SCHEMA("Capabilities", capabilities_fields, "A kind of group that a location can run.");

static const struct field cached_image_fields[] = {
    SHOWN(FIELD_TEXT, "osType"),
    SHOWN(FIELD_TEXT, "image", .doc = "Its name in full: registry, repository, tag."),
};
const struct schema cached_image_schema =
    SHOWN_SCHEMA("CachedImages", cached_image_fields, "An image that a node of the location holds.");

/* service.c */
static const struct field display_fields[] = {
    SHOWN(FIELD_TEXT, "provider"),
    SHOWN(FIELD_TEXT, "resource"),
    SHOWN(FIELD_TEXT, "operation"),
    SHOWN(FIELD_TEXT, "description"),
};
static const struct schema display_schema =
    SHOWN_SCHEMA("ProviderOperationDisplay", display_fields, "In words.");

static const struct field provider_operation_fields[] = {
    SHOWN(FIELD_TEXT, "name"),
    SHOWN(FIELD_OBJECT, "display", .schema = &display_schema),
    SHOWN(FIELD_TEXT, "origin"),
};
const struct schema provider_operation_schema =
    SHOWN_SCHEMA("ProviderOperation", provider_operation_fields, "Something a role may be given.");

/* reply.c; its own details are of the same kind */
extern const struct schema error_body_schema; /* names itself */
static const struct field error_body_fields[] = {
    SHOWN(FIELD_TEXT, "code", .doc = "One word for programs."),
    SHOWN(FIELD_TEXT, "message", .doc = "A sentence for people."),
    SHOWN(FIELD_TEXT, "target", .doc = "The property, like properties.containers[1].ports[0].port."),
    SHOWN(FIELD_ITEMS_, "details", .schema = &error_body_schema, .doc = "Each fault, when there are several."),
};
const struct schema error_body_schema = SHOWN_SCHEMA("CloudErrorBody", error_body_fields, "What is wrong.");

static const struct field error_fields[] = {
    SHOWN(FIELD_OBJECT, "error", .schema = &error_body_schema),
};
const struct schema failure_schema = SHOWN_SCHEMA("CloudError", error_fields, "Every failure answers with this.");

/* clang-format on */
