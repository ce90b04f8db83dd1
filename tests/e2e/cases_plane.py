"""Usage, secrets and admission: what the plane promises about groups that really run."""
import os
import subprocess
import time

from berth import LOCATION, QUEUE_LOCATION, container, group, wait


def usage_is_exact_to_the_second_while_it_runs_and_after(berth):
    berth.put("meter", group([container("c", berth.image, ["sleep", "600"], cpu=0.2, memory=0.3)])).expect(201)
    berth.wait_state("meter", "Running")
    began = time.time()
    time.sleep(5)
    during = wait("usage is told while it runs", lambda: at_least(berth.usage("meter"), 3), 10)
    check_shape(during)
    berth.delete("meter").expect(200)
    wait("its interval is closed", lambda: berth.closed(berth.usage("meter")), 20)
    ran = time.time() - began
    after = berth.usage("meter")
    check_shape(after)
    seconds = berth.seconds(after)
    assert 5 <= seconds <= ran + 2, f"{seconds} s metered, ran about {ran:.1f} s"
    time.sleep(2)
    assert berth.usage("meter")["value"] == after["value"], "usage of a deleted group has changed"


def at_least(usage, seconds):
    """The usage once it shows that many seconds."""
    total = sum(i["seconds"] for i in usage["value"])
    return usage if total >= seconds else None


def check_shape(usage):
    for one in usage["value"]:
        assert one["cpuMilliSeconds"] == one["seconds"] * 200, one
        assert one["memoryMibSeconds"] == one["seconds"] * 308, one  # ceil(300 * 1024 / 1000)


def a_stopped_group_is_not_billed(berth):
    berth.put("pause", group([container("c", berth.image, ["sleep", "600"])])).expect(201)
    berth.wait_state("pause", "Running")
    berth.post("pause", "stop").expect(204)
    wait("its interval is closed", lambda: berth.closed(berth.usage("pause")), 30)
    before = berth.seconds(berth.usage("pause"))
    time.sleep(3)
    assert berth.seconds(berth.usage("pause")) == before
    berth.post("pause", "start").expect(202, 204)
    berth.wait_state("pause", "Running")
    wait("a second interval is open", lambda: len(berth.usage("pause")["value"]) == 2, 10)
    berth.delete("pause")


def a_secret_reaches_the_container_and_nothing_else(berth):
    secret = "hush-" + os.urandom(8).hex()
    env = [{"name": "KEY", "secureValue": secret}, {"name": "LENGTH", "value": str(len(secret))}]
    script = '[ "${#KEY}" = "$LENGTH" ] && echo right length; echo "$KEY" | md5sum; exec sleep 600'
    reply = berth.put("secret", group([container("c", berth.image, ["sh", "-c", script], environmentVariables=env)]))
    reply.expect(201)
    berth.wait_state("secret", "Running")
    said = wait("the container saw it", lambda: berth.logs("secret", "c") or None, 10)
    assert "right length" in said, said
    assert secret not in reply.text and secret not in berth.request("GET", "secret").text
    listed = berth.client.request("GET", berth.group_path("")[:-1] + f"?api-version=2023-05-01")
    assert secret not in listed.text
    places = [path for path in (berth.daemon.folder, berth.agent.folder) if os.path.isdir(path)]
    found = subprocess.run(["grep", "-rlaF", "--", secret, *places], capture_output=True, text=True, check=False)
    assert found.returncode == 1, f"the secret is on disk: {found.stdout}{found.stderr}"
    berth.delete("secret")


def a_secret_survives_a_restart_of_both(berth):
    secret = "hush-" + os.urandom(8).hex()
    env = [{"name": "KEY", "secureValue": secret}]
    script = 'echo "$KEY" | md5sum; exec sleep 600'
    berth.put("kept", group([container("c", berth.image, ["sh", "-c", script], environmentVariables=env)])).expect(201)
    berth.wait_state("kept", "Running")
    before = wait("it told its sum", lambda: berth.logs("kept", "c").strip() or None, 10)
    berth.daemon.restart()
    berth.post("kept", "stop").expect(204)
    berth.wait_state("kept", "Stopped")
    berth.post("kept", "start").expect(202, 204)
    berth.wait_state("kept", "Running")
    after = wait("it told its sum", lambda: berth.logs("kept", "c").strip() or None, 10)
    berth.delete("kept")
    assert before == after, (before, after)


def a_group_larger_than_the_node_is_refused_with_409(berth):
    reply = berth.put("huge", group([container("c", berth.image, ["true"], cpu=31, memory=100)]))
    assert (reply.status, reply.code) == (409, "ServiceUnavailable"), reply.text
    assert berth.request("GET", "huge").status == 404


def a_location_that_queues_accepts_and_says_why_it_waits(berth):
    berth.put("later", group([container("c", berth.image, ["true"])], location=QUEUE_LOCATION)).expect(201)
    event = wait("an event says why", lambda: berth.get("later")["properties"]["instanceView"]["events"] or None, 10)
    assert event[0]["message"], event
    assert berth.state("later") == "Pending"
    berth.delete("later")


def nodes_are_listed_with_what_they_hold(berth):
    nodes = berth.client.request("GET", "/v1/nodes").expect(200).json["value"]
    assert len(nodes) == 1 and nodes[0]["location"] == LOCATION, nodes


CASES = [
    usage_is_exact_to_the_second_while_it_runs_and_after, a_stopped_group_is_not_billed,
    a_secret_reaches_the_container_and_nothing_else, a_secret_survives_a_restart_of_both,
    a_group_larger_than_the_node_is_refused_with_409, a_location_that_queues_accepts_and_says_why_it_waits,
    nodes_are_listed_with_what_they_hold,
]
