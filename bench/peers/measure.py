"""Prints one JSON line: best seconds of the work, and the peak memory of this process (imports included, they are part of the price)."""
import json
import resource
import time


def measure(work, repeats=1):
    best, result = None, None
    for _ in range(repeats):
        started = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - started
        best = seconds if best is None else min(best, seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": best, "peakBytes": peak, "check": result}), flush=True)
