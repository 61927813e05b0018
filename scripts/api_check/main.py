"""`scripts/check_api`: is every public name of the inventory there, importable, documented and typed?"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
INVENTORY: Final = ROOT.parent / "shared" / "spec" / "api-inventory.md"

NOT_PUBLIC: Final = {
    "lib": "the container is nobody's business; a Kit is the way in",
    "emitters": "raw channels are internal; listen_* and System are the way in",
    "ExecutionContextService": "one run context instead of two scoped ones; run_in_mock_context makes one",
    "MethodContextService": "one run context instead of two scoped ones; run_in_mock_context makes one",
}
"""Names of the inventory that are internal there and stay so."""

WAITING: Final = {
    "live": re.compile(r"Live|listen_done_live(_once)?|listen_(sync|check)|listen_order_(fill|reject|continue|stop)"),
    "broker": re.compile(r"Broker(Base)?|BROKER_ORDER_VERDICT|Order(Transient|Rejected|Deleted)Error"),
    "persistence of live runs": re.compile(r"PersistBase|Persist\w+(Adapter|Instance)"),
    "mcp": re.compile(r"MCP"),
}
"""Rooms that are not built yet, and the names that come with them."""


def main() -> int:
    """Compare and tell; the exit code."""
    sys.path.insert(0, str(ROOT))
    if not INVENTORY.exists():
        print(f"skipped: there is no inventory at ../{INVENTORY.relative_to(ROOT.parent)}")
        return 0
    found, wrong = compare(INVENTORY)
    for line in [*found, *wrong]:
        print(line)
    return 1 if wrong else 0


def compare(path: Path) -> tuple[list[str], list[str]]:
    """What there is to tell, and what is wrong."""
    import backtestkit as bk
    from api_check.inventory import read_inventory
    from api_check.quality import shortcomings

    inventory = read_inventory(path)
    rooms = {
        name: ROOT / f"{module.replace('.', '/')}.py" for module, names in bk.ROOMS.items() for name in names.split()
    }
    wrong: list[str] = []
    waiting: dict[str, list[str]] = {}
    there = 0
    for name in inventory.names:
        if name in bk.__all__:
            there += 1
            wrong += shortcomings(name, getattr(bk, name), stubbed=rooms[name].with_suffix(".pyi").exists())
        elif name not in NOT_PUBLIC:
            room = next((room for room, names in WAITING.items() if names.fullmatch(name)), None)
            if room is None:
                wrong.append(f"{name} is missing")
            else:
                waiting.setdefault(room, []).append(name)
    for facade in ("Backtest", "Live"):
        if facade in bk.__all__:
            missing = sorted(name for name in inventory.run_members if not hasattr(getattr(bk, facade), name))
            wrong += [f"{facade}.{name} is missing" for name in missing]
    told = [f"{there} of {len(inventory.names)} names are there; {len(NOT_PUBLIC)} stay internal"]
    told += [f"waiting for {room} ({len(names)}): {' '.join(names)}" for room, names in waiting.items()]
    return told, wrong


if __name__ == "__main__":
    raise SystemExit(main())
