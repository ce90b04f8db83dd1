"""Replies beside openapi/berth.json: each status must be one the call names, each body what its schema says and
nothing more."""
import decimal
import json
import os
import re

import jsonschema

FILE = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "openapi/berth.json")
BEFORE_THE_CALL = {411, 414, 431}  # the server refuses the head before it knows the call


def exact(text):
    """JSON with decimals as they are written: 1.1 is a multiple of 0.001."""
    return json.loads(text, parse_float=decimal.Decimal)


def of_answers(schema, schemas):
    """The schema as it holds for answers: writeOnly properties are absent, unknown ones are faults."""
    if isinstance(schema, list):
        return [of_answers(item, schemas) for item in schema]
    if not isinstance(schema, dict):
        return schema
    answer = {key: of_answers(value, schemas) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        answer["additionalProperties"] = False
        silent = {name for name, one in schema["properties"].items() if isinstance(one, dict) and one.get("writeOnly")}
        answer["required"] = [name for name in schema.get("required", ()) if name not in silent]
    return answer


class Contract:
    def __init__(self):
        with open(FILE, encoding="utf-8") as opened:
            self.document = exact(opened.read())
        parts = self.document["components"]
        self.schemas = {"schemas": of_answers(parts["schemas"], parts["schemas"])}
        self.paths = [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path), re.I), calls)
                      for path, calls in self.document["paths"].items()]

    def call(self, method, target):
        path = "/" + "/".join(part for part in target.partition("?")[0].split("/") if part)
        for pattern, calls in self.paths:
            if pattern.fullmatch(path):
                return calls.get(method.lower())
        return None

    def fault(self, method, target, status, text):
        """What the reply has that the contract does not say, or None."""
        call = self.call(method, target)
        if call is None or status in BEFORE_THE_CALL:
            return None
        answer = call["responses"].get(str(status))
        if answer is None:
            return f"the contract of {call['operationId']} does not name the status {status}"
        if "$ref" in answer:
            answer = self.document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        content = answer.get("content", {})
        if method == "HEAD" or "text/plain" in content or "*/*" in content:
            return None
        if not content:
            return f"the contract of {call['operationId']} names no body for {status}: {text[:80]}" if text else None
        schema = {**of_answers(content["application/json"]["schema"], None), "components": self.schemas}
        wrong = next(jsonschema.Draft202012Validator(schema).iter_errors(exact(text)), None)
        return f"not as the contract says: {wrong.json_path}: {wrong.message[:300]}" if wrong else None
