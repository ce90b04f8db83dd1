#!/usr/bin/env python3
"""Groups come and go, and the machine is as it was: what a node holds is counted before and after many cycles of create
and delete, several at a time. As root; TAP.

    tests/e2e/cycles.py --cycles 500

Counted: processes, mounts, links, namespaces, cgroups, packet rules, files of the agent's folders, descriptors and
threads of both programs, and what the agent holds in memory."""
import argparse
import concurrent.futures
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import tap  # noqa: E402
from berth import Berth, container, group, wait  # noqa: E402
from volume_servers import HttpServer, repository  # noqa: E402

AT_ONCE = 8
GROWN_KIB_MAX = 2048  # allocators keep some; 500 cycles that leak one page each would show
QUICK_TO_END = 'trap "exit 0" TERM; echo here; while :; do sleep 60 & wait $!; done'


VOLUMES = [{"emptyDir": {}}, {"emptyDir": {"sizeLimit": "4Mi"}}, {"emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}},
           {"secret": {"word": "c2VjcmV0"}}, {"gitRepo": {}}]
EXEC = {"exec": {"command": ["true"]}, "periodSeconds": 1}


def volumes_of(berth, n):
    """One of each five groups has each kind, every seventh has all."""
    kinds = VOLUMES if n % 7 == 0 else [VOLUMES[n % 5]] if n % 2 == 0 else []
    return [{"name": f"volume-{i}", **({"gitRepo": {"repository": berth.repository}} if "gitRepo" in kind else kind)}
            for i, kind in enumerate(kinds)]


def body(berth, n):
    """What a group has follows from its number: 3: two containers, 4: init containers, 5: ends by itself, 6: an
    identity, 8: probes; and volumes."""
    command = ["sh", "-c", "echo done" if n % 5 == 0 else QUICK_TO_END]
    volumes = volumes_of(berth, n)
    more = {"volumeMounts": [{"name": one["name"], "mountPath": f"/{one['name']}"} for one in volumes]}
    if n % 8 == 0 and n % 5:
        more |= {"livenessProbe": EXEC, "readinessProbe": EXEC}
    members = [container(name, berth.image, command, **more) for name in ("one", "two")[:2 if n % 3 == 0 else 1]]
    init = [{"name": f"first-{i}", "properties": {"image": berth.image, "command": ["true"]}} for i in range(n % 4 // 3 * 2)]
    asked = group(members, policy="Never" if n % 5 == 0 else "Always", ports=[8080], volumes=volumes, initContainers=init)
    return {**asked, "identity": {"type": "SystemAssigned"}} if n % 6 == 0 else asked


def ran(berth, name):
    wait(f"{name} ran", lambda: berth.state(name) in ("Running", "Succeeded"), 60)


def cycle(berth, n):
    """Every ninth group is restarted in the middle, every eleventh stopped and started, every thirteenth stopped only."""
    name = f"cycle-{n}"
    berth.put(name, body(berth, n)).expect(201)
    if n % 10 != 1:  # these are deleted at once
        ran(berth, name)
    for every, verbs in (9, ["restart"]), (11, ["stop", "start"]), (13, ["stop"]):
        for verb in verbs if n % every == 0 and n % 5 and n % 10 != 1 else ():
            wait(f"{verb} of {name}", lambda verb=verb: berth.post(name, verb).status in (202, 204), 30, 0.2)
    berth.delete(name).expect(200)
    berth.wait_gone(name, 60)


def play(berth, first, count):
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(cycle, berth, n) for n in range(first, first + count)]:
            done.result()


@contextlib.contextmanager
def served(folder):
    """The address of a repository that groups can clone."""
    bare, _ = repository(folder)
    with HttpServer(os.path.dirname(bare), "reader", "word") as server:
        yield f"http://reader:word@127.0.0.1:{server.port}/site.git"


def sanitized(program):
    with open(program, "rb") as opened:
        return b"__asan_init" in opened.read()


# ---- counting ----

def lines(argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout.splitlines()


def files_below(folder):
    return sum(len(folders) + len(files) for _, folders, files in os.walk(folder))


def processes_of(berth):
    found = 0
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as opened:
                found += berth.agent.run_dir.encode() in opened.read()
        except OSError:
            continue
    return found


def zombies_of(pid):
    found = 0
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as opened:
                fields = opened.read().rsplit(")", 1)[1].split()
            found += fields[0] == "Z" and int(fields[1]) == pid
        except OSError:
            continue
    return found


def cgroups_of(name):
    found = 0
    for at, folders, _ in os.walk("/sys/fs/cgroup"):
        if os.path.basename(at) == name:
            found += 1 + sum(len(inner) for _, inner, _ in os.walk(at))
            folders.clear()
    return found


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as opened:
        return next(int(line.split()[1]) for line in opened if line.startswith("VmRSS:"))


def held(berth):
    """Everything that must not grow, by name. Memory is looked at apart."""
    agent, daemon = berth.agent, berth.daemon
    with open("/proc/self/mountinfo", encoding="utf-8") as opened:
        mounted = [line for line in opened if f"{agent.folder}/" in line or f"{agent.run_dir}/" in line]
    found = {
        "processes": processes_of(berth),
        "zombies": zombies_of(agent.process.pid) + zombies_of(daemon.process.pid),
        "mounts": len(mounted),
        "links": len(lines(["ip", "-o", "link", "show", "master", agent.bridge])),
        "cgroups": cgroups_of(agent.cgroup),
        "packet rules": sum(agent.bridge.replace("-", "_") in table and len(lines(["nft", "list", *table.split()]))
                            for table in lines(["nft", "list", "tables"])),
        "elements": elements_of(agent.bridge),
        "loop devices": sum(agent.folder in line for line in lines(["losetup", "-ln", "-O", "BACK-FILE"])),
        "namespaces": sum(" nsfs " in line for line in mounted),
        "files in memory": files_below(agent.run_dir),
        "files of groups": files_below(f"{agent.folder}/groups"),
        "folders of groups": len(os.listdir(f"{agent.folder}/groups")) if os.path.isdir(f"{agent.folder}/groups") else 0,
    }
    for name, program in (("agent", agent), ("berthd", daemon)):
        found[f"descriptors of {name}"] = len(os.listdir(f"/proc/{program.process.pid}/fd"))
    return found


def elements_of(bridge):
    """Of all sets and maps of the node's tables."""
    found = json.loads("".join(lines(["nft", "-j", "list", "ruleset"])))["nftables"]
    return sum(len(one.get("elem", ())) for item in found for kind, one in item.items()
               if kind in ("set", "map") and one["table"] == f"berth_{bridge.replace('-', '_')}")


# The store keeps connections for as many readers as there were at once (STORE_READERS_MAX), each with two descriptors.
MAY_GROW = {"descriptors of berthd": 2 * 16}


def settled(berth, before):
    """What is held once it is no more than before, or after a while."""
    end = time.monotonic() + 30
    while True:
        now = held(berth)
        grown = {name: f"{before[name]}, then {now[name]}" for name in now
                 if now[name] > before[name] + MAY_GROW.get(name, 0)}
        if not grown or time.monotonic() > end:
            return grown
        time.sleep(0.5)


def steady(berth):
    """What is held when nothing changes any more: pools are full, workers are there."""
    last = None
    for _ in range(60):
        now = held(berth)
        if now == last:
            return now
        last = now
        time.sleep(1)
    return last


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=500)
    options = parser.parse_args()
    report = tap.Tap()
    with tempfile.TemporaryDirectory() as folder, Berth() as berth, served(folder) as berth.repository:
        play(berth, 0, 3 * AT_ONCE)  # threads, pools and caches come into being
        before, memory = steady(berth), resident_kib(berth.agent.process.pid)
        begun = time.monotonic()

        def groups_come_and_go():
            play(berth, 1000, options.cycles)
            print(f"# {options.cycles} cycles in {time.monotonic() - begun:.0f} s; held before: {before}", flush=True)

        def nothing_of_them_is_left():
            grown = settled(berth, before)
            assert not grown, grown

        def the_agent_has_not_grown():
            grown = resident_kib(berth.agent.process.pid) - memory
            print(f"# agent {memory} KiB, {grown:+d} KiB", flush=True)
            assert grown < GROWN_KIB_MAX, grown

        cases = [groups_come_and_go, nothing_of_them_is_left]
        if not sanitized(berth.agent.argv[0]):  # which keeps freed memory aside, and tells leaks itself when it ends
            cases.append(the_agent_has_not_grown)
        for case in cases:
            report.run(case)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
