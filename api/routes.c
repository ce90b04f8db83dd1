/* Every call there is. One path may stand in several lines; the first that fits path and method is
 * taken. The second line of each is for the contract (openapi/): `ninja openapi` in the build
 * directory makes it anew. */
#include "api/handlers/handlers.h"
#include "api/router.h"

#define TENANT "/{tenant}"
#define SUBSCRIPTION "/subscriptions/{subscriptionId}"
#define RESOURCE_GROUP SUBSCRIPTION "/resourceGroups/{resourceGroupName}"
#define PROVIDER "/providers/" RESOURCE_PROVIDER
#define LOCATION SUBSCRIPTION PROVIDER "/locations/{location}"
#define GROUPS RESOURCE_GROUP PROVIDER "/containerGroups"
#define GROUP GROUPS "/{containerGroupName}"
#define CONTAINER GROUP "/containers/{containerName}"

#define ARM ROUTE_ARM
#define SUB (ROUTE_ARM | ROUTE_SUBSCRIPTION)

/* clang-format off */

#define TAKES(schema_) .takes = &schema_##_schema
#define GIVES(schema_) .gives = &schema_##_schema

const struct route routes[] = {
    { HTTP_GET,  "/healthz", ROUTE_OPEN, health_show,  "Health_Get",
      "200", "The process answers.", .words = WORD_TEXT },
    { HTTP_HEAD, "/healthz", ROUTE_OPEN, health_show,  "Health_Check",
      "200", "The process answers." },
    { HTTP_GET,  "/readyz",  ROUTE_OPEN, ready_show,   "Ready_Get",
      "200", "The scheduler has its picture and the store writes.", .words = WORD_TEXT },
    { HTTP_HEAD, "/readyz",  ROUTE_OPEN, ready_show,   "Ready_Check",
      "200", "The scheduler has its picture and the store writes." },
    { HTTP_GET,  "/metrics", 0,          metrics_show, "Metrics_Get",
      "200", "Counters, in the text form of Prometheus.", .words = WORD_TEXT },

    { HTTP_GET,  "/metadata/endpoints", ROUTE_OPEN | ARM, cloud_show, "Cloud_Get",
      "200", "What a client must know before it can sign in; its form follows the api-version." },
    { HTTP_GET,  TENANT "/.well-known/openid-configuration",      ROUTE_OPEN, openid_show,    "SignIn_GetConfiguration",
      "200", "Where to sign in; \"adfs\" stands for the tenant too." },
    { HTTP_GET,  TENANT "/v2.0/.well-known/openid-configuration", ROUTE_OPEN, openid_v2_show, "SignIn_GetConfigurationV",
      "200", "The same, with the endpoints of version 2." },
    { HTTP_GET,  TENANT "/discovery/keys",      ROUTE_OPEN, token_keys_show, "SignIn_GetKeys",
      "200", "The keys that tokens are signed with." },
    { HTTP_GET,  TENANT "/discovery/v2.0/keys", ROUTE_OPEN, token_keys_show, "SignIn_GetKeysV",
      "200", "The keys that tokens are signed with." },
    { HTTP_POST, TENANT "/oauth2/token",        ROUTE_OPEN | ROUTE_FORM, token_give, "SignIn_GetToken",
      "200 401 413 415 429", "A token for client credentials, by resource or scope." },
    { HTTP_POST, TENANT "/oauth2/v2.0/token",   ROUTE_OPEN | ROUTE_FORM, token_give, "SignIn_GetTokenV",
      "200 401 413 415 429", "A token for client credentials, by scope or resource." },

    { HTTP_PUT,    GROUP, SUB, group_put,    "ContainerGroups_CreateOrUpdate",
      "200 201 409 501", "Create a container group, or change the one that stands.",
      TAKES(container_group), GIVES(container_group), WORD_OPERATION },
    { HTTP_GET,    GROUP, SUB, group_show,   "ContainerGroups_Get",
      "200", "The group, with what it and its containers do now.", GIVES(container_group) },
    { HTTP_PATCH,  GROUP, SUB, group_patch,  "ContainerGroups_Update",
      "200", "Change its tags; it keeps running.", TAKES(patch), GIVES(container_group) },
    { HTTP_DELETE, GROUP, SUB, group_delete, "ContainerGroups_Delete",
      "200 204", "Delete it; the answer is the group as it was, 204 when there was none.", GIVES(container_group) },
    { HTTP_GET,    GROUPS, SUB, group_list,  "ContainerGroups_ListByResourceGroup",
      "200", "The groups of a resource group, without instance views.", GIVES(container_group), .words = WORD_LIST | WORD_PAGED },
    { HTTP_GET, SUBSCRIPTION PROVIDER "/containerGroups", SUB, group_list, "ContainerGroups_List",
      "200", "The groups of a subscription, without instance views.", GIVES(container_group), .words = WORD_LIST | WORD_PAGED },
    { HTTP_POST, GROUP "/start",   SUB, group_start,   "ContainerGroups_Start",
      "202 409", "Start a stopped or ended group.", .words = WORD_OPERATION },
    { HTTP_POST, GROUP "/restart", SUB, group_restart, "ContainerGroups_Restart",
      "204 409", "Restart all containers in place.", .words = WORD_OPERATION },
    { HTTP_POST, GROUP "/stop",    SUB, group_stop,    "ContainerGroups_Stop",
      "204", "Stop the containers and give back what they held." },
    { HTTP_GET, GROUP "/outboundNetworkDependenciesEndpoints", SUB, group_dependencies_list,
      "ContainerGroups_GetOutboundNetworkDependenciesEndpoints",
      "200", "What a group must reach outside: nothing, so always empty.", .words = WORD_NAMES },
    { HTTP_GET,  CONTAINER "/logs",   SUB, container_logs, "Containers_ListLogs",
      "200 504", "What a container wrote.", GIVES(logs), .words = WORD_LOGS },
    { HTTP_POST, CONTAINER "/exec",   SUB, not_yet,        "Containers_ExecuteCommand",
      "501", "Run a command in a container: not served yet." },
    { HTTP_POST, CONTAINER "/attach", SUB, not_yet,        "Containers_Attach",
      "501", "Follow a container's output: not served yet." },

    { HTTP_GET, LOCATION "/operations/{operationId}", SUB, operation_show, "Operations_Get",
      "200", "The operation that Azure-AsyncOperation names.", GIVES(operation) },
    { HTTP_GET, LOCATION "/usages",       SUB, not_yet, "Location_ListUsage",
      "501", "Quotas and their use: not served yet." },
    { HTTP_GET, LOCATION "/capabilities", SUB, not_yet, "Location_ListCapabilities",
      "501", "What a location can run: not served yet." },
    { HTTP_GET, LOCATION "/cachedImages", SUB, not_yet, "Location_ListCachedImages",
      "501", "Images that nodes hold: not served yet." },
    { HTTP_GET, PROVIDER "/operations",   ARM, provider_operations_list, "Operations_List",
      "200", "What a role may be given.", GIVES(provider_operation), .words = WORD_LIST },

    { HTTP_PUT,    RESOURCE_GROUP, SUB, resource_group_put,    "ResourceGroups_CreateOrUpdate",
      "200 201 409", "Create a resource group, or change its tags.", TAKES(resource_group), GIVES(resource_group) },
    { HTTP_GET,    RESOURCE_GROUP, SUB, resource_group_show,   "ResourceGroups_Get",
      "200", "The resource group.", GIVES(resource_group) },
    { HTTP_HEAD,   RESOURCE_GROUP, SUB, resource_group_show,   "ResourceGroups_CheckExistence",
      "204", "Whether it is there." },
    { HTTP_DELETE, RESOURCE_GROUP, SUB, resource_group_delete, "ResourceGroups_Delete",
      "202", "Delete it with every container group in it.", .words = WORD_LOCATION },
    { HTTP_GET, SUBSCRIPTION "/resourceGroups", SUB, resource_group_list, "ResourceGroups_List",
      "200", "The resource groups of a subscription.", GIVES(resource_group), .words = WORD_LIST | WORD_PAGED },
    { HTTP_GET, SUBSCRIPTION "/operationresults/{deletion}", SUB, resource_group_deletion_show, "ResourceGroups_DeleteResult",
      "200 202", "How far the deletion of a resource group is: 200 once nothing is left.", .words = WORD_LOCATION },
    { HTTP_GET, "/subscriptions",          ARM, subscription_list, "Subscriptions_List",
      "200", "The subscriptions of the configuration.", GIVES(subscription), .words = WORD_LIST },
    { HTTP_GET, SUBSCRIPTION,              SUB, subscription_show, "Subscriptions_Get",
      "200", "One subscription.", GIVES(subscription) },
    { HTTP_GET, SUBSCRIPTION "/locations", SUB, location_list,     "Subscriptions_ListLocations",
      "200", "The locations of the configuration.", GIVES(location), .words = WORD_LIST },

    { HTTP_GET,    "/v1/usage",                 0, usage_show,    "Usage_Get",
      "200", "What groups held, second by second, in exact integers.", GIVES(usage), .words = WORD_USAGE | WORD_PAGED },
    { HTTP_GET,    "/v1/nodes",                 0, node_list,     "Nodes_List",
      "200", "All nodes.", GIVES(nodes) },
    { HTTP_GET,    "/v1/nodes/{node}",          0, node_show,     "Nodes_Get",
      "200 404", "One node.", GIVES(node) },
    { HTTP_DELETE, "/v1/nodes/{node}",          0, node_delete,   "Nodes_Delete",
      "204 404", "Forget a node." },
    { HTTP_POST,   "/v1/nodes/{node}/cordon",   0, node_cordon,   "Nodes_Cordon",
      "200 404", "Place no new groups on it.", GIVES(node) },
    { HTTP_POST,   "/v1/nodes/{node}/uncordon", 0, node_uncordon, "Nodes_Uncordon",
      "200 404", "Place groups on it again.", GIVES(node) },

    { HTTP_POST, "/v1/agent/join",               ROUTE_JOIN, agent_join,    "Agent_Join" },
    { HTTP_POST, "/v1/agent/report",             ROUTE_NODE, agent_report,  "Agent_Report" },
    { HTTP_GET,  "/v1/agent/desired",            ROUTE_NODE, agent_desired, "Agent_Desired" },
    { HTTP_POST, "/v1/agent/answers/{question}", ROUTE_NODE, agent_answer,  "Agent_Answer" },
};

/* clang-format on */

const size_t routes_count = COUNT_OF(routes);
