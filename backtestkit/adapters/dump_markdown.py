"""Dumps as markdown files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

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
)
from backtestkit.persistence.file_names import to_file_name
from backtestkit.runtime.files import write_atomic

DEFAULT_FOLDER: Final = Path("dump")


class MarkdownDump:
    """Files below a folder: `agent/<signal>/<bucket>/<dump>.md`, and for the status of agents `mcp/<dump>.md`.

    A file that exists is never overwritten: another content under the same names gets a number. Only the file of a
    status is, which is about now.
    """

    def __init__(self, folder: str | Path = DEFAULT_FOLDER) -> None:
        """Write below `folder`, which is made when it is needed."""
        self._folder = Path(folder)

    async def dump(self, context: DumpContext, content: Dumped) -> None:
        """See `DumpBackend`."""
        if isinstance(content, DumpedStatus):
            await self._status(context, content)
            return
        names = (context.at.signal_id, context.bucket_name, context.dump_id)
        *folders, file = map(to_file_name, names)
        folder, text = self._folder.joinpath("agent", *folders), (_head(context) + _body(content)).encode()
        path, number = folder / f"{file}.md", 1
        while path.exists():
            if path.read_bytes() == text:
                return
            number += 1
            path = folder / f"{file}-{number}.md"
        await write_atomic(path, text)

    async def _status(self, context: DumpContext, content: DumpedStatus) -> None:
        name = to_file_name(context.dump_id)
        parts = []
        for number, message in enumerate(content.messages):
            if message.text:
                parts.append(message.text)
            if message.image is not None:
                image = f"{name}-{number}.png"
                await write_atomic(self._folder / "image" / image, message.image)
                parts.append(f"![{context.dump_id}](../image/{image})")
        await write_atomic(self._folder / "mcp" / f"{name}.md", ("\n\n".join(parts) + "\n").encode())


def _head(context: DumpContext) -> str:
    return (
        f"# {context.dump_id}\n\n"
        f"- Signal: {context.at.signal_id}\n- Bucket: {context.bucket_name}\n- Description: {context.description}\n\n"
    )


def _body(content: Dumped) -> str:
    match content:
        case DumpedConversation(messages):
            return "\n".join(map(_message, messages))
        case DumpedRecord(record):
            return _table(("Name", "Value"), ((str(name), value) for name, value in record.items()))
        case DumpedTable(rows):
            return _rows(rows)
        case DumpedText(text, kind):
            return _fenced(text, "") if kind == "error" else f"{text}\n"
        case DumpedJson(value):
            return _fenced(_json(value, indent=True), "json")
        case DumpedStatus():
            raise AssertionError("a status has a file of its own")


def _message(message: AgentMessage) -> str:
    title = f"## {message.role}" + (f" ({message.tool_call_id})" if message.tool_call_id else "")
    parts = [title, message.content] if message.content else [title]
    if message.tool_calls:
        parts.append(_fenced(_json([dict(call) for call in message.tool_calls], indent=True), "json").rstrip("\n"))
    return "\n\n".join(parts) + "\n"


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return "No rows.\n"
    return _table([str(name) for name in names], ([row.get(name, "") for name in names] for row in rows))


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [_line(names), _line(["---"] * len(names)), *(_line(map(_cell, row)) for row in rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    """A value on one line, with what would end the cell escaped."""
    text = value if isinstance(value, str) else _json(value)
    return " ".join(text.replace("|", "\\|").split())


def _fenced(text: str, language: str) -> str:
    """A code block whose fence is longer than any inside."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}\n"


def _json(value: Any, *, indent: bool = False) -> str:
    option = orjson.OPT_NON_STR_KEYS | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps(value, default=repr, option=option).decode()
