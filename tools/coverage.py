"""Lines covered, room by room, from the counters that gcc leaves in a build folder."""
import collections
import glob
import gzip
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def counted(build):
    """{file: {line: times}} over all object files."""
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    notes = [os.path.abspath(n) for n in glob.glob(f"{build}/**/*.gcda", recursive=True)]
    with tempfile.TemporaryDirectory() as folder:
        for note in notes:
            subprocess.run(["gcov", "--json-format", note], cwd=folder, capture_output=True, check=False)
            for name in glob.glob(f"{folder}/*.gcov.json.gz"):
                with gzip.open(name) as opened:
                    add(json.load(opened), lines)
                os.unlink(name)
    return lines


def add(report, lines):
    for part in report["files"]:
        path = os.path.join(report["current_working_directory"], part["file"])
        name = os.path.relpath(os.path.realpath(path), ROOT)
        for line in part["lines"]:
            lines[name][line["line_number"]] += line["count"]


def main():
    rooms = collections.defaultdict(lambda: [0, 0])
    for name, lines in counted(sys.argv[1]).items():
        if name.startswith(("..", "build", "tests")) or not name.endswith(".c"):
            continue
        room = rooms[os.path.dirname(name)]
        room[0] += sum(1 for times in lines.values() if times)
        room[1] += len(lines)
    for room, (hit, all_lines) in sorted(rooms.items()):
        print(f"{room:28} {hit:6} of {all_lines:6} lines {100 * hit / max(all_lines, 1):6.1f} %")


if __name__ == "__main__":
    main()
