"""The security context and limits of containers, asked for by a client and seen from inside."""
import base64
import json
import signal

from berth import LOCATION, container, group, wait

STATUS = "grep -E '^(CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|Uid|Gid):' /proc/self/status"


def said(berth, name, script, **properties):
    """What a container with these properties says, as {first word: the rest} of its lines."""
    one = container("c", berth.image, ["sh", "-c", script], **properties)
    berth.put(name, group([one], policy="Never")).expect(201)
    berth.wait_state(name, "Succeeded")
    text = berth.logs(name, "c")
    berth.delete(name)
    return dict(line.split(None, 1) for line in text.splitlines() if " " in line or "\t" in line)


def a_container_runs_as_the_user_and_group_it_asks_for(berth):
    seen = said(berth, "user", STATUS, securityContext={"runAsUser": 1234, "runAsGroup": 4321})
    assert seen["Uid:"].split()[0] == "1234" and seen["Gid:"].split()[0] == "4321", seen
    assert seen["CapEff:"] == "0" * 16, seen


def a_container_has_the_capabilities_it_asks_for(berth):
    changes = {"add": ["NET_ADMIN", "cap_sys_ptrace"], "drop": ["ALL"]}
    seen = said(berth, "caps", STATUS, securityContext={"capabilities": changes, "allowPrivilegeEscalation": True})
    assert seen["CapEff:"] == f"{1 << 12 | 1 << 19:016x}" == seen["CapBnd:"], seen
    assert seen["NoNewPrivs:"] == "0", seen


def without_a_word_a_container_can_gain_no_rights(berth):
    seen = said(berth, "plain", STATUS)
    assert seen["NoNewPrivs:"] == "1" and seen["Seccomp:"] == "2", seen


def a_profile_of_system_calls_takes_the_place_of_the_usual_one(berth):
    rule = {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}
    profile = base64.b64encode(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}).encode()).decode()
    seen = said(berth, "calls", "mkdir /tmp/x 2>&1; touch /tmp/y && echo touch works", securityContext={"seccompProfile": profile})
    assert "No space left" in seen["mkdir:"] and seen["touch"] == "works", seen


def rights_over_the_node_need_a_location_that_allows_them(berth):
    context = {"privileged": True}
    one = container("c", berth.image, ["true"], securityContext=context)
    refused = berth.put("strong", group([one])).expect(400)
    assert refused.code == "InvalidSecurityContext" and "privileged_locations" in refused.text, refused.text
    reconfigure(berth, privileged_locations=[LOCATION])
    try:
        wait("the setting counts", lambda: berth.request("POST", "strong", group([one]), tail="/whatIf").status == 200)
        seen = said(berth, "strong", STATUS + "; mount -t tmpfs none /tmp && echo mount works; test -c /dev/kmsg && echo kmsg works", securityContext=context)
        assert seen["Seccomp:"] == "0" and seen["NoNewPrivs:"] == "0" and seen["mount"] == seen["kmsg"] == "works", seen
    finally:
        reconfigure(berth, privileged_locations=[])


def reconfigure(berth, **settings):
    with open(berth.daemon.config, encoding="utf-8") as opened:
        config = {**json.load(opened), **settings}
    with open(berth.daemon.config, "w", encoding="utf-8") as out:
        json.dump(config, out, indent=1)
    berth.daemon.process.signal(signal.SIGHUP)


def the_share_follows_the_request_and_the_ceiling_the_limit(berth):
    """cgroup files, read through the container's own view of them."""
    script = ("cd /sys/fs/cgroup; for f in cpu/cpu.shares cpu/cpu.cfs_quota_us memory/memory.limit_in_bytes "
              "cpu.weight cpu.max memory.max; do test -e $f && echo $f $(cat $f); done; true")
    resources = {"requests": {"cpu": 0.25, "memoryInGB": 0.1}, "limits": {"cpu": 0.5, "memoryInGB": 0.2}}
    limited = container("c", berth.image, ["sh", "-c", script], resources=resources)
    other = container("other", berth.image, ["true"], cpu=0.5, memory=0.5)
    berth.put("shares", group([limited, other], policy="Never")).expect(201)
    berth.wait_state("shares", "Succeeded")
    seen = dict(line.split(None, 1) for line in berth.logs("shares", "c").splitlines())
    if "cpu.max" in seen:
        assert seen["cpu.max"] == "50000 100000" and seen["cpu.weight"] == "10", seen
        memory = seen["memory.max"]
    else:
        assert seen["cpu/cpu.cfs_quota_us"] == "50000" and seen["cpu/cpu.shares"] == "256", seen
        memory = seen["memory/memory.limit_in_bytes"]
    assert abs(int(memory) - 0.2 * 1024 ** 3) < 4096, seen
    berth.delete("shares")


NEWER = "2025-09-01"


def files_of_a_config_map_change_without_a_restart(berth):
    def put(colour, **more):
        pairs = {"keyValuePairs": {"colour": colour, "other": "stays", **more}}
        script = "trap exit TERM; cat /mnt/configmap/c/colour; touch /mnt/configmap/c/x 2>/dev/null || echo read-only; " \
                 "while :; do v=$(cat /mnt/configmap/c/colour); [ \"$v\" = \"$o\" ] || echo now $v; o=$v; sleep 0.1; done"
        body = group([container("c", berth.image, ["sh", "-c", script], configMap=pairs)])
        return body, f"{berth.group_path('files')}?api-version={NEWER}"

    def said(words):
        return wait(words, lambda: words in berth.logs("files", "c"))

    def view():
        return berth.client.request("GET", path).json["properties"]["containers"][0]["properties"].get("instanceView")

    body, path = put("red\n")
    berth.client.request("PUT", path, body).expect(201)
    said("now red")
    assert berth.logs("files", "c").startswith("red\nread-only\n"), berth.logs("files", "c")
    body, path = put("blue\n", extra="1")
    what = berth.client.request("POST", path.replace("?", "/whatIf?"), body).expect(200).json
    assert what["change"] == "filesOnly" and not what["errors"], what
    berth.client.request("PUT", path, body).expect(200)
    said("now blue")
    assert view()["restartCount"] == 0 and "previousState" not in view(), view()
    berth.agent.kill()
    berth.agent.start()
    body, path = put("green\n")
    berth.client.request("PUT", path, body).expect(200)
    said("now green")
    berth.post("files", "restart").expect(202, 204)
    wait("it runs anew from the newest", lambda: berth.logs("files", "c").startswith("green\nread-only\nnow green"))
    berth.client.request("DELETE", path).expect(200)


CASES = [
    files_of_a_config_map_change_without_a_restart,
    a_container_runs_as_the_user_and_group_it_asks_for,
    a_container_has_the_capabilities_it_asks_for,
    without_a_word_a_container_can_gain_no_rights,
    a_profile_of_system_calls_takes_the_place_of_the_usual_one,
    rights_over_the_node_need_a_location_that_allows_them,
    the_share_follows_the_request_and_the_ceiling_the_limit,
]
