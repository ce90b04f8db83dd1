"""A Berth of its own for a test: registry, berthd and berth-agent in temporary folders, on loopback, with names no
other instance uses. Standard library only.

    with Berth() as berth:
        berth.put("web", group([container("web", berth.image, ["httpd", "-f", "-p", "80"])]))
        berth.wait_state("web", "Running")

Leaving the block takes everything down by process id and fails when anything is left."""
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("BERTH_BUILD", os.path.join(ROOT, "build/tests"))
API = "2023-05-01"
PROVIDER = "providers/Microsoft.ContainerInstance"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
LOCATION, QUEUE_LOCATION = "local", "queued"


class Late(AssertionError):
    """Something did not happen in time."""


def wait(what, check, timeout_s=30.0, every_s=0.05):
    """What check() gives as soon as it is neither None nor False."""
    end = time.monotonic() + timeout_s
    while True:
        found = check()
        if found is not None and found is not False:
            return found
        if time.monotonic() > end:
            raise Late(f"not within {timeout_s} s: {what}")
        time.sleep(every_s)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---- processes ----

def start_time(pid):
    """The kernel's start tick of a process; None when it is gone. With the pid it names one process for ever."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


class Process:
    """A program started apart from this one, its output in a file, ended by its own id only."""

    def __init__(self, argv, log, env=None, cwd=None):
        self.log = log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd,
                                          env={**os.environ, **(env or {})}, start_new_session=True)
        self.pid = self.child.pid

    def alive(self):
        return self.child.poll() is None

    def signal(self, number):
        if self.alive():
            self.child.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.child.wait(10)

    def stop(self, timeout_s=20):
        """SIGTERM and the exit status; killed (and said) when it does not end."""
        self.signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout_s)
        except subprocess.TimeoutExpired as late:
            self.kill()
            raise Late(f"process {self.pid} did not end on SIGTERM, see {self.log}") from late

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as opened:
            return opened.read()


# ---- HTTP ----

class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def code(self):
        """The error code of ARM's envelope; "" when there is none."""
        try:
            return self.json["error"]["code"]
        except (ValueError, KeyError, TypeError):
            return ""

    def expect(self, *statuses):
        if self.status not in statuses:
            raise AssertionError(f"status {self.status}, expected {statuses}: {self.text[:600]}")
        return self


class Client:
    """`ca` is the file of the CA that an https URL is checked with."""

    judges = []  # functions of (method, target, reply): a sentence when the reply is not as somebody described it

    def __init__(self, url, token, ca=None):
        self.url, self.token = url, token
        self.tls = ssl.create_default_context(cafile=ca) if ca else None

    def request(self, method, path, body=None, headers=None, timeout_s=40):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **(headers or {})}
        url = path if path.startswith("http") else self.url + path
        asked = urllib.request.Request(url, data=data, method=method, headers=sent)
        try:
            with urllib.request.urlopen(asked, timeout=timeout_s, context=self.tls) as answer:
                reply = Reply(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                reply = Reply(refused.code, refused.headers, refused.read())
        for judge in self.judges:
            wrong = judge(method, url[len(self.url):] if url.startswith(self.url) else url, reply)
            if wrong:
                raise AssertionError(f"{method} {path}: {wrong}")
        return reply


# ---- documents ----

def container(name, image, command=None, cpu=0.1, memory=0.1, **properties):
    asked = {"image": image, "resources": {"requests": {"cpu": cpu, "memoryInGB": memory}}, **properties}
    if command:
        asked["command"] = command
    return {"name": name, "properties": asked}


def group(containers, policy="Always", ports=(), location=LOCATION, **properties):
    asked = {"osType": "Linux", "restartPolicy": policy, "containers": containers, **properties}
    if ports:
        asked["ipAddress"] = {"type": "Private", "ports": [{"port": p, "protocol": "TCP"} for p in ports]}
    return {"location": location, "properties": asked}


# ---- the parts ----

def free_range():
    """A /24 that no route of this machine touches, as "10.x.y"."""
    routes = subprocess.run(["ip", "-4", "route", "show", "table", "all"], capture_output=True, text=True,
                            check=True).stdout
    for _ in range(1000):
        first, second = 64 + os.urandom(1)[0] % 128, os.urandom(1)[0]
        if f"10.{first}.{second}." not in routes:
            return f"10.{first}.{second}"
    raise AssertionError("no free address range found")


class Registry:
    """Debian's docker-registry on a free loopback port, empty. With a password only "tester" may do anything; with
    `tls` it has a certificate of a CA of its own, in `certs`/<host:port>/ca.crt."""

    def __init__(self, folder, password=None, tls=False):
        self.port = free_port()
        self.folder = os.path.join(folder, f"registry-{self.port}")
        # By its name where a certificate matters: tests take 127.0.0.1 for insecure.
        self.host, self.password = f"{'localhost' if tls else '127.0.0.1'}:{self.port}", password
        self.certs, self.tls = os.path.join(folder, "certs") if tls else None, None
        os.makedirs(self.folder)
        secure = self.make_tls() if tls else ""
        config = os.path.join(self.folder, "config.yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(f"version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {self.folder}/data}}, "
                      f"delete: {{enabled: true}}}}\nhttp: {{addr: 127.0.0.1:{self.port}{secure}}}\n")
            if password:
                out.write(f"auth: {{htpasswd: {{realm: test, path: {self.folder}/htpasswd}}}}\n")
                self.write_password()
        self.argv = ["docker-registry", "serve", config]
        self.start()

    def start(self):
        self.process = Process(self.argv, os.path.join(self.folder, "log"))
        wait("the registry answers", self.answers, 20)

    def make_tls(self):
        """A CA, and a certificate by it for that name; the words of the configuration."""
        ca = os.path.join(self.certs, self.host, "ca.crt")
        os.makedirs(os.path.dirname(ca))
        key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        lines = f"""set -e; umask 077
            openssl req -x509 {key} -keyout ca.key -out {ca} -subj /CN=registry-ca
            openssl req {key} -keyout key.pem -out asked.pem -subj /CN=registry
            printf 'subjectAltName=DNS:localhost' >names
            openssl x509 -req -in asked.pem -CA {ca} -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem"""
        subprocess.run(["sh", "-c", lines], cwd=self.folder, check=True, capture_output=True)
        self.tls = ssl.create_default_context(cafile=ca)
        return f", tls: {{certificate: {self.folder}/cert.pem, key: {self.folder}/key.pem}}"

    def write_password(self):
        """bcrypt, because the registry takes nothing else; the C library makes it."""
        line = 'print "tester:" . crypt($ARGV[0], "\\$2y\\$05\\$abcdefghijklmnopqrstuu") . "\\n"'
        made = subprocess.run(["perl", "-e", line, self.password], capture_output=True, text=True, check=True)
        write_secret(f"{self.folder}/htpasswd", made.stdout)

    def answers(self):
        try:
            url = f"{'https' if self.tls else 'http'}://{self.host}/v2/"
            with urllib.request.urlopen(url, timeout=2, context=self.tls) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as refused:
            return refused.code == 401
        except OSError:
            return False

    def push(self, archive, name):
        """Puts an OCI archive there; its full reference."""
        reference = f"{self.host}/{name}"
        login = ["--dest-creds", f"tester:{self.password}"] if self.password else []
        subprocess.run(["skopeo", "copy", "--insecure-policy", "-q", "--dest-tls-verify=false", *login, archive,
                        f"docker://{reference}"], check=True, stdin=subprocess.DEVNULL, capture_output=True)
        return reference

    def stop(self):
        self.process.stop()


def busybox_archive(folder, *options):
    """A small image of busybox with all its applets, as a reference that skopeo reads."""
    path = os.path.join(folder, f"busybox{len(options)}.tar")
    subprocess.run([os.path.join(ROOT, "tools/make-image"), *options, path], check=True, stdin=subprocess.DEVNULL,
                   capture_output=True)
    return f"oci-archive:{path}"


def write_secret(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    return path


class Program:
    """A program with a configuration file that can be killed and started again."""

    def __init__(self, folder, program, config):
        self.folder, self.log = folder, os.path.join(folder, "log")
        self.config = os.path.join(folder, "config.json")
        self.argv = [os.path.join(BUILD, program), "--config", self.config]
        self.process, self.env = None, None
        with open(self.config, "w", encoding="utf-8") as out:
            json.dump(config, out, indent=1)

    def start(self, ready=True):
        self.process = Process(self.argv, self.log, self.env)
        if ready:
            self.wait_ready()

    def wait_ready(self):
        wait(f"{self.argv[0]} is ready, see {self.log}", self.ready, 30)

    def ready(self):
        raise NotImplementedError

    def kill(self):
        self.process.kill()

    def stop(self):
        return self.process.stop() if self.process.alive() else self.process.child.returncode

    def restart(self):
        self.stop()
        self.start()

    def sanitizer_report(self):
        """What a sanitizer said in its log; "" when nothing."""
        said = self.process.said()
        marks = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer")
        at = min((said.find(mark) for mark in marks if mark in said), default=-1)
        return said[at:at + 3000] if at >= 0 else ""


class Daemon(Program):
    """berthd on a free loopback port, without TLS unless tls=True. It takes images on trust unless told otherwise:
    most tests have no registry."""

    def __init__(self, folder, tls=False, **config):
        folder = os.path.join(folder, "plane")
        os.makedirs(folder, mode=0o700)
        self.port = free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.ca = f"{folder}/ca.pem" if tls else None
        self.token, self.join_token = os.urandom(24).hex(), os.urandom(24).hex()
        super().__init__(folder, "daemon/berthd", {
            "listen_port": self.port, "tls": tls, "state_dir": folder,
            "token_file": write_secret(f"{folder}/token", self.token),
            "join_token_file": write_secret(f"{folder}/join-token", self.join_token),
            "subscriptions": [SUBSCRIPTION], "locations": [LOCATION, QUEUE_LOCATION],
            "queue_locations": [QUEUE_LOCATION], "image_check": "off", **config})
        self.start()

    def client(self, token=None):
        return Client(self.url, token or self.token, self.ca)

    def principal(self):
        """The service principal of the first start: tenantId, clientId, clientSecret."""
        with open(os.path.join(self.folder, "service-principal.json"), encoding="utf-8") as opened:
            return json.load(opened)

    def ready(self):
        if not self.process.alive():
            raise AssertionError(f"berthd ended: {self.process.said()[-2000:]}")
        with contextlib.suppress(OSError):  # the CA's file comes with the first start
            return self.client().request("GET", "/readyz", timeout_s=2).status == 200
        return False


class Agent(Program):
    """berth-agent of that plane, with a bridge, a range and cgroups of its own."""

    def __init__(self, folder, daemon, registry, **config):
        self.daemon, self.node = daemon, "n" + os.urandom(3).hex()
        self.bridge, self.cgroup = f"bt-{self.node}", f"berth-test-{self.node}"
        self.run_dir = f"/run/berth-test-{self.node}"
        folder = os.path.join(folder, "node")
        os.makedirs(folder, mode=0o700)
        super().__init__(folder, "node-agent/berth-agent", {
            "plane_url": daemon.url, **({"plane_ca_file": daemon.ca} if daemon.ca else {}), "name": self.node, "location": LOCATION, "state_dir": folder,
            "join_token_file": write_secret(f"{folder}/join-token", daemon.join_token),
            "run_dir": self.run_dir, "bridge": self.bridge, "range": f"{free_range()}.0/24", "cgroup": self.cgroup,
            "cpu_milli": 16000, "insecure_registries": [registry.host, "127.0.0.1"], **config})
        self.start()

    def start(self, ready=True):
        """Ready under an epoch of its own: the plane takes a node whose agent was killed a moment ago for ready, too."""
        self.epoch_before = self.epoch() if ready else 0
        super().start(ready)

    def look(self):
        """The node as the plane has it; {} before it has joined."""
        nodes = self.daemon.client().request("GET", "/v1/nodes").json["value"]
        return next((n for n in nodes if n["name"] == self.node), {})

    def epoch(self):
        """Counts joins and losses."""
        return self.look().get("epoch", 0)

    def ready(self):
        if not self.process.alive():
            raise AssertionError(f"berth-agent ended: {self.process.said()[-2000:]}")
        seen = self.look()
        return seen.get("state", "").lower() == "ready" and seen["epoch"] > self.epoch_before

    def clean(self):
        """Takes down all that the node's agent made, containers included."""
        done = subprocess.run([*self.argv, "--clean"], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              check=False)
        if done.returncode:
            raise AssertionError(f"berth-agent --clean: {done.stderr[-2000:]}")


def is_first_in_container(pid):
    """True for process 1 of a pid namespace below ours; a shell's fork looks like the shell until it runs its program."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        numbers = next(line for line in status if line.startswith("NSpid:")).split()[1:]
    return len(numbers) > 1 and numbers[-1] == "1"


def marked_processes(mark):
    """{word: [pid]} of shells that are a container's first process and whose last argument begins with the mark."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError, StopIteration):  # it ended meanwhile
            with open(f"/proc/{entry}/cmdline", "rb") as opened:
                words = opened.read().split(b"\0")
            last = words[-2].decode(errors="replace") if len(words) > 3 else ""
            if words[0] in (b"sh", b"/bin/sh") and last.startswith(mark) and is_first_in_container(entry):
                found.setdefault(last, []).append(int(entry))
    return found


class Berth:
    """Registry, plane and one node."""

    def __init__(self, daemon=None, agent=None):
        self.folder = tempfile.mkdtemp(prefix="berth-e2e-")
        self.registry = self.daemon = self.agent = None
        try:
            self.registry = Registry(self.folder)
            self.archive = busybox_archive(self.folder)
            self.image = self.registry.push(self.archive, "busybox:1")
            self.daemon = Daemon(self.folder, **{"tls": True, "image_check": "on", "insecure_registries": ["127.0.0.1"],
                                                 "registry_certs_dir": f"{self.folder}/certs", **(daemon or {})})
            self.client = self.daemon.client()
            self.agent = Agent(self.folder, self.daemon, self.registry,
                               **{"registry_certs_dir": f"{self.folder}/certs", **(agent or {})})
            rg = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg?api-version=2021-04-01"
            self.client.request("PUT", rg, {"location": LOCATION}).expect(200, 201)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, fault, trace):
        self.close()

    def close(self):
        """Everything down, then a look for anything left; keeps the logs when something is wrong."""
        said = []
        for part in (self.agent, self.daemon, self.registry):
            if part:
                try:
                    status = part.stop()
                    said += [f"{part.argv[0]}: exit status {status}"] if status else []
                except Late as late:
                    said.append(str(late))
        if self.agent:
            self.agent.clean()
            said += [report for report in (self.daemon.sanitizer_report(), self.agent.sanitizer_report()) if report]
            names = [self.folder, self.agent.bridge, self.agent.cgroup, self.agent.run_dir]
            left = subprocess.run([os.path.join(ROOT, "deploy/leftovers"), *names], capture_output=True, text=True,
                                  check=False)
            said += left.stdout.splitlines()
        if said:
            raise AssertionError(f"logs are in {self.folder}\n" + "\n".join(said))
        shutil.rmtree(self.folder)

    # ---- groups ----

    def group_path(self, name):
        return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/{PROVIDER}/containerGroups/{name}"

    def request(self, method, name, body=None, tail="", query=""):
        return self.client.request(method, f"{self.group_path(name)}{tail}?api-version={API}{query}", body)

    def put(self, name, body):
        return self.request("PUT", name, body)

    def get(self, name):
        return self.request("GET", name).expect(200).json

    def post(self, name, verb):
        return self.request("POST", name, tail=f"/{verb}")

    def delete(self, name):
        return self.request("DELETE", name)

    def state(self, name):
        return self.get(name)["properties"]["instanceView"]["state"]

    def view(self, name, which):
        """The instance view of one container; None before there is one."""
        for one in self.get(name)["properties"]["containers"]:
            if one["name"] == which:
                return one["properties"].get("instanceView")
        return None

    def wait_state(self, name, state, timeout_s=40.0):
        try:
            wait(f"{name} is {state}", lambda: self.state(name) == state, timeout_s)
        except Late as late:
            raise Late(f"{late}; now {json.dumps(self.get(name)['properties'])[:1500]}") from late

    def logs(self, name, which, **query):
        """What the container said; "" while there is no log."""
        asked = "".join(f"&{key}={value}" for key, value in query.items())
        reply = self.request("GET", name, tail=f"/containers/{which}/logs", query=asked)
        return reply.json["content"] if reply.status == 200 else ""

    def logs_of_two(self, name, which):
        """What the last two runs of the container said: where there must have been one, a second shows."""
        return self.logs(name, which, previous="true") + self.logs(name, which)

    def usage(self, name):
        return self.client.request("GET", f"/v1/usage?group={self.group_path(name)}").expect(200).json

    @staticmethod
    def closed(usage):
        """True when there are intervals and none is open."""
        return bool(usage["value"]) and not any(i["open"] for i in usage["value"])

    @staticmethod
    def seconds(usage):
        return sum(i["seconds"] for i in usage["value"])

    def digest(self, name):
        with urllib.request.urlopen(urllib.request.Request(
                f"http://{self.registry.host}/v2/{name.replace(':', '/manifests/')}", method="HEAD",
                headers={"Accept": "application/vnd.oci.image.manifest.v1+json"}), timeout=5) as answer:
            return answer.headers["Docker-Content-Digest"]

    # ---- this machine ----

    @staticmethod
    def processes(mark):
        """Sorted ids of container processes whose last argument, or program, is the mark."""
        return sorted(pid for word, pids in marked_processes(mark).items() if word == mark for pid in pids)

    def group_traces(self):
        """Mounts, links and cgroups that groups of this node have now."""
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            traces = [line.split()[4] for line in mounts if f"{self.agent.folder}/" in line and "overlay" in line]
        links = subprocess.run(["ip", "-o", "link", "show"], capture_output=True, text=True, check=True).stdout
        return traces + [line for line in links.splitlines() if line.endswith(f"alias {self.agent.bridge}")]

    def wait_gone(self, name, timeout_s=30):
        """Until the node has let go of everything of a deleted group (its own word: usage is closed, nothing mounted)."""
        usage = lambda: self.usage(name)["value"]  # noqa: E731
        wait(f"{name} is gone", lambda: not usage() or self.closed({"value": usage()}), timeout_s)

    def clean(self):
        """Between tests: both programs run, no group is left."""
        for part in (self.daemon, self.agent):
            if not part.process.alive():
                part.start()
        self.daemon.wait_ready()
        path = f"/subscriptions/{SUBSCRIPTION}/{PROVIDER}/containerGroups?api-version={API}"
        for one in self.client.request("GET", path).json["value"]:
            if one["name"] != "web":
                self.client.request("DELETE", f"{one['id']}?api-version={API}")
