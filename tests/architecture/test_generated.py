"""What scripts/generate.py writes is up to date, and the stubs tell the truth about the modules beside them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)


def test_generated_files_are_up_to_date() -> None:
    done = run("scripts/generate.py", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubs_agree_with_the_modules() -> None:
    done = run("-m", "mypy.stubtest", "--concise", "--ignore-disjoint-bases", "backtestkit")
    assert done.returncode == 0, done.stdout + done.stderr
