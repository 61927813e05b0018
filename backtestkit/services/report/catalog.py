"""All reports there are, by name. Another report is another row of this table."""

from __future__ import annotations

from typing import Any, Final

from backtestkit.errors import UsageError, suggest
from backtestkit.services.report.backtest_report import BACKTEST_REPORT
from backtestkit.services.report.command_reports import RISK_REPORT, STRATEGY_REPORT, SYNC_REPORT
from backtestkit.services.report.heat_report import HEAT_REPORT
from backtestkit.services.report.level_reports import (
    BREAKEVEN_REPORT,
    HIGHEST_PROFIT_REPORT,
    MAX_DRAWDOWN_REPORT,
    PARTIAL_REPORT,
)
from backtestkit.services.report.live_report import LIVE_REPORT
from backtestkit.services.report.performance_report import PERFORMANCE_REPORT
from backtestkit.services.report.schedule_report import SCHEDULE_REPORT
from backtestkit.services.report.spec import ReportSpec
from backtestkit.services.report.walker_report import WALKER_REPORT

REPORTS: Final[dict[str, ReportSpec[Any, Any]]] = {
    spec.name: spec
    for spec in (
        BACKTEST_REPORT,
        LIVE_REPORT,
        HEAT_REPORT,
        WALKER_REPORT,
        SCHEDULE_REPORT,
        PARTIAL_REPORT,
        BREAKEVEN_REPORT,
        HIGHEST_PROFIT_REPORT,
        MAX_DRAWDOWN_REPORT,
        RISK_REPORT,
        STRATEGY_REPORT,
        SYNC_REPORT,
        PERFORMANCE_REPORT,
    )
}


def report_spec(name: str) -> ReportSpec[Any, Any]:
    """The report of that name; `UsageError` with the near names when there is none."""
    try:
        return REPORTS[name]
    except KeyError:
        raise UsageError(f"report {name!r} is unknown. {suggest(name, list(REPORTS), 'one of these names')}") from None
