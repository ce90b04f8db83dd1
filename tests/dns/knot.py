"""A Knot DNS server of its own on a free loopback port, and questions by Debian's kdig."""
import base64
import os
import re
import subprocess

import berth

KEY = base64.b64encode(b"a key for updates of the tests..").decode()
CONFIG = """
server:
  rundir: {folder}
  listen: 127.0.0.1@{port}
database:
  storage: {folder}
log:
  - target: stderr
    any: info
key:
  - id: berth-key
    algorithm: hmac-sha256
    secret: {key}
acl:
  - id: updates
    key: berth-key
    action: update
template:
  - id: default
    storage: {folder}
zone:
  - domain: {zone}
    file: {folder}/zone
    acl: updates
"""
ZONE = """$ORIGIN {zone}.
@ 60 SOA ns hostmaster 1 3600 600 86400 10
@ 60 NS ns
ns 60 A 127.0.0.1
"""


class Knot:
    """knotd with one zone that takes updates signed with KEY. What it was told outlives stop() and start()."""

    def __init__(self, folder, zone):
        self.folder, self.zone, self.port = os.path.join(folder, "knot"), zone, berth.free_port()
        os.makedirs(self.folder)
        names = {"folder": self.folder, "port": self.port, "zone": zone, "key": KEY}
        for name, text in (("conf", CONFIG), ("zone", ZONE)):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as out:
                out.write(text.format(**names))
        self.process = None

    def start(self):
        self.process = berth.Process(["/usr/sbin/knotd", "-c", os.path.join(self.folder, "conf")],
                                     os.path.join(self.folder, "log"))
        berth.wait("Knot answers", lambda: self.ask(self.zone, "SOA").status == "NOERROR", 10)
        return self

    def stop(self):
        if self.process:
            self.process.stop()
        self.process = None

    def ask(self, name, kind="A"):
        return ask(self.port, name, kind)


class Answer:
    """What kdig saw: status, flags, the records of the answer as (owner, type, data), and all it said."""

    def __init__(self, said):
        self.said = said
        status = re.search(r"status: (\w+)", said)
        flags = re.search(r"Flags: ([a-z ]*);", said)
        self.status = status.group(1) if status else None
        self.flags = flags.group(1).split() if flags else []
        self.records = [(parts[0], parts[3], parts[4]) for parts in
                        (line.split(None, 4) for line in self.section("ANSWER")) if len(parts) == 5]

    def section(self, name):
        found = re.search(rf";; {name} SECTION:\n(.*?)(\n\n|\Z)", self.said, re.S)
        return found.group(1).splitlines() if found else []

    @property
    def data(self):
        return [record[2] for record in self.records]


def ask(port, name, kind="A", *options):
    done = subprocess.run(["kdig", "@127.0.0.1", "-p", str(port), "+retry=0", "+time=2", *options, name, kind],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    return Answer(done.stdout)
