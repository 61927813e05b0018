"""All thirteen reports: what their tables, summaries and titles say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from trades import (
    KEY,
    at,
    cancelled,
    closed,
    marks,
    opened_after,
    partial,
    run_key,
    scheduled,
    signal,
    trade_set,
    with_profit,
)

from backtestkit.config import Config
from backtestkit.errors import RunError, UsageError
from backtestkit.math.statistics import backtest_statistics, live_statistics
from backtestkit.math.statistics_analysis import analyse
from backtestkit.math.statistics_events import statistics_of
from backtestkit.math.statistics_heat import heat_statistics
from backtestkit.model.event import BreakevenEvent, CommitAction, CommitEvent, ExtremeEvent, LevelEvent, RiskEvent
from backtestkit.model.performance import PerformanceEvent
from backtestkit.model.result import ActiveResult, AnyResult, IdleResult, WaitingResult
from backtestkit.model.statistics import HeatStatistics, LiveStatistics
from backtestkit.model.sync import SyncEvent
from backtestkit.model.walker import WalkerFailure, WalkerPruned, WalkerResult, WalkerStatistics
from backtestkit.runtime.clock import SystemClock
from backtestkit.services.report.catalog import REPORTS, report_spec
from backtestkit.services.report.columns import ColumnService
from backtestkit.services.report.level_reports import milestone
from backtestkit.services.report.markdown import MarkdownService
from backtestkit.services.report.schedule_report import waiting_row
from backtestkit.services.report.spec import Subject
from backtestkit.services.report.walker_report import ranked

NAMES = {
    "backtest", "live", "heat", "walker", "schedule", "partial", "breakeven", "highest_profit", "max_drawdown", "risk",
    "strategy", "sync", "performance",
}  # fmt: skip


class Desk:
    """Renders reports under a configuration."""

    def __init__(self, **changes: Any) -> None:
        config = Config.defaults().merged({"report_show_signal_note": True} | changes)
        self.columns = ColumnService(lambda: config)
        self.service = MarkdownService(self.columns, lambda: config, SystemClock())

    def lines(self, report: str, figures: Any, **options: Any) -> list[str]:
        subject = Subject(options.pop("key", KEY), figures, options.pop("analysis", None))
        return self.service.get_report(report, subject, **options).split("\n")

    def events(self, report: str, *events: Any, **options: Any) -> list[str]:
        tally = report_spec(report).tally
        assert tally is not None
        return self.lines(report, statistics_of(tally(), events), **options)


def table(lines: list[str], heading: str | None = None) -> list[dict[str, str]]:
    """The rows of the first table, or of the first one below a heading."""
    start = 0 if heading is None else lines.index(f"## {heading}")
    first = next(i for i in range(start, len(lines)) if lines[i].startswith("| "))
    names = _cells(lines[first])
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("| "):
            break
        rows.append(dict(zip(names, _cells(line), strict=True)))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split(" | ")]


def commit(action: CommitAction, **fields: Any) -> CommitEvent:
    values: dict[str, Any] = {
        "current_price": 101.0, "note": "", "percent_to_close": None, "percent_shift": None, "cost": None,
        "effective_price_open": None, "command_id": None,
    } | fields  # fmt: skip
    return CommitEvent(KEY, at(5), action, signal(), **values)


def rejection() -> RiskEvent:
    return RiskEvent(KEY, at(5), "limits", signal(), 100.5, 3, "max_positions", "too many | at once")


def timing(duration: float, kind: Any = "backtest_signal") -> PerformanceEvent:
    return PerformanceEvent(KEY, at(0), kind, duration, 10, 5)


def walk(*results: tuple[str, float | None, int], metric: str = "sharpe_ratio") -> WalkerStatistics:
    """A walk over strategies with a metric value and a number of trades, the last tested first."""
    made = tuple(
        WalkerResult(
            strategy_name=name,
            stats=backtest_statistics([closed(60, 101.0, opened=i * 100, id=f"{name}{i}") for i in range(count)]),
            metric_value=value,
            first_event_time=at(0) if count else None,
            last_event_time=at(60) if count else None,
        )
        for name, value, count in results
    )
    best = max((r for r in made if r.metric_value is not None), key=lambda r: r.metric_value or 0.0, default=None)
    return WalkerStatistics(
        walker_name="duel", symbol="BTCUSDT", exchange_name="bybit", frame_name="june", metric=metric,
        total_strategies=len(made), best_strategy=None if best is None else best.strategy_name,
        best_metric=None if best is None else best.metric_value, best_stats=None if best is None else best.stats,
        strategy_results=made,
    )  # fmt: skip


class TestCatalog:
    def test_there_are_thirteen_reports(self) -> None:
        assert set(REPORTS) == NAMES

    @pytest.mark.parametrize("name", sorted(NAMES))
    def test_each_has_a_table_channels_and_settings_that_exist(self, name: str) -> None:
        from backtestkit.services.channels import Channels

        spec, channels = report_spec(name), Channels()
        assert spec.tables[0].key == name
        assert spec.feeds
        for feed in spec.feeds:
            assert channels[feed.channel].name == feed.channel
        for setting in (spec.row_limit, *(t.row_limit for t in spec.tables if t.row_limit)):
            assert isinstance(getattr(Config.defaults(), setting), int)

    def test_an_unknown_report_is_refused_with_the_near_ones(self) -> None:
        with pytest.raises(UsageError, match="Did you mean 'partial'"):
            report_spec("partials")

    def test_columns_of_every_table_can_be_chosen(self) -> None:
        defaults = Desk().columns.get_default_columns()
        assert set(defaults) > NAMES
        assert set(defaults) - NAMES == {
            "walker_front", "walker_failed", "walker_errors", "walker_pruned", "walker_trades", "backtest_breakdown",
            "heat_breakdown",
        }  # fmt: skip
        for name, columns in defaults.items():
            keys = [column.key for column in columns]
            assert len(set(keys)) == len(keys), name


EMPTY: list[tuple[str, Any, str, str]] = [
    ("live", LiveStatistics(), "# Live Trading Report: above-mean", "No events recorded yet."),
    ("heat", HeatStatistics(), "# Portfolio Heatmap: above-mean", "*No data available*"),
    ("walker", walk(), "# Walker Comparison Report: above-mean", "No strategies tested yet."),
]
EMPTY_EVENTS = [
    ("schedule", "# Scheduled Signals Report: above-mean", "No scheduled signals recorded yet."),
    ("partial", "# Partial Profit/Loss Report: BTCUSDT:above-mean", "No partial profit/loss events recorded yet."),
    ("breakeven", "# Breakeven Report: BTCUSDT:above-mean", "No breakeven events recorded yet."),
    ("highest_profit", "# Highest Profit Report: BTCUSDT:above-mean", "No profitable peak recorded yet."),
    ("max_drawdown", "# Max Drawdown Report: BTCUSDT:above-mean", "No max drawdown events recorded yet."),
    ("risk", "# Risk Rejection Report: BTCUSDT:above-mean", "No risk rejections recorded yet."),
    ("strategy", "# Strategy Report: BTCUSDT:above-mean", "No strategy events recorded yet."),
    ("sync", "# Signal Sync Report: BTCUSDT:above-mean", "No sync events recorded yet."),
    ("performance", "# Performance Report: above-mean", "No performance metrics recorded yet."),
]


class TestEmpty:
    @pytest.mark.parametrize(("report", "figures", "title", "text"), EMPTY)
    def test_a_report_on_nothing_is_a_title_and_a_sentence(
        self, report: str, figures: Any, title: str, text: str
    ) -> None:
        assert Desk().lines(report, figures) == [title, "", text, ""]

    @pytest.mark.parametrize(("report", "title", "text"), EMPTY_EVENTS)
    def test_a_report_on_no_events_is_a_title_and_a_sentence(self, report: str, title: str, text: str) -> None:
        lines = Desk().events(report)
        assert lines[0] == title
        assert lines[2].startswith(text)
        assert len(lines) == 4


class TestLevels:
    def test_a_milestone_has_the_sign_of_its_side(self) -> None:
        event = LevelEvent(KEY, at(7), signal(price=100.2), 100.2, 10)
        gain, loss = table(Desk().events("partial", milestone("loss")(event), milestone("profit")(event)))
        assert (gain["Action"], gain["Level %"], loss["Action"], loss["Level %"]) == ("PROFIT", "+10%", "LOSS", "-10%")
        assert (gain["Symbol"], gain["Strategy"], gain["Position"]) == ("BTCUSDT", "above-mean", "LONG")
        assert (gain["Current Price"], gain["Entry Price"]) == ("100.20 USDT", "100.00 USDT")
        assert (gain["Take Profit"], gain["Stop Loss"], gain["DCA Entries"]) == ("102.00 USDT", "99.00 USDT", "1")
        assert (gain["PNL (net)"], gain["Partial Executed %"]) == ("-0.20%", "0.00%")
        assert (gain["Timestamp"], gain["Mode"]) == ("2025-01-01T00:07:00.000Z", "Backtest")
        assert gain["Note"] == "why \\| because"

    def test_the_sides_are_counted(self) -> None:
        event = LevelEvent(KEY, at(7), signal(), 100.2, 10)
        lines = Desk().events("partial", *(milestone(side)(event) for side in ("profit", "loss", "profit")))
        assert lines[-4:-1] == ["**Total events:** 3", "**Profit events:** 2", "**Loss events:** 1"]

    def test_a_breakeven_shows_the_price_that_made_it_possible(self) -> None:
        lines = Desk().events("breakeven", BreakevenEvent(KEY, at(3), signal(price=100.6), 100.6))
        (row,) = table(lines)
        assert (row["Breakeven Price"], row["Entry Price"], row["PNL (net)"]) == (
            "100.60 USDT",
            "100.00 USDT",
            "+0.20%",
        )
        assert lines[-2] == "**Total events:** 1"

    def test_extremes_show_the_profit_there(self) -> None:
        up = ExtremeEvent(KEY, at(3), signal(price=101.0), 101.0)
        (row,) = table(Desk().events("highest_profit", up))
        assert (row["Peak Price"], row["PNL (net)"], row["PNL Cost"]) == ("101.00 USDT", "+0.60%", "+0.5974 USDT")
        down = ExtremeEvent(KEY, at(3), signal(price=99.5), 99.5)
        (row,) = table(Desk().events("max_drawdown", down))
        assert (row["DD Price"], row["PNL (net)"]) == ("99.50 USDT", "-0.90%")

    def test_a_live_event_says_so(self) -> None:
        key = run_key(backtest=False, frame_name="")
        (row,) = table(Desk().events("breakeven", BreakevenEvent(key, at(3), signal(), 100.6)))
        assert row["Mode"] == "Live"


class TestSchedule:
    ROWS = (
        scheduled(0, id="a"), opened_after(0, 10, id="a"), scheduled(20, id="b"),
        cancelled(20, 140, id="b", why="price_reject"),
    )  # fmt: skip

    def test_rows_tell_what_became_of_an_entry(self) -> None:
        gone, waits, opened, waited = table(Desk().events("schedule", *self.ROWS))
        assert (gone["Action"], gone["Cancel Reason"], gone["Wait Time (min)"]) == ("CANCELLED", "PRICE_REJECT", "120")
        assert (gone["PNL (net)"], gone["Pending At"], gone["Cancel ID"]) == ("N/A", "N/A", "N/A")
        assert (waits["Action"], waits["Wait Time (min)"]) == ("SCHEDULED", "N/A")
        assert (opened["Action"], opened["Wait Time (min)"], opened["PNL (net)"]) == ("OPENED", "10", "-0.40%")
        assert opened["Pending At"] == "2025-01-01T00:10:00.000Z"
        assert waited["Scheduled At"] == "2025-01-01T00:00:00.000Z"

    def test_the_summary_has_counts_rates_and_times(self) -> None:
        lines = [line for line in Desk().events("schedule", *self.ROWS) if ":** " in line]
        assert lines == [
            "**Total events:** 4",
            "**Scheduled signals (raw):** 2",
            "**Opened signals:** 1",
            "**Cancelled signals:** 1",
            "**Activation rate:** 50.00% (higher is better)",
            "**Cancellation rate:** 50.00% (lower is better)",
            "**Average activation time:** 10.00 minutes",
            "**Average wait time (cancelled):** 120.00 minutes",
        ]

    def test_without_decided_entries_there_is_no_rate_and_no_hint(self) -> None:
        lines = Desk().events("schedule", scheduled(0))
        assert "**Activation rate:** N/A" in lines
        assert "**Average activation time:** N/A" in lines

    def test_a_price_of_zero_is_no_price(self) -> None:
        waiting = scheduled(0)
        (row,) = table(Desk().events("schedule", type(waiting)(KEY, at(0), 0.0, waiting.signal)))
        assert row["Current Price"] == "N/A"

    def test_a_position_that_opened_at_once_never_waited(self) -> None:
        assert waiting_row(opened_after(5, 5)) is None
        assert waiting_row(opened_after(4, 5)) is not None
        assert waiting_row(scheduled(5)) is not None


class TestDecisions:
    def test_a_command_shows_the_fields_of_its_kind(self) -> None:
        events = [
            commit("partial_profit", percent_to_close=25.0), commit("trailing_stop", percent_shift=-0.5),
            commit("average_buy", cost=50.0), commit("cancel_scheduled", command_id="c1", current_price=None),
            commit("close_pending", command_id="x9"),
        ]  # fmt: skip
        lines = Desk().events("strategy", *events)
        close, cancel, buy, trail, part = table(lines)
        assert (part["% To Close"], trail["% Shift"], buy["Cost"]) == ("25.00%", "-0.50%", "50.00 USDT")
        assert (cancel["Cancel ID"], cancel["Close ID"], cancel["Price"]) == ("c1", "N/A", "N/A")
        assert (close["Close ID"], close["Cancel ID"], close["Action"]) == ("x9", "N/A", "close_pending")
        assert close["Created At"] == close["Timestamp"] == "2025-01-01T00:05:00.000Z"
        start = lines.index("**Total events:** 5")
        assert lines[start + 1 : start + 10] == [
            "- Cancel scheduled: 1", "- Close pending: 1", "- Partial profit: 1", "- Partial loss: 0",
            "- Trailing stop: 1", "- Trailing take: 0", "- Breakeven: 0", "- Activate scheduled: 0", "- Average buy: 1",
        ]  # fmt: skip

    def test_a_rejection_shows_the_rule_and_the_signal(self) -> None:
        lines = Desk().events("risk", rejection(), rejection())
        row = table(lines)[0]
        assert (row["Risk Profile"], row["ID"], row["Active Positions"]) == ("limits", "max_positions", "3")
        assert row["Rejection Reason"] == "too many \\| at once"
        assert (row["Open Price"], row["Current Price"], row["Exchange"]) == ("100.00 USDT", "100.50 USDT", "bybit")
        end = lines.index("**Total rejections:** 2")
        assert lines[end:] == [
            "**Total rejections:** 2", "", "## Rejections by Symbol", "- BTCUSDT: 2", "",
            "## Rejections by Strategy", "- above-mean: 2", "",
        ]  # fmt: skip

    def test_a_gate_shows_what_it_was_asked(self) -> None:
        open_ = SyncEvent(KEY, at(1), "signal_open", "active", signal(), 100.0, None)
        close = SyncEvent(KEY, at(2), "signal_close", "active", signal(), 101.0, "closed")
        lines = Desk().events("sync", open_, close)
        second, first = table(lines)
        assert (first["Action"], first["Close Reason"], first["Position"]) == ("signal_open", "N/A", "long")
        assert (second["Action"], second["Close Reason"]) == ("signal_close", "closed")
        assert lines[-4:-1] == ["**Total events:** 2", "**Opens:** 1", "**Closes:** 1"]

    def test_an_order_that_is_placed_to_rest_is_no_opening(self) -> None:
        resting = SyncEvent(KEY, at(1), "signal_open", "schedule", signal(), 100.0, None)
        assert not report_spec("sync").listed(resting)


class TestPerformance:
    def test_kinds_stand_by_their_share_of_time(self) -> None:
        lines = Desk().events("performance", timing(1.0), timing(3.0), timing(12.0, "backtest_total"))
        whole, part = table(lines)
        assert (whole["Metric Type"], part["Metric Type"]) == ("backtest_total", "backtest_signal")
        assert (part["Count"], part["Total (ms)"], part["Avg (ms)"], part["Std Dev (ms)"]) == (
            "2",
            "4.00",
            "2.00",
            "1.41",
        )
        assert (part["Median (ms)"], part["P95 (ms)"], part["Avg Wait (ms)"]) == ("2.00", "2.90", "5.00")
        assert lines[lines.index("## Time Distribution") + 2 :][:2] == [
            "- **backtest_total**: 75.0% (12.00ms total)",
            "- **backtest_signal**: 25.0% (4.00ms total)",
        ]
        assert "**Total execution time:** 16.00ms" in lines
        assert "**Number of metric types:** 2" in lines

    def test_no_time_is_no_share(self) -> None:
        assert "- **backtest_signal**: 0.0% (0.00ms total)" in Desk().events("performance", timing(0.0))


class TestLive:
    WAITING = WaitingResult(KEY, at(1), 100.2, signal(waiting=True), 5.0, 2.0, signal().pnl)
    ACTIVE = ActiveResult(KEY, at(2), 100.4, signal(price=100.4), 20.0, 0.0, signal(price=100.4).pnl)

    def test_each_kind_of_event_fills_the_cells_it_has_something_for(self) -> None:
        events: list[AnyResult] = [
            closed(90, 101.0), self.ACTIVE, cancelled(0, 30), self.WAITING, IdleResult(KEY, at(0), 100.0),
        ]  # fmt: skip
        lines = Desk().lines("live", live_statistics([closed(90, 101.0)], events))
        done, active, gone, waiting, idle = table(lines)
        assert (done["Action"], done["Close Reason"], done["Duration (min)"]) == ("CLOSED", "take_profit", "90")
        assert (done["PNL (net)"], done["Peak PNL"], done["Max DD PNL"]) == ("+0.60%", "+0.60%", "-0.40%")
        assert (active["% to TP"], active["% to SL"], active["Original Entry"]) == ("20.00%", "0.00%", "100.00 USDT")
        assert (gone["Cancel Reason"], gone["Duration (min)"], gone["Peak PNL"]) == ("timeout", "30", "N/A")
        assert (waiting["% to TP"], waiting["Pending At"]) == ("5.00%", "N/A")
        assert (idle["Action"], idle["Symbol"], idle["Current Price"]) == ("IDLE", "BTCUSDT", "100.00 USDT")
        assert {idle[name] for name in ("Signal ID", "Position", "Note", "Margin", "PNL (net)", "Duration (min)")} == {
            "N/A"
        }

    def test_the_summary_counts_events_and_closed_trades(self) -> None:
        lines = Desk().lines("live", live_statistics([closed()], [closed()], 40))
        assert "Showing 1 of 40 rows; the figures count all of them." in lines
        assert "**Total events:** 40" in lines
        assert "**Closed signals:** 1" in lines


class TestHeat:
    def test_symbols_stand_by_their_sharpe_ratio_below_the_portfolio(self) -> None:
        good = [with_profit(r, day=i + 1) for i, r in enumerate([2.0, 1.0] * 5)]
        eth = run_key("ETHUSDT")
        bad = [with_profit(r, day=i + 1, key=eth) for i, r in enumerate([-2.0, 1.0] * 5)]
        lines = Desk().lines("heat", heat_statistics({"ETHUSDT": bad, "BTCUSDT": good}))
        first, second = table(lines)
        assert (first["Symbol"], second["Symbol"]) == ("BTCUSDT", "ETHUSDT")
        assert (first["Total PNL"], first["WR"], first["Trades"], first["PF"]) == ("15.00%", "100.00%", "10", "N/A")
        assert (second["Avg Win"], second["Avg Loss"], second["L Streak"]) == ("1.00%", "-2.00%", "1")
        assert second["Max DD"].startswith("-")
        assert (
            lines.index("**Total Symbols:** 2")
            < lines.index("**Portfolio PNL:** 10.00 %")
            < lines.index("**Expectancy:** 0.50 %")
        )
        assert "**Trades Per Year:** N/A" in lines

    def test_no_drawdown_is_zero_and_not_minus_zero(self) -> None:
        free = [with_profit(1.0, day=i + 1, max_drawdown=signal(waiting=True).pnl) for i in range(3)]
        assert table(Desk().lines("heat", heat_statistics({"BTCUSDT": free})))[0]["Max DD"] == "0.00%"

    def test_more_symbols_than_rows_are_cut_with_notice(self) -> None:
        trades = {f"S{i}": [with_profit(1.0, day=1, key=run_key(f"S{i}"))] for i in range(3)}
        lines = Desk(max_heatmap_markdown_rows=2).lines("heat", heat_statistics(trades))
        assert len(table(lines)) == 2
        assert "Showing 2 of 3 rows; the figures count all of them." in lines

    def test_what_an_account_did_stands_below(self) -> None:
        own = trade_set([closed(60, 101.0)], marks(*[100.0] * 61))
        heat = heat_statistics({"BTCUSDT": [closed(60, 101.0)]})
        lines = Desk().lines("heat", heat, key=run_key(""), analysis=analyse([own]))
        assert "**Capital:** 100.00 USDT (peak of the money at work)" in lines
        assert [row["Which"] for row in table(lines, "Breakdown")][:2] == ["long", "take_profit"]


class TestWalker:
    def test_strategies_stand_by_their_metric_and_trades_below(self) -> None:
        lines = Desk().lines("walker", walk(("c", None, 0), ("b", 2.5, 2), ("a", 1.0, 1)))
        assert lines[2:7] == [
            "**Symbol:** BTCUSDT", "**Exchange:** bybit", "**Frame:** june", "**Optimization Metric:** sharpe_ratio",
            "**Strategies Tested:** 3",
        ]  # fmt: skip
        best = lines.index("## Best Strategy: b")
        assert lines[best + 2 : best + 4] == ["**Best sharpe_ratio:** 2.50", "**Total Signals:** 2"]
        assert "**Sortino Ratio:** N/A" in lines
        rows = table(lines, "Top Strategies Comparison")
        assert [(row["Rank"], row["Strategy"], row["Metric"]) for row in rows] == [
            ("1", "b", "2.50"), ("2", "a", "1.00"), ("3", "c", "N/A"),
        ]  # fmt: skip
        assert (rows[0]["First Event"], rows[2]["First Event"]) == ("2025-01-01T00:00:00.000Z", "N/A")
        trades = table(lines, "All Signals (PNL Table)")
        assert [(row["Strategy"], row["Signal ID"]) for row in trades] == [("b", "b1"), ("b", "b0"), ("a", "a0")]
        assert (trades[0]["Close Reason"], trades[0]["Position"], trades[0]["PNL (net)"]) == (
            "take_profit",
            "LONG",
            "+0.60%",
        )

    def test_without_a_usable_metric_there_is_no_best_one(self) -> None:
        lines = Desk().lines("walker", walk(("a", None, 0)))
        assert "## Best Strategy: N/A" in lines
        assert "**Best sharpe_ratio:** N/A" in lines
        assert "**Total Signals:** 0" in lines
        assert "No closed signals available." in lines

    def test_the_comparison_is_cut_to_the_top(self) -> None:
        lines = Desk(walker_markdown_top_n=1).lines("walker", walk(("b", 2.0, 1), ("a", 1.0, 1)))
        assert [row["Strategy"] for row in table(lines, "Top Strategies Comparison")] == ["b"]

    def test_where_less_is_better_the_least_stands_first(self) -> None:
        falling = walk(("b", 9.0, 0), ("c", None, 0), ("a", 4.0, 0), metric="max_drawdown")
        least = replace(falling, objectives={"max_drawdown": "minimise"})
        assert [result.strategy_name for result in ranked(least)] == ["a", "b", "c"]
        assert "**Optimization Metric:** max_drawdown (minimise)" in Desk().lines("walker", least)

    def test_equal_metrics_keep_the_order_of_the_store(self) -> None:
        assert [r.strategy_name for r in ranked(walk(("c", 1.0, 0), ("b", 1.0, 0), ("a", 1.0, 0)))] == ["c", "b", "a"]

    def test_what_failed_and_what_was_given_up_is_counted_and_shown(self) -> None:
        error = RunError("it stopped")
        error.__cause__ = ZeroDivisionError("division by zero")
        came_to = replace(
            walk(("a", 1.0, 1)),
            failed=(WalkerFailure(strategy_name="x", params={}, error=error),),
            pruned=(WalkerPruned(strategy_name="y", params={}, checkpoint=3, metric_value=-1.5),),
        )
        lines = Desk().lines("walker", came_to)
        assert "**Strategies Failed:** 1" in lines and "**Strategies Pruned:** 1" in lines
        assert table(lines, "Failed Strategies") == [
            {"Strategy": "x", "Error": "it stopped (ZeroDivisionError: division by zero)"}
        ]
        assert table(lines, "Pruned Strategies") == [{"Strategy": "y", "Checkpoint": "3", "Metric There": "-1.50"}]

    def test_a_walk_of_which_everything_failed_still_has_a_report(self) -> None:
        failed = WalkerFailure(strategy_name="x", params={}, error=ValueError("no"))
        lines = Desk().lines("walker", replace(walk(), failed=(failed,)))
        assert table(lines, "Failed Strategies") == [{"Strategy": "x", "Error": "no"}]

    def test_of_several_figures_the_front_is_shown_and_the_next_figure_decides_among_equals(self) -> None:
        plain = walk(("b", 1.0, 0), ("a", 1.0, 0))
        values: list[dict[str, float | None]] = [
            {"sharpe_ratio": 1.0, "max_drawdown": None},
            {"sharpe_ratio": 1.0, "max_drawdown": 4.0},
        ]
        results = tuple(
            replace(result, metric_values=own) for result, own in zip(plain.strategy_results, values, strict=True)
        )
        came_to = replace(
            plain,
            strategy_results=results,
            objectives={"sharpe_ratio": "maximise", "max_drawdown": "minimise"},
            front=("a",),
        )
        lines = Desk().lines("walker", came_to)
        assert [row["Strategy"] for row in table(lines, "Top Strategies Comparison")] == ["a", "b"]
        assert table(lines, "Pareto Front") == [
            {"Strategy": "a", "Figures": "sharpe_ratio 1.00, max_drawdown 4.00", "Total Signals": "0"}
        ]
        assert "**Optimization Metric:** sharpe_ratio (maximise), max_drawdown (minimise)" in lines


def full(report: str) -> Any:
    """Figures with one row that has everything a row of the report can have."""
    part = partial(20, 40.0, 103.0)
    rich: dict[str, Any] = {"partials": [part], "note": "n"}
    events: dict[str, Any] = {
        "schedule": [cancelled(0, 5)], "partial": [milestone("profit")(LevelEvent(KEY, at(1), signal(**rich), 101.0, 10))],
        "breakeven": [BreakevenEvent(KEY, at(1), signal(), 101.0)],
        "highest_profit": [ExtremeEvent(KEY, at(1), signal(), 101.0)],
        "max_drawdown": [ExtremeEvent(KEY, at(1), signal(), 101.0)], "risk": [rejection()],
        "strategy": [commit("average_buy", cost=1.0)],
        "sync": [SyncEvent(KEY, at(1), "signal_close", "active", signal(), 100.0, "closed")],
        "performance": [timing(1.0)],
    }  # fmt: skip
    if report == "live":
        return live_statistics([closed(60, 101.0, **rich)], [closed(60, 101.0, **rich)])
    if report == "walker":
        return walk(("a", 1.0, 12))
    if report == "heat":
        return heat_statistics({"BTCUSDT": [with_profit((-1.0) ** i, day=i * 2 + 1) for i in range(20)]})
    tally = report_spec(report).tally
    assert tally is not None
    return statistics_of(tally(), events[report])


MISSING = {
    "live": {"% to TP", "% to SL", "Cancel Reason"},
    "schedule": {"PNL (net)", "Pending At", "Cancel ID"},
    "strategy": {"% To Close", "% Shift", "Cancel ID", "Close ID"},
    "walker": {"Sharpe Ratio", "Std Dev", "Sortino", "Calmar", "Recovery"},
    "heat": {"Calmar", "Exp Yearly", "Ann Sharpe", "Trades/Yr", "Trend", "Trend %/d", "Trend R²", "Buyer Pres",
             "Seller Pres", "Buyer Str", "Seller Str", "Pres Imb", "Median Step"},
}  # fmt: skip


@pytest.mark.parametrize("report", sorted(NAMES - {"backtest"}))
def test_every_column_finds_its_value(report: str) -> None:
    row = table(Desk().lines(report, full(report)), "Top Strategies Comparison" if report == "walker" else None)[0]
    assert {label for label, cell in row.items() if cell == "N/A"} <= MISSING.get(report, set())
