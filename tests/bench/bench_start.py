"""From the PUT until GET says Running, image present, one container; beside `ctr run -d` of containerd, `podman pod create`
+ `podman run`, and bare crun, which is the floor. One of each in turn. Then the same without anything prepared ahead, and
many groups at once: until the last one runs."""
import contextlib
import json
import statistics
import time

from berth import API, Berth, container, group
from measure import OVER_TLS, connect, percentile, say
from peers import Containerd, Crun, Podman

ROOMY_MIB = 65536  # to count with: many groups at once ask for more than they use


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


def in_turn_ms(berth, connection, count):
    """{who: [ms]}; the first two of each warm all sides, and are not counted."""
    took = {"berth": [], "containerd": [], "podman": [], "crun": []}
    with contextlib.ExitStack() as ends:
        podman, other = Podman(berth.folder, berth.archive), Containerd(berth.folder, berth.archive)
        ends.callback(podman.close)
        ends.callback(other.close)
        peers = {"containerd": other, "podman": podman, "crun": Crun(berth.folder)}
        for turn in range(count + 2):
            now = {"berth": ours_ms(berth, connection, f"s-{turn}")}
            for who, peer in peers.items():
                if who != "podman" or turn < 2 or turn % 5 == 0:  # it takes its time
                    now[who] = peer.start_ms(f"{who}{turn}")
            time.sleep(0.1)
            say(f"{turn - 1}/{count} " + ", ".join(f"{who} {ms:.1f} ms" for who, ms in now.items()))
            for who, ms in now.items():
                took[who] += [ms] if turn >= 2 else []
    return took


def measure(rounds, quick):
    del rounds  # each group is a round
    count, many = (10, 40) if quick else (50, 200)
    with Berth(daemon={"tls": OVER_TLS}, agent={"memory_mib": ROOMY_MIB}) as berth:
        connection = connect(berth.daemon)
        took = in_turn_ms(berth, connection, count)
        together = at_once_ms(berth, connection, many)
    bare = unprepared_ms(count)
    half = {who: round(statistics.median(ms), 1) for who, ms in took.items()}
    mine = took["berth"]
    return {"unit": "ms", "value": half["berth"], "peer": {"name": "containerd 1.6 ctr run -d", "value": half["containerd"]},
            "ratio": round(half["containerd"] / half["berth"], 2), "groups": count, "p50_ms": half["berth"],
            "p90_ms": round(percentile(mine, 0.90), 1), "p99_ms": round(percentile(mine, 0.99), 1),
            "min_ms": round(min(mine), 1), "unprepared_p50_ms": round(statistics.median(bare), 1),
            "at_once": many, "last_of_them_ms": round(together),
            **{f"{who}_p50_ms": half[who] for who in ("containerd", "podman", "crun")},
            **{f"{who}_p99_ms": round(percentile(took[who], 0.99), 1) for who in ("containerd", "crun")}}
