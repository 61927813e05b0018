"""The statistics of a scenario's runs, from the reports that its events fill, counted as the reference counts."""

from __future__ import annotations

from typing import Any

import backtestkit as bk
from backtestkit.math.statistics import backtest_statistics
from backtestkit.math.statistics_events import statistics_of
from backtestkit.services.report.catalog import report_spec

from . import compare, statistics

EVENT_REPORTS: dict[str, Any] = {
    "schedule": bk.Schedule,
    "partial": bk.Partial,
    "breakeven": bk.Breakeven,
    "highest_profit": bk.HighestProfit,
    "max_drawdown": bk.MaxDrawdown,
    "risk": bk.Risk,
}
ROWS_KEPT = 1_000_000


class RunStatistics:
    """Listens from the start of a scenario; `difference` compares what was heard."""

    def __init__(self, exchange_name: str, frame_name: str) -> None:
        """Begin to collect in the current kit."""
        self._names = {"exchange_name": exchange_name, "frame_name": frame_name}
        self._closed: list[bk.ClosedResult] = []
        bk.set_config({f"max_{name}_markdown_rows": ROWS_KEPT for name in EVENT_REPORTS}, unsafe=True)
        bk.current_kit().container.report_collector().enable(EVENT_REPORTS)
        bk.listen_signal_backtest_closed(self._closed.append)

    def difference(self, record: dict[str, Any]) -> str | None:
        """The first difference from the recorded statistics of the runs and from the heat map, or None."""
        expected = record["expected"]
        doubtful = {
            name.removeprefix("statistics.")
            for name in record.get("suspect_fields", ())
            if name.startswith("statistics.")
        }
        for run in expected["statistics"]:
            got = self._run(run["symbol"], run["strategy"])
            found = compare.difference(got, run, ignored=frozenset(f"backtest.{name}" for name in doubtful))
            if found:
                return f"statistics of {run['symbol']} {run['strategy']}: {found}"
        return None if expected.get("heat") is None else self._heat_difference(record, doubtful)

    def _heat_difference(self, record: dict[str, Any], doubtful: set[str]) -> str | None:
        got = statistics.heat(statistics.by_symbol(self._closed), statistics.ROW_LIMIT)
        expected = record["expected"]["heat"]
        if record.get("compare_order") == "per_run":  # symbols without a ratio stand as they were first seen
            got, expected = ({**heat, "symbols": sorted(heat["symbols"], key=_symbol)} for heat in (got, expected))
        names = {f"portfolio_{name}" for name in doubtful}
        names |= {f"symbols[{i}].{name}" for name in doubtful for i in range(len(expected["symbols"]))}
        found = compare.difference(got, expected, ignored=frozenset(names))
        return found and f"heat {found}"

    def _run(self, symbol: str, strategy_name: str) -> dict[str, Any]:
        own = [t for t in self._closed if (t.symbol, t.strategy_name) == (symbol, strategy_name)]
        got: dict[str, Any] = {
            "symbol": symbol,
            "strategy": strategy_name,
            "backtest": statistics.plain(backtest_statistics(own, statistics.ROW_LIMIT)),
        }
        for name, report in EVENT_REPORTS.items():
            newest = report.get_data(symbol, strategy_name=strategy_name, **self._names).event_list
            tally = report_spec(name).tally
            assert tally is not None
            got[name] = statistics.plain(statistics_of(tally(), newest[: statistics.ROW_LIMIT][::-1]))
        return got


def _symbol(row: dict[str, Any]) -> str:
    return str(row["symbol"])
