"""Source text: its heading, and the form the linter wants."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAD = '"""{text}\n\nWritten by scripts/generate.py; do not edit.\n"""\n\n'


def tidy(text: str, name: str = "generated.pyi") -> str:
    """`text` with imports merged and sorted, formatted as the project is."""
    for command in (["check", "--select", "I,F401,RUF022", "--fix", "--quiet"], ["format", "--quiet"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", name, "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        text = done.stdout
    return text
