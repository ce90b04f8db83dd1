"""Reading *.http files and comparing replies with what they expect (README.md tells the form)."""
import json
import re

ASK = re.compile(r"^HTTP((?: \d{3})+)(?: within (\d+)s)?$")


class Block:
    """One request and what must come back."""

    def __init__(self, sentence, line):
        self.sentence, self.line = sentence, line
        self.notes, self.keeps = [], []
        self.method = self.target = ""
        self.headers, self.body = [], ""
        self.statuses, self.within_s = (), 0
        self.expected_headers, self.expected_body = [], ""


def config(text):
    """Settings of the file's berthd: `# berthd {"tls": true}` in its first line."""
    first = text.split("\n", 1)[0]
    return json.loads(first[9:]) if first.startswith("# berthd ") else {}


def read(text):
    """The blocks of one file, in order."""
    blocks = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("### "):
            blocks.append((Block(line[4:].strip(), number), []))
        elif blocks:
            blocks[-1][1].append(line)
    return [fill(block, lines) for block, lines in blocks]


def fill(block, lines):
    at = next((i for i, line in enumerate(lines) if ASK.match(line)), None)
    if at is None:
        raise ValueError(f"line {block.line}: no 'HTTP nnn' behind the request")
    asked = [line for line in lines[:at]]
    while asked and (asked[0].startswith("# ") or not asked[0].strip()):
        note = asked.pop(0)
        if note.strip():
            block.notes.append(note[2:])
    block.method, _, block.target = asked[0].partition(" ")
    block.headers, block.body = split(asked[1:])
    statuses, within = ASK.match(lines[at]).groups()
    block.statuses, block.within_s = tuple(map(int, statuses.split())), int(within or 0)
    rest = lines[at + 1:]
    block.keeps = [line[2:].split(" = ", 1) for line in rest if line.startswith("> ")]
    block.expected_headers, block.expected_body = split([line for line in rest if not line.startswith("> ")])
    return block


def split(lines):
    """Headers up to an empty line, then a body."""
    headers = []
    for at, line in enumerate(lines):
        if not line.strip():
            return headers, "\n".join(lines[at + 1:]).strip("\n")
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"not a header: {line}")
        headers.append((name.strip(), value.strip()))
    return headers, ""


def expand(text, values):
    """Text with {{names}} filled in, as bytes."""
    def one(match):
        word, _, rest = match.group(1).partition(" ")
        if word == "repeat":
            times, _, part = rest.partition(" ")
            return part * int(times)
        if word == "hex":
            return bytes.fromhex(rest).decode("latin-1")
        if word not in values:
            raise ValueError(f"nothing is called {word}")
        return str(values[word])
    marked = re.sub(r"\{\{([^}]*)\}\}", one, text)
    return marked.encode("latin-1") if "{{hex" in text else marked.encode()


def pick(value, path):
    """a.b[0].c of a JSON value; KeyError when it is not there."""
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            value = value[name] if name else value[int(index)]
        except (TypeError, IndexError) as wrong:
            raise KeyError(path) from wrong
    return value


def fits(expected, found, where="body"):
    """None, or the sentence that says where they differ."""
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return f"{where} is {json.dumps(found)[:80]}, not an object"
        for key, want in expected.items():
            if want == "!":
                if key in found:
                    return f"{where}.{key} is there: {json.dumps(found[key])[:80]}"
                continue
            if key not in found:
                return f"{where}.{key} is missing"
            wrong = fits(want, found[key], f"{where}.{key}")
            if wrong:
                return wrong
        return None
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return f"{where} is {json.dumps(found)[:200]}, not {len(expected)} items"
        faults = (fits(e, f, f"{where}[{i}]") for i, (e, f) in enumerate(zip(expected, found)))
        return next((fault for fault in faults if fault), None)
    if isinstance(expected, str) and text_fits(expected, found):
        return None
    same = expected == found and isinstance(expected, bool) == isinstance(found, bool)
    return None if same else f"{where} is {json.dumps(found)[:200]}, expected {json.dumps(expected)}"


def text_fits(expected, found):
    if expected == "*":
        return True
    if len(expected) > 1 and expected[0] == expected[-1] == "/":
        return isinstance(found, str) and re.search(expected[1:-1], found) is not None
    return expected == found
