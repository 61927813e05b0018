"""All reports there are, by name. Another report is another row of this table."""

from __future__ import annotations

from typing import Any, Final

from backtestkit.errors import UsageError, suggest
from backtestkit.services.report.backtest_report import BACKTEST_REPORT
from backtestkit.services.report.spec import ReportSpec

REPORTS: Final[dict[str, ReportSpec[Any, Any]]] = {spec.name: spec for spec in (BACKTEST_REPORT,)}


def report_spec(name: str) -> ReportSpec[Any, Any]:
    """The report of that name; `UsageError` with the near names when there is none."""
    try:
        return REPORTS[name]
    except KeyError:
        raise UsageError(f"report {name!r} is unknown. {suggest(name, list(REPORTS), 'one of these names')}") from None
