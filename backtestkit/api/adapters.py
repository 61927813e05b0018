"""Storage and Recent, and the choice of backends of all adapters that keep records."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Unpack

from backtestkit.api.adapters_at import ContextNames, moment
from backtestkit.errors import UsageError
from backtestkit.kit import current_kit
from backtestkit.runtime.context import Mode

if TYPE_CHECKING:
    from backtestkit.adapters.adapter import Adapter, StoreBackends, Undo
    from backtestkit.adapters.storage import StoredSignal
    from backtestkit.model.signal import PublicSignal
    from backtestkit.persistence.store import KeyValueStore

    MakeStore: TypeAlias = Callable[[], KeyValueStore]

__all__ = [
    "MemoryBacktest", "MemoryBacktestAdapter", "MemoryLive", "MemoryLiveAdapter", "NotificationBacktest",
    "NotificationLive", "Recent", "RecentBacktest", "RecentLive", "SessionBacktest", "SessionLive", "StateBacktest",
    "StateBacktestAdapter", "StateLive", "StateLiveAdapter", "Storage", "StorageBacktest", "StorageLive", "use_store",
]  # fmt: skip

_AdapterName: TypeAlias = Literal["storage", "recent", "notification", "memory", "state", "session"]


def use_store(store: str | KeyValueStore) -> None:
    """Keep what the adapters of the current kit persist in `store` from now on.

    `"file:FOLDER"` (the default is `file:./dump`), `"memory:"`, or an object of your own that passes
    `backtestkit.testing`. Backends that used the store before are dropped; what that holds stays there.
    """
    from backtestkit.persistence.file_store import FileStore
    from backtestkit.persistence.memory_store import MemoryStore

    adapters = current_kit().adapters
    if not isinstance(store, str):
        adapters.use_store(store)
        return
    scheme, _, place = store.partition(":")
    if scheme == "memory" and not place:
        adapters.use_store(MemoryStore())
    elif scheme == "file" and place:
        adapters.use_store(FileStore(place, adapters.report))
    else:
        raise UsageError(f"use_store does not know {store!r}. Give 'file:FOLDER', 'memory:', or a store of your own.")


class StoreSelector:
    """Chooses the backend of one adapter in one mode, for the current kit. The one before is dropped."""

    def __init__(self, adapter: _AdapterName, mode: Mode) -> None:
        """Made once for each adapter and mode."""
        self._adapter, self._mode = adapter, mode

    def use_persist(self) -> None:
        """Keep records in the store of the kit (`use_store`), by default as files below `./dump`."""
        self._backends.use("persist")

    def use_memory(self) -> None:
        """Keep records in memory, as long as the kit lives."""
        self._backends.use("memory")

    def use_local(self) -> None:
        """The same as `use_memory`, by its other name."""
        self._backends.use("memory")

    def use_dummy(self) -> None:
        """Keep nothing: reads are empty, writes are dropped."""
        self._backends.use("dummy")

    def clear(self) -> None:
        """Drop the backend with what it holds in memory; what is on disks stays."""
        self._backends.clear()

    @property
    def _backends(self) -> StoreBackends[Any]:
        adapter: Adapter[Any] = getattr(current_kit().adapters, self._adapter)
        backends: Any = adapter.backtest if self._mode == "backtest" else adapter.live
        found: StoreBackends[Any] = backends
        return found


class StorageSelector(StoreSelector):
    """See `StoreSelector`."""

    def use_storage_adapter(self, make: MakeStore) -> None:
        """Keep records in the store that `make` (a class, say) gives."""
        self._backends.use_store(make)


class RecentSelector(StoreSelector):
    """See `StoreSelector`."""

    def use_recent_adapter(self, make: MakeStore) -> None:
        """Keep records in the store that `make` (a class, say) gives."""
        self._backends.use_store(make)


class NotificationSelector(StoreSelector):
    """See `StoreSelector`."""

    def use_notification_adapter(self, make: MakeStore) -> None:
        """Keep records in the store that `make` (a class, say) gives."""
        self._backends.use_store(make)


class SessionSelector(StoreSelector):
    """See `StoreSelector`."""

    def use_session_adapter(self, make: MakeStore) -> None:
        """Keep records in the store that `make` (a class, say) gives."""
        self._backends.use_store(make)


class MemorySelector(StoreSelector):
    """See `StoreSelector`."""

    def use_memory_adapter(self, make: MakeStore) -> None:
        """Keep records in the store that `make` (a class, say) gives."""
        self._backends.use_store(make)


class StateSelector(StoreSelector):
    """See `StoreSelector`."""

    def use_state_adapter(self, make: MakeStore) -> None:
        """Keep records in the store that `make` (a class, say) gives."""
        self._backends.use_store(make)


class MemoryBacktestAdapter(MemorySelector):
    """Chooses where backtests keep their memories."""

    def __init__(self) -> None:
        super().__init__("memory", "backtest")


class MemoryLiveAdapter(MemorySelector):
    """Chooses where live runs keep their memories."""

    def __init__(self) -> None:
        super().__init__("memory", "live")


class StateBacktestAdapter(StateSelector):
    """Chooses where backtests keep the states of signals."""

    def __init__(self) -> None:
        super().__init__("state", "backtest")


class StateLiveAdapter(StateSelector):
    """Chooses where live runs keep the states of signals."""

    def __init__(self) -> None:
        super().__init__("state", "live")


class SwitchFacade:
    """Base of the facades: the switch of one adapter of the current kit."""

    _name: str

    def enable(self) -> Undo:
        """Switch it on; returns a function that undoes that. On or off already, in any order, any number of times."""
        return self._adapter.enable()

    def disable(self) -> None:
        """Switch it off: nothing new is recorded or written, what is there can still be read."""
        self._adapter.disable()

    def clear(self) -> None:
        """Drop the backends of both modes with what they hold in memory; what is on disks stays."""
        self._adapter.clear()

    @property
    def _adapter(self) -> Adapter[Any]:
        adapter: Adapter[Any] = getattr(current_kit().adapters, self._name)
        return adapter


class _Storage(SwitchFacade):
    """The signals of all runs, each as it was last seen; recorded from `enable()` on."""

    _name = "storage"

    async def find_signal_by_id(self, signal_id: str) -> StoredSignal:
        """The newest signal of that id, of a backtest before a live one; `UsageError` when it is not kept (any more)."""
        for backtest in (True, False):
            found = await current_kit().adapters.storage.to_read(backtest, "find_signal_by_id").find(signal_id)
            if found is not None:
                return found
        raise UsageError(
            f"signal {signal_id!r} is not in the storage. It keeps the last max_signals="
            f"{current_kit().config.max_signals} of each mode."
        )

    async def list_signal_backtest(self) -> list[StoredSignal]:
        """The signals of backtests, newest first."""
        return await current_kit().adapters.storage.to_read(True, "list_signal_backtest").all()

    async def list_signal_live(self) -> list[StoredSignal]:
        """The live signals, newest first."""
        return await current_kit().adapters.storage.to_read(False, "list_signal_live").all()


class _Recent(SwitchFacade):
    """The last signal of every context; recorded from `enable()` on.

    Names say which context is meant, by default the running one. A signal from later than now is not seen.
    """

    _name = "recent"

    async def get_latest_signal(self, symbol: str, **names: Unpack[ContextNames]) -> PublicSignal | None:
        """The last signal of `symbol`; None when there was none."""
        at = moment("get_latest_signal", symbol, names)
        return await current_kit().adapters.recent.to_read(at.backtest, "get_latest_signal").read(at)

    async def get_minutes_since_latest_signal_created(self, symbol: str, **names: Unpack[ContextNames]) -> int:
        """Whole minutes since that signal was accepted; `UsageError` when there was none."""
        function = "get_minutes_since_latest_signal_created"
        at = moment(function, symbol, names)
        minutes = await current_kit().adapters.recent.to_read(at.backtest, function).minutes_since(at)
        if minutes is None:
            raise UsageError(f"there was no signal of {symbol} yet. Ask has_no_latest_signal first.")
        return minutes

    async def has_no_latest_signal(self, symbol: str, **names: Unpack[ContextNames]) -> bool:
        """Whether there was no signal of `symbol`."""
        return await self.get_latest_signal(symbol, **names) is None


Storage = _Storage()
"""The signals of all runs: `enable`, `find_signal_by_id`, `list_signal_backtest`, `list_signal_live`."""
StorageBacktest = StorageSelector("storage", "backtest")
"""Where the signals of backtests are kept."""
StorageLive = StorageSelector("storage", "live")
"""Where live signals are kept."""
Recent = _Recent()
"""The last signal of every context: `enable`, `get_latest_signal`, `has_no_latest_signal`."""
RecentBacktest = RecentSelector("recent", "backtest")
"""Where the last signals of backtests are kept."""
RecentLive = RecentSelector("recent", "live")
"""Where the last live signals are kept."""
NotificationBacktest = NotificationSelector("notification", "backtest")
"""Where the notifications of backtests are kept."""
NotificationLive = NotificationSelector("notification", "live")
"""Where live notifications are kept."""
SessionBacktest = SessionSelector("session", "backtest")
"""Where backtests keep their session values."""
SessionLive = SessionSelector("session", "live")
"""Where live runs keep their session values."""
MemoryBacktest = MemoryBacktestAdapter()
"""Where backtests keep their memories."""
MemoryLive = MemoryLiveAdapter()
"""Where live runs keep their memories."""
StateBacktest = StateBacktestAdapter()
"""Where backtests keep the states of signals."""
StateLive = StateLiveAdapter()
"""Where live runs keep the states of signals."""
