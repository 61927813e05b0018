"""A ccxt client that opens when it is used, waits between tries, and closes itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from copy import deepcopy
from difflib import get_close_matches
from typing import Any
from weakref import WeakKeyDictionary

from backtestkit.errors import DataError, SourceError, UsageError
from backtestkit.runtime.clock import monotonic_seconds
from backtestkit.runtime.retry import repeat

_READS = ("fetch_", "load_markets")


class CcxtSession:
    """Reads from one venue through `ccxt.async_support`, which is imported on first use (0.3 s of CPU).

    There is one client per event loop. It is closed by `aclose`, after `idle_seconds` without use, or when its loop
    ends (`asyncio.run` cancels the task that keeps it). What was learned about markets outlives the client.
    """

    def __init__(
        self,
        venue: str,
        *,
        options: Mapping[str, Any] | None = None,
        sandbox: bool = False,
        attempts: int = 5,
        wait_seconds: float = 0.5,
        idle_seconds: float = 90.0,
    ) -> None:
        """`options` is the configuration of the ccxt client; a failed read is tried `attempts` times in all."""
        self.venue, self.sandbox = venue, sandbox
        self._options = dict(options or {})
        self._attempts, self._wait_seconds, self._idle_seconds = attempts, wait_seconds, idle_seconds
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _Kept] = WeakKeyDictionary()
        self._markets: tuple[Any, Any] | None = None

    async def read(self, method: str, *args: Any, **params: Any) -> Any:
        """Call a reading method of the client, and again after an error of the network or a rate limit.

        Only reads may be repeated, so only they are accepted. Raises `SourceError` when the venue refuses or stays
        out of reach.
        """
        assert method.startswith(_READS), f"{method} is no read and must not be repeated"
        import ccxt

        kept = self._kept()
        kept.users += 1
        try:
            call = getattr(kept.client, method)
            return await repeat(
                ccxt.NetworkError, call, *args, attempts=self._attempts, wait_seconds=self._wait_seconds, **params
            )
        except ccxt.BaseError as error:
            tries = f" after {self._attempts} attempts" if isinstance(error, ccxt.NetworkError) else ""
            asked = ", ".join(map(str, args))
            raise SourceError(
                f"{self.venue}: {method}({asked}) failed{tries}: {type(error).__name__}: {error}"
            ) from error
        finally:
            kept.users -= 1
            kept.last_use = monotonic_seconds()

    async def client(self) -> Any:
        """The client of this loop, with its markets loaded."""
        kept = self._kept()
        if kept.client.markets is None:
            if self._markets is None:
                await self.read("load_markets")
                self._markets = kept.client.markets, kept.client.currencies
            else:
                kept.client.set_markets(list(self._markets[0].values()), self._markets[1])
        return kept.client

    async def symbol(self, name: str, market_type: str | None = None) -> str:
        """The unified symbol (`BTC/USDT`, `BTC/USDT:USDT`) of `name`, which may also be the venue's own (`BTCUSDT`).

        `DataError` with the near names when there is none, `UsageError` when it means several markets and `market_type`
        does not decide.
        """
        client = await self.client()
        if name in client.markets:
            return name
        found = client.markets_by_id.get(name, [])
        fitting = [m["symbol"] for m in found if market_type is None or m["type"] == market_type]
        if len(fitting) == 1:
            return str(fitting[0])
        if fitting:
            raise UsageError(
                f"{self.venue}: {name!r} may be {' or '.join(fitting)}. Use one of these, or give market_type, "
                f"for example market_type={found[0]['type']!r}."
            )
        near = get_close_matches(name, [*client.markets, *client.markets_by_id], n=3)
        hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"It has {len(client.markets)} markets."
        raise DataError(f"{self.venue} has no market {name!r}. {hint}")

    async def aclose(self) -> None:
        """Close the client of this loop; the next read opens another."""
        kept = self._clients.pop(asyncio.get_running_loop(), None)
        if kept is not None:
            kept.closing.set()
            await kept.task

    def _kept(self) -> _Kept:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            kept = _Kept(self._open(), self._idle_seconds)
            kept.task.add_done_callback(lambda _: self._forget(loop, kept))
            self._clients[loop] = kept
        return self._clients[loop]

    def _forget(self, loop: asyncio.AbstractEventLoop, kept: _Kept) -> None:
        if self._clients.get(loop) is kept:
            del self._clients[loop]

    def _open(self) -> Any:
        import ccxt.async_support as ccxt

        if self.venue not in ccxt.exchanges:
            near = get_close_matches(self.venue, ccxt.exchanges, n=3)
            hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else "See `ccxt.exchanges`."
            raise UsageError(f"ccxt knows no venue {self.venue!r}. {hint}")
        client = getattr(ccxt, self.venue)(deepcopy(self._options))
        if self.sandbox:
            client.set_sandbox_mode(True)
        return client


class _Kept:
    """A client and the task that closes it: when told, when idle, or when the loop ends and cancels the task."""

    def __init__(self, client: Any, idle_seconds: float) -> None:
        self.client = client
        self.users = 0
        self.last_use = monotonic_seconds()
        self.closing = asyncio.Event()
        self._idle_seconds = idle_seconds
        self.task = asyncio.get_running_loop().create_task(self._keep(), name=f"keep ccxt {client.id}")

    async def _keep(self) -> None:
        try:
            while not self.closing.is_set():
                rest = (
                    self._idle_seconds - (monotonic_seconds() - self.last_use) if not self.users else self._idle_seconds
                )
                if rest <= 0:
                    return
                try:
                    async with asyncio.timeout(rest):
                        await self.closing.wait()
                except TimeoutError:
                    continue
        finally:
            await self.client.close()
