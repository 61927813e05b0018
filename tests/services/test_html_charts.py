"""The charts of a tear sheet: what each one draws, and what it says when it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sheets import MONTH, sheet_source
from trades import run_key

from backtestkit.math.statistics_equity import prices_at
from backtestkit.services.report.html import series
from backtestkit.services.report.html.charts import all_charts, holding
from backtestkit.services.report.html.source import Chart, SheetSource
from backtestkit.services.report.html.trade_charts import TRADES_DRAWN_MAX, trade_text


@pytest.fixture(scope="module")
def source() -> SheetSource:
    return sheet_source(120)


def chart(source: SheetSource, name: str) -> Chart:
    return next(one for one in all_charts(source) if one.id == name)


def trace(source: SheetSource, name: str, which: int = 0) -> Any:
    return chart(source, name).data[which]


def test_every_chart_has_its_own_place(source: SheetSource) -> None:
    names = [one.id for one in all_charts(source)]
    assert len(names) == len(set(names)) == 10


def test_fifty_thousand_candles_are_drawn_as_fewer_bars_and_the_chart_says_so() -> None:
    price = chart(sheet_source(5, 60_000), "price")
    assert len(price.data[0]["x"]) <= series.BARS_MAX
    assert price.note == "15m bars made of 60,000 candles."


def test_without_candles_the_average_prices_are_drawn_and_the_chart_says_so(source: SheetSource) -> None:
    price = chart(replace(source, candles=None), "price")
    assert price.data[0]["type"] == "scatter"
    assert "average prices" in price.note
    market = source.markets["BTCUSDT"]
    assert market is not None
    assert max(price.data[0]["y"]) == market.prices.max()


def test_without_any_prices_there_is_nothing_to_draw(source: SheetSource) -> None:
    price = chart(replace(source, candles=None, markets={"BTCUSDT": None}), "price")
    assert not price.data and "not at hand" in price.note


def test_each_trade_has_one_entry_and_one_exit_mark(source: SheetSource) -> None:
    marked = {one["name"]: len(one["x"]) for one in chart(source, "price").data if one.get("mode") == "markers"}
    wins = sum(trade.pnl.pnl_percentage > 0 for trade in source.closed)
    assert marked == {"Exit, won": wins, "Exit, lost": 120 - wins, "Entry, long": 80, "Entry, short": 40}


def test_of_very_many_trades_the_newest_are_marked_and_the_chart_says_so(source: SheetSource) -> None:
    many = replace(source, closed=list(source.closed) * 20)
    price = chart(many, "price")
    entries = [one for one in price.data if one.get("name", "").startswith("Entry")]
    assert sum(len(one["x"]) for one in entries) == TRADES_DRAWN_MAX
    assert "The newest 2,000 of 2,400 trades are marked." in price.note
    assert "The newest 2,000 of 2,400." in chart(many, "excursions").note


def test_a_trade_says_its_levels_reason_and_profit(source: SheetSource) -> None:
    trade = source.closed[1]
    text = trade_text(trade, "USDT")
    assert "take profit" in text and "TP " in text and "SL " in text
    assert f"{trade.pnl.pnl_cost:+.2f}"[:4] in text


def test_equity_and_its_benchmark_end_where_the_analysis_ends(source: SheetSource) -> None:
    equity, benchmark = source.analysis.equity, source.analysis.benchmark
    assert equity is not None and benchmark is not None and source.curve is not None
    assert trace(source, "equity", 1)["y"][-1] == pytest.approx(equity.final_equity)
    held = trace(source, "equity", 0)["y"][-1]
    assert (held / equity.capital - 1) * 100 == pytest.approx(benchmark.total_return)
    assert trace(source, "underwater")["y"].min() == pytest.approx(-equity.max_drawdown)


def test_several_symbols_are_held_in_equal_parts(source: SheetSource) -> None:
    market, curve = source.markets["BTCUSDT"], source.curve
    assert market is not None and curve is not None
    twice = replace(market, prices=np.linspace(50, 100, len(market.prices)))
    held = holding(replace(source, markets={"BTCUSDT": market, "ETHUSDT": twice}), curve)
    own = prices_at(market, curve.times[-1:])[0] / market.prices[0]
    assert held is not None
    assert held[-1] == pytest.approx(curve.capital * (own + 2) / 2)
    assert holding(replace(source, markets={"BTCUSDT": market, "ETHUSDT": None}), curve) is None


def test_the_waterfall_ends_at_net(source: SheetSource) -> None:
    steps = trace(source, "costs")["y"]
    assert sum(steps[:4]) == pytest.approx(steps[4]) == source.analysis.costs.net


def test_every_trade_is_in_the_distribution_and_among_the_excursions(source: SheetSource) -> None:
    assert sum(trace(source, "returns")["y"]) == 120
    assert sum(len(one["x"]) for one in chart(source, "excursions").data) == 120


def test_the_breakdown_adds_up_to_net_for_each_kind(source: SheetSource) -> None:
    bars = trace(source, "breakdown")
    for kind in ("Exit", "Side", "Symbol"):
        own = [x for y, x in zip(bars["y"], bars["x"], strict=True) if y.startswith(kind)]
        assert sum(own) == pytest.approx(source.analysis.costs.net)


def test_the_rolling_ratio_says_when_the_run_is_too_short(source: SheetSource) -> None:
    assert trace(source, "rolling")["name"] == "Sharpe ratio"
    curve = source.curve
    assert curve is not None
    days = slice(0, 10 * 1440)
    cut = replace(curve, times=curve.times[days], equity=curve.equity[days], invested=curve.invested[days])
    early = replace(source, analysis=replace(source.analysis, curve=cut))
    assert chart(early, "rolling").note == "Needs more than 30 days of returns; this run has 10."


def test_an_account_that_fell_to_nothing_has_no_charts_by_time(source: SheetSource) -> None:
    curve = source.curve
    assert curve is not None
    lost = replace(source, analysis=replace(source.analysis, curve=replace(curve, equity=curve.equity - 1e6)))
    for name in ("months", "rolling"):
        assert not chart(lost, name).data and "lose all" in chart(lost, name).note
    assert chart(lost, "equity").switch == ""


def test_a_run_without_trades_shows_the_price_and_says_why_the_rest_is_missing() -> None:
    charts = {one.id: one for one in all_charts(sheet_source(0))}
    assert charts.pop("price").data
    assert {one.note for one in charts.values()} == {"No position was closed, so there is nothing to draw."}
    assert not any(one.data for one in charts.values())


def test_several_symbols_have_no_price_chart(source: SheetSource) -> None:
    many = replace(source, subject=replace_key(source, ""))
    assert "price" not in [one.id for one in all_charts(many)]


def replace_key(source: SheetSource, symbol: str) -> Any:
    """The subject of `source` under another symbol."""
    from backtestkit.services.report.spec import Subject

    return Subject(run_key(symbol), None, source.analysis)


def test_the_months_of_a_month_are_its_return(source: SheetSource) -> None:
    equity = source.analysis.equity
    assert equity is not None and MONTH == 31 * 1440
    assert trace(source, "months")["z"][0][-1] == pytest.approx(equity.total_return)
