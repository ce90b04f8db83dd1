"""One connection of the mutation test: sends a case, judges the reply, and looks after what was accepted."""
import contextlib
import time

import berth
import wire

ANSWER_S = 5
# Heads that are refused before they are taken for a request: in the HTTP library's own words, or by closing.
HEADS = ("path_form", "odd_header", "many_headers", "path_name", "path_parts", "other_method")
BEFORE_THE_CALL = (400, 413, 414, 431, 501, 505)


class Prober:
    """One connection: sends a case and looks after it."""

    def __init__(self, daemon, swaggers):
        self.daemon, self.swaggers = daemon, swaggers
        self.wire = wire.Wire("127.0.0.1", daemon.port, ANSWER_S)
        self.host = f"127.0.0.1:{daemon.port}"
        self.accepted, self.statuses, self.slowest_s, self.last = 0, {}, 0.0, None

    def ask(self, method, target, body=b""):
        head = (f"{method} {target} HTTP/1.1\r\nHost: {self.host}\r\nAuthorization: Bearer {self.daemon.token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        reply = self.wire.ask(head.encode() + body)
        return reply, self.fault(method, target, reply)

    def fault(self, method, target, reply):
        """What is wrong with any reply."""
        if reply.status >= 500 and reply.status != 501:
            return f"{method} was answered {reply.status}: {reply.text[:300]}"
        if reply.status >= 400 and method != "HEAD":
            said = self.refusal_fault(reply)
            if said:
                return f"{method} was refused badly ({reply.status}): {said}"
        return None if method == "DELETE" else self.swaggers.fault(method, target, reply, only_near=True)

    @staticmethod
    def refusal_fault(reply):
        try:
            error = reply.json["error"]
        except (ValueError, KeyError, TypeError):
            return f"not ARM's form: {reply.text[:200]!r}"
        if not error.get("code") or not error.get("message"):
            return f"no code or no message: {reply.text[:300]}"
        named = all(one.get("target") for one in error.get("details") or [error])
        return None if reply.status != 501 or named else f"names no field: {reply.text[:300]}"

    def play(self, case, name):
        """None, or what does not hold."""
        draft = case.draft(name, self.daemon.token, self.host)
        request = draft.encode()
        begun = time.monotonic()
        try:
            reply = self.wire.ask(request, draft.method == "HEAD")
        except wire.Hang as hang:
            return str(hang)
        except wire.NoAnswer as gone:
            return None if case.has_odd_head() and self.daemon.process.alive() else str(gone)
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1
        if case.has_odd_head() and reply.status in BEFORE_THE_CALL and b"<html>" in reply.body:
            return None
        said = self.fault(draft.method, draft.target(), reply)
        if reply.status not in (200, 201):
            return said
        self.last = reply
        return said or self.look_after(reply, case.number % 10 == 0)

    def remove(self):
        """What the last case left, when it failed."""
        with contextlib.suppress(Exception):  # it failed: whatever can be removed
            self.ask("DELETE", f"{self.last.json['id']}?api-version={berth.API}")

    def look_after(self, reply, thoroughly):
        """What was accepted is shown, listed, put again as it is shown, and deleted."""
        try:
            shown = reply.json
            identity = shown["id"]
        except (ValueError, KeyError, TypeError):
            return None
        if "/containerGroups/" not in identity or not isinstance(shown.get("properties"), dict):
            return None
        self.accepted += 1
        target = f"{identity}?api-version={berth.API}"
        for method, statuses, check in self.course(identity, thoroughly):
            got, said = self.ask(method, target, check(None) if method == "PUT" else b"")
            self.last = got if got.status in (200, 201) else self.last
            if said:
                return said
            if got.status not in statuses:
                return f"{method} of what was accepted answers {got.status}: {got.text[:300]}"
            if method == "GET" and got.status == 200 and got.json["id"] != identity:
                return f"another is shown: {got.json['id']}"
        return None

    def course(self, identity, thoroughly):
        """(method, good statuses, body) one after another."""
        yield "GET", (200,), None
        if thoroughly:
            again = self.last.body  # where secrets were, it is another group: incomplete, or not the one that is being made
            has_secrets = any(word in again for word in (b'"imageRegistryCredentials":[{', b'{"name":"B"}', b'"azureFile"',
                                                         b'"secret":{'))
            yield "PUT", (200, 201, 400, 409) if has_secrets else (200, 201), lambda _: again
            self.listed(identity)
        yield "DELETE", (200,), None
        yield "GET", (404,), None

    def listed(self, identity):
        found = any(one["id"] == identity for one in self.whole_list(identity.rsplit("/", 1)[0]))
        assert found, f"{identity} is not listed"

    def whole_list(self, path):
        target, items = f"{path}?api-version={berth.API}", []
        while target:
            reply, _ = self.ask("GET", target)
            assert reply.status == 200, reply.text[:300]
            items += reply.json["value"]
            target = (reply.json.get("nextLink") or "").partition(self.host)[2]
        return items
