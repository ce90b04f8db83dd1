"""Servers that volumes come from, each on a free loopback port with folders of its own: Samba, git, and git behind a
password."""
import base64
import functools
import http.server
import os
import socketserver
import subprocess
import threading

from berth import Process, free_port, wait, write_secret


class Samba:
    """Debian's smbd, not as a daemon of this machine. One share, `docs`, whose user is an account and its key."""

    CONFIG = """[global]
server role = standalone server
smb ports = {port}
interfaces = lo
bind interfaces only = yes
lock directory = {folder}/lock
state directory = {folder}/state
cache directory = {folder}/cache
pid directory = {folder}/pid
private dir = {folder}/private
ncalrpc dir = {folder}/ncalrpc
passdb backend = smbpasswd:{folder}/private/smbpasswd
username map = {folder}/users
log file = {folder}/log
load printers = no
disable spoolss = yes
map to guest = never
force user = root
[docs]
path = {folder}/docs
read only = no
"""

    def __init__(self, folder, port, account, key):
        self.folder, self.port = folder, port
        self.docs, self.config = os.path.join(folder, "docs"), os.path.join(folder, "smb.conf")
        for name in ("lock", "state", "cache", "pid", "private", "ncalrpc", "docs"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        write_secret(self.config, self.CONFIG.format(folder=folder, port=port))
        write_secret(os.path.join(folder, "users"), f"root = {account}\n")
        subprocess.run(["smbpasswd", "-c", self.config, "-a", "-s", "root"], input=f"{key}\n{key}\n", text=True, check=True,
                       capture_output=True)
        self.process = None

    def __enter__(self):
        self.process = Process(["smbd", "-F", "-s", self.config, "--no-process-group"], os.path.join(self.folder, "out"))
        wait("smbd listens", lambda: listens(self.port), 10)
        return self

    def __exit__(self, kind, fault, trace):
        self.process.stop()


def listens(port):
    with open("/proc/net/tcp", encoding="utf-8") as table:
        return any(f":{port:04X} " in line.split(" ", 4)[-1][:40] and " 0A " in line for line in table)


def git(folder, *words):
    done = subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", "-C", folder,
                           *words], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def repository(folder):
    """A bare repository of two commits, the first tagged v1; where it is, and the ids of the commits."""
    work, bare = os.path.join(folder, "work"), os.path.join(folder, "served", "site.git")
    os.makedirs(work)
    git(work, "init", "-q")
    commits = []
    for word in ("first", "second"):
        with open(os.path.join(work, "page"), "w", encoding="utf-8") as page:
            page.write(word + "\n")
        git(work, "add", "page")
        git(work, "commit", "-q", "-m", word)
        commits.append(git(work, "rev-parse", "HEAD"))
    git(work, "tag", "v1", commits[0])
    git(folder, "clone", "-q", "--bare", work, bare)
    git(bare, "update-server-info")
    os.chmod(folder, 0o755)
    return bare, commits


class GitDaemon:
    def __init__(self, served):
        self.port = free_port()
        self.process = Process(["git", "daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1", f"--port={self.port}",
                                f"--base-path={served}", served], os.path.join(served, "log"))
        wait("git daemon listens", lambda: listens(self.port), 10)

    def __enter__(self):
        return self

    def __exit__(self, kind, fault, trace):
        self.process.stop()


class Static(http.server.SimpleHTTPRequestHandler):
    """Files as they are (git's dumb protocol), for who knows the password."""
    allowed = ""

    def do_GET(self):
        if self.headers.get("Authorization") == self.allowed:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class HttpServer:
    def __init__(self, served, user, password):
        allowed = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        handler = functools.partial(type("Asked", (Static,), {"allowed": allowed}), directory=served)
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, fault, trace):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
