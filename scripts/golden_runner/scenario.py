"""Running one record and saying how it differs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import backtestkit as bk
from backtestkit.errors import BacktestKitError, ConfigError

from . import compare, risks, walks
from .commands import Commands
from .market import Market
from .recorder import Recorder, codes
from .run_statistics import RunStatistics
from .script import Script, expand

EXCHANGE = "golden"
FRAME = "golden"
RECORDED_CONFIG = {"CC_GET_CANDLES_RETRY_COUNT": 1, "CC_GET_CANDLES_RETRY_DELAY_MS": 0}


def first_difference(record: dict[str, Any], *, stepping: bool) -> str | None:
    """The first difference between a run of `record` and what it expects, or None."""
    if record.get("kind") == "config":
        return _config(record)
    with bk.Kit():
        bk.set_config({**RECORDED_CONFIG, **record.get("config", {})}, unsafe=True)
        return _Scenario(record, stepping=stepping).difference()


def _config(record: dict[str, Any]) -> str | None:
    expected = record["expected"]
    with bk.Kit():
        try:
            bk.set_config(record["config"])
        except ConfigError as error:
            got = {"accepted": False, "invalid_keys": sorted("CC_" + key.upper() for key in error.keys)}
        else:
            got = {"accepted": True}
    if not expected["accepted"]:
        expected = expected | {"invalid_keys": sorted(expected["invalid_keys"])}
    return compare.difference(got, expected)


def play_parallel(record: dict[str, Any], order: Sequence[int], *, stepping: bool) -> list[dict[str, Any]]:
    """The events of a parallel `record` whose runs are made in their order and started in another one."""
    with bk.Kit():
        bk.set_config({**RECORDED_CONFIG, **record.get("config", {})}, unsafe=True)
        scenario = _Scenario(record, stepping=stepping)
        runs = scenario.prepare()
        asyncio.run(together([runs[i] for i in order]))
        return scenario.recorder.events


async def together(runs: Sequence[_Run]) -> None:
    """All at once."""
    await asyncio.gather(*(run.play() for run in runs))


class _Scenario:
    def __init__(self, record: dict[str, Any], *, stepping: bool) -> None:
        self.record, self.stepping = record, stepping
        self.expected = record["expected"]
        self.suspect = frozenset(record.get("suspect_fields", ()))
        self.recorder = Recorder(
            several_runs=len(record["runs"]) > 1,
            signals_only=record.get("record_events") == "signals",
            pings=bool(record.get("record_pings")),
        )
        self.runs: list[dict[str, Any]] = []
        self.failed = False
        self.statistics: RunStatistics | None = None
        self.steps: list[bk.WalkerEvent] = []
        self.walked: bk.WalkerStatistics | None = None

    def prepare(self) -> list[_Run]:
        """The runs, over everything they need."""
        self._register()
        self.recorder.listen()
        if self.record.get("statistics"):
            self.statistics = RunStatistics(EXCHANGE, FRAME)
        return [_Run(self, run["symbol"], run["strategy"]) for run in self.record["runs"]]

    def difference(self) -> str | None:
        runs = self.prepare()
        if self.record.get("walker"):
            asyncio.run(self._walk(runs))
        elif self.record.get("run_mode") == "parallel":
            asyncio.run(together(runs))
        else:
            for run in runs:
                asyncio.run(run.play())
        self.runs = [run.row() for run in runs]
        found = self._compare()
        if found or self.statistics is None:
            return found
        return self.statistics.difference(self.record)

    async def _walk(self, runs: list[_Run]) -> None:
        given = self.record["walker"]
        metric = {"metric": given["metric"]} if "metric" in given else {}
        bk.add_walker(
            walker_name="golden", exchange_name=EXCHANGE, frame_name=FRAME, strategies=given["strategies"], **metric
        )
        ends = [end for run in runs for end in run.commands.listen()]
        walk = bk.Walker.run(runs[0].symbol, walker_name="golden", policy="reference", stepping=self.stepping)
        async for event in walk:
            self.steps.append(event)
        self.walked = await walk.result()
        for end in ends:
            end()
        for run in runs:
            run.counters = walk.counters.get(run.strategy_name)

    def _register(self) -> None:
        market = Market(self.record["candles"])
        step = bk.interval_step_ms
        bk.add_exchange(
            exchange_name=EXCHANGE,
            read_candles=lambda symbol, interval, since, until: market.read(symbol, step(interval), since, until),
        )
        frame = self.record["frame"]
        bk.add_frame(frame_name=FRAME, interval=frame["interval"], start_date=frame["start"], end_date=frame["end"])
        for profile in self.record.get("risks", ()):
            risks.register(profile)

    def _compare(self) -> str | None:
        found = self._events_difference()
        if found:
            return found
        if bool(self.expected.get("fatal")) != self.failed and self.expected.get("fatal") is not None:
            return f"run failed: got {self.failed}, expected {self.expected['fatal']}"
        if self.walked is not None:
            found = compare.difference(walks.as_recorded(self.steps, self.walked), self.expected["walker"])
            if found:
                return f"walker {found}"
        for i, (got, want) in enumerate(zip(self.runs, self.expected["runs"], strict=True)):
            want = want | {"get_signal_minutes": expand(want["get_signal_minutes"])}
            found = compare.difference(got, want, ignored=self.suspect)
            if found:
                return f"run {i} {found}"
        return None

    def _events_difference(self) -> str | None:
        got, expected = self.recorder.events, self.expected["events"]
        if self.record.get("compare_order") != "per_run":
            return compare.events_difference(got, expected, self.suspect)
        ours, theirs = compare.by_run(got), compare.by_run(expected)
        for run in ours | theirs:
            found = compare.events_difference(ours.get(run, []), theirs.get(run, []), self.suspect)
            if found:
                return f"{' '.join(run)}: {found}"
        return None


class _Run:
    """One run of a scenario: a scripted strategy on one symbol."""

    def __init__(self, scenario: _Scenario, symbol: str, strategy_name: str) -> None:
        record, self.recorder = scenario.record, scenario.recorder
        self.scenario, self.symbol, self.strategy_name = scenario, symbol, strategy_name
        strategy = next(s for s in record["strategies"] if s["name"] == strategy_name)
        self.script = Script(strategy, symbol, record["frame"]["start"])
        self.commands = Commands(strategy, symbol, record["frame"]["start"], self.recorder)
        self.recorder.own_ids([entry["dto"] for entry in strategy.get("signals", []) if "dto" in entry])
        bk.add_strategy(
            strategy_name=strategy_name,
            interval=strategy["interval"],
            get_signal=self._get_signal,
            risk_name=strategy.get("risk_name"),
            risk_list=strategy.get("risk_list") or (),
            replace=True,
        )
        self.counters: Any = None
        self.run = bk.Backtest.run(
            symbol,
            strategy_name=strategy_name,
            exchange_name=EXCHANGE,
            frame_name=FRAME,
            policy="reference",
            stepping=scenario.stepping,
        )

    async def _get_signal(self, symbol: str, when: datetime, price: float) -> bk.Signal | None:
        time = round(when.timestamp() * 1000)
        await self.commands.on_get_signal(time, price)
        return self.script.answer(time, price)

    async def play(self) -> None:
        """Run it, with its commands."""
        ends = self.commands.listen()
        try:
            await self.run.result()
        except BacktestKitError as error:
            self.scenario.failed = True
            if not any(e["type"] == "error" and e["codes"] == codes(error) for e in self.recorder.events[-1:]):
                self.recorder.run_error(error)
        for end in ends:
            end()

    def row(self) -> dict[str, Any]:
        """What the records say of a run beside its events."""
        counters = self.counters or self.run.snapshot().counters
        return {
            "symbol": self.symbol,
            "strategy": self.strategy_name,
            "get_signal_calls": len(self.script.minutes),
            "get_signal_minutes": self.script.minutes,
            "get_signal_prices": self.script.prices,
            "idle_ticks": counters.idle_ticks,
            "active_pings": counters.active_pings,
            "schedule_pings": counters.schedule_pings,
            "idle_pings": counters.idle_pings,
        }
