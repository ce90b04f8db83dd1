/* Every call there is. One path may stand in several lines; the first that fits path and method is
 * taken. The second line of each is for the contract (openapi/): `ninja openapi` in the build
 * directory makes it anew. */
#include "api/handlers/handlers.h"
#include "api/router.h"

#define TENANT "/{tenant}"
#define SUBSCRIPTION "/subscriptions/{subscriptionId}"
#define RESOURCE_GROUP SUBSCRIPTION "/resourceGroups/{resourceGroupName}"
#define PROVIDER "/providers/" RESOURCE_PROVIDER
#define NAMESPACE SUBSCRIPTION "/providers/{resourceProviderNamespace}"
#define LOCATION SUBSCRIPTION PROVIDER "/locations/{location}"
#define GROUPS RESOURCE_GROUP PROVIDER "/containerGroups"
#define GROUP GROUPS "/{containerGroupName}"
#define TAGS "/providers/Microsoft.Resources/tags/default"
#define CONTAINER GROUP "/containers/{containerName}"
#define PROFILES RESOURCE_GROUP PROVIDER "/containerGroupProfiles"
#define PROFILE PROFILES "/{containerGroupProfileName}"
#define NGROUPS RESOURCE_GROUP PROVIDER "/ngroups"
#define NGROUP NGROUPS "/{ngroupsName}"
#define SUBNET     \
    RESOURCE_GROUP \
    "/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}/subnets/{subnetName}"

#define ARM ROUTE_ARM
#define SUB (ROUTE_ARM | ROUTE_SUBSCRIPTION)
#define SIGN_IN (ROUTE_OPEN | ROUTE_SIGN_IN)

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

    { HTTP_GET,  "/openapi.json", ROUTE_OPEN, contract_show, "Contract_Get",
      "200 304", "This document.", .words = WORD_FILE },
    { HTTP_GET,  "/docs",         ROUTE_OPEN, docs_show,     "Docs_Get",
      "200 304 404", "A page to read this document and to try its calls.", .words = WORD_FILE },
    { HTTP_GET,  "/docs/{file}",  ROUTE_OPEN, docs_show,     "Docs_GetFile",
      "200 304 404", "A part of that page.", .words = WORD_FILE },

    { HTTP_GET,  "/metadata/endpoints", ROUTE_OPEN | ARM, cloud_show, "Cloud_Get",
      "200 501", "What a client must know before it can sign in; its form follows the api-version.", .words = WORD_ANY },
    { HTTP_GET,  TENANT "/.well-known/openid-configuration",      SIGN_IN, openid_show,    "SignIn_GetConfiguration",
      "200", "Where to sign in; \"adfs\" stands for the tenant too.", GIVES(openid) },
    { HTTP_GET,  TENANT "/v2.0/.well-known/openid-configuration", SIGN_IN, openid_v2_show, "SignIn_GetConfigurationOfSecondVersion",
      "200", "The same, with the endpoints of version 2.", GIVES(openid) },
    { HTTP_GET,  TENANT "/discovery/keys",      SIGN_IN, token_keys_show, "SignIn_GetKeys",
      "200", "The keys that tokens are signed with.", GIVES(token_keys) },
    { HTTP_GET,  TENANT "/discovery/v2.0/keys", SIGN_IN, token_keys_show, "SignIn_GetKeysOfSecondVersion",
      "200", "The same keys.", GIVES(token_keys) },
    { HTTP_POST, TENANT "/oauth2/token",        SIGN_IN, token_give, "SignIn_GetToken",
      "200 401 429", "A token for a client id and its secret.", TAKES(token_request), GIVES(token) },
    { HTTP_POST, TENANT "/oauth2/v2.0/token",   SIGN_IN, token_give, "SignIn_GetTokenOfSecondVersion",
      "200 401 429", "The same token.", TAKES(token_request), GIVES(token) },

    { HTTP_PUT,    GROUP, SUB | ROUTE_CREATES, group_put,    "ContainerGroups_CreateOrUpdate",
      "200 201 409 412 429 501", "Create a container group, or change the one that stands.",
      TAKES(container_group), GIVES(container_group), WORD_OPERATION },
    { HTTP_GET,    GROUP, SUB, group_show,   "ContainerGroups_Get",
      "200 304", "The group, with what it and its containers do now.", GIVES(container_group) },
    { HTTP_PATCH,  GROUP, SUB, group_patch,  "ContainerGroups_Update",
      "200 412", "Replace its tags; it keeps running.", TAKES(patch), GIVES(container_group) },
    { HTTP_DELETE, GROUP, SUB | ROUTE_DELETES, group_delete, "ContainerGroups_Delete",
      "200 204 412 429", "Delete it; the answer is the group as it was, 204 when there was none.", GIVES(container_group) },
    { HTTP_HEAD,   GROUP, SUB, resource_exists, "Resources_CheckExistenceById",
      "204", "Whether it is there." },
    { HTTP_GET,    GROUPS, SUB, group_list,  "ContainerGroups_ListByResourceGroup",
      "200 304", "The groups of a resource group, without instance views.", GIVES(container_group), .words = WORD_LIST | WORD_PAGED },
    { HTTP_GET, SUBSCRIPTION PROVIDER "/containerGroups", SUB, group_list, "ContainerGroups_List",
      "200 304", "The groups of a subscription, without instance views.", GIVES(container_group), .words = WORD_LIST | WORD_PAGED },
    { HTTP_POST, GROUP "/whatIf",  SUB, group_what_if, "ContainerGroups_WhatIf",
      "200 501", "What a PUT of the same body would change; nothing is done.", TAKES(container_group), GIVES(what_if) },
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
    { HTTP_POST, CONTAINER "/exec",   SUB, container_exec,   "Containers_ExecuteCommand",
      "200 409 429", "Run a command in a container: where to connect, and the password to begin with.",
      TAKES(exec_request), GIVES(stream_ticket) },
    { HTTP_POST, CONTAINER "/attach", SUB, container_attach, "Containers_Attach",
      "200 409 429", "Follow a container's output: where to connect, and the password to begin with.",
      GIVES(stream_ticket) },
    { HTTP_GET, "/execstream/sessionId/{session}", ROUTE_OPEN, stream_open, "Streams_OpenExec",
      "101 401 404 426", "The WebSocket of an exec.", .words = WORD_SOCKET },
    { HTTP_GET, "/logstream/sessionId/{session}",  ROUTE_OPEN, stream_open, "Streams_OpenAttach",
      "101 401 404 426", "The WebSocket of an attach.", .words = WORD_SOCKET },

    { HTTP_GET, LOCATION "/operations/{operationId}", SUB, operation_show, "Operations_Get",
      "200", "The operation that Azure-AsyncOperation names.", GIVES(operation) },
    { HTTP_GET, LOCATION "/operationresults/{operationId}", SUB, operation_result_show, "Operations_GetResult",
      "200 202 204 409", "What the operation gave: the group once it is created or changed, nothing for other orders.",
      GIVES(container_group), .words = WORD_LOCATION },
    { HTTP_GET, LOCATION "/usages",       SUB, usages_list, "Location_ListUsage",
      "200", "What the subscription holds there of its quotas, and their limits.", GIVES(quota_usage), .words = WORD_LIST },
    { HTTP_GET, LOCATION "/capabilities", SUB, location_capabilities_list, "Location_ListCapabilities",
      "200 400", "What a location's nodes can run.", GIVES(capabilities), .words = WORD_LIST },
    { HTTP_GET, LOCATION "/cachedImages", SUB, location_images_list, "Location_ListCachedImages",
      "200 400", "Images that a location's nodes hold and anyone may use.", GIVES(cached_image), .words = WORD_LIST | WORD_PAGED },
    { HTTP_GET, PROVIDER "/operations",   ARM, provider_operations_list, "Operations_List",
      "200", "What a role may be given.", GIVES(provider_operation), .words = WORD_LIST },

    { HTTP_DELETE, SUBNET PROVIDER "/serviceAssociationLinks/default", SUB, association_delete, "SubnetServiceAssociationLink_Delete",
      "204", "Forget that groups were in a subnet: none ever is." },

    { HTTP_GET, SUBSCRIPTION PROVIDER "/containerGroupProfiles", SUB, not_yet, "CGProfile_ListBySubscription",
      "501", "Templates of groups: not served yet." },
    { HTTP_GET,    PROFILES, SUB, not_yet, "CGProfile_ListByResourceGroup", "501", "Templates of groups: not served yet." },
    { HTTP_GET,    PROFILE,  SUB, not_yet, "CGProfile_Get",            "501", "Not served yet." },
    { HTTP_PUT,    PROFILE,  SUB, not_yet, "CGProfile_CreateOrUpdate", "501", "Not served yet." },
    { HTTP_PATCH,  PROFILE,  SUB, not_yet, "CGProfile_Update",         "501", "Not served yet." },
    { HTTP_DELETE, PROFILE,  SUB, not_yet, "CGProfile_Delete",         "501", "Not served yet." },
    { HTTP_GET, PROFILE "/revisions", SUB, not_yet, "CGProfile_ListAllRevisions", "501", "Not served yet." },
    { HTTP_GET, PROFILE "/revisions/{revisionNumber}", SUB, not_yet, "CGProfile_GetByRevisionNumber", "501", "Not served yet." },
    { HTTP_GET, SUBSCRIPTION PROVIDER "/ngroups", SUB, not_yet, "NGroups_ListBySubscription",
      "501", "Groups of groups: not served yet." },
    { HTTP_GET,    NGROUPS, SUB, not_yet, "NGroups_ListByResourceGroup", "501", "Groups of groups: not served yet." },
    { HTTP_GET,    NGROUP,  SUB, not_yet, "NGroups_Get",            "501", "Not served yet." },
    { HTTP_PUT,    NGROUP,  SUB, not_yet, "NGroups_CreateOrUpdate", "501", "Not served yet." },
    { HTTP_PATCH,  NGROUP,  SUB, not_yet, "NGroups_Update",         "501", "Not served yet." },
    { HTTP_DELETE, NGROUP,  SUB, not_yet, "NGroups_Delete",         "501", "Not served yet." },
    { HTTP_POST, NGROUP "/start",   SUB, not_yet, "NGroups_Start",   "501", "Not served yet." },
    { HTTP_POST, NGROUP "/stop",    SUB, not_yet, "NGroups_Stop",    "501", "Not served yet." },
    { HTTP_POST, NGROUP "/restart", SUB, not_yet, "NGroups_Restart", "501", "Not served yet." },

    { HTTP_PUT,    RESOURCE_GROUP, SUB, resource_group_put,    "ResourceGroups_CreateOrUpdate",
      "200 201 409", "Create a resource group, or change its tags.", TAKES(resource_group), GIVES(resource_group) },
    { HTTP_PATCH,  RESOURCE_GROUP, SUB, resource_group_patch,  "ResourceGroups_Update",
      "200 409", "Change its tags or who manages it.", TAKES(resource_group_patch), GIVES(resource_group) },
    { HTTP_GET,    RESOURCE_GROUP, SUB, resource_group_show,   "ResourceGroups_Get",
      "200", "The resource group.", GIVES(resource_group) },
    { HTTP_HEAD,   RESOURCE_GROUP, SUB, resource_group_show,   "ResourceGroups_CheckExistence",
      "204", "Whether it is there." },
    { HTTP_DELETE, RESOURCE_GROUP, SUB, resource_group_delete, "ResourceGroups_Delete",
      "202", "Delete it with every container group in it.", .words = WORD_LOCATION },
    { HTTP_GET, SUBSCRIPTION "/resourceGroups", SUB, resource_group_list, "ResourceGroups_List",
      "200", "The resource groups of a subscription.", GIVES(resource_group), .words = WORD_LIST | WORD_PAGED | WORD_FILTER },
    { HTTP_GET, SUBSCRIPTION "/operationresults/{deletion}", SUB, resource_group_deletion_show, "ResourceGroups_DeleteResult",
      "200 202", "How far the deletion of a resource group is: 200 once nothing is left.", .words = WORD_LOCATION },
    { HTTP_GET, RESOURCE_GROUP "/resources", SUB, resource_list, "Resources_ListByResourceGroup",
      "200", "What is in a resource group.", GIVES(resource), .words = WORD_LIST | WORD_PAGED | WORD_FILTER | WORD_EXPAND },
    { HTTP_GET, SUBSCRIPTION "/resources",   SUB, resource_list, "Resources_List",
      "200", "What is in a subscription.", GIVES(resource), .words = WORD_LIST | WORD_PAGED | WORD_FILTER | WORD_EXPAND },
    { HTTP_GET,    RESOURCE_GROUP TAGS, SUB, scope_tags_show,   "Tags_GetOfResourceGroup",
      "200", "Its tags.", GIVES(tags) },
    { HTTP_PUT,    RESOURCE_GROUP TAGS, SUB, scope_tags_put,    "Tags_CreateOrUpdateOfResourceGroup",
      "200 409", "Put all of its tags.", TAKES(tags), GIVES(tags) },
    { HTTP_PATCH,  RESOURCE_GROUP TAGS, SUB, scope_tags_put,    "Tags_UpdateOfResourceGroup",
      "200 409", "Merge, replace or take away tags.", TAKES(tags_patch), GIVES(tags) },
    { HTTP_DELETE, RESOURCE_GROUP TAGS, SUB, scope_tags_delete, "Tags_DeleteOfResourceGroup",
      "200 409", "Take all of its tags away." },
    { HTTP_GET,    GROUP TAGS, SUB, scope_tags_show,   "Tags_GetOfContainerGroup",
      "200", "Its tags.", GIVES(tags) },
    { HTTP_PUT,    GROUP TAGS, SUB, scope_tags_put,    "Tags_CreateOrUpdateOfContainerGroup",
      "200 409", "Put all of its tags.", TAKES(tags), GIVES(tags) },
    { HTTP_PATCH,  GROUP TAGS, SUB, scope_tags_put,    "Tags_UpdateOfContainerGroup",
      "200 409", "Merge, replace or take away tags.", TAKES(tags_patch), GIVES(tags) },
    { HTTP_DELETE, GROUP TAGS, SUB, scope_tags_delete, "Tags_DeleteOfContainerGroup",
      "200 409", "Take all of its tags away." },
    { HTTP_GET,  SUBSCRIPTION "/providers",  SUB, provider_list, "Providers_List",
      "200", "The resource providers that are served.", GIVES(provider), .words = WORD_LIST },
    { HTTP_GET,  NAMESPACE,                  SUB, provider_show, "Providers_Get",
      "200", "One of them.", GIVES(provider) },
    { HTTP_GET,  NAMESPACE "/resourceTypes", SUB, provider_types_list, "ProviderResourceTypes_List",
      "200", "What it serves.", GIVES(provider_type), .words = WORD_LIST },
    { HTTP_POST, NAMESPACE "/register",      SUB, provider_show, "Providers_Register",
      "200", "It is registered already.", GIVES(provider) },
    { HTTP_POST, NAMESPACE "/unregister",    SUB, provider_show, "Providers_Unregister",
      "200", "It stays registered.", GIVES(provider) },
    { HTTP_GET,  "/providers",               ARM, provider_list, "Providers_ListAtTenantScope",
      "200", "The resource providers that are served.", GIVES(provider), .words = WORD_LIST },
    { HTTP_GET,  "/providers/{resourceProviderNamespace}",   ARM, provider_show, "Providers_GetAtTenantScope",
      "200 404", "One of them.", GIVES(provider) },
    { HTTP_GET, "/tenants",                ARM, tenant_list,       "Tenants_List",
      "200", "The one tenant there is.", GIVES(tenant), .words = WORD_LIST },
    { HTTP_GET, "/subscriptions",          ARM, subscription_list, "Subscriptions_List",
      "200", "The subscriptions of the configuration.", GIVES(subscription), .words = WORD_LIST },
    { HTTP_GET, SUBSCRIPTION,              SUB, subscription_show, "Subscriptions_Get",
      "200", "One subscription.", GIVES(subscription) },
    { HTTP_GET, SUBSCRIPTION "/locations", SUB, location_list,     "Subscriptions_ListLocations",
      "200", "The locations of the configuration.", GIVES(location), .words = WORD_LIST },

    { HTTP_GET,    "/v1/usage",                 0, usage_show,    "Usage_Get",
      "200", "What groups held, second by second, in exact integers.", GIVES(usage), .words = WORD_USAGE | WORD_PAGED },
    { HTTP_GET,    "/v1/usage/ended",           0, usage_ended_list, "Usage_ListEnded",
      "200", "What was held and has ended, for those who bill and go on from a cursor.", GIVES(usage_ended), .words = WORD_ENDED | WORD_PAGED },
    { HTTP_GET, "/v1" SUBSCRIPTION "/resourceGroups/{resourceGroupName}/containerGroups/{containerGroupName}/logs",
      ROUTE_SUBSCRIPTION, group_follow, "ContainerGroups_FollowLogs",
      "200 409 429", "What the containers of a group write, as it comes: server-sent events.", .words = WORD_EVENTS },
    { HTTP_GET,    "/v1/nodes",                 0, node_list,     "Nodes_List",
      "200", "All nodes.", GIVES(nodes) },
    { HTTP_GET,    "/v1/nodes/{node}",          0, node_show,     "Nodes_Get",
      "200 404", "One node.", GIVES(node) },
    { HTTP_DELETE, "/v1/nodes/{node}",          0, node_delete,   "Nodes_Delete",
      "204 404 409", "Forget a node that holds no groups, or is lost." },
    { HTTP_POST,   "/v1/nodes/{node}/cordon",   0, node_cordon,   "Nodes_Cordon",
      "200 404", "Place no new groups on it.", GIVES(node) },
    { HTTP_POST,   "/v1/nodes/{node}/drain",    0, node_drain,    "Nodes_Drain",
      "200 404", "Cordon it and move its groups to other nodes, all but those of restart policy Never.", GIVES(node) },
    { HTTP_POST,   "/v1/nodes/{node}/uncordon", 0, node_uncordon, "Nodes_Uncordon",
      "200 404", "Place groups on it again.", GIVES(node) },

    { HTTP_GET,    "/v1/disks",                 0, disk_list,     "Disks_List",
      "200", "Local disks: where they are and who names them.", GIVES(disk), .words = WORD_LIST | WORD_PAGED | WORD_SCOPE },
    { HTTP_DELETE, "/v1/disks/{disk}",          0, disk_delete,   "Disks_Delete",
      "202 404 409", "Remove a local disk that no group names, with all that is in it; it is listed until its node did." },

    { HTTP_POST, "/v1/agent/join",               ROUTE_JOIN, agent_join,    "Agent_Join" },
    { HTTP_POST, "/v1/agent/report",             ROUTE_NODE, agent_report,  "Agent_Report" },
    { HTTP_GET,  "/v1/agent/desired",            ROUTE_NODE, agent_desired, "Agent_Desired" },
    { HTTP_POST, "/v1/agent/tokens",             ROUTE_NODE, agent_token,   "Agent_Token" },
    { HTTP_POST, "/v1/agent/answers/{question}", ROUTE_NODE, agent_answer,  "Agent_Answer" },
    { HTTP_GET,  "/v1/agent/streams/{stream}",   ROUTE_NODE, agent_stream,  "Agent_Stream" },
};

/* clang-format on */

const size_t routes_count = COUNT_OF(routes);
