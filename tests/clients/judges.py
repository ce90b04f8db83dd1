"""Who judges replies: our own contract (openapi/) and the service's published descriptions, for whoever asks a berthd.

    berth.Client.judges = judges.both()"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "api")]
import contract  # noqa: E402
import swagger  # noqa: E402


def both():
    """Functions of (method, target, reply): None, or the sentence that says where the reply leaves its description."""
    ours, missing = contract.Contract(), swagger.missing()
    found = [lambda method, target, reply: ours.fault(method, target.partition("?")[0], reply.status, reply.text)]
    if missing:
        print(f"# replies are held against openapi/berth.json alone: {missing}", flush=True)
        return found
    return [*found, swagger.Swaggers().fault]
