"""Reading the project's C text: which files there are, and code without comments or strings."""
import fnmatch
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOMS = ("base", "model", "store", "scheduler", "ledger", "api", "daemon", "node-agent", "cli", "tests")

_TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""", re.S)


def files(*patterns):
    """Files of the project (tracked, or new and not ignored) that match one of the patterns, sorted."""
    asked = ["git", "-C", ROOT, "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = set(listed.stdout.splitlines())
    else:  # an unpacked archive has no history
        names = set(_walk())
    return sorted(n for n in names
                  if any(fnmatch.fnmatch(n, p) for p in patterns) and os.path.isfile(os.path.join(ROOT, n)))


def _walk():
    for folder, below, names in os.walk(ROOT):
        below[:] = [b for b in below if b not in ("build", ".git")]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), ROOT)


def c_files():
    return [n for n in files("*.c", "*.h") if n.split("/")[0] in ROOMS]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as opened:
        return opened.read()


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    return _TOKEN.sub(lambda m: _blank(m.group()) if m.group("comment") else m.group(), text)


def code_only(text):
    """Comments and the insides of strings become blanks; line numbers stay."""
    return _TOKEN.sub(lambda m: _blank(m.group()), text)


def strings(text):
    """(line, string literal) of each string in the text."""
    for match in _TOKEN.finditer(text):
        literal = match.group("string")
        if literal and literal.startswith('"'):
            yield text.count("\n", 0, match.start()) + 1, literal


def matches(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
