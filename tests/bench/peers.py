"""What starts containers beside Berth: podman, containerd, and crun alone. Each with folders of its own and without
network, as fast as it goes here."""
import json
import os
import shutil
import subprocess
import time

from berth import Process, wait


class Podman:
    """Debian's podman with runc."""

    def __init__(self, folder, archive):
        self.folder = os.path.join(folder, "podman")
        os.makedirs(self.folder)
        self.write("containers.conf", '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n'
                                      '[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\n')
        self.write("policy.json", '{"default":[{"type":"insecureAcceptAnything"}]}')
        self.env = {**os.environ, "CONTAINERS_CONF": f"{self.folder}/containers.conf"}
        self.base = ["podman", "--root", f"{self.folder}/root", "--runroot", f"{self.folder}/run", "--tmpdir",
                     f"{self.folder}/tmp", "--runtime", "runc", "--cgroup-manager", "cgroupfs"]
        self.image = self.call("pull", "-q", "--signature-policy", f"{self.folder}/policy.json", archive).strip()

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as out:
            out.write(text)

    def call(self, *argv):
        done = subprocess.run([*self.base, *argv], capture_output=True, text=True, env=self.env, check=False,
                              stdin=subprocess.DEVNULL)
        if done.returncode:
            raise AssertionError(f"podman {argv[0]}: {done.stderr}")
        return done.stdout

    def start_ms(self, name):
        begun = time.perf_counter()
        self.call("pod", "create", "--name", name, "--network", "none", "--infra-image", self.image,
                  "--infra-command", "/bin/sleep 600")
        self.call("run", "-d", "--pod", name, self.image, "sleep", "600")
        took = (time.perf_counter() - begun) * 1000
        self.call("pod", "rm", "-f", "-t", "0", name)
        return took

    def close(self):
        self.call("system", "reset", "--force")
        subprocess.run(["umount", "-R", f"{self.folder}/root/overlay"], capture_output=True, check=False)


class Containerd:
    """Debian's containerd, asked by its own client; its shims are runc's. No CRI: nothing here speaks it."""

    PLUGINS = ("io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
               "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
               "io.containerd.internal.v1.tracing")

    def __init__(self, folder, archive):
        self.folder = os.path.join(folder, "containerd")
        os.makedirs(self.folder)
        config, self.socket = f"{self.folder}/config.toml", f"{self.folder}/socket"
        with open(config, "w", encoding="utf-8") as out:
            out.write(f'version = 2\nroot = "{self.folder}/root"\nstate = "{self.folder}/state"\n'
                      f"disabled_plugins = {json.dumps(self.PLUGINS)}\n[grpc]\naddress = \"{self.socket}\"\n")
        self.base = ["ctr", "-a", self.socket, "-n", "bench"]
        self.process = Process(["containerd", "-c", config], f"{self.folder}/log")
        wait("containerd answers", lambda: os.path.exists(self.socket) and self.ask("version").returncode == 0, 20)
        self.image = "bench.test/busybox:1"
        self.call("images", "import", "--index-name", self.image, archive.split(":", 1)[1])

    def ask(self, *argv):
        return subprocess.run([*self.base, *argv], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)

    def call(self, *argv):
        done = self.ask(*argv)
        if done.returncode:
            raise AssertionError(f"ctr {' '.join(argv[:2])}: {done.stderr}")
        return done.stdout

    def run(self, name, *command):
        self.call("run", "-d", self.image, name, *command)

    def remove(self, name):
        self.call("tasks", "rm", "-f", name)
        self.call("containers", "rm", name)

    def start_ms(self, name):
        begun = time.perf_counter()
        self.run(name, "sleep", "600")
        took = (time.perf_counter() - begun) * 1000
        self.remove(name)
        return took

    def close(self):
        for name in self.call("containers", "ls", "-q").split():
            self.remove(name)
        self.process.stop()


class Crun:
    """crun alone on a ready root folder: what no manager can be faster than."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "crun")
        os.makedirs(f"{self.folder}/rootfs/bin")
        shutil.copy("/bin/busybox", f"{self.folder}/rootfs/bin/busybox")
        subprocess.run(["crun", "spec"], cwd=self.folder, check=True, capture_output=True)
        with open(f"{self.folder}/config.json", encoding="utf-8") as opened:
            spec = json.load(opened)
        spec["process"].update({"terminal": False, "args": ["/bin/busybox", "true"]})
        spec["process"].pop("rlimits", None)
        with open(f"{self.folder}/config.json", "w", encoding="utf-8") as out:
            json.dump(spec, out)

    def start_ms(self, name):
        run = f"umount /sys/fs/cgroup/unified 2>/dev/null; exec crun --root {self.folder}/run run -b {self.folder} {name}"
        begun = time.perf_counter()
        done = subprocess.run(["unshare", "-m", "sh", "-c", run], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise AssertionError(f"crun: {done.stderr}")
        return (time.perf_counter() - begun) * 1000
