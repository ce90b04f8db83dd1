/* Every call there is. One path may stand in several lines; the first that fits path and method is
 * taken. */
#include "api/handlers/handlers.h"
#include "api/router.h"

#define SUBSCRIPTION "/subscriptions/{subscription}"
#define RESOURCE_GROUP SUBSCRIPTION "/resourceGroups/{resourceGroup}"
#define PROVIDER "/providers/" RESOURCE_PROVIDER
#define LOCATION SUBSCRIPTION PROVIDER "/locations/{location}"
#define GROUPS RESOURCE_GROUP PROVIDER "/containerGroups"
#define GROUP GROUPS "/{group}"
#define CONTAINER GROUP "/containers/{container}"

#define ARM ROUTE_ARM
#define SUB (ROUTE_ARM | ROUTE_SUBSCRIPTION)

/* clang-format off */

const struct route routes[] = {
    { HTTP_GET | HTTP_HEAD, "/healthz", ROUTE_OPEN, health_show,  "Health_Get" },
    { HTTP_GET | HTTP_HEAD, "/readyz",  ROUTE_OPEN, ready_show,   "Ready_Get" },
    { HTTP_GET,             "/metrics", 0,          metrics_show, "Metrics_Get" },

    { HTTP_PUT,    GROUP,              SUB, group_put,      "ContainerGroups_CreateOrUpdate" },
    { HTTP_GET,    GROUP,              SUB, group_show,     "ContainerGroups_Get" },
    { HTTP_PATCH,  GROUP,              SUB, group_patch,    "ContainerGroups_Update" },
    { HTTP_DELETE, GROUP,              SUB, group_delete,   "ContainerGroups_Delete" },
    { HTTP_GET,    GROUPS,             SUB, group_list,     "ContainerGroups_ListByResourceGroup" },
    { HTTP_GET,    SUBSCRIPTION PROVIDER "/containerGroups", SUB, group_list, "ContainerGroups_List" },
    { HTTP_POST,   GROUP "/start",     SUB, group_start,    "ContainerGroups_Start" },
    { HTTP_POST,   GROUP "/restart",   SUB, group_restart,  "ContainerGroups_Restart" },
    { HTTP_POST,   GROUP "/stop",      SUB, group_stop,     "ContainerGroups_Stop" },
    { HTTP_GET,    GROUP "/outboundNetworkDependenciesEndpoints", SUB, group_dependencies_list,
      "ContainerGroups_GetOutboundNetworkDependenciesEndpoints" },
    { HTTP_GET,    CONTAINER "/logs",   SUB, container_logs, "Containers_ListLogs" },
    { HTTP_POST,   CONTAINER "/exec",   SUB, not_yet,        "Containers_ExecuteCommand" },
    { HTTP_POST,   CONTAINER "/attach", SUB, not_yet,        "Containers_Attach" },

    { HTTP_GET, LOCATION "/operations/{operation}", SUB, operation_show, "Operations_Get" },
    { HTTP_GET, LOCATION "/usages",                 SUB, not_yet,        "Location_ListUsage" },
    { HTTP_GET, LOCATION "/capabilities",           SUB, not_yet,        "Location_ListCapabilities" },
    { HTTP_GET, LOCATION "/cachedImages",           SUB, not_yet,        "Location_ListCachedImages" },
    { HTTP_GET, PROVIDER "/operations",             ARM, provider_operations_list, "Operations_List" },

    { HTTP_PUT,             RESOURCE_GROUP, SUB, resource_group_put,    "ResourceGroups_CreateOrUpdate" },
    { HTTP_GET | HTTP_HEAD, RESOURCE_GROUP, SUB, resource_group_show,   "ResourceGroups_Get" },
    { HTTP_DELETE,          RESOURCE_GROUP, SUB, resource_group_delete, "ResourceGroups_Delete" },
    { HTTP_GET, SUBSCRIPTION "/resourceGroups", SUB, resource_group_list, "ResourceGroups_List" },
    { HTTP_GET, SUBSCRIPTION "/operationresults/{deletion}", SUB, resource_group_deletion_show, "ResourceGroups_DeleteResult" },
    { HTTP_GET, "/subscriptions",            ARM, subscription_list, "Subscriptions_List" },
    { HTTP_GET, SUBSCRIPTION,                SUB, subscription_show, "Subscriptions_Get" },
    { HTTP_GET, SUBSCRIPTION "/locations",   SUB, location_list,     "Subscriptions_ListLocations" },

    { HTTP_GET,    "/v1/usage",                 0, usage_show,    "Usage_Get" },
    { HTTP_GET,    "/v1/nodes",                 0, node_list,     "Nodes_List" },
    { HTTP_GET,    "/v1/nodes/{node}",          0, node_show,     "Nodes_Get" },
    { HTTP_DELETE, "/v1/nodes/{node}",          0, node_delete,   "Nodes_Delete" },
    { HTTP_POST,   "/v1/nodes/{node}/cordon",   0, node_cordon,   "Nodes_Cordon" },
    { HTTP_POST,   "/v1/nodes/{node}/uncordon", 0, node_uncordon, "Nodes_Uncordon" },

    { HTTP_POST, "/v1/agent/join",               ROUTE_JOIN, agent_join,    "Agent_Join" },
    { HTTP_POST, "/v1/agent/report",             ROUTE_NODE, agent_report,  "Agent_Report" },
    { HTTP_GET,  "/v1/agent/desired",            ROUTE_NODE, agent_desired, "Agent_Desired" },
    { HTTP_POST, "/v1/agent/answers/{question}", ROUTE_NODE, agent_answer,  "Agent_Answer" },
};

/* clang-format on */

const size_t routes_count = COUNT_OF(routes);
