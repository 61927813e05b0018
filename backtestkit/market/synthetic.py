"""Made-up markets: a seeded random walk without edge, for demos, tests and benchmarks."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from backtestkit.errors import UsageError
from backtestkit.market.resample import resample
from backtestkit.model.candle import Candles, Floats
from backtestkit.model.interval import DAY_MS, MINUTE_MS, interval_step_ms

if TYPE_CHECKING:
    from backtestkit.model.schema import ExchangeSchema

Words: TypeAlias = npt.NDArray[np.uint64]

_MINUTES = 1440
_STEPS = 4
_ERA_LEVELS = 12
_ERA_DAYS = 1 << _ERA_LEVELS
_DAYS_KEPT = 64
# Standard deviation of a sum of k independent uniform 16-bit integers.
_SPREAD_4, _SPREAD_12 = (math.sqrt(k * (65536**2 - 1) / 12) for k in (4, 12))
_WALK, _VOLUME, _MIDPOINT = 0, 1, 2


class SyntheticExchange:
    """A market that does not exist: a geometric random walk of minutes, the same for the same seed and symbol.

    Any window can be made without making what lies before it. The log price is a Brownian motion: its values at
    midnights come from halving eras of 4,096 days (midpoint displacement, Levy's construction), the minutes of a day
    from a bridge between two midnights. At the ends of an era the price is `start_price` again, which keeps it in a
    plausible range for ever. Four steps inside each minute make high and low; every open is the close before it.
    Volume is log-normal around a daily cycle. Increments are exact sums of uniform integers, so that all machines
    make the same prices.
    """

    def __init__(
        self,
        exchange_name: str = "synthetic",
        *,
        seed: int = 1,
        start_price: float = 50_000.0,
        percent_volatility: float = 60.0,
        mean_volume: float = 5.0,
        price_decimals: int = 2,
    ) -> None:
        """A market for every symbol.

        `percent_volatility` is the standard deviation of a year's log return in percent, `mean_volume` is base currency
        a minute.
        """
        for name, value in (
            ("start_price", start_price),
            ("percent_volatility", percent_volatility),
            ("mean_volume", mean_volume),
        ):
            if not 0 < value < math.inf:
                raise UsageError(f"{name}={value!r} must be a finite number above 0")
        self.exchange_name, self.seed, self.start_price = exchange_name, seed, start_price
        self.mean_volume, self.price_decimals = mean_volume, price_decimals
        self._deviation = percent_volatility / 100 / math.sqrt(365.25)
        self._days: dict[tuple[str, int], Candles] = {}

    def schema(self) -> ExchangeSchema:
        """What `add_exchange` registers."""
        from backtestkit.model.schema import ExchangeSchema

        return ExchangeSchema(
            exchange_name=self.exchange_name,
            note=f"SYNTHETIC prices, a random walk with seed {self.seed}: no market",
            read_candles=self.read_candles,
        )

    def read_candles(self, symbol: str, interval: str, since: int, until: int) -> Candles:
        """All candles that open in [since, until), ms UTC; there is one for every step of every interval."""
        step = interval_step_ms(interval)
        first, end = -(-since // step) * step, -(-until // step) * step
        if first >= end:
            return Candles.empty()
        days = range(first // DAY_MS, -(-end // DAY_MS))
        minutes = Candles.concat([self._day(symbol, day) for day in days])
        start = (first - days[0] * DAY_MS) // MINUTE_MS
        return resample(minutes[start : start + (end - first) // MINUTE_MS], interval)

    def _day(self, symbol: str, day: int) -> Candles:
        candles = self._days.get((symbol, day))
        if candles is None:
            while len(self._days) >= _DAYS_KEPT:
                del self._days[next(iter(self._days))]
            candles = self._days[symbol, day] = self._make_day(_key(self.seed, symbol), day)
        return candles

    def _make_day(self, key: Words, day: int) -> Candles:
        start, end = self._midnight(key, day), self._midnight(key, day + 1)
        words = _words(key, _WALK, day, 0, _MINUTES * _STEPS)
        steps = _centred(words) * (self._deviation / math.sqrt(_MINUTES * _STEPS) / _SPREAD_4)
        walk = np.cumsum(steps)
        # A bridge: what the walk missed the next midnight by is taken back evenly.
        walk += np.arange(1, len(walk) + 1) * ((end - start - walk[-1]) / len(walk))
        path = (start + walk).reshape(_MINUTES, _STEPS)
        path[-1, -1] = end
        close = self._prices(path[:, -1])
        open_ = np.concatenate((self._prices(np.array([start])), close[:-1]))
        high = np.maximum(open_, self._prices(path.max(axis=1)))
        low = np.minimum(open_, self._prices(path.min(axis=1)))
        stamps = day * DAY_MS + MINUTE_MS * np.arange(_MINUTES, dtype=np.int64)
        return Candles.from_columns(stamps, open_, high, low, close, self._volumes(key, day))

    def _prices(self, log_price: Floats) -> Floats:
        tick = 10.0**-self.price_decimals
        return np.maximum(np.round(self.start_price * np.exp(log_price), self.price_decimals), tick)

    def _volumes(self, key: Words, day: int) -> Floats:
        spread = _centred(_words(key, _VOLUME, day, 0, _MINUTES)) * (0.9 / _SPREAD_4)
        cycle = 1 + 0.5 * np.sin(2 * np.pi * np.arange(_MINUTES) / _MINUTES)
        return np.maximum(np.round(self.mean_volume * np.exp(spread - 0.9**2 / 2) * cycle, 4), 0.0001)

    def _midnight(self, key: Words, day: int) -> float:
        """The log price, relative to `start_price`, at the start of `day` (days since the epoch)."""
        era, position = divmod(day, _ERA_DAYS)
        left, right, value_left, value_right = 0, _ERA_DAYS, 0.0, 0.0
        while position not in (left, right):
            middle = (left + right) // 2
            draw = _midpoint_draw(key.tobytes(), era, middle)
            # Half way between two known values a Brownian motion varies by a quarter of their distance.
            value = (value_left + value_right) / 2 + draw * self._deviation * math.sqrt((right - left) / 4)
            if position < middle:
                right, value_right = middle, value
            else:
                left, value_left = middle, value
        return value_left if position == left else value_right


def _key(seed: int, symbol: str) -> Words:
    digest = hashlib.sha256(f"{seed}\n{symbol}".encode()).digest()
    return np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)


def _words(key: Words, purpose: int, major: int, minor: int, count: int) -> Words:
    """`count` random 64-bit words: the counter-based generator Philox, whose bits are the same everywhere."""
    counter = np.array([0, purpose, minor, major % (1 << 64)], dtype=np.uint64)
    return np.asarray(np.random.Philox(key=key, counter=counter).random_raw(count), dtype=np.uint64)


@lru_cache(maxsize=8192)
def _midpoint_draw(key: bytes, era: int, middle: int) -> float:
    words = _words(np.frombuffer(key, dtype=np.uint64), _MIDPOINT, era, middle, 3)
    return float(_centred(words).sum()) / _SPREAD_12


def _centred(words: Words) -> Floats:
    """The four 16-bit integers of each word summed, less their mean: nearly normal, and exact."""
    mask = np.uint64(0xFFFF)
    total: Words = words & mask
    for shift in (16, 32, 48):
        total = total + (words >> np.uint64(shift) & mask)
    return total.astype(np.float64) - 2 * 65535
