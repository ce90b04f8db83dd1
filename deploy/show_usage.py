"""Prints an answer of /v1/usage, given on standard input, as lines for people."""
import json
import sys
import time


def clock(second):
    return time.strftime("%H:%M:%SZ", time.gmtime(second))


def main():
    for one in json.load(sys.stdin)["value"]:
        cpu, memory = one["cpuMilliSeconds"] / 1000, one["memoryMibSeconds"] / 1024
        end = f"{clock(one['to'])}, still held" if one["open"] else clock(one["to"])
        gpus = "".join(f", {kind['gpuSeconds']} {kind['sku']}-seconds" for kind in one.get("gpus", []))
        print(f"  {one['seconds']} s from {clock(one['from'])} to {end}: "
              f"{cpu:.1f} vCPU-seconds, {memory:.1f} GB-seconds{gpus}")


if __name__ == "__main__":
    main()
