"""More of what a machine does to its agent, for tough.py: its files are damaged, its disk fills or is too small, registries
stop in the middle, and somebody removes what is its own."""
import contextlib
import glob
import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

from berth import busybox_archive, container, group, wait

GOES_ON = 'trap "exit 0" TERM; echo started; while :; do sleep 1 & wait $!; done'
STALL_MS = 2000


def put(berth, name, image=None, policy="Always", ports=()):
    mark = f"mark-{name}"
    berth.put(name, group([container("c", image or berth.image, ["sh", "-c", GOES_ON, mark])], policy=policy,
                          ports=ports)).expect(201)
    return mark


def put_running(berth, name, **more):
    mark = put(berth, name, **more)
    berth.wait_state(name, "Running")
    wait(f"{name} runs", lambda: berth.processes(mark) != [], 10)
    return mark


def uids(berth, marks):
    """{mark: the node's name of the group whose order has it}."""
    found = {}
    for path in glob.glob(f"{berth.agent.run_dir}/orders/*.json"):
        with open(path, encoding="utf-8") as order:
            said = order.read()
        found |= {mark: os.path.basename(path)[:36] for mark in marks if f'"{mark}"' in said}
    return found


def messages(berth, name):
    found = berth.get(name)["properties"]
    events = list(found["instanceView"].get("events", ()))
    for one in found["containers"]:
        events += one["properties"].get("instanceView", {}).get("events", ())
    return [event["message"] for event in events]


def says(berth, name, word, timeout_s=20):
    wait(f"{name} says {word}", lambda: any(word in m for m in messages(berth, name)), timeout_s)


def noisy(berth, name, mib):
    """An image of its own with so much that cannot be compressed."""
    folder = os.path.join(berth.folder, name)
    os.makedirs(folder)
    with open(f"{folder}/noise-{name}", "wb") as out:
        out.write(os.urandom(mib << 20))
    archive = os.path.join(berth.folder, f"{name}.tar")
    tool = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "tools/make-image")
    subprocess.run([tool, archive, "--busybox", "--layer", folder, "--cmd", "/bin/sh"], check=True,
                   stdin=subprocess.DEVNULL, capture_output=True)
    image = berth.registry.push(f"oci-archive:{archive}", f"{name}:1")
    shutil.rmtree(folder)
    os.unlink(archive)
    return image


# ---- what is on disk ----

def a_damaged_image_store_is_mended(berth):
    image = berth.registry.push(busybox_archive(berth.folder, "--env", "DAMAGED=1"), "damaged:1")
    put_running(berth, "damaged", image=image)
    berth.post("damaged", "stop").expect(204)
    berth.wait_state("damaged", "Stopped")
    berth.agent.stop()
    for path in glob.glob(f"{berth.agent.folder}/images/images/*/config") + glob.glob(f"{berth.agent.folder}/images/layers/*/about"):
        os.truncate(path, 5)
    for folder in glob.glob(f"{berth.agent.folder}/images/layers/*/fs"):
        shutil.rmtree(folder)
        os.mkdir(folder)
    berth.agent.start()
    wait("it may start", lambda: berth.post("damaged", "start").status == 202, 10)
    berth.wait_state("damaged", "Running")
    berth.delete("damaged")


def damaged_records_do_not_keep_an_agent_from_its_node(berth):
    marks = [put_running(berth, name) for name in ("cut", "garbled", "sound")]
    sound = berth.processes(marks[2])
    berth.agent.kill()
    named = uids(berth, marks)
    os.truncate(f"{berth.agent.folder}/groups/{named[marks[0]]}/record.json", 40)
    with open(f"{berth.agent.run_dir}/orders/{named[marks[1]]}.json", "w", encoding="utf-8") as order:
        order.write("\0garbage")
    berth.agent.start()
    for name, mark in zip(("cut", "garbled", "sound"), marks):
        berth.wait_state(name, "Running")
        wait(f"{name} runs once", lambda mark=mark: len(berth.processes(mark)) == 1, 20)
    assert berth.processes(marks[2]) == sound
    for name in ("cut", "garbled", "sound"):
        berth.delete(name).expect(200)
        berth.wait_gone(name)


def a_disk_that_fills_in_the_middle_of_a_pull_is_told_and_heals(berth):
    image = noisy(berth, "filling", 24)
    filler = os.path.join(berth.agent.folder, "filler")
    free = os.statvfs(berth.agent.folder)
    with open(filler, "wb") as out:
        out.write(bytes(free.f_bavail * free.f_bsize - (12 << 20)))
    try:
        put(berth, "filling", image=image)
        says(berth, "filling", "disk")
        assert berth.state("filling") in ("Pending", "Waiting") and berth.agent.process.alive()
    finally:
        os.unlink(filler)
    berth.wait_state("filling", "Running")
    berth.delete("filling")


@contextlib.contextmanager
def settings(berth, **more):
    """The agent with other settings for a while."""
    with open(berth.agent.config, encoding="utf-8") as opened:
        before = opened.read()
    with open(berth.agent.config, "w", encoding="utf-8") as out:
        json.dump({**json.loads(before), **more}, out)
    berth.agent.restart()
    try:
        yield
    finally:
        with open(berth.agent.config, "w", encoding="utf-8") as out:
            out.write(before)
        berth.agent.restart()


def images_above_the_ceiling_go_or_wait(berth):
    first, second, third = (noisy(berth, name, mib) for name, mib in (("least", 5), ("next", 5), ("huge", 40)))
    with settings(berth, image_bytes_max=24 << 20):
        put_running(berth, "least", image=first)
        berth.delete("least")
        berth.wait_gone("least")
        mark = put_running(berth, "next", image=second)
        before = berth.processes(mark)
        put(berth, "huge", image=third)
        says(berth, "huge", "of the 26 MB they may have (image_bytes_max)")
        held = sum(os.path.exists(f"{at}/noise-least") for at in glob.glob(f"{berth.agent.folder}/images/layers/*/fs"))
        assert held == 0, "what nobody uses is still there"
        assert berth.processes(mark) == before and berth.state("huge") in ("Pending", "Waiting")
    berth.wait_state("huge", "Running")
    for name in ("next", "huge"):
        berth.delete(name)


class Stalling:
    """Passes on to a registry, and stops in the middle of each large blob while told to; the connection stays open."""

    def __init__(self, upstream):
        self.stalls = threading.Event()
        self.over = threading.Event()
        self.stalls.set()
        stalling = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                stalling.pass_on(self, upstream)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, call, upstream):
        accept = {"Accept": ", ".join(call.headers.get_all("Accept") or ["*/*"])}
        asked = urllib.request.Request(f"http://{upstream}{call.path}", method=call.command, headers=accept)
        try:
            reply = urllib.request.urlopen(asked, timeout=10)
        except urllib.error.HTTPError as refused:
            reply = refused
        with reply, contextlib.suppress(OSError):
            body = reply.read()
            call.send_response(reply.status)
            for name in ("Content-Type", "Docker-Content-Digest"):
                if reply.headers[name]:
                    call.send_header(name, reply.headers[name])
            call.send_header("Content-Length", reply.headers["Content-Length"] or str(len(body)))
            call.end_headers()
            call.wfile.write(body[:len(body) // 2])
            if len(body) > 100000 and self.stalls.is_set():
                self.over.wait(60)
            call.wfile.write(body[len(body) // 2:])

    def stop(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


def a_registry_that_stops_in_the_middle_of_a_layer_is_told(berth):
    noisy(berth, "stalls", 1)
    proxy = Stalling(berth.registry.host)
    try:
        put(berth, "stalls", image=f"{proxy.host}/stalls:1")
        says(berth, "stalls", f"its registry sent nothing for {STALL_MS // 1000} s")
        proxy.stalls.clear()
        berth.wait_state("stalls", "Running")
    finally:
        proxy.stop()
    berth.delete("stalls")


# ---- what is in memory ----

def what_runs_goes_on_while_the_plane_is_away(berth):
    mark = put_running(berth, "alone")
    before = berth.processes(mark)
    berth.daemon.kill()
    time.sleep(2)
    assert berth.processes(mark) == before and berth.agent.process.alive()
    os.kill(before[0], signal.SIGKILL)
    wait("it is started again without the plane", lambda: berth.processes(mark) not in ([], before), 20)
    now = berth.processes(mark)
    berth.daemon.start()
    wait("the restart is told", lambda: berth.view("alone", "c")["restartCount"] == 1, 20)
    assert berth.processes(mark) == now
    berth.delete("alone")


def the_end_of_a_conmon_is_the_end_of_its_container(berth):
    mark = put_running(berth, "orphan", policy="Never")
    pid = berth.processes(mark)[0]
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        parent = int(stat.read().rsplit(")", 1)[1].split()[1])
    with open(f"/proc/{parent}/comm", encoding="utf-8") as name:
        assert name.read().strip() == "conmon"
    os.kill(parent, signal.SIGKILL)
    time.sleep(1)
    os.kill(pid, signal.SIGKILL)
    berth.wait_state("orphan", "Failed")
    assert not berth.processes(mark)
    berth.delete("orphan")
    berth.wait_gone("orphan")

    mark = put_running(berth, "kept")
    pid = berth.processes(mark)[0]
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        os.kill(int(stat.read().rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
    berth.delete("kept").expect(200)
    berth.wait_gone("kept")
    assert not berth.processes(mark), "it stayed as an orphan"


def a_namespace_that_somebody_removed_is_made_again(berth):
    mark = put_running(berth, "bereft")
    folder = f"{berth.agent.run_dir}/ns/{uids(berth, [mark])[mark]}"
    for kind in ("user", "net", "ipc", "uts"):
        subprocess.run(["umount", f"{folder}/{kind}"], check=True)
    shutil.rmtree(folder)
    before = berth.processes(mark)
    os.kill(before[0], signal.SIGKILL)
    wait("it runs again", lambda: berth.processes(mark) not in ([], before), 30)
    berth.wait_state("bereft", "Running")
    berth.delete("bereft")
    berth.wait_gone("bereft")


def flushed_packet_rules_are_put_back(berth):
    table = f"berth_{berth.agent.bridge}".replace("-", "_")
    serve = container("c", berth.image, ["sh", "-c", "mkdir -p /w; httpd -p 80 -h /w; " + GOES_ON, "mark-flushed"])
    berth.put("flushed", group([serve], ports=[80])).expect(201)
    berth.wait_state("flushed", "Running")

    def rules(family):
        return subprocess.run(["nft", "-s", "list", "table", family, table], capture_output=True, text=True, check=False).stdout
    wait("its port is open", lambda: ". 80" in rules("ip"), 10)
    before = rules("ip")
    for words in (["flush", "table", "ip", table], ["delete", "table", "ip", table], ["flush", "set", "ip", table, "owners"]):
        subprocess.run(["nft", *words], check=True)
        wait(f"all is back after {words}", lambda: rules("ip") == before, 10)
    berth.delete("flushed")
    berth.wait_gone("flushed")


def memory_files_that_are_lost_end_what_ran_and_nothing_else(berth):
    mark = put_running(berth, "lost")
    before = berth.processes(mark)
    berth.agent.kill()
    for below in ("orders", "runtime/c"):
        for at, _, files in os.walk(f"{berth.agent.run_dir}/{below}"):
            for name in files:
                os.unlink(f"{at}/{name}")
    berth.agent.start()
    wait("it is another", lambda: berth.processes(mark) not in ([], before), 20)
    berth.wait_state("lost", "Running")
    wait("it runs once", lambda: len(berth.processes(mark)) == 1, 20)
    berth.delete("lost")
    berth.wait_gone("lost")
    assert not berth.processes(mark)


CASES = [a_damaged_image_store_is_mended, damaged_records_do_not_keep_an_agent_from_its_node,
         a_disk_that_fills_in_the_middle_of_a_pull_is_told_and_heals, images_above_the_ceiling_go_or_wait,
         a_registry_that_stops_in_the_middle_of_a_layer_is_told, what_runs_goes_on_while_the_plane_is_away,
         the_end_of_a_conmon_is_the_end_of_its_container, flushed_packet_rules_are_put_back,
         a_namespace_that_somebody_removed_is_made_again, memory_files_that_are_lost_end_what_ran_and_nothing_else]
