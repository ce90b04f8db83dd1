"""Replies beside the published descriptions of the service (Swagger 2.0, both api-versions, and ARM's own part).

The descriptions are files beside the project (`../shared/aci`, or where BERTH_ACI points): nothing of them is copied.

    said = Swaggers().fault("GET", "/subscriptions/…?api-version=2023-05-01", reply)    # None, or what is wrong"""
import datetime
import decimal
import functools
import json
import os
import re
import urllib.parse

import jsonschema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.environ.get("BERTH_ACI") or os.path.join(ROOT, "../shared/aci")
VERSIONS = {"2023-05-01": "stable-2023-05-01/containerInstance.json",
            "2025-09-01": "stable-2025-09-01/containerInstance.json"}
ARM = ("microsoft-resources/2022-12-01.subscriptions.json", "microsoft-resources/2024-07-01.resources.subset.json")
BEFORE_THE_CALL = {411, 414, 431}  # the server refuses the head before it knows the call
OPERATION_HEADERS = ("Azure-AsyncOperation", "Location")
JSON_TYPE = re.compile(r"application/json\s*(;|$)", re.I)

# What the real service gives though no description names it, and Berth's own additions, given back to who gave them: where
# these two stand, those may stand too.
BESIDE = {("provisioningState", "containers"): ("provisioningTimeoutInSeconds", "isCustomProvisioningTimeout"),
          ("emptyDir", "gitRepo"): ("localDisk",)}
# The only definitions that hand out what is marked as a secret.
SECRET_IS_THE_ANSWER = ("ContainerExecResponse", "ContainerAttachResponse")

FORMATS = {
    "date-time": {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z$"},
    "uri": {"pattern": r"^https?://[^/\s]+/\S*$"},
    "arm-id": {"pattern": r"^/\S"},
    "uuid": {"pattern": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"},
    "int32": {"minimum": -2**31, "maximum": 2**31 - 1},
    "int64": {"minimum": -2**63, "maximum": 2**63 - 1},
}
KEPT = ("type", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")


def missing():
    """Why nothing can be held against the descriptions: None when they are all there."""
    for name in (*VERSIONS.values(), *ARM):
        if not os.path.isfile(os.path.join(FOLDER, name)):
            return f"the service's descriptions are not in {FOLDER}, where tests/clients/README.md wants them"
    return None


def exact(text):
    """JSON with decimals as they are written."""
    return json.loads(text, parse_float=decimal.Decimal)


class Document:
    """One description and those it refers to, its definitions turned into JSON Schema."""

    def __init__(self, name, closed):
        self.closed, self.files, self.definitions = closed, {}, {}
        self.main = self.file(name)
        self.paths = {path: calls for path, calls in self.main["paths"].items()}

    def file(self, name):
        if name not in self.files:
            path = os.path.join(FOLDER, name)
            if not os.path.isfile(path):
                raise FileNotFoundError(f"{path}: the service's descriptions belong there (or set BERTH_ACI)")
            with open(path, encoding="utf-8") as opened:
                self.files[name] = {**exact(opened.read()), "name": name}
        return self.files[name]

    def target(self, reference, home):
        """(file, definition's name, definition) that a $ref of the file leads to."""
        path, _, inside = reference.partition("#")
        if path:
            common = re.search(r"common-types/.*", path)
            home = self.file(common.group() if common else os.path.join(os.path.dirname(home["name"]), path))
        node, name = home, ""
        for name in inside.strip("/").split("/"):
            node = node[name]
        return home, name, node

    def schema(self, node, home):
        """A schema that stands in the description, as JSON Schema."""
        if "$ref" in node:
            where, name, found = self.target(node["$ref"], home)
            key = f"{where['name']}:{name}".replace("/", ":")
            if key not in self.definitions:
                self.definitions[key] = {}  # it may lead back to itself
                self.definitions[key] = self.inside(found, where, name)
            return {"$ref": f"#/$defs/{key}"}
        return self.inside(node, home, "")

    def inside(self, node, home, name):
        made = {key: node[key] for key in KEPT if key in node}
        made.update(FORMATS.get(node.get("format"), {}))
        if "items" in node:
            made["items"] = self.schema(node["items"], home)
        if isinstance(node.get("additionalProperties"), dict):
            made["additionalProperties"] = self.schema(node["additionalProperties"], home)
        properties, required = self.members(node, home)
        if properties:
            made["type"] = "object"
            made["properties"] = {key: self.member(value, where, name) for key, (value, where) in properties.items()}
            secret = {key for key, value in made["properties"].items() if value is False}
            made["required"] = sorted(set(required) - secret - {"nextLink"})  # the last page has none, whatever ARM requires
            for marks, names in BESIDE.items():
                if set(marks) <= set(properties):
                    made["properties"].update({key: True for key in names})
            if self.closed and "additionalProperties" not in node:
                made["additionalProperties"] = False
        if node.get("x-nullable"):
            made = {"anyOf": [made, {"type": "null"}]}
        return made

    def members(self, node, home):
        """Properties with the file they stand in, and the names that must be there, of a definition and its parents."""
        properties, required = {}, list(node.get("required", ()))
        for parent in node.get("allOf", ()):
            where, _, found = self.target(parent["$ref"], home) if "$ref" in parent else (home, "", parent)
            more, needed = self.members(found, where)
            properties.update(more)
            required += needed
        properties.update({key: (value, home) for key, value in node.get("properties", {}).items()})
        return properties, required

    def member(self, node, home, owner):
        if node.get("x-ms-secret") and owner not in SECRET_IS_THE_ANSWER:
            return False
        return self.schema(node, home)

    @functools.lru_cache(maxsize=None)
    def validator(self, path, method, answer):
        """Of the answer's body; None when it has none."""
        node = self.paths[path][method]["responses"][answer]
        if "schema" not in node:
            return None
        top = self.schema(node["schema"], self.main)
        return jsonschema.Draft202012Validator({**top, "$defs": self.definitions})

    def call(self, method, path):
        """(path as it is described, the call); (None, None) when it is not there."""
        return next(((known, calls[method]) for pattern, known, calls in self.patterns
                     if method in calls and pattern.fullmatch(path)), (None, None))

    @functools.cached_property
    def patterns(self):
        one = {path: re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path.rstrip("/"))), re.I) for path in self.paths}
        return [(one[path], path, calls) for path, calls in self.paths.items() if path != "/{resourceId}"]

    def fault(self, method, path, reply):
        known, call = self.call(method, path)
        if known is None or reply.status in BEFORE_THE_CALL or reply.status == 304:  # who states a condition knows it
            return None
        status = str(reply.status)
        answer = status if status in call["responses"] else "default" if reply.status >= 400 else None
        if answer is None:
            return f"{call['operationId']} may not answer {status}"
        said = self.header_fault(call["responses"][answer], reply)
        if said or method == "head":
            return said
        return self.body_fault(self.validator(known, method, answer), reply)

    @staticmethod
    def header_fault(answer, reply):
        """A call that goes on says where to look, whichever of the two headers its description names."""
        named = {name.lower() for name in answer.get("headers", {})}
        links = [reply.headers.get(name) for name in OPERATION_HEADERS if reply.headers.get(name)]
        if named & {name.lower() for name in OPERATION_HEADERS} and not links:
            return f"none of {OPERATION_HEADERS} is there"
        relative = next((link for link in links if not re.match(r"https?://", link)), None)
        return f"{relative} is no absolute address" if relative else None

    @staticmethod
    def body_fault(validator, reply):
        if validator is None:
            return f"a body where none is described: {reply.text[:100]}" if reply.body else None
        if not JSON_TYPE.match(reply.headers.get("Content-Type", "")):
            return f"its Content-Type is {reply.headers.get('Content-Type')}"
        try:
            found = exact(reply.text)
        except ValueError as wrong:
            return f"no JSON: {wrong}: {reply.text[:200]}"
        wrong = next(validator.iter_errors(found), None)
        if not wrong:
            return None
        return f"{wrong.json_path}: {'it is a secret' if wrong.validator is None else wrong.message[:300]}"


class Swaggers:
    """Both contracts and ARM's. What is answered for a version fits that version's closely (nothing beside it), and
    the other's as far as that one names things."""

    def __init__(self):
        self.strict = {version: Document(name, closed=True) for version, name in VERSIONS.items()}
        self.loose = {version: Document(name, closed=False) for version, name in VERSIONS.items()}
        self.arm = [Document(name, closed=True) for name in ARM]

    @staticmethod
    def nearest(text):
        """The version whose contract a well-formed api-version gets; the older one of two as near."""
        try:
            asked = datetime.date.fromisoformat(text[:10])
        except ValueError:
            return min(VERSIONS)
        return min(sorted(VERSIONS), key=lambda one: abs(datetime.date.fromisoformat(one) - asked))

    def fault(self, method, target, reply, only_near=False):
        """None, or the sentence that says where the reply leaves the contract (only that of its version, when asked)."""
        head, _, query = target.partition("?")
        path = "/" + "/".join(part for part in head.split("/") if part)
        asked = {key.lower(): value for key, value in urllib.parse.parse_qsl(query)}.get("api-version", "")
        near = self.nearest(asked)
        looks = [(version, (self.strict if version == near else self.loose)[version]) for version in VERSIONS
                 if version == near or not only_near]
        for name, document in looks + [("ARM", one) for one in self.arm]:
            said = document.fault(method.lower(), path, reply)
            if said:
                return f"not as the description of {name} says: {said}"
        return None

    def names(self, method, path):
        """True when any of them describes the call."""
        return any(one.call(method.lower(), path)[0] for one in [*self.strict.values(), *self.arm])
