"""The planner alone: 1,000,000 groups on 10,000 nodes, beside a scan of all nodes (placement.c)."""
import json
import os
import subprocess
import sys


def measure(rounds, quick):
    program = os.path.join(os.environ["BERTH_BUILD"], "tests/bench/bench_placement")
    done = subprocess.run([program, str(1 if quick else rounds)], stdout=subprocess.PIPE, check=True, text=True)
    sys.stderr.flush()
    return json.loads(done.stdout.splitlines()[-1])
