#!/usr/bin/env python3
"""Sends mutated requests and watches what must always hold.

    tests/clients/mutate.py [--count 100000] [--seed N] [--only CASE]

Whatever is sent: an answer within 5 s; never a 5xx, but for 501 that names a field; refusals in ARM's form; and what was
accepted can be shown, is listed, and can be deleted, after which it is gone. At the end nothing is left, berthd lives and
ends cleanly. A failing case is made smaller before it is printed; --seed and --only play it again."""
import argparse
import contextlib
import copy
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE] + [os.path.join(os.path.dirname(HERE), folder) for folder in ("", "api", "e2e")]
import berth  # noqa: E402
import examples  # noqa: E402
import fake_node  # noqa: E402
import mutations  # noqa: E402
from prober import HEADS, Prober  # noqa: E402
import swagger  # noqa: E402
import tap  # noqa: E402
import wire  # noqa: E402

COUNT, WORKERS, FAILURES_MAX = 4000, 4, 10
MEMORY_MAX = 3 << 30
GROUPS = ("rg", "x" * 90)
LISTS = [f"/subscriptions/{berth.SUBSCRIPTION}/{berth.PROVIDER}/containerGroups"] + [
    f"/subscriptions/{berth.SUBSCRIPTION}/resourceGroups/{name}/{berth.PROVIDER}/containerGroups" for name in GROUPS]


def own_specs():
    """Groups that are accepted as they are, together using all that is run."""
    one = berth.container("web", "busybox", ["sh", "-c", "exec httpd -f"], cpu=0.5, memory=0.3, ports=[{"port": 80, "protocol": "TCP"}],
                          environmentVariables=[{"name": "A", "value": "1"}, {"name": "B", "secureValue": "hush"}],
                          volumeMounts=[{"name": "empty", "mountPath": "/data", "readOnly": True}])
    one["properties"]["resources"]["limits"] = {"cpu": 0.5, "memoryInGB": 0.3}
    two = berth.container("side", "registry.example:5000/team/side:1.2")
    whole = berth.group([one, two], "OnFailure", ports=(80, 8080), volumes=[{"name": "empty", "emptyDir": {}}],
                        imageRegistryCredentials=[{"server": "registry.example:5000", "username": "u", "password": "hush"}],
                        sku="Standard", priority="Regular")
    whole["tags"] = {"team": "a", "Ünï": "ö"}
    return [berth.group([berth.container("c", "busybox")], policy) for policy in ("Always", "Never")] + [whole] * 3 + [
        berth.group([berth.container(f"c{n}", "busybox", ["exit", str(n)], cpu=0.01) for n in range(60)], "Never")]


class Case:
    """A request: a document, and the mutations done to it, each with dice of its own."""

    def __init__(self, bases, seed, number):
        dice = random.Random(f"{seed}/{number}")
        self.number, self.bases, self.base = number, bases, dice.randrange(len(bases))
        self.place = dice.choice([berth.QUEUE_LOCATION] * 4 + [berth.LOCATION])
        kinds = dice.choices([mutations.OF_THE_TREE, mutations.OF_THE_BODY, mutations.OF_THE_HEAD], (70, 8, 22),
                             k=dice.choice([0, 1, 1, 1, 2, 2, 3, 6]))
        self.steps = [(dice.choice(kind), dice.getrandbits(64)) for kind in kinds]

    def draft(self, name, token, host):
        tree = copy.deepcopy(self.bases[self.base])
        tree["location"] = self.place
        draft = mutations.Draft(tree, name, token, host)
        for mutate, seed in self.steps:
            mutate(draft, random.Random(seed))
        return draft

    def without(self, index):
        smaller = copy.copy(self)
        smaller.steps = self.steps[:index] + self.steps[index + 1:]
        return smaller

    def has_odd_head(self):
        return any(mutate.__name__ in HEADS for mutate, _ in self.steps)

    def told(self):
        return ", ".join(mutate.__name__ for mutate, _ in self.steps) or "nothing changed"


class Campaign:
    """All cases over some connections, and the failures made small."""

    def __init__(self, daemon, seed):
        self.daemon, self.seed, self.swaggers = daemon, seed, swagger.Swaggers()
        puts = [one.body() for one in examples.read(self.swaggers)
                if one.method == "put" and "/containerGroups/" in one.path]
        self.bases = own_specs() * 2 + puts + [self.made_acceptable(body) for body in puts] * 2
        self.failures, self.kinds, self.lock, self.next, self.names = [], {}, threading.Lock(), 0, 0
        self.probers = []

    def made_acceptable(self, body):
        """The document without what is refused or not run."""
        prober, made = Prober(self.daemon, self.swaggers), {**copy.deepcopy(body), "location": berth.QUEUE_LOCATION}
        target = f"{LISTS[1]}/base?api-version={berth.API}"
        for _ in range(20):
            reply, _ = prober.ask("PUT", target, json.dumps(made).encode())
            if reply.status not in (400, 501):
                break
            for code, field in sorted(examples.problems(reply), reverse=True):
                examples.repair(made, code, field)
        prober.ask("DELETE", target)
        return made if reply.status in (200, 201) else own_specs()[0]

    def name(self):
        with self.lock:
            self.names += 1
            return f"m{self.names}"

    def take(self, count):
        with self.lock:
            self.next += 1
            return self.next if self.next <= count and len(self.failures) < FAILURES_MAX else None

    def prober(self):
        prober = Prober(self.daemon, self.swaggers)
        self.probers.append(prober)
        return prober

    def attempt(self, prober, case):
        prober.last = None
        try:
            said = prober.play(case, self.name())
        except (OSError, wire.Hang, wire.NoAnswer, AssertionError, ValueError, MemoryError) as fault:
            said = f"{type(fault).__name__}: {fault}"
        if said:
            prober.remove()
        return said

    def work(self, count):
        prober = self.prober()
        while number := self.take(count):
            case = Case(self.bases, self.seed, number)
            said = self.attempt(prober, case)
            if said and self.is_new(said):
                self.failures.append((number, self.smaller(prober, case), said))

    def is_new(self, said):
        """Whether no failure of its kind was seen; they are counted."""
        kind = re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "…", said)[:120]
        with self.lock:
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            return self.kinds[kind] == 1

    def smaller(self, prober, case):
        """The case with as few mutations as still make it fail; the words are its last ones."""
        going = self.daemon.process.alive()
        while going:
            going = False
            for index in range(len(case.steps)):
                less = case.without(index)
                if self.attempt(prober, less):
                    case, going = less, self.daemon.process.alive()
                    break
        return case

    def run(self, count, only=None):
        if only:
            self.next, count = only - 1, only
        threads = [threading.Thread(target=self.work, args=(count,)) for _ in range(1 if only else WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def described(self, failure):
        number, case, said = failure
        request = case.draft("m0", "TOKEN", "HOST").encode()
        return (f"case {number} (--seed {self.seed} --only {number}): {said}\n{case.told()}\n"
                f"{shortened(request.decode('utf-8', 'backslashreplace'))}")

    def told(self):
        statuses = {}
        for prober in self.probers:
            for status, times in prober.statuses.items():
                statuses[status] = statuses.get(status, 0) + times
        return ", ".join(f"{times} x {status}" for status, times in sorted(statuses.items()))

    @property
    def accepted(self):
        return sum(prober.accepted for prober in self.probers)


def shortened(text):
    lines = [line if len(line) < 3000 else f"{line[:1500]} …({len(line)} characters)… {line[-300:]}" for line in text.splitlines()]
    return "\n".join(lines if len(lines) < 60 else lines[:20] + [f"…({len(lines)} lines)…"] + lines[-20:])


@contextlib.contextmanager
def memory_limited():
    """A mutation that grows without end is a fault of this program, not of the machine."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def left_over(campaign):
    """Ids that any list still shows; a node that was told to remove one may take a moment."""
    prober = campaign.prober()
    return [one["id"] for path in LISTS for one in prober.whole_list(path)]


def measure(report, daemon, count, seed, only=None):
    for name in GROUPS:
        daemon.client().request("PUT", f"/subscriptions/{berth.SUBSCRIPTION}/resourceGroups/{name}?api-version=2021-04-01",
                                {"location": berth.LOCATION}).expect(200, 201)
    node = fake_node.FakeNode(daemon.url, daemon.join_token, "n1", 10**6, 10**6)
    campaign, begun = Campaign(daemon, seed), time.monotonic()
    with memory_limited():
        campaign.run(count, only)
    took = time.monotonic() - begun
    print(f"# seed {seed}; {campaign.names} requests in {took:.0f} s; {campaign.accepted} accepted; {campaign.told()}; "
          f"slowest {max(p.slowest_s for p in campaign.probers):.2f} s", flush=True)
    report.result(not campaign.failures, f"{count} mutated requests (seed {seed}): answered in form, shown, listed, removed",
                  "\n\n".join(map(campaign.described, campaign.failures)))
    report.result(bool(only) or campaign.accepted * 10 > count, f"enough of them are accepted ({campaign.accepted})")
    alive = daemon.process.alive()
    report.result(alive, "berthd lives", "" if alive else daemon.process.said()[-3000:])
    if alive:
        left = left_over(campaign)
        report.result(not left, "no list shows anything at the end", json.dumps(left[:20]))
    node.stop()


def run(report, count=COUNT, seed=None, only=None):
    folder = tempfile.mkdtemp(prefix="berth-mutate-")
    daemon = berth.Daemon(folder)
    try:
        measure(report, daemon, count, seed if seed is not None else random.SystemRandom().randrange(10**6), only)
    finally:
        status, said = daemon.stop(), daemon.sanitizer_report()
        report.result(status == 0 and not said, "berthd ends cleanly and no sanitizer speaks", said or f"exit status {status}")
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--only", type=int, help="one case by its number")
    asked = parser.parse_args()
    report = tap.Tap()
    run(report, asked.count, asked.seed, asked.only)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
