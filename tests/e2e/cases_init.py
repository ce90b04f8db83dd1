"""Init containers: one after another before the others, what they may use, what their failure means."""
from berth import container, group, wait

GO_ON = 'trap "exit 0" TERM; sleep 600 & wait $!'
SHARED = [{"name": "shared", "emptyDir": {}}]
MOUNT = [{"name": "shared", "mountPath": "/shared"}]


def init(name, image, script, **properties):
    return {"name": name, "properties": {"image": image, "command": ["sh", "-c", script], **properties}}


def with_init(berth, inits, script="cat /shared/*; " + GO_ON, policy="Always"):
    return group([container("app", berth.image, ["sh", "-c", script], cpu=1, volumeMounts=MOUNT)], policy=policy, volumes=SHARED,
                 initContainers=inits)


def init_view(berth, name, which):
    for one in berth.get(name)["properties"]["initContainers"]:
        if one["name"] == which:
            return one["properties"].get("instanceView") or {}
    return {}


def now(berth, name, which):
    return init_view(berth, name, which).get("currentState", {})


def init_containers_run_one_after_another_before_the_others(berth):
    first = 'test ! -e /shared/b && sleep 1 && echo "$OPEN $HIDDEN" > /shared/a && echo first did it'
    env = [{"name": "OPEN", "value": "open"}, {"name": "HIDDEN", "secureValue": "hush"}]
    berth.put("built", with_init(berth, [
        init("first", berth.image, first, volumeMounts=MOUNT, environmentVariables=env),
        init("second", berth.image, "cat /shared/a && echo second > /shared/b", volumeMounts=MOUNT)])).expect(201)
    wait("the first one runs", lambda: now(berth, "built", "first").get("state") == "Running", 20)
    seen = berth.get("built")["properties"]
    assert (seen["instanceView"]["state"], seen["provisioningState"]) == ("Pending", "Creating"), seen
    assert seen["containers"][0]["properties"]["instanceView"]["currentState"]["state"] == "Waiting", seen
    berth.wait_state("built", "Running")
    said = wait("the container saw what they left", lambda: berth.logs("built", "app") or None, 10)
    assert said == "open hush\nsecond\n", said
    assert berth.logs("built", "first") == "first did it\n"
    ended_well_is_shown_as_completed(berth)
    run_again_with_their_group(berth)
    berth.delete("built")


def ended_well_is_shown_as_completed(berth):
    one, other = now(berth, "built", "first"), now(berth, "built", "second")
    assert (one["state"], one["exitCode"], one["detailStatus"]) == ("Terminated", 0, "Completed"), one
    assert one["finishTime"] <= other["startTime"], (one, other)
    app = berth.view("built", "app")["currentState"]
    assert other["finishTime"] <= app["startTime"], (other, app)
    view = init_view(berth, "built", "first")
    assert view["restartCount"] == 0 and {"Pulled", "Created", "Started"} <= {e["name"] for e in view["events"]}, view


def run_again_with_their_group(berth):
    before = now(berth, "built", "second")["startTime"]
    berth.post("built", "restart").expect(204)
    wait("the second one ran again", lambda: now(berth, "built", "second").get("startTime", before) > before, 30)
    berth.wait_state("built", "Running")
    assert init_view(berth, "built", "second")["restartCount"] == 0


def an_init_container_may_use_all_that_the_group_holds(berth):
    show = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; head -c 150m /dev/zero | tail -c 150m | wc -c"
    body = with_init(berth, [init("eats", berth.image, show)], GO_ON)
    body["properties"]["containers"].append(container("side", berth.image, ["sleep", "600"], memory=0.3))
    berth.put("large", body).expect(201)
    berth.wait_state("large", "Running")
    assert now(berth, "large", "eats")["exitCode"] == 0
    assert "157286400" in berth.logs("large", "eats"), berth.logs("large", "eats")
    berth.delete("large")


def under_never_one_that_fails_fails_the_group_and_nobody_else_runs(berth):
    berth.put("failed", with_init(berth, [init("first", berth.image, "echo no; exit 9"), init("second", berth.image, "true")],
                                  policy="Never")).expect(201)
    berth.wait_state("failed", "Failed")
    one = now(berth, "failed", "first")
    assert (one["state"], one["exitCode"], one["detailStatus"]) == ("Terminated", 9, "Error"), one
    assert now(berth, "failed", "second").get("state") == "Waiting"
    assert berth.view("failed", "app")["currentState"]["state"] == "Waiting"
    assert berth.get("failed")["properties"]["provisioningState"] == "Succeeded"
    assert berth.logs("failed", "first") == "no\n"
    wait("it is counted no more", lambda: berth.closed(berth.usage("failed")), 15)
    berth.delete("failed")


def under_always_one_that_fails_is_started_again_until_it_ends_well(berth):
    once = "test -e /shared/tried && exit 0; touch /shared/tried; exit 3"
    berth.put("again", with_init(berth, [init("first", berth.image, once, volumeMounts=MOUNT)], GO_ON)).expect(201)
    berth.wait_state("again", "Running")
    view = init_view(berth, "again", "first")
    assert view["restartCount"] == 1 and view["previousState"]["exitCode"] == 3, view
    assert view["currentState"]["exitCode"] == 0, view
    assert berth.view("again", "app")["restartCount"] == 0
    berth.delete("again")


def a_stop_ends_an_init_container(berth):
    hold = 'trap "exit 0" TERM; echo up; while :; do sleep 1 & wait $!; done'
    berth.put("held", with_init(berth, [{"name": "first", "properties": {
        "image": berth.image, "command": ["sh", "-c", hold, "mark-init"]}}])).expect(201)
    wait("it runs", lambda: berth.processes("mark-init") or None, 20)
    before = berth.processes("mark-init")
    berth.agent.kill()
    berth.agent.start()
    assert berth.processes("mark-init") == before, (before, berth.processes("mark-init"), now(berth, "held", "first"))
    berth.post("held", "stop").expect(204)
    berth.wait_state("held", "Stopped")
    assert not berth.processes("mark-init")
    assert berth.view("held", "app")["currentState"]["state"] == "Waiting", berth.view("held", "app")
    berth.delete("held")


CASES = [
    init_containers_run_one_after_another_before_the_others, an_init_container_may_use_all_that_the_group_holds,
    under_never_one_that_fails_fails_the_group_and_nobody_else_runs,
    under_always_one_that_fails_is_started_again_until_it_ends_well, a_stop_ends_an_init_container,
]
