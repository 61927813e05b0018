"""Plain twins of the coroutine functions, for scripts, notebooks and plain strategy functions.

Same names, same arguments, no `await`:

    from backtestkit import sync
    candles = sync.get_candles(symbol, "15m", 48)

Written by scripts/generate.py; do not edit.
"""

from backtestkit.api.cache_candles import cache_candles as _cache_candles
from backtestkit.api.cache_candles import check_candles as _check_candles
from backtestkit.api.cache_candles import wait_for_candle as _wait_for_candle
from backtestkit.api.cache_candles import warm_candles as _warm_candles
from backtestkit.api.context import get_runtime_info as _get_runtime_info
from backtestkit.api.dump import dump_agent_answer as _dump_agent_answer
from backtestkit.api.dump import dump_error as _dump_error
from backtestkit.api.dump import dump_json as _dump_json
from backtestkit.api.dump import dump_mcp_status as _dump_mcp_status
from backtestkit.api.dump import dump_record as _dump_record
from backtestkit.api.dump import dump_table as _dump_table
from backtestkit.api.dump import dump_text as _dump_text
from backtestkit.api.market import format_price as _format_price
from backtestkit.api.market import format_quantity as _format_quantity
from backtestkit.api.market import get_aggregated_trades as _get_aggregated_trades
from backtestkit.api.market import get_average_price as _get_average_price
from backtestkit.api.market import get_candles as _get_candles
from backtestkit.api.market import get_close_price as _get_close_price
from backtestkit.api.market import get_funding_rates as _get_funding_rates
from backtestkit.api.market import get_next_candles as _get_next_candles
from backtestkit.api.market import get_order_book as _get_order_book
from backtestkit.api.market import get_raw_candles as _get_raw_candles
from backtestkit.api.memory import list_memory as _list_memory
from backtestkit.api.memory import read_memory as _read_memory
from backtestkit.api.memory import remove_memory as _remove_memory
from backtestkit.api.memory import search_memory as _search_memory
from backtestkit.api.memory import write_memory as _write_memory
from backtestkit.api.position_functions import commit_activate_scheduled as _commit_activate_scheduled
from backtestkit.api.position_functions import commit_average_buy as _commit_average_buy
from backtestkit.api.position_functions import commit_breakeven as _commit_breakeven
from backtestkit.api.position_functions import commit_cancel_scheduled as _commit_cancel_scheduled
from backtestkit.api.position_functions import commit_close_pending as _commit_close_pending
from backtestkit.api.position_functions import commit_create_signal as _commit_create_signal
from backtestkit.api.position_functions import commit_create_stop_loss as _commit_create_stop_loss
from backtestkit.api.position_functions import commit_create_take_profit as _commit_create_take_profit
from backtestkit.api.position_functions import commit_partial_loss as _commit_partial_loss
from backtestkit.api.position_functions import commit_partial_loss_cost as _commit_partial_loss_cost
from backtestkit.api.position_functions import commit_partial_profit as _commit_partial_profit
from backtestkit.api.position_functions import commit_partial_profit_cost as _commit_partial_profit_cost
from backtestkit.api.position_functions import commit_signal_notify as _commit_signal_notify
from backtestkit.api.position_functions import commit_trailing_stop as _commit_trailing_stop
from backtestkit.api.position_functions import commit_trailing_stop_cost as _commit_trailing_stop_cost
from backtestkit.api.position_functions import commit_trailing_take as _commit_trailing_take
from backtestkit.api.position_functions import commit_trailing_take_cost as _commit_trailing_take_cost
from backtestkit.api.position_functions import get_breakeven as _get_breakeven
from backtestkit.api.position_functions import get_latest_signal as _get_latest_signal
from backtestkit.api.position_functions import get_max_drawdown_distance_pnl_cost as _get_max_drawdown_distance_pnl_cost
from backtestkit.api.position_functions import (
    get_max_drawdown_distance_pnl_percentage as _get_max_drawdown_distance_pnl_percentage,
)
from backtestkit.api.position_functions import (
    get_minutes_since_latest_signal_created as _get_minutes_since_latest_signal_created,
)
from backtestkit.api.position_functions import get_pending_signal as _get_pending_signal
from backtestkit.api.position_functions import get_position_active_minutes as _get_position_active_minutes
from backtestkit.api.position_functions import get_position_countdown_minutes as _get_position_countdown_minutes
from backtestkit.api.position_functions import get_position_drawdown_minutes as _get_position_drawdown_minutes
from backtestkit.api.position_functions import get_position_effective_price as _get_position_effective_price
from backtestkit.api.position_functions import get_position_entries as _get_position_entries
from backtestkit.api.position_functions import get_position_entry_overlap as _get_position_entry_overlap
from backtestkit.api.position_functions import get_position_estimate_minutes as _get_position_estimate_minutes
from backtestkit.api.position_functions import (
    get_position_highest_max_drawdown_pnl_cost as _get_position_highest_max_drawdown_pnl_cost,
)
from backtestkit.api.position_functions import (
    get_position_highest_max_drawdown_pnl_percentage as _get_position_highest_max_drawdown_pnl_percentage,
)
from backtestkit.api.position_functions import get_position_highest_pnl_cost as _get_position_highest_pnl_cost
from backtestkit.api.position_functions import (
    get_position_highest_pnl_percentage as _get_position_highest_pnl_percentage,
)
from backtestkit.api.position_functions import (
    get_position_highest_profit_breakeven as _get_position_highest_profit_breakeven,
)
from backtestkit.api.position_functions import (
    get_position_highest_profit_distance_pnl_cost as _get_position_highest_profit_distance_pnl_cost,
)
from backtestkit.api.position_functions import (
    get_position_highest_profit_distance_pnl_percentage as _get_position_highest_profit_distance_pnl_percentage,
)
from backtestkit.api.position_functions import (
    get_position_highest_profit_minutes as _get_position_highest_profit_minutes,
)
from backtestkit.api.position_functions import get_position_highest_profit_price as _get_position_highest_profit_price
from backtestkit.api.position_functions import (
    get_position_highest_profit_timestamp as _get_position_highest_profit_timestamp,
)
from backtestkit.api.position_functions import get_position_invested_cost as _get_position_invested_cost
from backtestkit.api.position_functions import get_position_invested_count as _get_position_invested_count
from backtestkit.api.position_functions import get_position_levels as _get_position_levels
from backtestkit.api.position_functions import get_position_max_drawdown_minutes as _get_position_max_drawdown_minutes
from backtestkit.api.position_functions import get_position_max_drawdown_pnl_cost as _get_position_max_drawdown_pnl_cost
from backtestkit.api.position_functions import (
    get_position_max_drawdown_pnl_percentage as _get_position_max_drawdown_pnl_percentage,
)
from backtestkit.api.position_functions import get_position_max_drawdown_price as _get_position_max_drawdown_price
from backtestkit.api.position_functions import (
    get_position_max_drawdown_timestamp as _get_position_max_drawdown_timestamp,
)
from backtestkit.api.position_functions import get_position_partial_overlap as _get_position_partial_overlap
from backtestkit.api.position_functions import get_position_partials as _get_position_partials
from backtestkit.api.position_functions import get_position_pnl_cost as _get_position_pnl_cost
from backtestkit.api.position_functions import get_position_pnl_percent as _get_position_pnl_percent
from backtestkit.api.position_functions import get_position_waiting_minutes as _get_position_waiting_minutes
from backtestkit.api.position_functions import get_remaining_cost_basis as _get_remaining_cost_basis
from backtestkit.api.position_functions import get_scheduled_signal as _get_scheduled_signal
from backtestkit.api.position_functions import get_strategy_paused as _get_strategy_paused
from backtestkit.api.position_functions import get_strategy_status as _get_strategy_status
from backtestkit.api.position_functions import get_total_cost_closed as _get_total_cost_closed
from backtestkit.api.position_functions import get_total_percent_closed as _get_total_percent_closed
from backtestkit.api.position_functions import get_total_percent_held as _get_total_percent_held
from backtestkit.api.position_functions import has_no_pending_signal as _has_no_pending_signal
from backtestkit.api.position_functions import has_no_scheduled_signal as _has_no_scheduled_signal
from backtestkit.api.position_functions import set_strategy_paused as _set_strategy_paused
from backtestkit.api.position_functions import stop_strategy as _stop_strategy
from backtestkit.api.state import get_session_data as _get_session_data
from backtestkit.api.state import get_signal_state as _get_signal_state
from backtestkit.api.state import set_session_data as _set_session_data
from backtestkit.api.state import set_signal_state as _set_signal_state
from backtestkit.api.system import shutdown as _shutdown
from backtestkit.api.system import wait_for_ready as _wait_for_ready
from backtestkit.api.system_context import begin_context as _begin_context
from backtestkit.api.system_context import begin_time as _begin_time
from backtestkit.api.system_context import run_in_mock_context as _run_in_mock_context
from backtestkit.runtime.bridge import twin

get_runtime_info = twin(_get_runtime_info)
get_candles = twin(_get_candles)
get_next_candles = twin(_get_next_candles)
get_raw_candles = twin(_get_raw_candles)
get_average_price = twin(_get_average_price)
get_close_price = twin(_get_close_price)
get_order_book = twin(_get_order_book)
get_aggregated_trades = twin(_get_aggregated_trades)
get_funding_rates = twin(_get_funding_rates)
format_price = twin(_format_price)
format_quantity = twin(_format_quantity)
get_pending_signal = twin(_get_pending_signal)
get_scheduled_signal = twin(_get_scheduled_signal)
get_latest_signal = twin(_get_latest_signal)
get_minutes_since_latest_signal_created = twin(_get_minutes_since_latest_signal_created)
has_no_pending_signal = twin(_has_no_pending_signal)
has_no_scheduled_signal = twin(_has_no_scheduled_signal)
get_strategy_status = twin(_get_strategy_status)
get_strategy_paused = twin(_get_strategy_paused)
get_breakeven = twin(_get_breakeven)
get_total_percent_held = twin(_get_total_percent_held)
get_total_percent_closed = twin(_get_total_percent_closed)
get_remaining_cost_basis = twin(_get_remaining_cost_basis)
get_total_cost_closed = twin(_get_total_cost_closed)
get_position_effective_price = twin(_get_position_effective_price)
get_position_invested_count = twin(_get_position_invested_count)
get_position_invested_cost = twin(_get_position_invested_cost)
get_position_pnl_percent = twin(_get_position_pnl_percent)
get_position_pnl_cost = twin(_get_position_pnl_cost)
get_position_levels = twin(_get_position_levels)
get_position_entries = twin(_get_position_entries)
get_position_partials = twin(_get_position_partials)
get_position_estimate_minutes = twin(_get_position_estimate_minutes)
get_position_countdown_minutes = twin(_get_position_countdown_minutes)
get_position_active_minutes = twin(_get_position_active_minutes)
get_position_waiting_minutes = twin(_get_position_waiting_minutes)
get_position_highest_profit_price = twin(_get_position_highest_profit_price)
get_position_highest_profit_timestamp = twin(_get_position_highest_profit_timestamp)
get_position_highest_profit_minutes = twin(_get_position_highest_profit_minutes)
get_position_highest_profit_breakeven = twin(_get_position_highest_profit_breakeven)
get_position_highest_pnl_percentage = twin(_get_position_highest_pnl_percentage)
get_position_highest_pnl_cost = twin(_get_position_highest_pnl_cost)
get_position_drawdown_minutes = twin(_get_position_drawdown_minutes)
get_position_max_drawdown_price = twin(_get_position_max_drawdown_price)
get_position_max_drawdown_timestamp = twin(_get_position_max_drawdown_timestamp)
get_position_max_drawdown_minutes = twin(_get_position_max_drawdown_minutes)
get_position_max_drawdown_pnl_percentage = twin(_get_position_max_drawdown_pnl_percentage)
get_position_max_drawdown_pnl_cost = twin(_get_position_max_drawdown_pnl_cost)
get_position_highest_profit_distance_pnl_percentage = twin(_get_position_highest_profit_distance_pnl_percentage)
get_position_highest_profit_distance_pnl_cost = twin(_get_position_highest_profit_distance_pnl_cost)
get_position_highest_max_drawdown_pnl_percentage = twin(_get_position_highest_max_drawdown_pnl_percentage)
get_position_highest_max_drawdown_pnl_cost = twin(_get_position_highest_max_drawdown_pnl_cost)
get_max_drawdown_distance_pnl_percentage = twin(_get_max_drawdown_distance_pnl_percentage)
get_max_drawdown_distance_pnl_cost = twin(_get_max_drawdown_distance_pnl_cost)
get_position_entry_overlap = twin(_get_position_entry_overlap)
get_position_partial_overlap = twin(_get_position_partial_overlap)
commit_partial_profit = twin(_commit_partial_profit)
commit_partial_loss = twin(_commit_partial_loss)
commit_partial_profit_cost = twin(_commit_partial_profit_cost)
commit_partial_loss_cost = twin(_commit_partial_loss_cost)
commit_trailing_stop = twin(_commit_trailing_stop)
commit_trailing_take = twin(_commit_trailing_take)
commit_trailing_stop_cost = twin(_commit_trailing_stop_cost)
commit_trailing_take_cost = twin(_commit_trailing_take_cost)
commit_breakeven = twin(_commit_breakeven)
commit_average_buy = twin(_commit_average_buy)
commit_close_pending = twin(_commit_close_pending)
commit_create_take_profit = twin(_commit_create_take_profit)
commit_create_stop_loss = twin(_commit_create_stop_loss)
commit_cancel_scheduled = twin(_commit_cancel_scheduled)
commit_activate_scheduled = twin(_commit_activate_scheduled)
commit_signal_notify = twin(_commit_signal_notify)
commit_create_signal = twin(_commit_create_signal)
set_strategy_paused = twin(_set_strategy_paused)
stop_strategy = twin(_stop_strategy)
write_memory = twin(_write_memory)
read_memory = twin(_read_memory)
search_memory = twin(_search_memory)
list_memory = twin(_list_memory)
remove_memory = twin(_remove_memory)
get_signal_state = twin(_get_signal_state)
set_signal_state = twin(_set_signal_state)
get_session_data = twin(_get_session_data)
set_session_data = twin(_set_session_data)
dump_agent_answer = twin(_dump_agent_answer)
dump_record = twin(_dump_record)
dump_table = twin(_dump_table)
dump_text = twin(_dump_text)
dump_error = twin(_dump_error)
dump_json = twin(_dump_json)
dump_mcp_status = twin(_dump_mcp_status)
warm_candles = twin(_warm_candles)
check_candles = twin(_check_candles)
cache_candles = twin(_cache_candles)
wait_for_candle = twin(_wait_for_candle)
wait_for_ready = twin(_wait_for_ready)
shutdown = twin(_shutdown)
run_in_mock_context = twin(_run_in_mock_context)
begin_context = twin(_begin_context)
begin_time = twin(_begin_time)

__all__ = [
    "begin_context",
    "begin_time",
    "cache_candles",
    "check_candles",
    "commit_activate_scheduled",
    "commit_average_buy",
    "commit_breakeven",
    "commit_cancel_scheduled",
    "commit_close_pending",
    "commit_create_signal",
    "commit_create_stop_loss",
    "commit_create_take_profit",
    "commit_partial_loss",
    "commit_partial_loss_cost",
    "commit_partial_profit",
    "commit_partial_profit_cost",
    "commit_signal_notify",
    "commit_trailing_stop",
    "commit_trailing_stop_cost",
    "commit_trailing_take",
    "commit_trailing_take_cost",
    "dump_agent_answer",
    "dump_error",
    "dump_json",
    "dump_mcp_status",
    "dump_record",
    "dump_table",
    "dump_text",
    "format_price",
    "format_quantity",
    "get_aggregated_trades",
    "get_average_price",
    "get_breakeven",
    "get_candles",
    "get_close_price",
    "get_funding_rates",
    "get_latest_signal",
    "get_max_drawdown_distance_pnl_cost",
    "get_max_drawdown_distance_pnl_percentage",
    "get_minutes_since_latest_signal_created",
    "get_next_candles",
    "get_order_book",
    "get_pending_signal",
    "get_position_active_minutes",
    "get_position_countdown_minutes",
    "get_position_drawdown_minutes",
    "get_position_effective_price",
    "get_position_entries",
    "get_position_entry_overlap",
    "get_position_estimate_minutes",
    "get_position_highest_max_drawdown_pnl_cost",
    "get_position_highest_max_drawdown_pnl_percentage",
    "get_position_highest_pnl_cost",
    "get_position_highest_pnl_percentage",
    "get_position_highest_profit_breakeven",
    "get_position_highest_profit_distance_pnl_cost",
    "get_position_highest_profit_distance_pnl_percentage",
    "get_position_highest_profit_minutes",
    "get_position_highest_profit_price",
    "get_position_highest_profit_timestamp",
    "get_position_invested_cost",
    "get_position_invested_count",
    "get_position_levels",
    "get_position_max_drawdown_minutes",
    "get_position_max_drawdown_pnl_cost",
    "get_position_max_drawdown_pnl_percentage",
    "get_position_max_drawdown_price",
    "get_position_max_drawdown_timestamp",
    "get_position_partial_overlap",
    "get_position_partials",
    "get_position_pnl_cost",
    "get_position_pnl_percent",
    "get_position_waiting_minutes",
    "get_raw_candles",
    "get_remaining_cost_basis",
    "get_runtime_info",
    "get_scheduled_signal",
    "get_session_data",
    "get_signal_state",
    "get_strategy_paused",
    "get_strategy_status",
    "get_total_cost_closed",
    "get_total_percent_closed",
    "get_total_percent_held",
    "has_no_pending_signal",
    "has_no_scheduled_signal",
    "list_memory",
    "read_memory",
    "remove_memory",
    "run_in_mock_context",
    "search_memory",
    "set_session_data",
    "set_signal_state",
    "set_strategy_paused",
    "shutdown",
    "stop_strategy",
    "wait_for_candle",
    "wait_for_ready",
    "warm_candles",
    "write_memory",
]
