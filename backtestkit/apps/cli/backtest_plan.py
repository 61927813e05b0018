"""From a command line to runs: which strategies, over which candles, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from backtestkit.apps.cli.market_plan import MarketRequest, add_frame, choose, need_symbols, plan_market

if TYPE_CHECKING:
    from backtestkit.api.backtest_run import BacktestRun
    from backtestkit.kit import Kit


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(MarketRequest):
    """One command line, as the options of `backtestkit backtest` have it."""

    strategy: str | None = None
    exchange: str | None = None
    frame: str | None = None


async def plan_runs(kit: Kit, request: Request) -> list[BacktestRun]:
    """One run for each symbol and strategy. What is missing or ambiguous in the line is wrong usage."""
    import backtestkit as bk
    from backtestkit.services.core.run_resolver import resolve_policy

    exchange, symbols = plan_market(kit, request, request.exchange, "candles")
    strategies = [request.strategy] if request.strategy else list(kit.registries["strategy"].names())
    if request.strategy or not strategies:
        strategies = [choose(kit, "strategy", request.strategy, "Add one in the file")]
    need_symbols(symbols)
    schema = kit.registries["exchange"].get(exchange)
    frame = _choose_frame(kit, request)
    policy = resolve_policy(request.policy, kit.config)
    runs: list[BacktestRun] = []
    for symbol in symbols:
        name = frame or await add_frame(kit, request, schema, symbol, policy)
        runs.extend(
            bk.Backtest.run(symbol, strategy_name=strategy, exchange_name=exchange, frame_name=name, policy=policy)
            for strategy in strategies
        )
    return runs


def _choose_frame(kit: Kit, request: Request) -> str | None:
    """The frame that was named, or the only one in the files; None when each symbol gets one that spans its data."""
    if request.frame is None and (request.dated or not kit.registries["frame"].names()):
        return None
    if request.dated:
        raise typer.BadParameter("--frame has its own dates; leave out --from and --to, or --frame")
    return choose(kit, "frame", request.frame, "Add one in the file")
