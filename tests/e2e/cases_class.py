"""Runtime classes: groups of one node behind different walls."""
from berth import container, group, wait

TAG = "berth.runtimeClass"


def of_class(berth, name, *containers, **more):
    return {**group(list(containers), **more), "tags": {TAG: name}}


def the_node_tells_the_classes_it_has(berth):
    nodes = berth.client.request("GET", "/v1/nodes").expect(200).json["value"]
    assert nodes[0]["runtimeClasses"] == ["crun", "runc", "runsc"], nodes


def groups_of_each_class_run_on_one_node_and_a_sandbox_has_a_kernel_of_its_own(berth):
    with open("/proc/version", encoding="utf-8") as opened:
        node = opened.read()
    for name in ("crun", "runc", "runsc"):
        script = "cat /proc/version; dmesg 2>/dev/null | grep -c gVisor; trap exit TERM; sleep 600 & wait"
        berth.put(name, of_class(berth, name, container("c", berth.image, ["sh", "-c", script]))).expect(201)
    for name in ("crun", "runc", "runsc"):
        berth.wait_state(name, "Running")
        said = wait("it has said so", lambda n=name: (berth.logs(n, "c").count("\n") > 1 and berth.logs(n, "c")))
        assert (node in said) == (name != "runsc"), (name, said)
        if name == "runsc":
            assert int(said.splitlines()[-1]) > 0, said
    for name in ("crun", "runc", "runsc"):
        berth.delete(name)
        berth.wait_gone(name)


def containers_of_a_sandboxed_group_share_its_network(berth):
    """Each has a kernel of its own; localhost is the group's."""
    server = container("server", berth.image, ["sh", "-c", "while :; do echo hello | nc -l -p 8000; done"])
    client = container("client", berth.image, ["sh", "-c", "until nc 127.0.0.1 8000 </dev/null 2>/dev/null | grep hello; do "
                                               "sleep 0.3; done; hostname; sleep 600"])
    berth.put("pair", of_class(berth, "runsc", server, client)).expect(201)
    berth.wait_state("pair", "Running")
    said = wait("the answer came", lambda: (berth.logs("pair", "client").count("\n") > 1 and berth.logs("pair", "client")))
    assert said.splitlines()[0] == "hello", said
    berth.delete("pair")


def what_a_class_cannot_do_is_refused_at_once(berth):
    one = container("c", berth.image, ["true"], securityContext={"seccompProfile": "eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfQUxMT1cifQ=="})
    refused = berth.put("not", of_class(berth, "runsc", one)).expect(400)
    assert refused.code == "InvalidRuntimeClass" and "seccompProfile" in refused.json["error"]["target"], refused.text
    refused = berth.put("not", of_class(berth, "Not A Class", container("c", berth.image, ["true"]))).expect(400)
    assert refused.json["error"]["target"] == f"tags.{TAG}", refused.text


def a_class_that_no_node_has_finds_no_room_and_says_why(berth):
    refused = berth.put("kata", of_class(berth, "kata", container("c", berth.image, ["true"]))).expect(409)
    assert "lacks its runtime class" in refused.text, refused.text


def a_group_keeps_its_class_until_it_is_deployed_anew(berth):
    plain = container("c", berth.image, ["sh", "-c", "cat /proc/version; sleep 600"])
    berth.put("keeps", of_class(berth, "runsc", plain)).expect(201)
    berth.wait_state("keeps", "Running")
    refused = berth.put("keeps", of_class(berth, "crun", plain)).expect(400)
    assert TAG in refused.text, refused.text
    berth.request("PATCH", "keeps", {"tags": {TAG: "crun"}}).expect(200)
    berth.post("keeps", "restart").expect(202, 204)
    wait("it runs again", lambda: berth.state("keeps") == "Running" and "4.4.0" in berth.logs("keeps", "c"))
    berth.delete("keeps")


CASES = [
    the_node_tells_the_classes_it_has,
    groups_of_each_class_run_on_one_node_and_a_sandbox_has_a_kernel_of_its_own,
    containers_of_a_sandboxed_group_share_its_network,
    what_a_class_cannot_do_is_refused_at_once,
    a_class_that_no_node_has_finds_no_room_and_says_why,
    a_group_keeps_its_class_until_it_is_deployed_anew,
]
