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
        "get_date get_timestamp get_mode get_symbol get_context has_trade_context get_runtime_info RuntimeInfo"
    ),
    "backtestkit.api.market": (
        "get_candles get_next_candles get_raw_candles get_average_price get_close_price get_order_book "
        "get_aggregated_trades get_funding_rates format_price format_quantity get_backtest_timeframe round_ticks "
        "validate_candles Exchange"
    ),
    "backtestkit.api.backtest": "Backtest BacktestRun BacktestResult BackgroundRun RunInfo",
    "backtestkit.api.validation": "validate",
    "backtestkit.kit": "Kit current_kit reset",
    "backtestkit.config": "Config",
    "backtestkit.errors": (
        "BacktestKitError UsageError NotRegisteredError AlreadyRegisteredError SchemaError ConfigError ContextError "
        "DataError InsufficientDataError GapError CandleError SourceError SignalError Violation RunError EngineError "
        "StrategyTimeoutError"
    ),
    "backtestkit.runtime.context": "RunKey",
    "backtestkit.model.signal": (
        "Signal PublicSignal Entry PartialClose ProfitLoss Extreme PositionSide CloseReason CancelReason"
    ),
    "backtestkit.model.result": (
        "TickResult IdleResult ScheduledResult WaitingResult OpenedResult ActiveResult ClosedResult CancelledResult "
        "AnyResult YieldedResult"
    ),
    "backtestkit.model.event": (
        "RunEvent ErrorEvent SignalEvent ScheduleEvent LevelEvent BreakevenEvent ExtremeEvent PingEvent IdlePingEvent "
        "ProgressEvent DoneEvent BoundaryEvent"
    ),
    "backtestkit.model.candle": "Candle Candles",
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
_MODULES = {name: module for module, names in ROOMS.items() for name in names.split()}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    if name == "sync":
        return import_module("backtestkit.sync")
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(_unknown(name), name=name)
    value = globals()[name] = getattr(import_module(module), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, "sync"})


def _unknown(name: str) -> str:
    message = f"backtestkit has no {name!r}."
    if name.startswith("_"):
        return message
    from difflib import get_close_matches

    near = get_close_matches(name, _MODULES, n=3, cutoff=0.6)
    return f"{message} Did you mean {' or '.join(near)}?" if near else f"{message} dir(backtestkit) lists all names."
