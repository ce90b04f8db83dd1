/* The field tables of the container group, leaf types first. A new property of the contract is one line
 * here (and one member in container_group.h). */
#include "model/container_group.h"

#include "base/limits.h"
#include "base/text.h"

#include <string.h>

const char *const restart_policy_words[] = {"Always", "OnFailure", "Never", NULL};
const char *const os_type_words[] = {"Windows", "Linux", NULL};
const char *const protocol_words[] = {"TCP", "UDP", NULL};
const char *const address_type_words[] = {"Public", "Private", NULL};
const char *const group_sku_words[] = {"NotSpecified", "Standard", "Dedicated", "Confidential",
                                       NULL};
const char *const group_priority_words[] = {"Regular", "Spot", NULL};
const char *const probe_scheme_words[] = {"http", "https", NULL};
const char *const gpu_sku_words[] = {"K80", "P100", "V100", NULL};
const char *const identity_type_words[] = {"SystemAssigned", "UserAssigned",
                                           "SystemAssigned, UserAssigned", "None", NULL};
const char *const label_scope_words[] = {"Unsecure",           "TenantReuse", "SubscriptionReuse",
                                         "ResourceGroupReuse", "Noreuse",     NULL};
const char *const log_type_words[] = {"ContainerInsights", "ContainerInstanceLogs", NULL};
const char *const identity_access_words[] = {"All", "System", "User", NULL};

#define CONTRACT_FIRST "2023-05-01"
#define CONTRACT_NEXT "2025-09-01" /* its first preview: 2024-05-01 */

/* clang-format off */

/* ---- reported ---- */

static const struct field event_fields[] = {
    FIELD(struct event, count, "count", .flags = FIELD_READ_ONLY, .doc = "How often it was seen."),
    FIELD(struct event, first_timestamp, "firstTimestamp", .flags = FIELD_READ_ONLY),
    FIELD(struct event, last_timestamp, "lastTimestamp", .flags = FIELD_READ_ONLY),
    FIELD(struct event, name, "name", .flags = FIELD_READ_ONLY),
    FIELD(struct event, message, "message", .flags = FIELD_READ_ONLY),
    FIELD(struct event, type, "type", .flags = FIELD_READ_ONLY, .doc = "Normal or Warning."),
};
const struct schema event_schema = SCHEMA("Event", struct event, event_fields, "Something that happened.");

static const struct field container_state_fields[] = {
    FIELD(struct container_state, state, "state", .flags = FIELD_READ_ONLY),
    FIELD(struct container_state, start_time, "startTime", .flags = FIELD_READ_ONLY),
    FIELD(struct container_state, exit_code, "exitCode", .flags = FIELD_READ_ONLY),
    FIELD(struct container_state, finish_time, "finishTime", .flags = FIELD_READ_ONLY),
    FIELD(struct container_state, detail_status, "detailStatus", .flags = FIELD_READ_ONLY),
};
static const struct schema container_state_schema =
    SCHEMA("ContainerState", struct container_state, container_state_fields, "One run of a container.");

static const struct field container_view_fields[] = {
    FIELD(struct container_view, restart_count, "restartCount", .flags = FIELD_READ_ONLY),
    FIELD_STRUCT(struct container_view, current_state, "currentState", &container_state_schema, .flags = FIELD_READ_ONLY),
    FIELD_STRUCT(struct container_view, previous_state, "previousState", &container_state_schema, .flags = FIELD_READ_ONLY),
    FIELD_ITEMS(struct container_view, events, "events", &event_schema, .flags = FIELD_READ_ONLY | FIELD_PRINT_EMPTY),
};
const struct schema container_view_schema =
    SCHEMA("ContainerInstanceView", struct container_view, container_view_fields, "What a container does now.");

static const struct field group_view_fields[] = {
    FIELD_ITEMS(struct group_view, events, "events", &event_schema, .flags = FIELD_READ_ONLY | FIELD_PRINT_EMPTY),
    FIELD(struct group_view, state, "state", .flags = FIELD_READ_ONLY),
};
const struct schema group_view_schema =
    SCHEMA("GroupInstanceView", struct group_view, group_view_fields, "What the group does now.");

/* ---- container ---- */

static const struct field port_fields[] = {
    FIELD_ENUM(struct container_port, protocol, "protocol", protocol_words, .flags = FIELD_HAS_FALLBACK, .fallback = PROTOCOL_TCP),
    FIELD(struct container_port, port, "port", .flags = FIELD_REQUIRED, .code = ERR_PORTS, .doc = "1-65535; the container listens on it, there is no mapping."),
};
static const struct schema port_schema = SCHEMA("Port", struct container_port, port_fields, "A port.");

static const struct field environment_fields[] = {
    FIELD(struct environment_variable, name, "name", .flags = FIELD_REQUIRED, .max = 32768, .code = ERR_ENVIRONMENT_VARIABLE),
    FIELD(struct environment_variable, value, "value", .flags = FIELD_SCALAR, .max = 131072),
    FIELD(struct environment_variable, secure_value, "secureValue", .flags = FIELD_SECRET, .max = 131072),
    FIELD(struct environment_variable, secure_value_reference, "secureValueReference", .max = 255, .since = CONTRACT_NEXT, .doc = "Name of one of the secretReferences."),
};
static const struct schema environment_schema =
    SCHEMA("EnvironmentVariable", struct environment_variable, environment_fields, "Set before the container starts.");

static const struct field gpu_fields[] = {
    FIELD(struct gpu, count, "count", .flags = FIELD_REQUIRED, .min = 1, .max = 64),
    FIELD_ENUM(struct gpu, sku, "sku", gpu_sku_words, .flags = FIELD_REQUIRED),
};
static const struct schema gpu_schema = SCHEMA("GpuResource", struct gpu, gpu_fields, "Graphics processors.");

static const struct field amounts_fields[] = {
    FIELD(struct resource_amounts, memory_gb, "memoryInGB", .code = ERR_MEMORY_STEP, .doc = "In steps of 0.1; one GB is 1,024 MiB."),
    FIELD(struct resource_amounts, cpu, "cpu", .code = ERR_REQUESTS_INVALID, .doc = "Cores; 0.5 is half of one."),
    FIELD_STRUCT(struct resource_amounts, gpu, "gpu", &gpu_schema),
};
static const struct schema amounts_schema =
    SCHEMA("ResourceAmounts", struct resource_amounts, amounts_fields, "How much a container asks for or may use.");

static const struct field requirements_fields[] = {
    FIELD_STRUCT(struct resource_requirements, requests, "requests", &amounts_schema),
    FIELD_STRUCT(struct resource_requirements, limits, "limits", &amounts_schema),
};
const struct schema requirements_schema =
    SCHEMA("ResourceRequirements", struct resource_requirements, requirements_fields, "Requests and limits.");

static const struct field mount_fields[] = {
    FIELD(struct volume_mount, name, "name", .flags = FIELD_REQUIRED, .code = ERR_VOLUME_MOUNT),
    FIELD(struct volume_mount, mount_path, "mountPath", .flags = FIELD_REQUIRED, .max = 4095, .code = ERR_VOLUME_MOUNT),
    FIELD(struct volume_mount, read_only, "readOnly"),
};
static const struct schema mount_schema = SCHEMA("VolumeMount", struct volume_mount, mount_fields, "A volume in a container.");

static const struct field header_fields[] = {
    FIELD(struct http_header, name, "name", .max = 1024),
    FIELD(struct http_header, value, "value", .max = 8192),
};
static const struct schema header_schema = SCHEMA("HttpHeader", struct http_header, header_fields, "A header of a probe.");

static const struct field http_get_fields[] = {
    FIELD(struct probe_http_get, path, "path", .max = 4096),
    FIELD(struct probe_http_get, port, "port", .flags = FIELD_REQUIRED, .min = 1, .max = 65535, .code = ERR_PROBE),
    FIELD_ENUM(struct probe_http_get, scheme, "scheme", probe_scheme_words, .code = ERR_PROBE),
    FIELD_ITEMS(struct probe_http_get, headers, "httpHeaders", &header_schema, .max = 64),
};
static const struct schema http_get_schema = SCHEMA("ContainerHttpGet", struct probe_http_get, http_get_fields, "A request that tells health.");

static const struct field probe_exec_fields[] = {
    FIELD(struct probe_exec, command, "command", .max = LIMIT_COMMAND_MAX, .code = ERR_PROBE),
};
static const struct schema probe_exec_schema = SCHEMA("ContainerExec", struct probe_exec, probe_exec_fields, "A command that tells health.");

static const struct field probe_fields[] = {
    FIELD_STRUCT(struct probe, exec, "exec", &probe_exec_schema, .flags = FIELD_ONE_OF, .code = ERR_PROBE),
    FIELD_STRUCT(struct probe, http_get, "httpGet", &http_get_schema, .flags = FIELD_ONE_OF, .code = ERR_PROBE),
    FIELD(struct probe, initial_delay_s, "initialDelaySeconds", .min = 0, .max = 86400, .code = ERR_PROBE),
    FIELD(struct probe, period_s, "periodSeconds", .min = 1, .max = 86400, .code = ERR_PROBE),
    FIELD(struct probe, failure_threshold, "failureThreshold", .min = 1, .max = 1000, .code = ERR_PROBE),
    FIELD(struct probe, success_threshold, "successThreshold", .min = 1, .max = 1000, .code = ERR_PROBE),
    FIELD(struct probe, timeout_s, "timeoutSeconds", .min = 1, .max = 86400, .code = ERR_PROBE),
};
static const struct schema probe_schema = SCHEMA("ContainerProbe", struct probe, probe_fields, "Liveness or readiness.");

static const struct field capability_fields[] = {
    FIELD(struct capability_changes, add, "add", .max = 64),
    FIELD(struct capability_changes, drop, "drop", .max = 64),
};
static const struct schema capability_schema =
    SCHEMA("SecurityContextCapabilities", struct capability_changes, capability_fields, "Capabilities added and dropped.");

static const struct field security_fields[] = {
    FIELD(struct security_context, privileged, "privileged"),
    FIELD(struct security_context, allow_privilege_escalation, "allowPrivilegeEscalation"),
    FIELD_STRUCT(struct security_context, capabilities, "capabilities", &capability_schema),
    FIELD(struct security_context, run_as_group, "runAsGroup", .min = 0, .max = 2147483647),
    FIELD(struct security_context, run_as_user, "runAsUser", .min = 0, .max = 2147483647),
    FIELD(struct security_context, seccomp_profile, "seccompProfile", .max = LIMIT_SECCOMP_PROFILE_MAX, .code = ERR_SECURITY_CONTEXT),
};
static const struct schema security_schema =
    SCHEMA("SecurityContext", struct security_context, security_fields, "What a container's processes may do.");

static const struct field config_map_fields[] = {
    FIELD(struct config_map, pairs, "keyValuePairs", .max = LIMIT_CONFIG_MAP_MAX, .code = ERR_CONFIG_MAP),
};
static const struct schema config_map_schema =
    SCHEMA("ConfigMap", struct config_map, config_map_fields, "Files of a container that change without a restart.");

static const struct field container_properties_fields[] = {
    FIELD(struct container_properties, image, "image", .max = 4096, .code = ERR_IMAGE_REFERENCE, .doc = "Required, unless a profile supplies it."),
    FIELD(struct container_properties, command, "command", .max = LIMIT_COMMAND_MAX, .code = ERR_COMMAND, .doc = "In place of the image's entry point and arguments."),
    FIELD_ITEMS(struct container_properties, ports, "ports", &port_schema, .flags = FIELD_PRINT_EMPTY, .max = LIMIT_CONTAINER_PORTS_MAX, .code = ERR_PORTS),
    FIELD_ITEMS(struct container_properties, environment, "environmentVariables", &environment_schema, .flags = FIELD_PRINT_EMPTY, .max = LIMIT_ENVIRONMENT_MAX, .code = ERR_ENVIRONMENT_VARIABLE),
    FIELD_STRUCT(struct container_properties, view, "instanceView", &container_view_schema, .flags = FIELD_READ_ONLY),
    FIELD_STRUCT(struct container_properties, resources, "resources", &requirements_schema),
    FIELD_ITEMS(struct container_properties, mounts, "volumeMounts", &mount_schema, .max = LIMIT_MOUNTS_MAX, .code = ERR_VOLUME_MOUNT),
    FIELD_STRUCT(struct container_properties, liveness, "livenessProbe", &probe_schema),
    FIELD_STRUCT(struct container_properties, readiness, "readinessProbe", &probe_schema),
    FIELD_STRUCT(struct container_properties, security, "securityContext", &security_schema),
    FIELD_STRUCT(struct container_properties, config_map, "configMap", &config_map_schema, .since = CONTRACT_NEXT),
};
static const struct schema container_properties_schema =
    SCHEMA("ContainerProperties", struct container_properties, container_properties_fields, "What runs and with what.");

static const struct field container_fields[] = {
    FIELD(struct container, name, "name", .flags = FIELD_REQUIRED, .code = ERR_CONTAINER_NAME, .doc = "Unique within its group."),
    FIELD_STRUCT(struct container, properties, "properties", &container_properties_schema, .flags = FIELD_REQUIRED),
};
const struct schema container_schema = SCHEMA("Container", struct container, container_fields, "One container of a group.");

static const struct field init_properties_fields[] = {
    FIELD(struct container_properties, image, "image", .max = 4096, .code = ERR_IMAGE_REFERENCE, .doc = "Required, unless a profile supplies it."),
    FIELD(struct container_properties, command, "command", .max = LIMIT_COMMAND_MAX, .code = ERR_COMMAND, .doc = "In place of the image's entry point and arguments."),
    FIELD_ITEMS(struct container_properties, environment, "environmentVariables", &environment_schema, .flags = FIELD_PRINT_EMPTY, .max = LIMIT_ENVIRONMENT_MAX, .code = ERR_ENVIRONMENT_VARIABLE),
    FIELD_STRUCT(struct container_properties, view, "instanceView", &container_view_schema, .flags = FIELD_READ_ONLY),
    FIELD_ITEMS(struct container_properties, mounts, "volumeMounts", &mount_schema, .max = LIMIT_MOUNTS_MAX, .code = ERR_VOLUME_MOUNT),
    FIELD_STRUCT(struct container_properties, security, "securityContext", &security_schema),
};
static const struct schema init_properties_schema =
    SCHEMA("InitContainerProperties", struct container_properties, init_properties_fields, "What runs before the containers.");

static const struct field init_container_fields[] = {
    FIELD(struct container, name, "name", .flags = FIELD_REQUIRED, .code = ERR_CONTAINER_NAME),
    FIELD_STRUCT(struct container, properties, "properties", &init_properties_schema, .flags = FIELD_REQUIRED),
};
static const struct schema init_container_schema =
    SCHEMA("InitContainer", struct container, init_container_fields, "Runs to its end before the containers start.");

/* ---- volumes ---- */

static const struct field azure_file_fields[] = {
    FIELD(struct azure_file_volume, share_name, "shareName", .flags = FIELD_REQUIRED, .max = 255, .code = ERR_VOLUME),
    FIELD(struct azure_file_volume, read_only, "readOnly"),
    FIELD(struct azure_file_volume, account_name, "storageAccountName", .flags = FIELD_REQUIRED, .max = 255, .code = ERR_VOLUME),
    FIELD(struct azure_file_volume, account_key, "storageAccountKey", .flags = FIELD_SECRET, .max = 1024, .code = ERR_VOLUME),
    FIELD(struct azure_file_volume, account_key_reference, "storageAccountKeyReference", .max = 255, .since = CONTRACT_NEXT, .code = ERR_VOLUME, .doc = "Name of one of the secretReferences."),
};
static const struct schema azure_file_schema = SCHEMA("AzureFileVolume", struct azure_file_volume, azure_file_fields, "An SMB share.");

static const struct field git_fields[] = {
    FIELD(struct git_volume, directory, "directory", .max = 4095),
    FIELD(struct git_volume, repository, "repository", .flags = FIELD_REQUIRED, .max = 4096, .code = ERR_VOLUME),
    FIELD(struct git_volume, revision, "revision", .max = 255),
};
static const struct schema git_schema = SCHEMA("GitRepoVolume", struct git_volume, git_fields, "A clone of a repository.");

static const struct field local_disk_fields[] = {
    FIELD(struct local_disk_volume, name, "name", .flags = FIELD_REQUIRED, .max = 63, .code = ERR_VOLUME, .doc = "The same one for all groups of the resource group that say so."),
    FIELD(struct local_disk_volume, size_limit, "sizeLimit", .flags = FIELD_SCALAR, .max = 63, .code = ERR_VOLUME, .doc = "What it holds at most, from the first that says so; 50Gi where nobody does."),
};
static const struct schema local_disk_schema = SCHEMA("LocalDiskVolume", struct local_disk_volume, local_disk_fields, "Berth's own: a folder on a node's disk that outlives the group.");

static const struct field volume_fields[] = {
    FIELD(struct volume, name, "name", .flags = FIELD_REQUIRED, .code = ERR_VOLUME),
    FIELD_STRUCT(struct volume, azure_file, "azureFile", &azure_file_schema, .flags = FIELD_ONE_OF, .code = ERR_VOLUME),
    FIELD(struct volume, empty_dir, "emptyDir", .flags = FIELD_ONE_OF, .code = ERR_VOLUME),
    FIELD(struct volume, secret, "secret", .flags = FIELD_ONE_OF | FIELD_SECRET | FIELD_SECRET_SHELL, .max = 512, .code = ERR_VOLUME),
    FIELD(struct volume, secret_reference, "secretReference", .flags = FIELD_ONE_OF, .max = 512, .since = CONTRACT_NEXT, .code = ERR_VOLUME, .doc = "File name to name of one of the secretReferences."),
    FIELD_STRUCT(struct volume, git, "gitRepo", &git_schema, .flags = FIELD_ONE_OF, .code = ERR_VOLUME),
    FIELD_STRUCT(struct volume, local_disk, "localDisk", &local_disk_schema, .flags = FIELD_ONE_OF, .code = ERR_VOLUME),
};
static const struct schema volume_schema = SCHEMA("Volume", struct volume, volume_fields, "A folder that containers share.");

/* ---- group ---- */

static const struct field credential_fields[] = {
    FIELD(struct registry_credential, server, "server", .flags = FIELD_REQUIRED, .max = 512, .code = ERR_REGISTRY_SERVER),
    FIELD(struct registry_credential, username, "username", .max = 1024),
    FIELD(struct registry_credential, password, "password", .flags = FIELD_SECRET, .max = 65536, .code = ERR_REGISTRY_PASSWORD),
    FIELD(struct registry_credential, password_reference, "passwordReference", .max = 255, .since = CONTRACT_NEXT, .doc = "Name of one of the secretReferences."),
    FIELD(struct registry_credential, identity, "identity", .max = 2048),
    FIELD(struct registry_credential, identity_url, "identityUrl", .max = 2048),
};
static const struct schema credential_schema =
    SCHEMA("ImageRegistryCredential", struct registry_credential, credential_fields, "How to sign in at a registry.");

static const struct field address_fields[] = {
    FIELD_ITEMS(struct group_address, ports, "ports", &port_schema, .flags = FIELD_PRINT_EMPTY, .code = ERR_PORTS),
    FIELD_ENUM(struct group_address, type, "type", address_type_words, .flags = FIELD_REQUIRED, .code = ERR_ADDRESS),
    FIELD(struct group_address, ip, "ip", .flags = FIELD_READ_ONLY, .doc = "Given by Berth; ignored in requests."),
    FIELD(struct group_address, dns_name_label, "dnsNameLabel", .code = ERR_DNS_LABEL, .doc = "Of type Public only: the group is found as `fqdn`."),
    FIELD_ENUM(struct group_address, label_scope, "autoGeneratedDomainNameLabelScope", label_scope_words, .code = ERR_DNS_LABEL,
        .doc = "Who may have the label again: with any but Unsecure, the one when absent, a hash stands behind it in `fqdn`."),
    FIELD(struct group_address, fqdn, "fqdn", .flags = FIELD_READ_ONLY, .doc = "The name below the DNS zone; it has an address while the group has one."),
};
static const struct schema address_schema = SCHEMA("IpAddress", struct group_address, address_fields, "Where the group answers.");

static const struct field log_analytics_fields[] = {
    FIELD(struct log_analytics, workspace_id, "workspaceId", .flags = FIELD_REQUIRED, .max = 255),
    FIELD(struct log_analytics, workspace_key, "workspaceKey", .flags = FIELD_REQUIRED | FIELD_SECRET, .max = 4096),
    FIELD_ENUM(struct log_analytics, log_type, "logType", log_type_words),
    FIELD(struct log_analytics, metadata, "metadata", .max = 50),
    FIELD(struct log_analytics, workspace_resource_id, "workspaceResourceId", .flags = FIELD_SECRET, .max = 2048),
};
static const struct schema log_analytics_schema =
    SCHEMA("LogAnalytics", struct log_analytics, log_analytics_fields, "A workspace that takes the logs.");

static const struct field diagnostics_fields[] = {
    FIELD_STRUCT(struct diagnostics, log_analytics, "logAnalytics", &log_analytics_schema),
};
static const struct schema diagnostics_schema = SCHEMA("Diagnostics", struct diagnostics, diagnostics_fields, "Where diagnostics go.");

static const struct field subnet_fields[] = {
    FIELD(struct subnet_id, id, "id", .flags = FIELD_REQUIRED, .max = 2048, .code = ERR_SUBNET),
    FIELD(struct subnet_id, name, "name", .max = 255),
};
static const struct schema subnet_schema = SCHEMA("SubnetId", struct subnet_id, subnet_fields, "A subnet.");

static const struct field dns_fields[] = {
    FIELD(struct dns_config, name_servers, "nameServers", .flags = FIELD_REQUIRED, .min = 1, .max = LIMIT_NAME_SERVERS_MAX, .code = ERR_DNS_CONFIG),
    FIELD(struct dns_config, search_domains, "searchDomains", .max = 2048, .code = ERR_DNS_CONFIG),
    FIELD(struct dns_config, options, "options", .max = 2048, .code = ERR_DNS_CONFIG),
};
static const struct schema dns_schema = SCHEMA("DnsConfiguration", struct dns_config, dns_fields, "Resolver settings of the group.");

static const struct field encryption_fields[] = {
    FIELD(struct encryption, vault_base_url, "vaultBaseUrl", .flags = FIELD_REQUIRED, .max = 2048),
    FIELD(struct encryption, key_name, "keyName", .flags = FIELD_REQUIRED, .max = 255),
    FIELD(struct encryption, key_version, "keyVersion", .flags = FIELD_REQUIRED, .max = 255),
    FIELD(struct encryption, identity, "identity", .max = 2048),
};
static const struct schema encryption_schema = SCHEMA("EncryptionProperties", struct encryption, encryption_fields, "A key of one's own.");

static const struct field extension_properties_fields[] = {
    FIELD(struct extension_properties, extension_type, "extensionType", .flags = FIELD_REQUIRED, .max = 255),
    FIELD(struct extension_properties, version, "version", .flags = FIELD_REQUIRED, .max = 255),
    FIELD(struct extension_properties, settings, "settings"),
    FIELD(struct extension_properties, protected_settings, "protectedSettings", .flags = FIELD_SECRET),
};
static const struct schema extension_properties_schema =
    SCHEMA("ExtensionProperties", struct extension_properties, extension_properties_fields, "What an extension is and wants.");

static const struct field extension_fields[] = {
    FIELD(struct extension, name, "name", .flags = FIELD_REQUIRED, .max = 255),
    FIELD_STRUCT(struct extension, properties, "properties", &extension_properties_schema),
};
static const struct schema extension_schema = SCHEMA("DeploymentExtension", struct extension, extension_fields, "An extension of the group.");

static const struct field confidential_fields[] = {
    FIELD(struct confidential, cce_policy, "ccePolicy"),
};
static const struct schema confidential_schema =
    SCHEMA("ConfidentialComputeProperties", struct confidential, confidential_fields, "Policy of a confidential group.");

static const struct field identity_fields[] = {
    FIELD(struct identity, principal_id, "principalId", .flags = FIELD_READ_ONLY | FIELD_KEPT),
    FIELD(struct identity, tenant_id, "tenantId", .flags = FIELD_READ_ONLY | FIELD_KEPT),
    FIELD_ENUM(struct identity, type, "type", identity_type_words, .code = ERR_IDENTITY),
    FIELD(struct identity, user_assigned, "userAssignedIdentities"),
};
static const struct schema identity_schema = SCHEMA("ContainerGroupIdentity", struct identity, identity_fields, "Who the group is.");

static const struct field identity_access_fields[] = {
    FIELD_ENUM(struct identity_access, access, "access", identity_access_words, .code = ERR_IDENTITY),
    FIELD(struct identity_access, identity, "identity", .max = 2048, .code = ERR_IDENTITY),
};
static const struct schema identity_access_schema =
    SCHEMA("IdentityAccessControl", struct identity_access, identity_access_fields, "Who may use one identity.");

static const struct field identity_acls_fields[] = {
    FIELD_ENUM(struct identity_acls, default_access, "defaultAccess", identity_access_words, .code = ERR_IDENTITY),
    FIELD_ITEMS(struct identity_acls, acls, "acls", &identity_access_schema, .max = 64, .code = ERR_IDENTITY),
};
static const struct schema identity_acls_schema =
    SCHEMA("IdentityAcls", struct identity_acls, identity_acls_fields, "Who may use the group's identities.");

static const struct field secret_reference_fields[] = {
    FIELD(struct secret_reference, name, "name", .flags = FIELD_REQUIRED, .min = 1, .max = 255, .code = ERR_SECRET_REFERENCE),
    FIELD(struct secret_reference, identity, "identity", .flags = FIELD_REQUIRED, .min = 1, .max = 2048, .code = ERR_SECRET_REFERENCE),
    FIELD(struct secret_reference, uri, "secretReferenceUri", .flags = FIELD_REQUIRED, .min = 1, .max = 2048, .code = ERR_SECRET_REFERENCE),
};
static const struct schema secret_reference_schema =
    SCHEMA("SecretReference", struct secret_reference, secret_reference_fields, "A secret that lies in a vault.");

static const struct field profile_reference_fields[] = {
    FIELD(struct profile_reference, id, "id", .max = 2048),
    FIELD(struct profile_reference, revision, "revision", .min = 0, .max = INT32_MAX),
};
static const struct schema profile_reference_schema =
    SCHEMA("ContainerGroupProfileReference", struct profile_reference, profile_reference_fields, "The profile a group is made from.");

static const struct field standby_pool_fields[] = {
    FIELD(struct standby_pool, id, "id", .max = 2048),
    FIELD(struct standby_pool, fail_on_reuse_failure, "failContainerGroupCreateOnReuseFailure"),
};
static const struct schema standby_pool_schema =
    SCHEMA("StandbyPoolProfile", struct standby_pool, standby_pool_fields, "The pool a group is taken from.");

static const struct field group_properties_fields[] = {
    FIELD_ENUM(struct group_properties, sku, "sku", group_sku_words, .flags = FIELD_HAS_FALLBACK, .fallback = SKU_STANDARD),
    FIELD(struct group_properties, provisioning_state, "provisioningState", .flags = FIELD_READ_ONLY),
    FIELD(struct group_properties, provisioning_timeout_s, "provisioningTimeoutInSeconds", .flags = FIELD_READ_ONLY),
    FIELD(struct group_properties, custom_provisioning_timeout, "isCustomProvisioningTimeout", .flags = FIELD_READ_ONLY),
    FIELD_ITEMS(struct group_properties, containers, "containers", &container_schema, .flags = FIELD_REQUIRED | FIELD_PRINT_EMPTY, .max = LIMIT_CONTAINERS_MAX, .code = ERR_CONTAINER_COUNT),
    FIELD_ITEMS(struct group_properties, init_containers, "initContainers", &init_container_schema, .flags = FIELD_PRINT_EMPTY, .max = LIMIT_CONTAINERS_MAX - 1, .code = ERR_CONTAINER_COUNT),
    FIELD_ITEMS(struct group_properties, credentials, "imageRegistryCredentials", &credential_schema, .max = 64, .code = ERR_REGISTRY_CREDENTIAL),
    FIELD_ENUM(struct group_properties, restart_policy, "restartPolicy", restart_policy_words, .flags = FIELD_HAS_FALLBACK, .fallback = RESTART_ALWAYS),
    FIELD_STRUCT(struct group_properties, address, "ipAddress", &address_schema, .flags = FIELD_SPLICE),
    FIELD_ENUM(struct group_properties, os_type, "osType", os_type_words, .code = ERR_OS_TYPE),
    FIELD_ITEMS(struct group_properties, volumes, "volumes", &volume_schema, .max = LIMIT_VOLUMES_MAX, .code = ERR_VOLUME),
    FIELD_STRUCT(struct group_properties, view, "instanceView", &group_view_schema, .flags = FIELD_READ_ONLY),
    FIELD_STRUCT(struct group_properties, diagnostics, "diagnostics", &diagnostics_schema),
    FIELD_ITEMS(struct group_properties, subnets, "subnetIds", &subnet_schema, .max = 1, .code = ERR_SUBNET),
    FIELD_STRUCT(struct group_properties, dns, "dnsConfig", &dns_schema),
    FIELD_STRUCT(struct group_properties, encryption, "encryptionProperties", &encryption_schema),
    FIELD_ITEMS(struct group_properties, extensions, "extensions", &extension_schema, .max = 16),
    FIELD_STRUCT(struct group_properties, confidential, "confidentialComputeProperties", &confidential_schema),
    FIELD_ENUM(struct group_properties, priority, "priority", group_priority_words, .code = ERR_PRIORITY),
    FIELD_ITEMS(struct group_properties, secret_references, "secretReferences", &secret_reference_schema, .max = LIMIT_SECRET_REFERENCES_MAX, .since = CONTRACT_NEXT, .code = ERR_SECRET_REFERENCE),
    FIELD_STRUCT(struct group_properties, identity_acls, "identityAcls", &identity_acls_schema, .since = CONTRACT_NEXT),
    FIELD_STRUCT(struct group_properties, profile, "containerGroupProfile", &profile_reference_schema, .since = CONTRACT_NEXT),
    FIELD_STRUCT(struct group_properties, standby_pool, "standbyPoolProfile", &standby_pool_schema, .since = CONTRACT_NEXT),
    FIELD(struct group_properties, from_standby_pool, "isCreatedFromStandbyPool", .flags = FIELD_READ_ONLY, .since = CONTRACT_NEXT),
};
static const struct schema group_properties_schema =
    SCHEMA("ContainerGroupProperties", struct group_properties, group_properties_fields, "The group's specification and state.");

static const struct field container_group_fields[] = {
    FIELD_STRUCT(struct container_group, properties, "properties", &group_properties_schema, .flags = FIELD_REQUIRED),
    FIELD(struct container_group, id, "id", .flags = FIELD_READ_ONLY),
    FIELD(struct container_group, name, "name", .flags = FIELD_READ_ONLY),
    FIELD(struct container_group, type, "type", .flags = FIELD_READ_ONLY),
    FIELD(struct container_group, location, "location", .max = 63, .code = ERR_LOCATION_REQUIRED),
    FIELD_STRUCT(struct container_group, identity, "identity", &identity_schema),
    FIELD(struct container_group, tags, "tags", .flags = FIELD_PRINT_EMPTY, .max = LIMIT_TAGS_MAX, .code = ERR_TAGS),
    FIELD(struct container_group, zones, "zones", .max = 1, .code = ERR_ZONE),
};
const struct schema container_group_schema =
    SCHEMA("ContainerGroup", struct container_group, container_group_fields, "Containers that share one node, one network and one life.");

/* clang-format on */

/* Dates compare as texts; a preview is as old as its date. */
const char *group_contract(const char *api_version)
{
    return strncmp(api_version, "2024-05-01", 10) < 0 ? CONTRACT_FIRST : CONTRACT_NEXT;
}

size_t group_containers_total(const struct group_properties *properties)
{
    return properties->init_containers_count + properties->containers_count;
}

struct container *group_container_at(const struct group_properties *properties, size_t index)
{
    size_t first = properties->init_containers_count;

    return index < first ? &properties->init_containers[index]
                         : &properties->containers[index - first];
}

int64_t memory_mib_from_milli_gb(int64_t milli_gb)
{
    return (milli_gb * 1024 + 999) / 1000;
}

/* Rounding up added less than one thousandth. */
int64_t memory_milli_gb_from_mib(int64_t mib)
{
    return mib * 1000 / 1024;
}

bool gpus_fit(int64_t wanted, int64_t capacity, int64_t used)
{
    for (int sku = 0; wanted != 0 && sku < GPU_SKUS; sku++)
        if (gpus_count(capacity, sku) - gpus_count(used, sku) < gpus_count(wanted, sku))
            return false;
    return true;
}

struct shape group_shape(const struct container_group *group)
{
    struct shape shape = {
        .alone = group->properties->sku == SKU_DEDICATED,
        .spot = group->properties->priority == PRIORITY_SPOT,
    };
    int64_t memory_milli_gb = 0;

    if (group->zones.count > 0)
        (void)text_copy(shape.zone, sizeof shape.zone, group->zones.items[0]);
    for (size_t i = 0; i < group->properties->containers_count; i++) {
        const struct resource_amounts *requests =
            group->properties->containers[i].properties->resources->requests;
        shape.cpu_milli += requests->cpu.milli;
        memory_milli_gb += requests->memory_gb.milli;
        if (requests->gpu)
            shape.gpus += gpus_of(requests->gpu->sku, requests->gpu->count.value);
    }
    shape.memory_mib = memory_mib_from_milli_gb(memory_milli_gb);
    return shape;
}
