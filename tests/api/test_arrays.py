"""Array tests as their users see them: when orders fill, what levels do, what is refused, what comes back."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from backtestkit.api import arrays as api_arrays
from backtestkit.math import arrays_equity, arrays_levels
from backtestkit.model.candle import Flags

START = 1_735_689_600_000
HOUR = 3_600_000
FREE: dict[str, Any] = {"percent_fee": 0.0, "percent_slippage": 0.0}
Rows = Sequence[tuple[float, float, float, float]]


def candles(rows: Rows) -> bk.Candles:
    """Hours with open, high, low and close."""
    opened, high, low, close = (list(column) for column in zip(*rows, strict=True))
    return bk.Candles.from_columns(START + HOUR * np.arange(len(rows)), opened, high, low, close, np.ones(len(rows)))


def flat(*closes: float) -> bk.Candles:
    """Hours that open where the one before closed."""
    opens = [closes[0], *closes[:-1]]
    return candles([(o, max(o, c), min(o, c), c) for o, c in zip(opens, closes, strict=True)])


def at(count: int, *places: int) -> Flags:
    """True at some candles."""
    marks = np.zeros(count, dtype=bool)
    marks[list(places)] = True
    return marks


def trades(result: bk.ArrayResult, *names: str, number: int = 0) -> list[tuple[Any, ...]]:
    """Some columns of the trades of a set, by row."""
    table = result.trades(number)
    return list(zip(*(table[name].tolist() for name in names), strict=True))


RISING = flat(100, 101, 102, 103, 104, 105)


class TestFills:
    def test_a_decision_at_a_close_fills_at_the_next_open(self) -> None:
        market = candles([(10, 10, 10, 10), (11, 12, 11, 12), (13, 14, 13, 14), (15, 16, 15, 16)])
        result = bk.arrays.run_signals(market, long_entries=at(4, 0), long_exits=at(4, 2), **FREE)
        assert trades(result, "price_open", "price_close", "close_reason") == [(11.0, 15.0, "closed")]
        assert trades(result, "open_time", "close_time", "duration") == [(START + HOUR, START + 3 * HOUR, 120.0)]

    def test_a_decision_may_fill_at_its_own_close(self) -> None:
        market = candles([(10, 10, 10, 10), (11, 12, 11, 12), (13, 14, 13, 14), (15, 16, 15, 16)])
        result = bk.arrays.run_signals(market, long_entries=at(4, 0), long_exits=at(4, 2), fill="close", **FREE)
        assert trades(result, "price_open", "price_close", "close_reason") == [(10.0, 14.0, "closed")]
        assert trades(result, "open_time", "close_time") == [(START + HOUR, START + 3 * HOUR)]
        assert result.equity(0).equity.tolist() == pytest.approx([1, 1.2, 1.4, 1.4])

    def test_what_is_open_at_the_end_is_closed_at_the_last_close(self) -> None:
        result = bk.arrays.run_signals(RISING, long_entries=at(6, 1), **FREE)
        assert trades(result, "price_close", "close_reason", "close_time") == [(105.0, "frame_end", START + 6 * HOUR)]
        assert result.equity(0).equity[-1] == result["total_return"][0] / 100 + 1

    @pytest.mark.parametrize("fill", ["next_open", "close"])
    def test_signals_of_the_last_candle_are_not_filled(self, fill: Any) -> None:
        result = bk.arrays.run_signals(RISING, long_entries=at(6, 5), fill=fill)
        assert result["trades"].tolist() == [0]
        result = bk.arrays.run_signals(RISING, long_entries=at(6, 0), long_exits=at(6, 5), fill=fill)
        assert trades(result, "close_reason") == [("frame_end",)]

    def test_an_exit_without_a_position_and_an_entry_into_one_change_nothing(self) -> None:
        result = bk.arrays.run_signals(RISING, long_entries=at(6, 1, 2), long_exits=at(6, 0, 3, 4), **FREE)
        assert trades(result, "price_open", "price_close") == [(101.0, 103.0)]

    def test_contradicting_signals_are_ignored(self) -> None:
        every = np.ones(6, dtype=bool)
        assert bk.arrays.run_signals(RISING, long_entries=every, long_exits=every)["trades"].tolist() == [0]
        assert bk.arrays.run_signals(RISING, long_entries=every, short_entries=every)["trades"].tolist() == [0]

    def test_an_entry_of_the_other_side_turns_a_position_around(self) -> None:
        result = bk.arrays.run_signals(RISING, long_entries=at(6, 0), short_entries=at(6, 2), **FREE)
        found = trades(result, "position", "price_open", "price_close", "close_reason")
        assert found == [("long", 100.0, 102.0, "closed"), ("short", 102.0, 105.0, "frame_end")]

    def test_an_exit_closes_its_own_side_only(self) -> None:
        result = bk.arrays.run_signals(RISING, short_entries=at(6, 0), long_exits=at(6, 2), **FREE)
        assert trades(result, "close_reason") == [("frame_end",)]

    def test_positions_are_held_as_long_as_their_target(self) -> None:
        result = bk.arrays.run_positions(RISING, [0, 1, 1, -1, 0, 0], **FREE)
        found = trades(result, "position", "price_open", "price_close")
        assert found == [("long", 101.0, 103.0), ("short", 103.0, 104.0)]

    def test_booleans_are_long_or_flat(self) -> None:
        result = bk.arrays.run_positions(RISING, np.array([True, True, False, False, True, True]), **FREE)
        assert trades(result, "price_open", "price_close") == [(100.0, 102.0), (104.0, 105.0)]


class TestLevels:
    def test_a_stop_fills_at_its_level_on_the_candle_of_the_entry_too(self) -> None:
        market = candles([(100, 100, 100, 100), (100, 101, 94, 99), (99, 99, 99, 99)])
        result = bk.arrays.run_signals(market, long_entries=at(3, 0), percent_stop_loss=5, **FREE)
        assert trades(result, "price_close", "close_reason", "close_time") == [(95.0, "stop_loss", START + 2 * HOUR)]

    def test_a_stop_that_a_candle_opens_beyond_fills_at_that_open(self) -> None:
        market = candles([(100, 100, 100, 100), (100, 101, 99, 100), (90, 92, 89, 91), (91, 91, 91, 91)])
        long = bk.arrays.run_signals(market, long_entries=at(4, 0), percent_stop_loss=5, **FREE)
        assert trades(long, "price_close", "close_reason") == [(90.0, "stop_loss")]
        up = candles([(100, 100, 100, 100), (100, 101, 99, 100), (110, 112, 109, 111), (91, 91, 91, 91)])
        short = bk.arrays.run_signals(up, short_entries=at(4, 0), percent_stop_loss=5, **FREE)
        assert trades(short, "price_close", "close_reason") == [(110.0, "stop_loss")]

    def test_a_take_profit_fills_at_its_level_and_never_better(self) -> None:
        market = candles([(100, 100, 100, 100), (100, 101, 99, 100), (120, 125, 119, 121), (91, 91, 91, 91)])
        result = bk.arrays.run_signals(market, long_entries=at(4, 0), percent_take_profit=10, **FREE)
        (price, reason) = trades(result, "price_close", "close_reason")[0]
        assert (price, reason) == (100.0 * (1 + 10 / 100), "take_profit")

    def test_the_stop_comes_before_the_take_profit_and_is_counted_as_ambiguous(self) -> None:
        market = candles([(100, 100, 100, 100), (100, 111, 94, 99), (99, 99, 99, 99)])
        result = bk.arrays.run_signals(
            market, long_entries=at(3, 0), percent_stop_loss=5, percent_take_profit=10, **FREE
        )
        assert trades(result, "close_reason", "ambiguous") == [("stop_loss", True)]
        assert result["ambiguous_exits"].tolist() == [1]

    def test_a_trailing_stop_knows_the_best_price_up_to_the_candle_before(self) -> None:
        market = candles([(100, 100, 100, 100), (100, 120, 97, 118), (118, 119, 113, 114), (114, 114, 114, 114)])
        result = bk.arrays.run_signals(market, long_entries=at(4, 0), percent_trailing_stop=5, **FREE)
        assert trades(result, "price_close", "close_reason") == [(120.0 * (1 - 5 / 100), "trailing_stop")]

    def test_after_a_level_signals_may_enter_again_at_the_close_of_that_candle(self) -> None:
        market = candles([(100, 100, 100, 100), (100, 100, 94, 96), (96, 96, 96, 96), (96, 97, 96, 97)])
        always = np.ones(4, dtype=bool)
        result = bk.arrays.run_signals(market, long_entries=always, percent_stop_loss=5, **FREE)
        found = trades(result, "price_open", "price_close", "close_reason")
        assert found == [(100.0, 95.0, "stop_loss"), (96.0, 97.0, "frame_end")]

    def test_after_a_level_a_target_must_change_before_it_is_traded_again(self) -> None:
        market = candles(
            [(100, 100, 100, 100), (100, 100, 94, 96), (96, 96, 96, 96), (96, 97, 96, 97), (97, 97, 97, 97)]
        )
        held = bk.arrays.run_positions(market, [1, 1, 1, 1, 1], percent_stop_loss=5, **FREE)
        assert trades(held, "close_reason") == [("stop_loss",)]
        anew = bk.arrays.run_positions(market, [1, 1, 0, 1, 1], percent_stop_loss=5, **FREE)
        assert trades(anew, "price_open", "close_reason") == [(100.0, "stop_loss"), (97.0, "frame_end")]

    def test_each_set_may_have_its_own_level_or_none(self) -> None:
        market = candles([(100, 100, 100, 100), (100, 101, 94, 99), (99, 99, 89, 99), (99, 99, 99, 99)])
        entries = np.tile(at(4, 0), (3, 1))
        result = bk.arrays.run_signals(market, long_entries=entries, percent_stop_loss=[5, 10, np.nan], **FREE)
        found = [trades(result, "price_close", "close_reason", number=i)[0] for i in range(3)]
        assert found == [(95.0, "stop_loss"), (90.0, "stop_loss"), (99.0, "frame_end")]

    def test_a_level_is_found_however_late_it_is_met(self) -> None:
        closes = [100.0] * 700 + [89.0, 100.0]
        result = bk.arrays.run_signals(flat(*closes), long_entries=at(702, 0), percent_stop_loss=10, **FREE)
        assert trades(result, "price_close", "duration") == [(90.0, 700 * 60.0)]


class TestMoney:
    def test_a_trade_earns_what_a_position_of_the_engine_earns(self) -> None:
        from backtestkit.math.profit import Costs, whole_profit

        result = bk.arrays.run_signals(
            RISING, long_entries=at(6, 0), long_exits=at(6, 3), percent_fee=0.2, percent_slippage=0.3
        )
        expected = whole_profit(True, 100.0, 100.0, 1.0, 103.0, Costs(0.3, 0.2)).pnl_percentage
        assert trades(result, "pnl") == [(expected,)]
        assert result["total_pnl"].tolist() == [expected]

    def test_costs_are_those_of_the_configuration_unless_given(self) -> None:
        with bk.Kit({"percent_fee": 0.2, "percent_slippage": 0.0}):
            entries = at(6, 0)
            by_config, free = (bk.arrays.run_signals(RISING, long_entries=entries, **more) for more in ({}, FREE))
            given = bk.arrays.run_signals(RISING, long_entries=entries, percent_fee=0.2, percent_slippage=0)
        assert by_config["fee_paid"].tolist() == given["fee_paid"].tolist() == [0.2 * (1 + 105 / 100)]
        assert free["fee_paid"].tolist() == [0]

    def test_equity_compounds_and_the_sum_does_not(self) -> None:
        market = flat(100, 110, 110, 121)
        result = bk.arrays.run_positions(market, [1, 0, 1, 1], **FREE)
        assert result["total_return"][0] == pytest.approx(21)
        assert result["total_pnl"][0] == pytest.approx(20)

    def test_equity_is_marked_at_every_close(self) -> None:
        market = flat(100, 100, 80, 120, 120)
        result = bk.arrays.run_signals(market, long_entries=at(5, 0), **FREE)
        curve = result.equity(0)
        assert curve.equity.tolist() == pytest.approx([1, 1, 0.8, 1.2, 1.2])
        assert curve.invested.tolist() == [0, 1, 1, 1, 1]
        assert curve.times.tolist() == [START + HOUR * i for i in range(1, 6)]
        assert result["max_drawdown"][0] == pytest.approx(20)
        assert result["exposure"][0] == 80

    def test_a_short_that_lost_everything_is_liquidated_and_its_account_stays_at_zero(self) -> None:
        market = flat(100, 100, 150, 250, 100, 100, 120)
        result = bk.arrays.run_positions(market, [-1, -1, -1, -1, 0, 1, 1], **FREE)
        found = trades(result, "close_reason", "price_close", "pnl", "equity_after")
        assert found == [("liquidation", 200.0, -100.0, 0.0), ("frame_end", 120.0, 20.0, 0.0)]
        assert result.equity(0).equity.tolist() == [1, 1, 0.5, 0, 0, 0, 0]
        assert result["total_return"].tolist() == [-100]
        assert result["max_drawdown"].tolist() == [100]

    def test_an_account_that_could_not_pay_for_its_exit_has_nothing(self) -> None:
        market = candles([(10, 10, 10, 10)] * 6)
        result = bk.arrays.run_signals(
            market, long_entries=at(6, 0), long_exits=at(6, 3), percent_fee=60, percent_slippage=0
        )
        assert result.equity(0).equity.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
        assert (result["total_return"].tolist(), result["max_drawdown"].tolist()) == ([-100.0], [100.0])

    def test_the_sharpe_ratio_counts_flat_candles_and_the_given_year(self) -> None:
        market = flat(100, 100, 102, 101, 103, 103)
        result = bk.arrays.run_signals(market, long_entries=at(6, 0), periods_per_year=252, **FREE)
        returns = np.array([0, 102 / 100 - 1, 101 / 102 - 1, 103 / 101 - 1, 0])
        assert result["sharpe_ratio"][0] == pytest.approx(returns.mean() / returns.std(ddof=1) * 252**0.5)
        assert (result.periods_per_year, bk.arrays.run_signals(market, long_entries=at(6, 0)).periods_per_year) == (
            252,
            8760,
        )

    def test_a_set_without_trades_has_no_ratios(self) -> None:
        row = bk.arrays.run_signals(RISING, long_entries=at(6)).row(0)
        assert {name for name, value in row.items() if value != value} == {
            "win_rate", "avg_pnl", "profit_factor", "sharpe_ratio",
        }  # fmt: skip
        assert row["total_return"] == row["max_drawdown"] == 0


def screened(**more: Any) -> bk.ArrayResult:
    """Thirty sets on a walk, with shorts and levels of their own."""
    rng = np.random.default_rng(3)
    market = flat(*(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 400)))).tolist())
    targets = np.repeat(rng.integers(-1, 2, (30, 40)), 10, axis=1)
    return bk.arrays.run_positions(market, targets, params={"n": np.arange(30)}, **more)


class TestManySets:
    @pytest.mark.parametrize("levels", [{}, {"percent_stop_loss": np.linspace(0.5, 20, 30)}])
    @pytest.mark.parametrize("decisions", [1, 300])
    def test_how_many_sets_are_handled_at_once_changes_nothing(
        self, levels: dict[str, Any], decisions: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        together = screened(**levels)
        monkeypatch.setattr(api_arrays, "CELLS_AT_ONCE", 400 * 7)
        monkeypatch.setattr(api_arrays, "DECISIONS_AT_ONCE", decisions)
        monkeypatch.setattr(arrays_equity, "MARKED_CELLS", 1)
        monkeypatch.setattr(arrays_levels, "CELLS_READ", 1)
        apart = screened(**levels)
        assert together.to_pandas().equals(apart.to_pandas())
        for number in (0, 6, 7, 29):
            assert together.trades(number).to_pandas().equals(apart.trades(number).to_pandas())

    def test_one_set_with_very_many_trades_does_not_make_the_others_long(self) -> None:
        count = 20_000
        market = flat(*(100 + np.arange(count) % 2).tolist())
        targets = np.zeros((1_000, count), dtype=bool)
        targets[0, ::2] = True
        tracemalloc.start()
        result = bk.arrays.run_positions(market, targets)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert result["trades"][0] == count // 2
        assert peak < 20e6

    @pytest.mark.parametrize("levels", [{}, {"percent_stop_loss": 2.0, "percent_trailing_stop": 4.0}])
    def test_a_screening_needs_little_memory(self, levels: dict[str, Any]) -> None:
        rng = np.random.default_rng(1)
        market = flat(*(100 * np.exp(np.cumsum(rng.normal(0, 0.005, 8760)))).tolist())
        entries, exits = (rng.random((1_000, 8760), dtype=np.float32) < 0.008 for _ in range(2))
        tracemalloc.start()
        result = bk.arrays.run_signals(market, long_entries=entries, long_exits=exits, **levels)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert result["trades"].sum() > 30_000
        assert peak < 32e6

    def test_a_signal_for_one_set_serves_all(self) -> None:
        exits = np.stack([at(6, 2), at(6, 3), at(6, 4)])
        result = bk.arrays.run_signals(RISING, long_entries=at(6, 0), long_exits=exits, **FREE)
        assert result["total_pnl"].tolist() == pytest.approx([2.0, 3.0, 4.0])

    def test_figures_are_columns_by_name(self) -> None:
        result = screened()
        assert len(result) == 30
        assert result["trades"].shape == (30,)
        assert list(result.figures) == [c.name for c in result.to_table().columns[2:]]
        assert result.params["n"].tolist() == list(range(30))
        assert repr(result).startswith("<ArrayResult 30 sets, 400 candles, ")

    def test_the_best_set_has_the_most_or_the_least_of_a_figure(self) -> None:
        result = screened()
        assert result.best("total_return") == int(result["total_return"].argmax())
        assert result.best("max_drawdown") == int(result["max_drawdown"].argmin())
        order = result.ranked("total_return")
        assert result["total_return"][order].tolist() == sorted(result["total_return"].tolist(), reverse=True)

    def test_sets_without_a_figure_are_never_the_best(self) -> None:
        entries = np.stack([at(6), at(6, 1)])
        result = bk.arrays.run_signals(RISING, long_entries=entries, **FREE)
        assert (result.best("win_rate"), result.ranked("win_rate").tolist()) == (1, [1, 0])
        with pytest.raises(bk.UsageError, match="no set has a profit_factor"):
            result.best("profit_factor")

    def test_a_row_has_params_and_figures(self) -> None:
        row = screened().row(-1)
        assert row["n"] == 29 and isinstance(row["trades"], float)

    def test_a_frame_has_one_row_a_set(self) -> None:
        result = screened()
        frame = result.to_pandas()
        assert frame.columns[:3].tolist() == ["set", "n", "trades"]
        assert frame["total_return"].tolist() == result["total_return"].tolist()
        assert result.to_polars()["max_drawdown"].to_list() == result["max_drawdown"].tolist()

    def test_params_keep_their_kinds(self) -> None:
        result = bk.arrays.run_signals(
            RISING,
            long_entries=np.stack([at(6), at(6)]),
            params={"name": ["a", "b"], "share": [0.5, 1.5], "on": [True, False]},
        )
        kinds = {column.name: column.kind for column in result.to_table().columns[1:4]}
        assert kinds == {"name": "text", "share": "number", "on": "flag"}

    def test_a_notebook_shows_the_best_ten(self) -> None:
        page = screened()._repr_html_()
        assert "the best 10 by Sharpe ratio" in page
        assert page.count("<tr>") == 11
        assert "<script" not in page


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({}, "give long_entries, short_entries or both"),
            ({"long_entries": at(5, 0)}, r"long_entries has shape \(5,\); give \(6,\) or \(sets, 6\)"),
            ({"long_entries": np.ones((6, 4), dtype=bool)}, r"transpose them \(\.T\)"),
            ({"long_entries": np.ones((0, 6), dtype=bool)}, r"long_entries has shape \(0, 6\)"),
            ({"long_entries": np.ones((1, 1, 6), dtype=bool)}, r"shape \(1, 1, 6\)"),
            ({"long_entries": np.ones(6)}, "long_entries has the type float64; give booleans"),
            (
                {"long_entries": np.ones((3, 6), dtype=bool), "long_exits": np.ones((2, 6), dtype=bool)},
                "long_exits has 2 sets where others have 3",
            ),
            (
                {"long_entries": at(6, 0), "percent_stop_loss": 0},
                r"percent_stop_loss=0\.0 must be above 0 and below 100",
            ),
            ({"long_entries": at(6, 0), "percent_trailing_stop": 100}, "below 100, percent; NaN is none"),
            (
                {"long_entries": at(6, 0), "percent_take_profit": -1},
                r"percent_take_profit=-1\.0 must be above 0, percent",
            ),
            ({"long_entries": at(6, 0), "percent_stop_loss": [1, 2]}, r"percent_stop_loss has shape \(2,\)"),
            ({"long_entries": at(6, 0), "percent_fee": -0.1}, r"percent_fee=-0\.1 must be a percentage"),
            ({"long_entries": at(6, 0), "percent_slippage": 100}, "percent_slippage=100 must be a percentage"),
            ({"long_entries": at(6, 0), "fill": "average"}, "fill='average' is unknown; give one of next_open, close"),
            ({"long_entries": at(6, 0), "periods_per_year": 0}, "periods_per_year=0 must be a finite number above 0"),
            ({"long_entries": at(6, 0), "params": {"fast": [1, 2]}}, r"params\['fast'\] has shape \(2,\)"),
        ],
    )
    def test_arguments_that_cannot_work(self, arguments: dict[str, Any], message: str) -> None:
        with pytest.raises(bk.UsageError, match=message):
            bk.arrays.run_signals(RISING, **arguments)

    @pytest.mark.parametrize("positions", [[0, 1, 2, 0, 0, 0], [0, 0.5, 0, 0, 0, 0], ["a"] * 6])
    def test_positions_that_are_no_sides(self, positions: Any) -> None:
        with pytest.raises(bk.UsageError, match="1 for long, 0 for flat and -1 for short"):
            bk.arrays.run_positions(RISING, positions)

    def test_too_few_candles(self) -> None:
        with pytest.raises(bk.UsageError, match="at least 2 candles, not 1"):
            bk.arrays.run_positions(flat(100), [0])

    def test_candles_out_of_order(self) -> None:
        market = bk.Candles.from_columns([HOUR, 0], *([[1.0, 1.0]] * 5))
        with pytest.raises(bk.DataError, match="the candle after 1970-01-01 01:00 is not later"):
            bk.arrays.run_positions(market, [0, 0])

    @pytest.mark.parametrize("price", [0.0, float("nan"), -1.0, float("inf")])
    def test_prices_that_cannot_be_true(self, price: float) -> None:
        market = bk.Candles.from_columns([0, HOUR], [1.0, 1.0], [1.0, 1.0], [1.0, price], [1.0, 1.0], [1.0, 1.0])
        with pytest.raises(bk.DataError, match=f"low={price!r} of the candle 1970-01-01 01:00 must be a finite number"):
            bk.arrays.run_positions(market, [0, 0])

    def test_figures_and_sets_that_there_are_not(self) -> None:
        result = bk.arrays.run_signals(RISING, long_entries=at(6, 0))
        with pytest.raises(bk.UsageError, match=r"no figure 'sharpe'.*'sharpe_ratio'"):
            result["sharpe"]
        with pytest.raises(bk.UsageError, match="there is no set 1; they are numbered from 0 to 0"):
            result.trades(1)

    def test_frames_of_pandas_are_taken(self) -> None:
        result = bk.arrays.run_signals(RISING.to_pandas(), long_entries=at(6, 0), **FREE)
        assert trades(result, "price_open") == [(100.0,)]
