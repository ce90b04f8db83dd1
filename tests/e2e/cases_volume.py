"""Volumes of all kinds in real containers, from real servers; what goes wrong is told, and nothing is left behind."""
import base64
import json
import os
import shutil
import subprocess

from berth import busybox_archive, container, free_port, group, wait
from cases_image import texts
from volume_servers import GitDaemon, HttpServer, Samba, git, repository

KEY = base64.b64encode(os.urandom(64)).decode()


def mount(name, path, read_only=None):
    return {"name": name, "mountPath": path, **({} if read_only is None else {"readOnly": read_only})}


def share(key=KEY, account="store1", name="docs", **more):
    return {"name": "share", "azureFile": {"shareName": name, "storageAccountName": account, "storageAccountKey": key, **more}}


def shell(berth, name, script, *mounts, **more):
    """A shell that ends at once when it is asked to: the first process of a container has no signal by default."""
    return container(name, berth.image, ["sh", "-c", ending(script)], volumeMounts=list(mounts), **more)


def ending(script):
    return "trap 'exit 0' TERM; " + script.replace("sleep 600", "sleep 600 & wait")


def run(berth, name, volumes, *containers, policy="Never"):
    berth.put(name, group(list(containers), policy=policy, volumes=volumes)).expect(201)


def said(berth, name, which, word, timeout_s=30):
    """What a container has said as soon as a word of it is there."""
    return wait(f"{which} says {word}; {texts(berth, name)}",
                lambda: word in berth.logs(name, which) and berth.logs(name, which), timeout_s)


def traces(berth):
    """What volumes of this node hold on the machine: mounts, loop devices, programs."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        found = [line.split()[4] for line in mounts if f"{berth.agent.folder}/groups" in line and "/volumes/" in line]
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as opened:
                words = opened.read()
        except OSError:
            continue
        if b"/volumes/" in words and berth.agent.folder.encode() in words:
            found.append(words.replace(b"\0", b" ").decode(errors="replace"))
    for device in os.listdir("/sys/block"):
        try:
            with open(f"/sys/block/{device}/loop/backing_file", encoding="utf-8") as opened:
                found += [f"{device}: {opened.read().strip()}"] * (berth.agent.folder in opened.read())
        except OSError:
            continue
    return found


def cgroups_of_programs(berth):
    """Of those that serve shares: what the fence ends must hold them."""
    found = subprocess.run(["pgrep", "-f", f"rclone mount.*{berth.agent.folder}"], capture_output=True, text=True, check=True)
    for pid in found.stdout.split():
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as opened:
            yield opened.read()


def remove(berth, name):
    berth.delete(name).expect(200, 204)
    berth.wait_gone(name)
    wait(f"nothing of {name} is left: {traces(berth)}", lambda: not traces(berth), 10)


def reconfigure(berth, **settings):
    """The node's agent with other settings from now on."""
    with open(berth.agent.config, encoding="utf-8") as opened:
        config = json.load(opened)
    if {**config, **settings} != config:
        with open(berth.agent.config, "w", encoding="utf-8") as out:
            json.dump({**config, **settings}, out, indent=1)
        berth.agent.restart()


def samba(berth):
    """A server for the account store1, not started; the same one for all tests."""
    folder = os.path.join(berth.folder, "samba")
    if not hasattr(berth, "samba"):
        os.makedirs(folder)
        berth.samba = Samba(folder, free_port(), "store1", KEY)
        with open(os.path.join(berth.samba.docs, "there"), "w", encoding="utf-8") as out:
            out.write("before\n")
        reconfigure(berth, azure_file_servers={"store1": f"127.0.0.1:{berth.samba.port}"})
    return berth.samba


# ---- emptyDir ----

def a_folder_is_shared_by_containers_and_read_only_where_it_should_be(berth):
    volumes = [{"name": "shared", "emptyDir": {}}, {"name": "below1", "emptyDir": {}}]
    run(berth, "folder", volumes,
        shell(berth, "writes", "ls -a /here; echo hello > /here/a; touch /here/in/it/b; sleep 600",
              mount("below1", "/here/in/it"), mount("shared", "/here")),
        shell(berth, "reads", "while ! cat /there/a; do sleep 0.1; done; echo in it: $(ls /there/in/it); "
              "echo x > /there/b || echo refused; "
              "grep there /proc/mounts; sleep 600", mount("shared", "/there", True)))
    told = said(berth, "folder", "reads", " /there ")
    assert "hello" in told and "refused" in told, told
    flags = next(line for line in told.splitlines() if " /there " in line).split()[3].split(",")
    assert {"ro", "nosuid", "nodev"} <= set(flags), flags
    assert berth.logs("folder", "writes").split() == [".", "..", "in"], berth.logs("folder", "writes")
    assert "in it:\n" in told, told  # what is written there goes into the volume that is mounted over it
    remove(berth, "folder")


def a_folder_holds_no_more_than_its_limit(berth):
    fill = "dd if=/dev/zero of=/full/x bs=64k count=400 2>&1; wc -c < /full/x; echo done"
    run(berth, "limits", [{"name": "on-disk", "emptyDir": {"sizeLimit": "8Mi"}},
                          {"name": "in-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}}],
        shell(berth, "disk", fill, mount("on-disk", "/full")), shell(berth, "memory", fill, mount("in-memory", "/full")))
    for which, most in (("disk", 8 << 20), ("memory", 4 << 20)):
        told = said(berth, "limits", which, "done")
        assert "No space left" in told, told
        size = int(told.split()[-2])
        assert most // 2 < size <= most, told
    remove(berth, "limits")


def a_folder_outlives_its_containers_and_the_agent_but_not_its_group(berth):
    script = "echo run >> /keep/runs; n=$(wc -l < /keep/runs); echo it is run $n; sleep 600; exit 1"
    run(berth, "keeps", [{"name": "keep1", "emptyDir": {}}], shell(berth, "c", script, mount("keep1", "/keep")), policy="Always")
    said(berth, "keeps", "c", "it is run 1")
    berth.agent.kill()
    (first,) = berth.processes(ending(script))
    os.kill(first, 9)
    berth.agent.start()
    said(berth, "keeps", "c", "it is run 2", 40)
    berth.post("keeps", "restart").expect(204)
    said(berth, "keeps", "c", "it is run 1")
    remove(berth, "keeps")


# ---- secret ----

def secrets_are_files_in_memory_and_nowhere_else(berth):
    secret = "hush-" + os.urandom(8).hex()
    volumes = [{"name": "keys1", "secret": {"a.pem": base64.b64encode(secret.encode()).decode(), "empty": ""}}]
    run(berth, "secrets", volumes,
        shell(berth, "c", "md5sum /keys/a.pem; ls -ln /keys; echo x > /keys/a.pem || rm /keys/a.pem || echo refused; "
              "grep keys /proc/mounts; sleep 600", mount("keys1", "/keys")))
    told = said(berth, "secrets", "c", "/keys ")
    digest = subprocess.run(["md5sum"], input=secret, capture_output=True, text=True, check=True).stdout.split()[0]
    assert digest in told and "-r--r--r--" in told and "refused" in told and secret not in told, told
    flags = next(line for line in told.splitlines() if " /keys " in line)
    assert "ro," in flags and "nosuid" in flags and ("noswap" in flags or "ramfs" in flags), flags
    assert_nowhere(berth, secret)
    assert secret not in berth.request("GET", "secrets").text
    remove(berth, "secrets")


def a_secret_volume_without_files_is_an_empty_folder(berth):
    """As an exported group has it, whose secrets nobody is told."""
    run(berth, "nofiles", [{"name": "keys1", "secret": {}}],
        shell(berth, "c", "echo files $(ls -A /keys | wc -l); echo x > /keys/x || echo refused; sleep 600", mount("keys1", "/keys")))
    assert "files 0" in said(berth, "nofiles", "c", "refused")
    remove(berth, "nofiles")


def assert_nowhere(berth, secret, folder=None):
    """Neither on the disk below the node's and the plane's folders (mounts are not looked into, nor the files of 50 GiB
    behind them), nor in any program's arguments."""
    for word in (secret, base64.b64encode(secret.encode()).decode()):
        found = subprocess.run(["find", folder or berth.folder, "-xdev", "-type", "f", "-size", "-64M", "-exec", "grep", "-laF", "--", word, "{}", "+"],
                               capture_output=True, text=True, check=False).stdout
        assert not found, found
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as opened:
                assert secret.encode() not in opened.read(), entry
        except OSError:
            continue


# ---- gitRepo ----

def repositories_are_cloned_at_their_revisions(berth):
    folder = os.path.join(berth.folder, "git")
    bare, commits = repository(folder)
    os.chmod(berth.folder, 0o755)
    with GitDaemon(os.path.dirname(bare)) as server:
        url = f"git://127.0.0.1:{server.port}/site.git"
        volumes = [{"name": "newest", "gitRepo": {"repository": url}},
                   {"name": "tagged", "gitRepo": {"repository": url, "directory": ".", "revision": "v1"}},
                   {"name": "by-commit", "gitRepo": {"repository": url, "directory": "a/b", "revision": commits[0][:12]}}]
        run(berth, "clones", volumes, shell(
            berth, "c", "cat /newest/site/page; cat /tagged/page; cat /commit/a/b/page; ls -ln /tagged/page /newest; "
            "cat /tagged/.git/config; ls /tagged/.git/hooks; echo mine > /tagged/page && echo done; sleep 600",
            mount("newest", "/newest"), mount("tagged", "/tagged"), mount("by-commit", "/commit")))
        told = said(berth, "clones", "c", "done")
        assert told.split()[:3] == ["second", "first", "first"], told
        assert told.count("    0        0") >= 2 or told.count(" 0 ") >= 2, told
        remove(berth, "clones")
        run(berth, "no-revision", [{"name": "source", "gitRepo": {"repository": url, "revision": "nowhere"}}],
            shell(berth, "c", "true", mount("source", "/s")))
        wait("the revision is told", lambda: "FailedMount" in texts(berth, "no-revision"), 20)
        assert "nowhere" in texts(berth, "no-revision"), texts(berth, "no-revision")
        berth.wait_state("no-revision", "Failed", 10)
        remove(berth, "no-revision")
    shutil.rmtree(folder)


def the_password_of_a_repository_is_used_and_never_seen(berth):
    folder, password = os.path.join(berth.folder, "git"), "pass-" + os.urandom(8).hex()
    bare, _ = repository(folder)
    git(bare, "update-server-info")
    with HttpServer(os.path.dirname(bare), "reader", password) as server:
        def volume(word):
            return [{"name": "source", "gitRepo": {"repository": f"http://reader:{word}@127.0.0.1:{server.port}/site.git"}}]
        run(berth, "password", volume(password),
            shell(berth, "c", "cat /s/site/page; cat /s/site/.git/config; sleep 600", mount("source", "/s")))
        told = said(berth, "password", "c", "origin")
        assert "second" in told and password not in told, told
        assert_nowhere(berth, password, os.path.join(berth.folder, "node"))
        remove(berth, "password")
        run(berth, "password", volume("wrong-one"), shell(berth, "c", "true", mount("source", "/s")))
        berth.wait_state("password", "Failed", 20)
        told = texts(berth, "password")
        assert "FailedMount" in told and "Authentication failed" in told and "wrong-one" not in told, told
        remove(berth, "password")
    shutil.rmtree(folder)


# ---- azureFile ----

def a_share_is_read_and_written_and_serves_on_without_an_agent(berth):
    with samba(berth) as server:
        read_only = {**share(readOnly=True), "name": "share-ro"}
        run(berth, "share", [share(), read_only],
            shell(berth, "writes", "cat /docs/there; mkdir /docs/d; echo new > /docs/d/tmp; mv /docs/d/tmp /docs/d/file; "
                  "echo done; while ! test -f /docs/go; do sleep 0.2; done; echo later > /docs/last; sleep 600",
                  mount("share", "/docs")),
            shell(berth, "reads", "id -u; cat /docs/there; echo x > /docs/x || echo refused; ls -ld /docs; sleep 600",
                  mount("share-ro", "/docs")))
        assert "before" in said(berth, "share", "writes", "done"), berth.logs("share", "writes")
        told = said(berth, "share", "reads", "drwx")
        assert "refused" in told and "drwxrwxrwx" in told, told
        wait("the file is there", lambda: os.listdir(os.path.join(server.docs, "d")) == ["file"], 10)
        assert_nowhere(berth, KEY)
        programs = [line for line in traces(berth) if "rclone" in line]
        assert len(programs) == 2, traces(berth)
        assert all(f"/{berth.agent.cgroup}/shares" in cgroups for cgroups in cgroups_of_programs(berth))
        berth.agent.kill()
        with open(os.path.join(server.docs, "go"), "w", encoding="utf-8"):
            pass
        wait("it goes on without an agent", lambda: os.path.exists(os.path.join(server.docs, "last")), 10)
        berth.agent.start()
        assert [line for line in traces(berth) if "rclone" in line] == programs
        remove(berth, "share")
        assert sorted(os.listdir(server.docs)) == ["d", "go", "last", "there"]


def the_last_write_reaches_the_share_when_the_group_is_deleted(berth):
    with samba(berth) as server:
        run(berth, "last", [share()], shell(berth, "c", "dd if=/dev/zero of=/docs/big bs=1M count=64 2>/dev/null; echo done; "
                                            "sleep 600", mount("share", "/docs"), memory=0.5))
        said(berth, "last", "c", "done")
        remove(berth, "last")
        assert os.path.getsize(os.path.join(server.docs, "big")) == 64 << 20


def a_wrong_key_and_a_missing_share_fail_early_with_the_cause(berth):
    other = base64.b64encode(b"another key").decode()
    with samba(berth):
        for name, volume, error in (("wrong-key", share(key=other), "mount error(13): Permission denied"),
                                    ("no-share", share(name="nothing"), "mount error(2): No such file or directory")):
            run(berth, name, [volume], shell(berth, "c", "true", mount("share", "/docs")))
            berth.wait_state(name, "Failed", 20)
            told = texts(berth, name)
            assert "FailedMount" in told and error in told and f"/{volume['azureFile']['shareName']}'" in told, told
            assert other not in told, told
            remove(berth, name)


def a_server_that_is_away_is_told_and_waited_for(berth):
    server = samba(berth)
    run(berth, "away", [share()], shell(berth, "c", "cat /docs/there; sleep 600", mount("share", "/docs")))
    wait("it is told", lambda: "FailedMount" in texts(berth, "away"), 20)
    assert "connection refused" in texts(berth, "away"), texts(berth, "away")
    assert berth.state("away") == "Pending", berth.state("away")
    with server:
        berth.wait_state("away", "Running", 30)
        remove(berth, "away")


def a_share_whose_program_was_killed_is_mounted_again_for_the_next_run(berth):
    with samba(berth) as server:
        script = "cat /docs/there || exit 1; sleep 600"
        run(berth, "again", [share()], shell(berth, "c", script, mount("share", "/docs")), policy="Always")
        said(berth, "again", "c", "before")
        pid = subprocess.run(["pgrep", "-f", f"rclone mount.*{berth.agent.folder}"], capture_output=True, text=True, check=True)
        for one in pid.stdout.split():
            os.kill(int(one), 9)
        (first,) = berth.processes(ending(script))
        os.kill(first, 9)
        wait("it runs again", lambda: berth.processes(ending(script)) not in ([], [first]), 40)
        wait("it is served again", lambda: any("rclone" in line for line in traces(berth)), 5)
        wait("both runs have read it", lambda: "before" in berth.logs("again", "c") and
             "before" in berth.logs("again", "c", previous="true"), 5)
        remove(berth, "again")
        assert os.path.exists(os.path.join(server.docs, "there"))


# ---- what images and volumes try ----

def no_symlink_leads_a_mount_out_of_its_container(berth):
    """At the mount path in the image, and in a volume that a container has written."""
    outside = os.path.join(berth.folder, "outside")
    layer = os.path.join(berth.folder, "layer")
    for made in (outside, layer):
        os.makedirs(made)
    up = "../" * 12
    os.symlink(f"{up}{outside[1:]}", os.path.join(layer, "up"))
    os.symlink(outside, os.path.join(layer, "straight"))
    os.symlink("/proc/1/root", os.path.join(layer, "door"))
    archive = busybox_archive(berth.folder, "--busybox", "--layer", layer + "/")
    image = berth.registry.push(archive, "links:1")
    script = "trap 'exit 0' TERM; touch /up/seen /straight/deep/seen; ls -R /up /straight; echo done; sleep 600 & wait"
    mounts = [mount("work1", "/up"), mount("work1", "/straight/deep"), mount("work1", "/door/tmp")]
    volumes = [{"name": "work1", "emptyDir": {}}]
    berth.put("links", group([container("c", image, ["sh", "-c", script], volumeMounts=mounts)], volumes=volumes,
                             policy="Never")).expect(201)
    wait("it ran or was refused", lambda: "done" in berth.logs("links", "c") or "Failed" in texts(berth, "links"), 30)
    assert os.listdir(outside) == [], os.listdir(outside)
    with open("/proc/self/mountinfo", encoding="utf-8") as mountinfo:
        assert outside not in mountinfo.read()
    remove(berth, "links")
    plants = f"until test -e /w/seen; do :; done; rm -rf /w/link; ln -s {up}{outside[1:]} /w/link; echo made; sleep 600"
    falls = "test -e /w/seen && echo second && exit 0; touch /w/seen; exit 1"
    run(berth, "planted", volumes, shell(berth, "plants", plants, mount("work1", "/w")),
        shell(berth, "falls", falls, mount("work1", "/w"), mount("work1", "/w/link/deep")), policy="OnFailure")
    wait("it ran again beside the link", lambda: "made" in berth.logs("planted", "plants") and
         ("second" in berth.logs("planted", "falls") or "Failed" in texts(berth, "planted")), 30)
    assert os.listdir(outside) == [], os.listdir(outside)
    remove(berth, "planted")
    shutil.rmtree(outside)
    shutil.rmtree(layer)


CASES = [
    a_folder_is_shared_by_containers_and_read_only_where_it_should_be, a_folder_holds_no_more_than_its_limit,
    a_folder_outlives_its_containers_and_the_agent_but_not_its_group, secrets_are_files_in_memory_and_nowhere_else,
    a_secret_volume_without_files_is_an_empty_folder,
    repositories_are_cloned_at_their_revisions, the_password_of_a_repository_is_used_and_never_seen,
    a_share_is_read_and_written_and_serves_on_without_an_agent,
    the_last_write_reaches_the_share_when_the_group_is_deleted,
    a_wrong_key_and_a_missing_share_fail_early_with_the_cause, a_server_that_is_away_is_told_and_waited_for,
    a_share_whose_program_was_killed_is_mounted_again_for_the_next_run, no_symlink_leads_a_mount_out_of_its_container,
]
