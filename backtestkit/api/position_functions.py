"""Position queries and commands as functions of the symbol, bound to the running context."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from backtestkit.api.position import PositionApi
from backtestkit.runtime.context import RunKey, run_context

P = ParamSpec("P")
R = TypeVar("R")


def position_of(symbol: str, function: str) -> PositionApi:
    """The api of the run of `symbol` in the running context: this run, or its sibling on another symbol."""
    context = run_context(function)
    if symbol == context.key.symbol:
        return PositionApi(context.session)
    key = context.key
    other = RunKey(symbol, key.strategy_name, key.exchange_name, key.frame_name, key.backtest)
    return PositionApi(context.kit.runs.get(other).state)


def _bare(
    method: Callable[Concatenate[PositionApi, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[str, P], Coroutine[Any, Any, R]]:
    """`method` as a function of the symbol, bound to the running context."""

    @wraps(method)
    async def function(symbol: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await method(position_of(symbol, method.__name__), *args, **kwargs)

    return function


get_pending_signal = _bare(PositionApi.get_pending_signal)
get_scheduled_signal = _bare(PositionApi.get_scheduled_signal)
get_latest_signal = _bare(PositionApi.get_latest_signal)
get_minutes_since_latest_signal_created = _bare(PositionApi.get_minutes_since_latest_signal_created)
has_no_pending_signal = _bare(PositionApi.has_no_pending_signal)
has_no_scheduled_signal = _bare(PositionApi.has_no_scheduled_signal)
get_strategy_status = _bare(PositionApi.get_strategy_status)
get_strategy_paused = _bare(PositionApi.get_strategy_paused)
get_breakeven = _bare(PositionApi.get_breakeven)
get_total_percent_held = _bare(PositionApi.get_total_percent_held)
get_total_percent_closed = _bare(PositionApi.get_total_percent_closed)
get_remaining_cost_basis = _bare(PositionApi.get_remaining_cost_basis)
get_total_cost_closed = _bare(PositionApi.get_total_cost_closed)
get_position_effective_price = _bare(PositionApi.get_position_effective_price)
get_position_invested_count = _bare(PositionApi.get_position_invested_count)
get_position_invested_cost = _bare(PositionApi.get_position_invested_cost)
get_position_pnl_percent = _bare(PositionApi.get_position_pnl_percent)
get_position_pnl_cost = _bare(PositionApi.get_position_pnl_cost)
get_position_levels = _bare(PositionApi.get_position_levels)
get_position_entries = _bare(PositionApi.get_position_entries)
get_position_partials = _bare(PositionApi.get_position_partials)
get_position_estimate_minutes = _bare(PositionApi.get_position_estimate_minutes)
get_position_countdown_minutes = _bare(PositionApi.get_position_countdown_minutes)
get_position_active_minutes = _bare(PositionApi.get_position_active_minutes)
get_position_waiting_minutes = _bare(PositionApi.get_position_waiting_minutes)
get_position_highest_profit_price = _bare(PositionApi.get_position_highest_profit_price)
get_position_highest_profit_timestamp = _bare(PositionApi.get_position_highest_profit_timestamp)
get_position_highest_profit_minutes = _bare(PositionApi.get_position_highest_profit_minutes)
get_position_highest_profit_breakeven = _bare(PositionApi.get_position_highest_profit_breakeven)
get_position_highest_pnl_percentage = _bare(PositionApi.get_position_highest_pnl_percentage)
get_position_highest_pnl_cost = _bare(PositionApi.get_position_highest_pnl_cost)
get_position_drawdown_minutes = _bare(PositionApi.get_position_drawdown_minutes)
get_position_max_drawdown_price = _bare(PositionApi.get_position_max_drawdown_price)
get_position_max_drawdown_timestamp = _bare(PositionApi.get_position_max_drawdown_timestamp)
get_position_max_drawdown_minutes = _bare(PositionApi.get_position_max_drawdown_minutes)
get_position_max_drawdown_pnl_percentage = _bare(PositionApi.get_position_max_drawdown_pnl_percentage)
get_position_max_drawdown_pnl_cost = _bare(PositionApi.get_position_max_drawdown_pnl_cost)
get_position_highest_profit_distance_pnl_percentage = _bare(
    PositionApi.get_position_highest_profit_distance_pnl_percentage
)
get_position_highest_profit_distance_pnl_cost = _bare(PositionApi.get_position_highest_profit_distance_pnl_cost)
get_position_highest_max_drawdown_pnl_percentage = _bare(PositionApi.get_position_highest_max_drawdown_pnl_percentage)
get_position_highest_max_drawdown_pnl_cost = _bare(PositionApi.get_position_highest_max_drawdown_pnl_cost)
get_max_drawdown_distance_pnl_percentage = _bare(PositionApi.get_max_drawdown_distance_pnl_percentage)
get_max_drawdown_distance_pnl_cost = _bare(PositionApi.get_max_drawdown_distance_pnl_cost)
get_position_entry_overlap = _bare(PositionApi.get_position_entry_overlap)
get_position_partial_overlap = _bare(PositionApi.get_position_partial_overlap)

commit_partial_profit = _bare(PositionApi.commit_partial_profit)
commit_partial_loss = _bare(PositionApi.commit_partial_loss)
commit_partial_profit_cost = _bare(PositionApi.commit_partial_profit_cost)
commit_partial_loss_cost = _bare(PositionApi.commit_partial_loss_cost)
commit_trailing_stop = _bare(PositionApi.commit_trailing_stop)
commit_trailing_take = _bare(PositionApi.commit_trailing_take)
commit_trailing_stop_cost = _bare(PositionApi.commit_trailing_stop_cost)
commit_trailing_take_cost = _bare(PositionApi.commit_trailing_take_cost)
commit_breakeven = _bare(PositionApi.commit_breakeven)
commit_average_buy = _bare(PositionApi.commit_average_buy)
commit_close_pending = _bare(PositionApi.commit_close_pending)
commit_create_take_profit = _bare(PositionApi.commit_create_take_profit)
commit_create_stop_loss = _bare(PositionApi.commit_create_stop_loss)
commit_signal_notify = _bare(PositionApi.commit_signal_notify)
commit_cancel_scheduled = _bare(PositionApi.commit_cancel_scheduled)
commit_activate_scheduled = _bare(PositionApi.commit_activate_scheduled)
commit_create_signal = _bare(PositionApi.commit_create_signal)
set_strategy_paused = _bare(PositionApi.set_strategy_paused)
stop_strategy = _bare(PositionApi.stop_strategy)
