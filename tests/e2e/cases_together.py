"""Features that are used together: probes and streams in each runtime class, logs over the kernel's kill, probes behind
init containers, commands that see what an update of a config map changed, updates of what the network gave."""
from berth import container, group, wait
from cases_class import of_class
from cases_init import GO_ON, init, init_view
from cases_probe import SERVE, address_of, event, reached
from cases_security import NEWER
from cases_stream import CONTROL, ask, execs, opened, ran, run
from web_socket import TEXT

CLASSES = ("runc", "runsc")


def served(berth, name):
    """A group of that class whose container answers on a port as long as it is asked well and /tmp/well is there."""
    script = "touch /tmp/well; " + SERVE + "echo begun; while :; do sleep 0.1; done"
    web = container("web", berth.image, ["sh", "-c", script], memory=0.5, ports=[{"port": 80}],
                    readinessProbe={"httpGet": {"port": 80}, "periodSeconds": 1},
                    livenessProbe={"exec": {"command": ["test", "-e", "/tmp/well"]}, "periodSeconds": 1,
                                   "failureThreshold": 1, "timeoutSeconds": 10})
    asked = of_class(berth, name, web)
    asked["properties"]["ipAddress"] = {"type": "Private", "ports": [{"port": 80}]}
    berth.put(name, asked).expect(201)


def is_typed_into(berth, name):
    typed = run(berth, "/bin/sh", CONTROL, name=name, which="web", terminalSize={"rows": 33, "cols": 77})
    typed.until(b"# ")
    typed.send("stty size\r")
    typed.until(b"33 77")
    typed.send('{"rows": 50, "cols": 132}', TEXT)
    typed.send("sleep 0.2; stty size\r")
    typed.until(b"50 132")
    typed.until(b"# ")
    typed.send("echo on$((1)); cat\r")
    typed.until(b"on1\r\n")
    typed.send("twice\r")
    typed.until(b"twice\r\ntwice\r\n")
    typed.send("\x03")
    typed.until(b"# ")
    typed.send("echo $((40+2))\r")
    typed.until(b"42\r\n")
    typed.close()
    wait("it was hung up", lambda: not execs(berth), 10)


def streams_and_probes_serve_groups_of_every_class(berth):
    for name in CLASSES:
        served(berth, name)
    for name in CLASSES:
        address = address_of(berth, name)
        wait(f"{name} is in service", lambda a=address: reached(a, 80), 20)
        for _ in range(4):  # a runtime may choose by chance which of its descriptors the command gets
            said = ran(berth, "sh -c 'echo $((6*7)); exit 3'", name, which="web")
            assert said == ("42\r\n", (1000, "exit code 3")), said
        is_typed_into(berth, name)
        ticket = ask(berth, "attach", name, "web").expect(200).json
        shown = opened(berth, ticket, f"Authorization: {ticket['password']}")
        shown.until(b"begun")
        shown.close()
        ran(berth, "rm /tmp/well", name, which="web")
    for name in CLASSES:
        wait(f"{name} was restarted", lambda n=name: berth.view(n, "web")["restartCount"] > 0, 30)
        assert event(berth, name, "Killing", "failed liveness probe"), berth.view(name, "web")
        berth.delete(name)


def what_was_said_before_memory_ran_out_is_in_the_log_of_the_run_before(berth):
    script = "test -e /saved/once && { echo second; " + GO_ON + "; }; touch /saved/once; echo last words; exec tail -c 300000000 /dev/zero"
    one = container("c", berth.image, ["sh", "-c", script], volumeMounts=[{"name": "saved", "mountPath": "/saved"}])
    berth.put("oom", group([one], policy="OnFailure", volumes=[{"name": "saved", "emptyDir": {}}])).expect(201)
    wait("it runs again", lambda: berth.logs("oom", "c") == "second\n", 40)
    assert berth.logs("oom", "c", previous="true") == "last words\n"
    before = wait("it is told", lambda: berth.view("oom", "c").get("previousState"))
    assert (before["exitCode"], before["detailStatus"]) == (137, "OOMKilled"), before
    berth.delete("oom")


def probes_begin_behind_init_containers_and_end_only_their_own_container(berth):
    dies = {"exec": {"command": ["test", "-e", "/tmp/up"]}, "periodSeconds": 1, "failureThreshold": 1}
    script = "touch /tmp/up; trap 'exit 0' TERM; sleep 0.8 & wait; rm /tmp/up; while :; do sleep 0.1; done"
    asked = group([container("web", berth.image, ["sh", "-c", script], livenessProbe=dies)], policy="OnFailure",
                  initContainers=[init("first", berth.image, "sleep 1.5")])
    berth.put("behind", asked).expect(201)
    berth.wait_state("behind", "Running")
    assert not event(berth, "behind", "Unhealthy", ""), "asked before it was started"
    wait("it was restarted", lambda: berth.view("behind", "web")["restartCount"] > 0, 20)
    first = init_view(berth, "behind", "first")
    assert first["restartCount"] == 0 and [e["count"] for e in first["events"] if e["name"] == "Started"] == [1], first
    berth.delete("behind")


def a_command_sees_the_files_of_a_config_map_as_they_are_now(berth):
    path = f"{berth.group_path('mapped')}?api-version={NEWER}"

    def put(colour):
        pairs = {"keyValuePairs": {"colour": colour}}
        return berth.client.request("PUT", path, group([container("c", berth.image, ["sh", "-c", "echo begun; " + GO_ON], configMap=pairs)]))

    def colour():
        return ran(berth, "cat /mnt/configmap/c/colour", "mapped")[0]
    put("red").expect(201)
    wait("it runs", lambda: berth.logs("mapped", "c") == "begun\n", 20)
    assert colour() == "red"
    try:
        put("blue").expect(200)
        wait("it is another", lambda: colour() == "blue", 10)
    finally:
        berth.client.request("DELETE", path).expect(200)


def an_update_runs_anew_in_place_with_what_is_new_and_keeps_the_rest(berth):
    def version(word, server):
        env = [{"name": "WORD", "value": "passed over"}, {"name": "WORD", "value": word}]
        script = "echo $WORD; grep -v '^$' /etc/resolv.conf; ls /saved; touch /saved/$WORD; echo end; " + GO_ON
        one = container("c", berth.image, ["sh", "-c", script], environmentVariables=env,
                        volumeMounts=[{"name": "saved", "mountPath": "/saved"}])
        return group([one], ports=[80], volumes=[{"name": "saved", "emptyDir": {}}],
                     dnsConfig={"nameServers": [server], "searchDomains": "one.example two.example", "options": "ndots:2"})

    def said(word):
        return wait(f"{word} runs", lambda: (lambda s: s.splitlines() if s.endswith("end\n") and s.startswith(word) else None)(
            berth.logs("changed", "c")), 30)
    berth.put("changed", version("red", "192.0.2.1")).expect(201)
    assert said("red")[1:-1] == ["nameserver 192.0.2.1", "search one.example two.example", "options ndots:2"], said("red")
    address = address_of(berth, "changed")
    berth.put("changed", version("blue", "192.0.2.2")).expect(200)
    assert "nameserver 192.0.2.2" in said("blue") and "192.0.2.1" not in str(said("blue")), said("blue")
    wait("it is told", lambda: berth.get("changed")["properties"]["provisioningState"] == "Succeeded", 10)
    assert address_of(berth, "changed") == address
    wait("what it holds now is counted", lambda: berth.usage("changed")["value"][-1]["open"], 10)
    intervals = berth.usage("changed")["value"]
    assert all(one["to"] == other["from"] for one, other in zip(intervals, intervals[1:])), intervals
    berth.delete("changed")


CASES = [streams_and_probes_serve_groups_of_every_class,
         what_was_said_before_memory_ran_out_is_in_the_log_of_the_run_before,
         probes_begin_behind_init_containers_and_end_only_their_own_container,
         a_command_sees_the_files_of_a_config_map_as_they_are_now,
         an_update_runs_anew_in_place_with_what_is_new_and_keeps_the_rest]
