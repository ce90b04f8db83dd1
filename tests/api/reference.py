"""Replies of the calls around container groups beside the reference's own descriptions (microsoft-resources/ of the
reference, where it lies beside the project): each status must be one that a call declares, each body what its schema
says."""
import glob
import json
import os
import re

import jsonschema

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "../shared/aci")

# What the reference requires and its service does not give: definition, property -> why it is passed over.
NOT_REQUIRED = {
    ("SubscriptionListResult", "nextLink"): "the last page has none",
    ("TenantListResult", "nextLink"): "the last page has none",
}
# By id, every resource has this one path: only those of resource groups are meant.
BY_ID = "/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+/containerGroups/[^/]+"


def load(path):
    with open(path, encoding="utf-8") as opened:
        return json.load(opened)


def pattern(path):
    return re.compile(BY_ID if path == "/{resourceId}" else re.sub(r"\{[^}]+\}", "[^/]+", path), re.I)


class Reference:
    """Nothing is checked where the reference is not there."""

    def __init__(self):
        self.calls, self.documents, self.checked = [], {}, set()
        for common in glob.glob(f"{FOLDER}/common-types/resource-management/*/types.json"):
            self.documents["/".join(common.split("/")[-3:])] = load(common)
        for path in sorted(glob.glob(f"{FOLDER}/microsoft-resources/*.json")):
            document = load(path)
            self.documents[path] = document
            for definition, name in NOT_REQUIRED:
                if definition in document["definitions"]:
                    document["definitions"][definition]["required"].remove(name)
            self.calls += [(pattern(where), calls, path) for where, calls in document["paths"].items()]

    def definition(self, reference, home):
        """The definition that a $ref of the document `home` names, and the document it is in."""
        document, _, name = reference.partition("#/definitions/")
        home = "/".join(document.split("/")[-3:]) if document else home
        return self.documents[home]["definitions"][name], home

    def whole(self, schema, home, depth=0):
        """The schema with every $ref put in place; those that name themselves end."""
        if isinstance(schema, list):
            return [self.whole(item, home, depth) for item in schema]
        if not isinstance(schema, dict):
            return schema
        if isinstance(schema.get("$ref"), str):
            return {} if depth > 6 else self.whole(*self.definition(schema["$ref"], home), depth + 1)
        return {key: self.whole(value, home, depth) for key, value in schema.items() if key != "required" or isinstance(value, list)}

    def call(self, method, target):
        path = "/" + "/".join(part for part in target.partition("?")[0].split("/") if part)
        for known, calls, home in self.calls:
            if known.fullmatch(path) and method.lower() in calls:
                return calls[method.lower()], home
        return None, None

    def fault(self, method, target, status, text):
        """What the reply has that the reference does not allow, or None."""
        call, home = self.call(method, target)
        if call is None or status == 304:  # the reference knows no conditions; a client that states one knows the answer
            return None
        answer = call["responses"].get(str(status), call["responses"]["default"] if status >= 400 else None)
        if answer is None:
            return f"the reference's {call['operationId']} does not name the status {status}"
        self.checked.add(call["operationId"])
        if method == "HEAD" or "schema" not in answer or not text:
            return None
        schema = self.whole(answer["schema"], home)
        wrong = next(jsonschema.Draft4Validator(schema).iter_errors(json.loads(text)), None)
        return f"not as the reference's {call['operationId']} says: {list(wrong.path)}: {wrong.message[:300]}" if wrong else None
