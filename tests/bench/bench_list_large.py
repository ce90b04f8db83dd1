"""Listing 100,000 groups of 2 KiB: pages at the beginning, in the middle and at the end, all of it by nextLink, one that
has not changed, and what berthd's memory grows by."""
import concurrent.futures
import re
import statistics
import time

from bench_list import LIST, walk
from berth import API, LOCATION, PROVIDER, SUBSCRIPTION, Daemon
from fake_node import FakeNode
from measure import Connection, folder, group_body, say, spread

FILLERS, PAGES_EACH = 8, 50


def fill(daemon, rg, count):
    body = group_body(LOCATION).encode()

    def part(number):
        link = connect(daemon)
        for name in range(number, count, FILLERS):
            status, said = link.ask("PUT", f"{rg}/{PROVIDER}/containerGroups/g-{name:06}?api-version={API}", body)
            if status != 201:
                raise AssertionError(f"{status} {said[:300]}")
    with concurrent.futures.ThreadPoolExecutor(FILLERS) as pool:
        list(pool.map(part, range(FILLERS)))


def connect(daemon, more=""):
    return Connection(daemon.port, f"Authorization: Bearer {daemon.token}\r\nContent-Type: application/json\r\n{more}")


def memory_mib(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="utf-8") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024


def page_ms(connection, path):
    """Median over many askings of one page."""
    times = []
    for _ in range(PAGES_EACH):
        begun = time.perf_counter()
        status, _ = connection.ask("GET", path)
        times.append((time.perf_counter() - begun) * 1000)
        if status not in (200, 304):
            raise AssertionError(status)
    return statistics.median(times)


def cursors(connection, url):
    """The paths of all pages."""
    path, paths = LIST, []
    while path:
        paths.append(path)
        page = connection.ask("GET", path)[1]
        link = re.search(rb'"nextLink":"([^"]+)"', page[-4096:])
        path = link.group(1).decode().replace("\\/", "/").removeprefix(url) if link else None
    return paths


def measure(rounds, quick):
    count = 10000 if quick else 100000
    with folder() as path:
        daemon = Daemon(path)
        try:
            return sides(daemon, rounds, count)
        finally:
            daemon.stop()


def sides(daemon, rounds, count):
    rg = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
    daemon.client().request("PUT", f"{rg}?api-version=2021-04-01", {"location": LOCATION}).expect(201)
    node = FakeNode(daemon.url, daemon.join_token, "bench", 5 * 10 ** 8, 10 ** 9, LOCATION, follows=False)
    begun = time.monotonic()
    fill(daemon, rg, count)
    say(f"{count} groups in {time.monotonic() - begun:.0f} s")
    node.stop()
    connection = connect(daemon)
    paths = cursors(connection, daemon.url)
    tag = daemon.client().request("GET", LIST).headers["ETag"]
    known = connect(daemon, f"If-None-Match: {tag}\r\n")
    before = memory_mib(daemon)
    places = {"first": paths[0], "middle": paths[len(paths) // 2], "last": paths[-2]}
    pages, everything, same = {place: [] for place in places}, [], []
    for turn in range(rounds):
        for place, one in places.items():
            pages[place].append(page_ms(connection, one))
        same.append(page_ms(known, paths[0]))
        _, all_ms, groups, _, size = walk(connection, LIST, daemon.url)
        if groups != count:
            raise AssertionError(f"{groups} of {count} groups listed")
        everything.append(all_ms)
        say(f"{turn + 1}/{rounds} page {pages['first'][-1]:.2f} / {pages['middle'][-1]:.2f} / {pages['last'][-1]:.2f} ms, "
            f"unchanged {same[-1]:.2f} ms, all {all_ms:.0f} ms")
    value = max(statistics.median(times) for times in pages.values())
    return {"unit": "ms", "value": round(value, 2), "peer": None, "ratio": None, "groups": count, "pages": len(paths), "bytes": size,
            "page_ms": {place: round(statistics.median(times), 2) for place, times in pages.items()},
            "unchanged_ms": round(statistics.median(same), 2), "all_ms": round(statistics.median(everything), 1),
            "memory_grown_mib": round(memory_mib(daemon) - before, 1), "rounds": spread(everything)}
