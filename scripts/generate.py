#!/usr/bin/env python3
"""Write the parts of the package that follow from tables: stubs for type checkers, the list of names, the sync twins.

scripts/generate.py            write them
scripts/generate.py --check    only say which are stale; exit code 1 when any is
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "scripts"))

from generators import exports, facades, signatures  # noqa: E402


def outputs() -> dict[Path, str]:
    """What each generated file should hold."""
    package = ROOT / "backtestkit"
    return {
        package / "api" / "registry.pyi": signatures.registry_stub(),
        package / "api" / "config.pyi": signatures.config_stub(),
        package / "api" / "queries_facade.py": facades.queries_facade(),
        package / "api" / "commands_facade.py": facades.commands_facade(),
        package / "__init__.pyi": exports.package_stub(),
        package / "sync.py": exports.sync_module(),
    }


def main() -> int:
    """Write or check; the exit code."""
    stale = [path for path, text in outputs().items() if not path.exists() or path.read_text() != text]
    names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
    if "--check" in sys.argv[1:]:
        print(f"stale: {names}; run scripts/generate.py" if stale else "generated files are up to date")
        return 1 if stale else 0
    for path, text in outputs().items():
        if path in stale:
            path.write_text(text)
    print(f"written: {names}" if stale else "generated files were up to date")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
