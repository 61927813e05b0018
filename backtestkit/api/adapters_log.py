"""Log: lines of strategies, and of the engine if wanted, kept for programs to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtestkit.api.adapters import SwitchFacade
from backtestkit.errors import UsageError
from backtestkit.kit import current_kit
from backtestkit.runtime.clock import SystemClock
from backtestkit.runtime.context import current_run
from backtestkit.runtime.ids import new_id
from backtestkit.runtime.log import masked

if TYPE_CHECKING:
    from backtestkit.adapters.adapter import Backends, Undo
    from backtestkit.adapters.log_book import LogBackend, LogEntry, LogType
    from backtestkit.runtime.log import LogLevel

__all__ = ["Log", "set_logger"]


class _Log(SwitchFacade):
    """Lines of the current kit: the last `max_log_lines` of them.

    A line has a topic, what is said about it, and the names and the time of the run it comes from. `set_logger(Log)` keeps
    the lines of the engine too.
    """

    _name = "log"

    def use_memory(self) -> None:
        """Keep lines in memory."""
        self._backends.use("memory")

    def use_persist(self) -> None:
        """Keep lines in `./dump/log/log.jsonl` too, and find them there again."""
        self._backends.use("persist")

    def use_jsonl(self, file_name: str = "log.jsonl", folder: str | Path = "dump/log") -> None:
        """Keep lines in a file of your choice too, one JSON object a line."""
        adapters, path = current_kit().adapters, Path(folder) / file_name
        self._backends.use_custom(lambda: adapters.journal_log(path))

    def use_dummy(self) -> None:
        """Keep nothing."""
        self._backends.use("dummy")

    def use_logger(self, make: Callable[[], LogBackend]) -> None:
        """Give lines to what `make` (a class, say) gives: an object with `append(entry)` and `entries()`."""
        self._backends.use_custom(make)

    def log(self, topic: str, *args: Any, **fields: Any) -> None:
        """Say something."""
        self._say("log", topic, args, fields)

    def debug(self, topic: str, *args: Any, **fields: Any) -> None:
        """Say what goes on, step by step."""
        self._say("debug", topic, args, fields)

    def info(self, topic: str, *args: Any, **fields: Any) -> None:
        """Say what people may want to know."""
        self._say("info", topic, args, fields)

    def warn(self, topic: str, *args: Any, **fields: Any) -> None:
        """Say what is not as it should be."""
        self._say("warning", topic, args, fields)

    def error(self, topic: str, *args: Any, **fields: Any) -> None:
        """Say what has failed."""
        self._say("error", topic, args, fields)

    def agent(self, topic: str, *args: Any, **fields: Any) -> None:
        """Say what a model has said."""
        self._say("agent", topic, args, fields)

    def get_list(self) -> list[LogEntry]:
        """The lines that are kept, oldest first."""
        return self._adapter.to_read(False, "get_list").entries()  # type: ignore[no-any-return]

    def _say(self, kind: LogType, topic: str, args: tuple[Any, ...], fields: dict[str, Any]) -> None:
        from backtestkit.adapters.log_book import LogEntry

        backend: LogBackend = self._adapter.to_write(False, f"Log of {topic!r}")
        run, wall = current_run.get(), SystemClock().now_ms()
        entry = LogEntry(
            id=new_id(),
            type=kind,
            topic=topic,
            args=tuple(_plain(masked(value)) for value in args),
            fields={name: _plain(masked(value, name)) for name, value in fields.items()},
            timestamp=wall if run is None or not run.clock.available else run.clock.now_ms(),
            created_at=wall,
            **({} if run is None else _names(run.key)),
        )
        backend.append(entry)

    @property
    def _backends(self) -> Backends[LogBackend]:
        return current_kit().adapters.log.live


def _plain(value: Any) -> Any:
    """`value` as JSON carries it, else in words."""
    from backtestkit.persistence.json_values import decode, encode

    try:
        return decode(encode(value, "value"))
    except UsageError:
        return repr(value)


def _names(key: Any) -> dict[str, Any]:
    return {
        "symbol": key.symbol,
        "strategy_name": key.strategy_name,
        "exchange_name": key.exchange_name,
        "frame_name": key.frame_name,
        "backtest": key.backtest,
    }


Log = _Log()
"""Log lines: `info`, `warn`, ..., `get_list`; `set_logger(Log)` adds those of the engine."""


def set_logger(logger: Any, level: LogLevel | None = None) -> Undo:
    """Give the engine's log lines of the current kit to `logger` as well; None ends that. Returns what undoes it.

    `logger` is `bk.Log`, a logger of `logging` or structlog, a `LogSink`, or an object with methods `debug`, `info`,
    `warning`, `error`, `critical` that take an event and fields by name. `level` is that from which lines are written at
    all, by every kit (`"warning"` at the start); without it, it stays.
    """
    return current_kit().set_logger(logger, level)
