"""`scripts/bench [WORKLOAD...]`: one JSON line each."""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time

from . import speedup, startup
from .workloads import WORKLOADS

NAMES = (*WORKLOADS, "W6", "walker-2")
ROUNDS = 10_000_000


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Time workloads in CPU seconds.")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(NAMES)}; all without one")
    parser.add_argument("--repeats", type=int, default=5, help="runs of which the median counts (default: 5)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    unknown = [name for name in options.workloads if name not in NAMES]
    if unknown:
        parser.error(f"unknown workload {unknown[0]!r}; there are {', '.join(NAMES)}")
    for name in options.workloads or NAMES:
        if options.here:
            print(json.dumps(_measure(name, options.repeats)), flush=True)
        else:  # a process of its own, so that memory and caches of one do not count for the next
            command = [sys.executable, "-m", "bench_runner.main", name, "--here", f"--repeats={options.repeats}"]
            if subprocess.run(command).returncode:
                return 1
    return 0


def _measure(name: str, repeats: int) -> dict[str, object]:
    if name == "W6":
        figures = _rounded(startup.measure(repeats))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        return {
            "workload": name,
            **figures,
            "peak_mb": round(peak, 1),
            "trades": 0,
            "calibration_s": round(calibration(), 4),
        }
    if name == "walker-2":
        return {"workload": name, **_rounded(speedup.measure(repeats)), "calibration_s": round(calibration(), 4)}
    before = _peak_mb()
    timed = WORKLOADS[name]()
    prepared = _peak_mb()
    seconds, trades = [], 0
    for _ in range(repeats):
        start = time.process_time()
        trades = timed()
        seconds.append(time.process_time() - start)
    return {
        "workload": name,
        "cpu_s": round(statistics.median(seconds), 4),
        "peak_mb": round(_peak_mb() - before, 1),
        "peak_run_mb": round(_peak_mb() - prepared, 1),
        "trades": trades,
        "calibration_s": round(calibration(), 4),
    }


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in figures.items()}


def calibration() -> float:
    """CPU seconds of a fixed plain-Python loop, so that figures travel between machines."""

    def loop() -> int:
        x = 0
        for i in range(ROUNDS):
            x = (x + i * i) % 1000003
        return x

    start = time.process_time()
    loop()
    return time.process_time() - start


def _peak_mb() -> float:
    """The most memory this process has had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
