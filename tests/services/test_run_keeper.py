"""Keeping runs: hashes of their data, exact trades, and a store that cannot be written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from backtestkit.clients.bars import Bars
from backtestkit.kit import Kit
from backtestkit.model.candle import Candles
from backtestkit.model.fill_policy import CONSERVATIVE
from backtestkit.model.market_data import FundingRate
from backtestkit.services.logic.run_keeper import data_hash, plain, trades_from, trades_text, unplain
from scenarios.market import MINUTE, START, candles, still
from scenarios.traded import five_minutes, run_of, trading_kit


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    with trading_kit() as kit:
        bk.set_config(keep_runs=True, runs_path=str(tmp_path / "runs.db"))
        yield kit


def bars(columns: Candles, funding: float | None = None) -> Bars:
    made = Bars(columns, step=MINUTE, average_count=5, policy=CONSERVATIVE)
    if funding is not None:
        made.set_fundings([FundingRate(timestamp=START, rate=funding)])
    return made


def columns_of(market: Candles, **changes: Any) -> Candles:
    names = ("timestamp", "open", "high", "low", "close", "volume", "filled")
    return Candles(**({name: getattr(market, name) for name in names} | changes))


def test_equal_data_have_one_hash_wherever_they_lie() -> None:
    market = candles(still(20))
    strided = np.empty((len(market), 5))
    for i, name in enumerate(("open", "high", "low", "close", "volume")):
        strided[:, i] = getattr(market, name)
    again = Candles(market.timestamp.copy(), *strided.T)
    assert data_hash(bars(market)) == data_hash(bars(again))


@pytest.mark.parametrize("column", ["timestamp", "open", "high", "low", "close", "volume"])
def test_every_column_counts(column: str) -> None:
    market = candles(still(20))
    changed = getattr(market, column).copy()
    changed[19] += 1
    assert data_hash(bars(market)) != data_hash(bars(columns_of(market, **{column: changed})))


def test_filled_candles_and_funding_count() -> None:
    market = candles(still(20))
    filled = columns_of(market, filled=np.arange(len(market)) == 3)
    hashes = [data_hash(made) for made in (bars(market), bars(filled), bars(market, 0.1), bars(market, 0.2))]
    assert len(set(hashes)) == 4


def test_candles_beyond_the_frame_do_not_count() -> None:
    market = candles(still(20))
    cut = bars(market)
    cut.limit = 15
    assert data_hash(cut) == data_hash(bars(market[:15])) != data_hash(bars(market))


def test_trades_come_back_bit_for_bit(kit: Kit) -> None:
    bk.add_strategy(
        strategy_name="s",
        interval="1m",
        get_signal=lambda *_: five_minutes(note="a 'note' | ✓", price_take_profit=100 + 1 / 3 + 2),
        replace=True,
    )
    closed = run_of().wait().closed
    assert trades_from(trades_text(closed)) == closed
    assert len(closed) > 5


def test_a_lifetime_without_end_comes_back(kit: Kit) -> None:
    bk.set_config(max_signal_lifetime_minutes=math.inf)
    bk.add_strategy(
        strategy_name="s",
        interval="1m",
        get_signal=lambda *_: five_minutes(minute_estimated_time=math.inf),
        replace=True,
    )
    run = run_of()
    (trade,) = closed = run.wait().closed
    assert trade.signal.minute_estimated_time == math.inf
    assert trades_from(trades_text(closed)) == closed
    assert run.record is not None
    assert run.record.config["max_signal_lifetime_minutes"] == "inf"
    assert unplain(run.record.config)["max_signal_lifetime_minutes"] == math.inf


def test_values_become_plain() -> None:
    value = {
        "a": math.inf,
        "b": [-math.inf, (1, 2.5)],
        3: np.float64(0.1),
        "n": np.int64(7),
        "d": datetime(2025, 6, 1, tzinfo=UTC),
        "t": True,
    }
    assert plain(value) == {
        "a": "inf",
        "b": ["-inf", [1, 2.5]],
        "3": 0.1,
        "n": 7,
        "d": repr(value["d"]),
        "t": True,
    }
    assert plain(math.nan) == "nan"


def test_a_store_that_cannot_be_written_costs_no_run_its_result(kit: Kit, tmp_path: Path) -> None:
    bk.set_config(runs_path=str(tmp_path))
    told: list[Any] = []
    bk.listen_error(told.append)
    run = run_of()
    assert len(run.wait().closed) == 9
    assert run.record is not None and run.record.number == 0
    (event,) = told
    assert event.source == "keeping a run"
    assert "could not be written" in str(event.error)


def test_a_text_that_no_file_can_hold_is_told(kit: Kit) -> None:
    bk.add_strategy(strategy_name="s", interval="1m", get_signal=lambda *_: five_minutes(note="\ud800"), replace=True)
    told: list[Any] = []
    bk.listen_error(told.append)
    run = run_of()
    assert len(run.wait().closed) == 9
    assert [event.source for event in told] == ["keeping a run"]


def test_the_hash_of_a_range_is_made_once(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Bars] = []

    def counted(of: Bars) -> str:
        made.append(of)
        return data_hash(of)

    monkeypatch.setattr("backtestkit.services.logic.run_keeper.data_hash", counted)
    for _ in range(3):
        run_of().wait()
    assert len(made) == 1
    run_of("ETH").wait()
    assert len(made) == 2


def test_hashes_are_forgotten_when_they_are_many(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backtestkit.services.logic.run_keeper._HASHES_MAX", 2)
    records = [run.record for run in (run_of(symbol) for symbol in "ABCDA") if run.wait() and run.record]
    assert len({record.data_hash for record in records}) == 1
    assert [record.number for record in records] == [1, 2, 3, 4, 5]
