"""W6: what it costs to start: importing the package, and a one-day run from the command line."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from .workloads import command_line_day


def measure(repeats: int) -> dict[str, float]:
    """Medians of CPU seconds: `import numpy`, `import backtestkit`, and a one-day backtest with a warm file cache."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = {
            "bare_s": [sys.executable, "-c", "pass"],
            "numpy_s": [sys.executable, "-c", "import numpy"],
            "import_s": [sys.executable, "-c", "import backtestkit"],
            "cpu_s": command_line_day(folder),
        }
        environment = os.environ | {"BACKTESTKIT_RUNS_PATH": str(folder / "runs.db")}
        for command in commands.values():
            _cpu(command, environment)  # warms the file cache and writes the byte code
        samples: dict[str, list[float]] = {key: [] for key in commands}
        for _ in range(repeats):
            for key, command in commands.items():
                samples[key].append(_cpu(command, environment))
    return {key: statistics.median(values) for key, values in samples.items()}


def _cpu(command: list[str], environment: dict[str, str]) -> float:
    before = os.times()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
