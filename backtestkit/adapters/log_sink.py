"""The lines of the engine for a logger of the user's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from backtestkit.errors import UsageError
from backtestkit.runtime.log import LEVELS, LOGGER_NAME, LogLevel, LogSink

_OTHER_NAMES = {"warning": "warn", "critical": "error"}


class LoggerSink:
    """Passes lines on to a logger. What it raises is told once to the standard library's logger and ends there."""

    def __init__(self, logger: Any, wanted: Callable[[], bool]) -> None:
        """`logger` is a `LogSink`, a logger of the standard library, or has methods by level that take an event and fields.

        Lines are passed on while `wanted()`.
        """
        self._write = _writer(logger)
        self._wanted = wanted
        self._failed = False

    def write(self, level: LogLevel, event: str, fields: Mapping[str, Any]) -> None:
        """See `LogSink`."""
        if not self._wanted():
            return
        try:
            self._write(level, event, fields)
        except Exception:
            if not self._failed:
                self._failed = True
                logging.getLogger(LOGGER_NAME).exception("the logger given to set_logger failed")


def _writer(logger: Any) -> Callable[[LogLevel, str, Mapping[str, Any]], object]:
    if isinstance(logger, logging.Logger):
        return lambda level, event, fields: logger.log(LEVELS[level], "%s", _line(event, fields))
    if callable(getattr(logger, "write", None)) and not hasattr(logger, "writelines"):
        sink: LogSink = logger
        return sink.write
    methods = {level: _method(logger, level) for level in LEVELS}
    missing = [level for level, method in methods.items() if method is None]
    if missing:
        raise UsageError(
            f"set_logger was given {logger!r}, which has no method {missing[0]!r}. Give bk.Log, a logger of logging or "
            "structlog, or an object with a method for each level that takes an event and fields by name."
        )
    return lambda level, event, fields: methods[level](event, **fields)  # type: ignore[misc]


def _method(logger: Any, level: str) -> Callable[..., object] | None:
    for name in (level, _OTHER_NAMES.get(level, level)):
        method = getattr(logger, name, None)
        if callable(method):
            found: Callable[..., object] = method
            return found
    return None


def _line(event: str, fields: Mapping[str, Any]) -> str:
    return " ".join([event, *(f"{name}={value!r}" for name, value in fields.items())])
