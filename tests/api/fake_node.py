"""A node that only pretends: it joins over the real protocol, beats, and runs every group it is given at once. A
container whose command begins with "exit" ends with the code behind it, an init container in any case."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
from berth import Client  # noqa: E402


def now_text():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class FakeNode:
    def __init__(self, url, join_token, name, cpu_milli, memory_mib, location="", follows=True, ca=None, images=(), gpus=(), zone=""):
        self.url, self.name = url, name
        self.capacity = {"cpuMilli": cpu_milli, "memoryMib": memory_mib, "gpus": list(gpus)}
        self.images = [{"image": name, "digest": "sha256:" + "0" * 64, "open": True} for name in images]
        self.disks_gone = []
        self.groups, self.sequence, self.revision = {}, int(time.time() * 1000), 0
        self.lock = threading.Lock()
        answer = Client(url, join_token, ca).request("POST", "/v1/agent/join", {
            "name": name, "bootId": "11111111-1111-1111-1111-111111111111", "location": location, "zone": zone, "os": "Linux",
            "architecture": "amd64", "address": "127.0.0.1", "version": "0", "capacity": self.capacity})
        joined = answer.expect(200, 201).json
        self.id, self.epoch = joined["nodeId"], joined["epoch"]
        self.client = Client(url, joined["credential"], ca)
        self.going = True
        for work in [self.beat] + [self.follow] * follows:
            threading.Thread(target=work, daemon=True).start()

    def stop(self):
        self.going = False

    def ask(self, method, path, body=None):
        return self.client.request(method, path, body, {"Berth-Node": self.id})

    def beat(self):
        while self.going:
            self.report()
            time.sleep(0.5)

    def report(self):
        with self.lock:
            if not self.going:
                return
            self.sequence += 1
            sent = {"epoch": self.epoch, "sequence": self.sequence, "watermark": int(time.time()),
                    "capacity": self.capacity, "statuses": [g["status"] for g in self.groups.values()],
                    "intervals": [g["interval"] for g in self.groups.values() if g["interval"]], "samples": []}
            gone, self.disks_gone = self.disks_gone, []
            sent.update({"removedDisks": gone} if gone else {})
            if self.images:
                sent["images"] = {"items": self.images}
            try:
                answer = self.ask("POST", "/v1/agent/report", sent)
            except OSError:
                return
            if answer.status == 200:
                self.groups = {u: g for u, g in self.groups.items() if not g["status"]["removed"]}

    def follow(self):
        while self.going:
            try:
                answer = self.ask("GET", f"/v1/agent/desired?epoch={self.epoch}&after={self.revision}")
            except OSError:
                time.sleep(0.2)
                continue
            if answer.status != 200:
                time.sleep(0.2)
                continue
            told = answer.json
            with self.lock:
                for assignment in told.get("assignments", []):
                    self.take(assignment)
                self.disks_gone += told.get("removeDisks", [])
                self.revision = told["revision"]
            for question in told.get("questions", []):
                self.answer(question)
            self.report()

    def answer(self, question):
        lines = [f"{question['container']} line {n}" for n in range(1, 11)]
        tail = question.get("tail")
        content = "".join(line + "\n" for line in (lines if tail is None else lines[len(lines) - min(tail, 10):]))
        self.ask("POST", f"/v1/agent/answers/{question['id']}", {"content": content})

    def take(self, assignment):
        uid, incarnation = assignment["uid"], assignment["incarnation"]
        known = self.groups.get(uid)
        if known and known["status"]["incarnation"] > incarnation:
            return
        second = int(time.time())
        if assignment["wanted"].lower() == "run":
            if known and known["status"]["incarnation"] == incarnation:
                return
            interval = {"uid": uid, "incarnation": incarnation, "from": second, "to": 0,
                        "cpuMilli": assignment["cpuMilli"], "memoryMib": assignment["memoryMib"]}
            status = self.running(uid, incarnation, assignment["group"])
            if status["released"]:
                interval["to"] = second + 1
        else:
            interval = known["interval"] if known else None
            if interval and not interval["to"]:
                interval["to"] = max(second, interval["from"])
            removed = assignment["wanted"].lower() == "remove"
            status = {"uid": uid, "incarnation": incarnation, "state": "Stopped", "provisioned": True,
                      "released": True, "removed": removed, "events": [], "containers": []}
        self.groups[uid] = {"status": status, "interval": interval}

    @staticmethod
    def running(uid, incarnation, group):
        views, codes = [], []
        init = group["properties"].get("initContainers") or []
        for one in init + group["properties"]["containers"]:
            command = one["properties"].get("command") or []
            ends = len(command) > 1 and command[0] == "exit" and command[1].isdecimal()
            state = {"state": "Running", "startTime": now_text(), "detailStatus": ""}
            if ends or one in init:
                codes.append(int(command[1]) if ends else 0)
                state = {"state": "Terminated", "startTime": now_text(), "finishTime": now_text(),
                         "exitCode": codes[-1], "detailStatus": "Error" if codes[-1] else "Completed"}
            events = [{"count": 1, "firstTimestamp": now_text(), "lastTimestamp": now_text(), "name": "Started",
                       "message": "Started container", "type": "Normal"}]
            views.append({"name": one["name"], "view": {"restartCount": 0, "currentState": state, "events": events}})
        done = len(codes) == len(views)
        state = ("Failed" if any(codes) else "Succeeded") if done else "Running"
        return {"uid": uid, "incarnation": incarnation, "state": state, "provisioned": True, "released": done,
                "removed": False, "address": "10.9.8.7", "events": [], "containers": views}
