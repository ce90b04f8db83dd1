"""Users of their own: root in a group is nobody on its node, and everything else is as before."""
import base64
import contextlib
import json
import os
import subprocess

from berth import LOCATION, busybox_archive, container, group, wait
from cases_class import TAG
from cases_disk import folders, remove_disks
from cases_image import texts
from cases_security import NEWER, reconfigure
from cases_stream import ran
from cases_volume import ending, mount, said, shell

FIRST, EACH = 1879048192, 65536
MAP = "cat /proc/self/uid_map; "


def first_process(berth, name, which="c"):
    """Of a container, as the node numbers it."""
    uid = next(g["uid"] for g in told(berth) if g["name"] == name)
    with open(f"{berth.agent.run_dir}/runtime/c/{uid}/{which}/pid", encoding="utf-8") as opened:
        return int(opened.read())


def told(berth):
    """What the node knows of its groups."""
    found = []
    for entry in os.listdir(f"{berth.agent.run_dir}/orders"):
        with contextlib.suppress(OSError, ValueError), open(f"{berth.agent.run_dir}/orders/{entry}", encoding="utf-8") as opened:
            found.append(json.load(opened))
    return found


def ids(pid):
    """Real, effective, saved and file system user, as the node numbers them."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return {int(word) for word in next(line for line in status if line.startswith("Uid:")).split()[1:]}


def first_id(berth, name, which="c"):
    with open(f"/proc/{first_process(berth, name, which)}/uid_map", encoding="utf-8") as opened:
        inside, outside, count = map(int, opened.read().split())
    assert inside == 0, (inside, outside, count)
    return outside


def begin(berth, name, script, policy="Never", volumes=None, mounts=(), image=None, of=None, **more):
    one = container("c", image or berth.image, ["sh", "-c", ending(script)], volumeMounts=list(mounts), **more)
    body = group([one], policy=policy, **({"volumes": volumes} if volumes else {}))
    berth.put(name, {**body, **({"tags": {TAG: of}} if of else {})}).expect(201)


def end(berth, name):
    berth.delete(name)
    berth.wait_gone(name)


def node(berth):
    return berth.client.request("GET", "/v1/nodes").expect(200).json["value"][0]


def root_in_a_group_is_nobody_on_its_node(berth):
    assert node(berth)["userNamespaces"] is True, node(berth)
    for name in ("one", "two"):
        begin(berth, name, "id -u; echo ready; sleep 600")
        assert said(berth, name, "c", "ready").split() == ["0", "ready"]
    ranges = [first_id(berth, name) for name in ("one", "two")]
    for name, first in zip(("one", "two"), ranges):
        assert first >= FIRST and first % EACH == 0, first
        assert ids(first_process(berth, name)) == {first}, ids(first_process(berth, name))
    assert ranges[0] != ranges[1]
    for name in ("one", "two"):
        end(berth, name)


def files_of_an_image_are_roots_and_can_be_changed(berth):
    begin(berth, "files", "stat -c %u:%g / /etc/passwd /bin/busybox; echo more:x:9:9::/: >> /etc/passwd && chown 65535:7 /etc/passwd && "
          "chmod 640 /etc/passwd && stat -c %u:%g:%a /etc/passwd; mkdir /new && ln /bin/busybox /new/b && mv /new /newer && "
          "stat -c %u /newer; rm /etc/group; ls /etc; echo ready; sleep 600")
    lines = said(berth, "files", "c", "ready").splitlines()
    assert lines[:5] == ["0:0", "0:0", "0:0", "65535:7:640", "0"] and "group" not in lines[5:], lines
    begin(berth, "again", "stat -c %u:%g:%a /etc/passwd; cat /etc/group > /dev/null && echo ready; sleep 600")
    assert said(berth, "again", "c", "ready").splitlines() == ["0:0:644", "ready"]
    for name in ("files", "again"):
        end(berth, name)


def a_group_is_root_of_its_network(berth):
    begin(berth, "net", "(echo hello | nc -l -p 80 > /dev/null) & sleep 0.3; nc 127.0.0.1 80 < /dev/null; "
          "ping -c 1 127.0.0.1 | grep -o '1 packets received'; hostname; echo x >> /etc/hosts && echo hosts; "
          "stat -c %u /etc/hosts /etc/resolv.conf /etc/hostname; echo ready; sleep 600")
    lines = said(berth, "net", "c", "ready").splitlines()
    assert lines == ["hello", "1 packets received", "net", "hosts", "0", "0", "0", "ready"], lines
    end(berth, "net")


def what_volumes_hold_belongs_to_the_group(berth):
    secret = base64.b64encode(b"word").decode()
    volumes = [{"name": "on-disk", "emptyDir": {}}, {"name": "in-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
               {"name": "of-size", "emptyDir": {"sizeLimit": "8Mi"}}, {"name": "secret", "secret": {"file": secret}}]
    script = ("for d in /disk /memory /size; do echo x > $d/x && chown 12:34 $d/x && chmod 600 $d/x && "
              "stat -c %u:%u:%g:%a $d $d/x | tr '\\n' ' '; cat $d/x; done; stat -c %u:%g:%a /secret /secret/file; cat /secret/file; "
              "echo; echo ready; sleep 600")
    mounts = [mount("on-disk", "/disk"), mount("in-memory", "/memory"), mount("of-size", "/size"), mount("secret", "/secret")]
    for runtime in ("crun", "runc"):
        begin(berth, runtime, script, volumes=volumes, mounts=mounts, of=runtime)
    for runtime in ("crun", "runc"):
        lines = said(berth, runtime, "c", "ready").splitlines()
        assert lines[:3] == ["0:0:0:777 12:12:34:600 x"] * 3, lines
        assert lines[3:] == ["0:0:755", "0:0:444", "word", "ready"], lines
        end(berth, runtime)


def files_of_a_config_map_are_roots(berth):
    path = f"{berth.group_path('map')}?api-version={NEWER}"
    one = shell(berth, "c", "cd /mnt/configmap/c; stat -Lc %u . key; cat key; echo ready; sleep 600",
                configMap={"keyValuePairs": {"key": "value\n"}})
    berth.client.request("PUT", path, group([one], policy="Never")).expect(201)
    wait("it has said", lambda: "ready" in berth.logs("map", "c"))
    assert berth.logs("map", "c").split() == ["0", "0", "value", "ready"]
    berth.client.request("DELETE", path).expect(200)
    berth.wait_gone("map")


def a_local_disk_is_roots_whichever_group_has_it(berth):
    volumes, mounts = [{"name": "disk1", "localDisk": {"name": "kept"}}], [mount("disk1", "/data")]
    begin(berth, "stays", "sleep 600", volumes=None)  # so that the next one's ids are others
    begin(berth, "first", "echo a > /data/a; mkdir /data/d; chown 5:6 /data/d; echo ready; sleep 600", volumes=volumes, mounts=mounts)
    said(berth, "first", "c", "ready")
    one = first_id(berth, "first")
    end(berth, "first")
    begin(berth, "second", "stat -c %u:%g /data/a /data/d; echo b >> /data/a && rmdir /data/d && cat /data/a; echo ready; sleep 600",
          volumes=volumes, mounts=mounts)
    assert said(berth, "second", "c", "ready").splitlines() == ["0:0", "5:6", "a", "b", "ready"]
    assert first_id(berth, "second") != one
    below = os.path.join(berth.agent.folder, "disks", folders(berth.agent)[0], "data", "a")
    assert os.stat(below).st_uid == 0, os.stat(below)
    for name in ("second", "stays"):
        end(berth, name)
    remove_disks(berth)


def commands_and_probes_run_as_users_of_the_group(berth):
    probe = {"exec": {"command": ["sh", "-c", "echo probed > /dev/stdout && test $(id -u) = 0 && touch /tmp/alive"]},
             "periodSeconds": 1}
    for runtime in ("crun", "runc"):
        begin(berth, runtime, "while ! test -e /tmp/alive; do sleep 0.1; done; echo opened > /dev/stdout; sleep 600", policy="Always",
              readinessProbe=probe, of=runtime)
    for runtime in ("crun", "runc"):
        said(berth, runtime, "c", "opened")
    text, _ = ran(berth, "sh -c 'cat /proc/self/uid_map; id -u; test -c $(tty) && echo terminal; stat -c %u $(tty)'", name="crun")
    assert text.split() == ["0", str(first_id(berth, "crun")), str(EACH), "0", "terminal", "0"], text
    for runtime in ("crun", "runc"):
        end(berth, runtime)


def a_sandbox_has_users_of_its_own_kind(berth):
    begin(berth, "sandbox", MAP + "id -u; echo ready; sleep 600", of="runsc")
    assert said(berth, "sandbox", "c", "ready").split() == ["0", "0", "4294967295", "0", "ready"]
    end(berth, "sandbox")


def users_of_images_and_of_the_spec_are_those_of_the_group(berth):
    image = berth.registry.push(busybox_archive(berth.folder, "--busybox", "--user", "1000:50"), "user:1")
    begin(berth, "image", "id -u; id -g; touch /etc/x 2>/dev/null || echo no; touch /tmp/x && echo tmp; echo ready; sleep 600", image=image)
    assert said(berth, "image", "c", "ready").split() == ["1000", "50", "no", "tmp", "ready"]
    assert ids(first_process(berth, "image")) == {first_id(berth, "image") + 1000}
    end(berth, "image")
    begin(berth, "last", "id -u; echo ready; sleep 600", securityContext={"runAsUser": 65535})
    assert said(berth, "last", "c", "ready").split() == ["65535", "ready"]
    begin(berth, "beyond", "true", securityContext={"runAsUser": 65536})
    wait("it is told", lambda: "users and groups on this node are numbered from 0 to 65535" in texts(berth, "beyond"))
    for name in ("last", "beyond"):
        end(berth, name)


def root_of_a_group_does_not_reach_its_node(berth):
    """What only the node's root may, root inside may not: neither by a file of the node's nor by the kernel."""
    begin(berth, "tries", "while ! test -e /data/go; do sleep 0.1; done; cat /data/secret; chmod 666 /data/secret; "
          "echo 1 > /proc/sys/kernel/panic; echo 1 > /proc/sysrq-trigger; mknod /tmp/null c 1 3; mount -t tmpfs none /tmp; "
          "mount -o remount,rw /sys; date -s 2001-01-01; unshare -U true; dmesg -c; echo ready; sleep 600",
          volumes=[{"name": "folder", "emptyDir": {}}], mounts=[mount("folder", "/data")],
          securityContext={"allowPrivilegeEscalation": True})
    berth.wait_state("tries", "Running")
    uid = next(g["uid"] for g in told(berth) if g["name"] == "tries")
    place = f"{berth.agent.folder}/groups/{uid}/volumes/folder/data"
    with open(os.open(f"{place}/secret", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as out:
        out.write("of the node")
    with open(f"{place}/go", "w", encoding="utf-8"):
        pass
    text = said(berth, "tries", "c", "ready")
    assert "of the node" not in text, text
    for refusal in ("cat: can't open '/data/secret': Permission denied", "chmod: /data/secret: Operation not permitted",
                    "/proc/sys/kernel/panic", "/proc/sysrq-trigger", "mknod: /tmp/null: Operation not permitted",
                    "mount: permission denied", "date: can't set date: Operation not permitted"):
        assert refusal in text, (refusal, text)
    end(berth, "tries")


def rights_over_the_node_come_with_its_users(berth):
    reconfigure(berth, privileged_locations=[LOCATION])
    try:
        for name, context in (("all", {"privileged": True}), ("some", {"capabilities": {"add": ["SYS_TIME"]}})):
            one = container("c", berth.image, ["sh", "-c", ending(MAP + "echo ready; sleep 600")], securityContext=context)
            wait("the setting counts", lambda n=name, c=one: berth.put(n, group([c])).status == 201)
            assert said(berth, name, "c", "ready").split() == ["0", "0", "4294967295", "ready"]
            end(berth, name)
    finally:
        reconfigure(berth, privileged_locations=[])


def without_the_setting_new_groups_have_the_nodes_users_and_old_ones_keep_theirs(berth):
    begin(berth, "old", MAP + "echo ready; cat /data/x; echo x > /data/x; sleep 1", policy="Always",
          volumes=[{"name": "folder", "emptyDir": {}}], mounts=[mount("folder", "/data")])
    before = said(berth, "old", "c", "ready").split()[:3]
    setting(berth, "off")
    try:
        wait("the node tells", lambda: node(berth).get("userNamespaces") is False)
        begin(berth, "new", MAP + "echo ready; while ! test -e /data/go; do sleep 0.1; done; rm /data/go", policy="Always",
              volumes=[{"name": "folder", "emptyDir": {}}], mounts=[mount("folder", "/data")])
        assert said(berth, "new", "c", "ready").split() == ["0", "0", "4294967295", "ready"]
        wait("it has run again", lambda: (berth.view("old", "c") or {}).get("restartCount", 0) > 0)
        assert said(berth, "old", "c", "x").split()[:3] == before
    finally:
        setting(berth, "auto")
    ran(berth, "touch /data/go", name="new")  # begun without, it goes on without
    wait("it runs again", lambda: (berth.view("new", "c") or {}).get("restartCount", 0) == 1)
    assert said(berth, "new", "c", "ready").split() == ["0", "0", "4294967295", "ready"]
    begin(berth, "newer", MAP + "echo ready; sleep 600")
    assert int(said(berth, "newer", "c", "ready").split()[1]) not in (0, int(before[1]))
    for name in ("old", "new", "newer"):
        end(berth, name)


def a_node_that_cannot_says_why_and_refuses_to_start_only_when_it_must(berth):
    """The kernel shows nobody a new /proc when a part of the old one is covered."""
    covered = "mount --make-rprivate /proc && mount --bind /dev/null /proc/uptime && exec \"$@\""
    plain = berth.agent.argv
    argv = ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", covered, "sh", *plain]
    berth.agent.stop()
    for word, why in (("on", "is something mounted over a part of /proc"), ("perhaps", "user_namespaces is auto, on or off")):
        done = subprocess.run([*argv, "--user-namespaces", word], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode != 0 and why in done.stdout + done.stderr, done
    berth.agent.argv = argv
    try:
        berth.agent.start()
        wait("the node tells", lambda: node(berth).get("userNamespaces") is False)
        begin(berth, "plain", MAP + "echo ready; sleep 600")
        assert said(berth, "plain", "c", "ready").split() == ["0", "0", "4294967295", "ready"]
        end(berth, "plain")
        berth.agent.stop()
    finally:
        berth.agent.argv = plain
    berth.agent.start()
    wait("the node tells", lambda: node(berth)["userNamespaces"])


def setting(berth, word):
    with open(berth.agent.config, encoding="utf-8") as opened:
        config = {**json.load(opened), "user_namespaces": word}
    with open(berth.agent.config, "w", encoding="utf-8") as out:
        json.dump(config, out)
    berth.agent.restart()


CASES = [
    root_in_a_group_is_nobody_on_its_node,
    files_of_an_image_are_roots_and_can_be_changed,
    a_group_is_root_of_its_network,
    what_volumes_hold_belongs_to_the_group,
    files_of_a_config_map_are_roots,
    a_local_disk_is_roots_whichever_group_has_it,
    commands_and_probes_run_as_users_of_the_group,
    a_sandbox_has_users_of_its_own_kind,
    users_of_images_and_of_the_spec_are_those_of_the_group,
    root_of_a_group_does_not_reach_its_node,
    rights_over_the_node_come_with_its_users,
    a_node_that_cannot_says_why_and_refuses_to_start_only_when_it_must,
    without_the_setting_new_groups_have_the_nodes_users_and_old_ones_keep_theirs,
]
