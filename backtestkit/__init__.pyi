"""Every public name, typed.

Written by scripts/generate.py; do not edit.
"""

from backtestkit import sync as sync
from backtestkit import testing as testing
from backtestkit.adapters.dump import AgentMessage as AgentMessage
from backtestkit.adapters.dump import DumpBackend as DumpBackend
from backtestkit.adapters.dump import DumpContext as DumpContext
from backtestkit.adapters.dump import Dumped as Dumped
from backtestkit.adapters.dump import DumpedConversation as DumpedConversation
from backtestkit.adapters.dump import DumpedJson as DumpedJson
from backtestkit.adapters.dump import DumpedRecord as DumpedRecord
from backtestkit.adapters.dump import DumpedStatus as DumpedStatus
from backtestkit.adapters.dump import DumpedTable as DumpedTable
from backtestkit.adapters.dump import DumpedText as DumpedText
from backtestkit.adapters.dump import StatusMessage as StatusMessage
from backtestkit.adapters.log_book import LogBackend as LogBackend
from backtestkit.adapters.log_book import LogEntry as LogEntry
from backtestkit.adapters.memory import MemoryEntry as MemoryEntry
from backtestkit.adapters.memory import MemoryMatch as MemoryMatch
from backtestkit.adapters.notification import AnyNotification as AnyNotification
from backtestkit.adapters.notification import AverageBuyNotification as AverageBuyNotification
from backtestkit.adapters.notification import BreakevenNotification as BreakevenNotification
from backtestkit.adapters.notification import CancelledNotification as CancelledNotification
from backtestkit.adapters.notification import ClosedNotification as ClosedNotification
from backtestkit.adapters.notification import CommandNotification as CommandNotification
from backtestkit.adapters.notification import EntryNotification as EntryNotification
from backtestkit.adapters.notification import ErrorNotification as ErrorNotification
from backtestkit.adapters.notification import InfoNotification as InfoNotification
from backtestkit.adapters.notification import LevelNotification as LevelNotification
from backtestkit.adapters.notification import PartialCommitNotification as PartialCommitNotification
from backtestkit.adapters.notification import PauseNotification as PauseNotification
from backtestkit.adapters.notification import RiskNotification as RiskNotification
from backtestkit.adapters.notification import TrailingCommitNotification as TrailingCommitNotification
from backtestkit.adapters.notification_kinds import NotificationTarget as NotificationTarget
from backtestkit.adapters.outbox import Sender as Sender
from backtestkit.adapters.storage import SignalStatus as SignalStatus
from backtestkit.adapters.storage import StoredSignal as StoredSignal
from backtestkit.adapters.templates import Template as Template
from backtestkit.api import arrays as arrays
from backtestkit.api import rules as rules
from backtestkit.api.action import ActionBase as ActionBase
from backtestkit.api.adapters import MemoryBacktest as MemoryBacktest
from backtestkit.api.adapters import MemoryBacktestAdapter as MemoryBacktestAdapter
from backtestkit.api.adapters import MemoryLive as MemoryLive
from backtestkit.api.adapters import MemoryLiveAdapter as MemoryLiveAdapter
from backtestkit.api.adapters import NotificationBacktest as NotificationBacktest
from backtestkit.api.adapters import NotificationLive as NotificationLive
from backtestkit.api.adapters import Recent as Recent
from backtestkit.api.adapters import RecentBacktest as RecentBacktest
from backtestkit.api.adapters import RecentLive as RecentLive
from backtestkit.api.adapters import SessionBacktest as SessionBacktest
from backtestkit.api.adapters import SessionLive as SessionLive
from backtestkit.api.adapters import StateBacktest as StateBacktest
from backtestkit.api.adapters import StateBacktestAdapter as StateBacktestAdapter
from backtestkit.api.adapters import StateLive as StateLive
from backtestkit.api.adapters import StateLiveAdapter as StateLiveAdapter
from backtestkit.api.adapters import Storage as Storage
from backtestkit.api.adapters import StorageBacktest as StorageBacktest
from backtestkit.api.adapters import StorageLive as StorageLive
from backtestkit.api.adapters import use_store as use_store
from backtestkit.api.adapters_log import Log as Log
from backtestkit.api.adapters_log import set_logger as set_logger
from backtestkit.api.arrays_result import ArrayResult as ArrayResult
from backtestkit.api.backtest import Backtest as Backtest
from backtestkit.api.backtest import RunInfo as RunInfo
from backtestkit.api.backtest_run import BackgroundRun as BackgroundRun
from backtestkit.api.backtest_run import BacktestResult as BacktestResult
from backtestkit.api.backtest_run import BacktestRun as BacktestRun
from backtestkit.api.bracket import Bracket as Bracket
from backtestkit.api.bracket import Constant as Constant
from backtestkit.api.bracket import Position as Position
from backtestkit.api.cache import Cache as Cache
from backtestkit.api.cache_candles import cache_candles as cache_candles
from backtestkit.api.cache_candles import check_candles as check_candles
from backtestkit.api.cache_candles import use_candle_store as use_candle_store
from backtestkit.api.cache_candles import wait_for_candle as wait_for_candle
from backtestkit.api.cache_candles import warm_candles as warm_candles
from backtestkit.api.cache_functions import CachedCoroutine as CachedCoroutine
from backtestkit.api.cache_functions import CachedFile as CachedFile
from backtestkit.api.cache_functions import CachedFunction as CachedFunction
from backtestkit.api.cache_functions import IntervalCoroutine as IntervalCoroutine
from backtestkit.api.cache_functions import IntervalFile as IntervalFile
from backtestkit.api.cache_functions import IntervalFunction as IntervalFunction
from backtestkit.api.columns import get_columns as get_columns
from backtestkit.api.columns import get_default_columns as get_default_columns
from backtestkit.api.columns import set_columns as set_columns
from backtestkit.api.config import get_config as get_config
from backtestkit.api.config import get_default_config as get_default_config
from backtestkit.api.config import set_config as set_config
from backtestkit.api.context import RuntimeInfo as RuntimeInfo
from backtestkit.api.context import get_context as get_context
from backtestkit.api.context import get_date as get_date
from backtestkit.api.context import get_mode as get_mode
from backtestkit.api.context import get_params as get_params
from backtestkit.api.context import get_runtime_info as get_runtime_info
from backtestkit.api.context import get_symbol as get_symbol
from backtestkit.api.context import get_timestamp as get_timestamp
from backtestkit.api.context import has_trade_context as has_trade_context
from backtestkit.api.cron import Cron as Cron
from backtestkit.api.dump import Dump as Dump
from backtestkit.api.dump import dump_agent_answer as dump_agent_answer
from backtestkit.api.dump import dump_error as dump_error
from backtestkit.api.dump import dump_json as dump_json
from backtestkit.api.dump import dump_mcp_status as dump_mcp_status
from backtestkit.api.dump import dump_record as dump_record
from backtestkit.api.dump import dump_table as dump_table
from backtestkit.api.dump import dump_text as dump_text
from backtestkit.api.formulas import get_effective_price_open as get_effective_price_open
from backtestkit.api.formulas import get_liquidation_price as get_liquidation_price
from backtestkit.api.formulas import get_total_closed as get_total_closed
from backtestkit.api.formulas import invested_cost_to_percent as invested_cost_to_percent
from backtestkit.api.formulas import percent_diff as percent_diff
from backtestkit.api.formulas import percent_to_close_cost as percent_to_close_cost
from backtestkit.api.formulas import percent_value as percent_value
from backtestkit.api.formulas import sl_percent_shift_to_price as sl_percent_shift_to_price
from backtestkit.api.formulas import sl_price_to_percent_shift as sl_price_to_percent_shift
from backtestkit.api.formulas import to_profit_loss as to_profit_loss
from backtestkit.api.formulas import tp_percent_shift_to_price as tp_percent_shift_to_price
from backtestkit.api.formulas import tp_price_to_percent_shift as tp_price_to_percent_shift
from backtestkit.api.interval import Interval as Interval
from backtestkit.api.listen import listen_active_ping as listen_active_ping
from backtestkit.api.listen import listen_active_ping_once as listen_active_ping_once
from backtestkit.api.listen import listen_active_ping_per_signal as listen_active_ping_per_signal
from backtestkit.api.listen import listen_after_end as listen_after_end
from backtestkit.api.listen import listen_after_end_once as listen_after_end_once
from backtestkit.api.listen import listen_backtest_progress as listen_backtest_progress
from backtestkit.api.listen import listen_before_start as listen_before_start
from backtestkit.api.listen import listen_before_start_once as listen_before_start_once
from backtestkit.api.listen import listen_breakeven_available as listen_breakeven_available
from backtestkit.api.listen import listen_breakeven_available_once as listen_breakeven_available_once
from backtestkit.api.listen import listen_breakeven_available_per_signal as listen_breakeven_available_per_signal
from backtestkit.api.listen import listen_done_backtest as listen_done_backtest
from backtestkit.api.listen import listen_done_backtest_once as listen_done_backtest_once
from backtestkit.api.listen import listen_done_walker as listen_done_walker
from backtestkit.api.listen import listen_done_walker_once as listen_done_walker_once
from backtestkit.api.listen import listen_error as listen_error
from backtestkit.api.listen import listen_exit as listen_exit
from backtestkit.api.listen import listen_funding as listen_funding
from backtestkit.api.listen import listen_funding_once as listen_funding_once
from backtestkit.api.listen import listen_funding_per_signal as listen_funding_per_signal
from backtestkit.api.listen import listen_highest_profit as listen_highest_profit
from backtestkit.api.listen import listen_highest_profit_once as listen_highest_profit_once
from backtestkit.api.listen import listen_highest_profit_per_signal as listen_highest_profit_per_signal
from backtestkit.api.listen import listen_idle_ping as listen_idle_ping
from backtestkit.api.listen import listen_idle_ping_once as listen_idle_ping_once
from backtestkit.api.listen import listen_max_drawdown as listen_max_drawdown
from backtestkit.api.listen import listen_max_drawdown_once as listen_max_drawdown_once
from backtestkit.api.listen import listen_max_drawdown_per_signal as listen_max_drawdown_per_signal
from backtestkit.api.listen import listen_order_schedule as listen_order_schedule
from backtestkit.api.listen import listen_order_schedule_once as listen_order_schedule_once
from backtestkit.api.listen import listen_order_schedule_per_signal as listen_order_schedule_per_signal
from backtestkit.api.listen import listen_partial_loss_available as listen_partial_loss_available
from backtestkit.api.listen import listen_partial_loss_available_once as listen_partial_loss_available_once
from backtestkit.api.listen import listen_partial_loss_available_per_signal as listen_partial_loss_available_per_signal
from backtestkit.api.listen import listen_partial_profit_available as listen_partial_profit_available
from backtestkit.api.listen import listen_partial_profit_available_once as listen_partial_profit_available_once
from backtestkit.api.listen import (
    listen_partial_profit_available_per_signal as listen_partial_profit_available_per_signal,
)
from backtestkit.api.listen import listen_pause as listen_pause
from backtestkit.api.listen import listen_pause_once as listen_pause_once
from backtestkit.api.listen import listen_performance as listen_performance
from backtestkit.api.listen import listen_risk as listen_risk
from backtestkit.api.listen import listen_risk_once as listen_risk_once
from backtestkit.api.listen import listen_schedule_ping as listen_schedule_ping
from backtestkit.api.listen import listen_schedule_ping_once as listen_schedule_ping_once
from backtestkit.api.listen import listen_schedule_ping_per_signal as listen_schedule_ping_per_signal
from backtestkit.api.listen import listen_signal as listen_signal
from backtestkit.api.listen import listen_signal_active as listen_signal_active
from backtestkit.api.listen import listen_signal_active_per_signal as listen_signal_active_per_signal
from backtestkit.api.listen import listen_signal_backtest as listen_signal_backtest
from backtestkit.api.listen import listen_signal_backtest_active as listen_signal_backtest_active
from backtestkit.api.listen import listen_signal_backtest_active_per_signal as listen_signal_backtest_active_per_signal
from backtestkit.api.listen import listen_signal_backtest_cancelled as listen_signal_backtest_cancelled
from backtestkit.api.listen import (
    listen_signal_backtest_cancelled_per_signal as listen_signal_backtest_cancelled_per_signal,
)
from backtestkit.api.listen import listen_signal_backtest_closed as listen_signal_backtest_closed
from backtestkit.api.listen import listen_signal_backtest_closed_per_signal as listen_signal_backtest_closed_per_signal
from backtestkit.api.listen import listen_signal_backtest_idle as listen_signal_backtest_idle
from backtestkit.api.listen import listen_signal_backtest_once as listen_signal_backtest_once
from backtestkit.api.listen import listen_signal_backtest_opened as listen_signal_backtest_opened
from backtestkit.api.listen import listen_signal_backtest_opened_per_signal as listen_signal_backtest_opened_per_signal
from backtestkit.api.listen import listen_signal_backtest_per_signal as listen_signal_backtest_per_signal
from backtestkit.api.listen import listen_signal_backtest_scheduled as listen_signal_backtest_scheduled
from backtestkit.api.listen import (
    listen_signal_backtest_scheduled_per_signal as listen_signal_backtest_scheduled_per_signal,
)
from backtestkit.api.listen import listen_signal_backtest_waiting as listen_signal_backtest_waiting
from backtestkit.api.listen import (
    listen_signal_backtest_waiting_per_signal as listen_signal_backtest_waiting_per_signal,
)
from backtestkit.api.listen import listen_signal_cancelled as listen_signal_cancelled
from backtestkit.api.listen import listen_signal_cancelled_per_signal as listen_signal_cancelled_per_signal
from backtestkit.api.listen import listen_signal_closed as listen_signal_closed
from backtestkit.api.listen import listen_signal_closed_per_signal as listen_signal_closed_per_signal
from backtestkit.api.listen import listen_signal_event as listen_signal_event
from backtestkit.api.listen import listen_signal_event_once as listen_signal_event_once
from backtestkit.api.listen import listen_signal_event_per_signal as listen_signal_event_per_signal
from backtestkit.api.listen import listen_signal_idle as listen_signal_idle
from backtestkit.api.listen import listen_signal_live as listen_signal_live
from backtestkit.api.listen import listen_signal_live_active as listen_signal_live_active
from backtestkit.api.listen import listen_signal_live_active_per_signal as listen_signal_live_active_per_signal
from backtestkit.api.listen import listen_signal_live_cancelled as listen_signal_live_cancelled
from backtestkit.api.listen import listen_signal_live_cancelled_per_signal as listen_signal_live_cancelled_per_signal
from backtestkit.api.listen import listen_signal_live_closed as listen_signal_live_closed
from backtestkit.api.listen import listen_signal_live_closed_per_signal as listen_signal_live_closed_per_signal
from backtestkit.api.listen import listen_signal_live_idle as listen_signal_live_idle
from backtestkit.api.listen import listen_signal_live_once as listen_signal_live_once
from backtestkit.api.listen import listen_signal_live_opened as listen_signal_live_opened
from backtestkit.api.listen import listen_signal_live_opened_per_signal as listen_signal_live_opened_per_signal
from backtestkit.api.listen import listen_signal_live_per_signal as listen_signal_live_per_signal
from backtestkit.api.listen import listen_signal_live_scheduled as listen_signal_live_scheduled
from backtestkit.api.listen import listen_signal_live_scheduled_per_signal as listen_signal_live_scheduled_per_signal
from backtestkit.api.listen import listen_signal_live_waiting as listen_signal_live_waiting
from backtestkit.api.listen import listen_signal_live_waiting_per_signal as listen_signal_live_waiting_per_signal
from backtestkit.api.listen import listen_signal_notify as listen_signal_notify
from backtestkit.api.listen import listen_signal_notify_once as listen_signal_notify_once
from backtestkit.api.listen import listen_signal_notify_per_signal as listen_signal_notify_per_signal
from backtestkit.api.listen import listen_signal_once as listen_signal_once
from backtestkit.api.listen import listen_signal_opened as listen_signal_opened
from backtestkit.api.listen import listen_signal_opened_per_signal as listen_signal_opened_per_signal
from backtestkit.api.listen import listen_signal_per_signal as listen_signal_per_signal
from backtestkit.api.listen import listen_signal_scheduled as listen_signal_scheduled
from backtestkit.api.listen import listen_signal_scheduled_per_signal as listen_signal_scheduled_per_signal
from backtestkit.api.listen import listen_signal_waiting as listen_signal_waiting
from backtestkit.api.listen import listen_signal_waiting_per_signal as listen_signal_waiting_per_signal
from backtestkit.api.listen import listen_strategy_commit as listen_strategy_commit
from backtestkit.api.listen import listen_strategy_commit_once as listen_strategy_commit_once
from backtestkit.api.listen import listen_strategy_commit_per_signal as listen_strategy_commit_per_signal
from backtestkit.api.listen import listen_validation as listen_validation
from backtestkit.api.listen import listen_walker as listen_walker
from backtestkit.api.listen import listen_walker_complete as listen_walker_complete
from backtestkit.api.listen import listen_walker_complete_once as listen_walker_complete_once
from backtestkit.api.listen import listen_walker_once as listen_walker_once
from backtestkit.api.listen import listen_walker_progress as listen_walker_progress
from backtestkit.api.lookup import Lookup as Lookup
from backtestkit.api.market import Exchange as Exchange
from backtestkit.api.market import format_price as format_price
from backtestkit.api.market import format_quantity as format_quantity
from backtestkit.api.market import get_aggregated_trades as get_aggregated_trades
from backtestkit.api.market import get_average_price as get_average_price
from backtestkit.api.market import get_backtest_timeframe as get_backtest_timeframe
from backtestkit.api.market import get_candles as get_candles
from backtestkit.api.market import get_close_price as get_close_price
from backtestkit.api.market import get_funding_rates as get_funding_rates
from backtestkit.api.market import get_next_candles as get_next_candles
from backtestkit.api.market import get_order_book as get_order_book
from backtestkit.api.market import get_raw_candles as get_raw_candles
from backtestkit.api.market import round_ticks as round_ticks
from backtestkit.api.market import validate_candles as validate_candles
from backtestkit.api.memory import Memory as Memory
from backtestkit.api.memory import list_memory as list_memory
from backtestkit.api.memory import read_memory as read_memory
from backtestkit.api.memory import remove_memory as remove_memory
from backtestkit.api.memory import search_memory as search_memory
from backtestkit.api.memory import write_memory as write_memory
from backtestkit.api.notify import Notification as Notification
from backtestkit.api.position import PositionApi as PositionApi
from backtestkit.api.position_functions import commit_activate_scheduled as commit_activate_scheduled
from backtestkit.api.position_functions import commit_average_buy as commit_average_buy
from backtestkit.api.position_functions import commit_breakeven as commit_breakeven
from backtestkit.api.position_functions import commit_cancel_scheduled as commit_cancel_scheduled
from backtestkit.api.position_functions import commit_close_pending as commit_close_pending
from backtestkit.api.position_functions import commit_create_signal as commit_create_signal
from backtestkit.api.position_functions import commit_create_stop_loss as commit_create_stop_loss
from backtestkit.api.position_functions import commit_create_take_profit as commit_create_take_profit
from backtestkit.api.position_functions import commit_partial_loss as commit_partial_loss
from backtestkit.api.position_functions import commit_partial_loss_cost as commit_partial_loss_cost
from backtestkit.api.position_functions import commit_partial_profit as commit_partial_profit
from backtestkit.api.position_functions import commit_partial_profit_cost as commit_partial_profit_cost
from backtestkit.api.position_functions import commit_signal_notify as commit_signal_notify
from backtestkit.api.position_functions import commit_trailing_stop as commit_trailing_stop
from backtestkit.api.position_functions import commit_trailing_stop_cost as commit_trailing_stop_cost
from backtestkit.api.position_functions import commit_trailing_take as commit_trailing_take
from backtestkit.api.position_functions import commit_trailing_take_cost as commit_trailing_take_cost
from backtestkit.api.position_functions import get_breakeven as get_breakeven
from backtestkit.api.position_functions import get_latest_signal as get_latest_signal
from backtestkit.api.position_functions import get_max_drawdown_distance_pnl_cost as get_max_drawdown_distance_pnl_cost
from backtestkit.api.position_functions import (
    get_max_drawdown_distance_pnl_percentage as get_max_drawdown_distance_pnl_percentage,
)
from backtestkit.api.position_functions import (
    get_minutes_since_latest_signal_created as get_minutes_since_latest_signal_created,
)
from backtestkit.api.position_functions import get_pending_signal as get_pending_signal
from backtestkit.api.position_functions import get_position_active_minutes as get_position_active_minutes
from backtestkit.api.position_functions import get_position_countdown_minutes as get_position_countdown_minutes
from backtestkit.api.position_functions import get_position_drawdown_minutes as get_position_drawdown_minutes
from backtestkit.api.position_functions import get_position_effective_price as get_position_effective_price
from backtestkit.api.position_functions import get_position_entries as get_position_entries
from backtestkit.api.position_functions import get_position_entry_overlap as get_position_entry_overlap
from backtestkit.api.position_functions import get_position_estimate_minutes as get_position_estimate_minutes
from backtestkit.api.position_functions import (
    get_position_highest_max_drawdown_pnl_cost as get_position_highest_max_drawdown_pnl_cost,
)
from backtestkit.api.position_functions import (
    get_position_highest_max_drawdown_pnl_percentage as get_position_highest_max_drawdown_pnl_percentage,
)
from backtestkit.api.position_functions import get_position_highest_pnl_cost as get_position_highest_pnl_cost
from backtestkit.api.position_functions import (
    get_position_highest_pnl_percentage as get_position_highest_pnl_percentage,
)
from backtestkit.api.position_functions import (
    get_position_highest_profit_breakeven as get_position_highest_profit_breakeven,
)
from backtestkit.api.position_functions import (
    get_position_highest_profit_distance_pnl_cost as get_position_highest_profit_distance_pnl_cost,
)
from backtestkit.api.position_functions import (
    get_position_highest_profit_distance_pnl_percentage as get_position_highest_profit_distance_pnl_percentage,
)
from backtestkit.api.position_functions import (
    get_position_highest_profit_minutes as get_position_highest_profit_minutes,
)
from backtestkit.api.position_functions import get_position_highest_profit_price as get_position_highest_profit_price
from backtestkit.api.position_functions import (
    get_position_highest_profit_timestamp as get_position_highest_profit_timestamp,
)
from backtestkit.api.position_functions import get_position_invested_cost as get_position_invested_cost
from backtestkit.api.position_functions import get_position_invested_count as get_position_invested_count
from backtestkit.api.position_functions import get_position_levels as get_position_levels
from backtestkit.api.position_functions import get_position_max_drawdown_minutes as get_position_max_drawdown_minutes
from backtestkit.api.position_functions import get_position_max_drawdown_pnl_cost as get_position_max_drawdown_pnl_cost
from backtestkit.api.position_functions import (
    get_position_max_drawdown_pnl_percentage as get_position_max_drawdown_pnl_percentage,
)
from backtestkit.api.position_functions import get_position_max_drawdown_price as get_position_max_drawdown_price
from backtestkit.api.position_functions import (
    get_position_max_drawdown_timestamp as get_position_max_drawdown_timestamp,
)
from backtestkit.api.position_functions import get_position_partial_overlap as get_position_partial_overlap
from backtestkit.api.position_functions import get_position_partials as get_position_partials
from backtestkit.api.position_functions import get_position_pnl_cost as get_position_pnl_cost
from backtestkit.api.position_functions import get_position_pnl_percent as get_position_pnl_percent
from backtestkit.api.position_functions import get_position_waiting_minutes as get_position_waiting_minutes
from backtestkit.api.position_functions import get_remaining_cost_basis as get_remaining_cost_basis
from backtestkit.api.position_functions import get_scheduled_signal as get_scheduled_signal
from backtestkit.api.position_functions import get_strategy_paused as get_strategy_paused
from backtestkit.api.position_functions import get_strategy_status as get_strategy_status
from backtestkit.api.position_functions import get_total_cost_closed as get_total_cost_closed
from backtestkit.api.position_functions import get_total_percent_closed as get_total_percent_closed
from backtestkit.api.position_functions import get_total_percent_held as get_total_percent_held
from backtestkit.api.position_functions import has_no_pending_signal as has_no_pending_signal
from backtestkit.api.position_functions import has_no_scheduled_signal as has_no_scheduled_signal
from backtestkit.api.position_functions import position_of as position_of
from backtestkit.api.position_functions import set_strategy_paused as set_strategy_paused
from backtestkit.api.position_functions import stop_strategy as stop_strategy
from backtestkit.api.reflect import Reflect as Reflect
from backtestkit.api.registry import add_action as add_action
from backtestkit.api.registry import add_exchange as add_exchange
from backtestkit.api.registry import add_frame as add_frame
from backtestkit.api.registry import add_mcp as add_mcp
from backtestkit.api.registry import add_risk as add_risk
from backtestkit.api.registry import add_sizing as add_sizing
from backtestkit.api.registry import add_strategy as add_strategy
from backtestkit.api.registry import add_sweep as add_sweep
from backtestkit.api.registry import add_walker as add_walker
from backtestkit.api.registry import get_action_schema as get_action_schema
from backtestkit.api.registry import get_exchange_schema as get_exchange_schema
from backtestkit.api.registry import get_frame_schema as get_frame_schema
from backtestkit.api.registry import get_mcp_schema as get_mcp_schema
from backtestkit.api.registry import get_risk_schema as get_risk_schema
from backtestkit.api.registry import get_sizing_schema as get_sizing_schema
from backtestkit.api.registry import get_strategy_schema as get_strategy_schema
from backtestkit.api.registry import get_sweep_schema as get_sweep_schema
from backtestkit.api.registry import get_walker_schema as get_walker_schema
from backtestkit.api.registry import list_action_schema as list_action_schema
from backtestkit.api.registry import list_exchange_schema as list_exchange_schema
from backtestkit.api.registry import list_frame_schema as list_frame_schema
from backtestkit.api.registry import list_mcp_schema as list_mcp_schema
from backtestkit.api.registry import list_risk_schema as list_risk_schema
from backtestkit.api.registry import list_sizing_schema as list_sizing_schema
from backtestkit.api.registry import list_strategy_schema as list_strategy_schema
from backtestkit.api.registry import list_sweep_schema as list_sweep_schema
from backtestkit.api.registry import list_walker_schema as list_walker_schema
from backtestkit.api.registry import override_action as override_action
from backtestkit.api.registry import override_exchange as override_exchange
from backtestkit.api.registry import override_frame as override_frame
from backtestkit.api.registry import override_mcp as override_mcp
from backtestkit.api.registry import override_risk as override_risk
from backtestkit.api.registry import override_sizing as override_sizing
from backtestkit.api.registry import override_strategy as override_strategy
from backtestkit.api.registry import override_sweep as override_sweep
from backtestkit.api.registry import override_walker as override_walker
from backtestkit.api.report_writers import MarkdownWriter as MarkdownWriter
from backtestkit.api.report_writers import ReportWriter as ReportWriter
from backtestkit.api.reports import Breakeven as Breakeven
from backtestkit.api.reports import EventReport as EventReport
from backtestkit.api.reports import Heat as Heat
from backtestkit.api.reports import HighestProfit as HighestProfit
from backtestkit.api.reports import Markdown as Markdown
from backtestkit.api.reports import MaxDrawdown as MaxDrawdown
from backtestkit.api.reports import Partial as Partial
from backtestkit.api.reports import Performance as Performance
from backtestkit.api.reports import Report as Report
from backtestkit.api.reports import ReportNames as ReportNames
from backtestkit.api.reports import Risk as Risk
from backtestkit.api.reports import Schedule as Schedule
from backtestkit.api.reports import Strategy as Strategy
from backtestkit.api.reports import Sync as Sync
from backtestkit.api.runs import Replay as Replay
from backtestkit.api.runs import RunComparison as RunComparison
from backtestkit.api.runs import Runs as Runs
from backtestkit.api.signal_rules import validate_common_signal as validate_common_signal
from backtestkit.api.signal_rules import validate_pending_signal as validate_pending_signal
from backtestkit.api.signal_rules import validate_scheduled_signal as validate_scheduled_signal
from backtestkit.api.signal_rules import validate_signal as validate_signal
from backtestkit.api.sizing import PositionSize as PositionSize
from backtestkit.api.state import GetState as GetState
from backtestkit.api.state import Session as Session
from backtestkit.api.state import SetState as SetState
from backtestkit.api.state import State as State
from backtestkit.api.state import create_signal_state as create_signal_state
from backtestkit.api.state import get_session_data as get_session_data
from backtestkit.api.state import get_signal_state as get_signal_state
from backtestkit.api.state import set_session_data as set_session_data
from backtestkit.api.state import set_signal_state as set_signal_state
from backtestkit.api.sweep import Sweep as Sweep
from backtestkit.api.sweep import SweepRun as SweepRun
from backtestkit.api.system import System as System
from backtestkit.api.system import shutdown as shutdown
from backtestkit.api.system import wait_for_ready as wait_for_ready
from backtestkit.api.system_context import begin_context as begin_context
from backtestkit.api.system_context import begin_time as begin_time
from backtestkit.api.system_context import run_in_mock_context as run_in_mock_context
from backtestkit.api.validation import validate as validate
from backtestkit.api.values import RunArguments as RunArguments
from backtestkit.api.values import get_path as get_path
from backtestkit.api.values import get_price_scale as get_price_scale
from backtestkit.api.values import parse_args as parse_args
from backtestkit.api.values import set_path as set_path
from backtestkit.api.values import to_plain_string as to_plain_string
from backtestkit.api.walker import Walker as Walker
from backtestkit.api.walker import WalkerRun as WalkerRun
from backtestkit.clients.commands import Outcome as Outcome
from backtestkit.clients.queries import Ladder as Ladder
from backtestkit.clients.queries import StrategyStatus as StrategyStatus
from backtestkit.config import Config as Config
from backtestkit.errors import AlreadyRegisteredError as AlreadyRegisteredError
from backtestkit.errors import BacktestKitError as BacktestKitError
from backtestkit.errors import CandleError as CandleError
from backtestkit.errors import ConfigError as ConfigError
from backtestkit.errors import ContextError as ContextError
from backtestkit.errors import DataError as DataError
from backtestkit.errors import DeliveryError as DeliveryError
from backtestkit.errors import EngineError as EngineError
from backtestkit.errors import GapError as GapError
from backtestkit.errors import InsufficientDataError as InsufficientDataError
from backtestkit.errors import LockedError as LockedError
from backtestkit.errors import NotRegisteredError as NotRegisteredError
from backtestkit.errors import RunError as RunError
from backtestkit.errors import SchemaError as SchemaError
from backtestkit.errors import SignalError as SignalError
from backtestkit.errors import SourceError as SourceError
from backtestkit.errors import StoreError as StoreError
from backtestkit.errors import StrategyTimeoutError as StrategyTimeoutError
from backtestkit.errors import UsageError as UsageError
from backtestkit.errors import Violation as Violation
from backtestkit.kit import Kit as Kit
from backtestkit.kit import current_kit as current_kit
from backtestkit.kit import reset as reset
from backtestkit.market.ccxt_exchange import CcxtExchange as CcxtExchange
from backtestkit.market.csv_source import CsvExchange as CsvExchange
from backtestkit.market.parquet_source import ParquetExchange as ParquetExchange
from backtestkit.market.store_source import StoreExchange as StoreExchange
from backtestkit.market.synthetic import SyntheticExchange as SyntheticExchange
from backtestkit.math.statistics_analysis import analyse as analyse
from backtestkit.math.statistics_positions import TradeSet as TradeSet
from backtestkit.model.analysis import BenchmarkFigures as BenchmarkFigures
from backtestkit.model.analysis import BreakdownRow as BreakdownRow
from backtestkit.model.analysis import CostFigures as CostFigures
from backtestkit.model.analysis import EquityCurve as EquityCurve
from backtestkit.model.analysis import EquityFigures as EquityFigures
from backtestkit.model.analysis import Marks as Marks
from backtestkit.model.analysis import ReturnFigures as ReturnFigures
from backtestkit.model.analysis import TradeAnalysis as TradeAnalysis
from backtestkit.model.analysis import TradeQuality as TradeQuality
from backtestkit.model.analysis import TradingYear as TradingYear
from backtestkit.model.candle import Candle as Candle
from backtestkit.model.candle import Candles as Candles
from backtestkit.model.event import BoundaryEvent as BoundaryEvent
from backtestkit.model.event import BreakevenEvent as BreakevenEvent
from backtestkit.model.event import CommitEvent as CommitEvent
from backtestkit.model.event import DoneEvent as DoneEvent
from backtestkit.model.event import ErrorEvent as ErrorEvent
from backtestkit.model.event import ExtremeEvent as ExtremeEvent
from backtestkit.model.event import FundingEvent as FundingEvent
from backtestkit.model.event import IdlePingEvent as IdlePingEvent
from backtestkit.model.event import LevelEvent as LevelEvent
from backtestkit.model.event import PauseEvent as PauseEvent
from backtestkit.model.event import PingEvent as PingEvent
from backtestkit.model.event import ProgressEvent as ProgressEvent
from backtestkit.model.event import RiskEvent as RiskEvent
from backtestkit.model.event import RunEvent as RunEvent
from backtestkit.model.event import ScheduleEvent as ScheduleEvent
from backtestkit.model.event import SignalEvent as SignalEvent
from backtestkit.model.fill_policy import CONSERVATIVE as CONSERVATIVE
from backtestkit.model.fill_policy import NEXT_OPEN as NEXT_OPEN
from backtestkit.model.fill_policy import REFERENCE as REFERENCE
from backtestkit.model.fill_policy import FillPolicy as FillPolicy
from backtestkit.model.interval import CandleInterval as CandleInterval
from backtestkit.model.interval import FrameInterval as FrameInterval
from backtestkit.model.interval import SignalInterval as SignalInterval
from backtestkit.model.interval import align_to_interval as align_to_interval
from backtestkit.model.interval import interval_start as interval_start
from backtestkit.model.interval import interval_step_ms as interval_step_ms
from backtestkit.model.market_data import AggregatedTrade as AggregatedTrade
from backtestkit.model.market_data import FundingRate as FundingRate
from backtestkit.model.market_data import OrderBook as OrderBook
from backtestkit.model.performance import PerformanceEvent as PerformanceEvent
from backtestkit.model.result import ActiveResult as ActiveResult
from backtestkit.model.result import AnyResult as AnyResult
from backtestkit.model.result import CancelledResult as CancelledResult
from backtestkit.model.result import ClosedResult as ClosedResult
from backtestkit.model.result import IdleResult as IdleResult
from backtestkit.model.result import OpenedResult as OpenedResult
from backtestkit.model.result import ScheduledResult as ScheduledResult
from backtestkit.model.result import TickResult as TickResult
from backtestkit.model.result import WaitingResult as WaitingResult
from backtestkit.model.result import YieldedResult as YieldedResult
from backtestkit.model.risk import ActivePosition as ActivePosition
from backtestkit.model.risk import ClosedTrade as ClosedTrade
from backtestkit.model.risk import RiskPayload as RiskPayload
from backtestkit.model.risk import RiskRejection as RiskRejection
from backtestkit.model.risk import TradeHistory as TradeHistory
from backtestkit.model.run_record import Difference as Difference
from backtestkit.model.run_record import RunRecord as RunRecord
from backtestkit.model.run_record import Trials as Trials
from backtestkit.model.schema import ActionCallbacks as ActionCallbacks
from backtestkit.model.schema import ActionSchema as ActionSchema
from backtestkit.model.schema import CandleData as CandleData
from backtestkit.model.schema import ExchangeCallbacks as ExchangeCallbacks
from backtestkit.model.schema import ExchangeSchema as ExchangeSchema
from backtestkit.model.schema import FrameCallbacks as FrameCallbacks
from backtestkit.model.schema import FrameSchema as FrameSchema
from backtestkit.model.schema import GetCandles as GetCandles
from backtestkit.model.schema import GetSignal as GetSignal
from backtestkit.model.schema import GridAxes as GridAxes
from backtestkit.model.schema import McpCallbacks as McpCallbacks
from backtestkit.model.schema import McpSchema as McpSchema
from backtestkit.model.schema import RiskCallbacks as RiskCallbacks
from backtestkit.model.schema import RiskRule as RiskRule
from backtestkit.model.schema import RiskSchema as RiskSchema
from backtestkit.model.schema import SizingCallbacks as SizingCallbacks
from backtestkit.model.schema import SizingSchema as SizingSchema
from backtestkit.model.schema import StrategyCallbacks as StrategyCallbacks
from backtestkit.model.schema import StrategySchema as StrategySchema
from backtestkit.model.schema import SweepCallbacks as SweepCallbacks
from backtestkit.model.schema import SweepSchema as SweepSchema
from backtestkit.model.schema import WalkerCallbacks as WalkerCallbacks
from backtestkit.model.schema import WalkerSchema as WalkerSchema
from backtestkit.model.signal import CancelReason as CancelReason
from backtestkit.model.signal import CloseReason as CloseReason
from backtestkit.model.signal import Entry as Entry
from backtestkit.model.signal import Extreme as Extreme
from backtestkit.model.signal import Funding as Funding
from backtestkit.model.signal import PartialClose as PartialClose
from backtestkit.model.signal import PositionSide as PositionSide
from backtestkit.model.signal import ProfitLoss as ProfitLoss
from backtestkit.model.signal import PublicSignal as PublicSignal
from backtestkit.model.signal import Signal as Signal
from backtestkit.model.sizing import PositionSizing as PositionSizing
from backtestkit.model.sizing import SizeLimit as SizeLimit
from backtestkit.model.space import FloatRange as FloatRange
from backtestkit.model.space import IntRange as IntRange
from backtestkit.model.statistics import BacktestStatistics as BacktestStatistics
from backtestkit.model.statistics import HeatRow as HeatRow
from backtestkit.model.statistics import HeatStatistics as HeatStatistics
from backtestkit.model.statistics import LiveStatistics as LiveStatistics
from backtestkit.model.statistics import RunSummary as RunSummary
from backtestkit.model.statistics import TradeFigures as TradeFigures
from backtestkit.model.statistics_events import EventStatistics as EventStatistics
from backtestkit.model.statistics_events import MetricStatistics as MetricStatistics
from backtestkit.model.statistics_events import PartialRow as PartialRow
from backtestkit.model.statistics_events import PartialStatistics as PartialStatistics
from backtestkit.model.statistics_events import PerformanceStatistics as PerformanceStatistics
from backtestkit.model.statistics_events import RiskStatistics as RiskStatistics
from backtestkit.model.statistics_events import ScheduleStatistics as ScheduleStatistics
from backtestkit.model.statistics_events import StrategyStatistics as StrategyStatistics
from backtestkit.model.statistics_events import SyncStatistics as SyncStatistics
from backtestkit.model.statistics_events import TimeShare as TimeShare
from backtestkit.model.sweep import AuthorTrack as AuthorTrack
from backtestkit.model.sweep import AuthorTracks as AuthorTracks
from backtestkit.model.sweep import Idea as Idea
from backtestkit.model.sweep import IdeaDirection as IdeaDirection
from backtestkit.model.sweep import IdeaProfile as IdeaProfile
from backtestkit.model.sweep import SweepCounts as SweepCounts
from backtestkit.model.sweep import SweepExitReason as SweepExitReason
from backtestkit.model.sweep import SweepOrder as SweepOrder
from backtestkit.model.sweep import SweepPair as SweepPair
from backtestkit.model.sweep import SweepReport as SweepReport
from backtestkit.model.sweep import SweepResult as SweepResult
from backtestkit.model.sweep import SweepRule as SweepRule
from backtestkit.model.sweep import SweepSample as SweepSample
from backtestkit.model.sweep import SweepTrade as SweepTrade
from backtestkit.model.sync import SyncEvent as SyncEvent
from backtestkit.model.table import Table as Table
from backtestkit.model.table_column import TableColumn as TableColumn
from backtestkit.model.walker import WalkerCompleteEvent as WalkerCompleteEvent
from backtestkit.model.walker import WalkerEvent as WalkerEvent
from backtestkit.model.walker import WalkerFailure as WalkerFailure
from backtestkit.model.walker import WalkerProgressEvent as WalkerProgressEvent
from backtestkit.model.walker import WalkerPruned as WalkerPruned
from backtestkit.model.walker import WalkerResult as WalkerResult
from backtestkit.model.walker import WalkerStatistics as WalkerStatistics
from backtestkit.persistence.store import KeyValueStore as KeyValueStore
from backtestkit.runtime.context import RunKey as RunKey
from backtestkit.runtime.log import LogSink as LogSink
from backtestkit.services.report.journal import JournalBackend as JournalBackend
from backtestkit.services.report.journal_file import ReportBase as ReportBase
from backtestkit.services.report.journal_file import WriteOptions as WriteOptions
from backtestkit.services.report.spec import Column as Column
from backtestkit.services.report.writers import DumpOptions as DumpOptions
from backtestkit.services.report.writers import MarkdownBackend as MarkdownBackend
from backtestkit.services.report.writers import MarkdownFileBase as MarkdownFileBase
from backtestkit.services.report.writers import MarkdownFolderBase as MarkdownFolderBase

ROOMS: dict[str, str]
SUBMODULES: dict[str, str]
__version__: str

__all__ = [
    "CONSERVATIVE",
    "NEXT_OPEN",
    "REFERENCE",
    "ActionBase",
    "ActionCallbacks",
    "ActionSchema",
    "ActivePosition",
    "ActiveResult",
    "AgentMessage",
    "AggregatedTrade",
    "AlreadyRegisteredError",
    "AnyNotification",
    "AnyResult",
    "ArrayResult",
    "AuthorTrack",
    "AuthorTracks",
    "AverageBuyNotification",
    "BackgroundRun",
    "Backtest",
    "BacktestKitError",
    "BacktestResult",
    "BacktestRun",
    "BacktestStatistics",
    "BenchmarkFigures",
    "BoundaryEvent",
    "Bracket",
    "BreakdownRow",
    "Breakeven",
    "BreakevenEvent",
    "BreakevenNotification",
    "Cache",
    "CachedCoroutine",
    "CachedFile",
    "CachedFunction",
    "CancelReason",
    "CancelledNotification",
    "CancelledResult",
    "Candle",
    "CandleData",
    "CandleError",
    "CandleInterval",
    "Candles",
    "CcxtExchange",
    "CloseReason",
    "ClosedNotification",
    "ClosedResult",
    "ClosedTrade",
    "Column",
    "CommandNotification",
    "CommitEvent",
    "Config",
    "ConfigError",
    "Constant",
    "ContextError",
    "CostFigures",
    "Cron",
    "CsvExchange",
    "DataError",
    "DeliveryError",
    "Difference",
    "DoneEvent",
    "Dump",
    "DumpBackend",
    "DumpContext",
    "DumpOptions",
    "Dumped",
    "DumpedConversation",
    "DumpedJson",
    "DumpedRecord",
    "DumpedStatus",
    "DumpedTable",
    "DumpedText",
    "EngineError",
    "Entry",
    "EntryNotification",
    "EquityCurve",
    "EquityFigures",
    "ErrorEvent",
    "ErrorNotification",
    "EventReport",
    "EventStatistics",
    "Exchange",
    "ExchangeCallbacks",
    "ExchangeSchema",
    "Extreme",
    "ExtremeEvent",
    "FillPolicy",
    "FloatRange",
    "FrameCallbacks",
    "FrameInterval",
    "FrameSchema",
    "Funding",
    "FundingEvent",
    "FundingRate",
    "GapError",
    "GetCandles",
    "GetSignal",
    "GetState",
    "GridAxes",
    "Heat",
    "HeatRow",
    "HeatStatistics",
    "HighestProfit",
    "Idea",
    "IdeaDirection",
    "IdeaProfile",
    "IdlePingEvent",
    "IdleResult",
    "InfoNotification",
    "InsufficientDataError",
    "IntRange",
    "Interval",
    "IntervalCoroutine",
    "IntervalFile",
    "IntervalFunction",
    "JournalBackend",
    "KeyValueStore",
    "Kit",
    "Ladder",
    "LevelEvent",
    "LevelNotification",
    "LiveStatistics",
    "LockedError",
    "Log",
    "LogBackend",
    "LogEntry",
    "LogSink",
    "Lookup",
    "Markdown",
    "MarkdownBackend",
    "MarkdownFileBase",
    "MarkdownFolderBase",
    "MarkdownWriter",
    "Marks",
    "MaxDrawdown",
    "McpCallbacks",
    "McpSchema",
    "Memory",
    "MemoryBacktest",
    "MemoryBacktestAdapter",
    "MemoryEntry",
    "MemoryLive",
    "MemoryLiveAdapter",
    "MemoryMatch",
    "MetricStatistics",
    "NotRegisteredError",
    "Notification",
    "NotificationBacktest",
    "NotificationLive",
    "NotificationTarget",
    "OpenedResult",
    "OrderBook",
    "Outcome",
    "ParquetExchange",
    "Partial",
    "PartialClose",
    "PartialCommitNotification",
    "PartialRow",
    "PartialStatistics",
    "PauseEvent",
    "PauseNotification",
    "Performance",
    "PerformanceEvent",
    "PerformanceStatistics",
    "PingEvent",
    "Position",
    "PositionApi",
    "PositionSide",
    "PositionSize",
    "PositionSizing",
    "ProfitLoss",
    "ProgressEvent",
    "PublicSignal",
    "Recent",
    "RecentBacktest",
    "RecentLive",
    "Reflect",
    "Replay",
    "Report",
    "ReportBase",
    "ReportNames",
    "ReportWriter",
    "ReturnFigures",
    "Risk",
    "RiskCallbacks",
    "RiskEvent",
    "RiskNotification",
    "RiskPayload",
    "RiskRejection",
    "RiskRule",
    "RiskSchema",
    "RiskStatistics",
    "RunArguments",
    "RunComparison",
    "RunError",
    "RunEvent",
    "RunInfo",
    "RunKey",
    "RunRecord",
    "RunSummary",
    "Runs",
    "RuntimeInfo",
    "Schedule",
    "ScheduleEvent",
    "ScheduleStatistics",
    "ScheduledResult",
    "SchemaError",
    "Sender",
    "Session",
    "SessionBacktest",
    "SessionLive",
    "SetState",
    "Signal",
    "SignalError",
    "SignalEvent",
    "SignalInterval",
    "SignalStatus",
    "SizeLimit",
    "SizingCallbacks",
    "SizingSchema",
    "SourceError",
    "State",
    "StateBacktest",
    "StateBacktestAdapter",
    "StateLive",
    "StateLiveAdapter",
    "StatusMessage",
    "Storage",
    "StorageBacktest",
    "StorageLive",
    "StoreError",
    "StoreExchange",
    "StoredSignal",
    "Strategy",
    "StrategyCallbacks",
    "StrategySchema",
    "StrategyStatistics",
    "StrategyStatus",
    "StrategyTimeoutError",
    "Sweep",
    "SweepCallbacks",
    "SweepCounts",
    "SweepExitReason",
    "SweepOrder",
    "SweepPair",
    "SweepReport",
    "SweepResult",
    "SweepRule",
    "SweepRun",
    "SweepSample",
    "SweepSchema",
    "SweepTrade",
    "Sync",
    "SyncEvent",
    "SyncStatistics",
    "SyntheticExchange",
    "System",
    "Table",
    "TableColumn",
    "Template",
    "TickResult",
    "TimeShare",
    "TradeAnalysis",
    "TradeFigures",
    "TradeHistory",
    "TradeQuality",
    "TradeSet",
    "TradingYear",
    "TrailingCommitNotification",
    "Trials",
    "UsageError",
    "Violation",
    "WaitingResult",
    "Walker",
    "WalkerCallbacks",
    "WalkerCompleteEvent",
    "WalkerEvent",
    "WalkerFailure",
    "WalkerProgressEvent",
    "WalkerPruned",
    "WalkerResult",
    "WalkerRun",
    "WalkerSchema",
    "WalkerStatistics",
    "WriteOptions",
    "YieldedResult",
    "add_action",
    "add_exchange",
    "add_frame",
    "add_mcp",
    "add_risk",
    "add_sizing",
    "add_strategy",
    "add_sweep",
    "add_walker",
    "align_to_interval",
    "analyse",
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
    "create_signal_state",
    "current_kit",
    "dump_agent_answer",
    "dump_error",
    "dump_json",
    "dump_mcp_status",
    "dump_record",
    "dump_table",
    "dump_text",
    "format_price",
    "format_quantity",
    "get_action_schema",
    "get_aggregated_trades",
    "get_average_price",
    "get_backtest_timeframe",
    "get_breakeven",
    "get_candles",
    "get_close_price",
    "get_columns",
    "get_config",
    "get_context",
    "get_date",
    "get_default_columns",
    "get_default_config",
    "get_effective_price_open",
    "get_exchange_schema",
    "get_frame_schema",
    "get_funding_rates",
    "get_latest_signal",
    "get_liquidation_price",
    "get_max_drawdown_distance_pnl_cost",
    "get_max_drawdown_distance_pnl_percentage",
    "get_mcp_schema",
    "get_minutes_since_latest_signal_created",
    "get_mode",
    "get_next_candles",
    "get_order_book",
    "get_params",
    "get_path",
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
    "get_price_scale",
    "get_raw_candles",
    "get_remaining_cost_basis",
    "get_risk_schema",
    "get_runtime_info",
    "get_scheduled_signal",
    "get_session_data",
    "get_signal_state",
    "get_sizing_schema",
    "get_strategy_paused",
    "get_strategy_schema",
    "get_strategy_status",
    "get_sweep_schema",
    "get_symbol",
    "get_timestamp",
    "get_total_closed",
    "get_total_cost_closed",
    "get_total_percent_closed",
    "get_total_percent_held",
    "get_walker_schema",
    "has_no_pending_signal",
    "has_no_scheduled_signal",
    "has_trade_context",
    "interval_start",
    "interval_step_ms",
    "invested_cost_to_percent",
    "list_action_schema",
    "list_exchange_schema",
    "list_frame_schema",
    "list_mcp_schema",
    "list_memory",
    "list_risk_schema",
    "list_sizing_schema",
    "list_strategy_schema",
    "list_sweep_schema",
    "list_walker_schema",
    "listen_active_ping",
    "listen_active_ping_once",
    "listen_active_ping_per_signal",
    "listen_after_end",
    "listen_after_end_once",
    "listen_backtest_progress",
    "listen_before_start",
    "listen_before_start_once",
    "listen_breakeven_available",
    "listen_breakeven_available_once",
    "listen_breakeven_available_per_signal",
    "listen_done_backtest",
    "listen_done_backtest_once",
    "listen_done_walker",
    "listen_done_walker_once",
    "listen_error",
    "listen_exit",
    "listen_funding",
    "listen_funding_once",
    "listen_funding_per_signal",
    "listen_highest_profit",
    "listen_highest_profit_once",
    "listen_highest_profit_per_signal",
    "listen_idle_ping",
    "listen_idle_ping_once",
    "listen_max_drawdown",
    "listen_max_drawdown_once",
    "listen_max_drawdown_per_signal",
    "listen_order_schedule",
    "listen_order_schedule_once",
    "listen_order_schedule_per_signal",
    "listen_partial_loss_available",
    "listen_partial_loss_available_once",
    "listen_partial_loss_available_per_signal",
    "listen_partial_profit_available",
    "listen_partial_profit_available_once",
    "listen_partial_profit_available_per_signal",
    "listen_pause",
    "listen_pause_once",
    "listen_performance",
    "listen_risk",
    "listen_risk_once",
    "listen_schedule_ping",
    "listen_schedule_ping_once",
    "listen_schedule_ping_per_signal",
    "listen_signal",
    "listen_signal_active",
    "listen_signal_active_per_signal",
    "listen_signal_backtest",
    "listen_signal_backtest_active",
    "listen_signal_backtest_active_per_signal",
    "listen_signal_backtest_cancelled",
    "listen_signal_backtest_cancelled_per_signal",
    "listen_signal_backtest_closed",
    "listen_signal_backtest_closed_per_signal",
    "listen_signal_backtest_idle",
    "listen_signal_backtest_once",
    "listen_signal_backtest_opened",
    "listen_signal_backtest_opened_per_signal",
    "listen_signal_backtest_per_signal",
    "listen_signal_backtest_scheduled",
    "listen_signal_backtest_scheduled_per_signal",
    "listen_signal_backtest_waiting",
    "listen_signal_backtest_waiting_per_signal",
    "listen_signal_cancelled",
    "listen_signal_cancelled_per_signal",
    "listen_signal_closed",
    "listen_signal_closed_per_signal",
    "listen_signal_event",
    "listen_signal_event_once",
    "listen_signal_event_per_signal",
    "listen_signal_idle",
    "listen_signal_live",
    "listen_signal_live_active",
    "listen_signal_live_active_per_signal",
    "listen_signal_live_cancelled",
    "listen_signal_live_cancelled_per_signal",
    "listen_signal_live_closed",
    "listen_signal_live_closed_per_signal",
    "listen_signal_live_idle",
    "listen_signal_live_once",
    "listen_signal_live_opened",
    "listen_signal_live_opened_per_signal",
    "listen_signal_live_per_signal",
    "listen_signal_live_scheduled",
    "listen_signal_live_scheduled_per_signal",
    "listen_signal_live_waiting",
    "listen_signal_live_waiting_per_signal",
    "listen_signal_notify",
    "listen_signal_notify_once",
    "listen_signal_notify_per_signal",
    "listen_signal_once",
    "listen_signal_opened",
    "listen_signal_opened_per_signal",
    "listen_signal_per_signal",
    "listen_signal_scheduled",
    "listen_signal_scheduled_per_signal",
    "listen_signal_waiting",
    "listen_signal_waiting_per_signal",
    "listen_strategy_commit",
    "listen_strategy_commit_once",
    "listen_strategy_commit_per_signal",
    "listen_validation",
    "listen_walker",
    "listen_walker_complete",
    "listen_walker_complete_once",
    "listen_walker_once",
    "listen_walker_progress",
    "override_action",
    "override_exchange",
    "override_frame",
    "override_mcp",
    "override_risk",
    "override_sizing",
    "override_strategy",
    "override_sweep",
    "override_walker",
    "parse_args",
    "percent_diff",
    "percent_to_close_cost",
    "percent_value",
    "position_of",
    "read_memory",
    "remove_memory",
    "reset",
    "round_ticks",
    "run_in_mock_context",
    "search_memory",
    "set_columns",
    "set_config",
    "set_logger",
    "set_path",
    "set_session_data",
    "set_signal_state",
    "set_strategy_paused",
    "shutdown",
    "sl_percent_shift_to_price",
    "sl_price_to_percent_shift",
    "stop_strategy",
    "to_plain_string",
    "to_profit_loss",
    "tp_percent_shift_to_price",
    "tp_price_to_percent_shift",
    "use_candle_store",
    "use_store",
    "validate",
    "validate_candles",
    "validate_common_signal",
    "validate_pending_signal",
    "validate_scheduled_signal",
    "validate_signal",
    "wait_for_candle",
    "wait_for_ready",
    "warm_candles",
    "write_memory",
]
