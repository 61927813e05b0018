"""The inventory: which names there should be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_SECTION = re.compile(r"^## (.+?)(?: \(.*\))?$")
_ROW = re.compile(r"^\| \w+ \| ([\w ()]+?) \| .* \|$")
_MEMBERS = re.compile(r"^`Backtest` and `Live` share: (.+)$")
_EXCEPT = re.compile(r"except (`\w+`(?: and `\w+`)*)")
_WORD = re.compile(r"`(\w+)`")


@dataclass(frozen=True, slots=True)
class Inventory:
    """The names by section, and the members that the facades of runs share."""

    sections: dict[str, list[str]]
    run_members: frozenset[str]

    @property
    def names(self) -> list[str]:
        """All names, in order."""
        return [name for names in self.sections.values() for name in names]


def read_inventory(path: Path) -> Inventory:
    """The inventory in the file at `path`."""
    sections: dict[str, list[str]] = {}
    members: frozenset[str] = frozenset()
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := _SECTION.match(line):
            section = found[1]
        elif (found := _ROW.match(line)) and found[1] != "Python name":
            sections.setdefault(section, []).append(found[1].removesuffix(" (internal)"))
        elif found := _MEMBERS.match(line):
            listed = found[1]
            excepted = set(_WORD.findall(" ".join(_EXCEPT.findall(listed))))
            named = set(_WORD.findall(listed.partition(". Differences")[0])) - excepted
            queries, commands = sections["Position queries"], sections["Commands"]
            # Pausing has a name of its own in the facades.
            shared = {*queries, *commands} - {"get_strategy_paused", "set_strategy_paused"}
            members = frozenset((named | shared) - excepted)
    return Inventory(sections, members)
