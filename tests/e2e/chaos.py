#!/usr/bin/env python3
"""Kills berthd and berth-agent at random moments while groups come and go, then counts.

    tests/e2e/chaos.py [--kills 100] [--seed N]

What must hold afterwards: every acknowledged group is there and runs exactly once (one process now, one start in its
log, and one in that of its init container where it has one); every acknowledged delete is done; the metered seconds of
each group are the seconds its process was seen, with a tolerance of one second at each end, without gap or overlap."""
import argparse
import calendar
import http.client
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import tap  # noqa: E402
from berth import Berth, container, group, marked_processes, wait  # noqa: E402

GOES_ON = 'trap "exit 0" TERM; echo started; while :; do sleep 1 & wait $!; done'
BEGINS = "echo began; sleep 0.2"
LIVING_MAX = 24
TOLERANCE_S = 1.0


class Watcher(threading.Thread):
    """Sees which marked processes there are, twenty times a second: a second witness for starts and seconds."""

    def __init__(self):
        super().__init__(daemon=True)
        self.first, self.last, self.most, self.pids = {}, {}, {}, {}
        self.going = True

    def run(self):
        while self.going:
            now = time.time()
            for mark, pids in marked_processes("chaos-").items():
                self.first.setdefault(mark, now)
                self.last[mark] = now
                self.most[mark] = max(self.most.get(mark, 0), len(pids))
                self.pids.setdefault(mark, set()).update(pids)
            time.sleep(max(0.0, 0.05 - (time.time() - now)))


def has_init(name):
    """Every third group has an init container."""
    return int(name[-4:]) % 3 == 0


class Load(threading.Thread):
    """Creates and deletes groups, remembering what was acknowledged and what was left open by a broken connection."""

    def __init__(self, berth, seed):
        super().__init__(daemon=True)
        self.berth, self.dice = berth, random.Random(seed)
        self.there, self.gone, self.unsure = set(), set(), set()
        self.count, self.refused, self.put_at = 0, 0, {}
        self.going = True

    def run(self):
        while self.going:
            try:
                if len(self.there) < LIVING_MAX and self.dice.random() < 0.6:
                    self.create()
                elif self.there:
                    self.delete(self.dice.choice(sorted(self.there)))
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(self.dice.uniform(0.01, 0.12))

    def create(self):
        self.count += 1
        name = f"chaos-{self.count:04}"
        init = {"name": "first", "properties": {"image": self.berth.image, "command": ["sh", "-c", BEGINS]}}
        body = group([container("c", self.berth.image, ["sh", "-c", GOES_ON, name])], initContainers=[init] * has_init(name))
        self.unsure.add(name)
        self.put_at[name] = time.time()
        status = self.berth.put(name, body).status
        if status == 201:
            self.unsure.discard(name)
            self.there.add(name)
        elif status < 500:
            self.unsure.discard(name)
            self.refused += 1

    def delete(self, name):
        self.there.discard(name)
        self.unsure.add(name)
        if self.berth.delete(name).status in (200, 204):
            self.unsure.discard(name)
            self.gone.add(name)


class Chaos:
    def __init__(self, berth, kills, seed):
        self.berth, self.kills, self.dice = berth, kills, random.Random(seed)
        self.watcher, self.load = Watcher(), Load(berth, seed + 1)

    def play(self):
        self.watcher.start()
        self.load.start()
        for _ in range(self.kills):
            time.sleep(self.dice.uniform(0.0, 0.8))
            victims = self.dice.choice([["daemon"], ["agent"], ["daemon"], ["agent"], ["daemon", "agent"]])
            for victim in victims:
                getattr(self.berth, victim).kill()
            time.sleep(self.dice.uniform(0.0, 0.3))
            for victim in victims:
                getattr(self.berth, victim).start(ready=False)
        self.load.going = False
        self.load.join(60)
        self.berth.daemon.wait_ready()
        self.settle()

    def settle(self):
        """Until everything that was asked for has happened."""
        load = self.load
        for name in sorted(load.unsure):  # a broken connection leaves it open: either is right, but only one of them
            (load.there if self.berth.request("GET", name).status == 200 else load.gone).add(name)
        for name in sorted(load.there):
            self.berth.wait_state(name, "Running", 90)
        wait("what was deleted has ended", lambda: not load.gone & set(marked_processes("chaos-")), 60)
        time.sleep(2.5)  # one more report each way
        self.watcher.going = False
        self.watcher.join()


def faults_of_starts(chaos):
    for name in sorted(chaos.load.there):
        said = chaos.berth.logs_of_two(name, "c").count("started")
        now = len(marked_processes(name).get(name, ()))
        if (said, now, chaos.berth.view(name, "c")["restartCount"]) != (1, 1, 0):
            yield f"{name}: {said} starts in its log, {now} processes now"
        began = chaos.berth.logs_of_two(name, "first").count("began")
        if began != has_init(name):
            yield f"{name}: its init container ran {began} times"
    for name, most in chaos.watcher.most.items():
        if most > 1:
            yield f"{name}: {most} processes at once"
        if len(chaos.watcher.pids[name]) > 1:
            yield f"{name}: started {len(chaos.watcher.pids[name])} times: {sorted(chaos.watcher.pids[name])}"


def faults_of_usage(chaos):
    for name in sorted(chaos.load.there | chaos.load.gone):
        now = time.time()
        intervals = sorted(chaos.berth.usage(name)["value"], key=lambda i: i["from"])
        for one, other in zip(intervals, intervals[1:]):
            if other["from"] < one["to"]:
                yield f"{name}: intervals overlap: {intervals}"
        if name not in chaos.watcher.first:
            continue  # never seen running: deleted before it began, or within a twentieth of a second
        seen_from, seen_to = chaos.watcher.first[name], chaos.watcher.last[name]
        # A pull that its agent did not live to end is a piece of its own (docs/adr/0017); what ran is one piece.
        if intervals and intervals[-1]["from"] > seen_from + TOLERANCE_S:
            yield f"{name}: seen from {seen_from:.2f}, and told in pieces after it: {intervals}"
        if not intervals:
            if seen_to - seen_from > 2 * TOLERANCE_S:
                yield f"{name}: ran {seen_to - seen_from:.1f} s and nothing was metered"
            continue
        living = name in chaos.load.there
        begin, end = intervals[0]["from"], intervals[-1]["to"]
        # Held from the pull, which is after the PUT and before the first instruction, kills in between or not.
        if not chaos.load.put_at[name] - TOLERANCE_S <= begin <= seen_from + TOLERANCE_S:
            yield f"{name}: metered from {begin}, put at {chaos.load.put_at[name]:.2f}, seen from {seen_from:.2f}"
        pulled = pull_second(chaos.berth, name) if living else begin
        if begin > pulled + TOLERANCE_S:
            yield f"{name}: metered from {begin}, pulled at {pulled}"
        wanted = now if living else seen_to
        late = 4.0 if living else 1 + TOLERANCE_S
        if not wanted - late <= end <= wanted + 1 + TOLERANCE_S:
            yield f"{name}: metered to {end}, {'now' if living else 'seen to'} {wanted:.2f}"


def pull_second(berth, name):
    """When its first pull began, by its own event."""
    first = min(e["firstTimestamp"] for e in berth.view(name, "c")["events"] if e["name"] == "Pulling")
    return calendar.timegm(time.strptime(first[:19], "%Y-%m-%dT%H:%M:%S"))


def check(report, sentence, faults):
    faults = list(faults)
    report.result(not faults, sentence, "\n".join(faults[:20]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    options = parser.parse_args()
    report = tap.Tap()
    with Berth() as berth:
        chaos = Chaos(berth, options.kills, options.seed)
        begun = time.monotonic()
        try:
            chaos.play()
        except Exception as fault:  # what follows still says what held
            report.result(False, f"seed {options.seed}: everything settles", f"{type(fault).__name__}: {fault}")
        load = chaos.load
        print(f"# seed {options.seed}: {options.kills} kills in {time.monotonic() - begun:.0f} s; {load.count} groups put, "
              f"{len(load.there)} living, {len(load.gone)} deleted, {load.refused} refused", flush=True)
        missing = (n for n in sorted(load.there) if berth.request("GET", n).status != 200)
        check(report, "every acknowledged group is there", missing)
        check(report, "every acknowledged delete is done",
              (n for n in sorted(load.gone) if berth.request("GET", n).status != 404))
        check(report, "each group runs exactly once", faults_of_starts(chaos))
        check(report, "usage is what was seen, without gap or overlap", faults_of_usage(chaos))
        for name in sorted(load.there):
            berth.delete(name)
        for name in sorted(load.there):
            berth.wait_gone(name)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
