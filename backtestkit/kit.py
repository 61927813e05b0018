"""`Kit`: one isolated instance of the framework, and which one is meant when nobody says.

Two kits in one process share nothing: each has its own configuration, registries, channels, connections and runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from backtestkit.errors import UsageError
from backtestkit.runtime.context import RunContext, RunKey, current_run
from backtestkit.services.core.run_book import RunBook, describe

if TYPE_CHECKING:
    from backtestkit.config import Config
    from backtestkit.container import Container
    from backtestkit.runtime.log import Log, LogLevel
    from backtestkit.services.channels import Channels
    from backtestkit.services.connection.adapters import Adapters
    from backtestkit.services.schema import SchemaService
    from backtestkit.services.validation import ValidationService


CLOSE_SECONDS: Final = 30.0
"""How long the end of a kit waits for messages to be sent; what is left is sent by the next process."""


class Kit:
    """One isolated instance of the framework.

    Module functions such as `add_strategy` act on the current kit. `with Kit():` makes a fresh one current for the
    block, which is how tests and notebooks start clean:

        with bk.Kit({"percent_fee": 0.05}):
            bk.add_strategy(...)

    What is costly to import is imported when it is first used.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, name: str | None = None) -> None:
        """A kit with the defaults, the environment's settings and then `config`; `ConfigError` when they are wrong.

        `name` is for people: it shows in `repr`.
        """
        self.name: Final = name or "kit"
        self.runs: Final[RunBook[Any]] = RunBook()
        self.walks: Final[RunBook[Any]] = RunBook()
        self.sweeps: Final[RunBook[Any]] = RunBook()
        self.activities: Final[list[RunKey]] = []
        self._unset_logger: Callable[[], object] = lambda: None
        self._given = dict(config or {})
        self._config: Config | None = None
        if self._given:
            self._config = self._first_config()

    @property
    def config(self) -> Config:
        """The configuration in force for whatever starts next; a run keeps the one it started with."""
        if self._config is None:
            self._config = self._first_config()
        return self._config

    def set_config(self, changes: Mapping[str, Any], *, unsafe: bool = False) -> Config:
        """Replace the configuration by one with `changes` and return it; `ConfigError` leaves everything as it was."""
        self._config = self.config.merged(changes, unsafe=unsafe)
        return self._config

    @cached_property
    def container(self) -> Container:
        """All services of this kit, wired; made when first asked for."""
        from dependency_injector import providers

        from backtestkit.container import Container

        return Container(settings=providers.Object(lambda: self.config))

    @property
    def channels(self) -> Channels:
        """Where the events of this kit's runs go."""
        return self.container.channels()

    @property
    def registries(self) -> Mapping[str, SchemaService[Any]]:
        """The registry of each kind of schema, by kind."""
        return self.container.registries()

    @property
    def validations(self) -> Mapping[str, ValidationService[Any]]:
        """The validation of each kind of schema, by kind."""
        return self.container.validations()

    @cached_property
    def adapters(self) -> Adapters:
        """What runs leave behind and strategies remember; made when first asked for."""
        return self.container.adapters()

    @cached_property
    def logger(self) -> Log:
        """A logger that names this kit. A line below the level costs one comparison."""
        from backtestkit.runtime.log import logger

        return logger(kit=self.name)

    def set_logger(self, logger: Any, level: LogLevel | None = None) -> Callable[[], None]:
        """Give the engine's log lines of this kit to `logger` too, in the place of one that was set before.

        None ends that. `level` is that from which lines are written at all, to anybody; without it, it stays. Returns a
        function that undoes both.
        """
        from backtestkit.adapters.log_sink import LoggerSink
        from backtestkit.runtime.log import add_sink, set_level

        sink = None if logger is None else LoggerSink(logger, lambda: current_kit() is self)
        self._unset_logger()
        undos: list[Callable[[], object]] = [] if sink is None else [add_sink(sink)]
        if level is not None:
            before = set_level(level)
            undos.append(lambda: set_level(before))

        def undo() -> None:
            while undos:
                undos.pop()()

        self._unset_logger = undo
        return undo

    async def close(self) -> None:
        """Send the messages that wait, stop sending, and let go of adapters and the logger; files stay."""
        if "container" in self.__dict__:
            deliveries = self.container.deliveries()
            await deliveries.flush(CLOSE_SECONDS)
            await deliveries.close()
        self._let_go()

    def _let_go(self) -> None:
        self._unset_logger()
        self._unset_logger = lambda: None
        adapters = self.__dict__.pop("adapters", None)
        if adapters is not None:
            adapters.reset()

    def reset(self) -> None:
        """Back to the beginning: nothing registered, nobody listening, no runs, the first configuration.

        A run in progress raises `UsageError`, and then nothing is lost.
        """
        books = (self.runs, self.walks, self.sweeps)
        running = [run for book in books for run in book.running()]
        if running:
            raise UsageError(f"{describe(running[0].key)} is running. Stop it or wait for it before the reset.")
        for book in books:
            book.clear()
        self._let_go()
        self.activities.clear()
        self.__dict__.pop("container", None)
        self._config = self._first_config() if self._given else None

    def __enter__(self) -> Self:
        _entered.set(_Entry(self, current_run.get(), _entered.get()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        entry = _entered.get()
        assert entry is not None and entry.kit is self, f"left {self!r} inside {entry!r}"
        _entered.set(entry.outer)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<Kit {self.name}>"

    def _first_config(self) -> Config:
        from backtestkit.config import Config

        return Config.from_environment(os.environ).merged(self._given)


class _Entry(NamedTuple):
    """A kit that was entered, inside which run that was, and the entry around it."""

    kit: Kit
    run: RunContext | None
    outer: _Entry | None


_entered: ContextVar[_Entry | None] = ContextVar("backtestkit_kit", default=None)
_default: Final = Kit(name="default")


def current_kit() -> Kit:
    """The kit that is meant here: of the innermost `with Kit()` or running strategy, else the default one."""
    run, entry = current_run.get(), _entered.get()
    if entry is not None and entry.run is run:
        return entry.kit
    if run is not None:
        kit: Kit = run.kit
        return kit
    return _default if entry is None else entry.kit


def reset() -> None:
    """Empty the current kit: nothing registered, nobody listening, no runs, the first configuration.

    A run in progress raises `UsageError`, and then nothing is lost. `with Kit():` starts clean without losing anything.
    """
    current_kit().reset()
