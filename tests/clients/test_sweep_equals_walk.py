"""The sweep machine comes to what a plain walk over the candles comes to, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sweep_oracle as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from sweep_oracle import MINUTE, Watched

from backtestkit.clients.sweep import ClientSweep
from backtestkit.clients.sweep_sample import SampleGrid
from backtestkit.market.parquet_source import ParquetExchange
from backtestkit.math.profit import Costs
from backtestkit.math.sweep_grid import SweepGrid
from backtestkit.model.candle import Candles
from backtestkit.model.fill_policy import CONSERVATIVE, REFERENCE, FillPolicy
from backtestkit.model.sweep import Idea, IdeaDirection

START = 1_700_000_040_000
CANDLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "candles"
POLICIES = pytest.mark.parametrize("policy", [CONSERVATIVE, REFERENCE], ids=lambda policy: policy.name)


@st.composite
def markets(draw: st.DrawFn) -> Candles:
    """Candles on a coarse lattice of prices, so that levels are met exactly, opens jump, and highs repeat."""
    count = draw(st.integers(1, 40))
    tick = draw(st.sampled_from([1.0, 0.5, 0.1, 0.01]))
    price = draw(st.sampled_from([100, 64, 73]))
    rows: list[tuple[float, ...]] = []
    for i in range(count):
        price = max(5, price + draw(st.sampled_from([0, 0, 0, 1, -1, 5, -5, 12, -12])))
        up, down, close = draw(st.integers(0, 6)), draw(st.integers(0, 4)), draw(st.integers(-4, 6))
        close = max(-down, min(up, close))
        row = (price, price + up, price - down, price + close)
        rows.append((START + i * MINUTE, *(value * tick for value in row), 1.0))
        price += close
    present = draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
    return Candles.from_rows([row for i, row in enumerate(rows) if i == 0 or present[i]])


AXIS = st.lists(st.sampled_from([0.5, 1.0, 2.0, 4.0, 5.0, 6.25, 10.0, 20.0]), min_size=1, max_size=3, unique=True)
GRIDS = st.builds(
    lambda stop, trail, hold, lock: SweepGrid(tuple(stop), tuple(trail), tuple(hold), tuple(lock)),
    AXIS,
    AXIS,
    st.lists(st.integers(1, 45), min_size=1, max_size=3, unique=True),
    st.lists(st.sampled_from([0.0, 1.0, 2.0, 5.0, 10.0]), min_size=1, max_size=3, unique=True),
)
COSTS = st.sampled_from([Costs(0.0, 0.0), Costs(0.1, 0.1), Costs(1.0, 0.05), Costs(0.0, 0.25)])


def watch(
    market: Candles, grid: SweepGrid, entries: list[tuple[int, IdeaDirection, str]], known_until: int
) -> list[Watched]:
    """Ideas with their candles, as a feed cuts them."""
    watched: list[Watched] = []
    for number, (place, direction, author) in enumerate(sorted(entries, key=lambda entry: entry[0])):
        if place < len(market):
            entry = int(market.timestamp[place])
            end = int(market.timestamp.searchsorted(entry + grid.horizon * MINUTE))
            idea = Idea(f"i{number}", entry - MINUTE, "BTC", direction, author)
            watched.append(Watched(idea, market[place:end], known_until))
    return watched


def machine(ideas: list[Watched], grid: SweepGrid, policy: FillPolicy, costs: Costs) -> SampleGrid:
    client = ClientSweep(grid, policy=policy, costs=costs, step=MINUTE)
    for watched in ideas:
        client.add(watched.idea, watched.candles, watched.known_until)
    return client.sample(range(len(ideas)))


def assert_same(ideas: list[Watched], grid: SweepGrid, policy: FillPolicy, costs: Costs) -> None:
    """Every figure, every trade and every track of every point."""
    sample = machine(ideas, grid, policy, costs)
    reports = [report for block in sample.blocks() for report in block]
    assert [report.rule for report in reports] == oracle.rules_of(grid)
    tracks = sample.tracks()
    for report in reports:
        walked = oracle.traded(ideas, report.rule, grid.horizon, policy, costs)
        expected: dict[str, Any] = oracle.figures(ideas, walked)
        reasons = expected.pop("exit_reasons")
        assert {name: getattr(report, name) for name in expected} == expected, report.rule
        assert {name: count for name, count in report.exit_reasons.items() if count} == reasons
        label = MINUTE if policy.label == "close" else 0
        assert [
            (t.idea, t.exit_reason, t.exit_price, t.pnl_percent, t.exit_timestamp, list(t.absorbed_ideas))
            for t in report.trades
        ] == [
            (w.idea, x.reason, x.price, x.pnl, int(w.candles.timestamp[x.index]) + label, absorbed)
            for w, x, absorbed in walked
        ]
        for track in tracks.of(report.point):
            answers = [oracle.graded(w, report.rule, policy) for w in ideas if w.idea.author == track.author]
            assert track.rule == report.rule
            assert (track.hits, track.ungraded) == (answers.count(True), answers.count(None))
            assert track.ideas == len(answers) - answers.count(None)


@POLICIES
@settings(max_examples=150, deadline=None)
@given(data=st.data(), market=markets(), grid=GRIDS, costs=COSTS)
def test_on_random_candles_with_gaps_ties_and_equal_levels(
    policy: FillPolicy, data: st.DataObject, market: Candles, grid: SweepGrid, costs: Costs
) -> None:
    place = st.tuples(st.integers(0, len(market) - 1), st.sampled_from(["long", "short"]), st.sampled_from(["a", "b"]))
    entries: list[Any] = data.draw(st.lists(place, min_size=1, max_size=6))
    known_until = int(market.timestamp[-1]) + data.draw(st.sampled_from([1, 1, 30, 100])) * MINUTE
    assert_same(watch(market, grid, entries, known_until), grid, policy, costs)


@pytest.mark.skipif(not CANDLES.exists(), reason="the real candles are not beside this checkout")
@POLICIES
def test_on_real_candles(policy: FillPolicy) -> None:
    path = CANDLES / "BYBIT_DOGEUSDT-PERP_1m_20250529_20250629.parquet"
    market = ParquetExchange("real", path).read_candles("DOGEUSDT", "1m", 0, 2**62)
    rng = np.random.default_rng(5)
    sides: list[IdeaDirection] = ["long", "short"]
    entries = [
        (int(place), sides[int(rng.integers(2))], "abc"[int(rng.integers(3))])
        for place in rng.integers(0, len(market), 12)
    ]
    entries.append((len(market) - 200, "long", "a"))
    grid = SweepGrid((0.7, 2.0), (0.3, 1.5), (60, 900), (0.0, 0.8))
    ideas = watch(market, grid, entries, int(market.timestamp[-1]) + MINUTE)
    assert_same(ideas, grid, policy, Costs(0.1, 0.1))
