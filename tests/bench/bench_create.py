"""Durable creates over HTTP: 2 KiB bodies, 32 connections, every one a new name, the load on the same cores."""
import base64
import statistics

from berth import API, LOCATION, PROVIDER, SUBSCRIPTION, Daemon
from fake_node import FakeNode
from measure import OVER_TLS, Etcd, bearer, folder, group_body, say, spread, wrk


def ours(path, seconds):
    """A berthd with one node large enough for all: they are placed there as they are made."""
    daemon = Daemon(path, tls=OVER_TLS)
    try:
        rg = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
        daemon.client().request("PUT", f"{rg}?api-version=2021-04-01", {"location": LOCATION}).expect(201)
        node = FakeNode(daemon.url, daemon.join_token, "bench", 10 ** 9, 10 ** 9, LOCATION, follows=False, ca=daemon.ca)
        found = wrk(daemon.url, "create.lua", seconds, {
            "METHOD": "PUT", "BODY": group_body(LOCATION), "TOKEN": bearer(daemon), "PREFIX": "g-",
            "URL_PATH": f"{rg}/{PROVIDER}/containerGroups/NAME?api-version={API}"})
        node.stop()
    finally:
        daemon.stop()
    if found["refused"] or found["errors"]:
        raise AssertionError(f"berthd refused some: {found}")
    return found


def theirs(path, seconds):
    etcd = Etcd(path)
    try:
        value = base64.b64encode(group_body(LOCATION).encode()).decode()
        return wrk(etcd.url, "create.lua", seconds, {
            "METHOD": "POST", "URL_PATH": "/v3/kv/put", "NAME_IN_BODY": "1", "PREFIX": "g-xx",
            "BODY": f'{{"key":"NAME","value":"{value}"}}'})
    finally:
        etcd.stop()


def measure(rounds, quick):
    seconds = 2 if quick else 6
    found = {ours: [], theirs: []}
    for turn in range(rounds):
        for side in (ours, theirs):
            with folder() as path:
                found[side].append(side(path, seconds))
                say(f"{turn + 1}/{rounds} {'berthd' if side is ours else 'etcd'}: {found[side][-1]}")
    mine, peer = ([one["rate"] for one in found[side]] for side in (ours, theirs))
    value, other = statistics.median(mine), statistics.median(peer)
    return {"unit": "creates/s", "value": round(value), "peer": {"name": "etcd 3.4 JSON gateway", "value": round(other)},
            "ratio": round(value / other, 2), "connections": 32, "body_bytes": len(group_body(LOCATION)),
            "p50_ms": round(statistics.median(o["p50_ms"] for o in found[ours]), 2),
            "p99_ms": round(statistics.median(o["p99_ms"] for o in found[ours]), 2),
            "peer_p50_ms": round(statistics.median(o["p50_ms"] for o in found[theirs]), 2),
            "peer_p99_ms": round(statistics.median(o["p99_ms"] for o in found[theirs]), 2),
            "rounds": spread(mine, 0), "peer_rounds": spread(peer, 0)}
