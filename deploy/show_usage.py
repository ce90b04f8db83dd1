"""Prints an answer of /v1/usage, given on standard input, as lines for people."""
import json
import sys


def main():
    for one in json.load(sys.stdin)["value"]:
        cpu, memory = one["cpuMilliSeconds"] / 1000, one["memoryMibSeconds"] / 1024
        print(f"  {one['from']} to {one['to'] or 'now'}: {one['seconds']} s, {cpu:.1f} vCPU-seconds, {memory:.1f} GB-seconds")


if __name__ == "__main__":
    main()
