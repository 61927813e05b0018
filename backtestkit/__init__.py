"""backtestkit: test trading strategies on history and run the same strategies live.

The package imports nothing until a name is used. `ROOMS` says where each name lives; from it `scripts/generate.py`
writes the list for type checkers (`__init__.pyi`) and the twins for plain code (`sync.py`).
"""

from importlib import import_module

__version__ = "0.1.0"

ROOMS = {
    "backtestkit.api.registry": (
        "add_strategy add_exchange add_frame add_risk add_sizing add_walker add_action add_sweep add_mcp "
        "override_strategy override_exchange override_frame override_risk override_sizing override_walker "
        "override_action override_sweep override_mcp "
        "get_strategy_schema get_exchange_schema get_frame_schema get_risk_schema get_sizing_schema "
        "get_walker_schema get_action_schema get_sweep_schema get_mcp_schema "
        "list_strategy_schema list_exchange_schema list_frame_schema list_risk_schema list_sizing_schema "
        "list_walker_schema list_action_schema list_sweep_schema list_mcp_schema"
    ),
    "backtestkit.api.config": "set_config get_config get_default_config",
    "backtestkit.api.context": (
        "get_date get_timestamp get_mode get_symbol get_context has_trade_context get_runtime_info get_params RuntimeInfo"
    ),
    "backtestkit.api.market": (
        "get_candles get_next_candles get_raw_candles get_average_price get_close_price get_order_book "
        "get_aggregated_trades get_funding_rates format_price format_quantity get_backtest_timeframe round_ticks "
        "validate_candles Exchange"
    ),
    "backtestkit.api.backtest": "Backtest RunInfo",
    "backtestkit.api.backtest_run": "BackgroundRun BacktestResult BacktestRun",
    "backtestkit.api.position": "PositionApi",
    "backtestkit.api.position_functions": (
        "position_of get_pending_signal get_scheduled_signal get_latest_signal "
        "get_minutes_since_latest_signal_created "
        "has_no_pending_signal has_no_scheduled_signal get_strategy_status get_strategy_paused get_breakeven "
        "get_total_percent_held get_total_percent_closed get_remaining_cost_basis get_total_cost_closed "
        "get_position_effective_price get_position_invested_count get_position_invested_cost "
        "get_position_pnl_percent get_position_pnl_cost get_position_levels get_position_entries "
        "get_position_partials get_position_estimate_minutes get_position_countdown_minutes "
        "get_position_active_minutes get_position_waiting_minutes get_position_highest_profit_price "
        "get_position_highest_profit_timestamp get_position_highest_profit_minutes "
        "get_position_highest_profit_breakeven get_position_highest_pnl_percentage "
        "get_position_highest_pnl_cost get_position_drawdown_minutes get_position_max_drawdown_price "
        "get_position_max_drawdown_timestamp get_position_max_drawdown_minutes "
        "get_position_max_drawdown_pnl_percentage get_position_max_drawdown_pnl_cost "
        "get_position_highest_profit_distance_pnl_percentage get_position_highest_profit_distance_pnl_cost "
        "get_position_highest_max_drawdown_pnl_percentage get_position_highest_max_drawdown_pnl_cost "
        "get_max_drawdown_distance_pnl_percentage get_max_drawdown_distance_pnl_cost "
        "get_position_entry_overlap get_position_partial_overlap commit_partial_profit commit_partial_loss "
        "commit_partial_profit_cost commit_partial_loss_cost commit_trailing_stop commit_trailing_take "
        "commit_trailing_stop_cost commit_trailing_take_cost commit_breakeven commit_average_buy "
        "commit_close_pending commit_create_take_profit commit_create_stop_loss commit_cancel_scheduled "
        "commit_activate_scheduled commit_signal_notify commit_create_signal set_strategy_paused stop_strategy"
    ),
    "backtestkit.clients.queries": "Ladder StrategyStatus",
    "backtestkit.api.formulas": (
        "get_effective_price_open get_liquidation_price get_total_closed to_profit_loss percent_diff percent_value "
        "percent_to_close_cost invested_cost_to_percent sl_percent_shift_to_price sl_price_to_percent_shift "
        "tp_percent_shift_to_price tp_price_to_percent_shift"
    ),
    "backtestkit.clients.commands": "Outcome",
    "backtestkit.api.listen": (
        "listen_signal listen_signal_once listen_signal_per_signal listen_signal_live listen_signal_live_once "
        "listen_signal_live_per_signal listen_signal_backtest listen_signal_backtest_once "
        "listen_signal_backtest_per_signal listen_signal_event listen_signal_event_once "
        "listen_signal_event_per_signal listen_order_schedule listen_order_schedule_once "
        "listen_order_schedule_per_signal listen_strategy_commit listen_strategy_commit_once "
        "listen_signal_notify listen_signal_notify_once listen_signal_notify_per_signal "
        "listen_strategy_commit_per_signal listen_active_ping listen_active_ping_once "
        "listen_active_ping_per_signal listen_schedule_ping listen_schedule_ping_once "
        "listen_schedule_ping_per_signal listen_idle_ping listen_idle_ping_once "
        "listen_partial_profit_available listen_partial_profit_available_once "
        "listen_partial_profit_available_per_signal listen_partial_loss_available "
        "listen_partial_loss_available_once listen_partial_loss_available_per_signal "
        "listen_breakeven_available listen_breakeven_available_once listen_breakeven_available_per_signal "
        "listen_funding listen_funding_once listen_funding_per_signal "
        "listen_highest_profit listen_highest_profit_once listen_highest_profit_per_signal "
        "listen_max_drawdown listen_max_drawdown_once listen_max_drawdown_per_signal listen_pause "
        "listen_pause_once listen_before_start listen_before_start_once listen_after_end "
        "listen_after_end_once listen_backtest_progress listen_done_backtest listen_done_backtest_once "
        "listen_walker listen_walker_once listen_walker_progress "
        "listen_walker_complete listen_walker_complete_once listen_done_walker listen_done_walker_once "
        "listen_risk listen_risk_once listen_validation "
        "listen_performance listen_error listen_exit listen_signal_idle listen_signal_scheduled "
        "listen_signal_scheduled_per_signal listen_signal_waiting listen_signal_waiting_per_signal "
        "listen_signal_opened listen_signal_opened_per_signal listen_signal_active "
        "listen_signal_active_per_signal listen_signal_closed listen_signal_closed_per_signal "
        "listen_signal_cancelled listen_signal_cancelled_per_signal listen_signal_live_idle "
        "listen_signal_live_scheduled listen_signal_live_scheduled_per_signal listen_signal_live_waiting "
        "listen_signal_live_waiting_per_signal listen_signal_live_opened listen_signal_live_opened_per_signal "
        "listen_signal_live_active listen_signal_live_active_per_signal listen_signal_live_closed "
        "listen_signal_live_closed_per_signal listen_signal_live_cancelled "
        "listen_signal_live_cancelled_per_signal listen_signal_backtest_idle listen_signal_backtest_scheduled "
        "listen_signal_backtest_scheduled_per_signal listen_signal_backtest_waiting "
        "listen_signal_backtest_waiting_per_signal listen_signal_backtest_opened "
        "listen_signal_backtest_opened_per_signal listen_signal_backtest_active "
        "listen_signal_backtest_active_per_signal listen_signal_backtest_closed "
        "listen_signal_backtest_closed_per_signal listen_signal_backtest_cancelled "
        "listen_signal_backtest_cancelled_per_signal"
    ),
    "backtestkit.api.reports": (
        "Heat Schedule Partial Breakeven HighestProfit MaxDrawdown Risk Strategy Sync Performance Markdown Report "
        "EventReport ReportNames"
    ),
    "backtestkit.api.report_writers": "MarkdownWriter ReportWriter",
    "backtestkit.services.report.writers": "MarkdownBackend MarkdownFolderBase MarkdownFileBase DumpOptions",
    "backtestkit.services.report.journal_file": "ReportBase WriteOptions",
    "backtestkit.services.report.journal": "JournalBackend",
    "backtestkit.api.adapters": (
        "Storage StorageBacktest StorageLive Recent RecentBacktest RecentLive NotificationBacktest NotificationLive "
        "SessionBacktest SessionLive MemoryBacktest MemoryLive MemoryBacktestAdapter MemoryLiveAdapter "
        "StateBacktest StateLive StateBacktestAdapter StateLiveAdapter use_store"
    ),
    "backtestkit.api.memory": "Memory write_memory read_memory search_memory list_memory remove_memory",
    "backtestkit.api.state": (
        "State Session get_signal_state set_signal_state create_signal_state get_session_data set_session_data "
        "GetState SetState"
    ),
    "backtestkit.api.dump": (
        "Dump dump_agent_answer dump_record dump_table dump_text dump_error dump_json dump_mcp_status"
    ),
    "backtestkit.api.notify": "Notification",
    "backtestkit.api.adapters_log": "Log set_logger",
    "backtestkit.api.cron": "Cron",
    "backtestkit.api.cache": "Cache",
    "backtestkit.api.interval": "Interval",
    "backtestkit.api.cache_functions": (
        "CachedFunction CachedCoroutine CachedFile IntervalFunction IntervalCoroutine IntervalFile"
    ),
    "backtestkit.api.cache_candles": ("warm_candles check_candles cache_candles wait_for_candle use_candle_store"),
    "backtestkit.api.lookup": "Lookup",
    "backtestkit.api.system": "System wait_for_ready shutdown",
    "backtestkit.api.system_context": "run_in_mock_context begin_context begin_time",
    "backtestkit.api.values": "get_path set_path get_price_scale to_plain_string parse_args RunArguments",
    "backtestkit.api.signal_rules": (
        "validate_signal validate_common_signal validate_pending_signal validate_scheduled_signal"
    ),
    "backtestkit.adapters.storage": "StoredSignal SignalStatus",
    "backtestkit.adapters.memory": "MemoryEntry MemoryMatch",
    "backtestkit.adapters.dump": (
        "AgentMessage StatusMessage DumpContext DumpBackend Dumped DumpedConversation DumpedRecord DumpedTable DumpedText "
        "DumpedJson DumpedStatus"
    ),
    "backtestkit.adapters.log_book": "LogEntry LogBackend",
    "backtestkit.adapters.notification": (
        "AnyNotification EntryNotification ClosedNotification CancelledNotification LevelNotification "
        "BreakevenNotification PartialCommitNotification TrailingCommitNotification AverageBuyNotification "
        "CommandNotification InfoNotification RiskNotification PauseNotification ErrorNotification"
    ),
    "backtestkit.adapters.notification_kinds": "NotificationTarget",
    "backtestkit.adapters.outbox": "Sender",
    "backtestkit.adapters.templates": "Template",
    "backtestkit.persistence.store": "KeyValueStore",
    "backtestkit.runtime.log": "LogSink",
    "backtestkit.api.bracket": "Position Constant Bracket",
    "backtestkit.api.sizing": "PositionSize",
    "backtestkit.api.columns": "set_columns get_columns get_default_columns",
    "backtestkit.services.report.spec": "Column",
    "backtestkit.api.action": "ActionBase",
    "backtestkit.api.walker": "Walker WalkerRun",
    "backtestkit.model.walker": (
        "WalkerResult WalkerFailure WalkerPruned WalkerStatistics WalkerEvent WalkerProgressEvent WalkerCompleteEvent"
    ),
    "backtestkit.model.space": "IntRange FloatRange",
    "backtestkit.api.runs": "Runs Replay RunComparison",
    "backtestkit.model.run_record": "RunRecord Trials Difference",
    "backtestkit.api.sweep": "Sweep SweepRun",
    "backtestkit.model.sweep": (
        "Idea IdeaDirection SweepRule SweepTrade SweepReport SweepPair SweepSample SweepCounts SweepResult IdeaProfile "
        "AuthorTrack AuthorTracks SweepExitReason SweepOrder"
    ),
    "backtestkit.api.reflect": "Reflect",
    "backtestkit.api.validation": "validate",
    "backtestkit.kit": "Kit current_kit reset",
    "backtestkit.market.synthetic": "SyntheticExchange",
    "backtestkit.market.csv_source": "CsvExchange",
    "backtestkit.market.parquet_source": "ParquetExchange",
    "backtestkit.market.ccxt_exchange": "CcxtExchange",
    "backtestkit.market.store_source": "StoreExchange",
    "backtestkit.config": "Config",
    "backtestkit.errors": (
        "BacktestKitError UsageError NotRegisteredError AlreadyRegisteredError SchemaError ConfigError ContextError "
        "DataError InsufficientDataError GapError CandleError SourceError SignalError Violation RunError EngineError "
        "StrategyTimeoutError LockedError StoreError DeliveryError"
    ),
    "backtestkit.runtime.context": "RunKey",
    "backtestkit.model.signal": (
        "Signal PublicSignal Entry PartialClose Funding ProfitLoss Extreme PositionSide CloseReason CancelReason"
    ),
    "backtestkit.model.result": (
        "TickResult IdleResult ScheduledResult WaitingResult OpenedResult ActiveResult ClosedResult CancelledResult "
        "AnyResult YieldedResult"
    ),
    "backtestkit.model.event": (
        "RunEvent ErrorEvent SignalEvent ScheduleEvent LevelEvent BreakevenEvent ExtremeEvent FundingEvent "
        "CommitEvent RiskEvent PauseEvent PingEvent IdlePingEvent "
        "ProgressEvent DoneEvent BoundaryEvent"
    ),
    "backtestkit.model.risk": "RiskPayload RiskRejection ActivePosition ClosedTrade TradeHistory",
    "backtestkit.model.sizing": "PositionSizing SizeLimit",
    "backtestkit.model.candle": "Candle Candles",
    "backtestkit.model.market_data": "OrderBook AggregatedTrade FundingRate",
    "backtestkit.model.statistics": "TradeFigures BacktestStatistics LiveStatistics HeatStatistics HeatRow RunSummary",
    "backtestkit.model.statistics_events": (
        "EventStatistics ScheduleStatistics PartialStatistics PartialRow RiskStatistics StrategyStatistics "
        "SyncStatistics PerformanceStatistics MetricStatistics TimeShare"
    ),
    "backtestkit.model.analysis": (
        "TradeAnalysis EquityFigures EquityCurve ReturnFigures TradeQuality CostFigures BenchmarkFigures BreakdownRow Marks "
        "TradingYear"
    ),
    "backtestkit.api.arrays_result": "ArrayResult",
    "backtestkit.model.table": "Table",
    "backtestkit.model.table_column": "TableColumn",
    "backtestkit.math.statistics_analysis": "analyse",
    "backtestkit.math.statistics_positions": "TradeSet",
    "backtestkit.model.performance": "PerformanceEvent",
    "backtestkit.model.sync": "SyncEvent",
    "backtestkit.model.interval": (
        "CandleInterval FrameInterval SignalInterval align_to_interval interval_start interval_step_ms"
    ),
    "backtestkit.model.fill_policy": "FillPolicy CONSERVATIVE REFERENCE NEXT_OPEN",
    "backtestkit.model.schema": (
        "StrategySchema StrategyCallbacks ExchangeSchema ExchangeCallbacks FrameSchema FrameCallbacks RiskSchema "
        "RiskCallbacks RiskRule SizingSchema SizingCallbacks WalkerSchema WalkerCallbacks ActionSchema ActionCallbacks "
        "SweepSchema SweepCallbacks GridAxes McpSchema McpCallbacks CandleData GetSignal GetCandles"
    ),
}
SUBMODULES = {
    "arrays": "backtestkit.api.arrays",
    "rules": "backtestkit.api.rules",
    "sync": "backtestkit.sync",
    "testing": "backtestkit.testing",
}
_MODULES = {name: module for module, names in ROOMS.items() for name in names.split()}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    if name in SUBMODULES:
        return import_module(SUBMODULES[name])
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(_unknown(name), name=name)
    value = globals()[name] = getattr(import_module(module), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *SUBMODULES})


def _unknown(name: str) -> str:
    message = f"backtestkit has no {name!r}."
    if name.startswith("_"):
        return message
    from difflib import get_close_matches

    near = get_close_matches(name, [*_MODULES, *SUBMODULES], n=3, cutoff=0.6)
    return f"{message} Did you mean {' or '.join(near)}?" if near else f"{message} dir(backtestkit) lists all names."
