"""The report of a sweep: winners in both samples, how many rules were tried, and what became of every idea."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import backtestkit as bk
from backtestkit.services.report.sweep_report import out_of_sample_rank, sweep_report
from scenarios.market import MINUTE, START

MINUTES = 9000
AXES = {
    "hard_stop_percent": [1, 2, 3],
    "trailing_take_percent": [0.5, 1],
    "hold_minutes": [60, 120],
    "profit_lock_percent": [0, 1],
}


def market() -> bk.Candles:
    rng = np.random.default_rng(2)
    close = 100 * np.exp(np.cumsum(rng.standard_normal(MINUTES)) * 0.001)
    open_ = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(open_, close) * 1.0005, np.minimum(open_, close) * 0.9995
    return bk.Candles.from_columns(START + MINUTE * np.arange(MINUTES), open_, high, low, close, np.ones(MINUTES))


def sweep(ideas: list[dict[str, Any]], **fields: Any) -> bk.SweepResult:
    source = market()

    def read(symbol: str, interval: str, since: int, until: int) -> bk.Candles:
        start, stop = source.timestamp.searchsorted((since, until))
        return source[int(start) : int(stop)]

    given: dict[str, Any] = {
        "sweep_name": "calls",
        "exchange_name": "x",
        "grid_axes": AXES,
        "repeat_minutes": 100,
    } | fields
    with bk.Kit():
        bk.add_exchange(exchange_name="x", read_candles=read, span=lambda *_: (START, START + (MINUTES - 1) * MINUTE))
        bk.add_sweep(given)
        return bk.Sweep.run("BTC", sweep_name="calls", ideas=ideas).wait()


def ideas(count: int = 20) -> list[dict[str, Any]]:
    rows = [
        {
            "id": str(i),
            "ts": START + i * 430 * MINUTE,
            "symbol": "BTC",
            "direction": "long" if i % 2 else "short",
            "author": ["ann", "a|b", ""][i % 3],
        }
        for i in range(count)
    ]
    return [*rows, rows[0] | {"id": "n", "direction": "neutral"}, rows[1] | {"id": "again"}]


def test_the_winner_stands_beside_what_it_did_out_of_sample() -> None:
    result = sweep(ideas())
    report = sweep_report(result)
    pair = result.best["sharpe"]
    assert pair is not None and pair.out_of_sample is not None
    assert "**Fills:** conservative, fee 0.1% and slippage 0.1% of each entry and exit" in report
    assert f"**Rule:** {pair.rule}" in report
    assert f"| Sharpe | {pair.in_sample.sharpe:.3f} | {pair.out_of_sample.sharpe:.3f} | higher is better |" in report
    assert f"| Trades | {pair.in_sample.trade_count} | {pair.out_of_sample.trade_count} |  |" in report


def test_it_says_how_many_rules_were_tried_and_where_the_winner_ends_up() -> None:
    result = sweep(ideas())
    pair = result.best["sharpe"]
    assert pair is not None and result.out_of_sample is not None
    figures = sorted((r.sharpe for r in result.out_of_sample.reports if r.sharpe is not None), reverse=True)
    assert pair.out_of_sample is not None and pair.out_of_sample.sharpe is not None
    rank = figures.index(pair.out_of_sample.sharpe) + 1
    assert out_of_sample_rank(result, pair) == rank
    different = len({(r.trade_count, r.total_pnl_percent) for r in result.in_sample.reports})
    text = sweep_report(result)
    assert f"24 rules were tried on {result.in_sample.ideas} ideas, {different} of them with different results" in text
    assert f"it ranks {rank} of 24 by the same figure" in text


def test_what_became_of_every_idea() -> None:
    text = sweep_report(sweep([*ideas(), {**ideas()[0], "id": "late", "ts": START + 9500 * MINUTE}]))
    for line in ("Total:** 23", "Neutral:** 1", "Repeated:** 1", "Without Candles:** 1", "Purged:** 0"):
        assert f"**{line}\n" in text
    assert "**In Sample:** 14 (2025-01-01T00:01:00.000Z to " in text and "**Out Of Sample:** 6 (" in text
    assert "**Truncated:** 0 of the ideas in a sample" in text


def test_authors_are_shown_by_the_winners_rule_and_cannot_break_the_table() -> None:
    result = sweep(ideas())
    text = sweep_report(result)
    pair = result.best["sharpe"]
    assert pair is not None
    track = next(t for t in result.in_sample.tracks.of(pair.in_sample.point) if t.author == "a|b")
    assert f"| a\\|b | {track.ideas} | {track.hits} | {track.hit_rate:.2f}% | 0 |" in text and "| (none) |" in text


def test_an_author_of_one_sample_alone_has_no_figures_in_the_other() -> None:
    new = {"id": "new", "ts": START + 8800 * MINUTE, "symbol": "BTC", "direction": "long", "author": "new"}
    assert "| new | N/A | N/A | N/A | N/A | 1 |" in sweep_report(sweep([*ideas(), new]))


def test_only_the_top_is_shown_and_says_so() -> None:
    many = [{**row, "author": f"author {i}"} for i, row in enumerate(ideas())]
    text = sweep_report(sweep(many))
    assert "Showing 20 of 24 rows." in text and "| 20 |" in text and "| 21 |" not in text
    assert "Showing 20 of 21 rows." in text, "there are 21 authors"


def test_without_a_hold_out_the_report_says_that_nothing_is_proven() -> None:
    result = sweep(ideas(), holdout_percent=0)
    text = sweep_report(result)
    assert "Nothing was held out" in text and "Out: Sharpe" not in text and "Split At" not in text
    assert "**Out Of Sample:** 0\n" in text
    pair = result.best["sharpe"]
    assert pair is not None and out_of_sample_rank(result, pair) is None


def test_a_hold_out_without_ideas() -> None:
    text = sweep_report(sweep(ideas(), holdout_from="2025-02-01"))
    assert "No idea was left to try it on." in text


def test_a_hold_out_that_cannot_carry_the_figure() -> None:
    result = sweep(ideas(), report_order="sortino")
    pair = result.best["sortino"]
    assert pair is not None and pair.out_of_sample is not None
    mute = replace(pair, out_of_sample=replace(pair.out_of_sample, sortino=None))
    told = sweep_report(replace(result, best={**result.best, "sortino": mute}))
    assert "it has no such figure" in told


@pytest.mark.parametrize("minute", [9500, 8999])
def test_a_sample_that_cannot_carry_a_winner(minute: int) -> None:
    alone = {**ideas()[0], "id": "late", "ts": START + (minute - 1) * MINUTE}
    text = sweep_report(sweep([alone]))
    assert (
        "| Sharpe | N/A | N/A | N/A |" in text
        and "No rule has a Sharpe in sample." in text
        and "## Authors\n\nN/A" in text
    )
