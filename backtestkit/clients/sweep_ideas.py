"""Ideas as users have them, which of them are traded, and on which of them a rule is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, get_args

from backtestkit.errors import UsageError, suggest
from backtestkit.model.interval import MINUTE_MS, parse_time, to_ms
from backtestkit.model.sweep import Idea, IdeaDirection

SECONDS_UNTIL: Final = 100_000_000_000
"""Integers below this (March 1973 in milliseconds) are taken for seconds, and refused."""
SHOWN: Final = 5
_FIELDS: Final = ("id", "timestamp", "symbol", "direction", "author")
_DIRECTIONS: Final[tuple[IdeaDirection, ...]] = get_args(IdeaDirection)


class Admitted(NamedTuple):
    """An idea that may be traded, and when it enters (ms UTC)."""

    idea: Idea
    entry: int


@dataclass(frozen=True, slots=True)
class Admission:
    """The ideas of one symbol: how many there are, how many were left out and why, and the rest in the order of time."""

    total: int
    neutral: int
    repeated: int
    admitted: tuple[Admitted, ...]


class Split(NamedTuple):
    """Which profiles are in which sample, as indices: `purged` are in none. `at` is where the hold-out begins, ms UTC."""

    inside: list[int]
    purged: list[int]
    outside: list[int]
    at: int | None


def as_ideas(values: Iterable[Idea | Mapping[str, Any]]) -> list[Idea]:
    """Ideas from `Idea`s or mappings with the same keys, in the order given.

    The time may be called `ts` and be an aware datetime, text or milliseconds; the direction may be in capitals; a
    missing author is "". `UsageError` lists what is wrong, with the place of each idea; nothing is taken then.
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise UsageError(f"ideas must be a list of ideas or mappings, not {type(values).__name__}")
    ideas: list[Idea] = []
    wrong: list[str] = []
    first: dict[tuple[str, str], int] = {}
    for place, value in enumerate(values):
        try:
            idea = _idea(value)
            earlier = first.setdefault((idea.symbol, idea.id), place)
            if earlier != place:
                raise UsageError(f"id={idea.id!r} is that of ideas[{earlier}] too; ids are unique within a symbol")
        except UsageError as error:
            wrong.append(f"ideas[{place}] {error}")
        else:
            ideas.append(idea)
    if wrong:
        more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise UsageError("\n  ".join([f"{len(wrong)} ideas refused:", *wrong[:SHOWN], *more]))
    return ideas


def _idea(value: Idea | Mapping[str, Any]) -> Idea:
    if isinstance(value, Idea):
        given: dict[str, Any] = {name: getattr(value, name) for name in _FIELDS}
    elif isinstance(value, Mapping):
        given = dict(value)
        if "ts" in given and "timestamp" not in given:
            given["timestamp"] = given.pop("ts")
    else:
        raise UsageError(f"must be an Idea or a mapping, not {type(value).__name__}")
    unknown = [str(name) for name in given if name not in _FIELDS]
    if unknown:
        raise UsageError(f"has an unknown field {unknown[0]!r}. {suggest(unknown[0], _FIELDS, 'one of these')}")
    missing = [name for name in _FIELDS[:4] if name not in given]
    if missing:
        raise UsageError(f"lacks {', '.join(missing)}; an idea has {', '.join(_FIELDS)}")
    return Idea(
        id=_text(given["id"], "id"),
        timestamp=_timestamp(given["timestamp"]),
        symbol=_text(given["symbol"], "symbol"),
        direction=_direction(given["direction"]),
        author=_text(given.get("author") or "", "author", empty=True),
    )


def _text(value: Any, field: str, *, empty: bool = False) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not (value or empty):
        raise UsageError(f"{field}={value!r} must be a text" + ("" if empty else " that is not empty"))
    return value


def _direction(value: Any) -> IdeaDirection:
    name = value.lower() if isinstance(value, str) else value
    for direction in _DIRECTIONS:
        if name == direction:
            return direction
    raise UsageError(f"direction={value!r} must be one of {', '.join(map(repr, _DIRECTIONS))}")


def _timestamp(value: datetime | str | int) -> int:
    timestamp = to_ms(parse_time(value, "timestamp"))
    if isinstance(value, int) and 0 < timestamp < SECONDS_UNTIL:
        raise UsageError(f"timestamp={value} looks like seconds; give milliseconds, {value * 1000}")
    return timestamp


def admit(ideas: Sequence[Idea], symbol: str, *, repeat_minutes: int, step: int) -> Admission:
    """The ideas of `symbol` that may be traded over candles of `step` ms.

    In the order of time, equal times as given: neutral ones are left out, then those that come less than `repeat_minutes`
    after the last one kept of the same author and direction. An idea enters with the candle after the one it falls into,
    also when it falls on an open, because it cannot have acted on it. `UsageError` when no idea is about the symbol.
    """
    own = sorted((idea for idea in ideas if idea.symbol == symbol), key=lambda idea: idea.timestamp)
    if not own:
        known = sorted({idea.symbol for idea in ideas})
        raise UsageError(f"no idea is about symbol {symbol!r}. {suggest(symbol, known, 'ideas=[...]')}")
    directional = [idea for idea in own if idea.direction != "neutral"]
    last: dict[tuple[str, IdeaDirection], int] = {}
    admitted: list[Admitted] = []
    for idea in directional:
        key = (idea.author, idea.direction)
        if key in last and idea.timestamp - last[key] < repeat_minutes * MINUTE_MS:
            continue
        last[key] = idea.timestamp
        admitted.append(Admitted(idea, idea.timestamp // step * step + step))
    return Admission(len(own), len(own) - len(directional), len(directional) - len(admitted), tuple(admitted))


def split(entries: Sequence[int], known: Sequence[int], *, percent: float, since: int | None) -> Split:
    """Which ideas choose the winner and which try it, by their `entries`, in order, and when their outcomes are `known`.

    Held out are those that enter from `since` on, or the newest `percent` of them, at least one of several; those that
    enter at one time stay together. An idea that enters before the hold-out and whose outcome is known only inside it is
    in neither: what is known of it would be known of the hold-out (purging, Lopez de Prado 2018, chapter 7). That is
    decided by its longest hold, the same for all rules, and not by how a trade went.
    """
    count = len(entries)
    if since is None:
        held = max(1, int(count * percent / 100)) if percent and count > 1 else 0
        since = entries[count - held] if held else None
    if since is None:
        return Split(list(range(count)), [], [], None)
    before = [i for i in range(count) if entries[i] < since]
    inside = [i for i in before if known[i] <= since]
    return Split(
        inside, [i for i in before if known[i] > since], [i for i in range(count) if entries[i] >= since], since
    )
