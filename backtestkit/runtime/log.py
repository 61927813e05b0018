"""Log lines: an event name and fields, bound once a run, cheap when nobody wants them.

A line that is not wanted costs one comparison, so the engine may say what it does at every step. The first line that
passes loads structlog, masks secrets and writes to the standard library's logger "backtestkit"; where it goes from
there is the user's `logging` configuration. Further sinks, such as a log store, get the same lines.

While a simulated run is active, standard log records made inside it carry the simulated time.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, Literal, Protocol, TypeAlias, cast

from backtestkit.errors import UsageError, suggest
from backtestkit.runtime.clock import Clock, running_clock
from backtestkit.runtime.context import current_run

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error", "critical"]

LEVELS: Final[dict[LogLevel, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
LOGGER_NAME: Final = "backtestkit"
MASK: Final = "***"

_SECRET_NAME = re.compile(
    r"(api|private|secret|access|signing)[_-]?key|secret|passw|passphrase|token(?!s)|authorization|signature|credential",
    re.IGNORECASE,
)
_SECRET_IN_TEXT = re.compile(
    r"((?:(?:api|private|secret|access)[_-]?key|secret|password|passphrase|token|signature)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;)]+",
    re.IGNORECASE,
)


class LogSink(Protocol):
    """Receives every log line that passes the level, with secrets masked. It must not raise and must not block."""

    def write(self, level: LogLevel, event: str, fields: Mapping[str, Any]) -> None:
        """Take one line."""
        ...


class Log:
    """A logger with bound context. Lines below the level cost one comparison."""

    __slots__ = ("context",)

    def __init__(self, context: Mapping[str, Any]) -> None:
        self.context = dict(context)

    def bind(self, **context: Any) -> Log:
        """The same logger with more context."""
        return Log({**self.context, **context})

    def debug(self, event: str, **fields: Any) -> None:
        """What the engine does, step by step."""
        if _threshold <= 10:
            _write("debug", event, {**self.context, **fields})

    def info(self, event: str, **fields: Any) -> None:
        """What a user may want to know about a run that goes well."""
        if _threshold <= 20:
            _write("info", event, {**self.context, **fields})

    def warning(self, event: str, **fields: Any) -> None:
        """Something that is not as it should be and that the run can live with."""
        if _threshold <= 30:
            _write("warning", event, {**self.context, **fields})

    def error(self, event: str, **fields: Any) -> None:
        """Something that failed; `exc_info=error` adds the traceback."""
        if _threshold <= 40:
            _write("error", event, {**self.context, **fields})

    def critical(self, event: str, **fields: Any) -> None:
        """Something that ends a run."""
        if _threshold <= 50:
            _write("critical", event, {**self.context, **fields})


def logger(**context: Any) -> Log:
    """A logger whose lines all carry `context`. Make one per run or service and keep it."""
    return Log(context)


def set_level(level: LogLevel) -> LogLevel:
    """Write lines of this level and above ("warning" at the start); returns the level that was set before."""
    if level not in LEVELS:
        raise UsageError(f"log level {level!r} is unknown. {suggest(str(level), list(LEVELS), 'one of these')}")
    global _threshold
    before, _threshold = _threshold, LEVELS[level]
    logging.getLogger(LOGGER_NAME).setLevel(_threshold)
    return next(name for name, number in LEVELS.items() if number == before)


def add_sink(sink: LogSink) -> Callable[[], None]:
    """Send lines to `sink` too; returns a function that ends that."""
    _sinks.append(sink)

    def remove() -> None:
        if sink in _sinks:
            _sinks.remove(sink)

    return remove


def masked(value: Any, name: str = "") -> Any:
    """`value` with secrets replaced by `***`: fields whose name says so, and `name=value` pairs inside text."""
    if name and _SECRET_NAME.search(name):
        return MASK
    if isinstance(value, str):
        return _SECRET_IN_TEXT.sub(rf"\1{MASK}", value)
    if isinstance(value, Mapping):
        return {key: masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    if isinstance(value, BaseException):
        return masked(repr(value))
    return value


@contextmanager
def simulated_time(clock: Clock | None = None) -> Iterator[None]:
    """While the block runs, standard log records made in its context carry the time of `clock`, if it is simulated.

    Without `clock` that of the current run counts. Blocks may overlap in several tasks: each record takes the clock of
    the context it is made in. The record factory found by the first block is put back when the last one ends.
    """
    token = None if clock is None else running_clock.set(clock)
    _stamper.enter()
    try:
        yield
    finally:
        _stamper.leave()
        if token is not None:
            running_clock.reset(token)


class _Stamper:
    """The record factory that puts simulated time on records, installed while anybody needs it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._previous: Callable[..., logging.LogRecord] = logging.LogRecord

    def enter(self) -> None:
        with self._lock:
            if self._users == 0:
                self._previous = logging.getLogRecordFactory()
                logging.setLogRecordFactory(self.make)
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            # A factory that was put over this one in the meantime is its owner's to remove.
            if self._users == 0 and logging.getLogRecordFactory() == self.make:
                logging.setLogRecordFactory(self._previous)

    def make(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._previous(*args, **kwargs)
        clock = running_clock.get()
        if clock is None:
            run = current_run.get()
            clock = None if run is None else run.clock
        if clock is not None and clock.is_simulated and clock.available:
            milliseconds = clock.now_ms()
            record.created, record.msecs = milliseconds / 1000, float(milliseconds % 1000)
        return record


def _write(level: LogLevel, event: str, fields: dict[str, Any]) -> None:
    global _pipeline
    if _pipeline is None:
        _pipeline = _build_pipeline()
    getattr(_pipeline, level)(event, **fields)


def _build_pipeline() -> Any:
    import structlog

    return structlog.wrap_logger(
        logging.getLogger(LOGGER_NAME),
        processors=[structlog.processors.format_exc_info, _mask, _tell_sinks, _render],
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _mask(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: masked(value, name) for name, value in line.items()}


def _tell_sinks(_: Any, level: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if _sinks:
        fields = dict(line)
        event = str(fields.pop("event"))
        for sink in tuple(_sinks):
            sink.write(cast(LogLevel, level), event, fields)
    return line


def _render(_: Any, __: str, line: MutableMapping[str, Any]) -> str:
    event, trace = line.pop("event"), line.pop("exception", None)
    text = " ".join([str(event), *(f"{name}={value!r}" for name, value in line.items())])
    return text if trace is None else f"{text}\n{trace}"


_threshold = logging.WARNING
_pipeline: Any = None
_sinks: list[LogSink] = []
_stamper = _Stamper()
