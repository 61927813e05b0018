"""The tear sheet as a page: its figures are those of the report, and no text can break out of it."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from typing import Any

import orjson
import pytest
from sheets import page_of, sheet_source
from trades import run_key

import backtestkit as bk
from backtestkit.config import Config
from backtestkit.math.statistics import backtest_statistics
from backtestkit.services.report import formats
from backtestkit.services.report.backtest_report import backtest_columns
from backtestkit.services.report.html import sheet, tables
from backtestkit.services.report.html.page import embedded
from backtestkit.services.report.html.sheet import key_figures, settings
from backtestkit.services.report.html.source import SheetSource
from backtestkit.services.report.html.tables import PAGE_ROWS
from scenarios.market import MINUTE, START, candles, still
from scenarios.run import HISTORY, market

CONFIG = Config.defaults()
EVIL = "</script><b onclick=alert(1)>&amp;\u2028"
CONTEXT: dict[str, Any] = {"strategy_name": "s", "exchange_name": "x", "frame_name": "f"}


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the library that draws, which has millions of letters."""
    monkeypatch.setattr(sheet, "plotly_source", lambda: "/* plotly */")


@pytest.fixture(scope="module")
def source() -> SheetSource:
    return sheet_source()


def text_of(html: str) -> str:
    """What a reader of the page reads, markup removed."""
    body = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]*>", "|", body))


def data_of(html: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return orjson.loads(found.group(1))


def chart_of(html: str, name: str) -> Any:
    return next(one for one in data_of(html)["charts"] if one["id"] == name)


# -- figures ----------------------------------------------------------------------------------------------------------


def test_key_figures_are_those_of_the_statistics_and_the_analysis(source: SheetSource) -> None:
    statistics, equity = backtest_statistics(source.closed), source.analysis.equity
    assert equity is not None
    values = {one.label: one.value for one in key_figures(source)}
    assert values["Win rate"] == formats.percent(statistics.win_rate, 2)
    assert values["Profit factor"] == formats.fixed(statistics.profit_factor, 3)
    assert values["Trades"] == str(statistics.total_signals) == "300"
    assert values["Total return"] == formats.signed_percent(equity.total_return, 2)
    assert values["Max drawdown"] == formats.percent(equity.max_drawdown, 2)
    assert values["Sharpe ratio"] == formats.fixed(equity.sharpe_ratio, 3)
    assert values["Net profit"] == formats.signed_money(equity.net_profit, "USDT")


def test_the_page_shows_every_figure_of_the_markdown_report(source: SheetSource) -> None:
    with bk.Kit() as kit:
        report = kit.container.markdown().get_report("backtest", source.subject)
    lines = re.findall(r"^\*\*(.+?):\*\* (.*)$", report.partition("All percentages are net")[0], re.MULTILINE)
    shown = text_of(page_of(source))
    assert len(lines) > 70
    for label, value in lines:
        plain = re.sub(r" \((higher is better|lower is better|closer to 0 is better)\)$", "", value)
        assert f"|{label}||{plain}|" in shown, label


def test_figures_that_are_missing_are_not_available() -> None:
    values = {one.label: one.value for one in key_figures(sheet_source(0))}
    assert values["Sharpe ratio"] is values["Win rate"] is values["Total return"] is None
    assert "|Profit factor||N/A|" in text_of(page_of(sheet_source(0)))


def test_the_header_says_what_was_assumed(source: SheetSource) -> None:
    shown = text_of(page_of(source))
    for part in ("above-mean", "bybit", "june", "conservative", "12.50 USDT paid", "0.1% of each entry and exit",
                 "no funding rates", "abababababab", "ab" * 32, "|Ambiguous exits||3|", "2025-01-01 00:00"):  # fmt: skip
        assert part in shown, part


def test_funding_that_was_received_is_called_so(source: SheetSource) -> None:
    assert source.summary is not None
    paid = replace(source, summary=replace(source.summary, funding_paid=-2.5, percent_fee=None))
    assert "2.50 USDT received" in text_of(page_of(paid))


# -- tables -----------------------------------------------------------------------------------------------------------


def test_all_trades_are_in_the_page_and_the_first_of_them_in_its_table(source: SheetSource) -> None:
    page = page_of(source)
    table = page.partition("<h2>Trades</h2>")[2].partition("</table>")[0]
    assert table.count("<tr>") == PAGE_ROWS + 1
    assert "Showing 1 to 50 of 300 trades, newest first." in page
    listed = data_of(page)["table"]
    assert len(listed["rows"]) == 300
    newest = formats.iso_time(source.closed[-1].close_timestamp)
    assert newest is not None and newest[:16].replace("T", " ") in listed["rows"][0]
    assert listed["trades"] == list(range(299, -1, -1)), "the newest trade is the last one that charts mark"


def test_of_very_many_trades_the_newest_are_listed_and_the_table_says_so(
    source: SheetSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "TRADES_DRAWN_MAX", 120)
    page = page_of(source)
    assert len(data_of(page)["table"]["rows"]) == 120
    assert "Showing 1 to 50 of the newest 120 of 300 trades; all figures count every one." in page


def test_few_trades_need_no_pages() -> None:
    page = page_of(sheet_source(3))
    assert "Showing 1 to 3 of 3 trades" in page and "data-page" not in page.partition("<script")[0]


def test_numbers_stand_on_the_right_and_profits_have_their_colour(source: SheetSource) -> None:
    listed = data_of(page_of(source))["table"]
    made = [column for column in backtest_columns(lambda: CONFIG) if column.is_visible()]
    kinds = {column.key: kind for column, kind in zip(made, listed["classes"], strict=True)}
    assert (kinds["pnl"], kinds["pnl_cost"], kinds["open_price"], kinds["duration"]) == ("pnl", "pnl", "", "")
    assert (kinds["position"], kinds["open_timestamp"], kinds["signal_id"]) == ("text", "text", "text id")
    assert listed["tones"][0] == ("win" if source.closed[-1].pnl.pnl_percentage > 0 else "loss")


def test_notes_are_shown_when_reports_show_them() -> None:
    source = sheet_source(3, note="breakout")
    assert "breakout" not in page_of(source)
    shown = page_of(source, CONFIG.merged({"report_show_signal_note": True}))
    assert "breakout" in shown
    assert '<td class="text long">breakout' in page_of(
        sheet_source(1, note="breakout " * 9), CONFIG.merged({"report_show_signal_note": True})
    ), "a long note may wrap"


def test_the_configuration_marks_what_was_changed() -> None:
    rows = settings(CONFIG.merged({"percent_fee": 0.05}).model_dump())
    assert [(name, value) for name, value, changed in rows if changed] == [("percent_fee", "0.05")]
    page = page_of(sheet_source(0))
    assert f"{len(rows)} settings, 0 changed from their defaults" in page


# -- safety -----------------------------------------------------------------------------------------------------------


def test_no_text_of_a_user_can_break_out_of_the_page() -> None:
    key = run_key(EVIL, strategy_name=EVIL, exchange_name=EVIL, frame_name=EVIL)
    source = sheet_source(3, key=key, note=EVIL)
    page = page_of(source, CONFIG.merged({"report_show_signal_note": True}))
    assert "<b onclick" not in page
    assert page.count("</script>") == 3  # the data, the library, and the page's own
    assert escape(EVIL) in page
    assert data_of(page)


def test_embedded_data_cannot_end_its_script() -> None:
    assert embedded({"a": "</script><!--\u2028"}) == '{"a":"\\u003c/script>\\u003c!--\\u2028"}'
    assert orjson.loads(embedded([float("nan"), "<"])) == [None, "<"]


def test_a_page_asks_for_nothing_from_a_network(source: SheetSource) -> None:
    page = page_of(source)
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=[\"']?https?:|@import|url\(", page)


# -- size and speed ---------------------------------------------------------------------------------------------------


def test_a_month_with_300_trades_takes_less_than_a_second_of_cpu(source: SheetSource) -> None:
    start = time.process_time()
    page = page_of(source)
    assert time.process_time() - start < 1
    assert len(page) < 3_000_000


# -- the facade -------------------------------------------------------------------------------------------------------


@pytest.fixture
def run() -> Iterator[Any]:
    """A backtest of a market that stands still."""
    with bk.Kit():
        market(candles(still(60)))
        begin = START + HISTORY * MINUTE
        bk.add_frame(frame_name="f", interval="1m", start_date=begin, end_date=begin + 50 * MINUTE)
        signal = bk.Signal(position="long", price_take_profit=110.0, price_stop_loss=90.0, minute_estimated_time=5)
        bk.add_strategy(strategy_name="s", interval="1m", get_signal=lambda *_: signal)
        bk.set_config({"percent_fee": 0.07})
        backtest = bk.Backtest.run("BTCUSDT", **CONTEXT)
        backtest.wait()
        bk.set_config({"percent_fee": 0.09})
        yield backtest


def test_the_facade_gives_the_page_with_the_config_that_was_in_force(run: Any) -> None:
    page = bk.Backtest.get_html("BTCUSDT", **CONTEXT)
    shown = text_of(page)
    assert "s on BTCUSDT" in shown and run.fingerprint in shown
    assert "|percent_fee||0.07|" in shown and "0.07% of each entry and exit" in shown
    assert page == bk.Backtest.get_html("BTCUSDT", **CONTEXT), "equal runs have equal pages"
    assert [one["width"] for one in chart_of(page, "price")["markets"]] == [MINUTE]


def test_a_page_becomes_a_new_file_in_a_folder(run: Any, tmp_path: Path) -> None:
    first, second = (asyncio.run(bk.Backtest.dump_html("BTCUSDT", **CONTEXT, path=tmp_path / "a")) for _ in range(2))
    assert first != second and first.parent == tmp_path / "a"
    assert first.name.startswith("BTCUSDT_s_x_f_backtest-") and first.suffix == ".html"
    assert first.read_text() == bk.Backtest.get_html("BTCUSDT", **CONTEXT)


def test_a_page_becomes_the_file_that_was_named(run: Any, tmp_path: Path) -> None:
    target = tmp_path / "sheet.html"
    assert asyncio.run(bk.Backtest.dump_html("BTCUSDT", **CONTEXT, path=str(target))) == target
    assert target.exists()


def test_without_a_path_pages_go_to_their_own_folder(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert asyncio.run(bk.Backtest.dump_html("BTCUSDT", **CONTEXT)).parent == Path("dump/html")


def test_the_columns_of_the_report_are_those_of_the_page(run: Any) -> None:
    columns: list[bk.Column[Any]] = [
        bk.Column("pnl", "Profit", lambda row, _: f"{row.pnl.pnl_percentage:+.3f}%"),
        bk.Column("place", "No.", lambda _, place: str(place + 1)),
    ]
    bk.set_columns({"backtest": columns, "heat": [bk.Column("name", "Market", lambda row, _: row.symbol)]})
    page = bk.Backtest.get_html("BTCUSDT", **CONTEXT)
    assert "<th>Profit</th><th>No.</th></tr>" in page
    newest = bk.Backtest.get_data("BTCUSDT", **CONTEXT).signal_list
    rows = [[f"{trade.pnl.pnl_percentage:+.3f}%", str(i + 1)] for i, trade in enumerate(newest)]
    assert data_of(page)["table"]["rows"] == rows
    heat = bk.Heat.get_html(exchange_name="x", frame_name="f")
    symbols = heat.partition("<h2>Symbols</h2>")[2].partition("</table>")[0]
    assert re.findall(r"<t[hd]\b[^>]*>(.*?)<", symbols) == ["Market", "BTCUSDT"]


def test_default_columns_are_all_there_and_begin_with_what_readers_look_for(run: Any) -> None:
    page = bk.Backtest.get_html("BTCUSDT", **CONTEXT)
    labels = re.findall(r"<th\b[^>]*>(.*?)</th>", page.partition("<h2>Trades</h2>")[2].partition("</thead>")[0])
    visible = [column for column in bk.get_columns()["backtest"] if column.is_visible()]
    assert labels[:6] == ["Open Time", "Close Time", "Symbol", "Position", "PNL (net)", "PNL Cost"]
    assert sorted(labels) == sorted(column.label for column in visible)


def test_without_plotly_the_fix_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(bk.UsageError, match=r'pip install "backtestkit\[plots\]"'):
        page_of(sheet_source(1))


def test_the_library_is_in_the_page_once() -> None:
    assert page_of(sheet_source(1)).count("/* plotly */") == 1


def test_an_empty_page_without_prices_draws_nothing_and_needs_no_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    page = page_of(replace(sheet_source(0), candles={}, markets={"BTCUSDT": None}))
    assert data_of(page)["charts"] == [] and data_of(page)["span"] == [0, 0]
    assert "No position was closed." in page


def test_without_trades_the_page_spans_the_prices(source: SheetSource) -> None:
    empty = replace(sheet_source(0), candles={})
    market = empty.markets["BTCUSDT"]
    assert market is not None
    assert data_of(page_of(empty))["span"] == [market.times[0], market.times[-1]]


def test_a_portfolio_has_a_page_of_its_own(run: Any, tmp_path: Path) -> None:
    bk.Backtest.run("ETHUSDT", **CONTEXT).wait()
    names: dict[str, Any] = {"exchange_name": "x", "frame_name": "f"}
    page = bk.Heat.get_html(**names)
    shown, figures = text_of(page), bk.Heat.analyse(**names)
    assert "all strategies on 2 symbols" in shown and "BTCUSDT, ETHUSDT" in shown
    assert figures.equity is not None
    assert f"|Total return||{formats.signed_percent(figures.equity.total_return, 2)}|" in shown
    assert f"|Trades||{2 * len(run.closed)}|" in shown
    assert [one["place"] for one in chart_of(page, "price")["markets"]] == [0, 1]
    rows = page.partition("<h2>Symbols</h2>")[2].partition("</table>")[0]
    for place, row in enumerate(bk.Heat.get_data(**names).symbols):
        assert f'data-symbol="{["BTCUSDT", "ETHUSDT"].index(row.symbol)}"' in rows, place
        assert f"|{row.symbol}||{formats.percent(row.total_pnl, 2)}|" in text_of(rows)
    assert asyncio.run(bk.Heat.dump_html(**names, path=tmp_path)).read_text() == page
