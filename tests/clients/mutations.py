"""What can be wrong with a request, one function each. A mutation takes the draft of a request and dice, and changes
the draft; the same dice change it the same way."""
import copy
import json
import re

import berth


REPEATED_MAX = 300000  # bytes that a repeated list may come to, well below what a body may have


class Twice(str):
    """A key that may stand beside an equal one: JSON with a repeated name."""

    def __eq__(self, other):
        return self is other

    def __hash__(self):
        return id(self)


class Draft:
    """A request before it becomes bytes."""

    def __init__(self, tree, name, token, host):
        self.method, self.tree, self.name = "PUT", tree, name
        self.group, self.subscription, self.type = "rg", berth.SUBSCRIPTION, f"{berth.PROVIDER}/containerGroups"
        self.query = [f"api-version={berth.API}"]
        self.headers = {"Host": [host], "Authorization": [f"Bearer {token}"], "Content-Type": ["application/json"]}
        self.edits, self.path_edits, self.chunked = [], [], False

    def target(self):
        path = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}/{self.type}/{self.name}"
        for edit in self.path_edits:
            path = edit(path)
        return path + ("?" + "&".join(self.query) if self.query else "")

    def body(self):
        body = dump(self.tree)
        for edit in self.edits:
            body = edit(body)
        return body

    def encode(self):
        """The bytes that go over the wire."""
        body = self.body()
        lines = [f"{self.method} {self.target()} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, values in self.headers.items() for value in values]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in
                            (body[at:at + 700] for at in range(0, len(body), 700))) + b"0\r\n\r\n"
        else:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def dump(tree):
    """JSON as UTF-8; what UTF-8 cannot hold is escaped."""
    try:
        return json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(tree).encode()


def deep(levels):
    made = "x"
    for _ in range(levels):
        made = [made] if levels % 2 else {"a": made}
    return made


TEXTS = ["", " ", "a", "A", "-", ".", "..", "../../etc/passwd", "\0", "a\0b", "\n", "a\r\nb: c", "\t", "ä", "日本語", "🚢", "e\u0301",
         "\u202etxt", "\ufeff", "\ud800", "\x7f", "%00", "%s%n", "'; DROP TABLE groups; --", "$(reboot)", "{{x}}", "null", "true",
         "1", "-1", "1e3", "0x10", "NaN", "x" * 63, "x" * 64, "x" * 260, "x" * 4096, "x" * 131072, "x" * 131073, "ß" * 70000,
         "docker.io/library/busybox", "busybox@sha256:" + "0" * 64, "UPPER/Case", "http://example", "/absolute", "a:b", "Linux",
         "Windows", "Always", "Never", "OnFailure", "TCP", "UDP", "Public", "Private", "Standard", "Spot", "Regular", "None"]
NUMBERS = [0, -0.0, 1, -1, 2, 0.1, 0.01, 0.001, 1e-9, 1e-308, 1.5, 31, 31.001, 240, 240.1, 1e6, 1e15, 2**31 - 1, 2**31, -2**31,
           2**32, 2**53 + 1, 2**63 - 1, 2**63, -2**63, 2**64, 1e308, -1e308, 10**400, 65535, 65536, 0.1 + 0.2, 3389, 20000]
OTHERS = [None, True, False, [], {}, [[]], [{}], {"": {}}, [None], {"a": None}, deep(5), deep(25), deep(40), deep(200)]


def odd(dice):
    """A value nobody expects."""
    return copy.deepcopy(dice.choice(dice.choice([TEXTS, NUMBERS, OTHERS])))  # others may be changed further


def places(tree):
    """[(holder, key)] of everything in it."""
    found, todo = [], [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            found.append((node, key))
            todo.append(node[key])
    return found


def any_place(draft, dice, kind=object):
    """A place whose value is of the kind; None when there is none."""
    found = [(holder, key) for holder, key in places(draft.tree) if isinstance(holder[key], kind)]
    return dice.choice(found) if found else None


def on_value(kind=object):
    """Turns a function of (value, dice) into a mutation of one place."""
    def decorate(function):
        def mutate(draft, dice):
            place = any_place(draft, dice, kind)
            if place:
                place[0][place[1]] = function(place[0][place[1]], dice)
        mutate.__name__ = function.__name__
        return mutate
    return decorate


@on_value()
def replaced(_, dice):
    return odd(dice)


@on_value(str)
def other_text(_, dice):
    return dice.choice(TEXTS)


@on_value((int, float))
def other_number(value, dice):
    near = [value + 1, value - 1, value * 10, value / 3, -value, str(value), value + 0.0001] if abs(value) < 1e300 else [0]
    return dice.choice(NUMBERS + near)


@on_value(str)
def edited_text(text, dice):
    at, piece = dice.randint(0, len(text)), dice.choice(TEXTS)
    return text[:at] + piece + text[at + dice.randint(0, 2):]


@on_value(str)
def text_in_other_case(text, dice):
    return dice.choice([text.upper(), text.lower(), text.swapcase(), text.title()])


@on_value(list)
def repeated_items(items, dice):
    items = items or [odd(dice)]
    return items * min(dice.choice([2, 2, 3, 6, 21, 61, 513, 1025]), max(1, REPEATED_MAX // len(dump(items))))


@on_value(list)
def other_item_too(items, dice):
    return items[:1] + [odd(dice)] + items[1:]


@on_value((dict, list, str))
def wrapped(value, dice):
    return dice.choice([[value], {"value": value}, json.dumps(value)])


def missing(draft, dice):
    place = any_place(draft, dice)
    if place:
        del place[0][place[1]]


def swapped(draft, dice):
    one, other = any_place(draft, dice), any_place(draft, dice)
    if one and other and not inside(one, other) and not inside(other, one):
        one[0][one[1]], other[0][other[1]] = other[0][other[1]], one[0][one[1]]


def inside(one, other):
    """True when the second place lies in the value of the first."""
    held = one[0][one[1]]
    return held is other[0] or any(holder is other[0] for holder, _ in places(held))


def named(draft, dice, change):
    """Another name for one key of an object."""
    place = any_place(draft, dice)
    if place and isinstance(place[0], dict):
        holder, key = place
        change(holder, key)


def key_in_other_case(draft, dice):
    def change(holder, key):
        holder[dice.choice([key.upper, key.lower, key.swapcase, key.title])()] = holder.pop(key)
    named(draft, dice, change)


def key_twice(draft, dice):
    def change(holder, key):
        holder[Twice(dice.choice([key, key.upper()]))] = odd(dice) if dice.random() < 0.7 else holder[key]
    named(draft, dice, change)


def unknown_key(draft, dice):
    def change(holder, _):
        holder[dice.choice(TEXTS + ["unknown", "properties", "id", "$ref", "__proto__"])] = odd(dice)
    named(draft, dice, change)


# ---- bytes of the body ----

def on_bytes(function):
    """Turns a function of (body, dice) into a mutation; what the dice say is drawn once."""
    def mutate(draft, dice):
        state = dice.getrandbits(64)
        draft.edits.append(lambda body: function(body, type(dice)(state)))
    mutate.__name__ = function.__name__
    return mutate


@on_bytes
def byte_changed(body, dice):
    at = dice.randint(0, max(0, len(body) - 1))
    return body[:at] + bytes([dice.getrandbits(8)]) + body[at + 1:]


@on_bytes
def cut(body, dice):
    return body[:dice.randint(0, len(body))]


@on_bytes
def bytes_put_in(body, dice):
    at = dice.randint(0, len(body))
    return body[:at] + dice.choice([b"\0", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xef\xbb\xbf", b"/**/", b"NaN", b"\\u12",
                                    b"\\ud800", b",", b"{", b"]", b"\"", b"\n" * 500, b"1e999999", b"-", b"00"]) + body[at:]


@on_bytes
def other_form(body, dice):
    return dice.choice([b"", b"null", b"[]", b"{}", b"\"x\"", b"1", body + body, b"[" + body + b"]", body + b"x", b"\xef\xbb\xbf" + body,
                        body.replace(b'"', b"'"), b" " * 4000 + body, b"[" * 2000, b'{"a":' * 2000, b"x" * 1100000,
                        body.decode("utf-8", "replace").encode("utf-16"), b"location=local"])


# ---- around the body ----

def content_type(draft, dice):
    draft.headers["Content-Type"] = dice.choice([
        [], [""], ["text/plain"], ["application/json; charset=utf-8"], ["APPLICATION/JSON"], ["application/json;charset=utf-16"],
        ["application/xml"], ["application/x-www-form-urlencoded"], ["json"], ["application/json, text/plain"],
        ["multipart/form-data; boundary=x"], ["application/json", "text/plain"], ["application/merge-patch+json"], [";"]])


def api_version(draft, dice):
    draft.query = dice.choice([
        [], ["api-version"], ["api-version="], ["api-version=2025-09-01"], ["api-version=2022-10-01-preview"],
        ["api-version=2099-01-01"], ["api-version=1.0"], ["api-version=2023-13-45"], ["api-version=2023-05-01", "api-version=2025-09-01"],
        ["API-VERSION=2023-05-01"], ["api%2Dversion=2023-05-01"], ["api-version=2023-05-01%00"], ["api-version=" + "9" * 500],
        ["", "", "api-version=2023-05-01", "=", "&"], ["api-version=2023-05-01", "x=%zz"], ["api-version=2023-05-01", "$top=-1"],
        ["api-version=2021-10-01", "%24skiptoken=abc"], ["api-version=2023-05-01", "a=" + "b" * 3000]])


def path_name(draft, dice):
    draft.name = dice.choice([
        "", ".", "..", "%00", "%2e%2e", "a%2fb", "%ff%fe", "%", "%zz", "%E6%97%A5", draft.name.upper(), draft.name + "/", "-" + draft.name,
        draft.name + "-", draft.name + "_", draft.name + "--x", "x" * 63, "x" * 64, "x" * 1000, "x" * 5000, draft.name + "%20",
        draft.name + ";v=1", draft.name + "/containers", draft.name + "/start/", draft.name + "%0d%0aX: y", "*", "~", "'", "@"])


def path_parts(draft, dice):
    name, value = dice.choice([
        ("group", "RG"), ("group", "nowhere"), ("group", ""), ("group", "x" * 91), ("group", "%C3%A4"), ("group", "a%00b"),
        ("subscription", "nobody"), ("subscription", ""), ("subscription", berth.SUBSCRIPTION.upper()),
        ("subscription", "00000000-0000-0000-0000-000000000000"), ("type", berth.PROVIDER + "//containerGroups"),
        ("type", berth.PROVIDER.lower() + "/containergroups"), ("type", berth.PROVIDER + "/unknownType"),
        ("type", "providers/Unknown.Provider/containerGroups"), ("type", berth.PROVIDER), ("type", ""), ("type", "providers")])
    setattr(draft, name, value)


def path_form(draft, dice):
    edits = [lambda p: p.replace("/", "//"), lambda p: p + "/", lambda p: p.upper(), lambda p: "http://other.example" + p,
             lambda p: p[1:], lambda p: p.replace("resourceGroups", "resourcegroups"), lambda p: p + "#part", lambda p: p + "?x=1",
             lambda p: re.sub("[aeiou]", lambda m: f"%{ord(m.group()):02x}", p), lambda p: "/" * 3000, lambda p: "*", lambda p: p + "\\"]
    draft.path_edits.append(dice.choice(edits))


def odd_header(draft, dice):
    name, value = dice.choice([
        ("X-Long", "y" * 3000), ("X-Long", "y" * 20000), ("X-Bytes", "\udcff\udcfe"), ("If-Match", "*"), ("If-Match", '"none"'), ("If-Match", ","),
        ("If-None-Match", "*"), ("If-None-Match", '"1", "2"'), ("Accept", "text/html"), ("Accept", ""), ("Accept-Encoding", "gzip"),
        ("Content-Encoding", "gzip"), ("Range", "bytes=5-1"), ("Expect", "100-continue"), ("Expect", "tea"), ("Cookie", "a=b;" * 500),
        ("x-ms-client-request-id", "\x01"), ("x-ms-client-request-id", "9" * 900), ("x-ms-correlation-request-id", "%00"),
        ("Upgrade", "websocket"), ("X-HTTP-Method-Override", "DELETE"), ("Connection", "close"), ("Authorization", "Basic eDp5"),
        ("Date", "yesterday"), ("Forwarded", "for=_"), ("Accept-Language", "x" * 200), ("Prefer", "respond-async"), ("Empty", "")])
    draft.headers.setdefault(name, []).append(value)


def many_headers(draft, dice):
    for number in range(dice.choice([20, 90, 400])):
        draft.headers[f"X-{number}"] = ["v"]


def in_chunks(draft, _):
    draft.chunked = True


def other_method(draft, dice):
    draft.method = dice.choice(["POST", "PATCH", "DELETE", "GET", "OPTIONS", "HEAD", "put", "FOO", "TRACE"])


OF_THE_TREE = [replaced, replaced, replaced, other_text, other_text, other_number, other_number, edited_text, edited_text,
               text_in_other_case, repeated_items, other_item_too, wrapped, missing, missing, swapped, key_in_other_case,
               key_in_other_case, key_twice, unknown_key]
OF_THE_BODY = [byte_changed, byte_changed, cut, bytes_put_in, bytes_put_in, other_form]
OF_THE_HEAD = [content_type, api_version, api_version, path_name, path_name, path_parts, path_form, odd_header, odd_header,
               many_headers, in_chunks, other_method]
