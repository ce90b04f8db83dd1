"""Addresses, open and closed ports, seen from a machine beyond the node: a network namespace at the other end of a
link. A Berth of its own, whose location has a pool of two public addresses on that link."""
import contextlib
import json
import os
import subprocess
import sys
import tempfile

from berth import LOCATION, Agent, Berth, container, group, wait

NET = f"198.18.{os.getpid() % 256}"  # of RFC 2544: nobody's
NODE, OUTSIDE, FIRST, SECOND = f"{NET}.1", f"{NET}.2", f"{NET}.40", f"{NET}.41"
FORBIDDEN = f"{NET}.3"  # to groups, by the node's policy
WEB, OTHER, CLOSED_PORT, ZONE = 8080, 8081, 8025, "berth.example"


class NetworkBerth(Berth):
    """The namespace "outside", linked to the node by a veth pair that carries public addresses."""

    def __init__(self):
        self.space, self.link = f"bt-out-{os.getpid()}", f"bto{os.getpid()}"
        ip("netns", "add", self.space)
        ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.space)
        ip("addr", "add", f"{NODE}/24", "dev", self.link)
        ip("link", "set", self.link, "up")
        for words in (("addr", "add", f"{OUTSIDE}/24", "dev", "eth0"), ("addr", "add", f"{FORBIDDEN}/24", "dev", "eth0"),
                      ("link", "set", "eth0", "up"), ("link", "set", "lo", "up"), ("route", "add", "default", "via", NODE)):
            ip("-n", self.space, *words)
        super().__init__(daemon={"address_pools": {LOCATION: f"{FIRST}-{SECOND}"}, "listen_address": "0.0.0.0",
                                 "dns_zone": ZONE, "dns_listen": f"{NODE}:53", "fence_ms": 5000, "lost_ms": 6500},
                         agent={"public_link": self.link, "outbound": [f"!{FORBIDDEN}/32"],
                                "outbound_closed_ports": ["25", str(CLOSED_PORT)]})

    def close(self):
        try:
            super().close()
        finally:
            ip("netns", "del", self.space)

    def ask(self, address, port=WEB):
        """What a client outside gets: the page, or "" when it is refused."""
        done = subprocess.run(["ip", "netns", "exec", self.space, sys.executable, "-c", CLIENT, address, str(port)],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        return done.stdout.strip()

    def on_link(self, address):
        """Whether this machine answers for it."""
        shown = subprocess.run(["ip", "-o", "addr", "show", "dev", self.link], capture_output=True, text=True, check=True)
        return f" {address}/32 " in shown.stdout

    def gateway(self):
        with open(self.agent.config, encoding="utf-8") as opened:
            return json.load(opened)["range"].replace(".0/24", ".1")

    def ip_of(self, name):
        return self.get(name)["properties"]["ipAddress"].get("ip")


CLIENT = """
import sys, urllib.request
try:
    print(urllib.request.urlopen(f"http://{sys.argv[1]}:{sys.argv[2]}/", timeout=3).read().decode())
except OSError:
    pass
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def berth():
    return NetworkBerth()


def server(image, says, kind="Public", **properties):
    """A web server on two ports, of which one is declared."""
    script = (f"mkdir -p /tmp/w && echo {says} > /tmp/w/index.html && httpd -p {OTHER} -h /tmp/w && "
              f"httpd -p {WEB} -h /tmp/w; trap 'exit 0' TERM; sleep 600 & wait")
    asked = group([container("web", image, ["sh", "-c", script])], **properties)
    asked["properties"]["ipAddress"] = {"type": kind, "ports": [{"port": WEB, "protocol": "TCP"}]}
    return asked


def publish(berth, name, says):
    """Its address; the groups of the case before may still be on their way out."""
    made = wait(f"there is an address for {name}",
                lambda: (lambda reply: reply if reply.status == 201 else None)(berth.put(name, server(berth.image, says))))
    shown = made.json["properties"]["ipAddress"]["ip"]
    assert shown in (FIRST, SECOND), shown
    return shown


def tries(berth, name, address, port=WEB, **properties):
    """What a container of another group gets from there."""
    script = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {address} {port} 2>/dev/null | tail -n 1 | grep . || echo refused"
    berth.put(name, group([container("try", berth.image, ["sh", "-c", script])], policy="Never", **properties)).expect(201)
    berth.wait_state(name, "Succeeded")
    said = berth.logs(name, "try").strip().split("\n")[-1]
    berth.delete(name)
    return said


def expect(wanted, said):
    assert said == wanted, f"{said!r}, expected {wanted!r}"


def a_public_address_answers_on_its_declared_port_alone_and_lasts(berth):
    shown = publish(berth, "pub", "one")
    berth.wait_state("pub", "Running")
    wait("it answers outside", lambda: berth.ask(shown) == "one")
    assert berth.ask(shown, OTHER) == ""
    berth.post("pub", "stop").expect(204)
    berth.wait_state("pub", "Stopped")
    assert berth.ip_of("pub") == shown and berth.ask(shown) == ""
    berth.post("pub", "start").expect(204, 202)
    wait("it answers after a start", lambda: berth.ask(shown) == "one")
    berth.post("pub", "restart").expect(204)
    wait("it answers after a restart", lambda: berth.ask(shown) == "one")
    berth.agent.kill()
    berth.agent.start()
    assert berth.ip_of("pub") == shown and berth.ask(shown) == "one"


def a_pool_that_is_used_up_refuses_and_is_free_again_after_a_delete(berth):
    publish(berth, "a", "a")
    publish(berth, "b", "b")
    refused = berth.put("c", server(berth.image, "c")).expect(409)
    assert refused.code == "PublicIpAddressPoolExhausted" and LOCATION in refused.text, refused.text
    free = berth.ip_of("a")
    berth.delete("a").expect(200)
    assert publish(berth, "c", "c") == free


@contextlib.contextmanager
def another_node(berth):
    """For the block, on the same link."""
    folder = tempfile.mkdtemp(dir=berth.folder)
    second = Agent(folder, berth.daemon, berth.registry, public_link=berth.link)
    try:
        yield second
    finally:
        second.stop()
        second.clean()


def a_public_address_moves_with_its_group_to_another_node(berth):
    shown = publish(berth, "mover", "moved")
    wait("it answers", lambda: berth.ask(shown) == "moved")
    first = berth.agent.look()["id"]
    with another_node(berth):
        try:
            berth.post("mover", "stop").expect(204)
            berth.wait_state("mover", "Stopped")
            berth.client.request("POST", f"/v1/nodes/{first}/cordon").expect(200, 204)
            berth.post("mover", "start").expect(204, 202)
            wait("it answers from the other node", lambda: berth.ask(shown) == "moved")
            wait("the first node has nothing of it", lambda: not berth.group_traces(), 20)
            berth.delete("mover")
            berth.wait_gone("mover")
        finally:
            berth.client.request("POST", f"/v1/nodes/{first}/uncordon").expect(200, 204)


def groups_reach_declared_ports_of_each_other_and_nothing_of_the_node(berth):
    berth.put("private", server(berth.image, "inside", kind="Private")).expect(201)
    publish(berth, "pub", "outside")
    berth.wait_state("private", "Running")
    berth.wait_state("pub", "Running")
    address, public = wait("it has an address", lambda: berth.ip_of("private")), berth.ip_of("pub")
    expect("inside", tries(berth, "t1", address))
    expect("refused", tries(berth, "t2", address, OTHER))
    expect("outside", tries(berth, "t3", public))
    expect("refused", tries(berth, "t4", "169.254.169.254", 80))
    gateway = address.rsplit(".", 1)[0] + ".1"
    for host in (gateway, NODE):
        listener = subprocess.Popen([sys.executable, "-m", "http.server", "8099", "--bind", host],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            expect("refused", tries(berth, "t5", host, 8099))
        finally:
            listener.terminate()
            listener.wait(10)


def groups_of_a_subnet_reach_all_ports_of_each_other(berth):
    subnet = {"subnetIds": [{"id": "/subscriptions/s/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v/subnets/n"}]}
    berth.put("inner", server(berth.image, "subnet", kind="Private", **subnet)).expect(201)
    berth.wait_state("inner", "Running")
    address = wait("it has an address", lambda: berth.ip_of("inner"))
    expect("subnet", tries(berth, "t6", address, OTHER, **subnet))
    expect("refused", tries(berth, "t7", address, OTHER))


CASES = [a_public_address_answers_on_its_declared_port_alone_and_lasts,
         a_pool_that_is_used_up_refuses_and_is_free_again_after_a_delete,
         a_public_address_moves_with_its_group_to_another_node,
         groups_reach_declared_ports_of_each_other_and_nothing_of_the_node,
         groups_of_a_subnet_reach_all_ports_of_each_other]
