"""Memory: notes about a signal, found again by meaning, as they were known at the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from backtestkit.adapters.bm25 import K1, MIN_SCORE, B
from backtestkit.api.adapters import SwitchFacade
from backtestkit.api.adapters_at import SignalNames, signal_moment
from backtestkit.kit import current_kit

if TYPE_CHECKING:
    from backtestkit.adapters.memory import MemoryEntry, MemoryMatch

__all__ = ["Memory", "list_memory", "read_memory", "remove_memory", "search_memory", "write_memory"]


class _Memory(SwitchFacade):
    """Notes per signal and bucket, kept while the signal lives.

    Inside a run the signal is the open one, else the waiting one, of the running strategy; outside one, or for another,
    name it: `symbol=`, `strategy_name=`, `exchange_name=`, `frame_name=` (none for live), and `signal_id=` for one that is
    over. Notes from later than now are not there.
    """

    _name = "memory"

    async def write_memory(
        self, memory_id: str, value: Any, description: str, *, bucket_name: str, **names: Unpack[SignalNames]
    ) -> None:
        """Note `value` (JSON) under `memory_id`; `description` is the text by which it is found.

        Beyond `max_memory_entries` in a bucket the oldest note goes.
        """
        at = signal_moment("write_memory", names.get("symbol"), names)
        book = current_kit().adapters.memory.to_write(at.backtest, "write_memory")
        await book.write(at, bucket_name, memory_id, value, description)

    async def read_memory(self, memory_id: str, *, bucket_name: str, **names: Unpack[SignalNames]) -> Any:
        """What was noted under `memory_id`; `UsageError` with the near names when there is nothing."""
        at = signal_moment("read_memory", names.get("symbol"), names)
        book = current_kit().adapters.memory.to_read(at.backtest, "read_memory")
        return await book.read(at, bucket_name, memory_id)

    async def search_memory(
        self,
        query: str,
        *,
        bucket_name: str,
        k1: float = K1,
        b: float = B,
        min_score: float = MIN_SCORE,
        **names: Unpack[SignalNames],
    ) -> list[MemoryMatch]:
        """The notes whose descriptions match `query`, best first, with their BM25 scores of at least `min_score`.

        A word of the query also finds longer words that contain it. `k1` is how soon more of a word counts no more, `b`
        how much long descriptions are discounted. The statistics are those of the notes that are visible now.
        """
        at = signal_moment("search_memory", names.get("symbol"), names)
        book = current_kit().adapters.memory.to_read(at.backtest, "search_memory")
        return await book.search(at, bucket_name, query, k1=k1, b=b, min_score=min_score)

    async def list_memory(self, *, bucket_name: str, **names: Unpack[SignalNames]) -> list[MemoryEntry]:
        """All notes of the bucket, oldest first."""
        at = signal_moment("list_memory", names.get("symbol"), names)
        return await current_kit().adapters.memory.to_read(at.backtest, "list_memory").entries(at, bucket_name)

    async def remove_memory(self, memory_id: str, *, bucket_name: str, **names: Unpack[SignalNames]) -> None:
        """Take a note away; nothing happens when there is none."""
        at = signal_moment("remove_memory", names.get("symbol"), names)
        book = current_kit().adapters.memory.to_write(at.backtest, "remove_memory")
        await book.remove(at, bucket_name, memory_id)


Memory = _Memory()
"""Notes about signals: `write_memory`, `read_memory`, `search_memory`, `list_memory`, `remove_memory`."""

write_memory = Memory.write_memory
read_memory = Memory.read_memory
search_memory = Memory.search_memory
list_memory = Memory.list_memory
remove_memory = Memory.remove_memory
