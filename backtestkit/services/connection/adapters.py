"""The adapters of one kit: which backends they have, what they start with, and which events feed them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from backtestkit.adapters.adapter import Adapter, Backends, StoreBackends, Undo
from backtestkit.adapters.dump import BothDumps, DumpBackend, MemoryDump, NullDump
from backtestkit.adapters.dump_markdown import MarkdownDump
from backtestkit.adapters.log_book import JournalLog, LogBackend, MemoryLog, NullLog
from backtestkit.adapters.memory import MemoryBook
from backtestkit.adapters.notification import AnyNotification, ErrorNotification
from backtestkit.adapters.notification_book import NotificationBook, check_targets, feed
from backtestkit.adapters.owner import Owner, joined
from backtestkit.adapters.recent import RecentBook
from backtestkit.adapters.state import SessionBook, StateBook
from backtestkit.adapters.storage import SignalBook
from backtestkit.config import Config
from backtestkit.model.event import ErrorEvent, PingEvent, RunEvent
from backtestkit.model.result import AnyResult
from backtestkit.persistence.file_store import FileStore
from backtestkit.persistence.memory_store import MemoryStore, NullStore
from backtestkit.persistence.store import KeyValueStore
from backtestkit.runtime.context import current_run
from backtestkit.services.channels import Channels

T = TypeVar("T")

DEFAULT_ROOT: Final = Path("dump")
DEFAULT_JOURNAL: Final = DEFAULT_ROOT / "log" / "log.jsonl"


class Adapters:
    """All adapters of a kit and the store that their `persist` backends share."""

    def __init__(self, channels: Channels, settings: Callable[[], Config]) -> None:
        """`settings` gives the configuration in force."""
        self._channels, self._settings = channels, settings
        self._store: KeyValueStore = FileStore(DEFAULT_ROOT, self.report)

        kept = self._kept
        self.storage: Adapter[SignalBook] = kept("Storage", self._signal_book, self._feed_storage)
        self.recent: Adapter[RecentBook] = kept("Recent", self._recent_book, self._feed_recent)
        self._targets = check_targets(())
        self.notification: Adapter[NotificationBook] = kept(
            "Notification", self._notification_book, self._feed_notification
        )
        self.memory: Adapter[MemoryBook] = kept("Memory", self._memory_book, self._forget_memories, automatic=True)
        self.state: Adapter[StateBook] = kept("State", self._state_book, self._forget_states, automatic=True)
        self.session: Adapter[SessionBook] = kept("Session", self._session_book, automatic=True)
        self.dump: Adapter[DumpBackend] = self._dump_adapter()
        self.log: Adapter[LogBackend] = self._log_adapter()

    @property
    def store(self) -> KeyValueStore:
        """Where the `persist` backends keep their records."""
        return self._store

    def use_store(self, store: KeyValueStore) -> None:
        """Keep records in `store` from now on; backends that used the one before are dropped."""
        self._store = store
        for adapter in self._stored():
            for backends in (adapter.backtest, adapter.live):
                if backends.chosen == "persist":
                    backends.clear()

    def enable_notifications(self, targets: Collection[str]) -> Undo:
        """Keep notifications of `targets`, of all when none is named, and of no others from now on."""
        chosen = check_targets(targets)
        if chosen != self._targets:
            self.notification.disable()
            self._targets = chosen
        return self.notification.enable()

    def journal_log(self, path: Path) -> JournalLog:
        """A log that is kept in the file at `path`."""
        return JournalLog(path, lambda: self._settings().max_log_lines)

    def reset(self) -> None:
        """Hear nothing, and let go of what is held in memory and of files; what is on disks stays."""
        for adapter in (*self._stored(), self.dump, self.log):
            adapter.reset()

    async def report(self, error: Exception) -> None:
        """Tell the error channel of a damaged record, with the run it was found in."""
        run = current_run.get()
        key, now = (None, None) if run is None or not run.clock.available else (run.key, run.clock.now_ms())
        await self._channels.error.emit(ErrorEvent(error, "store", key, now))

    def _stored(self) -> Sequence[Adapter[Any]]:
        return (self.storage, self.recent, self.notification, self.memory, self.state, self.session)

    # -- backends -----------------------------------------------------------------------------------------------------

    def _kept(
        self,
        name: str,
        build: Callable[[KeyValueStore, bool], T],
        subscribe: Callable[[], Iterable[Undo]] = tuple,
        *,
        automatic: bool = False,
    ) -> Adapter[T]:
        """An adapter over a store of records: in memory for backtests, persistent in live."""
        backtest = self._backends(f"{name}Backtest", lambda store: build(store, True), "memory")
        live = self._backends(f"{name}Live", lambda store: build(store, False), "persist")
        return Adapter(name, backtest, live, subscribe=subscribe, automatic=automatic)

    def _backends(self, name: str, build: Callable[[KeyValueStore], T], default: str) -> StoreBackends[T]:
        stores = {"persist": lambda: self._store, "memory": self._memory_store, "dummy": NullStore}
        return StoreBackends(name, build, stores, default)

    def _dump_adapter(self) -> Adapter[DumpBackend]:
        dumps: Backends[DumpBackend] = Backends(
            "Dump",
            {
                "markdown": MarkdownDump,
                "memory": lambda: MemoryDump(self.memory),
                "markdown_memory_both": lambda: BothDumps(MarkdownDump(), MemoryDump(self.memory)),
                "dummy": NullDump,
            },
            "markdown",
        )
        return Adapter("Dump", dumps, dumps, automatic=True)

    def _log_adapter(self) -> Adapter[LogBackend]:
        logs: Backends[LogBackend] = Backends(
            "Log",
            {
                "memory": lambda: MemoryLog(lambda: self._settings().max_log_lines),
                "persist": lambda: self.journal_log(DEFAULT_JOURNAL),
                "dummy": NullLog,
            },
            "memory",
        )
        return Adapter("Log", logs, logs, automatic=True)

    def _memory_store(self) -> MemoryStore:
        return MemoryStore(lambda: self._settings().max_state_records, "max_state_records")

    def _signal_book(self, store: KeyValueStore, backtest: bool) -> SignalBook:
        return SignalBook(store, backtest, lambda: self._settings().max_signals, self.report)

    def _notification_book(self, store: KeyValueStore, backtest: bool) -> NotificationBook:
        return NotificationBook(store, backtest, lambda: self._settings().max_notifications, self.report)

    def _recent_book(self, store: KeyValueStore, backtest: bool) -> RecentBook:
        return RecentBook(store, lambda: self._settings().max_sessions, self.report)

    def _memory_book(self, store: KeyValueStore, backtest: bool) -> MemoryBook:
        return MemoryBook(store, lambda: self._settings().max_memory_entries)

    def _state_book(self, store: KeyValueStore, backtest: bool) -> StateBook:
        return StateBook(store)

    def _session_book(self, store: KeyValueStore, backtest: bool) -> SessionBook:
        return SessionBook(store, lambda: self._settings().max_sessions)

    # -- events -------------------------------------------------------------------------------------------------------

    def _feed_storage(self) -> list[Undo]:
        """Results of both modes; in live also the pings, which a backtest is not made to step for."""

        async def result(event: AnyResult) -> None:
            await self.storage.of(event.backtest).take_result(_owner(event), event)

        async def active(event: PingEvent) -> None:
            await self.storage.of(False).take_ping(_owner(event), event, "opened")

        async def waiting(event: PingEvent) -> None:
            await self.storage.of(False).take_ping(_owner(event), event, "scheduled")

        channels = self._channels
        return [
            channels.signal.listen(result, action=("scheduled", "opened", "closed", "cancelled")),
            channels.active_ping.listen(active, mode="live"),
            channels.schedule_ping.listen(waiting, mode="live"),
        ]

    def _feed_recent(self) -> list[Undo]:
        """The position when it is opened and closed; in live also every minute."""

        async def result(event: AnyResult) -> None:
            assert event.signal is not None, f"{event.action} without a signal"
            await self.recent.of(event.backtest).write(_owner(event), event.signal, event.timestamp)

        async def active(event: PingEvent) -> None:
            await self.recent.of(False).write(_owner(event), event.data, event.timestamp)

        channels = self._channels
        return [
            channels.signal.listen(result, action=("opened", "closed")),
            channels.active_ping.listen(active, mode="live"),
        ]

    def _feed_notification(self) -> list[Undo]:
        """The chosen targets; an error that belongs to no run is kept in both modes."""

        async def keep(notification: AnyNotification) -> None:
            await self.notification.of(notification.backtest).add(notification)
            if isinstance(notification, ErrorNotification) and not notification.context:
                await self.notification.of(not notification.backtest).add(notification)

        return feed({channel.name: channel for channel in self._channels}, self._targets, keep)

    def _forget_memories(self) -> list[Undo]:
        return self._forget_ended(self.memory)

    def _forget_states(self) -> list[Undo]:
        return self._forget_ended(self.state)

    def _forget_ended(self, adapter: Adapter[MemoryBook] | Adapter[StateBook]) -> list[Undo]:
        """What is remembered of a signal in memory goes with the signal."""

        async def ended(event: AnyResult) -> None:
            assert event.signal is not None, f"{event.action} without a signal"
            await adapter.of(event.backtest).forget(_owner(event), event.signal.id)

        return [self._channels.signal.listen(ended, action=("closed", "cancelled"))]


def _owner(event: RunEvent) -> Owner:
    """Whose event it is. One that is raised outside its run is the run's of its names."""
    run, key = current_run.get(), event.key
    if run is not None and run.key == key:
        return Owner.of(run)
    if not key.backtest:
        return Owner.live(key)
    return Owner(True, ("backtest", joined(key.symbol, key.strategy_name, key.exchange_name, key.frame_name)))
