/* What clients look up before they call: which resource types there are, under which api-versions, and what a role
 * may be given. Any well-formed api-version is served; these are the ones the service was ever asked with. */
#include "api/handlers/providers.h"

#include "api/handlers/handlers.h"
#include "base/text.h"
#include "model/resource_id.h"

/* clang-format off */
static const char *const instance_versions[] = {
    "2025-09-01", "2024-11-01-preview", "2024-10-01-preview", "2024-09-01-preview", "2024-05-01-preview", "2023-05-01",
    "2023-02-01-preview", "2022-10-01-preview", "2022-09-01", "2021-10-01", "2021-09-01", "2021-07-01", "2021-03-01",
    "2020-11-01", "2019-12-01", "2018-10-01", "2018-09-01", "2018-07-01", "2018-06-01", "2018-04-01", "2018-02-01-preview",
    "2017-12-01-preview", "2017-10-01-preview", "2017-08-01-preview", NULL,
};
static const char *const resource_versions[] = {
    "2025-04-01", "2024-11-01", "2024-07-01", "2024-03-01", "2023-07-01", "2022-09-01", "2021-04-01", "2021-01-01",
    "2020-10-01", "2020-06-01", "2019-10-01", "2019-08-01", "2019-05-01", "2018-05-01", "2018-02-01", "2017-05-10",
    "2016-09-01", "2016-07-01", "2016-06-01", "2016-02-01", "2015-11-01", "2015-01-01", NULL,
};
static const char *const subscription_versions[] = {
    "2022-12-01", "2022-09-01", "2021-01-01", "2020-01-01", "2019-11-01", "2019-06-01", "2018-06-01", "2016-06-01",
    "2015-11-01", "2014-04-01", NULL,
};

#define INSTANCE(name_, capabilities_) { .name = (name_), .versions = instance_versions, .has_locations = true, .capabilities = (capabilities_) }
#define PLACELESS(name_, versions_) { .name = (name_), .versions = (versions_), .capabilities = "None" }

static const struct provider_type instance_types[] = {
    INSTANCE("containerGroups", "SupportsTags, SupportsLocation"),
    INSTANCE("serviceAssociationLinks", "None"),
    INSTANCE("locations", "None"),
    INSTANCE("locations/capabilities", "None"),
    INSTANCE("locations/usages", "None"),
    INSTANCE("locations/operations", "None"),
    INSTANCE("locations/operationresults", "None"),
    INSTANCE("locations/cachedImages", "None"),
    INSTANCE("locations/deleteVirtualNetworkOrSubnets", "None"),
    PLACELESS("operations", instance_versions),
};
static const struct provider_type resource_types[] = {
    PLACELESS("tenants", subscription_versions),
    PLACELESS("locations", subscription_versions),
    PLACELESS("subscriptions", subscription_versions),
    PLACELESS("subscriptions/locations", subscription_versions),
    PLACELESS("subscriptions/providers", resource_versions),
    PLACELESS("subscriptions/operationresults", resource_versions),
    PLACELESS("subscriptions/resourceGroups", resource_versions),
    PLACELESS("subscriptions/resourcegroups/resources", resource_versions),
    PLACELESS("subscriptions/resources", resource_versions),
    PLACELESS("providers", resource_versions),
    PLACELESS("resourceGroups", resource_versions),
    PLACELESS("resources", resource_versions),
    PLACELESS("tags", resource_versions),
};

const struct provider providers[] = {
    { RESOURCE_PROVIDER, "RegistrationRequired", instance_types, COUNT_OF(instance_types) },
    { "Microsoft.Resources", "RegistrationFree", resource_types, COUNT_OF(resource_types) },
};
const size_t providers_count = COUNT_OF(providers);

const struct provider *provider_find(const char *namespace)
{
    for (size_t i = 0; i < providers_count; i++) {
        if (text_equal_nocase(providers[i].namespace, namespace))
            return &providers[i];
    }
    return NULL;
}

/* ---- what a role may be given; the names are the provider's own ---- */

static const struct {
    const char *name, *resource, *operation, *description;
} operations[] = {
    {"register/action", "Subscription", "Register Subscription", "Registers the subscription for container instances."},
    {"unregister/action", "Subscription", "Unregister Subscription", "Unregisters the subscription for container instances."},
    {"containerGroups/read", "Container Group", "Get Container Group", "Get all container groups."},
    {"containerGroups/write", "Container Group", "Create or Update Container Group", "Create or update a specific container group."},
    {"containerGroups/delete", "Container Group", "Delete Container Group", "Delete the specific container group."},
    {"containerGroups/start/action", "Container Group", "Start Container Group", "Starts a specific container group."},
    {"containerGroups/stop/action", "Container Group", "Stop Container Group", "Stops a specific container group."},
    {"containerGroups/restart/action", "Container Group", "Restart Container Group", "Restarts a specific container group."},
    {"containerGroups/containers/exec/action", "Container", "Exec", "Runs a command in a specific container."},
    {"containerGroups/containers/attach/action", "Container", "Attach", "Follows the output of a specific container."},
    {"containerGroups/containers/logs/read", "Container", "Get Logs", "Get logs for a specific container."},
    {"containerGroups/containers/buildlogs/read", "Container", "Get Build Logs", "Get build logs for a specific container."},
    {"containerGroups/detectors/read", "Container Group Detector", "List Detectors", "List what can be diagnosed of a container group."},
    {"containerGroups/operationResults/read", "Container Group", "Get Operation Result", "Get the result of an operation on a container group."},
    {"containerGroups/outboundNetworkDependenciesEndpoints/read", "Container Group", "Get Dependencies", "Get what a container group must reach outside."},
    {"containerGroups/providers/Microsoft.Insights/diagnosticSettings/read", "Container Group", "Get Diagnostic Setting", "Get where diagnostics of a container group go."},
    {"containerGroups/providers/Microsoft.Insights/diagnosticSettings/write", "Container Group", "Write Diagnostic Setting", "Set where diagnostics of a container group go."},
    {"containerGroups/providers/Microsoft.Insights/metricDefinitions/read", "Container Group", "Get Metric Definitions", "Get the metrics that container groups have."},
    {"locations/cachedImages/read", "Location", "Get Cached Images", "Get the images that a location holds."},
    {"locations/capabilities/read", "Location", "Get Capabilities", "Get what a location can run."},
    {"locations/usages/read", "Location", "Get Usages", "Get quotas of a location and their use."},
    {"locations/operations/read", "Location", "Get Operation", "Get how far an operation is."},
    {"locations/operationresults/read", "Location", "Get Operation Result", "Get the result of an operation."},
    {"locations/deleteVirtualNetworkOrSubnets/action", "Location", "Delete Virtual Network", "Told when a virtual network or subnet is deleted."},
    {"serviceassociationlinks/delete", "Service Association Link", "Delete Service Association Link", "Delete what ties a subnet to container groups."},
    {"operations/read", "Operation", "List Operations", "List what a role may be given."},
};
/* clang-format on */

bool provider_operations_list(struct request *request, struct err *err UNUSED)
{
    struct text *out = request->out;

    text_add(out, "{\"value\":[");
    for (size_t i = 0; i < COUNT_OF(operations); i++)
        text_addf(out,
                  "%s{\"name\":\"" RESOURCE_PROVIDER
                  "/%s\",\"display\":{\"provider\":\"Berth Container Instances\","
                  "\"resource\":\"%s\",\"operation\":\"%s\",\"description\":\"%s\"},"
                  "\"origin\":\"User\"}",
                  i > 0 ? "," : "", operations[i].name, operations[i].resource,
                  operations[i].operation, operations[i].description);
    text_add(out, "]}");
    return reply_json(request, 200);
}
