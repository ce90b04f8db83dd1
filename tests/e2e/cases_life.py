"""A group's life: how its containers are stopped, started again, and what is told of them meanwhile."""
import contextlib
import json
import time

import berth as parts
from berth import container, group, wait

GO_ON = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'
# Wall time that a crash loop must not need here: each further wait is twice as long, up to the longest.
QUICK = {"restart_backoff_ms": 300, "restart_backoff_max_ms": 1000, "stop_grace_ms": 1500}


@contextlib.contextmanager
def settings(berth, **changed):
    """The node's agent with other settings; its containers go on meanwhile."""
    with open(berth.agent.config, encoding="utf-8") as opened:
        before = opened.read()
    restart(berth, json.dumps({**json.loads(before), **changed}))
    try:
        yield
    finally:
        restart(berth, before)


def restart(berth, config):
    berth.agent.stop()
    with open(berth.agent.config, "w", encoding="utf-8") as out:
        out.write(config)
    begun = berth.agent.process.said().count("agent_started")
    berth.agent.start()
    wait("it has begun", lambda: berth.agent.process.said().count("agent_started") > begun, 20)


def one(image, script, policy="Always", **properties):
    return group([container("c", image, ["sh", "-c", script], **properties)], policy=policy)


def current(berth, name, which="c"):
    return (berth.view(name, which) or {}).get("currentState", {})


def ended(berth, name, which="c"):
    state = current(berth, name, which)
    return state if state.get("state") == "Terminated" else None


def events(berth, name, which="c"):
    return {e["name"]: e for e in berth.view(name, which)["events"]}


def a_stop_asks_with_sigterm_and_tells_the_run_it_ended(berth):
    script = 'trap "echo asked; exit 0" TERM; echo up; while :; do sleep 1 & wait $!; done'
    berth.put("polite", one(berth.image, script)).expect(201)
    wait("it is up", lambda: "up" in berth.logs("polite", "c"), 20)
    started = current(berth, "polite")["startTime"]
    begun = time.monotonic()
    berth.post("polite", "stop").expect(204)
    assert time.monotonic() - begun < 5, "it waited for one that had ended"
    berth.wait_state("polite", "Stopped")
    assert "asked" in berth.logs("polite", "c"), berth.logs("polite", "c")
    view = berth.view("polite", "c")
    state, before = view["currentState"], view["previousState"]
    assert (state["state"], state["detailStatus"]) == ("Terminated", "Container stopped per client request"), view
    assert "exitCode" not in state and state["finishTime"], view
    assert (before["state"], before["startTime"]) == ("Running", started), view
    assert events(berth, "polite")["Killing"]["message"] == "Killing container c", view
    assert berth.get("polite")["properties"]["provisioningState"] == "Succeeded"
    berth.delete("polite")


def the_image_names_the_signal_that_stops(berth):
    archive = parts.busybox_archive(berth.folder, "--stop-signal", "SIGUSR1")
    image = berth.registry.push(archive, "usr1:1")
    script = 'trap "echo by usr1; exit 0" USR1; trap "echo by term" TERM; echo up; while :; do sleep 1 & wait $!; done'
    berth.put("signal", one(image, script)).expect(201)
    wait("it is up", lambda: "up" in berth.logs("signal", "c"), 20)
    berth.post("signal", "stop").expect(204)
    assert berth.logs("signal", "c") == "up\nby usr1\n", berth.logs("signal", "c")
    berth.delete("signal")


def one_that_does_not_listen_is_killed_after_the_grace(berth):
    berth.put("deaf", group([container("c", berth.image, ["sh", "-c", 'trap "" TERM; while :; do sleep 1; done', "mark-deaf"])])).expect(201)
    wait("it runs", lambda: berth.processes("mark-deaf") or None, 20)
    begun = time.monotonic()
    berth.post("deaf", "stop").expect(204)
    took = time.monotonic() - begun
    assert 1.4 < took < 8, took
    berth.wait_state("deaf", "Stopped")
    assert not berth.processes("mark-deaf")
    berth.delete("deaf")


def a_crash_loop_waits_longer_each_time_and_says_so(berth):
    berth.put("loop", one(berth.image, "exit 5", "OnFailure")).expect(201)
    view = wait("it was started four times", lambda: at_least(berth, "loop", 3), 20)
    assert view["previousState"]["exitCode"] == 5, view
    waiting = wait("it waits", lambda: one_that_waits(berth, "loop"), 10)
    assert waiting["detailStatus"] == "CrashLoopBackOff", waiting
    assert berth.state("loop") == "Running"
    seen = events(berth, "loop")
    assert seen["BackOff"]["count"] >= 2 and seen["BackOff"]["message"] == "Back-off restarting failed container", seen
    assert seen["Started"]["count"] >= 4, seen
    berth.post("loop", "stop").expect(204)
    berth.wait_state("loop", "Stopped")
    assert (current(berth, "loop")["exitCode"], current(berth, "loop")["state"]) == (5, "Terminated"), berth.view("loop", "c")
    berth.delete("loop")


def at_least(berth, name, restarts):
    view = berth.view(name, "c") or {}
    return view if view.get("restartCount", 0) >= restarts else None


def one_that_waits(berth, name):
    state = current(berth, name)
    return state if state.get("state") == "Waiting" else None


def the_kernel_s_kill_for_memory_is_told_apart(berth):
    eat = "tail -c 300000000 /dev/zero > /dev/null"
    wide = {"resources": {"requests": {"cpu": 0.5, "memoryInGB": 0.1}}}
    berth.put("hungry", group([container("first", berth.image, ["sh", "-c", f"exec {eat}"], **wide),
                               container("child", berth.image, ["sh", "-c", f"{eat}; exit $?"], **wide),
                               container("other", berth.image, ["sh", "-c", "exit 137"]),
                               container("calm", berth.image, ["sh", "-c", GO_ON])], policy="Never")).expect(201)
    seen = {n: wait(f"{n} ended", lambda n=n: ended(berth, "hungry", n), 40) for n in ("first", "child", "other")}
    assert [(seen[n]["exitCode"], seen[n]["detailStatus"]) for n in ("first", "child")] == [(137, "OOMKilled")] * 2, seen
    assert seen["other"]["detailStatus"] == "Error", seen
    assert current(berth, "hungry", "calm")["state"] == "Running"
    assert berth.state("hungry") == "Running"
    berth.delete("hungry")


def a_group_has_succeeded_when_each_container_did_whatever_came_between(berth):
    flaky = "test -e /shared/tried && exit 0; touch /shared/tried; exit 1"
    body = group([container("good", berth.image, ["true"]),
                  container("flaky", berth.image, ["sh", "-c", flaky], volumeMounts=[{"name": "shared", "mountPath": "/shared"}]),
                  container("long", berth.image, ["sleep", "3"])], policy="OnFailure",
                 volumes=[{"name": "shared", "emptyDir": {}}])
    berth.put("mixed", body).expect(201)
    wait("the good one ended", lambda: ended(berth, "mixed", "good"), 20)
    wait("the flaky one ended well", lambda: ended(berth, "mixed", "flaky"), 20)
    assert berth.state("mixed") == "Running"
    berth.wait_state("mixed", "Succeeded")
    counts = [berth.view("mixed", n)["restartCount"] for n in ("good", "flaky", "long")]
    assert counts == [0, 1, 0], counts
    assert berth.view("mixed", "flaky")["previousState"]["exitCode"] == 1
    berth.delete("mixed")


def a_restart_adds_to_the_events_and_a_start_has_its_own(berth):
    berth.put("events", one(berth.image, GO_ON)).expect(201)
    berth.wait_state("events", "Running")
    berth.post("events", "restart").expect(204)
    seen = wait("it started again", lambda: twice(berth), 20)
    assert seen["Killing"]["count"] == 1 and seen["Pulled"]["count"] == 2, seen
    assert berth.view("events", "c")["restartCount"] == 0
    berth.post("events", "stop").expect(204)
    berth.post("events", "start").expect(202)
    berth.wait_state("events", "Running")
    assert events(berth, "events")["Started"]["count"] == 1, events(berth, "events")
    berth.delete("events")


def twice(berth):
    seen = events(berth, "events") if berth.view("events", "c") else {}
    return seen if seen.get("Started", {}).get("count") == 2 and berth.state("events") == "Running" else None


def quickly(case):
    """The case with the settings above."""
    def wrapped(berth):
        with settings(berth, **QUICK):
            case(berth)
    wrapped.__name__ = case.__name__
    return wrapped


CASES = [
    a_stop_asks_with_sigterm_and_tells_the_run_it_ended, the_image_names_the_signal_that_stops,
    the_kernel_s_kill_for_memory_is_told_apart, a_restart_adds_to_the_events_and_a_start_has_its_own,
    *map(quickly, (one_that_does_not_listen_is_killed_after_the_grace, a_crash_loop_waits_longer_each_time_and_says_so,
                   a_group_has_succeeded_when_each_container_did_whatever_came_between)),
]
