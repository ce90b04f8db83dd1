"""The examples of both published descriptions, sent to a berthd with pretended nodes, and what each must come to.

Each is sent as it stands. What Berth does not run yet it must refuse with 501 and name the field (NOT_RUN), what the
service itself would refuse with its code (REFUSED); what was named is then taken out and the rest sent again, until it is
accepted. So a field that is neither run nor listed, and a line here that nothing needs any more, are both failures."""
import copy
import glob
import json
import os
import re

import berth
import fake_node
import swagger

LOCATIONS = ["westus", "eastus", "eastus2", "westeurope", "westcentralus"]  # those of the examples
RESOURCE_GROUPS = ["demo", "demoResource"]
ARM_VERSION = "2021-04-01"

# Fields that are valid and answered 501: the field (its items without numbers), and why.
NOT_RUN = {
    "properties.containers[].properties.environmentVariables[].secureValueReference": "there is no key vault",
    "properties.imageRegistryCredentials[].passwordReference": "there is no key vault",
    "properties.volumes[].azureFile.storageAccountKeyReference": "there is no key vault",
    "properties.volumes[].secretReference": "there is no key vault",
    "properties.secretReferences": "there is no key vault",
    "properties.containerGroupProfile": "profiles are not served yet",
    "properties.standbyPoolProfile": "there are no standby pools",
    "properties.identityAcls": "there is no issuer of identities yet",
}
# Calls that are not served: the beginning of their name, the answer, and why.
NOT_SERVED = {
    "CGProfile": (501, "NotImplemented", "a resource type of its own, not served yet"),
    "NGroups": (501, "NotImplemented", "a resource type of its own, not served yet"),
}
# Those that no example holds: what to put there.
NO_EXAMPLE = {
    "properties.identityAcls": {"defaultAccess": "All"},
}
DROP = object()
# What examples ask for and the service itself refuses: (the code, the field), and what to change (of the same item) for it.
REFUSED = {
    ("ConfidentialContainerGroupSkuIsNotSupported", "properties.sku"): ("sku", "Standard"),
    ("InvalidConfidentialComputeProperties", "properties.confidentialComputeProperties.ccePolicy"):
        ("properties.confidentialComputeProperties", DROP),
    ("InvalidDnsNameLabel", "properties.ipAddress.dnsNameLabel"): ("dnsNameLabel", "label-of-one"),
    ("InvalidEncryptionProperties", "properties.encryptionProperties"): ("encryptionProperties", DROP),
    ("InvalidExtension", "properties.extensions[].properties.extensionType"): ("properties.extensions", DROP),
    ("InvalidImageName", "properties.containers[].properties.image"): ("image", "busybox"),
    ("InvalidIpAddressTypeForNetworkProfile", "properties.ipAddress.type"): ("properties.subnetIds", DROP),
    ("InvalidLogAnalyticsWorkspace", "properties.diagnostics.logAnalytics"): ("logAnalytics", DROP),
    ("InvalidSubnetId", "properties.subnetIds[].id"): ("id", "an id that is a template's word; the list goes with it"),
    ("InvalidVolume", "properties.volumes[]"): ("secret", DROP),
    ("InvalidVolume", "properties.volumes[].azureFile.shareName"): ("shareName", "share"),
    ("InvalidVolume", "properties.volumes[].azureFile.storageAccountKey"): ("storageAccountKey", "a2V5"),
    ("InvalidVolume", "properties.volumes[].azureFile.storageAccountName"): ("storageAccountName", "account"),
}
VOLUME = "properties.volumes[]."
# Examples that say too little without the field that is not run: they take their containers from a profile.
FROM_A_PROFILE = ("ContainerGroupCreateOrUpdateStandbyPool.json",)
# An example that no call names.
NAMELESS = {"ContainerGroupsProfileCreateOrUpdate_CreatePriority.json": "CGProfile_CreateOrUpdate"}
NEEDS_STOPPED = ("ContainerGroups_Start",)


GPUS = [{"sku": sku, "count": 4} for sku in ("K80", "P100", "V100")]


class Example:
    """One file, with the call it belongs to."""

    def __init__(self, document, version, path):
        self.file, self.version = os.path.basename(path), version
        with open(path, encoding="utf-8") as opened:
            self.content = json.load(opened)
        self.given = self.content["parameters"]
        self.path, self.method, self.call = self.find(document)

    def find(self, document):
        """The call that names the file, or whose name the file has."""
        plain = re.sub(r"\W|_", "", self.file[:-5]).lower()
        named = None
        for path, calls in document.paths.items():
            for method, call in calls.items():
                files = [os.path.basename(one["$ref"]) for one in call.get("x-ms-examples", {}).values()]
                if self.file in files or NAMELESS.get(self.file) == call["operationId"]:
                    return path, method, call
                if plain == call["operationId"].replace("_", "").lower():
                    named = path, method, call
        if not named:
            raise AssertionError(f"{self.file} belongs to no call")
        return named

    def target(self):
        filled = re.sub(r"\{(\w+)\}", lambda m: berth.SUBSCRIPTION if m.group(1) == "subscriptionId"
                        else str(self.given[m.group(1)]), self.path)
        query = "".join(f"&{one['name']}={self.given[one['name']]}" for one in self.call.get("parameters", ())
                        if one.get("in") == "query" and one["name"] in self.given)
        return f"{filled}?api-version={self.version}{query}"

    def body(self):
        names = [one["name"] for one in self.call.get("parameters", ()) if one.get("in") == "body"]
        return next((copy.deepcopy(self.given[name]) for name in names if name in self.given), None)


def read(swaggers):
    """Every example of both versions."""
    for version, name in swagger.VERSIONS.items():
        pattern = os.path.join(swagger.FOLDER, os.path.dirname(name), "examples/*.json")
        for path in sorted(glob.glob(pattern)):
            yield Example(swaggers.loose[version], version, path)


class Plane:
    """berthd, and a pretended node in each location of the examples."""

    def __init__(self, folder, swaggers):
        self.daemon = berth.Daemon(folder, locations=LOCATIONS, queue_locations=[], privileged_locations=LOCATIONS)
        self.nodes = [fake_node.FakeNode(self.daemon.url, self.daemon.join_token, f"n-{one}", 64000, 200000, one,
                                             gpus=GPUS)
                      for one in LOCATIONS]
        self.client, self.swaggers = self.daemon.client(), swaggers
        for name in RESOURCE_GROUPS:
            self.ask("PUT", f"/subscriptions/{berth.SUBSCRIPTION}/resourcegroups/{name}?api-version={ARM_VERSION}",
                     {"location": "westus"}).expect(200, 201)

    def ask(self, method, target, body=None):
        """The reply, once it fits the contract."""
        reply = self.client.request(method, target, body)
        said = self.swaggers.fault(method, target, reply)
        if said:
            raise AssertionError(f"{method} {target}: {reply.status}: {said}")
        return reply

    def stop(self):
        for node in self.nodes:
            node.stop()
        return self.daemon.stop()

    def prepare(self, example):
        """The group that the example speaks of stands and runs; for a PUT there is none."""
        if "containerGroupName" not in example.given or "/containerGroups/" not in example.path:
            return
        group = example.target().partition("/containerGroups/")[0] + "/containerGroups/" + str(
            example.given["containerGroupName"]) + f"?api-version={example.version}"
        self.ask("DELETE", group).expect(200, 204)
        if example.method == "put":
            return
        name = str(example.given.get("containerName", "demo1"))
        self.ask("PUT", group, berth.group([berth.container(name, "busybox")], location="westus")).expect(201)
        self.wait_state(group, "Running")
        if example.call["operationId"] in NEEDS_STOPPED:
            path, _, query = group.partition("?")
            self.ask("POST", f"{path}/stop?{query}").expect(204)

    def wait_state(self, group, state):
        shown = lambda: self.ask("GET", group).expect(200).json["properties"]  # noqa: E731
        berth.wait(f"{group} is {state}", lambda: shown()["instanceView"]["state"] == state
                   and shown()["provisioningState"] == "Succeeded", 15)


def problems(reply):
    """[(code, field)] of an error."""
    error = reply.json["error"]
    return [(one["code"], one.get("target", "")) for one in error.get("details") or [error]]


def without_numbers(field):
    return re.sub(r"\[\d+\]", "[]", field)


def steps_of(field):
    return [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", field)]


def holder(body, field):
    """(object or list, key) that the field names; an item of a list is its own holder."""
    *steps, last = steps_of(field)
    for step in steps:
        body = body.get(step, {}) if isinstance(body, dict) else body[step]
    return (body[last], None) if isinstance(last, int) else (body, last)


def repair(body, code, field):
    """Changes what was refused as the table says; takes out what is not run (a volume becomes an empty one)."""
    change = REFUSED.get((code, without_numbers(field)))
    if change:
        where, value = change
        place = holder(body, where if "." in where else field)[0]
        key = where.rsplit(".", 1)[-1]
        if value is DROP:
            place.pop(key, None)
        else:
            place[key] = value
        return
    place, key = holder(body, field)
    if key in place:
        del place[key]
        if without_numbers(field).startswith(VOLUME):
            place["emptyDir"] = {}
        elif key == "passwordReference":
            place["password"] = "in its place"


class Judge:
    """Plays examples and remembers which lines of the tables were needed."""

    def __init__(self, plane):
        self.plane, self.used = plane, set()

    def play(self, example):
        name = example.call["operationId"]
        line = next((key for key in NOT_SERVED if name.startswith(key)), None)
        self.plane.prepare(example)
        if line:
            status, code, _ = NOT_SERVED[line]
            reply = self.plane.ask(example.method.upper(), example.target(), example.body()).expect(status)
            assert not code or reply.code == code, reply.text
            self.used.add(line)
        elif example.method == "put":
            self.put(example)
        else:
            reply = self.plane.ask(example.method.upper(), example.target(), example.body())
            reply.expect(*[int(one) for one in example.call["responses"] if one != "default"])

    def put(self, example):
        body = example.body()
        for _ in range(10):
            reply = self.plane.ask("PUT", example.target(), body)
            if reply.status in (200, 201):
                break
            self.allow(reply)
            if example.file in FROM_A_PROFILE:
                reply.expect(501)
                return
            before = json.dumps(body)
            for code, field in sorted(problems(reply), reverse=True):
                repair(body, code, field)
            assert json.dumps(body) != before, f"names no field of it: {reply.text[:500]}"
        reply.expect(200, 201)
        self.plane.wait_state(example.target(), "Running")

    def allow(self, reply):
        """Every problem of the refusal is one of the tables'."""
        reply.expect(400, 501)
        for code, field in problems(reply):
            plain = without_numbers(field)
            line = plain if reply.status == 501 else (code, plain)
            expected = code == "NotImplemented" and plain in NOT_RUN if reply.status == 501 else line in REFUSED
            assert expected, f"{code} at {field} is in no table: {reply.text[:600]}"
            self.used.add(line)

    def put_what_no_example_holds(self, field, value):
        """A group that is well but for one field is refused for it alone."""
        body = berth.group([berth.container("demo1", "busybox")], location="westus")
        *steps, last = steps_of(field)
        where = body
        for step in steps:
            where = where[step]
        where[last] = value
        target = f"/subscriptions/{berth.SUBSCRIPTION}/resourceGroups/demo/{berth.PROVIDER}/containerGroups/one"
        reply = self.plane.ask("PUT", f"{target}?api-version={max(swagger.VERSIONS)}", body).expect(501)
        assert len(problems(reply)) == 1 and problems(reply)[0][1].startswith(field), reply.text
        self.allow(reply)

    def unneeded(self):
        """Lines that nothing came to: what they speak of is served now, or gone."""
        return [line for line in [*NOT_RUN, *NOT_SERVED, *REFUSED] if line not in self.used]
