"""The facades of reports: from a run through the public interface to text and files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from backtestkit.errors import UsageError

START = 1_735_689_600_000
MINUTE = 60_000
NAMES: dict[str, Any] = {"strategy_name": "swing", "exchange_name": "sea", "frame_name": "week"}
FACADES: dict[str, Any] = {
    "schedule": bk.Schedule, "partial": bk.Partial, "breakeven": bk.Breakeven, "highest_profit": bk.HighestProfit,
    "max_drawdown": bk.MaxDrawdown, "risk": bk.Risk, "strategy": bk.Strategy, "sync": bk.Sync,
    "performance": bk.Performance,
}  # fmt: skip


def market(seed: int, days: int = 8) -> bk.Candles:
    """A seeded walk of minutes."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.0008, days * 1440)))
    open_ = np.concatenate(([100.0], close[:-1]))
    spread = 1 + np.abs(rng.normal(0, 0.0004, len(close)))
    high, low = np.maximum(open_, close) * spread, np.minimum(open_, close) / spread
    return bk.Candles.from_columns(START + MINUTE * np.arange(len(close)), open_, high, low, close, np.ones(len(close)))


MARKETS = {"BTCUSDT": market(1), "ETHUSDT": market(2)}


def read(symbol: str, interval: str, since: int, until: int) -> bk.Candles:
    candles = MARKETS[symbol]
    low, high = candles.timestamp.searchsorted([since, until])
    return candles[int(low) : int(high)]


def swing(symbol: str, when: Any, price: float) -> bk.Signal | None:
    """Every second hour a long, half of them waiting for a lower price."""
    if when.hour % 2 or when.minute:
        return None
    entry = price * 0.998 if when.hour % 4 else None
    base = entry or price
    return bk.Signal(
        position="long",
        price_open=entry,
        price_take_profit=base * 1.01,
        price_stop_loss=base * 0.99,
        minute_estimated_time=300,
    )


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[bk.Kit]:
    monkeypatch.chdir(tmp_path)
    with bk.Kit() as made:
        bk.add_exchange(exchange_name="sea", read_candles=read)
        bk.add_frame(frame_name="week", start_date=START + 60 * MINUTE, end_date=START + 7 * 1440 * MINUTE)
        bk.add_strategy(strategy_name="swing", interval="1m", get_signal=swing)
        yield made


def play(symbol: str = "BTCUSDT", **changes: str) -> bk.BacktestResult:
    return bk.Backtest.run(symbol, **(NAMES | changes)).wait()


class TestEventReports:
    @pytest.mark.parametrize("report", sorted(FACADES))
    def test_each_has_data_text_and_a_file_after_a_run(self, kit: bk.Kit, report: str) -> None:
        flags: Any = {report: True}
        bk.Markdown.enable(**flags)
        play()
        facade = FACADES[report]
        text = facade.get_report("BTCUSDT", **NAMES)
        assert text.startswith("# ")
        file = asyncio.run(facade.dump("BTCUSDT", **NAMES))
        assert file.read_text() == text
        assert file.parent == Path("dump") / report
        assert facade.get_data("BTCUSDT", **NAMES) == facade.get_data("BTCUSDT", **NAMES)
        assert report in repr(facade)
        assert f"Markdown.enable({report}=True)" in facade.__doc__

    def test_figures_are_those_of_the_events_that_listeners_heard(self, kit: bk.Kit) -> None:
        bk.Markdown.enable()
        heard: dict[str, list[Any]] = {name: [] for name in ("profit", "loss", "breakeven", "best", "worst", "commit")}
        bk.listen_partial_profit_available(heard["profit"].append)
        bk.listen_partial_loss_available(heard["loss"].append)
        bk.listen_breakeven_available(heard["breakeven"].append)
        bk.listen_highest_profit(heard["best"].append)
        bk.listen_max_drawdown(heard["worst"].append)
        results = list(bk.Backtest.run("BTCUSDT", **NAMES))
        partial = bk.Partial.get_data("BTCUSDT", **NAMES)
        assert (partial.total_profit, partial.total_loss) == (len(heard["profit"]), len(heard["loss"]))
        assert bk.Breakeven.get_data("BTCUSDT", **NAMES).event_list == tuple(heard["breakeven"][::-1])
        assert bk.HighestProfit.get_data("BTCUSDT", **NAMES).total_events == len(heard["best"])
        assert bk.MaxDrawdown.get_data("BTCUSDT", **NAMES).event_list[0] == heard["worst"][-1]
        schedule = bk.Schedule.get_data("BTCUSDT", **NAMES)
        actions = [result.action for result in results]
        assert schedule.total_scheduled == actions.count("scheduled") > 0
        assert schedule.total_cancelled == actions.count("cancelled")

    def test_commands_and_rejections_are_reported(self, kit: bk.Kit) -> None:
        bk.Markdown.enable(strategy=True, risk=True)

        async def trail(event: bk.BreakevenEvent) -> None:
            await bk.commit_breakeven(event.symbol)

        bk.listen_breakeven_available(trail)
        bk.add_risk(risk_name="none at noon", validations=[lambda p: "noon" if p.when.hour == 12 else None])
        bk.add_strategy(strategy_name="swing", interval="1m", get_signal=swing, risk_name="none at noon", replace=True)
        play()
        assert bk.Strategy.get_data("BTCUSDT", **NAMES).breakeven_count > 0
        risk = bk.Risk.get_data("BTCUSDT", **NAMES)
        assert risk.total_rejections > 0
        assert risk.by_symbol == {"BTCUSDT": risk.total_rejections}
        assert "noon" in bk.Risk.get_report("BTCUSDT", **NAMES)

    def test_a_second_run_starts_anew(self, kit: bk.Kit) -> None:
        bk.Markdown.enable(partial=True)
        play()
        once = bk.Partial.get_data("BTCUSDT", **NAMES).total_events
        play()
        assert bk.Partial.get_data("BTCUSDT", **NAMES).total_events == once

    def test_columns_may_be_chosen_for_once(self, kit: bk.Kit) -> None:
        bk.Markdown.enable(partial=True)
        play()
        own: list[bk.Column[Any]] = [bk.Column("when", "When", lambda row, index: str(row.when))]
        text = bk.Partial.get_report("BTCUSDT", **NAMES, columns=own)
        assert "| When |\n| --- |\n| 2025-01-0" in text

    def test_columns_may_be_chosen_for_good(self, kit: bk.Kit) -> None:
        bk.set_columns({"schedule": [{"key": "n", "label": "No", "format": lambda row, index: str(index)}]})
        bk.Markdown.enable(schedule=True)
        play()
        assert "| No |\n| --- |\n| 0 |" in bk.Schedule.get_report("BTCUSDT", **NAMES)

    def test_what_was_not_enabled_says_how(self, kit: bk.Kit) -> None:
        play()
        with pytest.raises(UsageError, match=r"bk\.Markdown\.enable\(partial=True\)"):
            bk.Partial.get_data("BTCUSDT", **NAMES)

    def test_a_run_that_is_unknown_is_a_mistake(self, kit: bk.Kit) -> None:
        bk.Markdown.enable(partial=True)
        play()
        with pytest.raises(UsageError, match="no run of backtest XRPUSDT"):
            bk.Partial.get_data("XRPUSDT", **NAMES)
        with pytest.raises(UsageError, match="no run of live BTCUSDT"):
            bk.Partial.get_data("BTCUSDT", strategy_name="swing", exchange_name="sea")

    def test_a_run_from_before_the_switch_has_no_events_and_is_no_mistake(self, kit: bk.Kit) -> None:
        play()
        bk.Markdown.enable(partial=True)
        assert bk.Partial.get_data("BTCUSDT", **NAMES).total_events == 0


class TestMarkdown:
    def test_names_that_are_true_are_meant_and_none_means_all(self, kit: bk.Kit) -> None:
        collector = kit.container.report_collector()
        bk.Markdown.enable(risk=False)
        assert not any(kit.channels)
        stop = bk.Markdown.enable(partial=True, risk=False)
        with pytest.raises(UsageError):
            collector.subject("risk", bk.RunKey("B", "s", "e", "f", True))
        stop()
        bk.Markdown.enable()
        bk.Markdown.disable(partial=True)
        assert not kit.channels.partial_profit_available
        assert kit.channels.highest_profit
        bk.Markdown.disable()
        assert not kit.channels.highest_profit

    def test_a_name_that_no_report_has_is_refused_with_the_near_ones(self, kit: bk.Kit) -> None:
        for function in (
            bk.Markdown.enable,
            bk.Markdown.disable,
            bk.Markdown.clear,
            bk.Report.enable,
            bk.Report.disable,
        ):
            flags: Any = {"partials": False}
            with pytest.raises(UsageError, match="Did you mean 'partial'"):
                function(**flags)

    def test_clear_forgets_what_was_collected(self, kit: bk.Kit) -> None:
        bk.Markdown.enable()
        play()
        bk.Markdown.clear(partial=True)
        assert bk.Partial.get_data("BTCUSDT", **NAMES).total_events == 0
        assert bk.HighestProfit.get_data("BTCUSDT", **NAMES).total_events > 0

    def test_the_writer_can_be_changed(self, kit: bk.Kit) -> None:
        play()
        bk.Markdown.use_dummy()
        assert asyncio.run(bk.Backtest.dump("BTCUSDT", **NAMES)) is None
        bk.Markdown.use_jsonl()
        assert asyncio.run(bk.Backtest.dump("BTCUSDT", **NAMES)) == Path("dump/markdown/backtest.jsonl")
        bk.Markdown.use_md()
        file = asyncio.run(bk.Backtest.dump("BTCUSDT", **NAMES))
        assert file is not None
        assert file.suffix == ".md"
        bk.Markdown.use_markdown_adapter(bk.MarkdownFileBase)
        assert asyncio.run(bk.Backtest.dump("BTCUSDT", **NAMES)) == Path("dump/markdown/backtest.jsonl")

    def test_two_kits_share_no_switch(self, kit: bk.Kit) -> None:
        bk.Markdown.enable()
        with bk.Kit() as other:
            assert not other.channels.highest_profit


class TestReport:
    def test_events_are_in_files_when_the_run_is_over(self, kit: bk.Kit) -> None:
        bk.Report.enable()
        result = play()
        lines = [json.loads(line) for line in Path("dump/report/backtest.jsonl").read_text().splitlines()]
        closed = [line for line in lines if line["data"]["action"] == "closed"]
        assert [line["signal_id"] for line in closed] == [trade.signal.id for trade in result.closed]
        assert [line["timestamp"] for line in lines] == sorted(line["timestamp"] for line in lines)
        assert {path.stem for path in Path("dump/report").iterdir()} >= {"backtest", "heat", "partial", "performance"}

    def test_an_error_in_the_data_still_leaves_what_was_heard(self, kit: bk.Kit) -> None:
        def broken(symbol: str, when: Any, price: float) -> bk.Signal | None:
            if when.day > 3:
                raise ValueError("enough")
            return swing(symbol, when, price)

        bk.add_strategy(strategy_name="swing", interval="1m", get_signal=broken, on_error="raise", replace=True)
        bk.Report.enable(backtest=True)
        with pytest.raises(bk.RunError):
            play()
        assert Path("dump/report/backtest.jsonl").read_text().count("\n") > 0

    def test_it_can_be_switched_off_and_sent_elsewhere(self, kit: bk.Kit) -> None:
        seen: list[str] = []

        class Own(bk.ReportBase):
            def write(self, data: Any, options: bk.WriteOptions) -> None:
                seen.append(options.report)

        stop = bk.Report.enable(heat=True)
        bk.Report.use_report_adapter(Own)
        trades = len(play().closed)
        assert seen == ["heat"] * trades
        bk.Report.use_dummy()
        play()
        assert len(seen) == trades
        assert not Path("dump/report").exists()
        bk.Report.use_jsonl()
        play()
        assert Path("dump/report/heat.jsonl").read_text().count("\n") == trades
        stop()
        bk.Report.disable()
        play()
        asyncio.run(bk.Report.flush())
        assert Path("dump/report/heat.jsonl").read_text().count("\n") == trades

    def test_journals_change_nothing_in_the_run(self, kit: bk.Kit) -> None:
        quiet = play()
        bk.Report.enable()
        bk.Markdown.enable()
        loud = play()
        assert (loud.fingerprint, loud.counters) == (quiet.fingerprint, quiet.counters)


class TestWriters:
    def test_a_text_of_the_users_goes_where_reports_go(self, kit: bk.Kit) -> None:
        file = asyncio.run(bk.MarkdownWriter.write_data("notes", "# Mine", symbol="BTCUSDT", frame_name="week"))
        assert file is not None
        assert file.parent == Path("dump/notes")
        assert file.name.startswith("BTCUSDT_week_backtest-")
        assert file.read_text() == "# Mine"
        elsewhere = asyncio.run(bk.MarkdownWriter.write_data("notes", "# Mine", path="here"))
        assert elsewhere is not None
        assert elsewhere.parent == Path("here")

    def test_a_record_of_the_users_goes_where_events_go(self, kit: bk.Kit) -> None:
        asyncio.run(bk.ReportWriter.write_data("notes", {"a": 1}, timestamp=START, symbol="BTCUSDT", signal_id="s1"))
        (line,) = Path("dump/report/notes.jsonl").read_text().splitlines()
        assert json.loads(line) == {
            "report_name": "notes", "data": {"a": 1}, "symbol": "BTCUSDT", "signal_id": "s1", "timestamp": START,
        }  # fmt: skip
        asyncio.run(bk.ReportWriter.write_data("notes", {"a": 2}, timestamp=START, frame_name="week"))
        assert Path("dump/report/notes.jsonl").read_text().count("\n") == 1
        asyncio.run(bk.Report.flush())
        assert Path("dump/report/notes.jsonl").read_text().count("\n") == 2

    @pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden"])
    def test_a_name_that_is_no_file_name_is_refused(self, kit: bk.Kit, name: str) -> None:
        with pytest.raises(UsageError, match="no file name"):
            asyncio.run(bk.MarkdownWriter.write_data(name, "text"))
        with pytest.raises(UsageError, match="no file name"):
            asyncio.run(bk.ReportWriter.write_data(name, {}, timestamp=START))


class TestHeat:
    def test_it_pools_the_runs_of_one_exchange_and_frame(self, kit: bk.Kit) -> None:
        btc, eth = play(), play("ETHUSDT")
        heat = bk.Heat.get_data(exchange_name="sea", frame_name="week")
        assert {row.symbol for row in heat.symbols} == {"BTCUSDT", "ETHUSDT"}
        assert heat.portfolio_total_trades == len(btc.closed) + len(eth.closed)
        assert heat.equity is not None
        assert heat.equity.net_profit == pytest.approx(sum(t.pnl.pnl_cost for t in (*btc.closed, *eth.closed)))
        assert heat.equity.max_open_positions == 2
        assert heat.equity.capital == 200.0

    def test_one_strategy_or_all_of_them(self, kit: bk.Kit) -> None:
        bk.add_strategy(strategy_name="other", interval="1m", get_signal=swing)
        play()
        play(strategy_name="other")
        one = bk.Heat.get_data(exchange_name="sea", frame_name="week", strategy_name="other")
        both = bk.Heat.get_data(exchange_name="sea", frame_name="week")
        assert both.portfolio_total_trades == 2 * one.portfolio_total_trades
        title = bk.Heat.get_report(exchange_name="sea", frame_name="week").splitlines()[0]
        assert title == "# Portfolio Heatmap: all strategies"
        title = bk.Heat.get_report(exchange_name="sea", frame_name="week", strategy_name="other").splitlines()[0]
        assert title == "# Portfolio Heatmap: other"

    def test_capital_and_columns_may_be_given(self, kit: bk.Kit) -> None:
        play()
        text = bk.Heat.get_report(
            exchange_name="sea", frame_name="week", capital=5000.0,
            columns=[bk.Column("symbol", "What", lambda row, index: row.symbol)],
        )  # fmt: skip
        assert "**Capital:** 5000.00 USDT (given)" in text
        assert "| What |\n| --- |\n| BTCUSDT |" in text
        analysis = bk.Heat.analyse(exchange_name="sea", frame_name="week", capital=5000.0)
        assert analysis.equity is not None
        assert analysis.equity.capital_given

    def test_it_is_written_into_a_folder_of_its_own(self, kit: bk.Kit) -> None:
        play()
        file = asyncio.run(bk.Heat.dump(exchange_name="sea", frame_name="week"))
        assert file is not None
        assert file.parent == Path("dump/heatmap")
        assert file.name.startswith("all-strategies_sea_week_backtest-")

    def test_a_portfolio_of_nothing_is_a_mistake(self, kit: bk.Kit) -> None:
        with pytest.raises(UsageError, match=r"no run of sea / week\. Known: nothing was run yet"):
            bk.Heat.get_data(exchange_name="sea", frame_name="week")
        play()
        with pytest.raises(UsageError, match=r"no run of swing / sea / month\. Known: backtest BTCUSDT"):
            bk.Heat.get_data(exchange_name="sea", frame_name="month", strategy_name="swing")


class TestAnalysis:
    def test_a_result_is_analysed_when_it_is_asked_and_once(self, kit: bk.Kit) -> None:
        result = play()
        analysis = result.analysis
        assert result.analysis is analysis
        assert analysis.equity is not None
        assert analysis.equity.marked
        assert analysis.equity.net_profit == pytest.approx(result.statistics.total_pnl_cost)
        assert analysis.costs.fee == pytest.approx(result.fee_paid)
        assert analysis.costs.slippage == pytest.approx(result.slippage_paid)
        assert analysis.costs.net == pytest.approx(result.statistics.total_pnl_cost)
        assert analysis.equity.days == pytest.approx(7 - 60 / 1440)

    def test_the_account_sees_what_a_trade_gave_back(self, kit: bk.Kit) -> None:
        result = play()
        equity = result.analyse(1000.0).equity
        assert equity is not None
        blind = bk.analyse(
            [
                bk.TradeSet(
                    "BTCUSDT", result.closed, result.trade_set().costs, None, START, result.trade_set().last_time
                )
            ],
            1000.0,
        ).equity
        assert blind is not None
        assert not blind.marked
        assert equity.max_drawdown > blind.max_drawdown
        assert equity.net_profit == pytest.approx(blind.net_profit)

    def test_positions_are_valued_at_the_price_that_the_engine_valued_them_at(self, kit: bk.Kit) -> None:
        result = play()
        assert result.market is not None
        curve = result.analysis.curve
        assert curve is not None
        trade = max(result.closed, key=lambda t: t.close_timestamp - t.signal.pending_at)
        inside = (curve.times >= trade.signal.pending_at) & (curve.times < trade.close_timestamp)
        before = curve.equity[int(np.searchsorted(curve.times, trade.signal.pending_at)) - 1]
        worst = float(curve.equity[inside].min()) - before
        assert worst == pytest.approx(min(trade.signal.max_drawdown.pnl_cost, worst), abs=1e-9)
        assert worst >= trade.signal.max_drawdown.pnl_cost - 1e-9

    def test_a_run_without_trades_has_costs_of_nothing(self, kit: bk.Kit) -> None:
        bk.add_strategy(strategy_name="swing", interval="1m", get_signal=lambda *_: None, replace=True)
        analysis = play().analysis
        assert (analysis.equity, analysis.costs.net) == (None, 0.0)

    def test_several_runs_make_one_account(self, kit: bk.Kit) -> None:
        together = bk.analyse([play().trade_set(), play("ETHUSDT").trade_set()], 1000.0)
        assert together.equity == bk.Heat.analyse(exchange_name="sea", frame_name="week", capital=1000.0).equity

    def test_the_report_shows_it(self, kit: bk.Kit) -> None:
        play()
        text = bk.Backtest.get_report("BTCUSDT", **NAMES)
        for heading in ("Equity", "Daily Returns", "Trades from Inside", "Costs", "Benchmark", "Breakdown"):
            assert f"\n## {heading}\n" in text
        assert "**Capital:** 100.00 USDT (peak of the money at work)" in text
        assert "| side | long |" in text

    def test_every_figure_is_a_number_or_none(self, kit: bk.Kit) -> None:
        analysis = play().analysis
        for part in (
            analysis.equity,
            analysis.daily,
            analysis.per_trade,
            analysis.quality,
            analysis.costs,
            analysis.benchmark,
        ):
            for field in fields(part):  # type: ignore[arg-type]
                value = getattr(part, field.name)
                assert value is None or isinstance(value, bk.TradingYear) or np.isfinite(value), field.name
