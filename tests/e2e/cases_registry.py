"""Registries: credentials, private CAs, tags that move, registries that are gone, layers, damage."""
import contextlib
import glob
import http.server
import os
import shutil
import threading
import time
import urllib.error
import urllib.request

from berth import Registry, busybox_archive, container, group, wait
from cases_image import texts

SLEEP = ["sh", "-c", "trap exit TERM; sleep 600 & wait"]


@contextlib.contextmanager
def registry(berth, name, **options):
    folder = os.path.join(berth.folder, name)
    os.makedirs(folder)
    made = Registry(folder, **options)
    try:
        if made.certs:
            shutil.copytree(f"{made.certs}/{made.host}", f"{berth.folder}/certs/{made.host}")
        yield made
    finally:
        if made.process.alive():
            made.stop()
        shutil.rmtree(folder)


def archive(berth, word, *options):
    """An image of busybox with a file that holds the word."""
    return busybox_archive(berth.folder, *options, "--busybox", "--text", f"word={word}")


def run(berth, name, image, credentials=(), containers=None):
    body = group(containers or [container("c", image, ["sh", "-c", "trap exit TERM; cat /word; sleep 600 & wait"])])
    body["properties"]["imageRegistryCredentials"] = [
        {"server": host, "username": user, "password": password} for host, user, password in credentials]
    return berth.put(name, body)


def wait_said(berth, name, word):
    wait(f"{name} says {word}", lambda: word in berth.logs(name, "c"), 30)


def order(berth, name, verb, state):
    berth.post(name, verb).expect(202, 204)
    berth.wait_state(name, state)


def two_registries_with_private_cas_get_each_its_own_credential(berth):
    with registry(berth, "one", password="first-word", tls=True) as one, \
            registry(berth, "two", password="second-word", tls=True) as two:
        made = archive(berth, "private")
        images = [place.push(made, "own:1") for place in (one, two)]
        both = [(one.host, "tester", "first-word"), (two.host, "tester", "second-word")]
        swapped = [(one.host, "tester", "second-word"), (two.host, "tester", "first-word")]
        containers = [container("c", images[0], SLEEP), container("d", images[1], SLEEP)]
        for wrong in ((), both[:1], swapped):
            reply = run(berth, "both", None, wrong, containers)
            assert (reply.status, reply.code) == (400, "InaccessibleImage"), reply.text
        run(berth, "both", None, both, containers).expect(201)
        berth.wait_state("both", "Running")
        shutil.rmtree(f"{berth.folder}/certs/{one.host}")
        reply = run(berth, "untrusted", one.push(made, "own:2"), both)
        assert (reply.status, reply.code) == (400, "InaccessibleImage") and "not trusted" in reply.text, reply.text
        berth.delete("both")


def a_private_image_starts_without_its_registry_and_stays_private(berth):
    with registry(berth, "private", password="right-word") as private:
        image, login = private.push(archive(berth, "mine"), "mine:1"), (private.host, "tester", "right-word")
        run(berth, "mine", image, [login]).expect(201)
        wait_said(berth, "mine", "mine")
        order(berth, "mine", "stop", "Stopped")
        private.stop()
        berth.agent.kill()
        berth.agent.start()
        order(berth, "mine", "start", "Running")
        reply = run(berth, "thief", image)
        assert reply.status != 201, reply.text
        berth.delete("mine")


def a_tag_that_moved_is_taken_up_by_the_next_put_and_by_nothing_else(berth):
    with registry(berth, "moving") as moving:
        image = moving.push(archive(berth, "first"), "moving:1")
        run(berth, "tag", image).expect(201)
        wait_said(berth, "tag", "first")
        moving.push(archive(berth, "second"), "moving:1")
        order(berth, "tag", "restart", "Running")
        order(berth, "tag", "stop", "Stopped")
        moving.stop()
        order(berth, "tag", "start", "Running")
        wait_said(berth, "tag", "first")
        run(berth, "tag", image).expect(200)  # nobody can be asked: it goes on meaning what it meant
        moving.start()
        run(berth, "tag", image).expect(200)
        wait_said(berth, "tag", "second")
        berth.delete("tag")


class Counting:
    """Passes everything on to a registry, large blobs slowly, and counts how many are under way at once."""

    def __init__(self, host):
        self.upstream, self.most, self.now, self.asked, self.lock = host, 0, 0, [], threading.Lock()
        counting = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                counting.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, call):
        blob = "/blobs/" in call.path and call.command == "GET"
        with self.lock:
            self.now += blob
            self.most = max(self.most, self.now)
            self.asked += [call.path] if blob else []
        try:
            self.pass_on(call)
        finally:
            with self.lock:
                self.now -= blob

    def pass_on(self, call):
        accept = {"Accept": ", ".join(call.headers.get_all("Accept") or ["*/*"])}
        asked = urllib.request.Request(f"http://{self.upstream}{call.path}", method=call.command, headers=accept)
        try:
            reply = urllib.request.urlopen(asked, timeout=10)
        except urllib.error.HTTPError as refused:
            reply = refused
        with reply:
            body = reply.read()
            call.send_response(reply.status)
            for name in ("Content-Type", "Docker-Content-Digest"):
                if reply.headers[name]:
                    call.send_header(name, reply.headers[name])
            call.send_header("Content-Length", reply.headers["Content-Length"] or str(len(body)))
            call.end_headers()
        call.wfile.write(body[:len(body) // 2])
        time.sleep(2.0 if len(body) > 100000 else 0)
        call.wfile.write(body[len(body) // 2:])

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def layers_are_fetched_side_by_side_once_and_told_in_one_event(berth):
    folder, noise = os.path.join(berth.folder, "layers"), []
    for n in range(4):
        os.makedirs(f"{folder}/{n}")
        with open(f"{folder}/{n}/noise{n}", "wb") as out:
            out.write(os.urandom(300000))
        noise += ["--layer", f"{folder}/{n}"]
    with registry(berth, "many") as many:
        counting = Counting(many.host)
        try:
            many.push(archive(berth, "many", *noise), "many:1")
            many.push(archive(berth, "more", *noise), "many:2")
            image = f"{counting.host}/many:1"
            run(berth, "many", image).expect(201)
            wait("a percentage is told", lambda: f'pulling image "{image}": ' in texts(berth, "many"), 20, 0.02)
            wait_said(berth, "many", "many")
            assert counting.most >= 3, counting.most
            told = [e["message"] for e in berth.view("many", "c")["events"] if e["name"] in ("Pulling", "Pulled")]
            assert told == [f'pulling image "{image}"', f'Successfully pulled image "{image}"'], told
            before = list(counting.asked)
            run(berth, "more", f"{counting.host}/many:2").expect(201)
            wait_said(berth, "more", "more")
            assert not set(before) & set(counting.asked[len(before):]), counting.asked
        finally:
            counting.stop()
        berth.delete("many")
        berth.delete("more")
    shutil.rmtree(folder)


def a_damaged_image_is_fetched_again_before_it_runs(berth):
    with registry(berth, "hurt") as hurt:
        run(berth, "hurt", hurt.push(archive(berth, "whole"), "hurt:1")).expect(201)
        wait_said(berth, "hurt", "whole")
        order(berth, "hurt", "stop", "Stopped")
        for path in glob.glob(f"{berth.agent.folder}/images/layers/*/fs/word"):
            with open(path, encoding="utf-8") as word:
                mine = word.read() == "whole"
            if mine:
                os.truncate(path, 2)
        order(berth, "hurt", "start", "Running")
        wait_said(berth, "hurt", "whole")
        berth.delete("hurt")


CASES = [
    two_registries_with_private_cas_get_each_its_own_credential,
    a_private_image_starts_without_its_registry_and_stays_private,
    a_tag_that_moved_is_taken_up_by_the_next_put_and_by_nothing_else,
    layers_are_fetched_side_by_side_once_and_told_in_one_event, a_damaged_image_is_fetched_again_before_it_runs,
]
