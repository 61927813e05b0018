"""Notifications: one for what happened, typed, kept, worded, and brought to who should know."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from kept_runs import FIRST, LONG, new_run, prepare
from receiver import ListSender, receiving

import backtestkit as bk
from backtestkit.adapters.notification import AnyNotification
from backtestkit.adapters.notification_kinds import KINDS, TARGETS
from backtestkit.adapters.templates import DEFAULTS, ROWS, Template, checked
from backtestkit.errors import UsageError
from backtestkit.model.event import ErrorEvent, PauseEvent
from backtestkit.runtime.context import RunKey
from scenarios.market import flat, still

LIVE = RunKey("BTC", "s", "x", "", False)


def kept(backtest: bool = True) -> list[Any]:
    """What is kept, oldest first."""
    return asyncio.run(bk.Notification.get_data(backtest))[::-1]


def commands(steps: dict[int, Any]) -> Any:
    """A callback that does `steps[minute]()` in that minute of the position."""
    minute = iter(range(1000))

    async def ping(*_: Any) -> None:
        step = steps.get(next(minute))
        if step is not None:
            assert await step()

    return ping


def test_the_life_of_a_position_is_told() -> None:
    rows = [*still(3), *flat(104.0, 14)]
    steps = {
        8: lambda: bk.commit_signal_notify("BTC", "look", notification_id="n"),
        9: lambda: bk.commit_partial_profit("BTC", 25.0),
        10: lambda: bk.commit_trailing_stop("BTC", -1.0),
        11: lambda: bk.commit_trailing_take("BTC", -1.0),
        12: lambda: bk.commit_breakeven("BTC"),
        13: lambda: bk.commit_close_pending("BTC", id="mine"),
    }
    with bk.Kit():
        bk.Notification.enable()
        signal = {**LONG, "minute_estimated_time": 60}
        callbacks = {"on_active_ping": commands(steps)}
        prepare(rows, lambda *_: dict(signal), interval="1h", callbacks=callbacks, on_error="raise")
        result = asyncio.run(new_run().result())
        told = kept()
    kinds = [n.type for n in told if n.type != "partial_profit_available"]
    assert kinds == [
        "signal_opened",
        "breakeven_available",
        "signal_info",
        "partial_profit_commit",
        "trailing_stop_commit",
        "trailing_take_commit",
        "breakeven_commit",
        "close_pending_commit",
        "signal_closed",
    ]
    by_type = {n.type: n for n in told}
    assert (by_type["signal_info"].info, by_type["signal_info"].notification_id) == ("look", "n")
    assert by_type["partial_profit_commit"].percent_to_close == 25.0
    assert by_type["trailing_stop_commit"].percent_shift == -1.0
    assert by_type["close_pending_commit"].command_id == "mine"
    assert by_type["partial_profit_available"].level % 10 == 0
    closed = by_type["signal_closed"]
    assert (closed.close_reason, closed.close_id) == ("closed", "mine")
    assert closed.signal == result.closed[0].signal
    assert closed.duration == (closed.timestamp - FIRST) / 60_000
    assert (closed.symbol, closed.strategy_name, closed.exchange_name, closed.frame_name) == ("BTC", "s", "x", "f")
    assert len({n.id for n in told}) == len(told)


def test_losses_average_buys_waiting_signals_and_refusals_are_told() -> None:
    falling = [*still(3), *flat(95.0, 14)]
    steps = {
        9: lambda: bk.commit_average_buy("BTC", 50.0),
        10: lambda: bk.commit_partial_loss("BTC", 10.0),
    }
    with bk.Kit():
        bk.Notification.enable("partial_loss", "strategy_commit", "risk", "pause")
        bk.add_risk(risk_name="never", validations=[lambda _: "no"])
        callbacks = {"on_active_ping": commands(steps)}
        signal = {**LONG, "minute_estimated_time": 60}
        prepare(falling, lambda *_: dict(signal), interval="1h", callbacks=callbacks, on_error="raise")
        asyncio.run(new_run().result())
        prepare(still(2), lambda *_: dict(LONG), interval="1h", risk_list=["never"])
        asyncio.run(new_run().result())
        told = {n.type: n for n in kept()}
    assert set(told) == {"partial_loss_available", "average_buy_commit", "partial_loss_commit", "risk_rejection"}
    assert told["average_buy_commit"].cost == 50.0
    assert told["average_buy_commit"].row()["cost"] == 50.0
    assert told["average_buy_commit"].effective_price_open < 100.0
    assert (told["risk_rejection"].rejection_note, told["risk_rejection"].price_take_profit) == ("no", 110.0)


def test_waiting_entries_are_told_of_until_they_are_opened_or_given_up() -> None:
    signals = iter([{**LONG, "price_open": 95.0}, {**LONG, "price_open": 95.0}])
    minute = iter(range(1000))

    async def ping(*_: Any) -> None:
        match next(minute):
            case 2:
                assert await bk.commit_cancel_scheduled("BTC", id="cancel")
            case 5:
                assert await bk.commit_activate_scheduled("BTC", id="go")

    with bk.Kit():
        bk.Notification.enable("signal", "strategy_commit")
        prepare(still(30), lambda *_: next(signals, None), callbacks={"on_schedule_ping": ping}, on_error="raise")
        asyncio.run(new_run().result())
        told = kept()
    assert [n.type for n in told] == [
        "signal_scheduled",
        "cancel_scheduled_commit",
        "signal_cancelled",
        "signal_scheduled",
        "activate_scheduled_commit",
        "signal_opened",
        "signal_closed",
    ]
    assert (told[2].cancel_reason, told[2].cancel_id) == ("user", "cancel")
    assert told[2].duration == 4.0


def test_errors_and_pauses_are_told_and_errors_without_a_run_in_both_modes() -> None:
    async def scenario(kit: bk.Kit) -> None:
        await kit.channels.pause.emit(PauseEvent(LIVE, FIRST, True))
        await kit.channels.error.emit(ErrorEvent(ValueError("one"), "get_signal", LIVE, FIRST))
        await kit.channels.validation.emit(ErrorEvent(ValueError("two"), "rule", None, None))
        await kit.channels.exit.emit(ErrorEvent(ValueError("three"), "engine", None, None))

    with bk.Kit() as kit:
        bk.NotificationLive.use_memory()
        bk.Notification.enable()
        asyncio.run(scenario(kit))
        live, backtest = kept(False), kept(True)
    assert [n.type for n in live] == ["strategy_pause", "error_info", "error_validation", "error_critical"]
    assert [n.type for n in backtest] == ["error_validation", "error_critical"]
    assert live[0].paused is True
    assert (live[1].error, live[1].message, live[1].context) == ("ValueError", "one", "live BTC s")


def test_the_switches_of_the_last_call_count() -> None:
    with bk.Kit() as kit:
        bk.NotificationLive.use_memory()
        bk.Notification.enable("signal")
        undo = bk.Notification.enable("pause")
        asyncio.run(kit.channels.pause.emit(PauseEvent(LIVE, FIRST, True)))
        undo()
        asyncio.run(kit.channels.pause.emit(PauseEvent(LIVE, FIRST, False)))
        assert [n.paused for n in kept(False)] == [True]
        asyncio.run(bk.Notification.dispose(False))
        assert kept(False) == []
        with pytest.raises(UsageError, match=r"notification target 'paus' is unknown\. Did you mean 'pause'"):
            bk.Notification.enable("paus")  # type: ignore[arg-type]


def test_the_newest_are_kept_up_to_the_limit(tmp_path: Path) -> None:
    with bk.Kit({"max_notifications": 3}) as kit:
        bk.use_store(f"file:{tmp_path}")
        bk.Notification.enable("pause")

        async def scenario() -> None:
            for n in range(6):
                await kit.channels.pause.emit(PauseEvent(LIVE, FIRST + n, True))

        asyncio.run(scenario())
        assert [n.timestamp - FIRST for n in kept(False)] == [3, 4, 5]
        before = kept(False)
    with bk.Kit():
        bk.use_store(f"file:{tmp_path}")
        bk.Notification.enable()
        assert kept(False) == before


def test_every_type_has_one_row_a_target_and_words() -> None:
    types = [kind.type for kind in KINDS]
    assert len(types) == len(set(types)) == 31
    assert {kind.target for kind in KINDS} == set(TARGETS) and len(TARGETS) == 17
    fed = {kind.type for kind in KINDS if kind.make is not None}
    assert fed == set(ROWS) == set(DEFAULTS)
    assert set(checked({})) == fed
    assert len(get_args(get_args(AnyNotification)[0])) == 13


def test_a_row_is_flat_and_has_the_names_that_templates_may_use() -> None:
    with bk.Kit():
        bk.Notification.enable()
        prepare(still(10), lambda *_: dict(LONG))
        asyncio.run(new_run().result())
        told = kept()
    for notification in told:
        row = notification.row()
        assert set(row) == ROWS[notification.type]
        assert DEFAULTS[notification.type].render(notification)
    closed = told[1].row()
    assert closed["pnl_percentage"] == told[1].signal.pnl.pnl_percentage
    assert (closed["signal_id"], closed["when"]) == (told[1].signal.id, "2025-01-01T00:10+00:00")


@pytest.mark.parametrize(
    ("templates", "told"),
    [
        ({"signal_close": ("a", "b")}, r"type 'signal_close' is unknown\. Did you mean 'signal_closed'"),
        ({"signal_closed": ("{pnl_percent}", "b")}, r"uses \{pnl_percent\}\. Did you mean 'pnl_percentage'"),
        ({"signal_opened": ("{close_reason}", "b")}, r"uses \{close_reason\}"),
        ({"signal_closed": ("{", "b")}, "cannot be read"),
        ({"signal_closed": ("a",)}, "Give a title and a body"),
        ({"signal_closed": {"title": "a"}}, "Give a title and a body"),
    ],
)
def test_templates_that_cannot_work_are_refused_at_once(templates: Any, told: str) -> None:
    with bk.Kit(), pytest.raises(UsageError, match=told):
        bk.Notification.deliver(ListSender(), templates=templates)


def run_once(sender: Any, **how: Any) -> None:
    """One backtest with one trade whose notifications go to `sender`."""
    bk.use_store("memory:")
    bk.Notification.deliver(sender, mode="both", **how)
    prepare(still(8), lambda *_: dict(LONG), interval="1h")

    async def scenario() -> None:
        await new_run().result()
        assert await bk.Notification.flush(5) == 0

    asyncio.run(scenario())


def test_messages_are_worded_by_type() -> None:
    sender = ListSender()
    with bk.Kit():
        run_once(
            sender,
            targets=["signal"],
            templates={"signal_closed": Template("{symbol} {close_reason}", "{pnl_percentage:+.2f} %")},
        )
    (opened, _), closed = sender.sent
    assert opened == "BTC: long opened at 100"
    assert closed == ("BTC time_expired", "-0.40 %")


def test_a_template_that_fails_on_a_value_does_not_cost_the_message(caplog: pytest.LogCaptureFixture) -> None:
    sender = ListSender()
    with bk.Kit():
        run_once(sender, targets=["signal"], templates={"signal_closed": {"title": "{close_reason:d}", "body": ""}})
    assert [title for title, _ in sender.sent] == [
        "BTC: long opened at 100",
        "BTC: long closed by time_expired, -0.40 %",
    ]
    assert "template_failed" in caplog.text


def test_only_live_is_sent_unless_asked_and_only_until_undone() -> None:
    sender = ListSender()

    async def pause(kit: bk.Kit, key: RunKey, at: int) -> None:
        await kit.channels.pause.emit(PauseEvent(key, at, True))
        await kit.channels.error.emit(ErrorEvent(ValueError(str(at)), "x", None, None))

    async def scenario(kit: bk.Kit) -> None:
        await pause(kit, LIVE, 1)
        await pause(kit, RunKey("BTC", "s", "x", "f", True), 2)
        assert await bk.Notification.flush(5) == 0
        stop()
        stop()
        await pause(kit, LIVE, 3)
        await bk.Notification.flush(5)

    with bk.Kit() as kit:
        bk.use_store("memory:")
        stop = bk.Notification.deliver(sender, targets=["pause", "common_error"])
        asyncio.run(scenario(kit))
    assert [title for title, _ in sender.sent] == ["BTC: s paused: True", "Error in x", "Error in x"]


def test_what_is_raised_again_and_errors_that_repeat_are_sent_once() -> None:
    sender = ListSender()

    async def scenario(kit: bk.Kit) -> None:
        for minute in range(3):
            await kit.channels.pause.emit(PauseEvent(LIVE, FIRST, True))
            await kit.channels.error.emit(ErrorEvent(ValueError("same"), "x", LIVE, FIRST + minute * 60_000))
        await kit.channels.error.emit(ErrorEvent(ValueError("same"), "x", LIVE, FIRST + 3_600_000))
        await bk.Notification.flush(5)

    with bk.Kit() as kit:
        bk.use_store("memory:")
        bk.Notification.deliver(sender)
        asyncio.run(scenario(kit))
    assert [title for title, _ in sender.sent] == ["BTC: s paused: True", "Error in x", "Error in x"]


def test_a_second_backtest_is_told_of_too() -> None:
    sender = ListSender()
    with bk.Kit():
        run_once(sender, targets=["signal"])

        async def again() -> None:
            await new_run().result()
            await bk.Notification.flush(5)

        asyncio.run(again())
    assert len(sender.sent) == 4


def test_a_receiver_that_hangs_holds_up_no_run() -> None:
    sender = ListSender()

    async def scenario() -> None:
        sender.gate = asyncio.Event()
        result = await new_run().result()
        assert len(result.closed) == 1 and sender.sent == []
        sender.gate.set()
        assert await bk.Notification.flush(5) == 0

    with bk.Kit() as kit:
        bk.use_store("memory:")
        bk.Notification.deliver(sender, mode="both", targets=["signal"])
        prepare(still(8), lambda *_: dict(LONG), interval="1h")
        asyncio.run(scenario())
        assert len(sender.sent) == 2
        asyncio.run(kit.container.deliveries().close())


def test_receivers_are_named_and_a_name_has_one_outbox() -> None:
    with bk.Kit():
        bk.use_store("memory:")
        stop = bk.Notification.deliver(ListSender())
        with pytest.raises(UsageError, match="another receiver is named 'list' already"):
            bk.Notification.deliver(ListSender())
        stop()
        bk.Notification.deliver(ListSender())
        bk.Notification.deliver(ListSender(name="other"))
        with pytest.raises(UsageError, match="needs at least one receiver"):
            bk.Notification.deliver()
        with pytest.raises(UsageError, match="receiver 5 is neither a URL nor an object"):
            bk.Notification.deliver(5)  # type: ignore[arg-type]


def test_messages_arrive_over_http_after_a_failure(tmp_path: Path) -> None:
    pytest.importorskip("apprise", reason="the extra notify is not installed")

    async def scenario(url: str) -> None:
        stop = bk.Notification.deliver(url, mode="both", targets=["signal"])
        for outbox in kit.container.deliveries()._outboxes.values():
            outbox._wait_seconds = 0.0
        await new_run().result()
        assert await bk.Notification.flush(20) == 0
        stop()

    with receiving() as receiver, bk.Kit() as kit:
        receiver.statuses = [503, 500]
        bk.use_store(f"file:{tmp_path}")
        prepare(still(8), lambda *_: dict(LONG), interval="1h")
        asyncio.run(scenario(receiver.url))
    assert receiver.titles == ["BTC: long opened at 100", "BTC: long closed by time_expired, -0.40 %"]
    stored = list((tmp_path / "data" / "outbox").rglob("*.json"))
    assert len(stored) == 2 and all("secret-path" not in f"{p} {p.read_text()}" for p in stored)


def test_without_apprise_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with bk.Kit(), pytest.raises(UsageError, match=r'pip install "backtestkit\[notify\]"'):
        bk.Notification.deliver("json://localhost")
