"""The charts of a tear sheet: what each one draws, and what it says when it cannot."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sheets import MONTH, prices, sheet_source, unpacked

from backtestkit.math.statistics_equity import prices_at
from backtestkit.model.candle import Candles
from backtestkit.model.interval import from_ms
from backtestkit.services.report import formats
from backtestkit.services.report.html import price_charts, series, trade_charts
from backtestkit.services.report.html.charts import all_charts, holding
from backtestkit.services.report.html.page import asset
from backtestkit.services.report.html.price_charts import LOOKS, still_price_chart, trade_columns, trade_text
from backtestkit.services.report.html.source import Chart, SheetSource


@pytest.fixture(scope="module")
def source() -> SheetSource:
    return sheet_source(120)


def chart(source: SheetSource, name: str) -> Chart:
    return next(one for one in all_charts(source) if one.id == name)


def trace(source: SheetSource, name: str, which: int = 0) -> Any:
    return chart(source, name).data[which]


def columns(source: SheetSource, which: int = 0) -> Any:
    """What the page keeps of the prices."""
    return chart(source, "price").markets[which].columns


def test_every_chart_has_its_own_place(source: SheetSource) -> None:
    names = [one.id for one in all_charts(source)]
    assert len(names) == len(set(names)) == 12
    assert all(one.data for one in all_charts(source))


# -- the price --------------------------------------------------------------------------------------------------------


def test_fifty_thousand_candles_are_all_in_the_page(source: SheetSource) -> None:
    candles = prices(50_000)
    price = columns(sheet_source(5, 50_000))
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(unpacked(price[name]), getattr(candles, name))
    np.testing.assert_array_equal(unpacked(price["x"]), candles.timestamp)
    assert chart(sheet_source(5, 50_000), "price").note.startswith("50,000 candles of 1m;")


def test_more_candles_become_wider_bars_and_the_chart_says_so() -> None:
    price = chart(sheet_source(5, 70_000), "price")
    assert len(unpacked(price.markets[0].columns["x"])) <= series.BARS_MAX
    assert price.note.startswith("3m bars, made of 70,000 candles;")


def test_without_candles_the_average_prices_are_drawn_and_the_chart_says_so(source: SheetSource) -> None:
    price = chart(replace(source, candles={}), "price")
    assert price.markets[0].width == 0
    assert "average prices" in price.note
    market = source.markets["BTCUSDT"]
    assert market is not None
    assert max(unpacked(price.markets[0].columns["y"])) == market.prices.max()


def test_without_any_prices_there_is_nothing_to_draw(source: SheetSource) -> None:
    price = chart(replace(source, candles={}, markets={"BTCUSDT": None}), "price")
    assert not price.data and "not at hand" in price.note


def test_prices_are_written_as_their_candles_are(source: SheetSource) -> None:
    candles = source.candles["BTCUSDT"]
    rounded = replace(source, candles={"BTCUSDT": replace_close(candles, np.round(candles.close, 1))})
    assert chart(rounded, "price").markets[0].decimals == 1
    assert chart(source, "price").markets[0].decimals == 3, "prices around 100 with endless decimals have six digits"
    assert chart(replace(source, candles={}), "price").markets[0].decimals == 3


def replace_close(candles: Candles, close: Any) -> Candles:
    return Candles(candles.timestamp, candles.open, candles.high, candles.low, close, candles.volume)


def test_several_symbols_are_shown_one_at_a_time(source: SheetSource) -> None:
    own = source.candles["BTCUSDT"]
    both = {"BTCUSDT": own, "ETHUSDT": own}
    markets = {**source.markets, "ETHUSDT": source.markets["BTCUSDT"], "XRPUSDT": None}
    price = chart(replace(source, report="heat", candles=both, markets=markets), "price")
    assert [market.symbol for market in price.markets] == ["BTCUSDT", "ETHUSDT"], "the third has no prices"
    assert [market.place for market in price.markets] == [0, 1]
    shared = sum(len(unpacked(market.columns["x"])) for market in price.markets)
    assert shared <= series.BARS_MAX


# -- the trades -------------------------------------------------------------------------------------------------------


def test_every_trade_is_known_by_its_times_prices_levels_and_result(source: SheetSource) -> None:
    known = trade_columns(source)
    trades = source.closed
    for name, expected in {
        "opened": [t.signal.pending_at for t in trades], "closed": [t.close_timestamp for t in trades],
        "entry": [t.signal.price_open for t in trades], "exit": [t.current_price for t in trades],
        "target": [t.signal.price_take_profit for t in trades], "stop": [t.signal.price_stop_loss for t in trades],
        "pnl": [t.pnl.pnl_percentage for t in trades],
    }.items():  # fmt: skip
        assert unpacked(known[name]).tolist() == expected, name
    assert known["won"] == [int(t.pnl.pnl_percentage > 0) for t in trades]
    assert known["side"] == [1 if t.signal.position == "long" else -1 for t in trades]
    assert [known["reasons"][i] for i in known["reason"]] == [t.close_reason.replace("_", " ") for t in trades]
    assert known["profit"][3] == formats.signed_percent(trades[3].pnl.pnl_percentage, 2)
    assert known["amount"][3] == formats.signed_money(trades[3].pnl.pnl_cost, "USDT")


def test_of_very_many_trades_the_newest_are_marked_and_the_charts_say_so(
    source: SheetSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_charts, "TRADES_DRAWN_MAX", 100)
    assert len(trade_columns(source)["side"]) == 100
    assert unpacked(trade_columns(source)["opened"])[-1] == source.closed[-1].signal.pending_at
    assert chart(source, "price").note.endswith("The newest 100 of 120 trades are marked.")
    assert "The newest 100 of 120." in chart(source, "excursions").note


def test_every_trade_is_in_the_distribution_and_among_the_excursions(source: SheetSource) -> None:
    assert sum(trace(source, "returns")["y"]) == 120
    traces = chart(source, "excursions").data
    assert sorted(place for one in traces for place in one["customdata"]) == list(range(120))
    for one in traces:
        worst = [source.closed[place].signal.max_drawdown.pnl_percentage for place in one["customdata"]]
        assert one["x"] == worst


def test_bins_are_coloured_by_the_side_of_zero_they_lie_on(source: SheetSource) -> None:
    bars = trace(source, "returns")
    assert [color == "$win" for color in bars["marker"]["color"]] == [x > 0 for x in bars["x"]]


# -- the account ------------------------------------------------------------------------------------------------------


def test_equity_and_its_benchmark_end_where_the_analysis_ends(source: SheetSource) -> None:
    equity, benchmark = source.analysis.equity, source.analysis.benchmark
    assert equity is not None and benchmark is not None and source.curve is not None
    assert trace(source, "equity", 1)["y"][-1] == pytest.approx(equity.final_equity)
    held = trace(source, "equity", 0)["y"][-1]
    assert (held / equity.capital - 1) * 100 == pytest.approx(benchmark.total_return)
    assert trace(source, "underwater")["y"].min() == pytest.approx(-equity.max_drawdown)


def test_an_account_that_moves_when_trades_close_is_drawn_in_steps(source: SheetSource) -> None:
    curve = source.curve
    assert curve is not None
    steps = replace(source, analysis=replace(source.analysis, curve=replace(curve, marked=False)))
    shapes = [trace(one, "equity", 1)["line"]["shape"] for one in (steps, source)]
    assert shapes == ["hv", "linear"]
    assert "moves when a trade closes" in chart(steps, "equity").note


def test_several_symbols_are_held_in_equal_parts(source: SheetSource) -> None:
    market, curve = source.markets["BTCUSDT"], source.curve
    assert market is not None and curve is not None
    twice = replace(market, prices=np.linspace(50, 100, len(market.prices)))
    held = holding(replace(source, markets={"BTCUSDT": market, "ETHUSDT": twice}), curve)
    own = prices_at(market, curve.times[-1:])[0] / market.prices[0]
    assert held is not None
    assert held[-1] == pytest.approx(curve.capital * (own + 2) / 2)
    assert holding(replace(source, markets={"BTCUSDT": market, "ETHUSDT": None}), curve) is None


def test_the_waterfall_ends_at_net_and_names_it_at_other_costs(source: SheetSource) -> None:
    steps, costs = trace(source, "costs")["y"], source.analysis.costs
    assert sum(steps[:4]) == pytest.approx(steps[4]) == costs.net
    for value in (costs.net, costs.net_without_costs, costs.net_at_double_costs):
        assert str(formats.signed_money(value, "USDT")) in chart(source, "costs").note


@pytest.mark.parametrize("kind", ["exit_reason", "side", "symbol"])
def test_the_breakdown_adds_up_to_net_for_each_kind(source: SheetSource, kind: str) -> None:
    several = replace(source, markets={**source.markets, "ETHUSDT": None})
    rows = [row for by in ("exit_reason", "side", "symbol") for row in source.analysis.breakdown if row.by == by]
    amounts = trace(several, "breakdown")["x"]
    own = [amount for row, amount in zip(rows, amounts, strict=True) if row.by == kind]
    assert sum(own) == pytest.approx(source.analysis.costs.net)


def test_one_symbol_is_not_broken_down_by_symbol(source: SheetSource) -> None:
    assert not {"BTCUSDT", "Btcusdt"} & set(chart(source, "breakdown").layout["yaxis"]["ticktext"])


@pytest.mark.parametrize("kind", ["hour", "weekday"])
def test_hours_and_weekdays_add_up_to_net(source: SheetSource, kind: str) -> None:
    assert sum(trace(source, kind)["y"]) == pytest.approx(source.analysis.costs.net)


def test_an_hour_without_trades_has_no_bar() -> None:
    few = sheet_source(2)
    hours = [from_ms(trade.signal.pending_at).hour for trade in few.closed]
    assert trace(few, "hour")["x"] == sorted(set(hours))


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
    price = charts.pop("price")
    assert [one["meta"] for one in price.data] == ["candles", "average"] and not price.legend
    assert {one.note for one in charts.values()} == {"No position was closed, so there is nothing to draw."}
    assert not any(one.data for one in charts.values())


def test_the_months_of_a_month_are_its_return(source: SheetSource) -> None:
    equity = source.analysis.equity
    assert equity is not None and MONTH == 31 * 1440
    assert trace(source, "months")["z"][0][-1] == pytest.approx(equity.total_return)
    assert trace(source, "months")["text"][0][-1] == formats.signed_percent(equity.total_return, 1)


# -- as a still figure ------------------------------------------------------------------------------------------------


def test_a_figure_has_all_columns_of_candles_and_one_mark_for_each_entry_and_exit(source: SheetSource) -> None:
    still = still_price_chart(source)
    assert still.data[0]["type"] == "candlestick" and len(still.data[0]["x"]) <= series.FIGURE_BARS_MAX
    assert still.note == f"15m bars made of {MONTH:,} candles."
    marked = {one["name"]: len(one["x"]) for one in still.data if one.get("mode") == "markers"}
    wins = sum(trade.pnl.pnl_percentage > 0 for trade in source.closed)
    assert marked == {"Exit, won": wins, "Exit, lost": 120 - wins, "Entry, long": 80, "Entry, short": 40}


def test_of_very_many_trades_a_figure_marks_the_newest_and_says_so(source: SheetSource) -> None:
    many = still_price_chart(replace(source, closed=list(source.closed) * 20))
    entries = [one for one in many.data if one.get("name", "").startswith("Entry")]
    assert sum(len(one["x"]) for one in entries) == price_charts.FIGURE_TRADES_MAX
    assert "The newest 2,000 of 2,400 trades are marked." in many.note


def test_a_figure_without_candles_has_the_average_prices_and_without_prices_nothing(source: SheetSource) -> None:
    bare = replace(source, candles={})
    assert still_price_chart(bare).data[0]["name"] == "Average price"
    none = still_price_chart(replace(bare, markets={"BTCUSDT": None}))
    assert not none.data and "not at hand" in none.note


def test_a_trade_says_its_levels_reason_and_profit(source: SheetSource) -> None:
    trade = source.closed[1]
    text = trade_text(trade, "USDT")
    assert "take profit" in text and "TP " in text and "SL " in text
    assert f"{trade.pnl.pnl_cost:+.2f}"[:4] in text


def test_of_very_many_trades_the_newest_are_seen_from_inside(
    source: SheetSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trade_charts, "EXCURSIONS_MAX", 50)
    traces = chart(source, "excursions").data
    assert sorted(place for one in traces for place in one["customdata"]) == list(range(70, 120))
    assert "The newest 50 of 120." in chart(source, "excursions").note


def test_every_look_of_the_price_is_filled_by_the_page() -> None:
    filled = re.findall(r"(\w+): ", re.findall(r"columns: {\n(.*?)\n    },", asset("price.js"), re.DOTALL)[0])
    assert set(filled) == set(LOOKS)
