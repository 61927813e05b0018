"""`JournalService`: events as JSONL files, one file a report, one object a line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol, TypeAlias

from backtestkit.model.event import BoundaryEvent, ErrorEvent
from backtestkit.runtime.channel import Unsubscribe
from backtestkit.runtime.user_code import user_function
from backtestkit.services.channels import Channels
from backtestkit.services.report.journal_file import ReportBase, WriteOptions
from backtestkit.services.report.spec import ReportSpec
from backtestkit.services.report.switch import FeedSwitch, Taker
from backtestkit.services.report.writers import BackendSlot


class JournalBackend(Protocol):
    """Takes the events of one report. Both methods may be plain or async."""

    def wait_for_init(self, initial: bool) -> Any:
        """Called once before the first event; `initial` is True."""
        ...

    def write(self, data: Mapping[str, Any], options: WriteOptions) -> Any:
        """Take the data of an event."""
        ...


JournalFactory: TypeAlias = Callable[[str], JournalBackend]


class JournalDummy:
    """Writes nothing."""

    def __init__(self, report: str) -> None:
        """The backend of one report."""

    def wait_for_init(self, initial: bool) -> None:
        """Nothing to do."""

    def write(self, data: Mapping[str, Any], options: WriteOptions) -> None:
        """Let it go."""


class JournalService:
    """The journals of one kit. Lines of a backtest are written in blocks and when it ends, those of a live run at once."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._switch = FeedSwitch(channels, self._taker)
        self._ends: list[Unsubscribe] = []
        self.writer = BackendSlot(ReportBase, "wait_for_init", "write")

    def enable(self, names: Iterable[str] | None = None) -> Callable[[], None]:
        """Write the journals named, None for all. The answer stops that."""
        chosen = self._switch.enable(names)
        if not self._ends and self._switch.names:
            self._ends = [self._channels.after_end.listen(self._run_ends), self._channels.error.listen(self._run_ends)]
        return partial(self.disable, chosen)

    def disable(self, names: Iterable[str] | None = None) -> None:
        """Stop writing the journals named, None for all; what was heard until now is written."""
        self._switch.disable(names)
        if not self._switch.names:
            for end in self._ends:
                end()
            self._ends = []
        for backend in self._files():
            backend.write_now()

    def use(self, factory: JournalFactory) -> None:
        """Write through `factory` from now on; what was heard until now goes where it was going."""
        before = self._files()
        self.writer.use(factory)
        for backend in before:
            backend.write_now()

    async def flush(self) -> None:
        """Wait until everything heard so far is on the disk."""
        for backend in self._files():
            await backend.flush()

    async def write(self, data: Mapping[str, Any], options: WriteOptions) -> None:
        """Hand a record of your own to the backend of the report that `options` names."""
        await _written(self.writer, data, options)

    def _files(self) -> list[ReportBase]:
        return [backend for backend in self.writer.all() if isinstance(backend, ReportBase)]

    def _taker(self, spec: ReportSpec[Any, Any]) -> Taker:
        writer, name, record = self.writer, spec.name, spec.record

        def take(row: Any) -> Awaitable[None] | None:
            data = record(row)
            options = WriteOptions(
                name, row.key, data.get("signal_id", ""), data.get("walker_name", ""), data["timestamp"]
            )
            if writer.factory is ReportBase:  # needs neither preparation nor a bridge to user code
                backend: ReportBase = writer.get(name)
                return backend.write(data, options)
            return _written(writer, data, options)

        return take

    async def _run_ends(self, _: BoundaryEvent | ErrorEvent) -> None:
        await self.flush()


async def _written(writer: BackendSlot, data: Mapping[str, Any], options: WriteOptions) -> None:
    backend = await writer.ready(options.report)
    await user_function(backend.write)(data, options)
