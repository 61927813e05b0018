"""A candle store as an exchange: what was downloaded, without network and without ccxt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from backtestkit.errors import DataError
from backtestkit.market.candle_store import CandleStore
from backtestkit.model.candle import Candles
from backtestkit.model.interval import interval_step_ms, iso

if TYPE_CHECKING:
    from backtestkit.model.interval import CandleInterval
    from backtestkit.model.schema import ExchangeCallbacks, ExchangeSchema


class StoreExchange:
    """The candles that a store has of one venue: `bk.add_exchange(bk.StoreExchange("bybit", "./data"))`.

    A range that was never downloaded is an error that says so; a hole inside what was downloaded is the market's, and
    the gap policy decides.
    """

    def __init__(
        self,
        exchange_name: str,
        store: CandleStore | str | Path,
        *,
        stored_as: str | None = None,
        gaps: Literal["refuse", "skip", "flat"] = "refuse",
        base_interval: CandleInterval = "1m",
        coarser: Literal["exchange", "resampled"] = "resampled",
        note: str = "",
        callbacks: ExchangeCallbacks | None = None,
    ) -> None:
        """`stored_as` is the venue in the store, when it is not called like the exchange."""
        self.exchange_name, self.stored_as = exchange_name, stored_as or exchange_name
        self.store = store if isinstance(store, CandleStore) else CandleStore(store)
        self.gaps, self.base_interval, self.coarser = gaps, base_interval, coarser
        self.note, self.callbacks = note, callbacks
        interval_step_ms(base_interval)

    def schema(self) -> ExchangeSchema:
        """What `add_exchange` registers."""
        from backtestkit.model.schema import ExchangeSchema

        return ExchangeSchema(
            exchange_name=self.exchange_name,
            note=self.note or f"stored candles of {self.stored_as}",
            read_candles=self.read_candles,
            span=self.span,
            gaps=self.gaps,
            base_interval=self.base_interval,
            coarser=self.coarser,
            callbacks=self.callbacks,
        )

    def read_candles(self, symbol: str, interval: str, since: int, until: int) -> Candles:
        """What is stored with open time in [since, until), ms UTC; `DataError` when part of it was never downloaded."""
        candles, missing = self.store.read(self.stored_as, symbol, interval, since, until)
        if missing:
            start, end = missing[0]
            raise DataError(
                f"{self.stored_as} {symbol} {interval}: [{iso(start)}, {iso(end)}) is not in store {self.store.root}. "
                f"{self._command(symbol, interval)} --from '{iso(start)}' --to '{iso(end)}'"
            )
        return candles

    def span(self, symbol: str, interval: str) -> tuple[int, int]:
        """First and last open time that are stored, ms UTC; `DataError` that lists what is there without any."""
        market = self.store.market(self.stored_as, symbol, interval)
        if market is None:
            stored = (f"{m.exchange_name} {m.symbol} {m.interval}" for m in self.store.markets())
            raise DataError(
                f"the store {self.store.root} has no {self.stored_as} {symbol} {interval}. It has: "
                f"{', '.join(stored) or 'nothing'}. {self._command(symbol, interval)} --from ..."
            )
        return market.coverage[0][0], market.coverage[-1][1] - interval_step_ms(interval)

    def _command(self, symbol: str, interval: str) -> str:
        return (
            f"Get it with: backtestkit data download {self.stored_as} {symbol} --interval {interval} "
            f"--store {self.store.root}"
        )
