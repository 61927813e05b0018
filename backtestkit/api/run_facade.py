"""What the facades of runs share: finding the run behind a symbol and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backtestkit.api.position import PositionApi
from backtestkit.kit import current_kit
from backtestkit.runtime.context import RunKey

if TYPE_CHECKING:
    from backtestkit.api.backtest_run import BacktestRun


class RunFacade:
    """Base of the facades. A run with a frame is a backtest, one without (`frame_name=""`) is live."""

    def _run(self, symbol: str, strategy_name: str, exchange_name: str, frame_name: str) -> BacktestRun:
        """The newest run of that key; `UsageError` with the known ones otherwise."""
        key = RunKey(symbol, strategy_name, exchange_name, frame_name, bool(frame_name))
        run: Any = current_kit().runs.get(key)
        found: BacktestRun = run
        return found

    def _position(self, symbol: str, strategy_name: str, exchange_name: str, frame_name: str) -> PositionApi:
        """The queries and commands of that run."""
        return PositionApi(self._run(symbol, strategy_name, exchange_name, frame_name).state)
