"""The main job: a group is put, runs, answers, logs, is stopped, started, restarted, and goes."""
import re
import time
import urllib.request

from berth import container, group, wait

PAGE = "the page of this group"
GO_ON = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'
SERVE = f'mkdir -p /www; echo "{PAGE}" > /www/index.html; httpd -p 80 -h /www; {GO_ON}'
FETCH = 'trap "exit 0" TERM; while :; do wget -q -O - http://localhost/ && echo fetched; sleep 0.2 & wait $!; done'


def two_containers(image):
    return group([container("web", image, ["sh", "-c", SERVE, "mark-web"], ports=[{"port": 80}]),
                  container("side", image, ["sh", "-c", FETCH])], ports=[80])


def a_group_is_put_runs_and_answers_at_its_own_address(berth):
    reply = berth.put("web", two_containers(berth.image)).expect(201)
    assert reply.json["properties"]["provisioningState"] == "Pending", reply.text
    operation = reply.headers["Azure-AsyncOperation"]
    berth.wait_state("web", "Running")
    wait("the operation succeeds", lambda: berth.client.request("GET", operation).json["status"] == "Succeeded", 10)
    address = berth.get("web")["properties"]["ipAddress"]["ip"]
    page = wait("the page is served", lambda: fetched(f"http://{address}/"), 10)
    assert page.strip() == PAGE, page


def fetched(url):
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:
            return answer.read().decode()
    except OSError:
        return None


def containers_of_a_group_reach_each_other_on_localhost(berth):
    said = wait("the side-car has fetched", lambda: has(berth.logs("web", "side"), "fetched"), 10)
    assert PAGE in said, said


def has(text, part):
    return text if part in text else None


def containers_of_a_group_share_the_host_name(berth):
    berth.put("names", group([container(n, berth.image, ["sh", "-c", "hostname; exec sleep 600"]) for n in ("a", "b")]))
    berth.wait_state("names", "Running")
    names = [wait("a host name is logged", lambda n=n: berth.logs("names", n).strip() or None, 10) for n in ("a", "b")]
    berth.delete("names")
    assert names[0] == names[1], names


def each_container_shows_when_it_started_and_its_events(berth):
    for one in berth.get("web")["properties"]["containers"]:
        view = one["properties"]["instanceView"]
        assert view["currentState"]["state"] == "Running" and view["restartCount"] == 0, view
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", view["currentState"]["startTime"]), view
        names = [e["name"] for e in view["events"]]
        assert {"Pulling", "Pulled", "Created", "Started"} <= set(names), names


def logs_give_the_last_lines_and_times_when_asked(berth):
    berth.put("talk", group([container("c", berth.image, ["sh", "-c", "for i in 1 2 3 4 5; do echo line $i; done; "
                                                          "echo to stderr >&2; exec sleep 600"])]))
    berth.wait_state("talk", "Running")
    wait("all is logged", lambda: "to stderr" in berth.logs("talk", "c"), 10)
    assert berth.logs("talk", "c").splitlines()[:5] == [f"line {i}" for i in range(1, 6)], berth.logs("talk", "c")
    last = berth.logs("talk", "c", tail=2).splitlines()
    assert len(last) == 2, last
    for line in berth.logs("talk", "c", timestamps="true").splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ", line), line
    berth.delete("talk")


def a_stopped_group_holds_nothing_and_starts_again(berth):
    berth.post("web", "stop").expect(204)
    berth.wait_state("web", "Stopped")
    wait("its processes are gone", lambda: not berth.processes("mark-web"), 15)
    berth.post("web", "start").expect(202, 204)
    berth.wait_state("web", "Running")
    address = berth.get("web")["properties"]["ipAddress"]["ip"]
    wait("the page is served again", lambda: fetched(f"http://{address}/"), 10)


def a_restarted_group_runs_anew_without_counting_a_restart(berth):
    before = berth.view("web", "web")["currentState"]["startTime"]
    time.sleep(1.1)
    berth.post("web", "restart").expect(204)
    wait("it started later than before", lambda: started_after(berth, before), 30)
    assert berth.view("web", "web")["restartCount"] == 0, berth.view("web", "web")


def started_after(berth, before):
    now = (berth.view("web", "web") or {}).get("currentState", {})
    return now.get("state") == "Running" and now["startTime"] > before


def a_container_sees_its_limits_and_few_rights(berth):
    show = "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; id -u; cat /proc/1/comm; exec sleep 600"
    berth.put("rights", group([container("c", berth.image, ["sh", "-c", show])]))
    berth.wait_state("rights", "Running")
    said = wait("it told", lambda: has(berth.logs("rights", "c"), "Seccomp"), 10)
    berth.delete("rights")
    values = dict(re.findall(r"^(\w+):\s*(\w+)$", said, re.M))
    assert values["NoNewPrivs"] == "1" and values["Seccomp"] == "2", said
    assert int(values["CapEff"], 16) & (1 << 21) == 0, f"CAP_SYS_ADMIN is there: {said}"


def a_container_that_takes_too_much_memory_is_ended_and_not_its_neighbours(berth):
    eat = "exec tail -c 400000000 /dev/zero"
    berth.put("greedy", group([container("eat", berth.image, ["sh", "-c", eat], memory=0.1),
                               container("calm", berth.image, ["sleep", "600"], memory=0.1)], policy="Never"))
    view = wait("the greedy one ended", lambda: ended(berth, "greedy", "eat"), 40)
    calm = berth.view("greedy", "calm")["currentState"]
    berth.delete("greedy")
    assert view["currentState"]["exitCode"] != 0, view
    assert calm["state"] == "Running", calm


def ended(berth, name, which):
    view = berth.view(name, which)
    return view if view and view.get("currentState", {}).get("state") == "Terminated" else None


def a_deleted_group_leaves_nothing(berth):
    berth.delete("web").expect(200)
    assert berth.request("GET", "web").status == 404
    berth.wait_gone("web")
    wait("its processes are gone", lambda: not berth.processes("mark-web"), 15)
    wait("its cgroup, mounts and links are gone", lambda: not berth.group_traces(), 15)
    berth.delete("web").expect(204)


CASES = [
    a_group_is_put_runs_and_answers_at_its_own_address, containers_of_a_group_reach_each_other_on_localhost,
    each_container_shows_when_it_started_and_its_events, containers_of_a_group_share_the_host_name,
    logs_give_the_last_lines_and_times_when_asked, a_container_sees_its_limits_and_few_rights,
    a_container_that_takes_too_much_memory_is_ended_and_not_its_neighbours,
    a_stopped_group_holds_nothing_and_starts_again, a_restarted_group_runs_anew_without_counting_a_restart,
    a_deleted_group_leaves_nothing,
]
