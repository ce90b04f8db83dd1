"""What is refused, as one table for all clients: a sentence, what to change in a group that is well, the status, the code.

Each client sends the same document in its own way; some are stopped by the client itself (`not_by`: which ones)."""
import copy

import berth

CONTAINER = "properties.containers[0].properties"
ABSENT = object()
PORT = {"port": 80, "protocol": "TCP"}
PROBE = {"exec": {"command": ["true"]}, "httpGet": {"path": "/", "port": 80}}
EMPTY = {"name": "empty", "emptyDir": {}}
SDKS = ("python", "javascript")

# (sentence, {field: value}, status, code, clients that cannot send it)
TABLE = [
    ("an operating system nobody has", {"properties.osType": "Solaris"}, 400, "InvalidOsType", ()),
    ("no operating system", {"properties.osType": ABSENT}, 400, "InvalidOsType", SDKS),
    ("a container's name in capitals", {"properties.containers[0].name": "Web"}, 400, "InvalidContainerName", ()),
    ("a container's name of 64 letters", {"properties.containers[0].name": "w" * 64}, 400, "InvalidContainerName", ()),
    ("two containers of one name", {"properties.containers[1]": {"copy": "properties.containers[0]"}}, 400,
     "DuplicateContainerNames", ()),
    ("no container", {"properties.containers": []}, 400, "InvalidContainerCount", ()),
    ("a name that no image has", {f"{CONTAINER}.image": "Not An Image"}, 400, "InvalidImageName", ()),
    ("an image that is not there", {f"{CONTAINER}.image": "{registry}/nothing:1"}, 400, "InaccessibleImage", ()),
    ("a registry's wrong password", {f"{CONTAINER}.image": "{private}/busybox:1", "properties.imageRegistryCredentials": [
        {"server": "{private}", "username": "berth", "password": "wrong"}]}, 400, "InaccessibleImage", ()),
    ("no resources", {f"{CONTAINER}.resources": {}}, 400, "ResourceRequestsNotSpecified", SDKS),
    ("no memory", {f"{CONTAINER}.resources.requests": {"cpu": 0.1}}, 400, "ResourceSomeRequestsNotSpecified", SDKS),
    ("no CPU at all", {f"{CONTAINER}.resources.requests.cpu": 0}, 400, "InvalidResourceRequests", ()),
    ("memory below nothing", {f"{CONTAINER}.resources.requests.memoryInGB": -1}, 400, "InvalidResourceRequests", ()),
    ("memory in odd steps", {f"{CONTAINER}.resources.requests.memoryInGB": 0.15}, 400, "MemoryRequirementNotTimesOfOneTenthGB",
     ()),
    ("a limit below the request", {f"{CONTAINER}.resources.limits": {"cpu": 0.05, "memoryInGB": 0.1}}, 400,
     "ResourceLimitsLessThanRequests", ()),
    ("a limit above the group's total", {f"{CONTAINER}.resources.limits": {"cpu": 0.1, "memoryInGB": 3}}, 400,
     "ContainerLimitGreaterThanContainerGroupTotalRequest", ()),
    ("an address without ports", {"properties.ipAddress": {"type": "Public", "ports": []}}, 400, "MissingIpAddressPorts", ()),
    ("port 0", {"properties.ipAddress": {"type": "Public", "ports": [{"port": 0, "protocol": "TCP"}]}}, 400,
     "InvalidContainerPorts", ()),
    ("port 70000", {"properties.ipAddress": {"type": "Public", "ports": [{"port": 70000, "protocol": "TCP"}]}}, 400,
     "InvalidContainerPorts", ()),
    ("one port twice", {f"{CONTAINER}.ports": [PORT], "properties.ipAddress": {"type": "Public", "ports": [PORT, PORT]}}, 400,
     "DuplicateContainerPorts", ()),
    ("a variable whose name begins with a digit", {f"{CONTAINER}.environmentVariables": [{"name": "1st", "value": "x"}]}, 400,
     "InvalidContainerEnvironmentVariable", ()),
    ("two volumes of one name", {"properties.volumes": [EMPTY, EMPTY]}, 400, "DuplicateVolumes", ()),
    ("a volume of no kind", {"properties.volumes": [{"name": "empty"}]}, 400, "InvalidVolume", ()),
    ("a mount of no volume", {f"{CONTAINER}.volumeMounts": [{"name": "nowhere", "mountPath": "/x"}]}, 400, "InvalidVolumeMount",
     ()),
    ("a mount with a colon", {"properties.volumes": [EMPTY],
                              f"{CONTAINER}.volumeMounts": [{"name": "empty", "mountPath": "/a:b"}]}, 400, "InvalidVolumeMount", ()),
    ("a registry with a scheme", {"properties.imageRegistryCredentials": [
        {"server": "https://registry.example", "username": "u", "password": "p"}]}, 400, "InvalidImageRegistryServer", ()),
    ("a registry without a password", {"properties.imageRegistryCredentials": [
        {"server": "registry.example", "username": "u", "password": ""}]}, 400, "InvalidImageRegistryPassword", ()),
    ("a probe of two kinds", {f"{CONTAINER}.livenessProbe": PROBE}, 400, "InvalidProbe", ()),
    ("memory that its node attests", {"properties.sku": "Confidential"}, 400, "ConfidentialContainerGroupSkuIsNotSupported", ()),
    ("a key of a vault", {"properties.encryptionProperties": {"vaultBaseUrl": "https://v.example", "keyName": "k", "keyVersion": "1"}},
     400, "InvalidEncryptionProperties", ()),
    ("a log workspace", {"properties.diagnostics": {"logAnalytics": {"workspaceId": "w", "workspaceKey": "a2V5"}}}, 400,
     "InvalidLogAnalyticsWorkspace", ()),
    ("a location that is none", {"location": "atlantis"}, 400, "LocationNotAvailableForResourceType", ()),
    ("more than any node has", {f"{CONTAINER}.resources.requests": {"cpu": 30, "memoryInGB": 1}}, 409, "ServiceUnavailable", ()),
    ("a group's name with an underscore", {"name": "bad_name"}, 400, "InvalidResourceName", ()),
    ("a resource group that is none", {"resourceGroup": "nowhere"}, 404, "ResourceGroupNotFound", ()),
]


def filled(value, names):
    """The value with {registry} and the like put in."""
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, list):
        return [filled(one, names) for one in value]
    return {key: filled(one, names) for key, one in value.items()} if isinstance(value, dict) else value


def steps_of(field):
    return [int(part) if part.isdigit() else part for part in field.replace("[", ".").replace("]", "").split(".")]


def change(document, field, value):
    """Puts the value where the field says; {"copy": field} is what stands there."""
    *steps, last = steps_of(field)
    holder = document
    for step in steps:
        holder = holder[step]
    if isinstance(value, dict) and set(value) == {"copy"}:
        source = document
        for step in steps_of(value["copy"]):
            source = source[step]
        value = copy.deepcopy(source)
    if value is ABSENT:
        del holder[last]
    elif isinstance(holder, list) and last == len(holder):
        holder.append(value)
    else:
        holder[last] = value


def cases(resource_group, registry, private):
    """The table as [{sentence, resourceGroup, name, document, status, code, notBy}]."""
    made = []
    for sentence, changes, status, code, not_by in TABLE:
        changed = {key: value if value is ABSENT else filled(value, {"registry": registry, "private": private})
                   for key, value in changes.items()}
        document = berth.group([berth.container("web", f"{registry}/busybox:1")])
        case = {"sentence": sentence, "resourceGroup": changed.pop("resourceGroup", resource_group),
                "name": changed.pop("name", f"refused-{len(made)}"), "status": status, "code": code, "notBy": list(not_by)}
        for field, value in changed.items():
            change(document, field, value)
        made.append({**case, "document": document})
    return made
