"""Runs the suites and counts. Started by tests/run.

A suite is a program that speaks TAP, or a suite of `meson test` (cmocka's programs speak TAP too). The exit status is
0 when something passed and nothing failed. What each said is kept in build/tests/results/."""
import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = "build/tests"
RESULTS = os.path.join(BUILD, "results")
JOBS = str(max(2, os.cpu_count() or 2))
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "CMOCKA_MESSAGE_OUTPUT": "TAP",
    "PYTHONDONTWRITEBYTECODE": "1",
}
TAP_LINE = re.compile(r"^(not )?ok\b\s*\d*\s*-?\s*(.*)$", re.M)
PLAN_LINE = re.compile(r"^1\.\.(\d+)", re.M)


class Score:
    """Passed and failed so far, with a sentence for each failure."""

    def __init__(self):
        self.passed = 0
        self.failures = []

    def add(self, passed, failures):
        self.passed += passed
        self.failures += failures


def keep(name, text):
    os.makedirs(RESULTS, exist_ok=True)
    with open(os.path.join(RESULTS, f"{name}.log"), "w", encoding="utf-8") as out:
        out.write(text)


def run(argv, timeout_s, env=None):
    """(exit status, output); a suite past its time is a failure that says so."""
    gently = ["nice", "-n", "19"] if threading.current_thread() is not threading.main_thread() else []
    try:
        done = subprocess.run([*gently, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=timeout_s, env={**os.environ, **SANITIZERS, **(env or {})}, check=False)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode(errors="replace")
        return 124, said + f"\nnot ok - ended after {timeout_s} s\n"


def count(name, status, said):
    """(passed, failures) of one program from its TAP lines and its exit status. What is skipped is told and is neither."""
    lines = TAP_LINE.findall(said)
    failures = [f"{name}: {sentence}" for bad, sentence in lines if bad]
    skipped = [sentence for bad, sentence in lines if not bad and "# SKIP" in sentence]
    if skipped:
        print("".join(f"        {sentence}\n" for sentence in skipped), end="", flush=True)
    passed = sum(1 for bad, _ in lines if not bad) - len(skipped)
    planned = sum(int(n) for n in PLAN_LINE.findall(said))
    if not lines:
        return (1, []) if status == 0 else (0, [f"{name}: exit status {status}"])
    if planned > len(lines):
        failures.append(f"{name}: only {len(lines)} of {planned} tests were run")
    if status != 0 and not failures:
        failures.append(f"{name}: exit status {status} after its tests passed")
    return passed, failures


# ---- kinds of suites ----

def meson_tests(build):
    status, said = run(["meson", "introspect", "--tests", build], 60)
    return json.loads(said) if status == 0 else []


def meson_suite(suite):
    """The tests of one meson suite, each of its programs counted by its own TAP lines."""
    def work(score):
        wanted = [t for t in meson_tests(BUILD) if any(s.split(":")[-1] == suite for s in t["suite"])]
        if not wanted:
            return score.add(0, [f"{suite}: has no tests"])
        log = os.path.join(BUILD, "meson-logs", "testlog.json")
        if os.path.exists(log):
            os.unlink(log)
        alone = ["--num-processes", "1"] if suite == "root" else ["--num-processes", JOBS]
        _, said = run(["meson", "test", "-C", BUILD, "--no-rebuild", "--suite", suite, *alone], 900)
        results = []
        if os.path.exists(log):
            with open(log, encoding="utf-8") as lines:
                results = [json.loads(line) for line in lines if line.strip()]
        keep(suite, said + "".join(f"\n==== {r['name']}\n{r.get('stdout', '')}{r.get('stderr', '')}" for r in results))
        for one in results:
            status = 0 if one["result"] in ("OK", "EXPECTEDFAIL") else one["returncode"] or 1
            text = one.get("stdout", "") + "\n" + one.get("stderr", "")
            score.add(*count(one["name"].split(" / ")[-1], status, text))
        if len(results) < len(wanted):
            score.add(0, [f"{suite}: {len(wanted) - len(results)} of {len(wanted)} programs left no result"])
        return None
    return work


def program(name, *argv, timeout_s=600):
    def work(score):
        status, said = run(list(argv), timeout_s)
        keep(name, said)
        score.add(*count(name, status, said))
    return work


def compile_tree(name, build, *presets):
    """Configures (once) and builds; a warning is an error."""
    def work(score):
        natives = [part for preset in presets for part in ("--native-file", f"tools/presets/{preset}.ini")]
        mode = ["--reconfigure"] if os.path.exists(f"{build}/build.ninja") else []
        status, said = run(["meson", "setup", build, *mode, *natives], 300)
        if status == 0:
            status, more = run(["ninja", "-C", build, "-j", JOBS, "-k", "20"], 1200)
            said += more
        keep(name, said)
        score.add(*((1, []) if status == 0 else (0, [f"{name}: does not build, see {RESULTS}/{name}.log"])))
        return status == 0
    return work


SUITES = {
    "unit": (meson_suite("unit"), "each room's functions (cmocka), under address and undefined-behaviour sanitizers"),
    "store": (meson_suite("store"), "the store on its databases: plans, migrations, crashes in the middle"),
    "sim": (meson_suite("sim"), "scheduler, store and pretended nodes in one thread, with a seed and a clock of its own"),
    "fuzz": (meson_suite("fuzz"), "every parser on its saved corpus and on mutations of it"),
    "daemon": (program("daemon", "tests/daemon/run"), "berthd as a process: signals, files, silent nodes"),
    "api": (program("api", "tests/api/run"), "requests as text against a running berthd"),
    "dns": (program("dns", "tests/dns/run"), "the zone of DNS labels, asked at berthd and told to a Knot DNS server"),
    "portal": (program("portal", "tests/portal/run"), "the pages that berthd serves, in a real browser"),
    "images": (program("images", "tests/images/run"), "images looked at before a group is accepted, registries of all tempers"),
    "contract": (program("contract", "tests/clients/run", "contract"),
                 "every example of the service's published descriptions, its answer beside their schemas"),
    "mutate": (program("mutate", "tests/clients/run", "mutate"), "mutated requests, and what must hold for each"),
    "house": (program("house", "tests/house/run"), "layers, banned calls, headers, format, documents"),
    "root": (meson_suite("root"), "real containers, networks and images, one room at a time"),
    "e2e": (program("e2e", "tests/e2e/run", timeout_s=900), "the main job with real programs, kills included"),
    "clients": (program("clients", "tests/clients/run", "az", "python", "javascript"),
                "az and the SDKs of Python and JavaScript, unmodified, over TLS"),
    "clang": (compile_tree("clang", "build/clang", "clang"), "the second compiler: everything compiles without a word"),
    "tidy": (program("tidy", "tools/tidy", timeout_s=1500), "clang-tidy over every file that changed since it was last clean"),
}
# Only compilers, which others leave time for: they run gently beside the rest, once that is built.
BESIDE = ("clang", "tidy")
NEED_BUILD = {"unit", "store", "sim", "daemon", "fuzz", "api", "dns", "images", "portal", "contract", "mutate", "root", "e2e", "clients"}


def measure(name, work, score):
    """Runs one suite and says how it went; what the suite gives."""
    passed, failed, begun = score.passed, len(score.failures), time.monotonic()
    given = work(score)
    passed, fresh = score.passed - passed, score.failures[failed:]
    lines = [f"{name:8} {passed:5} passed {len(fresh):4} failed {time.monotonic() - begun:7.1f} s"]
    print("\n".join(lines + [f"        FAILED {sentence}" for sentence in fresh[:20]]), flush=True)
    return given


def measure_all(names, score):
    for name in names:
        try:
            measure(name, SUITES[name][0], score)
        except Exception as fault:  # of the runner itself: it must count, whichever thread it is in
            score.add(0, [f"{name}: {type(fault).__name__}: {fault}"])


def main():
    rows = "\n".join(f"  {name:8} {what}" for name, (_, what) in SUITES.items())
    parser = argparse.ArgumentParser(prog="tests/run", formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Runs the tests of Berth.", epilog=f"suites:\n{rows}")
    parser.add_argument("suite", nargs="*", help="suites to run (all without)")
    wanted = parser.parse_args().suite or list(SUITES)
    unknown = [name for name in wanted if name not in SUITES]
    if unknown:
        parser.error(f"no suite named {', '.join(unknown)}")
    os.chdir(ROOT)
    score = Score()
    if NEED_BUILD & set(wanted) and not measure("build", compile_tree("build", BUILD, "asan", "ci"), score):
        print(f"{score.passed} passed, {len(score.failures)} failed")
        return 1
    aside = Score()
    beside = threading.Thread(target=measure_all, args=([n for n in wanted if n in BESIDE], aside))
    beside.start()
    measure_all([n for n in wanted if n not in BESIDE], score)
    beside.join()
    score.add(aside.passed, aside.failures)
    print(f"{score.passed} passed, {len(score.failures)} failed")
    return 1 if score.failures or not score.passed else 0


if __name__ == "__main__":
    sys.exit(main())
