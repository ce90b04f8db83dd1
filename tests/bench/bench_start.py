"""From the PUT until GET says Running, image present, one container; beside `podman pod create` + `podman run`, and
beside bare crun, which is the floor. One of each in turn. Then the same without anything prepared ahead, and many groups
at once: until the last one runs."""
import json
import os
import shutil
import statistics
import subprocess
import time

from berth import API, Berth, container, group
from measure import OVER_TLS, connect, percentile, say

ROOMY_MIB = 65536  # to count with: many groups at once ask for more than they use


class Podman:
    """Podman with folders of its own, without network, as fast as it goes here."""

    def __init__(self, folder, archive):
        self.folder = os.path.join(folder, "podman")
        os.makedirs(self.folder)
        self.write("containers.conf", '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n'
                                      '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\n')
        self.write("policy.json", '{"default":[{"type":"insecureAcceptAnything"}]}')
        self.env = {**os.environ, "CONTAINERS_CONF": f"{self.folder}/containers.conf"}
        self.base = ["podman", "--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run", "--tmpdir",
                     f"{self.folder}/tmp", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
        self.image = self.call("pull", "-q", "--signature-policy", f"{self.folder}/policy.json", archive).strip()

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as out:
            out.write(text)

    def call(self, *argv):
        done = subprocess.run([*self.base, *argv], capture_output=True, text=True, env=self.env, check=False,
                              stdin=subprocess.DEVNULL)
        if done.returncode:
            raise AssertionError(f"podman {argv[0]}: {done.stderr}")
        return done.stdout

    def start_ms(self, name):
        begun = time.perf_counter()
        self.call("pod", "create", "--name", name, "--network", "none", "--infra-image", self.image,
                  "--infra-command", "/bin/sleep 600")
        self.call("run", "-d", "--pod", name, self.image, "sleep", "600")
        took = (time.perf_counter() - begun) * 1000
        self.call("pod", "rm", "-f", "-t", "0", name)
        return took

    def close(self):
        self.call("system", "reset", "--force")
        subprocess.run(["umount", "-R", f"{self.folder}/root/overlay"], capture_output=True, check=False)


class Crun:
    """crun alone on a ready root folder: what no manager can be faster than."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "crun")
        os.makedirs(f"{self.folder}/rootfs/bin")
        shutil.copy("/bin/busybox", f"{self.folder}/rootfs/bin/busybox")
        subprocess.run(["crun", "spec"], cwd=self.folder, check=True, capture_output=True)
        with open(f"{self.folder}/config.json", encoding="utf-8") as opened:
            spec = json.load(opened)
        spec["process"].update({"terminal": False, "args": ["/bin/busybox", "true"]})
        spec["process"].pop("rlimits", None)
        with open(f"{self.folder}/config.json", "w", encoding="utf-8") as out:
            json.dump(spec, out)

    def start_ms(self, name):
        run = f"umount /sys/fs/cgroup/unified 2>/dev/null; exec crun --root {self.folder}/run run -b {self.folder} {name}"
        begun = time.perf_counter()
        done = subprocess.run(["unshare", "-m", "sh", "-c", run], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise AssertionError(f"crun: {done.stderr}")
        return (time.perf_counter() - begun) * 1000


def ours_ms(berth, connection, name):
    path = f"{berth.group_path(name)}?api-version={API}"
    body = json.dumps(group([container("c", berth.image, ["sleep", "600"], cpu=0.1, memory=0.1)])).encode()
    begun = time.perf_counter()
    status, said = connection.ask("PUT", path, body)
    if status != 201:
        raise AssertionError(f"{status} {said[:300]}")
    while True:
        _, said = connection.ask("GET", path)
        if json.loads(said)["properties"]["instanceView"]["state"] == "Running":
            break
        if time.perf_counter() - begun > 30:
            raise AssertionError(f"{name} does not run: {said[:600]}")
        time.sleep(0.0005)
    took = (time.perf_counter() - begun) * 1000
    connection.ask("DELETE", path)
    berth.wait_gone(name)
    return took


def unprepared_ms(count):
    """One by one on a node that keeps nothing ready."""
    with Berth(daemon={"tls": OVER_TLS}, agent={"networks_prepared": 0}) as berth:
        connection = connect(berth.daemon)
        took = []
        for n in range(count + 2):
            took.append(ours_ms(berth, connection, f"u-{n}"))
            time.sleep(0.1)
        took = took[2:]
    say(f"nothing prepared: {statistics.median(took):.1f} ms")
    return took


def at_once_ms(berth, connection, count):
    """From the first PUT until none of `count` groups is on its way any more."""
    body = json.dumps(group([container("c", berth.image, ["sleep", "600"], cpu=0.05, memory=0.1)])).encode()
    names = [f"m-{n}" for n in range(count)]
    begun = time.perf_counter()
    for name in names:
        status, said = connection.ask("PUT", f"{berth.group_path(name)}?api-version={API}", body)
        if status != 201:
            raise AssertionError(f"{status} {said[:300]}")
    for name in names:  # the last to run ends it, in whatever order they come
        berth.wait_state(name, "Running", 60)
    took = (time.perf_counter() - begun) * 1000
    say(f"{count} groups at once: the last runs after {took:.0f} ms")
    for name in names:
        berth.delete(name)
    return took


def measure(rounds, quick):
    del rounds  # each group is a round
    count, many = (10, 40) if quick else (50, 200)
    mine, pods, floor = [], [], []
    with Berth(daemon={"tls": OVER_TLS}, agent={"memory_mib": ROOMY_MIB}) as berth:
        podman, crun = Podman(berth.folder, berth.archive), Crun(berth.folder)
        try:
            connection = connect(berth.daemon)
            for turn in range(-2, count):  # the first two warm all sides
                one = ours_ms(berth, connection, f"s-{turn + 2}")
                two = podman.start_ms(f"p{turn + 2}") if turn % 5 == 0 or turn < 0 else None
                three = crun.start_ms(f"c{turn + 2}")
                time.sleep(0.1)
                if turn >= 0:
                    mine.append(one)
                    floor.append(three)
                    pods += [two] if two else []
                    say(f"{turn + 1}/{count} berth {one:.1f} ms, crun {three:.1f} ms"
                        + (f", podman {two:.0f} ms" if two else ""))
            together = at_once_ms(berth, connection, many)
        finally:
            podman.close()
    bare = unprepared_ms(count)
    value, other = statistics.median(mine), statistics.median(pods)
    return {"unit": "ms", "value": round(value, 1), "peer": {"name": "podman 4.3 pod create + run", "value": round(other, 1)},
            "ratio": round(other / value, 2), "groups": count, "p50_ms": round(value, 1),
            "p90_ms": round(percentile(mine, 0.90), 1), "p99_ms": round(percentile(mine, 0.99), 1),
            "min_ms": round(min(mine), 1), "unprepared_p50_ms": round(statistics.median(bare), 1),
            "at_once": many, "last_of_them_ms": round(together),
            "crun_p50_ms": round(statistics.median(floor), 1),
            "crun_p99_ms": round(percentile(floor, 0.99), 1)}
