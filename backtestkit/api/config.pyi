"""The configuration of the current kit.

Written by scripts/generate.py; do not edit.
"""

from collections.abc import Mapping
from typing import Any

from backtestkit.config import Config, OnError, PolicyName

def set_config(
    given: Mapping[str, Any] | None = None,
    /,
    *,
    percent_fee: float = ...,
    percent_slippage: float = ...,
    avg_price_candles_count: int = ...,
    position_entry_cost: float = ...,
    signal_leverage_multiplier: float = ...,
    signal_isolated_margin: bool = ...,
    fill_policy: PolicyName = ...,
    min_takeprofit_distance_percent: float = ...,
    min_stoploss_distance_percent: float = ...,
    max_stoploss_distance_percent: float = ...,
    max_signal_lifetime_minutes: float = ...,
    max_signal_generation_seconds: int = ...,
    schedule_await_minutes: int = ...,
    breakeven_threshold: float = ...,
    enable_long_signal: bool = ...,
    enable_short_signal: bool = ...,
    enable_dca_everywhere: bool = ...,
    enable_pppl_everywhere: bool = ...,
    enable_trailing_everywhere: bool = ...,
    get_candles_retry_count: int = ...,
    get_candles_retry_delay_ms: int = ...,
    max_candles_per_request: int = ...,
    get_candles_price_anomaly_threshold_factor: int = ...,
    get_candles_min_candles_for_median: int = ...,
    enable_candle_fetch_mutex: bool = ...,
    enable_backtest_parallel_spin: bool = ...,
    order_book_time_offset_minutes: int = ...,
    order_book_max_depth_levels: int = ...,
    aggregated_trades_max_minutes: int = ...,
    order_open_retry_attempts: int = ...,
    order_check_retry_attempts: int = ...,
    order_close_retry_attempts: int = ...,
    on_error: OnError = ...,
    notification_order_check_ttl: int = ...,
    max_notifications: int = ...,
    max_signals: int = ...,
    max_log_lines: int = ...,
    max_memory_entries: int = ...,
    max_state_records: int = ...,
    max_sessions: int = ...,
    max_cached_values: int = ...,
    max_outbox_messages: int = ...,
    report_show_signal_note: bool = ...,
    walker_markdown_top_n: int = ...,
    max_performance_markdown_rows: int = ...,
    max_backtest_markdown_rows: int = ...,
    max_breakeven_markdown_rows: int = ...,
    max_heatmap_markdown_rows: int = ...,
    max_highest_profit_markdown_rows: int = ...,
    max_max_drawdown_markdown_rows: int = ...,
    max_live_markdown_rows: int = ...,
    max_partial_markdown_rows: int = ...,
    max_risk_markdown_rows: int = ...,
    max_schedule_markdown_rows: int = ...,
    max_strategy_markdown_rows: int = ...,
    max_sync_markdown_rows: int = ...,
    unsafe: bool = False,
) -> Config: ...
def get_config() -> Config: ...
def get_default_config() -> Config: ...
