"""The backtest report: what it says, what it never hides, and where it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backtestkit.config import Config
from backtestkit.errors import ConfigError, UsageError
from backtestkit.model.interval import MINUTE_MS, to_ms
from backtestkit.model.result import ClosedResult
from backtestkit.model.signal import Extreme, PartialClose, ProfitLoss, PublicSignal
from backtestkit.model.statistics import RunSummary
from backtestkit.runtime.clock import SimulatedClock
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.ids import sequential_ids, use_ids
from backtestkit.services.report.catalog import REPORTS, report_spec
from backtestkit.services.report.columns import ColumnService
from backtestkit.services.report.file_name import report_file_name
from backtestkit.services.report.markdown import MarkdownService
from backtestkit.services.report.spec import Column

KEY = RunKey("BTCUSDT", "above-mean", "bybit", "june", True)
START = to_ms(datetime(2024, 1, 1, tzinfo=UTC))


def trade(number: int = 0, pnl: float = 1.0, **changes: Any) -> ClosedResult:
    opened = START + number * 60 * MINUTE_MS
    profit = ProfitLoss(pnl, pnl, 100.0, 100.0, 100 + pnl)
    fields: dict[str, Any] = {
        "id": f"t{number}", "symbol": "BTCUSDT", "strategy_name": "above-mean", "exchange_name": "bybit",
        "frame_name": "june", "position": "long", "note": "**why** | because", "price_open": 100.0,
        "price_take_profit": 102.0, "price_stop_loss": 99.0, "original_price_open": 100.0,
        "original_price_take_profit": 102.0, "original_price_stop_loss": 0.05, "minute_estimated_time": 240,
        "cost": 100.0, "multiplier": 1.0, "isolated": True, "scheduled_at": opened, "pending_at": opened,
        "timestamp": opened, "total_entries": 1, "total_partials": 0, "partial_executed": 0.0, "pnl": profit,
        "peak_profit": profit, "max_drawdown": ProfitLoss(-0.5, -0.5, 100.0, 100.0, 99.5),
        "peak": Extreme(101.0, opened, profit), "fall": Extreme(99.5, opened, profit), "entries": (), "partials": (),
    }  # fmt: skip
    signal = PublicSignal(**(fields | changes))
    closed = opened + 90_000
    return ClosedResult(KEY, closed, signal.price_open + pnl, signal, "take_profit", closed, profit, None, False)


@dataclass
class Run:
    """What a run keeps for its reports."""

    closed: tuple[ClosedResult, ...] = ()
    summary: RunSummary = field(default_factory=lambda: RunSummary(policy="conservative"))
    key: RunKey = KEY


class Desk:
    """A report service with its own config and clock, and the run it reports on."""

    def __init__(self) -> None:
        self.config = Config.defaults()
        self.clock = SimulatedClock(datetime(2024, 2, 1, 12, 30, 5, tzinfo=UTC))
        self.columns = ColumnService(lambda: self.config)
        self.service = MarkdownService(self.columns, lambda: self.config, self.clock)
        self.last = Run()

    def run(self, *trades: ClosedResult, summary: RunSummary | None = None) -> None:
        self.last = Run(trades, summary) if summary else Run(trades)

    def report(self, **options: Any) -> list[str]:
        return self.service.get_report("backtest", self.last, **options).split("\n")

    def dump(self, *arguments: Any, **options: Any) -> Path:
        written = asyncio.run(self.service.dump("backtest", self.last, *arguments, **options))
        assert written is not None
        return written


@pytest.fixture
def desk() -> Desk:
    return Desk()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


class TestText:
    def test_title_table_summary_and_legend_stand_in_this_order_with_blank_lines_between(self, desk: Desk) -> None:
        desk.run(trade())
        lines = desk.report()
        assert lines[:2] == ["# Backtest Report: above-mean", ""]
        assert lines[2].startswith("| Signal ID | Symbol | Position | Open Price |")
        assert set(cells(lines[3])) == {"---"}
        assert lines[5:7] == ["", "**Total signals:** 1"]
        assert lines[-1] == ""

    def test_a_row_shows_the_trade(self, desk: Desk) -> None:
        desk.run(trade(pnl=1.5))
        lines = desk.report()
        shown = dict(zip(cells(lines[2]), cells(lines[4]), strict=True))
        assert shown == {
            "Signal ID": "t0", "Symbol": "BTCUSDT", "Position": "LONG", "Open Price": "100.00 USDT",
            "Close Price": "101.50 USDT", "Take Profit": "102.00 USDT", "Stop Loss": "99.00 USDT",
            "Original TP": "102.00 USDT", "Original SL": "0.050000 USDT", "Original Entry": "100.00 USDT",
            "DCA Entries": "1", "Partial Closes": "0", "Multiplier": "1x", "Margin": "isolated",
            "PNL (net)": "+1.50%", "PNL Cost": "+1.50 USDT", "Partial Executed %": "0.0%",
            "Partials by Outcome": "N/A", "Close Reason": "take_profit", "Duration (min)": "2",
            "Open Time": "2024-01-01T00:00:00.000Z", "Close Time": "2024-01-01T00:01:30.000Z", "Peak PNL": "+1.50%",
            "Max DD PNL": "-0.50%",
        }  # fmt: skip

    def test_partial_closes_are_added_up_by_outcome(self, desk: Desk) -> None:
        partials = (
            PartialClose("profit", 10.0, 100, 100, 1, START),
            PartialClose("profit", 20.25, 100, 100, 1, START),
            PartialClose("loss", 5.0, 100, 100, 1, START),
        )
        desk.run(trade(partials=partials, total_partials=3, isolated=False, multiplier=2.5))
        shown = dict(zip(cells(desk.report()[2]), cells(desk.report()[4]), strict=True))
        assert shown["Partials by Outcome"] == "3 (↑2: 30.3%, ↓1: 5.0%)"
        assert (shown["Margin"], shown["Multiplier"]) == ("cross", "2.5x")

    def test_newest_trades_come_first_and_a_missing_time_is_not_available(self, desk: Desk) -> None:
        desk.run(trade(0), trade(1, pending_at=0))
        lines = desk.report()
        assert (cells(lines[4])[0], cells(lines[5])[0]) == ("t1", "t0")
        shown = dict(zip(cells(lines[2]), cells(lines[4]), strict=True))
        assert (shown["Duration (min)"], shown["Open Time"]) == ("N/A", "N/A")

    def test_the_summary_has_the_lines_of_the_manual_in_order(self, desk: Desk) -> None:
        desk.run(*(trade(i, pnl) for i, pnl in enumerate([1.0, -0.5, 2.0])))
        lines = [line for line in desk.report() if line.startswith("**") and ":** " in line]
        assert lines[:6] == [
            "**Total signals:** 3",
            "**Closed signals:** 3",
            "**Win rate:** 66.67% (2W / 1L) (higher is better)",
            "**Average PNL:** +0.83% (higher is better)",
            "**Total PNL:** +2.50% (higher is better)",
            "**Standard Deviation Per Trade:** N/A",
        ]
        labels = [line.split(":**")[0].strip("*") for line in lines]
        assert labels.index("Expectancy") < labels.index("Median PNL") < labels.index("Median Step Size")

    def test_a_figure_in_the_summary_has_its_format(self, desk: Desk) -> None:
        desk.run(*(trade(i, pnl, price_open=100.0 + i) for i, pnl in enumerate([1.0, -0.5] * 6)))
        text = "\n".join(desk.report())
        assert "**Sharpe Ratio:** 0.319 (higher is better)" in text
        assert "**Buyer Pressure:** 45.5%\n" in text
        assert "**Trend:** bullish\n" in text
        assert "%/day\n" in text
        assert "**Avg Duration:** 1.5 min\n" in text

    def test_a_win_rate_without_a_decisive_trade_is_not_available(self, desk: Desk) -> None:
        desk.run(trade(pnl=0.0))
        assert "**Win rate:** N/A" in desk.report()

    def test_without_a_valid_trade_there_is_one_sentence(self, desk: Desk) -> None:
        desk.run()
        assert desk.report()[:4] == ["# Backtest Report: above-mean", "", "No signals closed yet.", ""]
        desk.run(trade(pending_at=0))
        assert "No signals closed yet." in desk.report()

    def test_what_users_write_cannot_break_the_table(self, desk: Desk) -> None:
        desk.config = desk.config.merged({"report_show_signal_note": True})
        desk.run(trade(id="a|b\nc"))
        lines = desk.report()
        assert lines[4].startswith("| a\\|b c | BTCUSDT | LONG | why \\| because |")
        assert lines[2].count(" | ") == lines[4].count(" | ")

    def test_the_note_is_shown_when_the_setting_says_so(self, desk: Desk) -> None:
        desk.run(trade())
        assert "Note" not in cells(desk.report()[2])
        desk.config = desk.config.merged({"report_show_signal_note": True})
        assert "Note" in cells(desk.report()[2])

    def test_a_long_table_is_cut_with_notice_and_the_figures_count_every_trade(self, desk: Desk) -> None:
        desk.config = desk.config.merged({"max_backtest_markdown_rows": 2})
        desk.run(*(trade(i) for i in range(5)))
        lines = desk.report()
        assert [cells(line)[0] for line in lines[4:6]] == ["t4", "t3"]
        assert lines[6:8] == ["", "Showing 2 of 5 rows; the figures count all of them."]
        assert "**Total signals:** 5" in lines


class TestHonesty:
    FULL = RunSummary(
        policy="conservative", percent_fee=0.1, percent_slippage=0.05, fee_paid=12.345, slippage_paid=6.0,
        ambiguous_exits=3, gaps="flat", candles_filled=7, candles_missing=8, fingerprint="abc123",
        first_time=START, last_time=START + MINUTE_MS,
    )  # fmt: skip

    def test_the_report_says_what_the_run_assumed_and_paid(self, desk: Desk) -> None:
        desk.run(trade(), summary=self.FULL)
        lines = desk.report()
        at = lines.index("**Fill policy:** conservative")
        assert lines[at - 1] == ""
        assert lines[at + 1 : at + 7] == [
            "**Fee:** 0.1% of each entry and exit, 12.35 USDT paid",
            "**Slippage:** 0.05% of each entry and exit, 6.00 USDT paid",
            "**Ambiguous exits:** 3 "
            "(one candle reached both stop and take profit; candles do not tell which came first)",
            "**Gaps:** flat, 8 candles missing, 7 filled",
            "**Tested:** 2024-01-01T00:00:00.000Z to 2024-01-01T00:01:00.000Z",
            "**Fingerprint:** abc123",
        ]
        assert lines[at + 7] == ""

    def test_what_is_not_known_has_no_line(self, desk: Desk) -> None:
        desk.run(trade(), summary=RunSummary(policy="mine"))
        text = "\n".join(desk.report())
        assert "**Fill policy:** mine" in text
        for label in ("Fee", "Slippage", "Ambiguous exits", "Gaps", "Tested", "Fingerprint"):
            assert f"**{label}:**" not in text

    def test_a_run_without_a_trade_still_says_what_it_assumed(self, desk: Desk) -> None:
        desk.run(summary=self.FULL)
        assert "**Fingerprint:** abc123" in desk.report()


class TestCatalog:
    def test_figures_are_those_of_all_closed_trades(self, desk: Desk) -> None:
        desk.config = desk.config.merged({"max_backtest_markdown_rows": 1})
        desk.run(trade(0), trade(1))
        assert desk.service.get_data("backtest", desk.last).total_signals == 2

    def test_an_unknown_report_is_an_error(self) -> None:
        with pytest.raises(UsageError, match="Did you mean 'backtest'"):
            report_spec("backtst")


def column(key: str = "id", label: str = "Id", text: Callable[..., Any] = lambda row, i: row.signal.id) -> Column[Any]:
    return Column(key, label, text)


class TestColumns:
    def test_columns_can_be_replaced_for_all_reports_or_for_one_call(self, desk: Desk) -> None:
        desk.run(trade())
        assert desk.report(columns=[column()])[2:5] == ["| Id |", "| --- |", "| t0 |"]
        desk.columns.set_columns({"backtest": [{"key": "n", "label": "No", "format": lambda row, i: str(i)}]})
        assert desk.report()[2:5] == ["| No |", "| --- |", "| 0 |"]
        assert [c.key for c in desk.columns.get_columns()["backtest"]] == ["n"]
        assert len(desk.columns.get_default_columns()["backtest"]) == 25

    def test_a_hidden_column_and_a_missing_value(self, desk: Desk) -> None:
        desk.run(trade())
        columns = [column(text=lambda row, i: None), Column("b", "B", lambda row, i: "x", lambda: False)]
        assert desk.report(columns=columns)[2:5] == ["| Id |", "| --- |", "| N/A |"]

    def test_all_errors_are_reported_together_and_nothing_changes(self, desk: Desk) -> None:
        before = desk.columns.get_columns()
        wrong: dict[str, Any] = {"key": " ", "label": 3, "format": "text", "is_visible": None, "color": "red"}
        given: dict[str, Any] = {"backtst": [], "backtest": [column(), column(), 7, wrong, {}]}
        with pytest.raises(ConfigError) as refused:
            desk.columns.set_columns(given)
        lines = [line.strip() for line in str(refused.value).split("\n")]
        assert lines == [
            "columns refused, nothing was changed:",
            "report 'backtst' is unknown. Did you mean 'backtest'?",
            "backtest[1] repeats key='id'; keys are unique within a report",
            "backtest[2] must be a Column or a mapping with key, label, format, is_visible, not 7",
            "backtest[3] has an unknown field 'color'; a column has key, label, format, is_visible",
            "backtest[3] key=' ' must be a text that is not empty",
            "backtest[3] label=3 must be a text that is not empty",
            "backtest[3] format='text' must be a function",
            "backtest[3] is_visible=None must be a function",
            "backtest[4] lacks key",
            "backtest[4] lacks label",
            "backtest[4] lacks format",
        ]
        assert desk.columns.get_columns() == before

    @pytest.mark.parametrize("listed", ["key", 5, {"key": "x"}])
    def test_columns_must_be_a_list(self, desk: Desk, listed: Any) -> None:
        with pytest.raises(ConfigError, match="backtest must be a list of columns"):
            desk.columns.set_columns({"backtest": listed})

    def test_the_columns_of_one_call_are_checked_too(self, desk: Desk) -> None:
        desk.run(trade())
        with pytest.raises(ConfigError, match=r"backtest\[0\] lacks label"):
            desk.report(columns=[{"key": "x", "format": str}])

    def test_a_column_that_fails_is_named(self, desk: Desk) -> None:
        desk.run(trade())
        with pytest.raises(UsageError, match=r"column 'id' failed on row 0: AttributeError: .*nothing"):
            desk.report(columns=[column(text=lambda row, i: row.nothing)])

    def test_default_labels_and_keys_are_unique_in_every_report(self, desk: Desk) -> None:
        for columns in desk.columns.get_default_columns().values():
            assert len({c.key for c in columns}) == len({c.label for c in columns}) == len(columns)


class TestFiles:
    def test_a_dump_writes_the_report_under_a_name_that_says_whose_it_is(self, desk: Desk, tmp_path: Path) -> None:
        desk.run(trade())
        with use_ids(sequential_ids("n")):
            file = desk.dump(tmp_path / "out")
        assert file == tmp_path / "out" / "BTCUSDT_above-mean_bybit_june_backtest-20240201T123005Z-n-1.md"
        assert file.read_text(encoding="utf-8") == "\n".join(desk.report())

    def test_two_dumps_of_one_second_are_two_files(self, desk: Desk, tmp_path: Path) -> None:
        desk.run(trade())
        files = {desk.dump(tmp_path, columns=[column()]) for _ in range(5)}
        assert len(files) == len(list(tmp_path.iterdir())) == 5

    def test_the_default_folder_is_named_after_the_report(
        self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        desk.run(trade())
        file = desk.dump()
        assert file.parent == Path("dump/backtest")
        assert file.exists()

    def test_names_hold_no_character_that_a_file_system_minds(self, desk: Desk) -> None:
        key = RunKey("../BTC/USDT:USDT", 'my "best" * strategy?', "x" * 300, "ü" * 300, True)
        name = report_file_name(key, desk.clock)
        assert name.startswith("BTC-USDT-USDT_my-best-strategy_xxx")
        assert not set(name) & set('/\\:*?"<>| \n')
        assert len(name.encode()) <= 255

    def test_a_live_report_has_no_frame_in_its_name(self, desk: Desk) -> None:
        with use_ids(sequential_ids("n")):
            name = report_file_name(RunKey("...", "s", "e", "", False), desk.clock)
        assert name == "-_s_e_live-20240201T123005Z-n-1.md"


def test_every_report_names_a_setting_that_bounds_its_table() -> None:
    for spec in REPORTS.values():
        assert spec.row_limit in Config.model_fields


@pytest.mark.parametrize(("funding", "line"), [(3.17, "3.17 USDT paid"), (-3.17, "3.17 USDT received")])
def test_funding_says_which_way_it_went(desk: Desk, funding: float, line: str) -> None:
    desk.run(trade(), summary=RunSummary(policy="conservative", funding_paid=funding))
    assert f"**Funding:** {line}" in desk.report()
