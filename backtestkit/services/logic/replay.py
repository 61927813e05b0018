"""Setting up a kept run again: to repeat it, or to look at it beside the candles that it went over."""

from __future__ import annotations

from backtestkit.config import Config
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.run_record import RunRecord
from backtestkit.model.schema import FrameSchema
from backtestkit.runtime.clock import Clock
from backtestkit.services.core.run_resolver import BacktestPlan, RunResolver
from backtestkit.services.logic.backtest import BacktestLogicService
from backtestkit.services.logic.backtest_data import BacktestData
from backtestkit.services.logic.run_keeper import RunKeeper, unplain
from backtestkit.services.logic.run_state import RunState


class ReplayService:
    """Makes plans and data of kept runs from what is registered now and what was recorded then."""

    def __init__(
        self, *, resolver: RunResolver, logic: BacktestLogicService, keeper: RunKeeper, wall_clock: Clock
    ) -> None:
        self._resolver, self._logic, self._keeper, self._wall_clock = resolver, logic, keeper, wall_clock

    def start(self, record: RunRecord, config: Config) -> RunState:
        """The state of a run with the recorded frame, parameters, policy and settings; nothing has happened in it.

        `config` gives what the record does not have. Raises `UsageError` when its strategy or exchange is not registered.
        """
        return self._logic.start(self._plan(record, config))

    async def load(self, record: RunRecord, config: Config) -> tuple[RunState, bool]:
        """The same with the candles of the run read, and whether they are what they were."""
        state = self.start(record, config)
        await BacktestData(state).load(self._wall_clock.now_ms())
        return state, self._keeper.data_hash(state) == record.data_hash

    def _plan(self, record: RunRecord, config: Config) -> BacktestPlan:
        settings = {name: value for name, value in unplain(record.config).items() if name in type(config).model_fields}
        return self._resolver.backtest(
            record.key,
            config.merged(settings, unsafe=True),
            FillPolicy(**record.policy),
            record.params,
            frame=FrameSchema(frame_name=record.frame_name, **record.frame),
        )
