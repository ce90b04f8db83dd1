"""An image of seven layers from a registry on loopback: from nothing to unpacked and running by Berth; to unpacked by
`podman pull`, by `ctr images pull`, and by `skopeo copy` with `tar` after it. Another image each round, each side in turn.
Memory is that of the programs that work for it, all of them together, at its height."""
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import threading
import time

from berth import API, Berth, container, group
from layered import Layered
from measure import OVER_TLS, connect, say, spread
from peers import Containerd, Podman

LOOK_S = 0.02


def below(pid):
    """The process and all that descend from it."""
    found = [pid]
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="utf-8") as opened:
                for child in opened.read().split():
                    found += below(int(child))
    except OSError:
        pass  # it ended meanwhile
    return found


def resident_kib(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", encoding="utf-8") as opened:
                total += int(opened.read().split()[1]) * 4
        except OSError:
            pass
    return total


class Height:
    """What the processes of `pids` and all below them hold, at its height, while the block goes on."""

    def __init__(self, *pids):
        self.pids, self.kib, self.over = list(pids), 0, threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.over.wait(LOOK_S):
            self.kib = max(self.kib, resident_kib(one for pid in self.pids for one in below(pid)))

    def run(self, *argv, env=None):
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=env) as child:
            self.pids.append(child.pid)
        if child.returncode:
            raise AssertionError(f"{argv[0]} ends with {child.returncode}")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *fault):
        self.over.set()
        self.thread.join()


class Ours:
    def __init__(self, berth):
        self.berth, self.pids = berth, [berth.agent.process.pid]

    def pull(self, image, height):
        del height  # the agent is looked at, and what it starts
        name = image.rsplit(":", 1)[1]
        path = f"{self.berth.group_path(name)}?api-version={API}"
        body = group([container("c", image, ["/bin/busybox", "sleep", "600"])])
        status, said = connect(self.berth.daemon).ask("PUT", path, json.dumps(body).encode())
        if status != 201:
            raise AssertionError(f"{status} {said[:300]}")
        self.berth.wait_state(name, "Running", 120)

    def forget(self, image):
        name = image.rsplit(":", 1)[1]
        self.berth.delete(name)
        self.berth.wait_gone(name)

    def close(self):
        pass


class ByPodman:
    pids = ()

    def __init__(self, berth):
        self.podman = Podman(berth.folder, berth.archive)

    def pull(self, image, height):
        height.run(*self.podman.base, "pull", "-q", "--tls-verify=false", "--signature-policy",
                   f"{self.podman.folder}/policy.json", f"docker://{image}", env=self.podman.env)

    def forget(self, image):
        self.podman.call("rmi", "-f", image)

    def close(self):
        self.podman.close()


class ByContainerd:
    def __init__(self, berth):
        self.containerd = Containerd(berth.folder, berth.archive)
        self.pids = [self.containerd.process.pid]

    def pull(self, image, height):
        height.run(*self.containerd.base, "images", "pull", "--plain-http", image)

    def forget(self, image):
        self.containerd.call("images", "rm", "--sync", image)

    def close(self):
        self.containerd.close()


class ByHand:
    """What a script would do: no store, nothing shared, nothing checked after the copy."""

    pids = ()

    def __init__(self, berth):
        self.folder = os.path.join(berth.folder, "by-hand")

    def pull(self, image, height):
        height.run("skopeo", "copy", "-q", "--insecure-policy", "--src-tls-verify=false", f"docker://{image}",
                   f"dir:{self.folder}")
        with open(f"{self.folder}/manifest.json", encoding="utf-8") as opened:
            layers = json.load(opened)["layers"]
        os.mkdir(f"{self.folder}/root")
        for layer in layers:
            height.run("tar", "-xzf", f"{self.folder}/{layer['digest'].split(':')[1]}", "-C", f"{self.folder}/root")

    def forget(self, image):
        del image
        shutil.rmtree(self.folder)

    def close(self):
        pass


SIDES = {"berth": Ours, "podman": ByPodman, "containerd": ByContainerd, "skopeo_tar": ByHand}


def one_round(berth, sides, number, size):
    """{who: (seconds, MiB)}, and the image."""
    folder, name, seen = os.path.join(berth.folder, "layered"), f"layered:r{number}", {}
    image = Layered(folder, number, *size)
    shown = berth.registry.push(f"oci:{folder}", name)
    shutil.rmtree(folder)
    os.sync()  # what was written for it is not waited for below
    for who, side in sides.items():
        with Height(*side.pids) as height:
            begun = time.perf_counter()
            side.pull(shown, height)
            took = time.perf_counter() - begun
        side.forget(shown)
        os.sync()
        seen[who] = (took, height.kib / 1024)
    say(f"round {number}: " + ", ".join(f"{who} {s:.2f} s {mib:.0f} MiB" for who, (s, mib) in seen.items()))
    return image, seen


def measure(rounds, quick):
    size = (2, 1000) if quick else (5, 6000)
    took = {who: [] for who in SIDES}
    with Berth(daemon={"tls": OVER_TLS}) as berth, contextlib.ExitStack() as ends:
        sides = {who: side(berth) for who, side in SIDES.items()}
        for side in sides.values():
            ends.callback(side.close)
        for number in range(rounds + 1):
            image, seen = one_round(berth, sides, number, size)
            for who, figures in seen.items():
                took[who] += [figures] if number else []  # the first warms all sides
    seconds = {who: statistics.median(s for s, _ in figures) for who, figures in took.items()}
    packed, unpacked = image.packed / 1e6, image.unpacked / 1e6
    return {"unit": "s", "value": round(seconds["berth"], 2), "peer": {"name": "podman 4.3 pull", "value": round(seconds["podman"], 2)},
            "ratio": round(seconds["podman"] / seconds["berth"], 2), "layers": len(image.layers),
            "packed_mb": round(packed, 1), "unpacked_mb": round(unpacked, 1), "rounds": rounds,
            "seconds": {who: spread([s for s, _ in figures], 2) for who, figures in took.items()},
            "mb_per_s": {who: round(unpacked / one) for who, one in seconds.items()},
            "peak_mib": {who: round(max(mib for _, mib in figures)) for who, figures in took.items()}}
