#!/usr/bin/env python3
"""What a machine does to its agent: another version in its place, a reboot, a full disk, a runtime that is gone, forks
that fail, a cgroup that is gone, a clock that is set, folders left behind. Each ends in a state with a reason, and heals
when the cause goes. As root; TAP.

    tests/e2e/tough.py [WORD]

The node's disk is a memory file system of its own, its runtime a copy, so that both can be taken away."""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import tap  # noqa: E402
import tough_faults  # noqa: E402
from berth import BUILD, Berth, container, group, wait  # noqa: E402

DISK_MIB = 192
LEFT_BEHIND = 1000
GOES_ON = 'trap "exit 0" TERM; echo started; while :; do sleep 1 & wait $!; done'


def going_on(berth, mark, policy="Always"):
    return group([container("c", berth.image, ["sh", "-c", GOES_ON, mark])], policy=policy)


def put_running(berth, name, policy="Always"):
    berth.put(name, going_on(berth, f"mark-{name}", policy)).expect(201)
    berth.wait_state(name, "Running")
    return berth.processes(f"mark-{name}")


def warnings(berth, name):
    """Every warning that people would read of this group, its own and its containers'."""
    found = berth.get(name)["properties"]
    events = list(found["instanceView"].get("events", ()))
    for one in found["containers"]:
        events += one["properties"].get("instanceView", {}).get("events", ())
    return [event["message"] for event in events if event["type"] == "Warning"]


def says(berth, name, *words):
    """Waits for a warning that has one of the words."""
    wait(f"{name} says why", lambda: any(w in m for m in warnings(berth, name) for w in words), 30)


# ---- the cases ----

def another_version_takes_over_what_runs(berth):
    before = put_running(berth, "upgraded")
    newer = os.path.join(berth.folder, "newer")
    shutil.copytree(os.path.join(BUILD, "node-agent"), newer, ignore=shutil.ignore_patterns("*.p", "*.a"))
    berth.agent.stop()
    older, berth.agent.argv[0] = berth.agent.argv[0], f"{newer}/berth-agent"
    berth.agent.start()
    assert berth.processes("mark-upgraded") == before
    wait("it answers for the container", lambda: berth.logs("upgraded", "c").count("started") == 1, 10)
    view = berth.view("upgraded", "c")
    assert view["restartCount"] == 0 and view["currentState"]["state"] == "Running", view
    wait("its seconds are told", lambda: bool(berth.usage("upgraded")["value"]), 10)
    assert len(berth.usage("upgraded")["value"]) == 1, berth.usage("upgraded")
    berth.agent.stop()
    berth.agent.argv[0] = older
    berth.agent.start()
    assert berth.processes("mark-upgraded") == before
    berth.delete("upgraded")
    berth.wait_gone("upgraded")


def processes_below(name):
    """Ids in the node's cgroups and of the programs that work in its folder of memory files."""
    found = set()
    for at, _, files in os.walk("/sys/fs/cgroup"):
        if f"/{name}" in at and "cgroup.procs" in files:
            with contextlib.suppress(OSError), open(f"{at}/cgroup.procs", encoding="utf-8") as opened:
                found |= {int(line) for line in opened}
    return found


def monitors(berth):
    found = set()
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{entry}/cmdline", "rb") as opened:
            if berth.agent.run_dir.encode() in opened.read():
                found.add(int(entry))
    return found


def end_everything(berth):
    """What a power cut does, but for what is on disk: no process, mount, link, rule, cgroup or memory file is left."""
    agent = berth.agent
    agent.kill()
    for _ in range(50):
        left = processes_below(agent.cgroup) | monitors(berth)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not left:
            break
        time.sleep(0.05)
    with open("/proc/self/mountinfo", encoding="utf-8") as opened:
        mounts = [line.split()[4] for line in opened]
    for at in reversed(mounts):
        if at.startswith((f"{agent.folder}/", f"{agent.run_dir}/")):
            subprocess.run(["umount", "-l", at], check=True, capture_output=True)
    subprocess.run(["umount", "-l", agent.run_dir], check=False, capture_output=True)
    shutil.rmtree(agent.run_dir, ignore_errors=True)
    for argv in (["ip", "link", "del", agent.bridge], ["nft", "delete", "table", "ip", f"berth_{agent.bridge}"]):
        subprocess.run(argv, check=False, capture_output=True)
    for at, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
        if f"/{agent.cgroup}" in at:
            os.rmdir(at)


@contextlib.contextmanager
def another_boot(berth):
    """The agent starts on what it must take for the same machine after a reboot: another boot id."""
    boot = os.path.join(berth.folder, "boot_id")
    with open(boot, "w", encoding="utf-8") as out:
        out.write(f"{uuid.uuid4()}\n")
    plain = berth.agent.argv
    inside = ("mount --make-rprivate /proc && mount --bind \"$0\" /proc/sys/kernel/random/boot_id && "
              "mount -t proc proc /proc/tty && shift 0 && exec \"$@\"")  # a whole one: groups see none where all are covered
    berth.agent.argv = ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", inside, boot, *plain]
    try:
        yield
    finally:
        berth.agent.argv = plain


def after_a_reboot_what_should_run_runs_and_nothing_else(berth):
    put_running(berth, "again")
    put_running(berth, "once", policy="Never")
    berth.put("done", group([container("c", berth.image, ["sh", "-c", "exit 0"])], policy="Never")).expect(201)
    berth.wait_state("done", "Succeeded")
    put_running(berth, "halted")
    berth.post("halted", "stop").expect(204)
    end_everything(berth)
    assert not berth.processes("mark-again")
    with another_boot(berth):
        berth.agent.start()
        wait("what goes on for ever runs again", lambda: len(berth.processes("mark-again")) == 1, 30)
        berth.wait_state("again", "Running")
        wait("what may run once has failed", lambda: berth.state("once") == "Failed", 30)
        assert not berth.processes("mark-once") and not berth.processes("mark-halted")
        assert berth.state("done") == "Succeeded" and berth.state("halted") == "Stopped"
        for name in ("again", "once", "done", "halted"):
            berth.delete(name)
        wait("it is gone", lambda: not berth.processes("mark-again"), 20)
        berth.wait_gone("again")
        end_everything(berth)
    berth.agent.start()
    put_running(berth, "after")
    berth.delete("after")


def put_both(berth, name):
    """One that goes on for ever and one that may run once: trouble of the node uses up no run."""
    for policy in ("Always", "Never"):
        berth.put(f"{name}-{policy.lower()}", going_on(berth, f"mark-{name}-{policy.lower()}", policy)).expect(201)


def both_say(berth, name, *words):
    for each in (f"{name}-always", f"{name}-never"):
        says(berth, each, *words)
        assert berth.state(each) in ("Pending", "Waiting"), berth.get(each)["properties"]["instanceView"]
    assert berth.agent.process.alive()


def both_run_and_go(berth, name):
    for each in (f"{name}-always", f"{name}-never"):
        berth.wait_state(each, "Running", 60)
        wait(f"{each} runs", lambda each=each: len(berth.processes(f"mark-{each}")) == 1, 10)
        assert berth.view(each, "c")["restartCount"] == 0, berth.view(each, "c")
        berth.delete(each)


def a_full_disk_is_told_and_heals(berth):
    filler = os.path.join(berth.agent.folder, "filler")
    with contextlib.suppress(OSError), open(filler, "wb") as out:
        while out.write(bytes(1 << 20)):
            out.flush()
    try:
        put_both(berth, "full")
        both_say(berth, "full", "No space left", "disk")
    finally:
        os.unlink(filler)
    both_run_and_go(berth, "full")


def a_runtime_that_is_gone_is_told_and_heals(berth):
    runtime = berth.runtime
    os.rename(runtime, f"{runtime}.away")
    try:
        put_both(berth, "no-runtime")
        both_say(berth, "no-runtime", "crun", "runtime")
    finally:
        os.rename(f"{runtime}.away", runtime)
    both_run_and_go(berth, "no-runtime")


@contextlib.contextmanager
def no_more_processes(pid):
    """A cgroup that lets the agent and what it starts have no process or thread more."""
    folder = f"/sys/fs/cgroup/pids/berth-test-forks-{pid}"
    os.mkdir(folder)
    try:
        with open(f"{folder}/cgroup.procs", "w", encoding="utf-8") as out:
            out.write(str(pid))
        with open(f"{folder}/pids.current", encoding="utf-8") as opened:
            now = opened.read()
        with open(f"{folder}/pids.max", "w", encoding="utf-8") as out:
            out.write(now)
        yield
    finally:
        with open(f"{folder}/pids.max", "w", encoding="utf-8") as out:
            out.write("max")


def empty_cgroup(pid):
    folder = f"/sys/fs/cgroup/pids/berth-test-forks-{pid}"
    with open(f"{folder}/cgroup.procs", encoding="utf-8") as opened:
        left = opened.read().split()
    for one in left:
        with contextlib.suppress(OSError), open("/sys/fs/cgroup/pids/cgroup.procs", "w", encoding="utf-8") as out:
            out.write(one)
    os.rmdir(folder)


def forks_that_fail_are_told_and_heal(berth):
    pid = berth.agent.process.pid
    with no_more_processes(pid):
        put_both(berth, "no-forks")
        both_say(berth, "no-forks", "Resource temporarily unavailable", "thread", "conmon", "cannot start")
    both_run_and_go(berth, "no-forks")
    berth.wait_gone("no-forks-always")
    berth.wait_gone("no-forks-never")
    empty_cgroup(pid)


def a_cgroup_that_is_gone_is_made_again(berth):
    put_running(berth, "bare")
    for _ in range(50):
        for pid in processes_below(berth.agent.cgroup):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not processes_below(berth.agent.cgroup):
            break
    for at, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
        if f"/{berth.agent.cgroup}/" in at:
            with contextlib.suppress(OSError):
                os.rmdir(at)
    wait("it runs again", lambda: len(berth.processes("mark-bare")) == 1, 60)
    berth.wait_state("bare", "Running", 30)
    berth.delete("bare")
    berth.wait_gone("bare")


def what_was_left_behind_is_removed(berth):
    """Groups that nobody knows: their folders, memory files, namespaces and cgroups, a thousand of each."""
    berth.agent.stop()
    agent, uids = berth.agent, [str(uuid.uuid4()) for _ in range(LEFT_BEHIND)]
    for uid in uids:
        os.makedirs(f"{agent.folder}/groups/{uid}/logs")
        os.makedirs(f"{agent.folder}/groups/{uid}/containers/c/upper")
        os.makedirs(f"{agent.run_dir}/ns/{uid}")
        os.makedirs(f"{agent.run_dir}/runtime/c/{uid}/c")
        os.makedirs(f"/sys/fs/cgroup/memory/{agent.cgroup}/{uid}")
    begun = time.monotonic()
    agent.start()
    put_running(berth, "beside")
    print(f"# ready beside {LEFT_BEHIND} leftovers after {time.monotonic() - begun:.1f} s", flush=True)

    def left():
        return sum(os.path.exists(path) for uid in uids for path in (
            f"{agent.folder}/groups/{uid}", f"{agent.run_dir}/ns/{uid}", f"{agent.run_dir}/runtime/c/{uid}",
            f"/sys/fs/cgroup/memory/{agent.cgroup}/{uid}"))
    wait("all of it is gone", lambda: left() == 0, 60, 0.5)
    berth.delete("beside")


def a_clock_that_is_set_changes_neither_runs_nor_bills(berth):
    """Wall time steps an hour ahead and two back under the agent; what it waits for and counts goes on by the second."""
    offset = os.path.join(berth.folder, "clock")

    def step(words):
        with open(offset, "w", encoding="utf-8") as out:
            out.write(f"{words}\n")
    step("+0")
    berth.agent.stop()
    berth.agent.env = {"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "FAKETIME_NO_CACHE": "1",
                       "FAKETIME_TIMESTAMP_FILE": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                       "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}
    berth.agent.start()
    before = put_running(berth, "timed")
    begun = time.monotonic()
    for words in ("+3600", "-3600", "+0"):
        step(words)
        time.sleep(2.5)
        assert berth.processes("mark-timed") == before
        assert berth.state("timed") == "Running"
    took = time.monotonic() - begun
    assert berth.view("timed", "c")["restartCount"] == 0
    berth.delete("timed").expect(200)

    def usage():  # the node counts on an hour ahead as long as somebody holds something: nobody pays a second twice
        asked = f"/v1/usage?group={berth.group_path('timed')}&to={int(time.time()) + 7200}"
        return berth.client.request("GET", asked).expect(200).json
    wait("its interval is closed", lambda: berth.closed(usage()), 20)
    seconds = berth.seconds(usage())
    assert took - 1 <= seconds <= took + 4, (seconds, took, usage())
    berth.agent.stop()
    berth.agent.env = None
    berth.agent.start()


CASES = [another_version_takes_over_what_runs, a_full_disk_is_told_and_heals, a_runtime_that_is_gone_is_told_and_heals,
         forks_that_fail_are_told_and_heal, a_cgroup_that_is_gone_is_made_again, what_was_left_behind_is_removed,
         *tough_faults.CASES, a_clock_that_is_set_changes_neither_runs_nor_bills, after_a_reboot_what_should_run_runs_and_nothing_else]


@contextlib.contextmanager
def small_disk():
    folder = tempfile.mkdtemp(prefix="berth-disk-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0700", "disk", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        os.rmdir(folder)


def main():
    words = [a for a in sys.argv[1:] if not a.startswith("-")]
    if "--help" in sys.argv:
        print(__doc__)
        return 0
    report = tap.Tap()
    with small_disk() as disk:
        shutil.copy(shutil.which("crun"), f"{disk}/crun")
        os.mkdir(f"{disk}/state", 0o700)
        with Berth(agent={"state_dir": f"{disk}/state", "runtime": f"{disk}/crun", "restart_backoff_ms": 500,
                          "restart_backoff_max_ms": 2000, "image_stall_ms": tough_faults.STALL_MS}) as berth:
            berth.runtime, berth.agent.folder = f"{disk}/crun", f"{disk}/state"
            for case in CASES:
                if not words or any(word in case.__name__ for word in words):
                    report.run(case, berth)
                    berth.clean()
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
