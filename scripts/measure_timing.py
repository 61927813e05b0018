"""What measuring a run costs: the W1 workload with and without a listener of `listen_performance`, in turns.

    PYTHONPATH=. python scripts/measure_timing.py 41

One kit, one process, CPU time. Each pair is a run with and a run without, in alternating order; the figure is the median
of the ratios within pairs. A second column has pairs of two runs without, which says how much of it is noise.
"""

from __future__ import annotations

import statistics
import sys
import time

from bench_runner.market import YEAR, year
from bench_runner.workloads import _run, market_kit

import backtestkit as bk


def cpu(kit: bk.Kit, timed: bool) -> float:
    """CPU seconds of one run."""
    with kit:
        stop = bk.listen_performance(lambda event: None) if timed else None
        begin = time.process_time()
        _run("BTCUSDT").wait()
        taken = time.process_time() - begin
        if stop is not None:
            stop()
    return taken


def ratio(kit: bk.Kit, pairs: int, timed: bool) -> float:
    """The median of how much longer the second kind of run takes."""
    ratios = []
    for i in range(pairs):
        first = cpu(kit, timed and i % 2 == 1)
        second = cpu(kit, timed and i % 2 == 0)
        ratios.append(second / first if i % 2 == 0 else first / second)
    return statistics.median(ratios)


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 41
    kit = market_kit({"BTCUSDT": year()}, YEAR)
    cpu(kit, False), cpu(kit, True)
    print(f"with and without {ratio(kit, pairs, True):.4f}, twice without {ratio(kit, pairs, False):.4f}")


if __name__ == "__main__":
    main()
