"""Debian's az, unmodified, against a running Berth: what a person would type. One TAP line a test.

    /usr/bin/python3 tests/clients/az/suite.py    # wants the BERTH_* variables of build/quickstart.env or stage.py"""
import concurrent.futures
import importlib.metadata
import json
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
import tap  # noqa: E402

ENV = {name[6:].lower(): value for name, value in os.environ.items() if name.startswith("BERTH_")}
URL, RG, LOCATION = ENV["authority"], ENV["resource_group"], ENV["location"]
FOLDER = tempfile.TemporaryDirectory(prefix="berth-az-")
COMMAND_S = 90
GOES_ON = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'  # ends when told, not after the grace
# A folder of its own, nothing told to or asked of anybody else: what is not Berth is not even reachable.
SETTINGS = {
    "AZURE_CONFIG_DIR": FOLDER.name, "AZURE_CORE_COLLECT_TELEMETRY": "no", "AZURE_CORE_SURVEY_MESSAGE": "no",
    "AZURE_CORE_ERROR_RECOMMENDATION": "off", "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no", "AZURE_AUTO_UPGRADE_ENABLE": "no",
    "AZURE_CORE_ONLY_SHOW_ERRORS": "yes", "AZURE_CORE_NO_COLOR": "yes", "AZURE_CORE_DISABLE_PROGRESS_BAR": "yes",
    "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1", "REQUESTS_CA_BUNDLE": ENV["ca"],
}
MISSING, NO_DEFAULT, FAILED = 3, 2, 1  # exit statuses of az; it looks at the resource group for a default location first


def prepare_folder():
    """What az would otherwise fetch at its first command."""
    version = importlib.metadata.version("azure-cli")
    known = {"versions": {name: {"local": version, "pypi": version} for name in ("core", "azure-cli")}, "update_time": ""}
    with open(os.path.join(FOLDER.name, "versionCheck.json"), "w", encoding="utf-8") as out:
        json.dump(known, out)


def run(*words):
    return subprocess.run(["az", *words], capture_output=True, text=True, timeout=COMMAND_S, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, **SETTINGS})


def az(*words):
    """What it prints, as JSON when it is."""
    done = run(*words)
    assert done.returncode == 0, f"az {' '.join(words[:3])}: exit status {done.returncode}: {done.stderr[-1500:]}"
    try:
        return json.loads(done.stdout) if done.stdout.strip() else None
    except ValueError:
        return done.stdout


def refused(status, code, *words):
    done = run(*words)
    assert done.returncode == status, f"exit status {done.returncode}, expected {status}: {done.stdout[-300:]}{done.stderr[-700:]}"
    assert f"({code})" in done.stderr, f"no ({code}): {done.stderr[-700:]}"
    return done.stderr


def container(verb, name, *words):
    return az("container", verb, "-g", RG, "-n", name, *words)


def create(name, script=GOES_ON, *words):
    return container("create", name, "--image", ENV["image"], "--cpu", "0.1", "--memory", "0.1", "--os-type", "Linux",
                     "--command-line", f"sh -c '{script}'", *words)


def state(name):
    return container("show", name)["instanceView"]["state"]


def until(what, check, timeout_s=30):
    end = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < end, f"not within {timeout_s} s: {what}"
        time.sleep(0.3)


def kept(name, text):
    """A file of that content; its path."""
    path = os.path.join(FOLDER.name, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


# ---- sign-in and what is around ----

def a_cloud_is_registered_by_its_address_alone():
    az("cloud", "register", "-n", "berth", "--endpoint-resource-manager", URL)
    az("cloud", "set", "-n", "berth")
    assert az("cloud", "show")["endpoints"]["resourceManager"].rstrip("/") == URL


def a_wrong_secret_is_refused_with_its_reason():
    done = run("login", "--service-principal", "-u", ENV["client_id"], "-p", "wrong", "--tenant", ENV["tenant_id"])
    assert done.returncode == FAILED and "AADSTS7000215" in done.stderr, done.stderr


def a_service_principal_signs_in():
    accounts = az("login", "--service-principal", "-u", ENV["client_id"], "-p", ENV["client_secret"], "--tenant", ENV["tenant_id"])
    assert ENV["subscription"] in [one["id"] for one in accounts], accounts
    az("account", "set", "-s", ENV["subscription"])
    assert az("account", "show")["state"] == "Enabled"
    assert LOCATION in [one["name"] for one in az("account", "list-locations")]
    assert az("account", "get-access-token")["accessToken"].count(".") == 2


def a_resource_group_is_made_changed_and_found():
    assert az("group", "create", "-n", RG, "-l", LOCATION, "--tags", "a=1")["properties"]["provisioningState"] == "Succeeded"
    assert az("group", "exists", "-n", RG) is True and az("group", "exists", "-n", f"{RG}-none") is False
    assert az("group", "update", "-n", RG, "--set", "tags.b=2")["tags"] == {"a": "1", "b": "2"}
    assert RG in [one["name"] for one in az("group", "list")]
    refused(MISSING, "ResourceGroupNotFound", "group", "show", "-n", "nowhere")


def the_provider_is_registered():
    assert az("provider", "show", "-n", "Microsoft.ContainerInstance")["registrationState"] == "Registered"
    az("provider", "register", "-n", "Microsoft.ContainerInstance")


# ---- groups ----

def a_group_with_everything_is_created_and_runs():
    made = container(
        "create", "web", "--image", f"{ENV['private_registry']}/busybox:1", "--cpu", "0.2", "--memory", "0.2", "--os-type", "Linux",
        "--ports", "80", "8080", "--ip-address", "Public", "--dns-name-label", "aci-demo", "--restart-policy", "Always", "-e", "OPEN=shown",
        "--secure-environment-variables", "KEY=hush-hush", "--registry-login-server", ENV["private_registry"], "--registry-username",
        ENV["registry_user"], "--registry-password", ENV["registry_password"], "--command-line", f"sh -c 'echo $OPEN ${{#KEY}}; {GOES_ON}'")
    assert (made["provisioningState"], made["instanceView"]["state"]) == ("Succeeded", "Running"), made
    assert [one["port"] for one in made["ipAddress"]["ports"]] == [80, 8080] and made["ipAddress"]["ip"]
    assert container("show", "web", "--query", "ipAddress.fqdn") == f"aci-demo.{LOCATION}.berth.internal", made["ipAddress"]
    shown = {one["name"]: (one["value"], one["secureValue"]) for one in made["containers"][0]["environmentVariables"]}
    assert shown == {"OPEN": ("shown", None), "KEY": (None, None)}, shown
    assert made["imageRegistryCredentials"][0]["password"] is None
    until("it wrote", lambda: "shown 9" in (container("logs", "web") or ""))


def a_group_that_is_not_waited_for_comes_up():
    assert create("later", GOES_ON, "--no-wait") is None
    until("it runs", lambda: state("later") == "Running")


def groups_are_listed_and_shown():
    assert {"web", "later"} <= {one["name"] for one in az("container", "list", "-g", RG)}
    assert len(az("container", "list", "-g", "paged")) == int(ENV["paged"])
    assert len(az("container", "list")) > int(ENV["paged"])
    table = run("container", "show", "-g", RG, "-n", "WEB", "-o", "table").stdout
    assert re.search(r"^web .* Running ", table, re.M), table
    refused(MISSING, "ResourceNotFound", "container", "show", "-g", RG, "-n", "nothing")


def the_log_of_a_job_is_followed_to_its_end():
    create("job", "for i in 1 2 3; do echo line $i; done", "--restart-policy", "Never")
    until("it ended", lambda: state("job") == "Succeeded")
    assert container("logs", "job").split() == "line 1 line 2 line 3".split()
    assert "line 3" in container("logs", "job", "--follow")
    view = container("show", "job")["containers"][0]["instanceView"]["currentState"]
    assert (view["state"], view["exitCode"], view["detailStatus"]) == ("Terminated", 0, "Completed"), view


def a_group_stops_starts_and_restarts():
    container("stop", "web")
    assert state("web") == "Stopped"
    container("start", "web")
    until("it runs again", lambda: state("web") == "Running")
    before = container("show", "web")["containers"][0]["instanceView"]["currentState"]["startTime"]
    time.sleep(1)
    container("restart", "web")
    until("it was started anew", lambda: started("web") > before)


def started(name):
    """When its first container was; "" while it is not."""
    view = container("show", name)["containers"][0]["instanceView"] or {}
    return ((view.get("currentState") or {}).get("startTime")) or ""


def a_group_is_changed_by_creating_it_again():
    create("later", f"echo changed; {GOES_ON}", "-e", "A=1")
    until("the new one wrote", lambda: "changed" in (container("logs", "later") or ""))


def an_exported_group_is_created_from_its_file():
    path = os.path.join(FOLDER.name, "exported.yaml")
    container("export", "later", "-f", path)
    with open(path, encoding="utf-8") as opened:
        text = opened.read()
    assert "changed" in text and "instanceView" not in text, text
    renamed, times = re.subn(r"^name: later$", "name: again", text, flags=re.M)
    assert times == 1, text
    made = az("container", "create", "-g", RG, "-f", kept("again.yaml", renamed))
    assert made["name"] == "again" and made["properties"]["provisioningState"] == "Succeeded", made


def a_file_as_the_manual_writes_it_is_taken():
    text = f"""apiVersion: 2021-10-01
location: {LOCATION}
name: manual
properties:
  containers:
  - name: main
    properties:
      image: {ENV['image']}
      command: ["sh", "-c", "{GOES_ON.replace('"', chr(92) + '"')}"]
      resources:
        requests:
          cpu: 0.1
          memoryInGb: 0.1
      ports:
      - port: 80
  osType: Linux
  ipAddress:
    type: Public
    ports:
    - protocol: tcp
      port: 80
tags: {{exampleTag: tutorial}}
type: Microsoft.ContainerInstance/containerGroups
"""
    made = az("container", "create", "-g", RG, "-f", kept("manual.yaml", text))
    assert made["properties"]["containers"][0]["properties"]["resources"]["requests"]["memoryInGB"] == 0.1, made
    assert made["properties"]["ipAddress"]["ports"][0]["protocol"] == "TCP"


def resources_are_listed_shown_and_tagged():
    kind = ("--resource-type", "Microsoft.ContainerInstance/containerGroups")
    assert "web" in [one["name"] for one in az("resource", "list", "-g", RG)]
    assert az("resource", "show", "-g", RG, "-n", "web", *kind)["properties"]["osType"] == "Linux"
    az("resource", "tag", "-g", RG, "-n", "web", *kind, "--tags", "by=az")
    assert container("show", "web")["tags"] == {"by": "az"}


# ---- refusals ----

def what_cannot_change_is_named():
    said = refused(FAILED, "InvalidContainerGroupUpdate", "container", "create", "-g", RG, "-n", "later", "--image", ENV["image"], "--cpu",
                   "0.1", "--memory", "0.1", "--os-type", "Linux", "--restart-policy", "Never")
    assert "Always" in said and "Never" in said, said


def a_stopped_group_is_not_restarted():
    container("stop", "manual")
    refused(FAILED, "ContainerGroupStopped", "container", "restart", "-g", RG, "-n", "manual")


def what_is_not_there_is_told():
    refused(MISSING, "ResourceNotFound", "container", "stop", "-g", RG, "-n", "nothing")
    refused(MISSING, "ResourceNotFound", "container", "logs", "-g", RG, "-n", "nothing")
    refused(MISSING, "ContainerNotFound", "container", "logs", "-g", RG, "-n", "web", "--container-name", "nobody")
    az("container", "delete", "-g", RG, "-n", "nothing", "-y")


def in_terminal(typed, *words):
    """What a person sees who types `typed` lines into az in a terminal; az wants one."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("az", ["az", *words], {**os.environ, **SETTINGS, "WEBSOCKET_CLIENT_CA_BUNDLE": ENV["ca"]})
    said, end, typed = b"", time.monotonic() + COMMAND_S, list(typed)
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                got = os.read(terminal, 65536)
            except OSError:
                break
            said += got
        if typed and typed[0][0] in said:
            os.write(terminal, typed.pop(0)[1])
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    return said.decode(errors="replace"), status


def a_command_is_run_in_a_container():
    said, status = in_terminal([], "container", "exec", "-g", RG, "-n", "web", "--exec-command", "echo FOO BAR")
    assert "FOO BAR\r\n" in said and status == 0, (said, status)


def a_shell_in_a_container_is_typed_into():
    said, status = in_terminal([(b"# ", b"echo $((6*7))\r"), (b"42", b"exit\r")],
                               "container", "exec", "-g", RG, "-n", "web", "--exec-command", "/bin/sh")
    assert "42\r\n" in said and status == 0, (said, status)


def a_container_is_attached_to_until_it_ends():
    create("short", "echo hello from inside; sleep 15", "--restart-policy", "Never", "--no-wait")
    until("it runs or has run", lambda: state("short") in ("Running", "Succeeded"))
    said = run("container", "attach", "-g", RG, "-n", "short")
    assert "hello from inside" in said.stdout, said.stdout + said.stderr


def refuse(case):
    """One line of the table, as a file."""
    path = kept(f"{case['name']}.json", json.dumps({**case["document"], "name": case["name"]}))
    status = NO_DEFAULT if case["resourceGroup"] != RG else FAILED
    refused(status, case["code"], "container", "create", "-g", case["resourceGroup"], "-f", path)


# ---- the end ----

def a_group_is_deleted_and_shown_once_more():
    assert az("container", "delete", "-g", RG, "-n", "job", "-y")["name"] == "job"
    refused(MISSING, "ResourceNotFound", "container", "show", "-g", RG, "-n", "job")


def a_resource_group_goes_with_all_its_groups():
    az("group", "delete", "-n", RG, "-y")
    assert az("group", "exists", "-n", RG) is False


FIRST = [a_cloud_is_registered_by_its_address_alone, a_wrong_secret_is_refused_with_its_reason, a_service_principal_signs_in,
         a_resource_group_is_made_changed_and_found]
COURSE = [the_provider_is_registered, a_group_with_everything_is_created_and_runs, a_group_that_is_not_waited_for_comes_up,
          groups_are_listed_and_shown, the_log_of_a_job_is_followed_to_its_end, a_group_stops_starts_and_restarts,
          a_group_is_changed_by_creating_it_again, an_exported_group_is_created_from_its_file, a_file_as_the_manual_writes_it_is_taken,
          resources_are_listed_shown_and_tagged, what_cannot_change_is_named, a_stopped_group_is_not_restarted, what_is_not_there_is_told,
          a_command_is_run_in_a_container, a_shell_in_a_container_is_typed_into, a_container_is_attached_to_until_it_ends]
LAST = [a_group_is_deleted_and_shown_once_more, a_resource_group_goes_with_all_its_groups]


def refusals():
    """The table's lines as tests."""
    with open(ENV["refusals"], encoding="utf-8") as opened:
        for one in json.load(opened):
            def case(one=one):
                refuse(one)
            case.__name__ = f"{one['sentence']} is refused with {one['code']}"
            yield case


def main():
    prepare_folder()
    report = tap.Tap()
    for case in FIRST:
        report.run(case)
    with concurrent.futures.ThreadPoolExecutor(1) as beside:  # a command is a second of one core: two at a time
        done = beside.submit(lambda: [report.run(case) for case in refusals()])
        for case in COURSE:
            report.run(case)
        done.result()
    for case in LAST:
        report.run(case)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
