"""GPUs and other devices by CDI: copies of harmless devices stand in for them."""
import json
import os

from berth import container, group, wait

KIND = "berth.test/gpu"


def devices_begin(berth):
    """The agent comes back with two GPUs of sku V100."""
    folder = os.path.join(berth.folder, "cdi")
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/hello", "w", encoding="utf-8") as out:
        out.write("driver\n")
    edits = {"env": ["DRIVER=yes"], "mounts": [{"hostPath": f"{folder}/hello", "containerPath": "/driver", "options": ["ro"]}]}
    devices = [{"name": str(i), "containerEdits": {"env": [f"GPU{i}=yes"], "deviceNodes": [
        {"path": f"/dev/gpu{i}", "hostPath": host, "permissions": "rw"}]}} for i, host in enumerate(["/dev/zero", "/dev/full"])]
    with open(f"{folder}/gpu.json", "w", encoding="utf-8") as out:
        json.dump({"cdiVersion": "0.6.0", "kind": KIND, "containerEdits": edits, "devices": devices}, out)
    with open(berth.agent.config, encoding="utf-8") as opened:
        config = {**json.load(opened), "cdi_dirs": [folder], "gpu_kinds": {"V100": KIND}}
    with open(berth.agent.config, "w", encoding="utf-8") as out:
        json.dump(config, out)
    berth.agent.restart()


def with_gpus(berth, name, count, script="trap exit TERM; sleep 600 & wait"):
    resources = {"requests": {"cpu": 0.1, "memoryInGB": 0.1, "gpu": {"count": count, "sku": "V100"}}}
    return berth.put(name, group([container("c", berth.image, ["sh", "-c", script], resources=resources)]))


def gpus_are_told_and_given_whole(berth):
    devices_begin(berth)
    node = wait("the node tells its GPUs", lambda: next((n for n in nodes(berth) if n.get("gpus")), None))
    assert node["gpus"] == [{"sku": "V100", "count": 2}], node
    script = "env | grep -cE '^(DRIVER|GPU0)=yes'; cat /driver; head -c 3 /dev/gpu0 | wc -c; ls /dev/gpu1; sleep 600"
    with_gpus(berth, "first", 1, script).expect(201)
    said = wait("it has looked", lambda: berth.logs("first", "c").count("\n") > 3 and berth.logs("first", "c"))
    assert said.splitlines()[:3] == ["2", "driver", "3"] and "No such file" in said, said
    refused = with_gpus(berth, "third", 2).expect(409)
    assert "too few GPUs free" in refused.text, refused.text
    with_gpus(berth, "second", 1, "ls /dev/gpu*; sleep 600").expect(201)
    assert wait("it has looked", lambda: berth.logs("second", "c") or None) == "/dev/gpu1\n"
    for name in ("first", "second"):
        berth.delete(name)
        berth.wait_gone(name)


def what_is_held_is_known_to_an_agent_that_comes_back(berth):
    devices_begin(berth)
    wait("both are free", lambda: with_gpus(berth, "both-gpus", 2).status == 201)
    berth.wait_state("both-gpus", "Running")
    berth.agent.kill()
    berth.agent.start()
    berth.wait_state("both-gpus", "Running")
    assert with_gpus(berth, "late", 1).status == 409
    berth.delete("both-gpus")
    wait("its usage is closed", lambda: berth.closed(berth.usage("both-gpus")), 10)
    [held] = berth.usage("both-gpus")["value"]  # one interval, the kill notwithstanding
    assert held["gpus"] == [{"sku": "V100", "count": 2, "gpuSeconds": 2 * held["seconds"]}] and held["seconds"] > 0, held
    wait("a GPU is free again", lambda: with_gpus(berth, "late", 1, "ls /dev/gpu*; sleep 600").status == 201)
    assert wait("it has looked", lambda: berth.logs("late", "c") or None) == "/dev/gpu0\n"


def nodes(berth):
    return berth.client.request("GET", "/v1/nodes").expect(200).json["value"]


CASES = [
    gpus_are_told_and_given_whole,
    what_is_held_is_known_to_an_agent_that_comes_back,
]
