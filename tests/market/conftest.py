"""A venue on loopback that speaks the REST format of Binance spot and linear futures, for the real ccxt client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from backtestkit.model.candle import Candles
from backtestkit.model.interval import INTERVAL_MS

MINUTE = 60_000


def spot_symbol(symbol: str, base: str, quote: str) -> dict[str, Any]:
    return {
        "symbol": symbol, "status": "TRADING", "baseAsset": base, "quoteAsset": quote, "baseAssetPrecision": 8,
        "quotePrecision": 8, "quoteAssetPrecision": 8, "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "orderTypes": ["LIMIT", "MARKET"], "permissions": ["SPOT"], "permissionSets": [["SPOT"]],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.0", "stepSize": "0.00001"},
            {"filterType": "NOTIONAL", "minNotional": "5.0", "applyMinToMarket": True, "maxNotional": "9000000.0"},
        ],
    }  # fmt: skip


def swap_symbol(symbol: str, base: str, quote: str) -> dict[str, Any]:
    return {
        "symbol": symbol, "pair": symbol, "contractType": "PERPETUAL", "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000, "status": "TRADING", "baseAsset": base, "quoteAsset": quote,
        "marginAsset": quote, "pricePrecision": 2, "quantityPrecision": 3, "baseAssetPrecision": 8,
        "quotePrecision": 8, "orderTypes": ["LIMIT"], "timeInForce": ["GTC"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.1", "maxPrice": "1000000", "tickSize": "0.1"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            {"filterType": "MIN_NOTIONAL", "notional": "100"},
        ],
    }  # fmt: skip


class LoopbackVenue:
    """What the venue has, how it misbehaves, and what it was asked."""

    def __init__(self) -> None:
        self.candles: dict[tuple[str, str], Candles] = {}
        self.trades: list[dict[str, Any]] = []
        self.funding: list[dict[str, Any]] = []
        self.book: dict[str, Any] = {"lastUpdateId": 1, "bids": [], "asks": []}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.failures: list[int] = []
        self.rows_max = 1000
        self.answers_newest = False
        self.url = ""

    def asked(self, path: str) -> list[dict[str, str]]:
        return [query for asked, query in self.requests if asked == path]

    @property
    def options(self) -> dict[str, Any]:
        """The configuration of a ccxt client that talks to this venue and nothing else."""
        return {
            "urls": {"api": {"public": f"{self.url}/api/v3", "fapiPublic": f"{self.url}/fapi/v1"}},
            "options": {"fetchMarkets": {"types": ["spot", "linear"]}},
            "timeout_on_exit": 0,
            "rateLimit": 1,
        }

    async def answer(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        query = dict(request.query)
        self.requests.append((path, query))
        if self.failures and not path.endswith("exchangeInfo"):
            status = self.failures.pop(0)
            if status >= 500:
                return web.Response(text="down for maintenance", status=status)
            return web.json_response({"code": -1100, "msg": "illegal characters"}, status=status)
        return web.json_response(getattr(self, path.split("/")[-1])(query, path))

    def exchangeInfo(self, query: dict[str, str], path: str) -> dict[str, Any]:
        if path.startswith("fapi"):
            return {"symbols": [swap_symbol("BTCUSDT", "BTC", "USDT")]}
        return {"symbols": [spot_symbol("BTCUSDT", "BTC", "USDT"), spot_symbol("ETHUSDT", "ETH", "USDT")]}

    def klines(self, query: dict[str, str], path: str) -> list[list[Any]]:
        candles = self.candles.get((query["symbol"], query["interval"]), Candles.empty())
        limit, start = min(int(query["limit"]), self.rows_max), int(query["startTime"])
        step = INTERVAL_MS[query["interval"]]
        if self.answers_newest:
            found = [row for row in candles if start <= row.timestamp < start + int(query["limit"]) * step][-limit:]
        else:
            found = [row for row in candles if row.timestamp >= start][:limit]
        return [[row.timestamp, *map(str, row[1:]), row.timestamp + step - 1, "0", 1, "0", "0", "0"] for row in found]

    def aggTrades(self, query: dict[str, str], path: str) -> list[dict[str, Any]]:
        start, end = int(query["startTime"]), int(query["endTime"])
        return [trade for trade in self.trades if start <= trade["T"] <= end][: min(int(query["limit"]), self.rows_max)]

    def depth(self, query: dict[str, str], path: str) -> dict[str, Any]:
        return self.book

    def fundingRate(self, query: dict[str, str], path: str) -> list[dict[str, Any]]:
        start = int(query["startTime"])
        return [rate for rate in self.funding if rate["fundingTime"] >= start][
            : min(int(query["limit"]), self.rows_max)
        ]


@asynccontextmanager
async def serving(venue: LoopbackVenue) -> AsyncIterator[LoopbackVenue]:
    app = web.Application()
    app.router.add_get("/{path:.*}", venue.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    venue.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield venue
    finally:
        await runner.cleanup()


@pytest.fixture
def venue() -> LoopbackVenue:
    return LoopbackVenue()


@pytest.fixture
def with_venue(venue: LoopbackVenue) -> Callable[[Callable[[LoopbackVenue], Awaitable[Any]]], Any]:
    """Run an async function against the venue in a loop of its own."""

    def run(scenario: Callable[[LoopbackVenue], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            async with serving(venue):
                return await scenario(venue)

        return asyncio.run(main())

    return run
