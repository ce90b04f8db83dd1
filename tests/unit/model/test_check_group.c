/* model/check: what stands around the containers. One line for each rule: what is sent, and the code, the place
 * and the sentence that come back. */
#include "tests/unit/model/check.h"

#define ID                                                                   \
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.ManagedIdentity/" \
    "userAssignedIdentities/me"
#define SUBNET \
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v/subnets/n"

/* clang-format off */
TEST(the_kind_of_group_says_what_it_excludes)
{
    static const struct check_case cases[] = {
        {"{\"properties\":{\"containers\":[" GOOD "]}}", ERR_OS_TYPE, "properties.osType", "The 'osType' for container group 'g' is invalid. The value must be one of 'Windows,Linux'."},
        {"{\"properties\":{\"osType\":null,\"containers\":[" GOOD "]}}", ERR_OS_TYPE, "properties.osType", NULL},
        {"{\"properties\":{\"osType\":\"BeOS\",\"containers\":[" GOOD "]}}", ERR_OS_TYPE, "properties.osType", "The 'osType' for container group 'g' is invalid. The value must be one of 'Windows,Linux'."},
        {"{\"properties\":{\"osType\":\"\",\"containers\":[" GOOD "]}}", ERR_OS_TYPE, "properties.osType", "The 'osType' for container group 'g' is invalid. The value must be one of 'Windows,Linux'."},
        {"{}", ERR_INVALID, "properties", "'properties' is required."},
        {"{\"properties\":null}", ERR_INVALID, "properties", "'properties' is required."},
        {BESIDE(",\"sku\":\"Standard\",\"priority\":\"Regular\",\"restartPolicy\":\"never\""), ERR_OK, NULL, NULL},
        {BESIDE(",\"sku\":null,\"priority\":null,\"restartPolicy\":null"), ERR_OK, NULL, NULL},
        {BESIDE(",\"sku\":\"Golden\""), ERR_INVALID, "properties.sku", NULL},
        {BESIDE(",\"restartPolicy\":\"Sometimes\""), ERR_INVALID, "properties.restartPolicy", NULL},
        {BESIDE(",\"priority\":\"High\""), ERR_PRIORITY, "properties.priority", "The 'Priority' must be one of 'Regular,Spot' for container group 'g'."},
        {BESIDE(",\"priority\":\"Spot\",\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":80}]}"), ERR_SPOT_NETWORK, "properties.ipAddress",
         "Spot Priority is not supported for container groups with inbound connectivity."},
        {BESIDE(",\"priority\":\"Spot\",\"subnetIds\":[{\"id\":\"" SUBNET "\"}]"), ERR_SPOT_NETWORK, "properties.subnetIds", NULL},
        {BESIDE(",\"priority\":\"Spot\",\"sku\":\"Confidential\""), ERR_SPOT_SKU, "properties.sku", "Spot Priority Container Group is not supported in 'Confidential' Sku."},
        {GROUP(CONTAINER("a", ",\"resources\":{\"requests\":{\"cpu\":1,\"memoryInGB\":1,\"gpu\":{\"count\":1,\"sku\":\"V100\"}}}"), ",\"priority\":\"Spot\""), ERR_SPOT_GPU, "properties.containers",
         "Spot Priority Container Groups that include containers requesting GPU resources are not supported."},
        {"{\"zones\":[\"1\"],\"properties\":{\"osType\":\"Linux\",\"priority\":\"Spot\",\"containers\":[" GOOD "]}}", ERR_ZONE, "zones", NULL},
        {GROUP(CONTAINER("a", RESOURCES("4.5", "1")), ",\"priority\":\"Spot\""), ERR_REQUESTS_INVALID, "properties.containers[0].properties.resources.requests.cpu",
         "The CPU request '4.5' in container 'a' of container group 'g' must be between 0.01 and 4 cores."},
        {AROUND("\"zones\":[\"1\",\"2\"]"), ERR_ZONE, "zones", NULL},
        {AROUND("\"zones\":[\"\"]"), ERR_ZONE, "zones[0]", NULL},
        {AROUND("\"zones\":[]"), ERR_OK, NULL, NULL},
        {BESIDE(",\"confidentialComputeProperties\":{\"ccePolicy\":\"e30=\"}"), ERR_CONFIDENTIAL, "properties.confidentialComputeProperties.ccePolicy",
         "The container group 'g' has a 'ccePolicy', which needs the sku 'Confidential'; its sku is 'Standard'."},
        {BESIDE(",\"sku\":\"Confidential\",\"confidentialComputeProperties\":{\"ccePolicy\":\"{}\"}"), ERR_CONFIDENTIAL, "properties.confidentialComputeProperties.ccePolicy", NULL},
        {"{\"properties\":{\"osType\":\"Windows\",\"containers\":[" GOOD "]}}", ERR_OK, NULL, NULL},
        {"{\"properties\":{\"osType\":\"Windows\",\"containers\":[" GOOD "," CONTAINER("b", RESOURCES("1", "1")) "]}}", ERR_WINDOWS, "properties.containers",
         "The container group 'g' has the osType 'Windows', which does not support more than one container."},
        {"{\"properties\":{\"osType\":\"Windows\",\"containers\":[" GOOD "],\"volumes\":[{\"name\":\"data1\",\"emptyDir\":{}}]}}", ERR_WINDOWS, "properties.volumes", NULL},
        {"{\"properties\":{\"osType\":\"Windows\",\"containers\":[" GOOD "],\"initContainers\":[{\"name\":\"i\",\"properties\":{\"image\":\"b\"}}]}}", ERR_WINDOWS, "properties.initContainers", NULL},
        {BESIDE(",\"encryptionProperties\":{\"keyName\":\"k\",\"keyVersion\":\"1\"}"), ERR_INVALID, "properties.encryptionProperties.vaultBaseUrl", NULL},
        {BESIDE(",\"diagnostics\":{\"logAnalytics\":{\"workspaceId\":\"w\"}}"), ERR_INVALID, "properties.diagnostics.logAnalytics.workspaceKey", NULL},
        {BESIDE(",\"extensions\":[{\"name\":\"x\",\"properties\":{\"version\":\"1\"}}]"), ERR_INVALID, "properties.extensions[0].properties.extensionType", NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}

TEST(what_no_server_has_is_refused_and_told_what_to_do_instead)
{
    static const struct check_case cases[] = {
        {BESIDE(",\"sku\":\"Confidential\""), ERR_CONFIDENTIAL_SKU, "properties.sku",
         "The sku 'Confidential' of container group 'g' is not supported in location 'westus': no node there attests its memory. The sku 'Dedicated' gives a container group a node of its own."},
        {BESIDE(",\"sku\":\"Confidential\",\"confidentialComputeProperties\":{\"ccePolicy\":\"e30=\"}"), ERR_CONFIDENTIAL_SKU, "properties.sku", NULL},
        {BESIDE(",\"encryptionProperties\":{\"vaultBaseUrl\":\"https://v\",\"keyName\":\"k\",\"keyVersion\":\"1\"}"), ERR_ENCRYPTION, "properties.encryptionProperties",
         "The container group 'g' is to be encrypted with the key 'k' of 'https://v', and no key vault is configured here. Leave out 'encryptionProperties': secrets are always sealed with the server's own key."},
        {BESIDE(",\"extensions\":[{\"name\":\"x\",\"properties\":{\"extensionType\":\"kube-proxy\",\"version\":\"1\"}}]"), ERR_EXTENSION, "properties.extensions[0].properties.extensionType",
         "The extension 'x' of container group 'g' is of type 'kube-proxy', and no extension of that type is installed on the nodes of location 'westus'. Leave it out, or run what it does as a container of the group."},
        {BESIDE(",\"diagnostics\":{\"logAnalytics\":{\"workspaceId\":\"w\",\"workspaceKey\":\"k\"}}"), ERR_WORKSPACE, "properties.diagnostics.logAnalytics",
         "The logs of container group 'g' are to go to the workspace 'w', and no Log Analytics workspace is known to this server. Leave out 'diagnostics': the call for a container's logs gives them, and its view the events."},
        {BESIDE(",\"diagnostics\":{},\"extensions\":[],\"confidentialComputeProperties\":{}"), ERR_OK, NULL, NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}

#define ADDRESS(type, rest) BESIDE(",\"ipAddress\":{\"type\":\"" type "\",\"ports\":[{\"port\":80}]" rest "}")
#define LABEL(label) ADDRESS("Public", ",\"dnsNameLabel\":\"" label "\"")
#define A16 "aaaaaaaaaaaaaaaa"
TEST(addresses_labels_and_subnets_go_together)
{
    static const struct check_case cases[] = {
        {ADDRESS("Public", ",\"ip\":\"10.0.0.1\""), ERR_OK, NULL, NULL},
        {ADDRESS("Private", ""), ERR_OK, NULL, NULL},
        {ADDRESS("Hidden", ""), ERR_ADDRESS, "properties.ipAddress.type", NULL},
        {BESIDE(",\"ipAddress\":{\"ports\":[{\"port\":80}]}"), ERR_ADDRESS, "properties.ipAddress.type", "'properties.ipAddress.type' is required."},
        {BESIDE(",\"ipAddress\":{\"type\":\"Public\",\"ports\":[]}"), ERR_ADDRESS_PORTS_MISSING, "properties.ipAddress.ports", "The ports in the 'ipAddress' of container group 'g' cannot be empty."},
        {BESIDE(",\"ipAddress\":{\"type\":\"Public\"}"), ERR_ADDRESS_PORTS_MISSING, "properties.ipAddress.ports", NULL},
        {BESIDE(",\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":1},{\"port\":2},{\"port\":3},{\"port\":4},{\"port\":5}]}"), ERR_OK, NULL, NULL},
        {BESIDE(",\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":1},{\"port\":2},{\"port\":3},{\"port\":4},{\"port\":5},{\"port\":6}]}"), ERR_PORTS, "properties.ipAddress.ports",
         "The 'ipAddress' of container group 'g' has 6 ports; the limit is 5."},
        {BESIDE(",\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":70000}]}"), ERR_PORTS, "properties.ipAddress.ports[0].port", NULL},
        {BESIDE(",\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":80},{\"port\":80}]}"), ERR_PORT_DUPLICATE, "properties.ipAddress.ports[1].port",
         "The port '80' appears twice in the 'ipAddress' of container group 'g'."},
        {BESIDE(",\"subnetIds\":[{\"id\":\"" SUBNET "\"}],\"ipAddress\":{\"type\":\"Public\",\"ports\":[{\"port\":80}]}"), ERR_ADDRESS_TYPE, "properties.ipAddress.type",
         "IP Address type can't be public when network profile is set."},
        {BESIDE(",\"subnetIds\":[{\"id\":\"" SUBNET "\",\"name\":\"n\"}],\"ipAddress\":{\"type\":\"Private\",\"ports\":[{\"port\":80}]}"), ERR_OK, NULL, NULL},
        {BESIDE(",\"subnetIds\":[{\"id\":\"" SUBNET "\"}]"), ERR_OK, NULL, NULL},
        {BESIDE(",\"subnetIds\":[{\"id\":\"" SUBNET "\"},{\"id\":\"" SUBNET "2\"}]"), ERR_SUBNET, "properties.subnetIds", NULL},
        {BESIDE(",\"subnetIds\":[{\"name\":\"n\"}]"), ERR_SUBNET, "properties.subnetIds[0].id", NULL},
        {BESIDE(",\"subnetIds\":[{\"id\":\"n\"}]"), ERR_SUBNET, "properties.subnetIds[0].id",
         "The subnet 'n' of container group 'g' is no resource id of a subnet (/subscriptions/…/virtualNetworks/…/subnets/…)."},
        {LABEL("label"), ERR_OK, NULL, NULL},
        {LABEL("a-b-9" A16 A16 A16 "bbbbbbbbbb"), ERR_OK, NULL, NULL},
        {LABEL("9labe"), ERR_DNS_LABEL, "properties.ipAddress.dnsNameLabel",
         "The DNS name label '9labe' in container group 'g' is invalid. It can contain only lowercase letters, numbers and hyphens. The first character must be a letter. The last character must be a letter or number. The value must be between 5 and 63 characters long."},
        {LABEL("labe"), ERR_DNS_LABEL, "properties.ipAddress.dnsNameLabel", NULL},
        {LABEL("Label"), ERR_DNS_LABEL, "properties.ipAddress.dnsNameLabel", NULL},
        {LABEL("label-"), ERR_DNS_LABEL, "properties.ipAddress.dnsNameLabel", NULL},
        {LABEL("la.bel"), ERR_DNS_LABEL, "properties.ipAddress.dnsNameLabel", NULL},
        {LABEL(A16 A16 A16 A16), ERR_DNS_LABEL, "properties.ipAddress.dnsNameLabel", NULL},
        {ADDRESS("Public", ",\"autoGeneratedDomainNameLabelScope\":\"Unsecure\""), ERR_OK, NULL, NULL},
        {ADDRESS("Public", ",\"dnsNameLabel\":\"label\",\"autoGeneratedDomainNameLabelScope\":\"World\""), ERR_DNS_LABEL, "properties.ipAddress.autoGeneratedDomainNameLabelScope", NULL},
        {ADDRESS("Private", ",\"dnsNameLabel\":\"label\""), ERR_DNS_LABEL, "properties.ipAddress.dnsNameLabel",
         "The DNS name label 'label' in container group 'g' needs an 'ipAddress' of type 'Public'."},
        {BESIDE(",\"dnsConfig\":{\"nameServers\":[\"10.0.0.1\",\"::1\"],\"searchDomains\":\"a.example b.example\",\"options\":\"ndots:2 rotate\"}"), ERR_OK, NULL, NULL},
        {BESIDE(",\"dnsConfig\":{}"), ERR_DNS_CONFIG, "properties.dnsConfig.nameServers", NULL},
        {BESIDE(",\"dnsConfig\":{\"nameServers\":[]}"), ERR_DNS_CONFIG, "properties.dnsConfig.nameServers", NULL},
        {BESIDE(",\"dnsConfig\":{\"nameServers\":[\"1.1.1.1\",\"1.1.1.2\",\"1.1.1.3\",\"1.1.1.4\"]}"), ERR_DNS_CONFIG, "properties.dnsConfig.nameServers", NULL},
        {BESIDE(",\"dnsConfig\":{\"nameServers\":[\"10.0.0.1\\nsearch x\"]}"), ERR_DNS_CONFIG, "properties.dnsConfig.nameServers[0]", NULL},
        {BESIDE(",\"dnsConfig\":{\"nameServers\":[\"10.0.0.1\"],\"searchDomains\":\"a\\nnameserver 6.6.6.6\"}"), ERR_DNS_CONFIG, "properties.dnsConfig.searchDomains", NULL},
        {BESIDE(",\"dnsConfig\":{\"nameServers\":[\"10.0.0.1\"],\"options\":\"a\\nb\"}"), ERR_DNS_CONFIG, "properties.dnsConfig.options", NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}

#define VOLUME(rest) BESIDE(",\"volumes\":[{\"name\":\"data1\"" rest "}]")
#define FILE_SHARE(rest) VOLUME(",\"azureFile\":{\"shareName\":\"share\",\"storageAccountName\":\"account1\"" rest "}")
TEST(a_local_disk_has_a_name_and_a_size_that_can_be_had)
{
    static const struct check_case cases[] = {
        {VOLUME(",\"localDisk\":{\"name\":\"db\"}"), ERR_OK, NULL, NULL},
        {VOLUME(",\"localDisk\":{\"name\":\"db\",\"sizeLimit\":\"10Gi\"}"), ERR_OK, NULL, NULL},
        {VOLUME(",\"localDisk\":{\"name\":\"db\",\"sizeLimit\":1073741824}"), ERR_OK, NULL, NULL},
        {VOLUME(",\"localDisk\":{}"), ERR_VOLUME, "properties.volumes[0].localDisk.name", NULL},
        {VOLUME(",\"localDisk\":{\"name\":\"../db\"}"), ERR_VOLUME, "properties.volumes[0].localDisk.name",
         "The volume 'data1' in container group 'g' is invalid: the name of a local disk has 1 to 63 lower-case letters, digits or hyphens, no hyphen first, last or doubled."},
        {VOLUME(",\"localDisk\":{\"name\":\"\"}"), ERR_VOLUME, "properties.volumes[0].localDisk.name", NULL},
        {VOLUME(",\"localDisk\":{\"name\":\"db\",\"sizeLimit\":\"1Mi\"}"), ERR_VOLUME, "properties.volumes[0].localDisk.sizeLimit",
         "The volume 'data1' in container group 'g' is invalid: its 'sizeLimit' must be between 16 MiB and 16 TiB."},
        {VOLUME(",\"localDisk\":{\"name\":\"db\",\"sizeLimit\":\"17Ti\"}"), ERR_VOLUME, "properties.volumes[0].localDisk.sizeLimit", NULL},
        {VOLUME(",\"localDisk\":{\"name\":\"db\",\"sizeLimit\":\"much\"}"), ERR_VOLUME, "properties.volumes[0].localDisk.sizeLimit", NULL},
        {VOLUME(",\"localDisk\":{\"name\":\"db\"},\"emptyDir\":{}"), ERR_VOLUME, "properties.volumes[0]", NULL},
        {BESIDE(",\"volumes\":[{\"name\":\"data1\",\"localDisk\":{\"name\":\"db\"}},{\"name\":\"data2\",\"localDisk\":{\"name\":\"db\"}}]"), ERR_VOLUME, "properties.volumes[1].localDisk.name",
         "The volume 'data2' in container group 'g' is invalid: another volume of the group is this local disk already."},
    };
    assert_cases(cases, COUNT_OF(cases));
}

TEST(volumes_are_of_one_kind_and_well_formed)
{
    static const struct check_case cases[] = {
        {VOLUME(",\"emptyDir\":{}"), ERR_OK, NULL, NULL},
        {VOLUME(",\"emptyDir\":null"), ERR_VOLUME, "properties.volumes[0]",
         "'properties.volumes[0]' must have exactly one of 'azureFile', 'emptyDir', 'secret', 'secretReference', 'gitRepo', 'localDisk', not 0."},
        {VOLUME(",\"emptyDir\":{},\"secret\":{}"), ERR_VOLUME, "properties.volumes[0]", NULL},
        {VOLUME(",\"emptyDir\":{\"medium\":\"Memory\",\"sizeLimit\":\"1.5Gi\",\"other\":[]}"), ERR_OK, NULL, NULL},
        {VOLUME(",\"emptyDir\":{\"sizeLimit\":1048576}"), ERR_OK, NULL, NULL},
        {VOLUME(",\"emptyDir\":{\"medium\":\"HugePages\"}"), ERR_VOLUME, "properties.volumes[0].emptyDir",
         "The volume 'data1' in container group 'g' is invalid: its 'medium' is 'Memory', or left out for the disk."},
        {VOLUME(",\"emptyDir\":{\"medium\":{}}"), ERR_VOLUME, "properties.volumes[0].emptyDir", NULL},
        {VOLUME(",\"emptyDir\":{\"sizeLimit\":\"lots\"}"), ERR_VOLUME, "properties.volumes[0].emptyDir",
         "The volume 'data1' in container group 'g' is invalid: its 'sizeLimit' is a quantity of bytes, such as '500Mi' or '2G'."},
        {VOLUME(",\"emptyDir\":{\"sizeLimit\":\"51Gi\"}"), ERR_VOLUME, "properties.volumes[0].emptyDir",
         "The volume 'data1' in container group 'g' is invalid: its 'sizeLimit' must be between 1 MiB and 50 GiB."},
        {VOLUME(",\"emptyDir\":{\"sizeLimit\":\"1\"}"), ERR_VOLUME, "properties.volumes[0].emptyDir", NULL},
        {VOLUME(",\"emptyDir\":[]"), ERR_VOLUME, "properties.volumes[0].emptyDir", NULL},
        {BESIDE(",\"volumes\":[{\"name\":\"data1\",\"emptyDir\":{}},{\"name\":\"data1\",\"emptyDir\":{}}]"), ERR_VOLUME_DUPLICATE, "properties.volumes[1].name", "Duplicate volumes 'data1' are found."},
        {BESIDE(",\"volumes\":[{\"name\":\"data\",\"emptyDir\":{}}]"), ERR_VOLUME, "properties.volumes[0].name",
         "The volume name 'data' in container group 'g' is invalid. It must have 5 to 63 lower-case letters, digits or hyphens, no hyphen first, last or doubled."},
        {BESIDE(",\"volumes\":[{\"name\":\"da--ta\",\"emptyDir\":{}}]"), ERR_VOLUME, "properties.volumes[0].name", NULL},
        {BESIDE(",\"volumes\":[{\"emptyDir\":{}}]"), ERR_VOLUME, "properties.volumes[0].name", NULL},
        {FILE_SHARE(",\"storageAccountKey\":\"a2V5\""), ERR_OK, NULL, NULL},
        {FILE_SHARE(""), ERR_VOLUME, "properties.volumes[0].azureFile.storageAccountKey", NULL},
        {FILE_SHARE(",\"storageAccountKey\":\"no key\""), ERR_VOLUME, "properties.volumes[0].azureFile.storageAccountKey",
         "The volume 'data1' in container group 'g' is invalid: the key is not base64."},
        {FILE_SHARE(",\"storageAccountKeyReference\":\"ref\""), ERR_SECRET_REFERENCE, "properties.volumes[0].azureFile.storageAccountKeyReference", NULL},
        {VOLUME(",\"azureFile\":{\"shareName\":\"Share\",\"storageAccountName\":\"account1\",\"storageAccountKey\":\"a2V5\"}"), ERR_VOLUME, "properties.volumes[0].azureFile.shareName", NULL},
        {VOLUME(",\"azureFile\":{\"shareName\":\"share\",\"storageAccountName\":\"account-1\",\"storageAccountKey\":\"a2V5\"}"), ERR_VOLUME, "properties.volumes[0].azureFile.storageAccountName", NULL},
        {VOLUME(",\"azureFile\":{\"storageAccountName\":\"account1\",\"storageAccountKey\":\"a2V5\"}"), ERR_VOLUME, "properties.volumes[0].azureFile.shareName", NULL},
        {VOLUME(",\"secret\":{\"a.pem\":\"YQ==\",\"b\":\"\"}"), ERR_OK, NULL, NULL},
        {VOLUME(",\"secret\":{\"a\":\"Y\\nQ = =\"}"), ERR_OK, NULL, NULL},
        {VOLUME(",\"secret\":{\"a\":\"YQ=\"}"), ERR_VOLUME, "properties.volumes[0].secret", "The volume 'data1' in container group 'g' is invalid: the value of its secret 'a' is not base64."},
        {VOLUME(",\"secret\":{\"a\":\"Y=Q=\"}"), ERR_VOLUME, "properties.volumes[0].secret", NULL},
        {VOLUME(",\"secret\":{\"a\":\"====\"}"), ERR_VOLUME, "properties.volumes[0].secret", NULL},
        {VOLUME(",\"secret\":{\"a\":\"Y-_=\"}"), ERR_VOLUME, "properties.volumes[0].secret", NULL},
        {VOLUME(",\"secret\":{\"../a\":\"YQ==\"}"), ERR_VOLUME, "properties.volumes[0].secret", NULL},
        {VOLUME(",\"secret\":{\"..\":\"YQ==\"}"), ERR_VOLUME, "properties.volumes[0].secret", NULL},
        {VOLUME(",\"secret\":{\"\":\"YQ==\"}"), ERR_VOLUME, "properties.volumes[0].secret", NULL},
        {VOLUME(",\"secret\":{\"a\":null}"), ERR_INVALID, "properties.volumes[0].secret.a", NULL},
        {VOLUME(",\"secretReference\":{\"a\":\"ref\"}"), ERR_SECRET_REFERENCE, "properties.volumes[0].secretReference", NULL},
        {VOLUME(",\"gitRepo\":{\"repository\":\"https://git.example/r.git\",\"directory\":\".\",\"revision\":\"main\"}"), ERR_OK, NULL, NULL},
        {VOLUME(",\"gitRepo\":{\"directory\":\".\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.repository", NULL},
        {VOLUME(",\"gitRepo\":{\"repository\":\"git@host:r.git\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.repository", NULL},
        {VOLUME(",\"gitRepo\":{\"repository\":\"ssh://host/r\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.repository", NULL},
        {VOLUME(",\"gitRepo\":{\"repository\":\"https://\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.repository", NULL},
        {VOLUME(",\"gitRepo\":{\"repository\":\"/etc\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.repository", NULL},
        {VOLUME(",\"gitRepo\":{\"repository\":\"ext::sh\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.repository", NULL},
        {VOLUME(",\"gitRepo\":{\"repository\":\"HTTPS:///r\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.repository", NULL},
        {VOLUME(",\"gitRepo\":{\"repository\":\"--upload-pack=x\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.repository", NULL},
        {VOLUME(",\"gitRepo\":{\"repository\":\"https://h/r\",\"revision\":\"-x\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.revision", NULL},
        {VOLUME(",\"gitRepo\":{\"repository\":\"https://h/r\",\"directory\":\"../x\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.directory",
         "The volume 'data1' in container group 'g' is invalid: the directory must not contain '..' or control characters."},
        {VOLUME(",\"gitRepo\":{\"repository\":\"git://h/r\",\"directory\":\"/x\"}"), ERR_VOLUME, "properties.volumes[0].gitRepo.directory", NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}

#define MOUNTS(mounts) GROUP(CONTAINER("web", RESOURCES("1", "1") ",\"volumeMounts\":[" mounts "]"), ",\"volumes\":[{\"name\":\"data1\",\"emptyDir\":{}},{\"name\":\"data2\",\"emptyDir\":{}}]")
#define MOUNT(path) "{\"name\":\"data1\",\"mountPath\":\"" path "\"}"
#define MOUNT_AT "properties.containers[0].properties.volumeMounts"
TEST(mounts_name_a_volume_and_a_place_of_their_own)
{
    static const struct check_case cases[] = {
        {MOUNTS(MOUNT("/a") "," MOUNT("/b/..c") ",{\"name\":\"data2\",\"mountPath\":\"/a/d\",\"readOnly\":\"true\"}"), ERR_OK, NULL, NULL},
        {MOUNTS(MOUNT("/dev/shm")), ERR_OK, NULL, NULL},
        {MOUNTS("{\"name\":\"nosuch\",\"mountPath\":\"/x\"}"), ERR_VOLUME_MOUNT, MOUNT_AT "[0].name",
         "The volume mount 'nosuch' in container 'web' of container group 'g' names no volume of the group."},
        {MOUNTS("{\"name\":\"data1\"}"), ERR_VOLUME_MOUNT, MOUNT_AT "[0].mountPath", NULL},
        {MOUNTS("{\"mountPath\":\"/x\"}"), ERR_VOLUME_MOUNT, MOUNT_AT "[0].name", NULL},
        {MOUNTS(MOUNT("/a:b")), ERR_VOLUME_MOUNT, MOUNT_AT "[0].mountPath",
         "The mount path '/a:b' in container 'web' of container group 'g' must be absolute and must not contain ':'."},
        {MOUNTS(MOUNT("a")), ERR_VOLUME_MOUNT, MOUNT_AT "[0].mountPath", NULL},
        {MOUNTS(MOUNT("")), ERR_VOLUME_MOUNT, MOUNT_AT "[0].mountPath", NULL},
        {MOUNTS(MOUNT("/a/../etc")), ERR_VOLUME_MOUNT, MOUNT_AT "[0].mountPath", NULL},
        {MOUNTS(MOUNT("/a/..")), ERR_VOLUME_MOUNT, MOUNT_AT "[0].mountPath", NULL},
        {MOUNTS(MOUNT("/")), ERR_VOLUME_MOUNT, MOUNT_AT "[0].mountPath", "The mount path '/' in container 'web' of container group 'g' is the container's own."},
        {MOUNTS(MOUNT("//.")), ERR_VOLUME_MOUNT, MOUNT_AT "[0].mountPath", NULL},
        {MOUNTS(MOUNT("/proc/sys")), ERR_VOLUME_MOUNT, MOUNT_AT "[0].mountPath", NULL},
        {MOUNTS(MOUNT("/a") ",{\"name\":\"data2\",\"mountPath\":\"/a/\"}"), ERR_VOLUME_MOUNT, MOUNT_AT "[1].mountPath",
         "Two volumes are mounted at '/a/' in container 'web' of container group 'g'."},
        {MOUNTS(MOUNT("/a//") ",{\"name\":\"data2\",\"mountPath\":\"/a\"}"), ERR_VOLUME_MOUNT, MOUNT_AT "[1].mountPath", NULL},
        {BESIDE(",\"initContainers\":[{\"name\":\"i\",\"properties\":{\"image\":\"b\",\"volumeMounts\":[" MOUNT("/a") "]}}]"), ERR_VOLUME_MOUNT, "properties.initContainers[0].properties.volumeMounts[0].name", NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}

#define CREDENTIALS(rest) BESIDE(",\"imageRegistryCredentials\":[" rest "]")
#define SIGN_IN(server) "{\"server\":\"" server "\",\"username\":\"u\",\"password\":\"p\"}"
#define CREDENTIAL_AT "properties.imageRegistryCredentials"
TEST(registry_credentials_name_a_host_and_one_way_in)
{
    static const struct check_case cases[] = {
        {CREDENTIALS(SIGN_IN("r.io") "," SIGN_IN("r.io:5000") "," SIGN_IN("127.0.0.1:5000") "," SIGN_IN("[::1]:5000") "," SIGN_IN("Index.Docker.io")), ERR_OK, NULL, NULL},
        {CREDENTIALS(SIGN_IN("https://r.io")), ERR_REGISTRY_SERVER, CREDENTIAL_AT "[0].server",
         "The server 'https://r.io' in the 'imageRegistryCredentials' of container group 'g' is invalid. It should be a valid host name without protocol."},
        {CREDENTIALS(SIGN_IN("r.io/v1")), ERR_REGISTRY_SERVER, CREDENTIAL_AT "[0].server", NULL},
        {CREDENTIALS(SIGN_IN("")), ERR_REGISTRY_SERVER, CREDENTIAL_AT "[0].server", NULL},
        {CREDENTIALS(SIGN_IN("r.io:0")), ERR_REGISTRY_SERVER, CREDENTIAL_AT "[0].server", NULL},
        {CREDENTIALS(SIGN_IN("r .io")), ERR_REGISTRY_SERVER, CREDENTIAL_AT "[0].server", NULL},
        {CREDENTIALS("{\"username\":\"u\",\"password\":\"p\"}"), ERR_REGISTRY_SERVER, CREDENTIAL_AT "[0].server", "'" CREDENTIAL_AT "[0].server' is required."},
        {CREDENTIALS(SIGN_IN("r.io") "," SIGN_IN("R.io")), ERR_REGISTRY_SERVER, CREDENTIAL_AT "[1].server", NULL},
        {CREDENTIALS("{\"server\":\"r.io\",\"username\":\"u\",\"password\":\"\"}"), ERR_REGISTRY_PASSWORD, CREDENTIAL_AT "[0].password",
         "The password in the 'imageRegistryCredentials' of container group 'g' for server 'r.io' cannot be empty."},
        {CREDENTIALS("{\"server\":\"r.io\",\"username\":\"u\"}"), ERR_REGISTRY_PASSWORD, CREDENTIAL_AT "[0].password", NULL},
        {CREDENTIALS("{\"server\":\"r.io\",\"password\":\"p\"}"), ERR_REGISTRY_USERNAME, CREDENTIAL_AT "[0].username",
         "The username in the 'imageRegistryCredentials' of container group 'g' for server 'r.io' cannot be empty."},
        {CREDENTIALS("{\"server\":\"r.io\",\"username\":\"u\",\"passwordReference\":\"ref\"}"), ERR_SECRET_REFERENCE, CREDENTIAL_AT "[0].passwordReference", NULL},
        {CREDENTIALS("{\"server\":\"r.io\",\"identity\":\"" ID "\"}"), ERR_REGISTRY_IDENTITY, CREDENTIAL_AT "[0].identity",
         "The identity in the 'imageRegistryCredentials' of container group 'g' not found in container group identity list"},
        {"{\"identity\":{\"type\":\"UserAssigned\",\"userAssignedIdentities\":{\"" ID "\":{}}},\"properties\":{\"osType\":\"Linux\",\"containers\":[" GOOD "],\"imageRegistryCredentials\":[{\"server\":\"r.io\",\"identity\":\"" ID "\"}]}}", ERR_REGISTRY_CREDENTIAL, CREDENTIAL_AT "[0].identity",
         "Identity in 'imageRegistryCredentials' of container group 'g' is not supported. No registry here trusts an identity: give the username and password of server 'r.io'."},
        {CREDENTIALS("{\"server\":\"r.io\",\"username\":\"u\",\"password\":\"p\",\"identityUrl\":\"u\"}"), ERR_REGISTRY_CREDENTIAL, CREDENTIAL_AT "[0].identityUrl", NULL},
        {"{\"identity\":{\"type\":\"UserAssigned\",\"userAssignedIdentities\":{\"" ID "\":{}}},\"properties\":{\"osType\":\"Linux\",\"containers\":[" GOOD "],\"imageRegistryCredentials\":[{\"server\":\"r.io\",\"username\":\"u\",\"identity\":\"" ID "\"}]}}", ERR_REGISTRY_CREDENTIAL, CREDENTIAL_AT "[0].identity", NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}

#define REFERENCE(name, identity, uri) "{\"name\":\"" name "\",\"identity\":\"" identity "\",\"secretReferenceUri\":\"" uri "\"}"
#define REFERENCES(rest) BESIDE(",\"secretReferences\":[" rest "]")
TEST(identities_and_secret_references_are_whole)
{
    static const struct check_case cases[] = {
        {AROUND("\"identity\":{\"type\":\"None\"}"), ERR_OK, NULL, NULL},
        {AROUND("\"identity\":{\"type\":\"systemAssigned\",\"principalId\":7}"), ERR_OK, NULL, NULL},
        {AROUND("\"identity\":{\"type\":\"SystemAssigned, UserAssigned\",\"userAssignedIdentities\":{\"" ID "\":{}}}"), ERR_OK, NULL, NULL},
        {AROUND("\"identity\":{\"type\":\"Mine\"}"), ERR_IDENTITY, "identity.type", NULL},
        {AROUND("\"identity\":{\"type\":\"UserAssigned\"}"), ERR_IDENTITY, "identity.userAssignedIdentities",
         "The identity of container group 'g' has the type 'UserAssigned' and lists no user assigned identity."},
        {AROUND("\"identity\":{\"type\":\"UserAssigned\",\"userAssignedIdentities\":[\"x\"]}"), ERR_IDENTITY, "identity.userAssignedIdentities", NULL},
        {AROUND("\"identity\":{\"type\":\"SystemAssigned\",\"userAssignedIdentities\":{\"" ID "\":{}}}"), ERR_IDENTITY, "identity.type", NULL},
        {AROUND("\"identity\":{\"userAssignedIdentities\":{\"" ID "\":{}}}"), ERR_IDENTITY, "identity.type", NULL},
        {REFERENCES(REFERENCE("one", ID, "https://v.vault.example/secrets/s")), ERR_OK, NULL, NULL},
        {REFERENCES(REFERENCE("one", ID, "https://v.example/s") "," REFERENCE("one", ID, "https://v.example/s")), ERR_SECRET_REFERENCE, "properties.secretReferences[1].name",
         "Duplicate secret references 'one' are found in container group 'g'."},
        {REFERENCES(REFERENCE("one", "me", "https://v.example/s")), ERR_SECRET_REFERENCE, "properties.secretReferences[0].identity", NULL},
        {REFERENCES(REFERENCE("one", ID, "http://v.example/s")), ERR_SECRET_REFERENCE, "properties.secretReferences[0].secretReferenceUri", NULL},
        {REFERENCES("{\"name\":\"one\",\"identity\":\"" ID "\"}"), ERR_SECRET_REFERENCE, "properties.secretReferences[0].secretReferenceUri", NULL},
        {REFERENCES(REFERENCE("one", ID, "https://v.example/s")) "", ERR_OK, NULL, NULL},
        {GROUP(CONTAINER("web", RESOURCES("1", "1") ",\"environmentVariables\":[{\"name\":\"x\",\"secureValueReference\":\"one\"}]"), ",\"secretReferences\":[" REFERENCE("one", ID, "https://v.example/s") "]"), ERR_OK, NULL, NULL},
        {BESIDE(",\"identityAcls\":{\"defaultAccess\":\"All\",\"acls\":[{\"access\":\"User\",\"identity\":\"" ID "\"}]}"), ERR_OK, NULL, NULL},
        {BESIDE(",\"identityAcls\":{\"acls\":[{\"access\":\"User\"}]}"), ERR_IDENTITY, "properties.identityAcls.acls[0].identity", NULL},
        {BESIDE(",\"identityAcls\":{\"defaultAccess\":\"Nobody\"}"), ERR_IDENTITY, "properties.identityAcls.defaultAccess", NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}

TEST(tags_keep_to_the_limits_of_arm)
{
    static const struct check_case cases[] = {
        {AROUND("\"tags\":{\"a.b-c_d e\":\"\",\"é\":\"<>\"}"), ERR_OK, NULL, NULL},
        {AROUND("\"tags\":null"), ERR_OK, NULL, NULL},
        {AROUND("\"tags\":{\"a/b\":\"\"}"), ERR_TAG_LETTERS, "tags", NULL},
        {AROUND("\"tags\":{\"\":\"x\"}"), ERR_TAG_NAME, "tags", NULL},
        {AROUND("\"tags\":{\"a\":7}"), ERR_INVALID, "tags.a", NULL},
        {AROUND("\"tags\":{\"a\":\"" A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 "\"}"), ERR_OK, NULL, NULL},
        {AROUND("\"tags\":{\"a\":\"" A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 "b\"}"), ERR_TAG_VALUE, "tags", NULL},
    };

    assert_cases(cases, COUNT_OF(cases));
}
/* clang-format on */

TEST(names_follow_the_reference)
{
    assert_true(group_name_valid("a"));
    assert_true(group_name_valid("my-group-1"));
    assert_false(group_name_valid(""));
    assert_false(group_name_valid("-a"));
    assert_false(group_name_valid("a-"));
    assert_false(group_name_valid("a--b"));
    assert_false(group_name_valid("A"));
    assert_false(group_name_valid("a_b"));
    assert_true(group_name_valid(A16 A16 A16 "aaaaaaaaaaaaaaa"));
    assert_false(group_name_valid(A16 A16 A16 A16));
    assert_true(container_name_valid("a--b"));
    assert_true(resource_group_name_valid("My_RG.(1)-x"));
    assert_false(resource_group_name_valid("rg."));
    assert_false(resource_group_name_valid("a/b"));
    assert_false(resource_group_name_valid(""));
    assert_false(resource_group_name_valid("é"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kind_of_group_says_what_it_excludes),
        cmocka_unit_test(what_no_server_has_is_refused_and_told_what_to_do_instead),
        cmocka_unit_test(addresses_labels_and_subnets_go_together),
        cmocka_unit_test(volumes_are_of_one_kind_and_well_formed),
        cmocka_unit_test(a_local_disk_has_a_name_and_a_size_that_can_be_had),
        cmocka_unit_test(mounts_name_a_volume_and_a_place_of_their_own),
        cmocka_unit_test(registry_credentials_name_a_host_and_one_way_in),
        cmocka_unit_test(identities_and_secret_references_are_whole),
        cmocka_unit_test(tags_keep_to_the_limits_of_arm),
        cmocka_unit_test(names_follow_the_reference),
    };

    return RUN_TESTS(tests);
}
