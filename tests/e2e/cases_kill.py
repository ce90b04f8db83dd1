"""Killing either program at a chosen moment: containers go on, nothing acknowledged is lost, nothing runs twice."""
import threading
import time

from berth import container, group, wait

GOES_ON = 'trap "exit 0" TERM; echo started; while :; do sleep 1 & wait $!; done'


def going_on(image, mark, policy="Always"):
    return group([container("c", image, ["sh", "-c", GOES_ON, mark])], policy=policy)


def containers_survive_a_killed_agent_with_their_logs_and_seconds(berth):
    berth.put("survive", going_on(berth.image, "mark-survive")).expect(201)
    berth.wait_state("survive", "Running")
    before = berth.processes("mark-survive")
    assert len(before) == 1, before
    berth.agent.kill()
    time.sleep(2)
    assert berth.processes("mark-survive") == before
    berth.agent.start()
    wait("the agent answers for its container", lambda: "started" in berth.logs("survive", "c"), 20)
    assert berth.processes("mark-survive") == before
    assert berth.logs_of_two("survive", "c").count("started") == 1
    assert berth.view("survive", "c")["restartCount"] == 0
    intervals = berth.usage("survive")["value"]
    assert len(intervals) == 1, intervals
    berth.delete("survive")


def an_exit_while_the_agent_was_dead_is_told(berth):
    script = "sleep 3; exit 5"
    berth.put("unseen", group([container("c", berth.image, ["sh", "-c", script])], policy="Never")).expect(201)
    berth.wait_state("unseen", "Running")
    berth.agent.kill()
    time.sleep(3.5)
    berth.agent.start()
    berth.wait_state("unseen", "Failed")
    assert berth.view("unseen", "c")["currentState"]["exitCode"] == 5
    wait("its interval is closed", lambda: berth.closed(berth.usage("unseen")), 10)
    seconds = berth.seconds(berth.usage("unseen"))
    assert 2 <= seconds <= 5, seconds
    berth.delete("unseen")


def what_a_killed_berthd_acknowledged_is_there(berth):
    names = [f"ack-{n}" for n in range(8)]
    for name in names:
        berth.put(name, going_on(berth.image, f"mark-{name}")).expect(201)
    berth.daemon.kill()
    berth.daemon.start()
    for name in names:
        berth.wait_state(name, "Running")
        assert len(berth.processes(f"mark-{name}")) == 1
    for name in names:
        berth.delete(name)


def an_order_given_while_the_agent_was_dead_is_carried_out(berth):
    berth.put("orphan", going_on(berth.image, "mark-orphan")).expect(201)
    berth.wait_state("orphan", "Running")
    berth.agent.kill()
    berth.delete("orphan").expect(200)
    berth.agent.start()
    wait("its process is gone", lambda: not berth.processes("mark-orphan"), 20)


def never_means_at_most_one_run_whatever_dies(berth):
    names = [f"never-{n}" for n in range(6)]
    script = "echo ran; sleep 1.5; exit 0"
    for turn, name in enumerate(names):
        berth.put(name, group([container("c", berth.image, ["sh", "-c", script])], policy="Never")).expect(201)
        time.sleep(0.1 * turn)
        (berth.agent if turn % 2 else berth.daemon).kill()
        (berth.agent if turn % 2 else berth.daemon).start()
    for name in names:
        wait(f"{name} has ended", lambda n=name: berth.state(n) in ("Succeeded", "Failed"), 30)
        assert berth.logs_of_two(name, "c").count("ran") <= 1, berth.logs_of_two(name, "c")
        berth.delete(name)


def a_node_without_the_plane_stops_its_groups_and_runs_them_again_after(berth):
    berth.put("fenced", going_on(berth.image, "mark-fenced")).expect(201)
    berth.wait_state("fenced", "Running")
    berth.daemon.kill()
    wait("the fence has ended the group", lambda: not berth.processes("mark-fenced"), 15)
    berth.daemon.start()
    wait("it runs again", lambda: len(berth.processes("mark-fenced")) == 1, 40)
    berth.wait_state("fenced", "Running")
    berth.delete("fenced")


def a_restart_whose_agent_is_killed_keeps_address_and_seconds(berth):
    slow = 'trap "sleep 4; exit 0" TERM; while :; do sleep 1 & wait $!; done'
    berth.put("handed", group([container("c", berth.image, ["sh", "-c", slow, "mark-handed"])], ports=[80])).expect(201)
    berth.wait_state("handed", "Running")
    address = berth.get("handed")["properties"]["ipAddress"]["ip"]
    before = berth.processes("mark-handed")
    asking = threading.Thread(target=lambda: berth.post("handed", "restart"))
    asking.start()
    time.sleep(1.5)
    berth.agent.kill()
    assert berth.processes("mark-handed") == before, "its end was over before the agent was killed"
    time.sleep(2)
    berth.agent.start()
    asking.join()
    wait("it runs anew", lambda: len(now := berth.processes("mark-handed")) == 1 and now != before, 30)
    berth.wait_state("handed", "Running")
    wait("both runs are told", lambda: len(berth.usage("handed")["value"]) == 2, 10)
    first, second = sorted(berth.usage("handed")["value"], key=lambda i: i["from"])
    assert first["to"] == second["from"], (first, second)
    assert berth.get("handed")["properties"]["ipAddress"]["ip"] == address
    berth.delete("handed")


def the_fence_works_without_the_agent(berth):
    berth.put("alone", going_on(berth.image, "mark-alone")).expect(201)
    berth.wait_state("alone", "Running")
    berth.agent.kill()
    wait("the fence has ended the group", lambda: not berth.processes("mark-alone"), 15)
    berth.agent.start()
    wait("it runs again", lambda: len(berth.processes("mark-alone")) == 1, 40)
    berth.delete("alone")


CASES = [
    containers_survive_a_killed_agent_with_their_logs_and_seconds, an_exit_while_the_agent_was_dead_is_told,
    what_a_killed_berthd_acknowledged_is_there, an_order_given_while_the_agent_was_dead_is_carried_out,
    never_means_at_most_one_run_whatever_dies, a_node_without_the_plane_stops_its_groups_and_runs_them_again_after,
    a_restart_whose_agent_is_killed_keeps_address_and_seconds, the_fence_works_without_the_agent,
]
