"""Backtests with risk profiles: when rules are asked, what a refusal does, and what is left behind."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

import backtestkit as bk
from backtestkit.model.fill_policy import CONSERVATIVE, NEXT_OPEN, FillPolicy
from scenarios.market import MINUTE, START, flat, still
from scenarios.portfolio import backtest, long_signal, portfolio
from scenarios.run import minute

MARKET = {"BTC": flat(100.0, 70), "ETH": flat(100.0, 70)}
AT_MOST_ONE = bk.rules.max_positions(1)


def always(*_: object) -> bk.Signal:
    return long_signal()


def dip(at: int, low: float) -> dict[str, Any]:
    """A market with one wick down."""
    return {"BTC": still(65, at={at: (100.0, 100.0, low, 100.0, 1.0)})}


@pytest.mark.parametrize("stepping", [False, True])
def test_a_rejected_strategy_is_asked_again_at_its_next_interval(stepping: bool) -> None:
    asked: list[int] = []
    rejected: list[int] = []
    with portfolio(MARKET, 20):
        bk.add_risk(risk_name="r", validations=[lambda p: "no"])

        def get_signal(symbol: str, when: datetime, price: float) -> bk.Signal:
            asked.append(when.minute)
            return long_signal()

        bk.add_strategy(strategy_name="s", interval="5m", risk_name="r", get_signal=get_signal)
        bk.listen_risk(lambda event: rejected.append(minute(event.timestamp)))
        result = backtest("BTC", stepping=stepping).wait()
    assert asked == [5, 10, 15, 20]
    assert rejected == [0, 5, 10, 15]
    assert (result.closed, result.error_count) == ((), 0)


@pytest.mark.parametrize("stepping", [False, True])
def test_a_policy_may_ask_again_at_every_tick(stepping: bool) -> None:
    rejected: list[int] = []
    with portfolio(MARKET, 12):
        bk.add_risk(risk_name="r", validations=[lambda p: "no" if minute(p.timestamp) < 7 else None])
        bk.add_strategy(strategy_name="s", interval="5m", risk_name="r", get_signal=always)
        bk.listen_risk(lambda event: rejected.append(minute(event.timestamp)))
        result = backtest("BTC", stepping=stepping, policy=replace(CONSERVATIVE, name="t", rejected="tick")).wait()
    assert rejected == [0, 1, 2, 3, 4, 5, 6]
    assert [minute(r.signal.pending_at) for r in result.closed] == [7]


def test_a_signal_that_breaks_a_rule_for_prices_is_not_shown_to_risk_rules() -> None:
    shown: list[Any] = []
    with portfolio(MARKET, 3):
        bk.add_risk(risk_name="r", validations=[shown.append])
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=lambda *_: long_signal(price_stop_loss=101.0))
        result = backtest("BTC").wait()
    assert (shown, result.error_count) == ([], 3)


def test_a_policy_may_ask_before_prices_are_checked_and_a_broken_signal_keeps_no_place() -> None:
    shown: list[bk.RiskPayload] = []
    answers = [long_signal(price_stop_loss=101.0), long_signal(price_take_profit=None), long_signal()]
    with portfolio(MARKET, 10):
        bk.add_risk(risk_name="r", validations=[shown.append, AT_MOST_ONE])
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=lambda *_: answers.pop(0) if answers else None)
        result = backtest("BTC", policy=replace(CONSERVATIVE, name="b", risk_order="before_validation")).wait()
    assert [p.current_signal.price_stop_loss for p in shown] == [101.0, 90.0]
    assert [p.active_position_count for p in shown] == [0, 0]
    assert (result.error_count, len(result.closed)) == (2, 1)


def test_rules_see_the_profit_of_the_signal_and_the_price_they_are_asked_at() -> None:
    shown: list[bk.RiskPayload] = []
    with portfolio(dip(10, 98.9), 30):
        bk.add_risk(risk_name="r", validations=[shown.append])
        answers = [long_signal(price_open=99.0)]
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=lambda *_: answers.pop() if answers else None)
        result = backtest("BTC").wait()
    first, second = shown
    assert (minute(first.timestamp), first.current_price) == (0, 100.0)
    assert first.current_signal.pnl.pnl_percentage == pytest.approx(0.6075, abs=5e-5)
    assert (minute(second.timestamp), second.current_price) == (11, 99.0)
    assert second.current_signal.pnl.pnl_percentage == 0
    assert [minute(r.signal.pending_at) for r in result.closed] == [11]


def test_an_entry_that_waits_does_not_count_itself_when_it_opens() -> None:
    with portfolio(dip(10, 98.9), 30):
        bk.add_risk(risk_name="r", validations=[AT_MOST_ONE])
        answers = [long_signal(price_open=99.0)]
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=lambda *_: answers.pop() if answers else None)
        assert len(backtest("BTC").wait().closed) == 1


@pytest.mark.parametrize("stepping", [False, True])
def test_a_refusal_at_its_price_gives_a_waiting_entry_up_and_frees_its_place(stepping: bool) -> None:
    counts: list[int] = []
    with portfolio(dip(10, 98.9), 20):

        def check(payload: bk.RiskPayload) -> str | None:
            counts.append(len(payload.active_positions))
            return "too late" if minute(payload.timestamp) == 11 else None

        bk.add_risk(risk_name="r", validations=[check])
        bk.add_strategy(
            strategy_name="s", interval="15m", risk_name="r", get_signal=lambda *_: long_signal(price_open=99.0)
        )
        run = backtest("BTC", stepping=stepping, policy=replace(CONSERVATIVE, name="c", own_place="counted"))
        results = [(r.action, minute(r.timestamp), getattr(r, "reason", "")) for r in run]
    assert results[:2] == [("scheduled", 0, ""), ("cancelled", 11, "user")]
    assert counts == [0, 1, 0]


def test_an_entry_activated_by_a_command_is_asked_about_where_the_market_is() -> None:
    shown: list[tuple[int, float]] = []
    with portfolio(MARKET, 10):
        bk.add_risk(risk_name="r", validations=[lambda p: shown.append((minute(p.timestamp), p.current_price))])
        answers = [long_signal(price_open=99.0)]
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=lambda *_: answers.pop() if answers else None)
        bk.listen_order_schedule(lambda e: bk.commit_activate_scheduled(e.symbol))
        backtest("BTC").wait()
    assert shown == [(0, 100.0), (1, 100.0)]


def test_an_activation_that_is_refused_gives_the_entry_up() -> None:
    with portfolio(MARKET, 10):
        bk.add_risk(risk_name="r", validations=[lambda p: "no" if p.timestamp % (60 * MINUTE) != 5 * MINUTE else None])
        answers = [long_signal(price_open=99.0)]
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=lambda *_: answers.pop() if answers else None)
        bk.listen_order_schedule_once(
            lambda e: e.action == "scheduled", lambda e: bk.commit_activate_scheduled(e.symbol)
        )
        assert [r.action for r in backtest("BTC")] == ["scheduled", "cancelled"]


def test_a_signal_that_repeats_the_last_one_is_not_asked_about() -> None:
    asked: list[int] = []
    with portfolio(MARKET, 20):
        bk.add_risk(risk_name="r", validations=[lambda p: asked.append(minute(p.timestamp))])
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=lambda *_: long_signal(id="same"))
        assert len(backtest("BTC").wait().closed) == 1
    assert asked == [0]


def test_queued_signals_are_asked_about_too() -> None:
    with portfolio(MARKET, 10):
        bk.add_risk(risk_name="r", validations=[lambda p: "no"])
        bk.add_strategy(strategy_name="s", risk_name="r")
        queued = [long_signal()]
        events: list[Any] = []

        async def queue(event: bk.IdlePingEvent) -> None:
            if queued:
                await bk.commit_create_signal(event.symbol, queued.pop())

        bk.listen_idle_ping(queue)
        bk.listen_risk(events.append)
        assert backtest("BTC").wait().closed == ()
    assert [minute(e.timestamp) for e in events] == [1]


def test_a_queued_signal_that_the_market_has_left_is_outdated() -> None:
    rows = {"BTC": still(40, lambda m: 100.0 if m < 0 else 150.0)}
    with portfolio(rows, 10):
        bk.add_risk(risk_name="r")
        bk.add_strategy(strategy_name="s", interval="1m", risk_name="r")
        queued = [long_signal()]

        async def queue(event: bk.IdlePingEvent) -> None:
            if queued:
                await bk.commit_create_signal(event.symbol, queued.pop())

        bk.listen_idle_ping(queue)
        result = backtest("BTC").wait()
    (error,) = result.errors
    assert isinstance(error.error, bk.SignalError)
    assert error.error.codes == ("queued_signal_revalidation_failed",)


def test_a_strategy_stopped_while_its_rules_are_asked_opens_nothing() -> None:
    with portfolio(MARKET, 10):

        async def stop(payload: bk.RiskPayload) -> None:
            await bk.stop_strategy(payload.symbol)

        bk.add_risk(risk_name="r", validations=[stop])
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=always)
        assert backtest("BTC").wait().closed == ()


def test_what_a_rule_answers_wrongly_is_an_error_of_the_run() -> None:
    with portfolio(MARKET, 2):
        bk.add_risk(risk_name="r", validations=[lambda p: True])
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=always)
        result = backtest("BTC").wait()
        assert [e.source for e in result.errors] == ["validation 1 (<lambda>) of risk 'r'"] * 2
        bk.override_strategy("s", on_error="raise")
        run = backtest("BTC")
        with pytest.raises(bk.RunError, match="returned True"):
            run.wait()
        assert run.snapshot().error_count == 1


def test_under_next_open_rules_see_the_price_that_is_known() -> None:
    shown: list[float] = []
    rows = {"BTC": still(40, at={0: (104.0, 104.0, 100.0, 100.0, 1.0)})}
    with portfolio(rows, 10):
        bk.add_risk(risk_name="r", validations=[lambda p: shown.append(p.current_signal.price_open)])
        bk.add_strategy(strategy_name="s", interval="30m", risk_name="r", get_signal=always)
        result = backtest("BTC", policy=NEXT_OPEN).wait()
    assert shown == [100.0]
    assert result.closed[0].signal.entries[0].price == 104.0


def test_average_buys_count_for_the_exposure() -> None:
    exposures: list[float] = []
    rows = {"BTC": still(40, lambda m: 100.0 - m), "ETH": flat(100.0, 40)}

    async def buy(event: bk.PingEvent) -> None:
        if event.symbol == "BTC" and minute(event.timestamp) == 3:
            await bk.commit_average_buy(event.symbol, 250.0)

    def note(payload: bk.RiskPayload) -> str | None:
        if payload.symbol == "BTC":
            return None
        exposures.append(sum(place.notional for place in payload.active_positions))
        return "only looking"

    with portfolio(rows, 8):
        bk.add_risk(risk_name="r", validations=[note])
        bk.add_strategy(strategy_name="s", interval="1m", risk_name="r", get_signal=lambda *_: long_signal(30))
        bk.listen_active_ping(buy)
        runs = [backtest(symbol) for symbol in ("BTC", "ETH")]

        async def both() -> None:
            await asyncio.gather(*(run.result() for run in runs))

        asyncio.run(both())
    assert exposures == [100.0, 100.0, 100.0, 350.0, 350.0, 350.0, 350.0, 350.0]


@pytest.mark.parametrize(
    "policy", [CONSERVATIVE, replace(CONSERVATIVE, name="early", risk_order="before_validation")], ids=lambda p: p.name
)
def test_closed_trades_are_the_history_of_the_profile(policy: FillPolicy) -> None:
    lengths: list[tuple[int, int]] = []
    with portfolio(MARKET, 20):

        def note(payload: bk.RiskPayload) -> None:
            lengths.append((minute(payload.timestamp), len(payload.history)))
            assert all(trade.timestamp <= payload.timestamp for trade in payload.history)

        bk.add_risk(risk_name="r", validations=[note])
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=always)
        result = backtest("BTC", policy=policy).wait()
    assert lengths == [(0, 0), (6, 1), (12, 2), (18, 3)]
    assert len(result.closed) == 4


def test_the_next_backtest_starts_clean() -> None:
    counts: list[tuple[int, int]] = []
    with portfolio(MARKET, 8):
        bk.add_risk(risk_name="r", validations=[lambda p: counts.append((p.active_position_count, len(p.history)))])
        bk.add_strategy(strategy_name="s", interval="30m", risk_name="r", get_signal=always)
        for symbol in ("BTC", "ETH", "BTC"):
            backtest(symbol).wait()
    assert counts == [(0, 0)] * 3


def test_a_failed_run_leaves_nothing_behind() -> None:
    with portfolio(MARKET, 8) as kit:
        bk.add_risk(risk_name="r", validations=[AT_MOST_ONE])

        def fail(*_: object) -> None:
            raise ValueError("scripted")

        bk.add_strategy(
            strategy_name="bad", risk_name="r", get_signal=always, callbacks={"on_open": fail}, on_error="raise"
        )
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=always)
        with pytest.raises(bk.RunError, match="scripted"):
            backtest("BTC", "bad").wait()
        assert not kit.container.risk_pool()._profiles
        assert len(backtest("BTC").wait().closed) > 0


def test_a_run_whose_data_fails_leaves_nothing_behind() -> None:
    with portfolio({"BTC": flat(100.0, 3)}, 8) as kit:
        bk.add_risk(risk_name="r")
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=always)
        run = backtest("BTC")
        with pytest.raises(bk.DataError):
            run.wait()
        assert run.status == "failed"
        assert not kit.container.risk_pool()._profiles
        assert not kit.runs.running()


def test_a_cancelled_run_gives_its_places_back() -> None:
    with portfolio(MARKET, 60) as kit:
        bk.add_risk(risk_name="r", validations=[AT_MOST_ONE])

        async def stay(symbol: str, *_: object) -> None:
            await asyncio.Event().wait()

        bk.add_strategy(strategy_name="stuck", risk_name="r", get_signal=always, callbacks={"on_open": stay})
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=lambda *_: long_signal(30))

        async def main() -> bk.BacktestResult:
            stuck = asyncio.create_task(backtest("BTC", "stuck").result())
            other = asyncio.create_task(backtest("BTC").result())
            for _ in range(30):
                await asyncio.sleep(0)
            assert not other.done()
            stuck.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stuck
            return await asyncio.wait_for(other, 5)

        assert len(asyncio.run(main()).closed) == 2
        assert not kit.container.risk_pool()._profiles


def test_a_stopped_run_gives_back_the_place_of_its_waiting_entry() -> None:
    with portfolio(MARKET, 60):
        bk.add_risk(risk_name="r", validations=[AT_MOST_ONE])
        bk.add_strategy(strategy_name="waits", risk_name="r", get_signal=lambda *_: long_signal(price_open=95.0))
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=always)
        waits = backtest("BTC", "waits")
        bk.listen_idle_ping(lambda e: waits.stop() if minute(e.timestamp) == 10 else None)

        async def main() -> tuple[bk.BacktestResult, bk.BacktestResult]:
            return await asyncio.gather(waits.result(), backtest("ETH").result())

        _, other = asyncio.run(main())
    assert minute(other.closed[0].signal.pending_at) == 11


def test_a_run_that_was_carried_to_its_end_takes_nothing_from_a_later_one_of_its_key() -> None:
    with portfolio(MARKET, 30) as kit:
        bk.add_risk(risk_name="r", validations=[bk.rules.max_positions(9)])
        bk.add_strategy(strategy_name="s", risk_name="r", get_signal=always)

        async def main() -> tuple[int, int]:
            early, beside = aiter(backtest("BTC")), backtest("ETH")
            await asyncio.gather(anext(early), beside.result())  # which goes on in step, so that the first one ends too
            later = aiter(backtest("BTC"))
            assert (await anext(later)).action == "opened"
            (profile,) = kit.container.risk_pool()._profiles.values()
            before = len(profile.active(START + 999 * MINUTE))
            async for _ in early:
                pass
            return before, len(profile.active(START + 999 * MINUTE))

        assert asyncio.run(main()) == (1, 1)


def test_profiles_are_apart_by_kit_exchange_and_frame() -> None:
    counts: list[int] = []
    with portfolio(MARKET, 20) as kit:
        frame = kit.registries["frame"].get("f")
        bk.add_frame(frame_name="g", start_date=frame.start_date, end_date=frame.end_date)
        bk.add_risk(risk_name="r", validations=[lambda p: counts.append(p.active_position_count)])
        bk.add_strategy(strategy_name="s", interval="30m", risk_name="r", get_signal=lambda *_: long_signal(30))

        async def main() -> None:
            other = bk.Backtest.run("ETH", strategy_name="s", exchange_name="x", frame_name="g")
            await asyncio.gather(backtest("BTC").result(), other.result())

        asyncio.run(main())
    assert counts == [0, 0]
