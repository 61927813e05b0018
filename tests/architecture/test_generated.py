"""What scripts/generate.py writes is up to date, and the stubs tell the truth about the modules beside them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)


def test_generated_files_are_up_to_date() -> None:
    done = run("scripts/generate.py", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubs_agree_with_the_modules(tmp_path: Path) -> None:
    # A module without a stub is compared with itself, which tells nothing; so is the package's own entry point.
    with_stubs = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "backtestkit").rglob("*.pyi")]
    names = sorted(".".join(path.parts).removesuffix(".__init__") for path in with_stubs)
    assert "backtestkit.api.registry" in names
    compared = "|".join(re.escape(name) + r"\.\w+" for name in names)
    (tmp_path / "allowed").write_text(f"backtestkit.__main__\n(?!({compared})$).*\n")
    done = run(
        "-m", "mypy.stubtest", "--concise", "--ignore-disjoint-bases", "--ignore-unused-allowlist",
        "--mypy-config-file", "pyproject.toml", "--allowlist", str(tmp_path / "allowed"), "backtestkit",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
