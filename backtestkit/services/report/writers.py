"""Where markdown reports go: a file each (default), one JSONL file a report, nowhere, or to a class of the user's."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

import orjson

from backtestkit.errors import UsageError
from backtestkit.runtime.context import RunKey
from backtestkit.runtime.files import append_durable, write_atomic
from backtestkit.runtime.user_code import user_function

MARKDOWN_JOURNAL_FOLDER: Final = Path("dump/markdown")


@dataclass(frozen=True, slots=True)
class DumpOptions:
    """What belongs to a report that is written.

    `report` is its name, `key` the run it is about, `folder` and `file` where the default writer puts it, `timestamp`
    the time of the run it is written in, else of the wall clock (ms UTC).
    """

    report: str
    key: RunKey
    folder: Path
    file: str
    timestamp: int


class MarkdownBackend(Protocol):
    """Takes the reports of one name. Both methods may be plain or async."""

    def wait_for_init(self, initial: bool) -> Any:
        """Called once before the first report; `initial` is True."""
        ...

    def dump(self, content: str, options: DumpOptions) -> Any:
        """Take a report. A path that is returned is what `dump` of the facade returns."""
        ...


MarkdownFactory: TypeAlias = Callable[[str], MarkdownBackend]


class MarkdownFolderBase:
    """Writes each report into a file of its own."""

    def __init__(self, report: str) -> None:
        """The backend of one report."""

    def wait_for_init(self, initial: bool) -> None:
        """Folders are made when they are needed."""

    async def dump(self, content: str, options: DumpOptions) -> Path:
        """Write the file."""
        path = options.folder / options.file
        await write_atomic(path, content.encode())
        return path


class MarkdownFileBase:
    """Appends every report to `dump/markdown/<report>.jsonl`, one object a line."""

    def __init__(self, report: str) -> None:
        """The backend of one report."""
        self._path = MARKDOWN_JOURNAL_FOLDER / f"{report}.jsonl"

    def wait_for_init(self, initial: bool) -> None:
        """Folders are made when they are needed."""

    async def dump(self, content: str, options: DumpOptions) -> Path:
        """Append a line; names that are empty are left out."""
        record: dict[str, object] = {"markdown_name": options.report, "data": content, **tags(options.key)}
        record["timestamp"] = options.timestamp
        await append_durable(self._path, orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        return self._path


class MarkdownDummy:
    """Writes nothing."""

    def __init__(self, report: str) -> None:
        """The backend of one report."""

    def wait_for_init(self, initial: bool) -> None:
        """Nothing to do."""

    def dump(self, content: str, options: DumpOptions) -> None:
        """Let it go."""


class BackendSlot:
    """The backends of one kit, one a report, made by the factory in force. Another factory takes over at once."""

    def __init__(self, factory: Callable[[str], Any], *methods: str) -> None:
        """`methods` are those that a backend must have."""
        self._methods = methods
        self.factory = factory
        self._backends: dict[str, Any] = {}
        self._ready: set[str] = set()

    def use(self, factory: Callable[[str], Any]) -> None:
        """Take backends from `factory` from now on; `UsageError` for one that cannot be called."""
        if not callable(factory):
            raise UsageError(f"{factory!r} is no adapter. Give a class that is made with the name of a report.")
        lacking = [name for name in self._methods if inspect.isclass(factory) and not hasattr(factory, name)]
        if lacking:
            raise UsageError(
                f"{factory.__name__} lacks {', '.join(lacking)}. An adapter has {', '.join(self._methods)}."
            )
        self.factory = factory
        self._backends, self._ready = {}, set()

    def get(self, report: str) -> Any:
        """The backend of one report."""
        backend = self._backends.get(report)
        if backend is None:
            backend = self._backends[report] = self.factory(report)
        return backend

    async def ready(self, report: str) -> Any:
        """The backend of one report, after its `wait_for_init`."""
        backend = self.get(report)
        if report not in self._ready:
            await user_function(backend.wait_for_init)(True)
            self._ready.add(report)
        return backend

    def all(self) -> list[Any]:
        """The backends made so far."""
        return list(self._backends.values())


def tags(key: RunKey) -> dict[str, str]:
    """The names of a run that are not empty."""
    names = ("symbol", "strategy_name", "exchange_name", "frame_name")
    return {name: value for name in names if (value := getattr(key, name))}
