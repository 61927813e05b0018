"""How a backtest leaves the framework: its trades, its account, a figure, and what notebooks show."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet
from sheets import Run, prices
from sheets import trades as sheet_trades
from trades import KEY, START, closed, partial, run_key

import backtestkit as bk
from backtestkit.api.backtest_run import BacktestResult
from backtestkit.math.statistics_equity import daily_returns
from backtestkit.model.analysis import Marks
from backtestkit.model.interval import MINUTE_MS
from backtestkit.model.result import ClosedResult
from backtestkit.model.trade_table import TRADE_COLUMNS, trade_table

DOCS = Path(__file__).resolve().parents[2] / "docs"


def result(*trades: ClosedResult, market: Marks | None = None, key: bk.RunKey = KEY) -> BacktestResult:
    """A backtest that made these trades."""
    summary = Run(tuple(trades), market).summary
    counters: Any = None
    return BacktestResult(key, tuple(trades), summary, counters, (), 0, market)


def month(count: int, **fields: Any) -> BacktestResult:
    """A month with so many trades."""
    candles = prices()
    return result(*sheet_trades(count, candles, **fields), market=Marks(candles.timestamp, candles.close))


class TestTrades:
    def test_a_row_says_what_the_trade_was(self) -> None:
        trade = closed(90, 103.0, opened=30, fundings=[(60, -0.25), (90, 0.5)], partials=[partial(50, 40, 102.0)])
        row = result(trade).to_polars().row(0, named=True)
        assert (row["position"], row["close_reason"], row["ambiguous"]) == ("long", "take_profit", False)
        assert (row["price_open"], row["price_close"]) == (trade.signal.price_open, 103.0)
        assert (row["pnl"], row["pnl_cost"]) == (trade.pnl.pnl_percentage, trade.pnl.pnl_cost)
        assert (row["duration"], row["funding"], row["partials"], row["note"]) == (90.0, 0.25, 1, "**why** | because")
        assert row["open_time"].timestamp() * 1000 == START + 30 * MINUTE_MS
        assert row["close_id"] is None

    def test_all_numbers_survive_a_file_bit_for_bit(self, tmp_path: Path) -> None:
        made = month(200)
        table = made.to_table()
        read = parquet.read_table(made.to_parquet(tmp_path / "trades.parquet"))
        polars = pytest.importorskip("polars")
        again = polars.read_csv(made.to_csv(tmp_path / "trades.csv"))
        for column in TRADE_COLUMNS:
            if column.kind == "number":
                assert read[column.name].to_numpy().tobytes() == table[column.name].tobytes(), column.name
                assert again[column.name].cast(polars.Float64).to_numpy().tobytes() == table[column.name].tobytes()

    def test_a_run_without_trades_has_all_columns(self) -> None:
        empty, full = result().to_pandas(), month(3).to_pandas()
        assert empty.dtypes.equals(full.dtypes)
        assert empty.columns.tolist() == [column.name for column in TRADE_COLUMNS]

    def test_a_trade_that_lacks_a_time_has_no_duration(self) -> None:
        table = trade_table([closed(pending_at=0)])
        assert np.isnan(table["duration"]).all()
        assert table.to_polars()["open_time"].to_list() == [None]

    def test_every_column_is_explained_in_the_manual(self) -> None:
        page = (DOCS / "notebooks.md").read_text(encoding="utf-8")
        assert [column.name for column in TRADE_COLUMNS if f"| `{column.name}` |" not in page] == []


class TestAccount:
    def test_the_curve_is_a_table(self) -> None:
        curve = month(20).analysis.curve
        assert curve is not None
        frame = curve.to_pandas()
        assert frame.columns.tolist() == ["time", "equity", "invested"]
        assert frame["equity"].tolist() == curve.equity.tolist()

    def test_daily_returns_are_a_table(self) -> None:
        made = month(20)
        curve = made.analysis.curve
        assert curve is not None
        frame = made.daily_table().to_polars()
        assert frame["daily_return"].to_list() == daily_returns(curve).tolist()
        assert str(frame["time"][0]) == "2025-01-02 00:00:00+00:00"

    def test_without_trades_there_are_no_days(self) -> None:
        assert len(result().daily_table()) == 0

    def test_an_account_that_fell_to_nothing_has_no_days(self) -> None:
        assert len(result(closed(price=1.0, multiplier=3.0)).daily_table()) == 0

    def test_all_figures_are_a_table(self) -> None:
        analysis = month(20).analysis
        rows = analysis.to_polars().rows()
        assert analysis.equity is not None
        assert ("equity", "max_drawdown", analysis.equity.max_drawdown) in rows
        assert {row[0] for row in rows} == {"equity", "daily", "per_trade", "quality", "costs", "benchmark"}
        assert {row[0] for row in result().analysis.to_polars().rows()} == {"daily", "per_trade", "quality", "costs"}

    def test_breakdowns_are_a_table(self) -> None:
        analysis = month(20).analysis
        frame = analysis.breakdown_table().to_pandas()
        assert frame["key"].tolist() == [row.key for row in analysis.breakdown]
        assert frame["total_pnl"].tolist() == [row.total_pnl for row in analysis.breakdown]


def test_a_portfolio_is_a_table_of_symbols() -> None:
    from backtestkit.math.statistics_heat import heat_statistics, trades_by_symbol

    made = [closed(price=price, key=run_key(symbol)) for symbol in ("ETHUSDT", "BTCUSDT") for price in (101.0, 99.0)]
    statistics = heat_statistics(trades_by_symbol([made]))
    frame = statistics.to_pandas()
    assert frame.columns[0] == "symbol"
    assert frame["total_pnl"].tolist() == [row.total_pnl for row in statistics.symbols]
    assert sorted(frame["symbol"]) == ["BTCUSDT", "ETHUSDT"]


class TestPage:
    def test_it_shows_figures_the_account_and_some_trades(self) -> None:
        page = month(40)._repr_html_()
        assert "above-mean on BTCUSDT" in page and "showing 10 of 40" in page
        assert page.count("<polyline") == 1
        assert "policy conservative · fee 0.1% · slippage 0.1%" in page

    def test_without_trades_it_says_so(self) -> None:
        page = result()._repr_html_()
        assert "No position was closed." in page and "<svg" not in page

    def test_it_is_light_and_needs_nothing_else(self) -> None:
        page = month(2000)._repr_html_()
        assert len(page) < 20_000
        assert not re.search(r"<script|https?:|url\(|@import", page)

    def test_names_are_escaped(self) -> None:
        key = run_key("<i>", strategy_name="<script>x</script>", exchange_name='"><b>')
        for page in (result(closed(key=key), key=key)._repr_html_(), result(key=key)._repr_html_()):
            assert "<script" not in page and "<b>&" not in page and "&lt;script&gt;" in page

    def test_an_account_that_only_moves_with_closes_says_so(self) -> None:
        assert "moves when a trade closes" in result(closed())._repr_html_()

    def test_costs_and_a_span_that_are_not_known_are_left_out(self) -> None:
        made = result(closed())
        unknown = BacktestResult(made.key, made.closed, bk.RunSummary(policy="own"), made.counters, (), 0)
        assert '<div class="bk-quiet">bybit, june · policy own</div>' in unknown._repr_html_()

    def test_trades_without_times_have_no_line(self) -> None:
        page = result(closed(pending_at=0))._repr_html_()
        assert "showing" not in page and "1 row<" in page and "<svg" not in page

    def test_figures_that_the_sample_cannot_carry_are_not_available(self) -> None:
        assert "N/A" in result(closed())._repr_html_()


class TestProgress:
    async def get_signal(self, symbol: str, when: Any, price: float) -> bk.Signal:
        return bk.Signal(
            position="long", price_take_profit=price * 1.02, price_stop_loss=price * 0.98, minute_estimated_time=60
        )

    def register(self) -> None:
        bk.add_exchange(bk.SyntheticExchange("market"))
        bk.add_frame(frame_name="day", start_date="2025-06-02", end_date="2025-06-03")
        bk.add_strategy(strategy_name="always", interval="15m", get_signal=self.get_signal)

    def test_a_run_shows_how_far_it_is(self) -> None:
        with bk.Kit():
            self.register()
            run = bk.Backtest.run("BTCUSDT", strategy_name="always", exchange_name="market", frame_name="day")
            assert "pending, 0% done. 0 trades closed." in run._repr_html_()
            steps = iter(run)
            while not run.closed:
                next(steps)
            assert re.search(r"running, \d+% done\. 1 trade closed\.", run._repr_html_())
            run.wait()
            assert re.search(r"width:100\.0%.*ready, 100% done\. \d+ trades closed\.", run._repr_html_())

    def test_a_run_in_the_background_shows_the_same(self) -> None:
        async def main() -> tuple[str, str]:
            background = bk.Backtest.background(
                "BTCUSDT", strategy_name="always", exchange_name="market", frame_name="day"
            )
            await background
            return background._repr_html_(), background.run._repr_html_()

        with bk.Kit():
            self.register()
            shown, inner = asyncio.run(main())
        assert shown == inner and "ready, 100% done" in shown

    def test_a_walk_shows_its_best_and_exports_its_comparison(self) -> None:
        with bk.Kit():
            self.register()
            bk.add_walker(
                walker_name="one", exchange_name="market", frame_name="day", strategies=["always"], metric="total_pnl"
            )
            walk = bk.Walker.run("BTCUSDT", walker_name="one")
            assert "pending, 0% done." in walk._repr_html_()
            came_to = walk.wait()
            assert "ready, 100% done. Best so far: always." in walk._repr_html_()
        row = came_to.to_polars().row(0, named=True)
        assert (row["strategy_name"], row["metric_value"]) == ("always", came_to.best_metric)
        assert row["total_signals"] == came_to.strategy_results[0].stats.total_signals


class TestFigure:
    def test_price_equity_and_drawdown_share_one_axis_of_time(self) -> None:
        figure = month(30).plot()
        assert {trace.yaxis for trace in figure.data} == {"y", "y2", "y3"}
        assert {trace.xaxis for trace in figure.data} == {"x"}
        names = [trace.name for trace in figure.data]
        assert {"Average price", "Account", "Buy and hold", "Drawdown", "Entry, long", "Exit, won"} <= set(names)

    def test_it_draws_the_equity_that_the_analysis_has(self) -> None:
        made = month(30)
        account = next(trace for trace in made.plot().data if trace.name == "Account")
        curve = made.analysis.curve
        assert curve is not None
        assert float(account.y[-1]) == float(curve.equity[-1])
        assert np.datetime64(account.x[-1], "ms").astype(np.int64) == curve.times[-1]

    def test_candles_are_drawn_as_bars_of_the_tested_span(self) -> None:
        candles = prices(40 * 1440)
        bars = month(30).plot(candles).data[0]
        assert bars.type == "candlestick"
        assert np.datetime64(bars.x[-1], "ms").astype(np.int64) < START + 31 * 1440 * MINUTE_MS

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_no_name_of_a_colour_is_left(self, theme: Any) -> None:
        text = month(30).plot(theme=theme).to_json()
        assert not re.search(r'"\$[a-z-]+"', text)
        assert ("#161a22" in text) is (theme == "dark"), "the surface of the dark theme"

    def test_without_trades_the_empty_places_say_why(self) -> None:
        figure = result().plot()
        assert len(figure.data) == 0
        notes = " ".join(note.text for note in figure.layout.annotations)
        assert "The prices of this run are not at hand." in notes
        assert "No position was closed" in notes

    def test_an_unknown_theme_is_refused(self) -> None:
        with pytest.raises(bk.UsageError, match="theme='blue' is unknown; give one of light, dark"):
            result().plot(theme="blue")  # type: ignore[arg-type]

    def test_without_plotly_it_says_how_to_get_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "plotly.graph_objects", None)
        with pytest.raises(bk.UsageError, match=r'pip install "backtestkit\[plots\]"'):
            result().plot()
