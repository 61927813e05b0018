"""Markets of real venues through ccxt: candles, order books, trades, funding rates, precision."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

from backtestkit.errors import DataError, UsageError
from backtestkit.market.candle_store import CandleStore
from backtestkit.market.ccxt_session import CcxtSession
from backtestkit.market.download import Page, Target, download
from backtestkit.model.candle import Candles
from backtestkit.model.interval import interval_step_ms, iso, to_ms
from backtestkit.model.market_data import AggregatedTrade, BookLevel, FundingRate, OrderBook
from backtestkit.runtime.clock import Clock, SystemClock

if TYPE_CHECKING:
    from backtestkit.model.interval import CandleInterval
    from backtestkit.model.schema import ExchangeCallbacks, ExchangeSchema

MarketType: TypeAlias = Literal["spot", "margin", "swap", "future", "option"]

_ROWS_PER_REQUEST = 1000
_ROWS_ANY_VENUE_HAS = 100
_HOUR_MS = 3_600_000
_WORTH_STORING = 100


@dataclass(frozen=True, slots=True)
class MarketLimits:
    """What an order of a market must keep to; None where the venue does not say.

    `price_tick` is quote currency, `quantity_step`, `min_quantity` and `max_quantity` are base currency (contracts
    where `contract_size` is given: base currency a contract), `min_cost` is quote currency.
    """

    symbol: str
    price_tick: float | None
    quantity_step: float | None
    min_quantity: float | None
    max_quantity: float | None
    min_cost: float | None
    contract_size: float | None


class CcxtExchange:
    """A venue known to ccxt as an exchange: `bk.add_exchange(bk.CcxtExchange("bybit", store="./data"))`.

    Symbols are those of ccxt (`BTC/USDT`, `BTC/USDT:USDT`) or the venue's own (`BTCUSDT`) where they mean one market.
    With a `store`, candles are kept on disk and only what is missing is asked for; a second run reads no network. Reads
    are rate-limited and repeated after errors of the network. The connection opens on first use and closes by itself;
    `async with` or `aclose` close it at once.
    """

    def __init__(
        self,
        venue: str,
        *,
        exchange_name: str | None = None,
        store: CandleStore | str | Path | None = None,
        market_type: MarketType | None = None,
        gaps: Literal["refuse", "skip", "flat"] = "refuse",
        base_interval: CandleInterval = "1m",
        coarser: Literal["exchange", "resampled"] = "exchange",
        options: Mapping[str, Any] | None = None,
        sandbox: bool = False,
        attempts: int = 5,
        retry_wait_seconds: float = 0.5,
        note: str = "",
        callbacks: ExchangeCallbacks | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`options` configures the ccxt client. `market_type` decides what a symbol of the venue means."""
        self.venue, self.exchange_name = venue, exchange_name or venue
        self.market_type, self.gaps, self.base_interval, self.coarser = market_type, gaps, base_interval, coarser
        self.note, self.callbacks = note, callbacks
        self.store = CandleStore(store) if isinstance(store, str | Path) else store
        self.session = CcxtSession(
            venue, options=options, sandbox=sandbox, attempts=attempts, wait_seconds=retry_wait_seconds
        )
        self._clock = SystemClock() if clock is None else clock
        self._symbols: dict[str, str] = {}
        interval_step_ms(base_interval)

    @property
    def stored_as(self) -> str:
        """The exchange under which the store has its candles: the venue, with what makes its symbols mean others."""
        parts = [self.venue, self.market_type, "sandbox" if self.session.sandbox else None]
        return "-".join(part for part in parts if part)

    def schema(self) -> ExchangeSchema:
        """What `add_exchange` registers."""
        from backtestkit.model.schema import ExchangeSchema

        return ExchangeSchema(
            exchange_name=self.exchange_name,
            note=self.note or f"{self.venue} through ccxt",
            read_candles=self.read_candles,
            format_price=self.format_price,
            format_quantity=self.format_quantity,
            get_order_book=self.get_order_book,
            get_aggregated_trades=self.get_aggregated_trades,
            get_funding_rates=self.get_funding_rates,
            gaps=self.gaps,
            base_interval=self.base_interval,
            coarser=self.coarser,
            callbacks=self.callbacks,
        )

    async def read_candles(self, symbol: str, interval: str, since: int, until: int) -> Candles:
        """All closed candles that open in [since, until), ms UTC: from the store, and what it lacks from the venue."""
        if self.store is not None:
            return await self.download(symbol, interval, since, until, worth_storing=_WORTH_STORING)
        parts = [page.candles async for page in self.pages(symbol, interval, since, until)]
        return Candles.concat([part for part in parts if len(part)])

    async def download(
        self,
        symbol: str,
        interval: str,
        since: int,
        until: int,
        *,
        worth_storing: int = 1,
        refresh: bool = False,
        on_progress: Callable[[int, int], object] | None = None,
    ) -> Candles:
        """Bring [since, until) into the store and return it; interrupted downloads go on where they were.

        `refresh` asks for all of it again, for example after the venue has corrected its history. `on_progress(done,
        total)` hears milliseconds of time. Without a store this is a `UsageError`.
        """
        if self.store is None:
            raise UsageError(f"CcxtExchange({self.venue!r}) has no store to download to. Give it store='./data'.")
        return await download(
            self,
            Target(self.store, self.stored_as, symbol, interval),
            since,
            until,
            worth_storing=worth_storing,
            refresh=refresh,
            on_progress=on_progress,
        )

    async def pages(self, symbol: str, interval: str, since: int, until: int) -> AsyncIterator[Page]:
        """The venue's candles of [since, until) page by page, oldest first; never one that is still forming."""
        step = interval_step_ms(interval)
        until = min(until, self._clock.now_ms() // step * step)
        market = await self._symbol(symbol)
        await self._check_interval(interval)
        cursor, rows = -(-since // step) * step, _ROWS_PER_REQUEST
        while cursor < until:
            asked_at = self._clock.now_ms()
            candles = await self._rows(market, interval, cursor, until, rows)
            end = int(candles.timestamp[-1]) + step if len(candles) else min(cursor + rows * step, until)
            first = int(candles.timestamp[0]) if len(candles) else cursor
            if first > cursor and len(candles) < rows and end <= cursor + rows * step:
                # A hole, or a venue that answers the newest rows of a range that is too long for it: ask again for no
                # more than it can answer, and believe only that.
                fewer = max(len(candles), _ROWS_ANY_VENUE_HAS)
                before = await self._rows(market, interval, cursor, first, fewer)
                if len(before):
                    candles, rows, end = before, fewer, int(before.timestamp[-1]) + step
                elif first > cursor + fewer * step:
                    candles, end = before, cursor + fewer * step
            yield Page(cursor, end, candles, asked_at)
            cursor = end

    async def format_price(self, symbol: str, price: float, backtest: bool = False) -> str:
        """`price` rounded as the venue wants it."""
        market = await self._symbol(symbol)
        return str((await self.session.client()).price_to_precision(market, price))

    async def format_quantity(self, symbol: str, quantity: float, backtest: bool = False) -> str:
        """`quantity` cut to the venue's step."""
        market = await self._symbol(symbol)
        return str((await self.session.client()).amount_to_precision(market, quantity))

    async def limits(self, symbol: str) -> MarketLimits:
        """Tick, step and smallest order of a market."""
        symbol = await self._symbol(symbol)
        client = await self.session.client()
        market = client.market(symbol)
        ticks = client.precisionMode == 4  # ccxt's TICK_SIZE; other venues count digits
        price, amount = (
            value if ticks or value is None else 10.0 ** -int(value)
            for value in (market["precision"].get("price"), market["precision"].get("amount"))
        )
        bounds = market["limits"]
        return MarketLimits(
            symbol,
            price_tick=price,
            quantity_step=amount,
            min_quantity=(bounds.get("amount") or {}).get("min"),
            max_quantity=(bounds.get("amount") or {}).get("max"),
            min_cost=(bounds.get("cost") or {}).get("min"),
            contract_size=market.get("contractSize"),
        )

    async def get_order_book(
        self, symbol: str, depth: int, since: datetime, until: datetime, backtest: bool
    ) -> OrderBook:
        """The book of now; a venue has none of the past, so a backtest gets a `DataError`."""
        if backtest:
            raise DataError(
                f"{self.venue} has no order books of the past. Record them, or register an exchange with "
                "get_order_book=... that reads a recording."
            )
        book = await self.session.read("fetch_order_book", await self._symbol(symbol), depth)
        write = (await self.session.client()).number_to_string
        sides = ([BookLevel(write(row[0]), write(row[1])) for row in book[side][:depth]] for side in ("bids", "asks"))
        bids, asks = map(tuple, sides)
        return OrderBook(symbol, bids, asks)

    async def get_aggregated_trades(
        self, symbol: str, since: datetime, until: datetime, backtest: bool
    ) -> list[AggregatedTrade]:
        """Trades of [since, until), oldest first, as far back as the venue has them."""
        market = await self._symbol(symbol)
        cursor, end = to_ms(since), to_ms(until)
        trades: dict[str, AggregatedTrade] = {}
        while cursor < end:
            rows = await self.session.read("fetch_trades", market, cursor, _ROWS_PER_REQUEST)
            times = [row["timestamp"] for row in rows if row["timestamp"] >= cursor]
            trades |= {trade.id: trade for trade in map(_trade, rows)}
            if not times:
                # Some venues answer an hour at most.
                cursor += _HOUR_MS
            elif max(times) == cursor:
                cursor += 1
            else:
                # The next page begins with the last time of this one, of which there may be more.
                cursor = max(times)
        return sorted(
            (t for t in trades.values() if to_ms(since) <= t.timestamp < end), key=lambda trade: trade.timestamp
        )

    async def get_funding_rates(
        self, symbol: str, since: datetime, until: datetime, backtest: bool
    ) -> list[FundingRate]:
        """Funding rates of [since, until), oldest first."""
        market = await self._symbol(symbol)
        cursor, end = to_ms(since), to_ms(until)
        rates: dict[int, FundingRate] = {}
        while cursor < end:
            rows = await self.session.read("fetch_funding_rate_history", market, cursor, _ROWS_PER_REQUEST)
            new = {row["timestamp"]: FundingRate(row["timestamp"], float(row["fundingRate"])) for row in rows}
            if not new.keys() - rates.keys():
                break
            rates |= new
            cursor = max(new) + 1
        return [rates[at] for at in sorted(rates) if to_ms(since) <= at < end]

    async def aclose(self) -> None:
        """Close the connection of this event loop; the next read opens another."""
        await self.session.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _symbol(self, name: str) -> str:
        if name not in self._symbols:
            self._symbols[name] = await self.session.symbol(name, self.market_type)
        return self._symbols[name]

    async def _check_interval(self, interval: str) -> None:
        frames = (await self.session.client()).timeframes
        if frames and interval not in frames:
            raise DataError(
                f"{self.venue} has no {interval} candles; it has {', '.join(frames)}. With coarser='resampled' "
                "they are made from the base interval."
            )

    async def _rows(self, market: str, interval: str, since: int, until: int, limit: int) -> Candles:
        rows = await self.session.read("fetch_ohlcv", market, interval, since, limit)
        try:
            candles = Candles.from_rows(rows)
        except DataError as error:
            raise DataError(f"{self.venue} {market} {interval} from {iso(since)}: {error}") from error
        candles = candles.take(candles.timestamp.argsort(kind="stable"))
        inside = (candles.timestamp >= since) & (candles.timestamp < until)
        inside[1:] &= candles.timestamp[1:] != candles.timestamp[:-1]
        return candles.take(inside.nonzero()[0])


def _trade(row: Mapping[str, Any]) -> AggregatedTrade:
    identity = row["id"] or f"{row['timestamp']}-{row['price']}-{row['amount']}-{row['side']}"
    # The side is the taker's: when the taker sells, the buyer was waiting in the book.
    return AggregatedTrade(
        str(identity), float(row["price"]), float(row["amount"]), int(row["timestamp"]), row["side"] == "sell"
    )
