"""What happens when a container ends: restart policies, exit codes, back-off."""
from berth import container, group, wait


def job(image, script, policy):
    return group([container("job", image, ["sh", "-c", script])], policy=policy)


def never_shows_the_exit_code_and_runs_once(berth):
    berth.put("never", job(berth.image, "echo ran; exit 7", "Never")).expect(201)
    berth.wait_state("never", "Failed")
    state = berth.view("never", "job")["currentState"]
    assert (state["state"], state["exitCode"], state["detailStatus"]) == ("Terminated", 7, "Error"), state
    assert berth.logs("never", "job") == "ran\n"
    berth.delete("never")


def never_with_exit_0_has_succeeded(berth):
    berth.put("good", job(berth.image, "exit 0", "Never")).expect(201)
    berth.wait_state("good", "Succeeded")
    state = berth.view("good", "job")["currentState"]
    assert (state["exitCode"], state["detailStatus"]) == (0, "Completed"), state
    berth.delete("good")


def on_failure_ends_after_exit_0(berth):
    berth.put("once", job(berth.image, "exit 0", "OnFailure")).expect(201)
    berth.wait_state("once", "Succeeded")
    assert berth.view("once", "job")["restartCount"] == 0
    berth.delete("once")


def on_failure_runs_again_after_another_code(berth):
    berth.put("again", job(berth.image, "exit 1", "OnFailure")).expect(201)
    wait("it was restarted", lambda: (berth.view("again", "job") or {}).get("restartCount", 0) >= 1, 40)
    assert berth.state("again") in ("Running", "Pending"), berth.state("again")
    berth.delete("again")


def always_runs_again_after_exit_0_and_is_counted_between(berth):
    berth.put("loop", job(berth.image, "exit 0", "Always")).expect(201)
    view = wait("it was restarted", lambda: restarted(berth, "loop", 2), 40)
    assert view["previousState"]["exitCode"] == 0, view
    wait("it waits before the next start", lambda: waits(berth, "loop"), 20)
    held = berth.usage("loop")["value"]
    assert len(held) == 1 and held[0]["open"] and held[0]["seconds"] >= 8, held  # counted between its runs too (§26.10)
    berth.delete("loop")


def restarted(berth, name, times):
    view = berth.view(name, "job")
    return view if view and view.get("restartCount", 0) >= times else None


def waits(berth, name):
    return (berth.view(name, "job") or {}).get("currentState", {}).get("state") == "Waiting"


def one_container_that_goes_on_keeps_the_group_running(berth):
    berth.put("both", group([container("short", berth.image, ["true"]), container("long", berth.image, ["sleep", "600"])],
                            policy="Never")).expect(201)
    wait("the short one ended", lambda: over(berth), 30)
    assert berth.state("both") == "Running"
    berth.delete("both")


def over(berth):
    return (berth.view("both", "short") or {}).get("currentState", {}).get("state") == "Terminated"


CASES = [
    never_shows_the_exit_code_and_runs_once, never_with_exit_0_has_succeeded, on_failure_ends_after_exit_0,
    on_failure_runs_again_after_another_code, always_runs_again_after_exit_0_and_is_counted_between,
    one_container_that_goes_on_keeps_the_group_running,
]
