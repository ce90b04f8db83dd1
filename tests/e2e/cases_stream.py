"""Exec, attach and logs, with real containers."""
import contextlib
import http.client
import json
import os
import time
import urllib.parse

from berth import API, SUBSCRIPTION, busybox_archive, container, group, wait
from web_socket import TEXT, Refused, WebSocket

COUNT = 200
TICKS = 'trap "exit 0" TERM; i=0; while :; do echo tick $i; i=$((i+1)); sleep 0.05; done'
CONTROL = "Sec-WebSocket-Protocol: berth.control.v1"


def ask(berth, what, name="web", which="c", **body):
    path = f"{berth.group_path(name)}/containers/{which}/{what}?api-version={API}"
    return berth.client.request("POST", path, body or None)


def opened(berth, ticket, *headers):
    return WebSocket(ticket["webSocketUri"], berth.daemon.ca, headers)


def run(berth, command, *headers, name="web", which="c", **body):
    ticket = ask(berth, "exec", name, which, command=command, **body).expect(200).json
    stream = opened(berth, ticket, *headers)
    stream.send(ticket["password"], TEXT)
    return stream


def ran(berth, command, name="web", **body):
    stream = run(berth, command, name=name, **body)
    return stream.rest().decode(), stream.closed


def threads(program):
    return len(os.listdir(f"/proc/{program.process.pid}/task"))


def files(program):
    return len(os.listdir(f"/proc/{program.process.pid}/fd"))


def execs(berth):
    """Processes of the OCI runtime that hold commands of this instance."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as line:
            words = line.read().split(b"\0")
            if b"exec" in words and any(berth.agent.run_dir.encode() in word for word in words):
                found.append(pid)
    return found


def a_command_runs_in_the_container_and_its_exit_code_is_in_the_good_bye(berth):
    berth.put("web", group([container("c", berth.image, ["sh", "-c", TICKS], memory=1.0, environmentVariables=[
        {"name": "OPEN", "value": "yes"}, {"name": "SECRET", "secureValue": "hidden"}])]))
    berth.wait_state("web", "Running")
    said, closed = ran(berth, "sh -c 'echo $OPEN $SECRET; id -u; grep NoNewPrivs /proc/self/status; exit 3'")
    assert said.split() == ["yes", "hidden", "0", "NoNewPrivs:", "1"], said
    assert closed == (1000, "exit code 3"), closed


def a_command_runs_as_the_containers_own_user_in_its_working_folder(berth):
    archive = busybox_archive(berth.folder, "--user", "1234:5678", "--workdir", "/srv", "--env", "OF_IMAGE=1")
    image = berth.registry.push(archive, "user:1")
    berth.put("user", group([container("c", image, ["sleep", "600"])]))
    berth.wait_state("user", "Running")
    said = ran(berth, "sh -c 'id -u; id -g; pwd; echo $OF_IMAGE; grep CapEff /proc/self/status'", "user")[0]
    assert said.split() == ["1234", "5678", "/srv", "1", "CapEff:", "0" * 16], said


def a_command_line_is_taken_apart_as_a_shell_would(berth):
    assert ran(berth, "echo FOO") == ("FOO\r\n", (1000, "exit code 0"))
    assert ran(berth, r"""echo 'a  b' "c \"d\"" e\ f""")[0] == 'a  b c "d" e f\r\n'
    said, closed = ran(berth, "echo 'a")
    assert "quote" in said and "quote" in closed[1], (said, closed)


def a_program_whose_name_has_a_blank_is_found_first(berth):
    ran(berth, "sh -c 'printf \"#!/bin/sh\\necho it is me\\n\" > \"/tmp/my tool\"; chmod +x \"/tmp/my tool\"'")
    assert ran(berth, "/tmp/my tool")[0] == "it is me\r\n"


def a_command_that_does_not_exist_is_told_by_name(berth):
    said, closed = ran(berth, "nonesuch -x")
    assert "nonesuch" in said, said
    assert closed[0] == 1000 and closed[1].startswith("exit code 127: ") and "nonesuch" in closed[1], closed


def what_is_typed_reaches_the_command(berth):
    stream = run(berth, "/bin/sh")
    stream.send("echo $((6*7))\r")
    stream.until(b"42\r\n")
    stream.send("exit 5\r")
    stream.rest()
    assert stream.closed == (1000, "exit code 5"), stream.closed


def the_terminal_has_the_size_that_was_asked_for_and_the_one_that_it_is_given(berth):
    stream = run(berth, "/bin/sh", CONTROL, terminalSize={"rows": 33, "cols": 77})
    assert "berth.control.v1" in stream.head, stream.head
    stream.send("stty size\r")
    stream.until(b"33 77")
    stream.send('{"rows": 50, "cols": 132}', TEXT)
    stream.send("sleep 0.2; stty size\r")
    stream.until(b"50 132")
    stream.close()


def the_kind_of_the_terminal_is_told(berth):
    assert ran(berth, "sh -c 'echo $TERM'")[0] == "xterm\r\n"


def much_output_comes_whole(berth):
    said, closed = ran(berth, "seq 1 30000")
    assert said.split() == [str(i) for i in range(1, 30001)], (len(said), said[-100:])
    assert closed == (1000, "exit code 0"), closed


def a_wrong_password_ends_the_session_and_no_command_runs(berth):
    ticket = ask(berth, "exec", command="sleep 77").expect(200).json
    stream = opened(berth, ticket)
    stream.send("wrong[[EOM]]", TEXT)
    assert stream.rest() == b"" and stream.closed[0] == 1008, stream.closed
    refused(401, berth, ask(berth, "exec", command="sleep 77").json, "Authorization: wrong")
    assert not execs(berth)


def refused(status, berth, ticket, *headers):
    try:
        opened(berth, ticket, *headers)
    except Refused as told:
        assert told.status == status, told
        return
    raise AssertionError("the session was opened")


def a_session_is_opened_once(berth):
    ticket = ask(berth, "exec", command="true").expect(200).json
    opened(berth, ticket)
    refused(404, berth, ticket)


def attach_shows_the_output_and_takes_the_password_as_header(berth):
    ticket = ask(berth, "attach").expect(200).json
    assert "/logstream/sessionId/" in ticket["webSocketUri"], ticket
    stream = opened(berth, ticket, f"Authorization: {ticket['password']}")
    lines = (stream.until(b"\n") + stream.until(b"tick") + stream.until(b"\n")).split(b"\n")
    assert any(line.startswith(b"tick ") for line in lines), lines
    stream.close()


def many_streams_at_once_cost_no_thread(berth):
    before = threads(berth.daemon), threads(berth.agent)
    streams = [run(berth, "cat") for _ in range(COUNT)]
    for number, stream in enumerate(streams):
        stream.send(f"number {number}\r")
    for number, stream in enumerate(streams):
        stream.until(f"number {number}\r\nnumber {number}\r\n".encode())
    assert len(execs(berth)) >= COUNT, len(execs(berth))
    now = threads(berth.daemon), threads(berth.agent)
    assert now[0] <= before[0] and now[1] <= before[1] + 16, (before, now)  # workers of the agent come as they are needed
    files_open = files(berth.daemon)
    for stream in streams:
        stream.close()
    wait("the commands have ended", lambda: not execs(berth), 20)
    wait("the plane has closed them", lambda: files(berth.daemon) < files_open - COUNT, 10)


def streams_end_with_their_agent_and_nothing_is_left(berth):
    stream = run(berth, "sleep 600")
    wait("it runs", lambda: execs(berth), 10)
    berth.agent.kill()
    with contextlib.suppress(ConnectionError):
        stream.rest()
    assert stream.closed and stream.closed[0] == 1011, stream.closed
    wait("the command was hung up", lambda: not execs(berth), 10)
    berth.agent.start()

    def again():  # the fence may have ended the group before another agent came
        with contextlib.suppress(AssertionError, OSError):
            return ran(berth, "echo again")[0] == "again\r\n"
    wait("another agent runs commands", again, 40)


# ---- logs ----

class Events:
    """Server-sent events of a group's logs."""

    def __init__(self, berth, name, last=None, **query):
        url = urllib.parse.urlsplit(berth.daemon.url)
        self.connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=20, context=berth.client.tls)
        path = f"/v1/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/containerGroups/{name}/logs?"
        self.connection.request("GET", path + urllib.parse.urlencode(query), headers={
            "Authorization": f"Bearer {berth.client.token}", **({"Last-Event-ID": last} if last else {})})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, (self.answer.status, self.answer.read())
        assert self.answer.headers["Content-Type"] == "text/event-stream", self.answer.headers

    def next(self):
        """(event, id, data), None when there are no more."""
        kind, position, data = "message", None, None
        while line := self.answer.readline().decode():
            word, _, rest = line.rstrip("\n").partition(": ")
            if word == "event":
                kind = rest
            elif word == "id":
                position = rest
            elif word == "data":
                data = json.loads(rest)
            elif line == "\n" and data is not None:
                return kind, position, data
        return None

    def close(self):
        self.connection.close()


def take(events, count):
    return [events.next() for _ in range(count)]


def followed_logs_go_on_where_they_were_left_without_loss_or_repetition(berth):
    first = Events(berth, "web", follow="true")
    got = take(first, 30)
    first.close()
    second = Events(berth, "web", last=got[-1][1], follow="true")
    got += take(second, 30)
    second.close()
    numbers = [int(data["line"].split()[1]) for _, _, data in got]
    assert numbers == list(range(numbers[0], numbers[0] + 60)), numbers
    assert {data["container"] for _, _, data in got} == {"c"}, got[0]


def followed_logs_come_from_all_containers_and_over_restarts_and_end_with_the_group(berth):
    noisy = "echo begin $(cat /proc/sys/kernel/random/uuid); sleep 0.5; exit 1"
    berth.put("pair", group([container("once", berth.image, ["sh", "-c", "echo only; exec sleep 600"]),
                             container("again", berth.image, ["sh", "-c", noisy])], policy="OnFailure"))
    wait("both have written", lambda: berth.logs("pair", "once") and berth.logs("pair", "again"), 20)
    events = Events(berth, "pair")
    seen = [events.next()[2] for _ in range(2)]
    wait("it ran again", lambda: berth.view("pair", "again")["restartCount"] > 0, 30)
    seen.append(events.next()[2])
    assert sorted(one["container"] for one in seen) == ["again", "again", "once"], seen
    berth.post("pair", "stop").expect(204)
    while (event := events.next())[0] != "end":
        pass
    assert "stopped" in event[2]["reason"], event
    assert events.next() is None
    whole = Events(berth, "pair", follow="false", container="once")
    assert whole.next()[2]["line"] == "only"
    assert whole.next()[0] == "end"
    the_log_of_the_run_before_is_kept_and_asked_for_by_name(berth)


def the_log_of_the_run_before_is_kept_and_asked_for_by_name(berth):
    """Asked of the group that the test above has stopped."""
    now, before = berth.logs("pair", "again"), berth.logs("pair", "again", previous="true")
    assert len(now.splitlines()) == 1 and len(before.splitlines()) == 1, (now, before)
    assert now != before
    berth.delete("pair")


def exec_into_what_does_not_run_is_refused_by_what_it_is(berth):
    assert ask(berth, "exec", which="nobody", command="true").expect(404).code == "ContainerNotFound"
    berth.post("web", "stop").expect(204)
    reply = ask(berth, "exec", command="true").expect(409)
    assert reply.code == "ContainerGroupStopped", reply.text
    assert reply.json["error"]["message"] == "Container Group 'web' in resource group 'rg' is stopped.", reply.text
    assert ask(berth, "attach").expect(409).code == "ContainerGroupStopped"
    assert "tick 0" in berth.logs("web", "c"), "the log of a stopped group is there"
    berth.delete("web")


CASES = [
    a_command_runs_in_the_container_and_its_exit_code_is_in_the_good_bye,
    a_command_runs_as_the_containers_own_user_in_its_working_folder,
    a_command_line_is_taken_apart_as_a_shell_would, a_program_whose_name_has_a_blank_is_found_first,
    a_command_that_does_not_exist_is_told_by_name, what_is_typed_reaches_the_command,
    the_terminal_has_the_size_that_was_asked_for_and_the_one_that_it_is_given, the_kind_of_the_terminal_is_told,
    much_output_comes_whole,
    a_wrong_password_ends_the_session_and_no_command_runs, a_session_is_opened_once,
    attach_shows_the_output_and_takes_the_password_as_header, many_streams_at_once_cost_no_thread,
    streams_end_with_their_agent_and_nothing_is_left,
    followed_logs_go_on_where_they_were_left_without_loss_or_repetition,
    followed_logs_come_from_all_containers_and_over_restarts_and_end_with_the_group,
    exec_into_what_does_not_run_is_refused_by_what_it_is,
]
