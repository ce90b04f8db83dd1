"""The three clients side by side on one stage; each suite is a program that speaks TAP."""
import filecmp
import os
import re
import shutil
import subprocess
import threading

import stage

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SUITE_S = 420
# /usr/bin/python3 sees Debian's packages; another python3 that stands first in PATH may not.
SUITES = {
    "az": ["/usr/bin/python3", f"{HERE}/az/suite.py"],
    "python": ["/usr/bin/python3", f"{HERE}/python/suite.py"],
    "javascript": ["node", f"{ROOT}/build/clients/suite.mjs"],
}
LINE = re.compile(r"^(not )?ok \d+ - (.*)$")


def node_modules():
    """What package-lock.json names, installed beside a copy of the suite, so that nothing is written into the sources."""
    folder = f"{ROOT}/build/clients"
    os.makedirs(folder, exist_ok=True)
    done = f"{folder}/node_modules/.installed"
    locked = f"{HERE}/javascript/package-lock.json"
    for name in ("package.json", "package-lock.json", "suite.mjs"):
        shutil.copy(f"{HERE}/javascript/{name}", folder)
    if os.path.exists(done) and filecmp.cmp(done, locked, shallow=False):
        return
    installed = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=folder,
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if installed.returncode:
        raise AssertionError(f"npm ci: {installed.stderr[-2000:]}")
    shutil.copy(locked, done)


def said_by(argv, environment, results, name):
    try:
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=SUITE_S, check=False,
                              stdin=subprocess.DEVNULL)
        results[name] = (done.returncode, done.stdout, done.stderr)
    except subprocess.TimeoutExpired as late:
        results[name] = (124, (late.stdout or b"").decode(errors="replace"), f"ended after {SUITE_S} s")


def relay(report, name, status, said, complaints):
    """The lines of one suite as lines of this one."""
    lines, failed = said.splitlines(), False
    for at, line in enumerate(lines):
        found = LINE.match(line)
        if found:
            rest = lines[at + 1:]
            length = next((n for n, one in enumerate(rest) if not one.startswith("#")), len(rest))
            failed = failed or bool(found.group(1))
            report.result(not found.group(1), f"{name}: {found.group(2)}", "\n".join(one[4:] for one in rest[:length]))
    whole = re.search(r"^1\.\.\d+", said, re.M) and (status == 0 or failed)
    report.result(bool(whole), f"{name}: the suite came to its end", "" if whole else f"exit status {status}\n{complaints[-3000:]}")


def run(report, names):
    if "javascript" in names:
        node_modules()
    scene = stage.Stage()
    try:
        results = {}
        threads = [threading.Thread(target=said_by, args=(SUITES[name], scene.environment(name), results, name)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in names:
            relay(report, name, *results[name])
    finally:
        def everything_is_taken_down_and_nothing_is_left():
            scene.close()
        report.run(everything_is_taken_down_and_nothing_is_left)
