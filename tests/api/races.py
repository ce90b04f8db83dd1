"""Calls that race: what several clients do at once to one group, and groups of one name side by side. Played by
tests/api/run; each function is one test, named as a sentence."""
import concurrent.futures
import shutil
import tempfile
import threading
import time

import berth
import fake_node

OTHER = "22222222-2222-3333-4444-555555555555"
PASSES = {200, 201, 202, 204, 404, 409, 412}


class Plane:
    """A berthd with two subscriptions and a node, and what the races ask of it."""

    def __init__(self, folder):
        self.daemon = berth.Daemon(folder, subscriptions=[berth.SUBSCRIPTION, OTHER])
        self.node = fake_node.FakeNode(self.daemon.url, self.daemon.join_token, "n1", 400000, 400000, berth.LOCATION)
        for rg in ("rg", "other"):
            self.ask("PUT", f"/subscriptions/{berth.SUBSCRIPTION}/resourceGroups/{rg}", {"location": berth.LOCATION})
        self.ask("PUT", f"/subscriptions/{OTHER}/resourceGroups/rg", {"location": berth.LOCATION})

    def ask(self, method, path, body=None, headers=None):
        return self.daemon.client().request(method, f"{path}?api-version={berth.API}", body, headers)

    def on(self, method, name, body=None, headers=None, call="", rg="rg", subscription=berth.SUBSCRIPTION):
        return self.ask(method, f"/subscriptions/{subscription}/resourceGroups/{rg}/{berth.PROVIDER}/containerGroups/"
                                f"{name}{call}", body, headers)

    def operation(self, url):
        return self.daemon.client().request("GET", url).expect(200).json["status"]

    def settled(self, name):
        """The group once no operation runs on it."""
        def look():
            seen = self.on("GET", name).json
            return seen if seen["properties"]["provisioningState"] in ("Succeeded", "Failed") else None
        return berth.wait(f"{name} is settled", look)

    def stop(self):
        self.node.stop()
        return self.daemon.stop()


def group(image="busybox", location=berth.LOCATION, **more):
    return {"location": location, "properties": {"osType": "Linux", "containers": [{"name": "c", "properties": {
        "image": image, "resources": {"requests": {"cpu": 1, "memoryInGB": 1}}}}]}, **more}


def at_once(calls):
    """All of them begun in the same moment; their replies in order."""
    gate = threading.Barrier(len(calls))

    def one(call):
        gate.wait()
        return call()
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def one_of_many_equal_puts_creates_and_all_follow_its_operation(plane):
    replies = at_once([lambda: plane.on("PUT", "waits", group(location=berth.QUEUE_LOCATION))] * 12)
    if sorted(r.status for r in replies) != [200] * 11 + [201]:
        raise AssertionError([r.status for r in replies])
    if len({r.headers["Azure-AsyncOperation"] for r in replies}) != 1:
        raise AssertionError("several operations")
    plane.on("DELETE", "waits").expect(200)


def of_different_puts_one_wins_and_the_others_are_told_to_come_back(plane):
    replies = at_once([lambda n=n: plane.on("PUT", "waits", group(f"image-{n}", berth.QUEUE_LOCATION)) for n in range(8)])
    if sorted(r.status for r in replies) != [201] + [409] * 7:
        raise AssertionError([r.status for r in replies])
    for reply in replies:
        if reply.status == 409 and (reply.code != "ContainerGroupTransitioning" or not reply.headers["Retry-After"]):
            raise AssertionError(reply.text)
    plane.on("DELETE", "waits").expect(200)


def puts_over_a_running_group_never_cut_each_other_off(plane):
    plane.on("PUT", "runs", group()).expect(201)
    plane.settled("runs")
    for turn in range(5):
        replies = at_once([lambda n=n: plane.on("PUT", "runs", group(f"image-{turn}-{n}")) for n in range(8)])
        if not {r.status for r in replies} <= {200, 409}:
            raise AssertionError([r.status for r in replies])
        for url in {r.headers["Azure-AsyncOperation"] for r in replies if r.status == 200}:
            ended = berth.wait("the update ends", lambda url=url: (lambda s: s if s != "Pending" else None)(plane.operation(url)))
            if ended != "Succeeded":
                raise AssertionError(f"an update was {ended}")


def of_changes_with_one_etag_exactly_one_is_made(plane):
    plane.on("PUT", "tagged", group()).expect(201)
    tag = plane.on("GET", "tagged").headers["ETag"]
    replies = at_once([lambda n=n: plane.on("PATCH", "tagged", {"tags": {"n": str(n)}}, {"If-Match": tag}) for n in range(8)])
    if sorted(r.status for r in replies) != [200] + [412] * 7:
        raise AssertionError([r.status for r in replies])
    won = next(r.json["tags"] for r in replies if r.status == 200)
    if plane.on("GET", "tagged").json["tags"] != won:
        raise AssertionError("the tags are not those of the one that was made")


def starts_at_once_are_one_start(plane):
    plane.on("PUT", "waits", group(location=berth.QUEUE_LOCATION)).expect(201)
    plane.on("POST", "waits", call="/stop").expect(204)
    replies = at_once([lambda: plane.on("POST", "waits", call="/start")] * 8)
    if {r.status for r in replies} != {202} or len({r.headers["Azure-AsyncOperation"] for r in replies}) != 1:
        raise AssertionError([(r.status, r.headers["Azure-AsyncOperation"]) for r in replies])
    plane.on("DELETE", "waits").expect(200)


def a_storm_of_orders_leaves_one_group_that_is_settled(plane):
    operations, end = [], time.monotonic() + 4

    def storm(number):
        while time.monotonic() < end:
            for method, call, body in (("PUT", "", group(f"image-{number}")), ("POST", "/restart", None), ("POST", "/stop", None),
                                       ("POST", "/start", None), ("PATCH", "", {"tags": {"n": str(number)}}), ("DELETE", "", None)):
                reply = plane.on(method, "storm", body, call=call)
                if reply.status not in PASSES:
                    raise AssertionError(f"{method} {call}: {reply.status} {reply.text[:300]}")
                if reply.headers["Azure-AsyncOperation"]:
                    operations.append(reply.headers["Azure-AsyncOperation"])
    at_once([lambda n=n: storm(n) for n in range(6)])
    plane.on("PUT", "storm", group("last")).expect(200, 201, 409)
    plane.settled("storm")
    if len(operations) < 20:
        raise AssertionError(f"only {len(operations)} operations")
    for url in set(operations[-100:]):
        berth.wait("the operation ends", lambda url=url: plane.operation(url) != "Pending")
    plane.on("DELETE", "storm").expect(200)
    plane.on("GET", "storm").expect(404)


def refused_and_overtaken_calls_keep_no_room(plane):
    whole = group()
    whole["properties"]["containers"][0]["properties"]["resources"]["requests"] = {"cpu": 31, "memoryInGB": 1}
    for _ in range(8):
        plane.on("PUT", "whole", whole).expect(200, 201)
        plane.settled("whole")
        plane.on("POST", "whole", call="/stop").expect(204)
        plane.on("POST", "whole/whatIf", whole).expect(200)
        at_once([lambda: plane.on("POST", "whole", call="/start")] * 10)
        plane.settled("whole")
    plane.on("DELETE", "whole").expect(200)
    free = plane.daemon.client().request("GET", "/v1/nodes").json["value"][0]["free"]["cpuMilli"]
    if free < 200000:  # what the storm was promised lapses in some seconds
        raise AssertionError(f"only {free} mCPU are free")


def the_same_name_elsewhere_is_another_group(plane):
    places = [("rg", berth.SUBSCRIPTION), ("other", berth.SUBSCRIPTION), ("rg", OTHER)]
    for at, (rg, subscription) in enumerate(places):
        plane.on("PUT", "twin", group(tags={"at": str(at)}), rg=rg, subscription=subscription).expect(201)
    for at, (rg, subscription) in enumerate(places):
        seen = plane.on("GET", "TWIN", rg=rg.upper(), subscription=subscription.upper()).expect(200).json
        where = f"/subscriptions/{subscription}/resourceGroups/{rg}/{berth.PROVIDER}/containerGroups/twin"
        if seen["tags"] != {"at": str(at)} or seen["id"] != where:
            raise AssertionError(seen)
    plane.on("DELETE", "twin", rg="other").expect(200)
    plane.on("GET", "twin").expect(200)
    listed = plane.ask("GET", f"/subscriptions/{OTHER}/{berth.PROVIDER}/containerGroups").json["value"]
    if [one["id"].split("/")[2] for one in listed] != [OTHER]:
        raise AssertionError([one["id"] for one in listed])


def an_operation_is_found_in_its_own_subscription_alone(plane):
    made = plane.on("PUT", "mine", group()).expect(201).headers["Azure-AsyncOperation"]
    plane.daemon.client().request("GET", made.replace(berth.SUBSCRIPTION, OTHER)).expect(404)
    plane.daemon.client().request("GET", made).expect(200)


TESTS = (
    one_of_many_equal_puts_creates_and_all_follow_its_operation, of_different_puts_one_wins_and_the_others_are_told_to_come_back,
    puts_over_a_running_group_never_cut_each_other_off, of_changes_with_one_etag_exactly_one_is_made, starts_at_once_are_one_start, a_storm_of_orders_leaves_one_group_that_is_settled,
    refused_and_overtaken_calls_keep_no_room, the_same_name_elsewhere_is_another_group,
    an_operation_is_found_in_its_own_subscription_alone,
)


def play(report):
    folder = tempfile.mkdtemp(prefix="berth-races-")
    try:
        plane = Plane(folder)
        for test in TESTS:
            try:
                test(plane)
                report.result(True, f"races: {test.__name__}")
            except Exception as fault:  # any failure of one test is that test's
                report.result(False, f"races: {test.__name__}", str(fault)[:2000])
        status = plane.stop()
        said = plane.daemon.sanitizer_report()
        report.result(status == 0 and not said, "races: berthd ends cleanly", said or str(status))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
