"""Things written down for people to read later: conversations with models, tables, texts, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from backtestkit.adapters.adapter import Adapter
from backtestkit.adapters.memory import MemoryBook
from backtestkit.adapters.owner import SignalMoment


@dataclass(frozen=True, slots=True)
class DumpContext:
    """Where a dump belongs: the moment and the signal, the bucket, its own name there, and what it is."""

    at: SignalMoment
    bucket_name: str
    dump_id: str
    description: str


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """One message of a conversation with a model. `tool_calls` are what it asked for, `tool_call_id` what it answers."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: Sequence[Mapping[str, Any]] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """One message of an agent's status: `text`, or an image as the bytes of a PNG file."""

    text: str = ""
    image: bytes | None = None


@dataclass(frozen=True, slots=True)
class DumpedConversation:
    """A conversation."""

    messages: Sequence[AgentMessage]
    kind: Literal["agent_answer"] = field(default="agent_answer", init=False)


@dataclass(frozen=True, slots=True)
class DumpedRecord:
    """Names and values."""

    record: Mapping[str, Any]
    kind: Literal["record"] = field(default="record", init=False)


@dataclass(frozen=True, slots=True)
class DumpedTable:
    """Rows that need not have the same columns."""

    rows: Sequence[Mapping[str, Any]]
    kind: Literal["table"] = field(default="table", init=False)


@dataclass(frozen=True, slots=True)
class DumpedText:
    """Text, or the text of an error."""

    text: str
    kind: Literal["text", "error"] = "text"


@dataclass(frozen=True, slots=True)
class DumpedJson:
    """A JSON value."""

    value: Any
    kind: Literal["json"] = field(default="json", init=False)


@dataclass(frozen=True, slots=True)
class DumpedStatus:
    """The status messages of an agent."""

    messages: Sequence[StatusMessage]
    kind: Literal["mcp_status"] = field(default="mcp_status", init=False)


Dumped: TypeAlias = DumpedConversation | DumpedRecord | DumpedTable | DumpedText | DumpedJson | DumpedStatus


class DumpBackend(Protocol):
    """Takes dumps."""

    async def dump(self, context: DumpContext, content: Dumped) -> None:
        """Write one down. `content.kind` says what it is."""
        ...


class MemoryDump:
    """Dumps as notes in the memory of the signal, found by their descriptions."""

    def __init__(self, memory: Adapter[MemoryBook]) -> None:
        """Write into the memory of the mode, whichever backend that has."""
        self._memory = memory

    async def dump(self, context: DumpContext, content: Dumped) -> None:
        """See `DumpBackend`."""
        at = context.at
        book = self._memory.to_write(at.backtest, f"dump of {context.dump_id!r}")
        await book.write(at, context.bucket_name, context.dump_id, plain_value(content), context.description)


class BothDumps:
    """Two backends, one after the other."""

    def __init__(self, first: DumpBackend, second: DumpBackend) -> None:
        """`first` is told first."""
        self._backends = (first, second)

    async def dump(self, context: DumpContext, content: Dumped) -> None:
        """See `DumpBackend`."""
        for backend in self._backends:
            await backend.dump(context, content)


class NullDump:
    """Writes nothing down."""

    async def dump(self, context: DumpContext, content: Dumped) -> None:
        """Nothing."""


def plain_value(content: Dumped) -> Any:
    """What was dumped as a JSON value; images are left out of a status, for they are no text."""
    match content:
        case DumpedConversation(messages):
            return [
                {
                    "role": message.role,
                    "content": message.content,
                    "tool_calls": [dict(call) for call in message.tool_calls],
                    "tool_call_id": message.tool_call_id,
                }
                for message in messages
            ]
        case DumpedRecord(record):
            return dict(record)
        case DumpedTable(rows):
            return [dict(row) for row in rows]
        case DumpedText(text):
            return text
        case DumpedJson(value):
            return value
        case DumpedStatus(messages=status):
            return [message.text for message in status if message.text]
