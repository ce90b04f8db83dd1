"""Debian's Python SDK (python3-azure) against a running Berth, its pagers and pollers used as its manual says.

    /usr/bin/python3 tests/clients/python/suite.py    # wants the BERTH_* variables of build/quickstart.env or stage.py
"""
import asyncio
import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
import tap  # noqa: E402
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError  # noqa: E402
from azure.identity import ClientSecretCredential  # noqa: E402
from azure.mgmt.containerinstance import ContainerInstanceManagementClient  # noqa: E402
from azure.mgmt.containerinstance import models  # noqa: E402
from azure.mgmt.resource import ResourceManagementClient, SubscriptionClient  # noqa: E402

ENV = {name[6:].lower(): value for name, value in os.environ.items() if name.startswith("BERTH_")}
URL, SUBSCRIPTION, LOCATION, RG = ENV["authority"], ENV["subscription"], ENV["location"], ENV["resource_group"]
GOES_ON = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'  # ends when told, not after the grace
FAST_S = 15  # no wait of this suite may come near the 30 s that a poller sleeps when it is not told otherwise


def credential(secret=ENV["client_secret"]):
    return ClientSecretCredential(ENV["tenant_id"], ENV["client_id"], secret, authority=URL, instance_discovery=False)


def client(kind, *arguments, **more):
    return kind(more.pop("credential", None) or credential(), *arguments, base_url=URL, credential_scopes=[f"{URL}/.default"], **more)


CONTAINERS = client(ContainerInstanceManagementClient, SUBSCRIPTION)
RESOURCES = client(ResourceManagementClient, SUBSCRIPTION)
SUBSCRIPTIONS = client(SubscriptionClient)
GROUPS = CONTAINERS.container_groups


def requests(cpu=0.1, memory=0.1):
    return models.ResourceRequirements(requests=models.ResourceRequests(cpu=cpu, memory_in_gb=memory))


def small(command=("sh", "-c", GOES_ON), policy="Always", tags=None):
    one = models.Container(name="c", image=ENV["image"], resources=requests(), command=list(command))
    return models.ContainerGroup(location=LOCATION, os_type="Linux", restart_policy=policy, containers=[one], tags=tags)


def full():
    env = [models.EnvironmentVariable(name="OPEN", value="shown"), models.EnvironmentVariable(name="KEY", secure_value="hush-hush")]
    one = models.Container(
        name="web", image=f"{ENV['private_registry']}/busybox:1", resources=requests(0.2, 0.2), environment_variables=env,
        command=["sh", "-c", f'echo "$OPEN ${{#KEY}}"; {GOES_ON}'], ports=[models.ContainerPort(port=80, protocol="TCP")])
    credentials = [models.ImageRegistryCredential(server=ENV["private_registry"], username=ENV["registry_user"],
                                                  password=ENV["registry_password"])]
    address = models.IpAddress(type="Public", ports=[models.Port(port=80, protocol="TCP")])
    return models.ContainerGroup(location=LOCATION, os_type="Linux", restart_policy="Always", containers=[one], tags={"by": "python"},
                                 image_registry_credentials=credentials, ip_address=address)


def timed(poller):
    """The poller's result, which must not take long."""
    begun = time.monotonic()
    result = poller.result(FAST_S * 4)
    took = time.monotonic() - begun
    assert took < FAST_S, f"the poller took {took:.1f} s"
    return result


def until(what, check):
    end = time.monotonic() + FAST_S
    while not check():
        assert time.monotonic() < end, f"not within {FAST_S} s: {what}"
        time.sleep(0.2)


def refused(status, code, function, *arguments):
    try:
        function(*arguments)
    except HttpResponseError as error:
        found = (error.status_code, error.error.code if error.error else None)
        assert found == (status, code), f"{found}, expected {(status, code)}: {error.message[:300]}"
        return error
    raise AssertionError(f"accepted, expected {status} {code}")


# ---- sign-in and what is around ----

def a_wrong_secret_is_refused_by_its_name():
    try:
        credential("wrong").get_token(f"{URL}/.default")
    except ClientAuthenticationError as error:
        assert "AADSTS7000215" in error.message, error.message
        return
    raise AssertionError("a token was given")


def a_tenant_of_adfs_needs_no_switches():
    adfs = ClientSecretCredential("adfs", ENV["client_id"], ENV["client_secret"], authority=URL)
    with client(SubscriptionClient, credential=adfs) as signed_in:
        assert list(signed_in.subscriptions.list())


def subscriptions_tenants_and_locations_are_listed():
    one = next(s for s in SUBSCRIPTIONS.subscriptions.list() if s.subscription_id == SUBSCRIPTION)
    assert one.state == "Enabled" and one.display_name, one
    assert SUBSCRIPTIONS.subscriptions.get(SUBSCRIPTION).id == f"/subscriptions/{SUBSCRIPTION}"
    assert [t.tenant_id for t in SUBSCRIPTIONS.tenants.list()] == [ENV["tenant_id"]]
    assert LOCATION in [found.name for found in SUBSCRIPTIONS.subscriptions.list_locations(SUBSCRIPTION)]


def a_resource_group_is_made_changed_and_found():
    made = RESOURCES.resource_groups.create_or_update(RG, {"location": LOCATION, "tags": {"a": "1"}})
    assert made.name == RG and made.properties.provisioning_state == "Succeeded", made
    assert RESOURCES.resource_groups.check_existence(RG) and not RESOURCES.resource_groups.check_existence(f"{RG}-none")
    assert RESOURCES.resource_groups.update(RG, {"tags": {"b": "2"}}).tags == {"b": "2"}
    assert RG in [found.name for found in RESOURCES.resource_groups.list()]
    assert RESOURCES.resource_groups.get(RG.upper()).name == RG


def the_provider_is_registered_and_tells_its_versions():
    provider = RESOURCES.providers.get("Microsoft.ContainerInstance")
    assert provider.registration_state == "Registered"
    groups = next(t for t in provider.resource_types if t.resource_type == "containerGroups")
    assert {"2023-05-01", "2025-09-01"} <= set(groups.api_versions) and groups.locations, groups
    assert RESOURCES.providers.register("Microsoft.ContainerInstance").registration_state == "Registered"
    assert "Microsoft.ContainerInstance" in [found.namespace for found in RESOURCES.providers.list()]


# ---- groups ----

def a_group_with_everything_is_created_and_runs():
    made = timed(GROUPS.begin_create_or_update(RG, "web", full()))
    assert made.provisioning_state == "Succeeded" and made.instance_view.state == "Running", made
    assert made.ip_address.ip and made.tags == {"by": "python"}
    one = made.containers[0]
    assert one.instance_view.current_state.state == "Running" and one.instance_view.restart_count == 0
    assert {"Pulled", "Started"} <= {event.name for event in one.instance_view.events}
    shown = {variable.name: (variable.value, variable.secure_value) for variable in one.environment_variables}
    assert shown == {"OPEN": ("shown", None), "KEY": (None, None)}, shown
    assert made.image_registry_credentials[0].password is None


def a_poller_says_how_far_it_is_and_can_be_taken_up_again():
    poller = GROUPS.begin_create_or_update(RG, "resumed", small())
    assert poller.status() in ("InProgress", "Pending", "Running", "Accepted", "Creating", "Succeeded"), poller.status()
    again = GROUPS.begin_create_or_update(RG, "resumed", small(), continuation_token=poller.continuation_token())
    assert timed(again).name == "resumed" and poller.result(FAST_S).name == "resumed"


def it_is_shown_in_whatever_case_and_keeps_its_own():
    assert GROUPS.get(RG.upper(), "WEB").name == "web"


def lists_come_page_by_page():
    pages = [[one.name for one in page] for page in GROUPS.list_by_resource_group("paged").by_page()]
    names = [name for page in pages for name in page]
    assert len(pages) > 1 and len(names) == len(set(names)) == int(ENV["paged"]), (len(pages), len(names))
    everywhere = [one.id for one in GROUPS.list()]
    assert len(everywhere) == len(set(everywhere)) > len(names)
    assert {"web", "resumed"} <= {one.name for one in GROUPS.list_by_resource_group(RG)}


def tags_are_changed_and_nothing_else():
    before = GROUPS.get(RG, "web")
    after = GROUPS.update(RG, "web", models.Resource(location=LOCATION, tags={"by": "nobody"}))
    assert after.tags == {"by": "nobody"}
    assert after.containers[0].instance_view.current_state.start_time == before.containers[0].instance_view.current_state.start_time


def a_group_is_changed_by_putting_it_again():
    changed = full()
    changed.containers[0].environment_variables[0].value = "changed"
    made = timed(GROUPS.begin_create_or_update(RG, "web", changed))
    assert made.containers[0].environment_variables[0].value == "changed"
    until("the new one wrote", lambda: "changed 9" in log("web", "web"))


def log(group, container, **more):
    return CONTAINERS.containers.list_logs(RG, group, container, **more).content


def logs_are_text_with_the_last_lines_and_times_when_asked():
    command = ("sh", "-c", f"for i in 1 2 3 4 5; do echo line $i; done; {GOES_ON}")
    timed(GROUPS.begin_create_or_update(RG, "talk", small(command)))
    until("all is written", lambda: "line 5" in log("talk", "c"))
    assert log("talk", "c").splitlines() == [f"line {n}" for n in range(1, 6)]
    assert log("talk", "c", tail=2).splitlines() == ["line 4", "line 5"]
    assert all(line[4] == "-" and "Z line" in line for line in log("talk", "c", timestamps=True).splitlines())


def a_group_stops_starts_and_restarts():
    assert GROUPS.stop(RG, "web") is None
    stopped = GROUPS.get(RG, "web")
    assert stopped.instance_view.state == "Stopped" and stopped.containers[0].instance_view.current_state.state == "Terminated"
    timed(GROUPS.begin_start(RG, "web"))
    started = GROUPS.get(RG, "web").containers[0].instance_view.current_state
    assert started.state == "Running"
    time.sleep(1.1)
    timed(GROUPS.begin_restart(RG, "web"))
    again = GROUPS.get(RG, "web").containers[0].instance_view
    assert again.current_state.start_time > started.start_time and again.restart_count == 0


def a_job_ends_with_its_exit_code():
    timed(GROUPS.begin_create_or_update(RG, "job", small(("sh", "-c", "exit 3"), "Never")))
    until("it ended", lambda: GROUPS.get(RG, "job").instance_view.state == "Failed")
    state = GROUPS.get(RG, "job").containers[0].instance_view.current_state
    assert (state.state, state.exit_code) == ("Terminated", 3) and state.finish_time >= state.start_time


def what_is_shown_can_be_put_again_under_another_name():
    shown = GROUPS.get(RG, "talk").serialize()
    timed(GROUPS.begin_create_or_update(RG, "talk2", models.ContainerGroup.deserialize(shown)))
    timed(GROUPS.begin_delete(RG, "talk2"))


def what_a_location_has_and_can_do_is_told():
    usage = {one.name.value: one for one in CONTAINERS.location.list_usage(LOCATION)}
    assert usage["ContainerGroups"].current_value >= 1 <= usage["ContainerGroups"].limit, usage.keys()
    assert "StandardCores" in usage
    able = [one for one in CONTAINERS.location.list_capabilities(LOCATION) if one.os_type == "Linux"]
    assert able and able[0].capabilities.max_cpu > 0 and able[0].resource_type == "containerGroups", able
    assert ENV["image"] in [one.image for one in CONTAINERS.location.list_cached_images(LOCATION)]


def operations_and_outbound_dependencies_are_listed():
    assert "Microsoft.ContainerInstance/containerGroups/read" in [one.name for one in CONTAINERS.operations.list()]
    assert list(GROUPS.get_outbound_network_dependencies_endpoints(RG, "web")) == []


def resources_are_listed_and_reached_by_id():
    found = {one.name: one for one in RESOURCES.resources.list_by_resource_group(RG)}
    assert found["web"].type == "Microsoft.ContainerInstance/containerGroups", found
    kept = "resourceType eq 'Microsoft.ContainerInstance/containerGroups'"
    assert {"web", "job"} <= {one.name for one in RESOURCES.resources.list(filter=kept)}
    by_id = RESOURCES.resources.get_by_id(found["web"].id, "2023-05-01")
    assert by_id.properties["osType"] == "Linux" and RESOURCES.resources.check_existence_by_id(by_id.id, "2023-05-01")


def the_client_of_coroutines_does_the_same():
    from azure.identity.aio import ClientSecretCredential as Credential
    from azure.mgmt.containerinstance.aio import ContainerInstanceManagementClient as Client

    async def work():
        signer = Credential(ENV["tenant_id"], ENV["client_id"], ENV["client_secret"], authority=URL, instance_discovery=False)
        async with signer, Client(signer, SUBSCRIPTION, base_url=URL, credential_scopes=[f"{URL}/.default"]) as one:
            poller = await one.container_groups.begin_create_or_update(RG, "later", small())
            assert (await poller.result()).instance_view.state == "Running"
            names = [found.name async for found in one.container_groups.list_by_resource_group("paged")]
            assert len(names) == int(ENV["paged"])
            await (await one.container_groups.begin_delete(RG, "later")).result()
    asyncio.run(work())


# ---- refusals ----

def what_is_not_there_is_told():
    for function, arguments in [(GROUPS.get, (RG, "nothing")), (GROUPS.begin_start, (RG, "nothing")), (GROUPS.stop, (RG, "nothing"))]:
        error = refused(404, "ResourceNotFound", function, *arguments)
        assert isinstance(error, ResourceNotFoundError)
    refused(404, "ContainerNotFound", CONTAINERS.containers.list_logs, RG, "web", "nobody")
    refused(404, "ResourceGroupNotFound", RESOURCES.resource_groups.get, "nowhere")
    refused(404, "SubscriptionNotFound", SUBSCRIPTIONS.subscriptions.get, "99999999-0000-0000-0000-000000000000")
    assert GROUPS.begin_delete(RG, "nothing").result(FAST_S) is None


def what_cannot_change_is_named():
    changed = full()
    changed.restart_policy = "Never"
    error = refused(400, "InvalidContainerGroupUpdate", GROUPS.begin_create_or_update, RG, "web", changed)
    assert "Always" in error.message and "Never" in error.message, error.message


def a_stopped_group_is_not_restarted():
    GROUPS.stop(RG, "talk")
    refused(409, "ContainerGroupStopped", GROUPS.begin_restart, RG, "talk")


def exec_and_attach_tell_where_to_connect_and_the_password():
    asked = models.ContainerExecRequest(command="/bin/sh", terminal_size=models.ContainerExecRequestTerminalSize(rows=24, cols=80))
    told = CONTAINERS.containers.execute_command(RG, "web", "web", asked)
    assert re.fullmatch(r"wss://.*/execstream/sessionId/[0-9a-f-]{36}\?api-version=1.0&rows=24&cols=80", told.web_socket_uri), told
    assert told.password.endswith("[[EOM]]"), "no end mark"
    told = CONTAINERS.containers.attach(RG, "web", "web")
    assert "/logstream/sessionId/" in told.web_socket_uri and told.password, told.web_socket_uri


def refuse(case):
    """One line of the table; a document that the models cannot hold goes as it is."""
    document = case["document"]
    body = json.dumps(document).encode() if "python" in case["notBy"] else models.ContainerGroup.deserialize(document)
    refused(case["status"], case["code"], GROUPS.begin_create_or_update, case["resourceGroup"], case["name"], body)


# ---- the end ----

def a_group_is_deleted_and_shown_once_more():
    gone = timed(GROUPS.begin_delete(RG, "job"))
    assert gone is None or gone.name == "job"
    refused(404, "ResourceNotFound", GROUPS.get, RG, "job")


def a_resource_group_goes_with_all_its_groups():
    timed(RESOURCES.resource_groups.begin_delete(RG))
    assert not RESOURCES.resource_groups.check_existence(RG)
    assert not [one for one in GROUPS.list() if f"/resourceGroups/{RG}/" in one.id]


CASES = [
    a_wrong_secret_is_refused_by_its_name, a_tenant_of_adfs_needs_no_switches, subscriptions_tenants_and_locations_are_listed,
    a_resource_group_is_made_changed_and_found, the_provider_is_registered_and_tells_its_versions,
    a_group_with_everything_is_created_and_runs, a_poller_says_how_far_it_is_and_can_be_taken_up_again,
    it_is_shown_in_whatever_case_and_keeps_its_own, lists_come_page_by_page, tags_are_changed_and_nothing_else,
    a_group_is_changed_by_putting_it_again, logs_are_text_with_the_last_lines_and_times_when_asked, a_group_stops_starts_and_restarts,
    a_job_ends_with_its_exit_code, what_is_shown_can_be_put_again_under_another_name, what_a_location_has_and_can_do_is_told,
    operations_and_outbound_dependencies_are_listed, resources_are_listed_and_reached_by_id, the_client_of_coroutines_does_the_same,
    what_is_not_there_is_told, what_cannot_change_is_named, a_stopped_group_is_not_restarted,
    exec_and_attach_tell_where_to_connect_and_the_password,
]
LAST = [a_group_is_deleted_and_shown_once_more, a_resource_group_goes_with_all_its_groups]


def main():
    report = tap.Tap()
    for case in CASES:
        report.run(case)
    with open(ENV["refusals"], encoding="utf-8") as opened:
        for one in json.load(opened):
            def case(one=one):
                refuse(one)
            case.__name__ = f"{one['sentence']} is refused with {one['code']}"
            report.run(case)
    for case in LAST:
        report.run(case)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
