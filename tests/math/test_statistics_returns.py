"""The shape of returns, on numbers that can be checked by hand and on what must hold for any."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.math import statistics_returns as r
from backtestkit.model.analysis import ReturnFigures

RETURNS = st.lists(st.floats(-50, 50).map(lambda x: round(x, 4)), min_size=20, max_size=80)


def test_few_returns_have_a_mean_and_a_spread_and_no_shape() -> None:
    assert r.return_figures(np.zeros(0)) == ReturnFigures()
    assert r.return_figures(np.array([2.0])) == ReturnFigures(count=1, mean=2.0)
    some = r.return_figures(np.arange(19.0))
    assert (some.count, some.mean, some.std_dev) == pytest.approx((19, 9.0, np.arange(19.0).std(ddof=1)))
    assert (some.skewness, some.value_at_risk_95, some.probabilistic_sharpe_ratio) == (None, None, None)


def test_risk_is_read_from_the_bad_tail() -> None:
    figures = r.return_figures(np.arange(-10.0, 11.0))
    assert figures.value_at_risk_95 == -9.0
    assert figures.conditional_value_at_risk_95 == -9.5
    assert figures.tail_ratio == 1.0


def test_a_symmetric_sample_has_no_skew_and_a_flat_one_thin_tails() -> None:
    figures = r.return_figures(np.arange(-10.0, 11.0))
    assert figures.skewness == pytest.approx(0.0, abs=1e-12)
    assert figures.kurtosis == pytest.approx(-1.2, abs=0.01)  # of a uniform distribution


def test_returns_that_never_change_have_no_shape() -> None:
    figures = r.return_figures(np.full(30, 0.5))
    assert (figures.skewness, figures.kurtosis, figures.probabilistic_sharpe_ratio) == (None, None, None)
    assert (figures.value_at_risk_95, figures.tail_ratio) == (0.5, 1.0)
    assert r.return_figures(np.zeros(30)).tail_ratio is None


def test_the_probability_of_skill_is_that_of_a_normal_sample_when_the_moments_are_normal() -> None:
    expected = NormalDist().cdf(0.1 * math.sqrt(99) / math.sqrt(1 + 0.5 * 0.01))
    assert r.probabilistic_sharpe_ratio(0.1, 100, 0.0, 0.0) == pytest.approx(expected)
    assert r.probabilistic_sharpe_ratio(0.0, 100, 0.0, 0.0) == 0.5


def test_the_worked_example_of_the_paper() -> None:
    # Bailey and Lopez de Prado 2012: 24 months, yearly Sharpe ratio 1.59, skewness -2.448, kurtosis 10.164.
    monthly = 1.59 / math.sqrt(12)
    assert r.probabilistic_sharpe_ratio(monthly, 24, -2.448, 10.164 - 3) == pytest.approx(0.9130, abs=0.002)
    assert r.probabilistic_sharpe_ratio(monthly, 24, 0.0, 0.0) == pytest.approx(0.9824, abs=0.002)


def test_moments_that_no_distribution_has_give_no_probability() -> None:
    assert r.probabilistic_sharpe_ratio(1.0, 100, 3.0, -2.0) is None
    assert r.probabilistic_sharpe_ratio(0.1, 1, 0.0, 0.0) is None


@given(RETURNS)
def test_the_order_of_returns_does_not_matter(values: list[float]) -> None:
    forth, back = r.return_figures(np.array(values)), r.return_figures(np.array(values[::-1]))
    for name in ReturnFigures.__dataclass_fields__:
        there = getattr(forth, name)
        if there is not None:
            assert there == pytest.approx(getattr(back, name), rel=1e-6, abs=1e-9), name


@given(RETURNS)
def test_expected_shortfall_is_no_better_than_the_value_at_risk(values: list[float]) -> None:
    figures = r.return_figures(np.array(values))
    assert figures.conditional_value_at_risk_95 is not None
    assert figures.value_at_risk_95 is not None
    assert min(values) <= figures.conditional_value_at_risk_95 <= figures.value_at_risk_95 + 1e-9
