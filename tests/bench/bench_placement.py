"""The planner alone, without the store: 1,000,000 groups on 10,000 nodes, one core. Its peer, an exact planner that looks
at every node, stands in the same program (placement.c), which measures both in turn and checks that they agree."""
import json
import os
import subprocess
import sys


def measure(rounds, quick):
    program = os.path.join(os.environ["BERTH_BUILD"], "tests/bench/bench_placement")
    done = subprocess.run([program, str(1 if quick else rounds)], stdout=subprocess.PIPE, stderr=sys.stderr, text=True,
                          check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    result.pop("bench")
    return result
