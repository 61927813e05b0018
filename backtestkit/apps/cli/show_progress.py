"""Progress bars of runs, one each, gone when they are done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from backtestkit.runtime.context import RunKey


class Running(Protocol):
    """What a bar shows."""

    @property
    def key(self) -> RunKey:
        """Whose run it is."""
        ...

    @property
    def progress(self) -> float:
        """Share that is done, 0 to 1."""
        ...


class RunProgress(Progress):
    """Bars that look at their runs whenever they are drawn.

    They are drawn by a thread of their own: a run over candles in memory does not wait for anything, so no task of its
    event loop could move them.
    """

    def __init__(self, runs: Sequence[Running], console: Console) -> None:
        self._runs: dict[TaskID, Running] = {}  # the base class draws once before there is a task
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._runs |= {self.add_task(f"{run.key.strategy_name} {run.key.symbol}", total=1.0): run for run in runs}

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars as they are now."""
        for task, run in self._runs.items():
            self.update(task, completed=run.progress)
        return super().get_renderables()


def progress_bars(runs: Sequence[Running], console: Console | None = None) -> RunProgress:
    """Bars for `runs` while the block lasts, on standard error."""
    return RunProgress(runs, console or Console(stderr=True))
