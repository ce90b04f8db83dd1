"""Local disks in real containers: data outlive groups, the agent and nobody else's; two nodes; removing them."""
import os

from berth import LOCATION, SUBSCRIPTION, Agent, container, group, wait
from cases_image import texts
from cases_volume import ending, mount, said

OTHER_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg2"
PATH = OTHER_GROUP + "/providers/Microsoft.ContainerInstance/containerGroups/"
VERSION = "?api-version=2023-05-01"


def disk(name="data", **more):
    return {"name": "disk1", "localDisk": {"name": name, **more}}


def body(berth, script, policy="Never", volume=None, **more):
    return group([container("app", berth.image, ["sh", "-c", ending(script)],
                            volumeMounts=[mount("disk1", "/data")])], policy=policy, volumes=[volume or disk()], **more)


def put(berth, name, document, status=201):
    return berth.client.request("PUT", berth.group_path(name) + VERSION, document).expect(status)


def listed(berth, **query):
    tail = "&".join(f"{key}={value}" for key, value in query.items())
    return berth.client.request("GET", "/v1/disks" + ("?" + tail if tail else "")).expect(200).json["value"]


def folders(agent):
    below = os.path.join(agent.folder, "disks")
    return os.listdir(below) if os.path.isdir(below) else []


def remove(berth, name):
    berth.client.request("DELETE", berth.group_path(name) + VERSION).expect(200, 204)
    berth.wait_gone(name)


def remove_disks(berth, *agents):
    """As every case leaves it: no disk known, no folder, no mount."""
    for one in listed(berth):
        berth.client.request("DELETE", f"/v1/disks/{one['id']}").expect(202)
    wait("the disks are gone", lambda: not listed(berth))
    for agent in agents or (berth.agent,):
        wait(f"their folders are gone: {folders(agent)}", lambda agent=agent: not folders(agent))
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            assert f"{agent.folder}/disks" not in mounts.read()


def data_outlive_the_group_and_a_restart_of_the_agent(berth):
    """Written by one group, read by the next of another name; nosuid, nodev and no larger than said."""
    put(berth, "first", body(berth, "echo kept > /data/word; echo wrote; sleep 600", volume=disk(sizeLimit="32Mi")))
    said(berth, "first", "app", "wrote")
    shown = berth.client.request("GET", berth.group_path("first") + VERSION).expect(200).json
    assert shown["properties"]["volumes"] == [disk(sizeLimit="32Mi")], shown["properties"]["volumes"]
    remove(berth, "first")
    berth.agent.restart()
    put(berth, "second", body(berth, "cat /data/word; grep ' /data ' /proc/mounts; df -k /data | tail -1; echo read; sleep 600"))
    text = said(berth, "second", "app", "read")
    assert "kept" in text and "nosuid,nodev" in text, text
    assert int(text.split("/data\n")[0].split()[-4]) < 33 << 10, text
    remove(berth, "second")
    remove_disks(berth)


def two_groups_have_it_at_once_and_another_resource_group_never(berth):
    put(berth, "writer", body(berth, "echo shared > /data/word; echo wrote; sleep 600"))
    said(berth, "writer", "app", "wrote")
    put(berth, "reader", body(berth, "cat /data/word; echo read; sleep 600"))
    assert "shared" in said(berth, "reader", "app", "read")
    rg = OTHER_GROUP + "?api-version=2021-04-01"
    berth.client.request("PUT", rg, {"location": LOCATION}).expect(200, 201)
    client = berth.client
    client.request("PUT", PATH + "other" + VERSION, body(berth, "ls -A /data; echo read; sleep 600")).expect(201)
    logs = PATH + "other/containers/app/logs" + VERSION
    wait("the other one has read", lambda: "read" in client.request("GET", logs).text)
    assert "word" not in client.request("GET", logs).text
    assert len(listed(berth, subscription=SUBSCRIPTION, resourceGroup="rg2")) == 1 and len(listed(berth)) == 2
    berth.client.request("DELETE", rg).expect(202)
    wait("the other one's disk goes with its resource group", lambda: len(listed(berth)) == 1 and len(folders(berth.agent)) == 1)
    remove(berth, "reader")
    remove(berth, "writer")
    remove_disks(berth)


def a_disk_in_use_is_not_removed_and_one_that_is_not_leaves_nothing(berth):
    put(berth, "user", body(berth, "echo x > /data/word; echo wrote; sleep 600"))
    said(berth, "user", "app", "wrote")
    one = listed(berth)[0]
    assert one["groups"] == ["user"] and one["node"] == berth.agent.node and not one["removing"], one
    refused = berth.client.request("DELETE", f"/v1/disks/{one['id']}").expect(409)
    assert "user" in refused.text, refused.text
    remove(berth, "user")
    assert folders(berth.agent) == [one["id"]]
    berth.agent.kill()
    berth.client.request("DELETE", f"/v1/disks/{one['id']}").expect(202)
    assert [d["removing"] for d in listed(berth)] == [True]
    berth.daemon.kill()  # what was acknowledged is known
    berth.daemon.start()
    berth.agent.start()
    wait("it is gone", lambda: not listed(berth) and not folders(berth.agent))
    put(berth, "user", body(berth, "ls -A /data; echo empty; sleep 600"))
    assert "word" not in said(berth, "user", "app", "empty")
    remove(berth, "user")
    remove_disks(berth)


def a_group_goes_to_the_node_that_has_its_disk_and_nowhere_else(berth):
    """The second node is larger and emptier; it never gets the group, however closed the first is."""
    put(berth, "home", body(berth, "echo kept > /data/word; echo wrote; sleep 600"))
    said(berth, "home", "app", "wrote")
    remove(berth, "home")
    folder = os.path.join(berth.folder, "second")
    os.makedirs(folder)
    second = Agent(folder, berth.daemon, berth.registry, registry_certs_dir=f"{berth.folder}/certs")
    client = berth.client
    try:
        client.request("POST", f"/v1/nodes/{berth.agent.node}/cordon").expect(200)
        refused = put(berth, "home", body(berth, "true"), 409)
        assert f"'data' is on node '{berth.agent.node}'" in refused.text and "is cordoned" in refused.text, refused.text
        put(berth, "away", body(berth, "echo away > /data/word; echo wrote; sleep 600", volume=disk("other")))
        said(berth, "away", "app", "wrote")
        client.request("POST", f"/v1/nodes/{berth.agent.node}/uncordon").expect(200)
        both = body(berth, "true")
        both["properties"]["volumes"].append({"name": "disk2", "localDisk": {"name": "other"}})
        refused = put(berth, "both", both, 409)
        assert refused.code == "LocalDiskNotAvailable", refused.text
        put(berth, "home", body(berth, "cat /data/word; echo read; sleep 600"))
        assert "kept" in said(berth, "home", "app", "read"), texts(berth, "home")
        where = {d["name"]: d["node"] for d in listed(berth)}
        assert where == {"data": berth.agent.node, "other": second.node}, where
        remove(berth, "home")
        remove(berth, "away")
        remove_disks(berth, berth.agent, second)
    finally:
        client.request("POST", f"/v1/nodes/{berth.agent.node}/uncordon")
        second.stop()
        second.clean()
        client.request("DELETE", f"/v1/nodes/{second.node}")


CASES = [
    data_outlive_the_group_and_a_restart_of_the_agent,
    two_groups_have_it_at_once_and_another_resource_group_never,
    a_disk_in_use_is_not_removed_and_one_that_is_not_leaves_nothing,
    a_group_goes_to_the_node_that_has_its_disk_and_nowhere_else,
]
