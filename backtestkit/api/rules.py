"""Ready rules for risk profiles, as `bk.rules`.

    bk.add_risk(
        risk_name="portfolio",
        validations=[bk.rules.max_positions(3), bk.rules.max_positions(1, per="symbol"), bk.rules.daily_loss(cost=200)],
    )

A rule is a small frozen value that is called with the payload and answers None, or a rejection whose id is the name of
the rule and whose note has the numbers. They are asked in the order of the list, beside functions of your own. `per`
counts only what concerns the same symbol, the same side or the same strategy as the signal. Limits that are met exactly
pass. Wrong arguments raise `UsageError` when the rule is made.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, tzinfo
from typing import Literal, Protocol, TypeAlias, TypeVar, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backtestkit.errors import UsageError
from backtestkit.model.interval import MINUTE_MS, to_ms
from backtestkit.model.risk import ActivePosition, RiskPayload, RiskRejection
from backtestkit.model.signal import PositionSide

__all__ = [
    "cooldown_after_loss", "correlated", "daily_loss", "loss_streak", "max_drawdown", "max_exposure", "max_positions",
    "min_distance", "min_reward_risk", "time_window",
]  # fmt: skip

Per: TypeAlias = Literal["total", "symbol", "side", "strategy"]
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
TOLERANCE = 1e-9
"""Relative slack of limits on computed numbers, in the user's favour."""


@dataclass(frozen=True, slots=True)
class max_positions:
    """At most `n` positions at once, waiting entries included: in all, or `per` symbol, side or strategy."""

    n: int
    per: Per = "total"

    def __post_init__(self) -> None:
        _whole("max_positions", "n", self.n, 0)
        _scope("max_positions", self.per)

    def __call__(self, payload: RiskPayload) -> RiskRejection | None:
        count = sum(1 for _ in _concerned(payload.active_positions, payload, self.per))
        if count < self.n:
            return None
        return RiskRejection("max_positions", f"{count} of {self.n} positions{_of(payload, self.per)} are taken")


@dataclass(frozen=True, slots=True)
class max_exposure:
    """Cost times leverage of all positions, that of the signal included, stays within `cost` (quote currency)."""

    cost: float
    per: Per = "total"

    def __post_init__(self) -> None:
        _above_zero("max_exposure", "cost", self.cost)
        _scope("max_exposure", self.per)

    def __call__(self, payload: RiskPayload) -> RiskRejection | None:
        signal = payload.current_signal
        total = signal.cost * signal.multiplier
        for position in _concerned(_others(payload), payload, self.per):
            total += position.notional
        if total <= self.cost * (1 + TOLERANCE):
            return None
        return RiskRejection(
            "max_exposure", f"the exposure{_of(payload, self.per)} would be {total:.10g} of {self.cost:.10g}"
        )


@dataclass(frozen=True, slots=True)
class min_reward_risk:
    """The take profit is at least `ratio` times as far from the entry as the stop loss."""

    ratio: float

    def __post_init__(self) -> None:
        _above_zero("min_reward_risk", "ratio", self.ratio)

    def __call__(self, payload: RiskPayload) -> RiskRejection | None:
        signal = payload.current_signal
        reward = abs(signal.price_take_profit - signal.price_open)
        risk = abs(signal.price_open - signal.price_stop_loss)
        if reward >= self.ratio * risk * (1 - TOLERANCE):
            return None
        return RiskRejection(
            "min_reward_risk", f"reward is {reward / risk:.4g} times the risk, {self.ratio:g} are needed"
        )


@dataclass(frozen=True, slots=True)
class min_distance:
    """The entry is at least `percent` away from every entry of the open and waiting positions of its symbol."""

    percent: float

    def __post_init__(self) -> None:
        _above_zero("min_distance", "percent", self.percent)

    def __call__(self, payload: RiskPayload) -> RiskRejection | None:
        price = payload.current_signal.price_open
        for position in _concerned(_others(payload), payload, "symbol"):
            for entry in position.entry_prices:
                distance = abs(price - entry) / entry * 100
                if distance < self.percent * (1 - TOLERANCE):
                    note = (
                        f"{price:.10g} is {distance:.4g} % from an entry at {entry:.10g}, {self.percent:g} % are needed"
                    )
                    return RiskRejection("min_distance", note)
        return None


@dataclass(frozen=True, slots=True)
class time_window:
    """Only from `start` to before `end` (`"08:30"`, or a `datetime.time`) on the clock of `tz`.

    A window whose end is not after its start goes past midnight and belongs to the weekday on which it began; with both
    equal it is the whole day. `tz` is a name such as `"Europe/Berlin"` or a `tzinfo`; `weekdays` are some of `"mon"` to
    `"sun"`, None for all.
    """

    start: str | time
    end: str | time
    tz: str | tzinfo = UTC
    weekdays: Collection[Weekday] | None = None
    _start: time = field(init=False, repr=False, compare=False)
    _end: time = field(init=False, repr=False, compare=False)
    _zone: tzinfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_start", _time("start", self.start))
        object.__setattr__(self, "_end", _time("end", self.end))
        object.__setattr__(self, "_zone", _zone("time_window", self.tz))
        if self.weekdays is not None:
            object.__setattr__(self, "weekdays", tuple(self.weekdays))
        for day in self.weekdays or ():
            if day not in WEEKDAYS:
                raise UsageError(f"time_window: weekdays has {day!r}; it may hold {', '.join(WEEKDAYS)}")

    def __call__(self, payload: RiskPayload) -> RiskRejection | None:
        local = payload.when.astimezone(self._zone)
        day = self._began(local)
        if day is not None and (self.weekdays is None or day in self.weekdays):
            return None
        days = "" if self.weekdays is None else f" on {', '.join(self.weekdays)}"
        window = f"{self._start:%H:%M} to {self._end:%H:%M}{days}"
        return RiskRejection("time_window", f"{local:%a %H:%M} is outside {window}")

    def _began(self, local: datetime) -> Weekday | None:
        """The day on which the window around `local` began; None outside."""
        clock = local.time()
        if self._start < self._end:
            return WEEKDAYS[local.weekday()] if self._start <= clock < self._end else None
        if clock >= self._start:
            return WEEKDAYS[local.weekday()]
        return WEEKDAYS[local.weekday() - 1] if clock < self._end else None


@dataclass(frozen=True, slots=True)
class cooldown_after_loss:
    """Nothing for `minutes` after a trade of the profile has lost, or one `per` symbol, side or strategy."""

    minutes: float
    per: Per = "total"

    def __post_init__(self) -> None:
        _above_zero("cooldown_after_loss", "minutes", self.minutes)
        _scope("cooldown_after_loss", self.per)

    def __call__(self, payload: RiskPayload) -> RiskRejection | None:
        for trade in reversed(payload.history):
            passed = (payload.timestamp - trade.timestamp) / MINUTE_MS
            if passed >= self.minutes:
                break
            if trade.lost and _concerns(trade, payload, self.per):
                note = f"{passed:g} of {self.minutes:g} minutes have passed since {trade.symbol} lost {-trade.pnl_cost:.4g}"
                return RiskRejection("cooldown_after_loss", note)
        return None


@dataclass(frozen=True, slots=True)
class loss_streak:
    """After `n` losses in a row, nothing for `pause_minutes`. Each further loss starts the pause anew."""

    n: int
    pause_minutes: float
    per: Per = "total"

    def __post_init__(self) -> None:
        _whole("loss_streak", "n", self.n, 1)
        _above_zero("loss_streak", "pause_minutes", self.pause_minutes)
        _scope("loss_streak", self.per)

    def __call__(self, payload: RiskPayload) -> RiskRejection | None:
        passed = math.inf
        losses = 0
        for trade in _concerned(reversed(payload.history), payload, self.per):
            if not losses:
                passed = (payload.timestamp - trade.timestamp) / MINUTE_MS
            losses += trade.lost
            if not trade.lost or passed >= self.pause_minutes or losses == self.n:
                break
        if losses < self.n or passed >= self.pause_minutes:
            return None
        note = f"{self.n} losses in a row, {passed:g} of {self.pause_minutes:g} minutes have passed since the last"
        return RiskRejection("loss_streak", note)


@dataclass(frozen=True, slots=True)
class daily_loss:
    """Nothing more on a day whose closed trades have lost too much: `percent` or `cost`, one of the two.

    `cost` is quote currency; `percent` is the sum of the trades' own percents, each of what it invested. The day is that
    of `tz`, a name such as `"Europe/Berlin"` or a `tzinfo`.
    """

    percent: float | None = None
    cost: float | None = None
    tz: str | tzinfo = UTC
    _zone: tzinfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.percent is None) == (self.cost is None):
            raise UsageError("daily_loss takes percent or cost, one of the two")
        for name in ("percent", "cost"):
            if getattr(self, name) is not None:
                _above_zero("daily_loss", name, getattr(self, name))
        object.__setattr__(self, "_zone", _zone("daily_loss", self.tz))

    def __call__(self, payload: RiskPayload) -> RiskRejection | None:
        local = payload.when.astimezone(self._zone)
        midnight = to_ms(local.replace(hour=0, minute=0, second=0, microsecond=0))
        sums = 0.0
        for trade in reversed(payload.history):
            if trade.timestamp < midnight:
                break
            sums += trade.pnl_percentage if self.cost is None else trade.pnl_cost
        limit, unit = (self.percent, " %") if self.cost is None else (self.cost, "")
        assert limit is not None, "one of the two is given"
        if sums > -limit * (1 - TOLERANCE):
            return None
        return RiskRejection("daily_loss", f"{-sums:.4g}{unit} lost today of {limit:g}{unit} allowed")


@dataclass(frozen=True, slots=True)
class max_drawdown:
    """Nothing more once the closed trades of the profile have lost `percent` of `capital` from their best total.

    `capital` is what the profile may work with, quote currency. Nothing that is still open counts.
    """

    percent: float
    capital: float

    def __post_init__(self) -> None:
        _above_zero("max_drawdown", "percent", self.percent)
        _above_zero("max_drawdown", "capital", self.capital)

    def __call__(self, payload: RiskPayload) -> RiskRejection | None:
        percent = payload.history.drawdown_cost / self.capital * 100
        if percent < self.percent * (1 - TOLERANCE):
            return None
        return RiskRejection("max_drawdown", f"the drawdown is {percent:.4g} % of {self.percent:g} % allowed")


@dataclass(frozen=True, slots=True)
class correlated:
    """At most `limit` positions at once in each group of symbols that move together.

    `groups` are collections of symbols, or names with such collections. Symbols of no group are not limited.
    """

    groups: Mapping[str, Collection[str]] | Iterable[Collection[str]]
    limit: int = 1
    _groups: tuple[tuple[str, frozenset[str]], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _whole("correlated", "limit", self.limit, 1)
        named = self.groups.items() if isinstance(self.groups, Mapping) else [("", group) for group in self.groups]
        for _, group in named:
            if isinstance(group, str) or not all(isinstance(symbol, str) for symbol in group):
                raise UsageError(f"correlated: group {group!r} must be a collection of symbols")
        groups = tuple((name or "/".join(group), frozenset(group)) for name, group in named)
        object.__setattr__(self, "_groups", groups)

    def __call__(self, payload: RiskPayload) -> RiskRejection | None:
        for name, symbols in self._groups:
            if payload.symbol in symbols:
                count = sum(position.symbol in symbols for position in payload.active_positions)
                if count >= self.limit:
                    note = f"{count} of {self.limit} positions in the group {name} are taken"
                    return RiskRejection("correlated", note)
        return None


class _Placed(Protocol):
    @property
    def symbol(self) -> str: ...
    @property
    def position(self) -> PositionSide: ...
    @property
    def strategy_name(self) -> str: ...


P = TypeVar("P", bound=_Placed)


def _concerns(what: _Placed, payload: RiskPayload, per: Per) -> bool:
    if per == "symbol":
        return what.symbol == payload.symbol
    if per == "side":
        return what.position == payload.current_signal.position
    return per == "total" or what.strategy_name == payload.strategy_name


def _concerned(items: Iterable[P], payload: RiskPayload, per: Per) -> Iterator[P]:
    return (item for item in items if _concerns(item, payload, per))


def _others(payload: RiskPayload) -> Iterator[ActivePosition]:
    """The positions of other runs: under a policy that counts its own place, a signal must not be added to itself."""
    own = payload.strategy_name, payload.exchange_name, payload.frame_name, payload.symbol
    return (p for p in payload.active_positions if (p.strategy_name, p.exchange_name, p.frame_name, p.symbol) != own)


def _of(payload: RiskPayload, per: Per) -> str:
    if per == "total":
        return ""
    value = {
        "symbol": payload.symbol, "side": payload.current_signal.position, "strategy": payload.strategy_name
    }[per]  # fmt: skip
    return f" of {per} {value}"


def _whole(rule: str, name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{rule}: {name}={value!r} must be a whole number of at least {least}")


def _above_zero(rule: str, name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise UsageError(f"{rule}: {name}={value!r} must be a finite number above 0")


def _scope(rule: str, per: object) -> None:
    if per not in get_args(Per):
        raise UsageError(f"{rule}: per={per!r} must be one of {', '.join(map(repr, get_args(Per)))}")


def _time(name: str, value: object) -> time:
    if isinstance(value, str):
        try:
            value = time.fromisoformat(value)
        except ValueError:
            raise UsageError(f"time_window: {name}={value!r} must be a time of day such as '08:30'") from None
    if not isinstance(value, time) or value.tzinfo is not None:
        raise UsageError(
            f"time_window: {name}={value!r} must be text such as '08:30' or a time without a zone; give tz="
        )
    return value


def _zone(rule: str, value: object) -> tzinfo:
    if isinstance(value, str):
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise UsageError(
                f"{rule}: tz={value!r} is no time zone that this machine knows; use a name such as 'Europe/Berlin'"
            ) from None
    if not isinstance(value, tzinfo):
        raise UsageError(f"{rule}: tz={value!r} must be the name of a time zone or a tzinfo")
    return value
