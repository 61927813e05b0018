"""Dump: things written down for people to read later, filed under the signal that they are about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from backtestkit.adapters.dump import (
    AgentMessage,
    DumpContext,
    Dumped,
    DumpedConversation,
    DumpedJson,
    DumpedRecord,
    DumpedStatus,
    DumpedTable,
    DumpedText,
    StatusMessage,
)
from backtestkit.api.adapters import SwitchFacade
from backtestkit.api.adapters_at import SignalNames, signal_moment
from backtestkit.errors import UsageError
from backtestkit.kit import current_kit

if TYPE_CHECKING:
    from backtestkit.adapters.adapter import Backends
    from backtestkit.adapters.dump import DumpBackend

__all__ = [
    "Dump", "dump_agent_answer", "dump_error", "dump_json", "dump_mcp_status", "dump_record", "dump_table", "dump_text",
]  # fmt: skip

M = TypeVar("M", AgentMessage, StatusMessage)


class DumpNames(SignalNames, total=False):
    """Which signal is meant (see `Memory`), and what the dump is about."""

    description: str


class _Dump(SwitchFacade):
    """Dumps go to `./dump/agent/<signal>/<bucket>/<dump>.md` unless another backend is chosen; see `Memory` for the signal."""

    _name = "dump"

    def use_markdown(self, folder: str | Path = "dump") -> None:
        """Write markdown files below `folder`. What exists is not overwritten: another content gets a number."""
        from backtestkit.adapters.dump_markdown import MarkdownDump

        self._backends.use_custom(lambda: MarkdownDump(folder))

    def use_memory(self) -> None:
        """Note dumps in the memory of the signal, where `search_memory` finds them by their descriptions."""
        self._backends.use("memory")

    def use_markdown_memory_both(self) -> None:
        """Do both."""
        self._backends.use("markdown_memory_both")

    def use_dummy(self) -> None:
        """Write nothing down."""
        self._backends.use("dummy")

    def use_dump_adapter(self, make: Callable[[], DumpBackend]) -> None:
        """Give dumps to what `make` (a class, say) gives: an object with `async def dump(context, content)`."""
        self._backends.use_custom(make)

    async def dump_agent_answer(
        self,
        messages: Sequence[AgentMessage | Mapping[str, Any]],
        *,
        bucket_name: str,
        dump_id: str,
        **names: Unpack[DumpNames],
    ) -> None:
        """Write down a conversation with a model: one section a message."""
        conversation = DumpedConversation([_message(AgentMessage, message) for message in messages])
        await self._dump("dump_agent_answer", conversation, bucket_name, dump_id, names)

    async def dump_record(
        self, record: Mapping[str, Any], *, bucket_name: str, dump_id: str, **names: Unpack[DumpNames]
    ) -> None:
        """Write down names and values, as a table of two columns."""
        await self._dump("dump_record", DumpedRecord(record), bucket_name, dump_id, names)

    async def dump_table(
        self, rows: Sequence[Mapping[str, Any]], *, bucket_name: str, dump_id: str, **names: Unpack[DumpNames]
    ) -> None:
        """Write down rows as a table, whose columns are all names in the order in which they first appear."""
        await self._dump("dump_table", DumpedTable(rows), bucket_name, dump_id, names)

    async def dump_text(self, text: str, *, bucket_name: str, dump_id: str, **names: Unpack[DumpNames]) -> None:
        """Write down text, markdown as it is."""
        await self._dump("dump_text", DumpedText(text), bucket_name, dump_id, names)

    async def dump_error(self, text: str, *, bucket_name: str, dump_id: str, **names: Unpack[DumpNames]) -> None:
        """Write down the text of an error, as it is."""
        await self._dump("dump_error", DumpedText(text, "error"), bucket_name, dump_id, names)

    async def dump_json(self, value: Any, *, bucket_name: str, dump_id: str, **names: Unpack[DumpNames]) -> None:
        """Write down a JSON value."""
        await self._dump("dump_json", DumpedJson(value), bucket_name, dump_id, names)

    async def dump_mcp_status(
        self,
        messages: Sequence[StatusMessage | Mapping[str, Any]],
        *,
        bucket_name: str,
        dump_id: str,
        **names: Unpack[DumpNames],
    ) -> None:
        """Write down the status of an agent, in place of the last one; its images become files of their own."""
        status = DumpedStatus([_message(StatusMessage, message) for message in messages])
        await self._dump("dump_mcp_status", status, bucket_name, dump_id, names)

    async def _dump(self, function: str, content: Dumped, bucket_name: str, dump_id: str, names: DumpNames) -> None:
        at = signal_moment(function, names.get("symbol"), names)
        backend = current_kit().adapters.dump.to_write(at.backtest, function)
        await backend.dump(DumpContext(at, bucket_name, dump_id, names.get("description", "")), content)

    @property
    def _backends(self) -> Backends[DumpBackend]:
        return current_kit().adapters.dump.live


Dump = _Dump()
"""Things written down for people: `dump_agent_answer`, `dump_record`, `dump_table`, `dump_text`, `dump_json`, ..."""

dump_agent_answer = Dump.dump_agent_answer
dump_record = Dump.dump_record
dump_table = Dump.dump_table
dump_text = Dump.dump_text
dump_error = Dump.dump_error
dump_json = Dump.dump_json
dump_mcp_status = Dump.dump_mcp_status


def _message(kind: type[M], given: M | Mapping[str, Any]) -> M:
    if isinstance(given, kind):
        return given
    try:
        return kind(**given)  # type: ignore[arg-type]
    except TypeError as error:
        names = ", ".join(kind.__dataclass_fields__)
        raise UsageError(f"{given!r} is no message ({error}). Its fields are {names}.") from None
