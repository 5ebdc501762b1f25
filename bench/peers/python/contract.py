"""What every peer program shares: the command line, the jobs, the checks, the line of JSON.

The same stands in ../node/contract.cjs and in ../rust/contract; ../README.md describes it.
"""

import argparse
import asyncio
import json
import math
import random
import time

FILLER = "x" * 350


def read_arguments():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--url", required=True)
    arguments.add_argument("--mode", choices=["batched", "default"], default="batched")
    arguments.add_argument("--jobs", type=int, default=100_000)
    arguments.add_argument("--keys", type=int, default=0)
    arguments.add_argument("--duration-ms", type=int, default=0)
    arguments.add_argument("--concurrency", type=int, default=24)
    arguments.add_argument("--latency", type=int, default=0)
    return arguments.parse_args()


def payload(number, keys):
    """About 400 bytes of JSON. Without keys, the key is -1."""
    return {"number": number, "key": number % keys if keys else -1, "filler": FILLER}


def batches(args, size):
    """Job numbers in ranges of at most `size`, each key at most once a range."""
    step = min(size, args.keys) if args.keys else size
    for first in range(0, args.jobs, step):
        yield range(first, min(first + step, args.jobs))


class Record:
    """Sees every job begin and end; `finished` resolves with the time when all have."""

    def __init__(self, args):
        self.awaited = args.jobs
        self.seen = bytearray(args.jobs)
        self.running = bytearray(args.keys)
        self.last = [-1] * args.keys
        self.overlaps = 0
        self.out_of_order = 0
        self.finished = asyncio.get_running_loop().create_future()

    def begin(self, number, key):
        if key < 0:
            return
        self.overlaps += self.running[key]
        self.out_of_order += self.last[key] > number
        self.running[key] = 1
        self.last[key] = number

    def end(self, number, key):
        if key >= 0:
            self.running[key] = 0
        if self.seen[number]:
            self.finished.set_exception(RuntimeError(f"job {number} ran twice"))
        self.seen[number] = 1
        self.awaited -= 1
        if self.awaited == 0:
            self.finished.set_result(time.perf_counter())


async def pause():
    await asyncio.sleep(random.uniform(0.005, 0.025))


def report_drain(peer, version, args, record, seconds):
    line = {
        "peer": peer,
        "version": version,
        "jobs": args.jobs,
        "seconds": seconds,
        "jobs_per_second": args.jobs / seconds,
        "overlaps": record.overlaps,
        "out_of_order": record.out_of_order,
    }
    print(json.dumps(line))


def report_latency(peer, version, samples):
    ordered = sorted(samples)

    def percentile(part):
        return round(ordered[math.ceil(len(ordered) * part) - 1] * 1_000_000)

    line = {"peer": peer, "version": version, "samples": len(ordered)}
    print(json.dumps(line | {"p50_us": percentile(0.5), "p95_us": percentile(0.95)}))
