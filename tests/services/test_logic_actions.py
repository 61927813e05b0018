"""Actions hear the events of the strategies that name them, after the listeners, and cannot harm a run."""

from __future__ import annotations

from typing import Any

import pytest

import backtestkit as bk
from scenarios.market import flat, path
from scenarios.run import once, run

LONG = bk.Signal(position="long", price_take_profit=102, price_stop_loss=95, minute_estimated_time=30)
RISING = [*flat(100, 8), *path([100 + 0.25 * i for i in range(40)])]


class Recorder(bk.ActionBase):
    """Writes down every hook it is told of."""

    told: list[str]

    def init(self) -> None:
        self.told.append(f"init {self.action_name} {self.strategy_name} {self.frame_name} {self.backtest}")

    def pending_event(self, event: bk.SignalEvent) -> None:
        self.told.append(f"pending {event.action}")

    async def signal_backtest(self, result: bk.AnyResult) -> None:
        if result.action != "idle":
            self.told.append(f"backtest {result.action}")

    def signal(self, result: bk.AnyResult) -> None:
        if result.action != "idle":
            self.told.append(f"signal {result.action}")

    def dispose(self) -> None:
        self.told.append("dispose")


def told_by(action: dict[str, Any], listen: bool = False, **others: Any) -> tuple[list[str], Any]:
    """Run one winning trade with `action`; what a `Recorder` was told, and the run."""
    told: list[str] = []
    Recorder.told = told

    def prepare() -> None:
        bk.add_action(action_name="a", **action)
        for name, fields in others.items():
            bk.add_action(action_name=name, **fields)
        bk.override_strategy("s", actions=["a", *others])
        if listen:
            bk.listen_signal_event(lambda e: told.append(f"listener {e.action}"))

    done = run(RISING, once(LONG), prepare=prepare)
    return told, done


def test_an_action_lives_from_the_start_to_the_end_of_a_run_and_hears_after_the_listeners() -> None:
    told, _ = told_by({"handler": Recorder}, listen=True)
    assert told == [
        "init a s f True",
        "listener opened", "pending opened", "backtest opened", "signal opened",
        "listener closed", "pending closed", "backtest closed", "signal closed",
        "dispose",
    ]  # fmt: skip


def test_a_callback_follows_its_handler_and_is_told_which_action_it_is() -> None:
    told: list[Any] = []
    callbacks = {"on_pending_event": lambda event, *about: told.append((event.action, *about))}
    handler_told, _ = told_by({"handler": Recorder, "callbacks": callbacks})
    assert told == [("opened", "a", "s", "f", True), ("closed", "a", "s", "f", True)]
    assert "pending opened" in handler_told


class Failing(bk.ActionBase):
    """Raises in every hook."""

    def init(self) -> None:
        raise RuntimeError("no start")

    def pending_event(self, event: bk.SignalEvent) -> None:
        raise RuntimeError("no event")

    def dispose(self) -> None:
        raise RuntimeError("no end")


def test_a_failing_action_is_reported_and_harms_neither_the_run_nor_the_next_action() -> None:
    told, done = told_by({"handler": Failing}, after={"handler": Recorder})
    assert [r.close_reason for r in done.closed] == ["take_profit"]
    assert "pending closed" in told and told[-1] == "dispose"
    assert [(e.source, str(e.error)) for e in done.result.errors] == [
        ("init of action 'a'", "no start"),
        ("pending_event of action 'a'", "no event"),
        ("pending_event of action 'a'", "no event"),
        ("dispose of action 'a'", "no end"),
    ]


def test_an_object_is_shared_and_may_have_only_some_of_the_hooks() -> None:
    class Counter:
        pings = 0

        def ping_active(self, event: bk.PingEvent) -> None:
            self.pings += 1

    counter = Counter()
    _, done = told_by({"handler": counter})
    assert counter.pings == done.result.counters.active_pings > 0


def test_a_strategy_that_names_an_unknown_action_does_not_start() -> None:
    def prepare() -> None:
        bk.add_action(action_name="recorder", handler=Recorder)
        bk.override_strategy("s", actions=["recordr"])

    with pytest.raises(bk.NotRegisteredError, match="recorder"):
        run(RISING, once(LONG), prepare=prepare)
