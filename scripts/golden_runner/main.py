"""`scripts/golden [PATH...]`: run recorded scenarios and compare."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from . import records, scenario, statistics


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 0 when nothing failed."""
    parser = argparse.ArgumentParser(
        prog="scripts/golden", description="Run recorded scenarios and compare every event."
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="record files (.jsonl, .jsonl.gz) or folders of them"
    )
    parser.add_argument("--without-commands", action="store_true", help="only records that script no command")
    parser.add_argument(
        "--gear", choices=("both", "jump", "step"), default="both", help="which gear must agree (default: both)"
    )
    parser.add_argument("--topic", action="append", help="only this topic; may be repeated")
    parser.add_argument("--id", action="append", help="only this record; may be repeated")
    options = parser.parse_args(arguments)
    os.environ["BACKTESTKIT_KEEP_RUNS"] = "false"  # a recorded scenario is no trial of anybody
    tally = {"passed": 0, "failed": 0, "suspect": 0, "left out": 0}
    for path in records.files(options.paths):
        for record in records.read(path):
            if (options.topic and record["topic"] not in options.topic) or (
                options.id and record["id"] not in options.id
            ):
                continue
            tally[_one(record, options)] += 1
    if tally["suspect"]:
        print(f"{tally['suspect']} records are wholly suspect and were not compared")
    if tally["left out"]:
        print(f"{tally['left out']} records were left out")
    print(f"{tally['passed']} passed, {tally['failed']} failed")
    return 1 if tally["failed"] else 0


def _one(record: dict[str, Any], options: argparse.Namespace) -> str:
    if record.get("suspect") and not record.get("suspect_fields"):
        return "suspect"
    if options.without_commands and has_commands(record):
        return "left out"
    if record.get("kind") == "statistics":
        found = statistics.first_difference(record)
        if found:
            print(f"{record['id']}: {found}")
        return "failed" if found else "passed"
    gears = {"both": (False, True), "jump": (False,), "step": (True,)}[options.gear]
    for stepping in gears:
        found = scenario.first_difference(record, stepping=stepping)
        if found:
            print(f"{record['id']} ({'step' if stepping else 'jump'}): {found}")
            return "failed"
    return "passed"


def has_commands(record: dict[str, Any]) -> bool:
    """Whether the record scripts a command."""
    return any(strategy.get("commands") for strategy in record.get("strategies", ()))


if __name__ == "__main__":
    sys.exit(main())
