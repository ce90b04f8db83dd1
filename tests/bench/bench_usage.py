"""Seconds of usage that the plane takes for good: nodes of a hundred groups report over the agents' protocol, each answer after a
sync, and in every tenth report a group ends and runs again: they live a quarter of an hour. (`restless`: in every report, two
minutes.) Beside it VictoriaMetrics, which gets a line for each group and second and does not sync. Then pages of a history of a million intervals, by the store alone (store_usage.c)."""
import concurrent.futures
import itertools
import json
import os
import statistics
import subprocess
import threading
import time

from berth import API, LOCATION, PROVIDER, SUBSCRIPTION, Daemon, Process, container, free_port, group, wait
from measure import Connection, folder, say, spread, wrk

GROUPS_EACH, PUTTERS, LINES = 100, 4, 10000
CONNECTIONS = 128  # a node has one of its own; none of them sends before its last report was answered
RG = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"


class Region:
    """A berthd whose nodes are full: every group is on its node and held since `began`."""

    def __init__(self, path, nodes):
        self.path = path
        self.daemon = Daemon(path, beat_ms=60000, fence_ms=3600000, lost_ms=7200000)  # nobody is lost meanwhile
        try:
            self.fill(nodes)
        except BaseException:
            self.daemon.stop()
            raise

    def fill(self, nodes):
        self.daemon.client().request("PUT", f"{RG}?api-version=2021-04-01", {"location": LOCATION}).expect(201)
        joined = [self.join(number) for number in range(nodes)]
        with concurrent.futures.ThreadPoolExecutor(PUTTERS) as pool:
            list(pool.map(lambda first: self.put(first, nodes * GROUPS_EACH), range(PUTTERS)))
        self.began = int(time.time())
        with concurrent.futures.ThreadPoolExecutor(PUTTERS) as pool:
            self.nodes = list(pool.map(self.take, joined))
        with open(f"{self.path}/nodes", "w", encoding="utf-8") as out:
            out.writelines(f"{node} {credential} 1 {' '.join(uids)}\n" for node, credential, uids in self.nodes)

    def join(self, number):
        link = Connection(self.daemon.port, f"Authorization: Bearer {self.daemon.join_token}\r\nContent-Type: application/json\r\n")
        status, said = link.ask("POST", "/v1/agent/join", json.dumps({
            "name": f"n{number}", "bootId": "b", "location": LOCATION, "os": "Linux", "architecture": "amd64", "address": "127.0.0.1",
            "version": "0", "capacity": {"cpuMilli": 100 * GROUPS_EACH, "memoryMib": 110 * GROUPS_EACH}}).encode())
        link.close()
        if status not in (200, 201):
            raise AssertionError(f"{status} {said[:300]}")
        return json.loads(said)["nodeId"], json.loads(said)["credential"]

    def put(self, first, count):
        body = json.dumps(group([container("c", "registry.example/web:1")])).encode()
        link = Connection(self.daemon.port, f"Authorization: Bearer {self.daemon.token}\r\nContent-Type: application/json\r\n")
        for name in range(first, count, PUTTERS):
            status, said = link.ask("PUT", f"{RG}/{PROVIDER}/containerGroups/g-{name:06}?api-version={API}", body)
            if status != 201:
                raise AssertionError(f"{status} {said[:300]}")
        link.close()

    def take(self, joined):
        """Its groups, once all are placed; the first report says that they are held."""
        node, credential = joined
        link = Connection(self.daemon.port, f"Authorization: Bearer {credential}\r\nBerth-Node: {node}\r\nContent-Type: application/json\r\n")

        def placed():
            uids, after, told = [], 0, {"complete": False}
            while not told["complete"]:
                told = json.loads(link.ask("GET", f"/v1/agent/desired?epoch=1&after={after}")[1])
                uids, after = uids + [one["uid"] for one in told.get("assignments", [])], told["revision"]
            return uids if len(uids) == GROUPS_EACH else None
        uids = wait("its groups are placed", placed, 60)
        intervals = [{"uid": uid, "incarnation": 1, "from": self.began, "to": 0, "cpuMilli": 100, "memoryMib": 103, "gpus": 0,
                      "priceClass": 0} for uid in uids]
        status, said = link.ask("POST", "/v1/agent/report", json.dumps(
            {"epoch": 1, "sequence": 1, "watermark": self.began, "intervals": intervals}).encode())
        link.close()
        if status != 200:
            raise AssertionError(f"{status} {said[:300]}")
        return node, credential, uids

    def load(self, seconds, churn):
        found = wrk(self.daemon.url, "usage.lua", seconds, {
            "NODES": f"{self.path}/nodes", "SECOND": str(self.began), "BEGAN": str(self.began), "CHURN": str(churn)}, min(CONNECTIONS, len(self.nodes) // 2))
        if found["refused"] or found["errors"]:
            raise AssertionError(f"berthd refused some: {found}")
        found["group_seconds"] = found["rate"] * GROUPS_EACH
        return found


def held(daemon):
    """Group-seconds in the ledger, from all its pages."""
    link = Connection(daemon.port, f"Authorization: Bearer {daemon.token}\r\n")
    path, seconds, names = f"/v1/usage?group={RG.rsplit('/', 2)[0]}&$top=1000&to=99999999999", 0, set()
    while path:
        page = json.loads(link.ask("GET", path)[1])
        seconds += sum(one["seconds"] for one in page["value"])
        names |= {(one["uid"], one["incarnation"]) for one in page["value"]}
        path = page["nextLink"].removeprefix(daemon.url) if "nextLink" in page else None
    link.close()
    return seconds, len(names)


def ours(path, nodes, seconds, churn):
    """A region of its own, so that each run begins with the same."""
    region = Region(path, nodes)
    try:
        found = region.load(seconds, churn)
        total, intervals = held(region.daemon)
        reports = found["count"]
        # Each report is one second of its node's groups; those under way at the end may be in the ledger and not in the count.
        if not reports * GROUPS_EACH <= total <= (reports + 2 * CONNECTIONS) * GROUPS_EACH:
            raise AssertionError(f"{reports} reports made {total} group-seconds")
        return {**found, "intervals": intervals}
    finally:
        region.daemon.stop()


# ---- the peer ----

def bodies(series, count):
    """Requests of 10,000 lines; a group's seconds follow each other."""
    names = [f"use,group=g{number:06} cpu=100i,memory=103i" for number in range(series)]
    lines = itertools.count()
    begun = int(time.time())
    made = []
    for _ in range(count):
        part = []
        for _ in range(LINES):
            at = next(lines)
            part.append(f"{names[at % series]} {(begun + at // series) * 10 ** 9}")
        made.append("\n".join(part).encode())
    return made


def theirs(path, series, seconds):
    port = free_port()
    peer = Process(["victoria-metrics", "-storageDataPath", f"{path}/vm", "-httpListenAddr", f"127.0.0.1:{port}", "-loggerLevel", "ERROR",
                    "-retentionPeriod", "1"], f"{path}/vm.log")
    try:
        wait("VictoriaMetrics answers", lambda: health(port), 20)
        made = bodies(series, 100)
        sent, until = [0, 0], time.monotonic() + seconds

        def send(which):
            link = Connection(port)
            for body in itertools.cycle(made[which::2]):
                if time.monotonic() > until:
                    break
                status, said = link.ask("POST", "/write", body)
                if status != 204:
                    raise AssertionError(f"{status} {said[:300]}")
                sent[which] += LINES
            link.close()
        begun = time.monotonic()
        senders = [threading.Thread(target=send, args=(which,)) for which in (0, 1)]
        for one in senders:
            one.start()
        for one in senders:
            one.join()
        return {"group_seconds": sum(sent) / (time.monotonic() - begun)}
    finally:
        peer.stop()


def health(port):
    try:
        link = Connection(port)
        good = link.ask("GET", "/health")[0] == 200
        link.close()
        return good
    except OSError:
        return False


def pages(quick):
    program = os.path.join(os.environ["BERTH_BUILD"], "tests/bench/bench_store_usage")
    with folder() as path:
        done = subprocess.run([program, path, "100000" if quick else "1000000"], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def measure(rounds, quick):
    nodes, seconds = (100, 2) if quick else (300, 6)
    usual, restless, peer = [], [], []
    for turn in range(rounds):
        for side, churn in ((usual, 10), (restless, 1)):
            with folder() as path:
                side.append(ours(path, nodes, seconds, churn))
        with folder() as path:
            peer.append(theirs(path, nodes * GROUPS_EACH, seconds))
        say(f"{turn + 1}/{rounds} berthd: {usual[-1]} restless: {restless[-1]} VictoriaMetrics: {peer[-1]}")
    value = statistics.median(one["group_seconds"] for one in usual)
    other = statistics.median(one["group_seconds"] for one in peer)
    return {"unit": "group-seconds/s", "value": round(value),
            "peer": {"name": "VictoriaMetrics 1.79, a line for each, not synced", "value": round(other)}, "ratio": round(value / other, 2),
            "nodes": nodes, "groups": nodes * GROUPS_EACH, "reports_s": round(value / GROUPS_EACH),
            "restless": round(statistics.median(one["group_seconds"] for one in restless)),
            "p50_ms": round(statistics.median(one["p50_ms"] for one in usual), 2),
            "p99_ms": round(statistics.median(one["p99_ms"] for one in usual), 2),
            "rounds": spread([one["group_seconds"] for one in usual], 0), "pages": pages(quick)}
