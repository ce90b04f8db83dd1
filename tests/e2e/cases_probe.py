"""Liveness and readiness probes against real containers. Ports are tried as nobody: the node's root reaches them all."""
import contextlib
import os
import socket
import subprocess

from berth import container, group, wait

SERVE = "mkdir -p /www; echo fine >/www/index.html; httpd -p 80 -h /www; trap 'exit 0' TERM; "
FOREVER = "while :; do sleep 0.1; done"
NOBODY = 65534


def probed(berth, script, mark="x", **properties):
    return container("web", berth.image, ["sh", "-c", script, mark], **properties)


def reached(address, port):
    """Whether a connection is taken; made by a child that is not root."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            socket.create_connection((address, port), 0.3).close()
            os._exit(0)
        os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def address_of(berth, name):
    return wait("it has an address", lambda: berth.get(name)["properties"].get("ipAddress", {}).get("ip"), 20)


def event(berth, name, kind, words):
    """The event of the container whose message holds the words; None."""
    return next((e for e in (berth.view(name, "web") or {}).get("events", [])
                 if e["name"] == kind and words in e["message"]), None)


def liveness_by_a_command_restarts_in_place(berth):
    script = "touch /healthy; trap 'exit 0' TERM; sleep 1.5; rm /healthy; " + FOREVER
    probe = {"exec": {"command": ["cat", "/healthy"]}, "periodSeconds": 1, "failureThreshold": 2}
    berth.put("live", group([probed(berth, script, livenessProbe=probe)], policy="OnFailure", ports=[80])).expect(201)
    address = address_of(berth, "live")
    shown = berth.get("live")["properties"]["containers"][0]["properties"]["livenessProbe"]
    assert shown == probe, shown
    wait("it was restarted", lambda: (berth.view("live", "web") or {}).get("restartCount", 0) >= 1, 20)
    failed = event(berth, "live", "Unhealthy", "Liveness probe failed: cat: can't open '/healthy'")
    assert failed and failed["type"] == "Warning" and failed["count"] >= 2, berth.view("live", "web")
    killing = event(berth, "live", "Killing", "failed liveness probe, will be restarted")
    assert killing and killing["type"] == "Normal", berth.view("live", "web")
    wait("it runs again", lambda: berth.view("live", "web")["currentState"]["state"] == "Running", 20)
    assert berth.view("live", "web")["previousState"]["exitCode"] == 0  # even so: it was ended for its health
    assert address_of(berth, "live") == address
    berth.delete("live")


def liveness_by_http_with_never_ends_for_good(berth):
    probe = {"httpGet": {"path": "/gone", "port": 80}, "periodSeconds": 1, "failureThreshold": 2}
    script = SERVE.replace("exit 0", "exit 5") + FOREVER
    berth.put("dead", group([probed(berth, script, livenessProbe=probe)], policy="Never")).expect(201)
    berth.wait_state("dead", "Failed")
    view = berth.view("dead", "web")
    assert view["restartCount"] == 0 and view["currentState"]["exitCode"] == 5, view
    assert event(berth, "dead", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404"), view
    assert event(berth, "dead", "Killing", "will not be restarted"), view
    berth.delete("dead")


def readiness_takes_its_port_into_service_and_out(berth):
    script = SERVE + "sleep 1.5; echo yes >/www/ready; sleep 3; rm /www/ready; " + FOREVER
    probe = {"httpGet": {"path": "/ready", "port": 80}, "periodSeconds": 1, "failureThreshold": 1}
    web = probed(berth, script, ports=[{"port": 80}], readinessProbe=probe)
    berth.put("ready", group([web], ports=[80])).expect(201)
    berth.wait_state("ready", "Running")
    address = address_of(berth, "ready")
    wait("it was asked", lambda: event(berth, "ready", "Unhealthy", "Readiness probe failed: "), 10)
    assert not reached(address, 80)
    wait("it is in service", lambda: reached(address, 80), 10)
    wait("it is out of service", lambda: not reached(address, 80), 10)
    view = berth.view("ready", "web")
    assert view["restartCount"] == 0 and view["currentState"]["state"] == "Running", view
    berth.delete("ready")


def an_agent_that_was_killed_keeps_a_ready_container_in_service(berth):
    probe = {"httpGet": {"port": 80}, "periodSeconds": 1}
    web = probed(berth, SERVE + FOREVER, ports=[{"port": 80}], readinessProbe=probe)
    berth.put("kept", group([web], ports=[80])).expect(201)
    address = address_of(berth, "kept")
    wait("it is in service", lambda: reached(address, 80), 15)
    berth.agent.kill()
    assert reached(address, 80)
    berth.agent.start()
    assert reached(address, 80) and berth.view("kept", "web")["restartCount"] == 0
    berth.delete("kept")


def https_is_asked_without_a_certificate_that_anyone_vouches_for(berth):
    probe = {"httpGet": {"port": 443, "scheme": "https"}, "periodSeconds": 1}
    web = probed(berth, "echo $0; trap 'exit 0' TERM; " + FOREVER, "probe-tls", ports=[{"port": 443}],
                 readinessProbe=probe)
    berth.put("tls", group([web], ports=[443])).expect(201)
    address = address_of(berth, "tls")
    pid = wait("it runs", lambda: berth.processes("probe-tls") or None, 15)[0]
    wait("it was asked", lambda: event(berth, "tls", "Unhealthy", f'Get "https://{address}:443/": '), 10)
    pem = f"{berth.folder}/self-signed.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=nobody",
                    "-keyout", pem, "-out", pem], check=True, capture_output=True)
    server = subprocess.Popen(["nsenter", "-t", str(pid), "-n", "openssl", "s_server", "-accept", "443", "-www", "-quiet",
                               "-cert", pem], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait("it is in service", lambda: reached(address, 443), 10)
    finally:
        server.kill()
        server.wait()
    berth.delete("tls")


def headers_are_sent_and_a_probe_in_time_is_waited_for(berth):
    answer = ("while read -r line; do line=$(echo \"$line\" | tr -d '\\r'); [ -n \"$line\" ] || break;"
              " echo \"$line\" >/proc/1/fd/1; done; printf 'HTTP/1.0 204 No Content\\r\\n\\r\\n'")
    script = f"printf '%s' '{answer.replace(chr(39), chr(39) + chr(92) + chr(39) + chr(39))}' >/answer; " \
             "nc -ll -p 80 -e sh /answer & trap 'exit 0' TERM; wait"
    probe = {"httpGet": {"path": "/a?b=c", "port": 80, "httpHeaders": [{"name": "X-Probe", "value": "one two"},
                                                                     {"name": "Host", "value": "inside.example"}]},
             "initialDelaySeconds": 1, "periodSeconds": 1}
    berth.put("heads", group([probed(berth, script, livenessProbe=probe)])).expect(201)
    said = wait("it was asked", lambda: "X-Probe" in berth.logs("heads", "web") and berth.logs("heads", "web"), 15)
    assert "GET /a?b=c HTTP/1.1\n" in said and "X-Probe: one two\n" in said and "Host: inside.example\n" in said, said
    assert not event(berth, "heads", "Unhealthy", ""), berth.view("heads", "web")
    berth.delete("heads")


CASES = [
    liveness_by_a_command_restarts_in_place,
    liveness_by_http_with_never_ends_for_good,
    readiness_takes_its_port_into_service_and_out,
    an_agent_that_was_killed_keeps_a_ready_container_in_service,
    https_is_asked_without_a_certificate_that_anyone_vouches_for,
    headers_are_sent_and_a_probe_in_time_is_waited_for,
]
