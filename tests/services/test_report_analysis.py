"""The part of a report about the account that made the trades."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backtestkit.model.analysis import EVERY_DAY, EquityFigures, TradingYear
from backtestkit.services.report.analysis_sections import equity_lines

LOST = "The trades lose all of this capital: figures by day and by year need a larger one."


def figures(max_drawdown: float, *, marked: bool = True) -> EquityFigures:
    return EquityFigures(
        capital=1000.0,
        capital_given=True,
        marked=marked,
        days=30.0,
        final_equity=900.0,
        net_profit=-100.0,
        total_return=-10.0,
        max_drawdown=max_drawdown,
    )


@pytest.mark.parametrize(("max_drawdown", "said"), [(99.9, False), (100.0, True)])
def test_an_account_that_fell_to_nothing_says_why_figures_are_missing(max_drawdown: float, said: bool) -> None:
    lines = equity_lines(figures(max_drawdown), "USDT")
    assert (LOST in lines) is said
    assert "**Yearly Return:** N/A" in lines


def test_figures_say_when_drawdowns_inside_trades_were_not_seen() -> None:
    assert any("not seen" in line for line in equity_lines(figures(1.0, marked=False), "USDT"))
    assert not any("not seen" in line for line in equity_lines(figures(1.0), "USDT"))


@pytest.mark.parametrize(("year", "said"), [
    (EVERY_DAY, "365 days a year, every UTC day"), (TradingYear(252, "market_days"), "252 days a year, UTC days with prices"),
])  # fmt: skip
def test_the_report_says_how_a_year_was_counted(year: TradingYear, said: str) -> None:
    lines = equity_lines(replace(figures(1.0), year=year), "USDT")
    assert f"**Annualised:** daily figures with {said}; all others by the clock, 365 days a year" in lines
