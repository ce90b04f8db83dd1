"""Listing 10,000 groups of 2 KiB: the first page, and all pages by nextLink, as bytes received by one client."""
import re
import statistics
import time

from berth import API, LOCATION, PROVIDER, SUBSCRIPTION, Daemon
from fake_node import FakeNode
from measure import OVER_TLS, Connection, Etcd, connect, etcd_put, folder, group_body, say, spread

LIST = f"/subscriptions/{SUBSCRIPTION}/{PROVIDER}/containerGroups?api-version={API}"


def fill(connection, method, path, body, count):
    for number in range(count):
        name = f"g-{number:06}"
        status, said = connection.ask(method, path.replace("NAME", name), body(name))
        if status not in (200, 201):
            raise AssertionError(f"{status} {said[:300]}")


def walk(connection, path, url):
    """(ms of the first page, ms of all, groups, pages, bytes)."""
    begun = time.perf_counter()
    first_ms, groups, pages, size = None, 0, 0, 0
    while path:
        status, page = connection.ask("GET", path)
        if status != 200:
            raise AssertionError(f"{status} {page[:300]}")
        first_ms = first_ms or (time.perf_counter() - begun) * 1000
        groups += page.count(b'"type":"Microsoft.ContainerInstance/containerGroups"')
        pages, size = pages + 1, size + len(page)
        link = re.search(rb'"nextLink":"([^"]+)"', page[-4096:]) or re.search(rb'"nextLink":"([^"]+)"', page[:4096])
        path = link.group(1).decode().replace("\\/", "/").removeprefix(url) if link else None
    return first_ms, (time.perf_counter() - begun) * 1000, groups, pages, size


def measure(rounds, quick):
    count = 1000 if quick else 10000
    with folder() as path:
        daemon, etcd = Daemon(path, tls=OVER_TLS), Etcd(path)
        try:
            return sides(daemon, etcd, rounds, count)
        finally:
            etcd.stop()
            daemon.stop()


def sides(daemon, etcd, rounds, count):
    rg = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
    daemon.client().request("PUT", f"{rg}?api-version=2021-04-01", {"location": LOCATION}).expect(201)
    node = FakeNode(daemon.url, daemon.join_token, "bench", 10 ** 9, 10 ** 9, LOCATION, follows=False, ca=daemon.ca)
    ours = connect(daemon)
    peer = Connection(etcd.port, "Content-Type: application/json\r\n")
    body = group_body(LOCATION).encode()
    fill(ours, "PUT", f"{rg}/{PROVIDER}/containerGroups/NAME?api-version={API}", lambda name: body, count)
    fill(peer, "POST", "/v3/kv/put", lambda name: etcd_put(name, body).encode(), count)
    first, everything, large, theirs = [], [], [], []
    for turn in range(rounds):
        page_ms, all_ms, groups, pages, size = walk(ours, LIST, daemon.url)
        if groups != count:
            raise AssertionError(f"{groups} of {count} groups listed")
        first.append(page_ms)
        everything.append(all_ms)
        theirs.append(etcd_range_ms(peer, count))
        large.append(walk(ours, LIST + "&$top=1000", daemon.url)[1])
        say(f"{turn + 1}/{rounds} first page {page_ms:.2f} ms, all {all_ms:.1f} ms in {pages} pages, $top=1000 "
            f"{large[-1]:.1f} ms, etcd {theirs[-1]:.1f} ms")
    node.stop()
    value, other = statistics.median(everything), statistics.median(theirs)
    return {"unit": "ms", "value": round(value, 1), "peer": {"name": "etcd 3.4 JSON gateway", "value": round(other, 1)},
            "ratio": round(other / value, 2), "groups": count, "pages": pages, "bytes": size,
            "first_page_ms": round(statistics.median(first), 2), "all_top_1000_ms": round(statistics.median(large), 1),
            "rounds": spread(everything), "peer_rounds": spread(theirs)}


def etcd_range_ms(peer, count):
    begun = time.perf_counter()
    status, told = peer.ask("POST", "/v3/kv/range", b'{"key":"AA==","range_end":"AA=="}')
    took = (time.perf_counter() - begun) * 1000
    if status != 200 or told.count(b'"key"') != count:
        raise AssertionError(f"etcd: {status}, {told.count(b'key')} keys")
    return took
