"""What of a group is reached from where, and what it reaches: datagrams, forged sources, the node's policy for the way
out, the plane and the node itself. With the instance of cases_network.py, whose node closes a port and an address."""
import contextlib
import os
import subprocess
import sys
import time

from berth import container, group, wait
from cases_identity import with_identity
from cases_network import (CLOSED_PORT, FORBIDDEN, NODE, OUTSIDE, WEB, ZONE,  # noqa: F401 (berth: the instance)
                           another_node, berth, expect, publish, server)

UDP, SEEN = 5353, 9000
FOREVER = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"

ECHO = """
import selectors, socket, sys
asked = selectors.DefaultSelector()
for port in map(int, sys.argv[1:]):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("0.0.0.0", port))
    asked.register(one, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in asked.select():
        said, who = key.fileobj.recvfrom(100)
        key.fileobj.sendto(b"back " + said, who)
"""
ASK = """
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.settimeout(1)
one.connect((sys.argv[1], int(sys.argv[2])))
try:
    one.send(b"there")
    print(one.recv(100).decode())
except OSError:
    pass
"""
RESOLVE = """
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.settimeout(2)
one.connect((sys.argv[1], 53))
name = b"".join(bytes([len(part)]) + part.encode() for part in sys.argv[2].split("."))
one.send(bytes.fromhex("123401000001000000000000") + name + bytes.fromhex("0000010001"))
told = one.recv(512)
if int.from_bytes(told[6:8], "big"):
    print(socket.inet_ntoa(told[-4:]))
"""
SEND = """
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind((sys.argv[1], 0))
one.sendto(sys.argv[1].encode(), (sys.argv[2], int(sys.argv[3])))
"""
TAKE = """
import socket, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.bind(("0.0.0.0", int(sys.argv[1])))
one.settimeout(8)
print("ready", flush=True)
while True:
    print(one.recvfrom(100)[0].decode(), flush=True)
"""
HELLO = """
import selectors, socket, sys
asked = selectors.DefaultSelector()
for port in map(int, sys.argv[2:]):
    one = socket.create_server(("0.0.0.0", port))
    asked.register(one, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in asked.select():
        with key.fileobj.accept()[0] as who:
            who.sendall(sys.argv[1].encode() + b"\\n")
"""
MEET = """
import socket, sys
print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 2).getpeername()[0])
"""


def of_group(berth, mark):
    """Words that run a program in the network of the container with this mark."""
    pid = wait(f"{mark} runs", lambda: berth.processes(mark) or None, 20)[0]
    return ["nsenter", "-t", str(pid), "-n", sys.executable, "-c"]


def outside(berth):
    return ["ip", "netns", "exec", berth.space, sys.executable, "-c"]


@contextlib.contextmanager
def going(place, program, *words):
    """A program there that has said that it is ready, for the block."""
    child = subprocess.Popen([*place, program, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "ready\n"
        yield child
    finally:
        child.terminate()
        child.wait(10)
        child.stdout.close()


def once(place, program, *words):
    return subprocess.run([*place, program, *map(str, words)], capture_output=True, text=True, check=True,
                          stdin=subprocess.DEVNULL).stdout.strip()


def made(reply):
    """What a PUT made; None when there was no room."""
    return reply.json if reply.expect(201, 409).status == 201 else None


def idle(berth, name, mark, kind=None, ports=(), **properties):
    """A group that only waits, on its own or published under a port of a protocol."""
    asked = group([container("c", berth.image, ["sh", "-c", FOREVER, mark])], **properties)
    if kind:
        asked["properties"]["ipAddress"] = {"type": kind, "ports": [{"port": p, "protocol": q} for p, q in ports]}
    return wait(f"there is room for {name}", lambda: made(berth.put(name, asked)))


def connects(berth, name, *targets, identity=False):
    """Which of these (address, port) answer a container, in words: {"10.0.0.1:80": "hello"}, "" when they are refused."""
    tries = "".join(f"echo {a}:{p} $(printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {a} {p} 2>/dev/null | head -n 1 | tr -d '\\r');"
                    for a, p in targets)
    asked = group([container("c", berth.image, ["sh", "-c", tries])], policy="Never")
    berth.put(name, with_identity(asked, "SystemAssigned") if identity else asked).expect(201)
    berth.wait_state(name, "Succeeded")
    said = dict((line + " ").split(" ", 1) for line in berth.logs(name, "c").splitlines())
    berth.delete(name)
    return {target: words.strip() for target, words in said.items()}


def datagrams_reach_a_public_group_on_its_declared_port_alone(berth):
    shown = idle(berth, "udp", "mark-udp", "Public", [(UDP, "UDP")])["properties"]["ipAddress"]["ip"]
    with going(of_group(berth, "mark-udp"), ECHO, UDP, UDP + 1):
        wait("it answers outside", lambda: once(outside(berth), ASK, shown, UDP) == "back there", 10)
        expect("", once(outside(berth), ASK, shown, UDP + 1))
    with going(of_group(berth, "mark-udp"), HELLO, "tcp", UDP):
        expect({f"{shown}:{UDP}": ""}, connects(berth, "asks", (shown, UDP)))
    berth.delete("udp")


def a_label_leads_to_its_group_from_outside(berth):
    asked = server(berth.image, "bakery")
    asked["properties"]["ipAddress"]["dnsNameLabel"] = "bakery"
    shown = wait("there is room", lambda: made(berth.put("labelled", asked)))["properties"]["ipAddress"]
    assert shown["fqdn"].endswith(f".{ZONE}"), shown
    found = wait("its name is known", lambda: once(outside(berth), RESOLVE, NODE, shown["fqdn"]) or None, 10)
    expect(shown["ip"], found)
    wait("it answers", lambda: berth.ask(found) == "bakery")
    berth.delete("labelled")
    wait("its name is gone", lambda: not once(outside(berth), RESOLVE, NODE, shown["fqdn"]), 10)


def what_a_group_sends_under_anothers_address_is_dropped(berth):
    idle(berth, "forger", "mark-forger")
    idle(berth, "victim", "mark-victim", "Private", [(WEB, "TCP")])
    victim = wait("it has an address", lambda: berth.ip_of("victim"), 20)
    forger = of_group(berth, "mark-forger")
    net = forger[:4]
    own = next(word.split("/")[0] for word in subprocess.run(
        [*net, "ip", "-o", "-4", "addr", "show", "dev", "eth0"], capture_output=True, text=True, check=True).stdout.split() if "/" in word)
    subprocess.run([*net, "ip", "addr", "add", f"{victim}/32", "dev", "eth0"], check=True)
    with going(outside(berth), TAKE, SEEN) as heard:
        once(forger, SEND, victim, OUTSIDE, SEEN)
        once(forger, SEND, own, OUTSIDE, SEEN)
        expect(own, heard.stdout.readline().strip())  # the other was sent first
    for name in ("forger", "victim"):
        berth.delete(name)


def the_node_says_where_its_groups_may_connect_to(berth):
    with going(outside(berth), HELLO, "outside", WEB, CLOSED_PORT):
        expect({f"{OUTSIDE}:{WEB}": "outside", f"{OUTSIDE}:{CLOSED_PORT}": "", f"{FORBIDDEN}:{WEB}": ""},
               connects(berth, "bounded", (OUTSIDE, WEB), (OUTSIDE, CLOSED_PORT), (FORBIDDEN, WEB)))
        expect(FORBIDDEN, once(outside(berth), MEET, FORBIDDEN, WEB))  # it is there


def a_group_reaches_neither_the_plane_nor_more_than_one_port_of_its_metadata(berth):
    plane, metadata = berth.daemon.port, "169.254.169.254"
    seen = connects(berth, "prisoner", (NODE, plane), (berth.gateway(), plane), (metadata, 80), (metadata, 22),
                    (metadata, 8080), ("169.254.1.1", 80), identity=True)
    assert seen.pop(f"{metadata}:80").startswith("HTTP/1."), seen
    assert set(seen.values()) == {""}, seen
    expect(NODE, once(outside(berth), MEET, NODE, plane))  # others reach it there


def a_node_that_is_fenced_gives_its_public_addresses_up(berth):
    shown = publish(berth, "given-up", "back again")
    wait("it answers", lambda: berth.ask(shown) == "back again")
    berth.agent.kill()
    assert berth.on_link(shown)
    wait("the fence has taken its address off", lambda: not berth.on_link(shown), 15)
    berth.daemon.kill()
    started = berth.agent.process.said().count("agent_started")
    berth.agent.start(ready=False)
    wait("another agent is there", lambda: berth.agent.process.said().count("agent_started") > started, 10)
    time.sleep(0.5)
    assert not berth.on_link(shown), "taken back without a word of the plane"
    berth.daemon.start()
    wait("it answers again", lambda: berth.ask(shown) == "back again", 40)
    berth.delete("given-up")


def a_group_of_a_lost_node_answers_at_its_address_from_another(berth):
    shown = publish(berth, "mover", "still here")
    wait("it answers", lambda: berth.ask(shown) == "still here")
    with another_node(berth) as second:
        berth.agent.kill()
        begun = time.monotonic()
        wait("it is gone there", lambda: berth.ask(shown) == "", 15)
        wait("it answers from the other node", lambda: berth.ask(shown) == "still here", 30)
        assert time.monotonic() - begun < 15, time.monotonic() - begun
        berth.agent.start()
        wait("the first node has nothing of it", lambda: not berth.group_traces(), 20)
        assert berth.on_link(shown) and berth.ask(shown) == "still here", "the first node took the address"
        assert shown in os.listdir(f"{second.run_dir}/network/public")
        berth.delete("mover")
        berth.wait_gone("mover")
        wait("the address is gone", lambda: not berth.on_link(shown), 10)


CASES = [datagrams_reach_a_public_group_on_its_declared_port_alone,
         a_label_leads_to_its_group_from_outside, what_a_group_sends_under_anothers_address_is_dropped,
         the_node_says_where_its_groups_may_connect_to,
         a_group_reaches_neither_the_plane_nor_more_than_one_port_of_its_metadata,
         a_node_that_is_fenced_gives_its_public_addresses_up,
         a_group_of_a_lost_node_answers_at_its_address_from_another]
