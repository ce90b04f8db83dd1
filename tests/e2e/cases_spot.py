"""Priority Spot on a small node: who gives way to whom, what is counted of it, and what becomes of it whoever dies meanwhile.
Spot groups have no public address (nor may they ask for one), so there is none to keep."""
import time

from berth import Berth, container, group, wait

RUNS = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'
SLOW = 'trap "sleep 4; exit 0" TERM; while :; do sleep 1 & wait $!; done'


def berth():
    """One core is all the node has."""
    return Berth(agent={"cpu_milli": 1000})


def mark(name):
    return f"mark-spot-{name}"


def begin(berth, name, cpu, script=RUNS, **properties):
    command = ["sh", "-c", script, mark(name)]
    berth.put(name, group([container("c", berth.image, command, cpu=cpu)], **properties)).expect(201)


def begin_first(berth, *args, **properties):
    """Once the groups of the case before have let go of the node."""
    def is_room():
        try:
            begin(berth, *args, **properties)
        except AssertionError:
            return False
        return True
    wait("the node is free", is_room, 20)


def counted(berth, name, how_many=1):
    """Its intervals, once there are so many with a second in them."""
    return wait(f"{name} is counted", lambda: len(told := berth.usage(name)["value"]) == how_many and told, 10)


def running(berth, *names):
    """The process of each."""
    for name in names:
        berth.wait_state(name, "Running")
    return [alive(berth, name) for name in names]


def alive(berth, name):
    return berth.processes(mark(name))


def events(berth, name):
    return [event["name"] for event in berth.get(name)["properties"]["instanceView"]["events"]]


def never_both(berth, one, other, done, timeout_s=40):
    """Until done(): the processes of two groups are never there together. The second in which the first was gone."""
    gone_s = None
    end = time.time() + timeout_s
    while not done():
        before = alive(berth, other)  # in this order: what was there before stays until it has given way
        if not alive(berth, one):
            gone_s = gone_s or time.time()
        else:
            assert not before, f"{one} and {other} run together"
        assert time.time() < end, f"{one} does not give way to {other}"
        time.sleep(0.05)
    return gone_s or time.time()


def the_cheapest_gives_way_to_the_second_and_runs_again_when_there_is_room(berth):
    begin_first(berth, "base", 0.1)
    begin(berth, "large", 0.5, priority="Spot")
    begin(berth, "small", 0.3, priority="Spot")
    base, large, small = running(berth, "base", "large", "small")
    assert [len(one) for one in (base, large, small)] == [1, 1, 1]
    begin(berth, "needs", 0.4)
    gone_s = never_both(berth, "small", "needs", lambda: alive(berth, "needs"))
    running(berth, "needs")
    assert alive(berth, "large") == large and alive(berth, "base") == base
    view = berth.get("small")["properties"]["instanceView"]
    assert view["state"] == "Pending" and "SpotEvicted" in events(berth, "small"), view
    assert events(berth, "small").count("SpotEvicted") == 1 and "SpotEvicted" not in events(berth, "large")
    wait("its usage is closed", lambda: berth.closed(berth.usage("small")), 10)
    [held] = berth.usage("small")["value"]
    assert held["priority"] == "Spot" and held["sku"] == "Standard", held
    assert -1 <= held["to"] - gone_s <= 2, (held, gone_s)
    [taken] = counted(berth, "needs")
    assert taken["priority"] == "Regular" and taken["from"] >= held["to"] - 1, (held, taken)
    time.sleep(1.5)
    assert not alive(berth, "small") and berth.usage("small")["value"] == [held]
    berth.delete("needs")
    [again] = running(berth, "small")
    assert len(again) == 1 and again != small
    first, second = counted(berth, "small", 2)
    assert first == held and second["open"] and second["incarnation"] > held["incarnation"], (first, second)
    assert second["from"] >= held["to"], (first, second)


def one_run_at_most_stays_stopped_until_it_is_started(berth):
    begin_first(berth, "once", 0.8, policy="Never", priority="Spot")
    running(berth, "once")
    begin(berth, "needs", 0.5)
    running(berth, "needs")
    assert berth.state("once") == "Stopped" and not alive(berth, "once")
    wait("its usage is closed", lambda: berth.closed(berth.usage("once")), 10)
    berth.delete("needs")
    berth.wait_gone("needs")
    time.sleep(1)
    assert berth.state("once") == "Stopped" and not alive(berth, "once")
    wait("it is started again", lambda: berth.post("once", "start").status in (202, 204), 10)
    assert len(running(berth, "once")[0]) == 1


def an_agent_killed_while_one_gives_way_ends_it_and_counts_it_once(berth):
    begin_first(berth, "slow", 0.8, SLOW, priority="Spot")
    [slow] = running(berth, "slow")
    begin(berth, "needs", 0.5)
    time.sleep(1.5)
    berth.agent.kill()
    assert alive(berth, "slow") == slow, "its end was over before the agent was killed"
    time.sleep(0.5)
    berth.agent.start()
    gone_s = never_both(berth, "slow", "needs", lambda: alive(berth, "needs"))
    running(berth, "needs")
    wait("its usage is closed", lambda: berth.closed(berth.usage("slow")), 10)
    [held] = berth.usage("slow")["value"]
    assert -1 <= held["to"] - gone_s <= 3, (held, gone_s)
    assert events(berth, "slow").count("SpotEvicted") == 1, events(berth, "slow")
    berth.delete("needs")
    assert len(running(berth, "slow")[0]) == 1


def a_plane_killed_right_after_it_said_yes_makes_room_all_the_same(berth):
    begin_first(berth, "gives", 0.8, priority="Spot")
    running(berth, "gives")
    begin(berth, "needs", 0.5)
    berth.daemon.kill()
    berth.daemon.start()
    never_both(berth, "gives", "needs", lambda: alive(berth, "needs"))
    running(berth, "needs")
    assert berth.state("gives") == "Pending" and events(berth, "gives").count("SpotEvicted") == 1
    berth.delete("needs")
    assert len(running(berth, "gives")[0]) == 1


CASES = [
    the_cheapest_gives_way_to_the_second_and_runs_again_when_there_is_room,
    one_run_at_most_stays_stopped_until_it_is_started,
    an_agent_killed_while_one_gives_way_ends_it_and_counts_it_once,
    a_plane_killed_right_after_it_said_yes_makes_room_all_the_same,
]
