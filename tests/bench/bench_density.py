"""What a node's own programs hold in memory for 100 groups of one container, beside containerd's for as many containers
and Podman's for 10 pods of one: the manager, and for each container what stands beside the workload. Shared pages are
counted by shares (PSS)."""
import os
import time

from berth import Berth, container, group, wait
from measure import OVER_TLS, say
from peers import Containerd, Podman

GROUPS, PODS = 100, 10
SETTLE_S = 5  # the agent gives back what only the burst needed
IDLE = ["sh", "-c", 'trap "exit 0" TERM; while :; do sleep 600 & wait $!; done']


def pss_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as opened:
        return next(int(line.split()[1]) for line in opened if line.startswith("Pss:"))


def rss_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as opened:
        return next(int(line.split()[1]) for line in opened if line.startswith("VmRSS:"))


def monitors(program, mark):
    """Ids of processes of the program whose command line names `mark`."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/cmdline", "rb") as opened:
                    words = opened.read().split(b"\0")
            except OSError:
                continue
            if words[0].endswith(program.encode()) and any(mark.encode() in word for word in words):
                found.append(int(entry))
    return found


def sum_kib(pids):
    return sum(pss_kib(pid) for pid in pids)


def start_groups(berth, count):
    for n in range(count):
        body = group([container("c", berth.image, IDLE, cpu=0.01, memory=0.1)])
        berth.put(f"d-{n}", body).expect(201)
    for n in range(count):
        berth.wait_state(f"d-{n}", "Running", 60)
    time.sleep(SETTLE_S)


def berth_figures(berth, count):
    time.sleep(SETTLE_S)
    agent = berth.agent.process.pid
    before = rss_kib(agent)
    start_groups(berth, count)
    wait("each container has its conmon", lambda: len(monitors("conmon", berth.agent.run_dir)) == count, 20)
    time.sleep(2)  # a report, a tick
    after, beside = rss_kib(agent), sum_kib(monitors("conmon", berth.agent.run_dir))
    say(f"agent {before} KiB with none, {after} KiB with {count} groups; conmon {beside / count:.0f} KiB each")
    return {"agent_kib": after, "agent_empty_kib": before, "beside_each_kib": round(beside / count)}


def containerd_figures(berth, count):
    """A shim for each container, and the daemon."""
    containerd = Containerd(berth.folder, berth.archive)
    try:
        for n in range(count):
            containerd.run(f"c{n}", *IDLE)
        time.sleep(2)
        daemon, beside = rss_kib(containerd.process.pid), sum_kib(monitors("containerd-shim-runc-v2", containerd.socket))
        say(f"containerd {daemon} KiB with {count} containers; shim {beside / count:.0f} KiB each")
        return {"containerd_kib": daemon, "containerd_beside_each_kib": round(beside / count)}
    finally:
        containerd.close()


def podman_figures(berth, count):
    """Each pod has a pause container, so two conmons and the pause itself stand beside one workload."""
    podman = Podman(berth.folder, berth.archive)
    try:
        for n in range(count):
            podman.call("pod", "create", "--name", f"p{n}", "--network", "none", "--infra-image", podman.image,
                        "--infra-command", "/bin/sleep 600")
            podman.call("run", "-d", "--pod", f"p{n}", podman.image, *IDLE)
        pids = monitors("conmon", podman.folder)
        pauses = infra_pids(podman)
        return {"beside_each_kib": round((sum_kib(pids) + sum_kib(pauses)) / count)}
    finally:
        podman.call("pod", "rm", "-f", "-a", "-t", "0")
        podman.close()


def infra_pids(podman):
    ids = podman.call("pod", "ps", "--format", "{{.InfraId}}").split()
    return [int(podman.call("inspect", "--format", "{{.State.Pid}}", one)) for one in ids]


def measure(rounds, quick):
    del rounds
    count, pods = (20, 2) if quick else (GROUPS, PODS)
    with Berth(daemon={"tls": OVER_TLS}) as berth:
        mine = berth_figures(berth, count)
        other = containerd_figures(berth, count)
        pod = podman_figures(berth, pods)["beside_each_kib"]
    value = mine["beside_each_kib"] + mine["agent_kib"] / count
    peer = other["containerd_beside_each_kib"] + other["containerd_kib"] / count
    return {"unit": "KiB for each group", "value": round(value), "groups": count, **mine,
            "peer": {"name": "containerd 1.6", "value": round(peer)}, "ratio": round(peer / value, 2), **other,
            "podman_beside_each_kib": pod}
