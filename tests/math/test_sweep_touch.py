"""First touches by searching, where rounding could decide between two candles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.math import sweep_touch
from backtestkit.math.sweep_touch import (
    SignedPath,
    first_fallen,
    first_given_back,
    first_retraced,
    first_risen,
    signed_path,
)
from backtestkit.model.candle import Candles
from scenarios.market import candles


def path_of(pairs: list[tuple[float, float]], long: bool = True) -> SignedPath:
    return signed_path(candles([(high, high, low, low, 1.0) for high, low in pairs]), long=long)


def walked(path: SignedPath, base: float, factor: float) -> int:
    """The trailing exit, one candle after another."""
    peak = base
    for i in range(len(path)):
        if peak >= base / factor and path.adverse[i] <= peak * factor:
            return i
        peak = max(peak, float(path.favourable[i]))
    return len(path)


def test_rising_and_falling_columns_are_searched_for_the_first_at_or_beyond() -> None:
    assert first_risen(np.array([1.0, 1.0, 2.0]), np.array([0.5, 1.0, 1.5, 2.0, 2.5])).tolist() == [0, 0, 2, 2, 3]
    assert first_fallen(np.array([2.0, 1.0, 1.0]), np.array([2.5, 2.0, 1.5, 1.0, 0.5])).tolist() == [0, 0, 1, 1, 3]


def test_a_short_is_a_long_in_negated_prices() -> None:
    rows = Candles.from_rows([(0, 100.0, 103.0, 98.0, 101.0, 1.0)])
    long, short = signed_path(rows, long=True), signed_path(rows, long=False)
    assert (long.favourable[0], long.adverse[0], long.close[0]) == (103.0, 98.0, 101.0)
    assert (short.favourable[0], short.adverse[0], short.close[0]) == (-98.0, -103.0, -101.0)


@pytest.mark.parametrize("sign", [1, -1])
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_prices_a_few_units_in_the_last_place_around_the_level(sign: int, data: st.DataObject) -> None:
    percent = data.draw(st.sampled_from([0.5, 1.0, 1.3, 3.0, 7.0]))
    factor, base = 1 - sign * percent / 100, sign * data.draw(st.floats(50, 150))
    nudge = st.integers(-3, 3)

    def near(price: float) -> float:
        for _ in range(abs(steps := data.draw(nudge))):
            price = float(np.nextafter(price, np.inf if steps > 0 else -np.inf))
        return price

    peak = near(base / factor)
    pairs = [(base, base), (peak, base)]
    pairs += [(peak, near(peak * factor)) for _ in range(data.draw(st.integers(1, 4)))]
    raw = [(sign * high, sign * low) for high, low in pairs]
    rows = [(max(p), max(p), min(p), min(p), 1.0) for p in raw]
    path = signed_path(candles(rows), long=sign > 0)
    found = first_retraced(path, path.peaks(base), base, np.array([factor]))
    assert found.tolist() == [walked(path, base, factor)]


def test_a_candle_that_only_the_quotient_takes_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_touch, "SLACK", 0.02)
    path = path_of([(100, 100), (110, 100), (110, 109.5), (110, 109.0), (110, 108.0)])
    found = first_retraced(path, path.peaks(100.0), 100.0, np.array([0.99, 0.995, 0.9]))
    assert found.tolist() == [4, 3, 5]


def test_a_lock_waits_for_its_peak_and_then_for_the_price_to_come_back() -> None:
    path = path_of([(100, 100), (101, 99), (103, 101), (106, 102.5), (106, 101)])
    assert first_given_back(path, path.peaks(100.0), np.array([101.0, 102.0, 105.0, 107.0])).tolist() == [2, 4, 4, 5]
