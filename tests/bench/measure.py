"""What the benchmarks share: peers, load, medians."""
import base64
import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

from berth import Process, free_port, wait

HERE = os.path.dirname(os.path.abspath(__file__))
OVER_TLS = os.environ.get("BENCH_TLS") == "1"  # --tls: and signed in, as clients are


def say(text):
    print(text, file=sys.stderr, flush=True)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values, digits=1):
    """Median, least and most, for the extras."""
    return {"median": round(statistics.median(values), digits), "min": round(min(values), digits),
            "max": round(max(values), digits)}


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix="berth-bench-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Etcd:
    """Debian's etcd with its defaults (every write synced), on free loopback ports."""

    def __init__(self, path):
        client, peer = free_port(), free_port()
        self.port, self.url = client, f"http://127.0.0.1:{client}"
        self.process = Process([
            "etcd", "--data-dir", f"{path}/etcd", "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
            "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--log-level", "error",
            "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
            "--initial-cluster", f"default=http://127.0.0.1:{peer}"], f"{path}/etcd.log")
        wait("etcd answers", self.answers, 20)

    def answers(self):
        try:
            connection = Connection(self.port)
            healthy = b'"health":"true"' in connection.ask("GET", "/health")[1]
            connection.close()
            return healthy
        except OSError:
            return False

    def stop(self):
        self.process.stop()


def etcd_put(name, body):
    return json.dumps({"key": base64.b64encode(name.encode()).decode(), "value": base64.b64encode(body).decode()})


def bearer(daemon):
    """What the load shows berthd: an access token of its service principal over TLS, the static token without."""
    if not OVER_TLS:
        return daemon.token
    principal = daemon.principal()
    form = urllib.parse.urlencode({
        "grant_type": "client_credentials", "client_id": principal["clientId"], "client_secret": principal["clientSecret"],
        "scope": f"{daemon.url}/.default"}).encode()
    with urllib.request.urlopen(f"{daemon.url}/{principal['tenantId']}/oauth2/v2.0/token", data=form,
                                context=ssl.create_default_context(cafile=daemon.ca)) as answer:
        return json.load(answer)["access_token"]


def connect(daemon):
    return Connection(daemon.port, f"Authorization: Bearer {bearer(daemon)}\r\nContent-Type: application/json\r\n",
                      daemon.ca if OVER_TLS else None)


class Connection:
    """A kept-alive HTTP connection with as little of its own cost as Python allows."""

    def __init__(self, port, headers="", ca=None):
        self.link = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ca:
            self.link = ssl.create_default_context(cafile=ca).wrap_socket(self.link, server_hostname="127.0.0.1")
        self.headers, self.rest = f"Host: 127.0.0.1:{port}\r\n{headers}", b""

    def ask(self, method, path, body=b""):
        """(status, body)."""
        head = f"{method} {path} HTTP/1.1\r\n{self.headers}Content-Length: {len(body)}\r\n\r\n"
        self.link.sendall(head.encode() + body)
        data = self.rest
        while b"\r\n\r\n" not in data:
            data += self.more()
        head, _, data = data.partition(b"\r\n\r\n")
        if b"chunked" in head.lower():
            return int(head[9:12]), self.chunks(data)
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        size = int(length.group(1)) if length else 0
        parts, have = [data], len(data)
        while have < size:
            parts.append(self.more())
            have += len(parts[-1])
        data = b"".join(parts)
        self.rest = data[size:]
        return int(head[9:12]), data[:size]

    def chunks(self, data):
        out = []
        while True:
            while b"\r\n" not in data:
                data += self.more()
            size, _, data = data.partition(b"\r\n")
            size = int(size, 16)
            while len(data) < size + 2:
                data += self.more()
            if size == 0:
                self.rest = data[2:]
                return b"".join(out)
            out.append(data[:size])
            data = data[size + 2:]

    def more(self):
        got = self.link.recv(1 << 20)
        if not got:
            raise OSError("the connection was closed")
        return got

    def close(self):
        self.link.close()


def wrk(url, script, seconds, env, connections=32):
    """Requests a second, percentiles in ms and errors of one wrk run, from the JSON its script prints."""
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", os.path.join(HERE, script), url],
                          capture_output=True, text=True, check=False, env={**os.environ, **env})
    found = re.search(r"^JSON (.*)$", done.stdout, re.M)
    if not found:
        raise AssertionError(f"wrk: {done.stdout}{done.stderr}")
    return json.loads(found.group(1))


def group_body(location, size=2048):
    """A group document of about `size` bytes: one container, the rest in its environment."""
    def of(filler):
        env = [{"name": f"NAME_{i}", "value": "v" * 40} for i in range(filler // 64)]
        env.append({"name": "REST", "value": "v" * (filler % 64)})
        return json.dumps({"location": location, "properties": {"osType": "Linux", "containers": [{
            "name": "web", "properties": {
                "image": "registry.example/web:1", "environmentVariables": env,
                "resources": {"requests": {"cpu": 0.1, "memoryInGB": 0.1}}}}]}}, separators=(",", ":"))
    filler = 0
    while len(of(filler)) < size:
        filler += 1
    return of(filler)
