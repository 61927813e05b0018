"""The functions that register, change and show schemas.

Written by scripts/generate.py; do not edit.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, overload

from backtestkit.model.analysis import TradingYear
from backtestkit.model.interval import CandleInterval, FrameInterval, SignalInterval, TimeLike
from backtestkit.model.metric import Direction
from backtestkit.model.schema.action import ActionCallbacks, ActionSchema, McpCallbacks, McpPermission, McpSchema
from backtestkit.model.schema.guard import (
    GetBalance,
    RiskCallbacks,
    RiskRule,
    RiskSchema,
    SizingCallbacks,
    SizingMethod,
    SizingSchema,
    ValidateRisk,
)
from backtestkit.model.schema.market import (
    ExchangeCallbacks,
    ExchangeSchema,
    FormatNumber,
    FrameCallbacks,
    FrameSchema,
    GetCandles,
    GetFundingRates,
    GetOrderBook,
    GetSpan,
    GetTrades,
    ReadCandles,
)
from backtestkit.model.schema.source import SchemaInput
from backtestkit.model.schema.strategy import GetSignal, OnError, StrategyCallbacks, StrategySchema, Warmup
from backtestkit.model.schema.sweep import GridAxes, SweepCallbacks, SweepSchema
from backtestkit.model.schema.walker import PrunerName, SamplerName, SpaceMethod, WalkerCallbacks, WalkerSchema
from backtestkit.model.space import Axes
from backtestkit.model.sweep import SweepOrder

@overload
def add_strategy(
    given: SchemaInput[StrategySchema],
    /,
    *,
    strategy_name: str = ...,
    interval: SignalInterval = ...,
    get_signal: GetSignal | None = ...,
    note: str = ...,
    risk_name: str | None = ...,
    risk_list: Sequence[str] = ...,
    sizing_name: str | None = ...,
    actions: Sequence[str] = ...,
    info: Any = ...,
    callbacks: StrategyCallbacks | Mapping[str, Any] | None = ...,
    warmup: Warmup | None = ...,
    on_error: OnError | None = ...,
    params: Mapping[str, Any] | None = ...,
    replace: bool = False,
) -> StrategySchema: ...
@overload
def add_strategy(
    *,
    strategy_name: str,
    interval: SignalInterval = "1m",
    get_signal: GetSignal | None = None,
    note: str = "",
    risk_name: str | None = None,
    risk_list: Sequence[str] = ...,
    sizing_name: str | None = None,
    actions: Sequence[str] = ...,
    info: Any = None,
    callbacks: StrategyCallbacks | Mapping[str, Any] | None = None,
    warmup: Warmup | None = None,
    on_error: OnError | None = None,
    params: Mapping[str, Any] | None = None,
    replace: bool = False,
) -> StrategySchema: ...
@overload
def override_strategy(
    given: str | Mapping[str, Any] | StrategySchema,
    /,
    *,
    strategy_name: str = ...,
    interval: SignalInterval = ...,
    get_signal: GetSignal | None = ...,
    note: str = ...,
    risk_name: str | None = ...,
    risk_list: Sequence[str] = ...,
    sizing_name: str | None = ...,
    actions: Sequence[str] = ...,
    info: Any = ...,
    callbacks: StrategyCallbacks | Mapping[str, Any] | None = ...,
    warmup: Warmup | None = ...,
    on_error: OnError | None = ...,
    params: Mapping[str, Any] | None = ...,
) -> StrategySchema: ...
@overload
def override_strategy(
    *,
    strategy_name: str,
    interval: SignalInterval = ...,
    get_signal: GetSignal | None = ...,
    note: str = ...,
    risk_name: str | None = ...,
    risk_list: Sequence[str] = ...,
    sizing_name: str | None = ...,
    actions: Sequence[str] = ...,
    info: Any = ...,
    callbacks: StrategyCallbacks | Mapping[str, Any] | None = ...,
    warmup: Warmup | None = ...,
    on_error: OnError | None = ...,
    params: Mapping[str, Any] | None = ...,
) -> StrategySchema: ...
def get_strategy_schema(name: str) -> StrategySchema: ...
def list_strategy_schema() -> list[StrategySchema]: ...
@overload
def add_exchange(
    given: SchemaInput[ExchangeSchema],
    /,
    *,
    exchange_name: str = ...,
    note: str = ...,
    get_candles: GetCandles | None = ...,
    format_price: FormatNumber | None = ...,
    format_quantity: FormatNumber | None = ...,
    get_order_book: GetOrderBook | None = ...,
    get_aggregated_trades: GetTrades | None = ...,
    get_funding_rates: GetFundingRates | None = ...,
    callbacks: ExchangeCallbacks | Mapping[str, Any] | None = ...,
    gaps: Literal["refuse", "skip", "flat"] = ...,
    base_interval: CandleInterval = ...,
    coarser: Literal["exchange", "resampled"] = ...,
    read_candles: ReadCandles | None = ...,
    span: GetSpan | None = ...,
    trading_year: TradingYear = ...,
    replace: bool = False,
) -> ExchangeSchema: ...
@overload
def add_exchange(
    *,
    exchange_name: str,
    note: str = "",
    get_candles: GetCandles | None = None,
    format_price: FormatNumber | None = None,
    format_quantity: FormatNumber | None = None,
    get_order_book: GetOrderBook | None = None,
    get_aggregated_trades: GetTrades | None = None,
    get_funding_rates: GetFundingRates | None = None,
    callbacks: ExchangeCallbacks | Mapping[str, Any] | None = None,
    gaps: Literal["refuse", "skip", "flat"] = "refuse",
    base_interval: CandleInterval = "1m",
    coarser: Literal["exchange", "resampled"] = "exchange",
    read_candles: ReadCandles | None = None,
    span: GetSpan | None = None,
    trading_year: TradingYear = ...,
    replace: bool = False,
) -> ExchangeSchema: ...
@overload
def override_exchange(
    given: str | Mapping[str, Any] | ExchangeSchema,
    /,
    *,
    exchange_name: str = ...,
    note: str = ...,
    get_candles: GetCandles | None = ...,
    format_price: FormatNumber | None = ...,
    format_quantity: FormatNumber | None = ...,
    get_order_book: GetOrderBook | None = ...,
    get_aggregated_trades: GetTrades | None = ...,
    get_funding_rates: GetFundingRates | None = ...,
    callbacks: ExchangeCallbacks | Mapping[str, Any] | None = ...,
    gaps: Literal["refuse", "skip", "flat"] = ...,
    base_interval: CandleInterval = ...,
    coarser: Literal["exchange", "resampled"] = ...,
    read_candles: ReadCandles | None = ...,
    span: GetSpan | None = ...,
    trading_year: TradingYear = ...,
) -> ExchangeSchema: ...
@overload
def override_exchange(
    *,
    exchange_name: str,
    note: str = ...,
    get_candles: GetCandles | None = ...,
    format_price: FormatNumber | None = ...,
    format_quantity: FormatNumber | None = ...,
    get_order_book: GetOrderBook | None = ...,
    get_aggregated_trades: GetTrades | None = ...,
    get_funding_rates: GetFundingRates | None = ...,
    callbacks: ExchangeCallbacks | Mapping[str, Any] | None = ...,
    gaps: Literal["refuse", "skip", "flat"] = ...,
    base_interval: CandleInterval = ...,
    coarser: Literal["exchange", "resampled"] = ...,
    read_candles: ReadCandles | None = ...,
    span: GetSpan | None = ...,
    trading_year: TradingYear = ...,
) -> ExchangeSchema: ...
def get_exchange_schema(name: str) -> ExchangeSchema: ...
def list_exchange_schema() -> list[ExchangeSchema]: ...
@overload
def add_frame(
    given: SchemaInput[FrameSchema],
    /,
    *,
    frame_name: str = ...,
    interval: FrameInterval = ...,
    start_date: TimeLike = ...,
    end_date: TimeLike = ...,
    note: str = ...,
    callbacks: FrameCallbacks | Mapping[str, Any] | None = ...,
    replace: bool = False,
) -> FrameSchema: ...
@overload
def add_frame(
    *,
    frame_name: str,
    interval: FrameInterval = "1m",
    start_date: TimeLike,
    end_date: TimeLike,
    note: str = "",
    callbacks: FrameCallbacks | Mapping[str, Any] | None = None,
    replace: bool = False,
) -> FrameSchema: ...
@overload
def override_frame(
    given: str | Mapping[str, Any] | FrameSchema,
    /,
    *,
    frame_name: str = ...,
    interval: FrameInterval = ...,
    start_date: TimeLike = ...,
    end_date: TimeLike = ...,
    note: str = ...,
    callbacks: FrameCallbacks | Mapping[str, Any] | None = ...,
) -> FrameSchema: ...
@overload
def override_frame(
    *,
    frame_name: str,
    interval: FrameInterval = ...,
    start_date: TimeLike = ...,
    end_date: TimeLike = ...,
    note: str = ...,
    callbacks: FrameCallbacks | Mapping[str, Any] | None = ...,
) -> FrameSchema: ...
def get_frame_schema(name: str) -> FrameSchema: ...
def list_frame_schema() -> list[FrameSchema]: ...
@overload
def add_risk(
    given: SchemaInput[RiskSchema],
    /,
    *,
    risk_name: str = ...,
    validations: Sequence[ValidateRisk | RiskRule | Mapping[str, Any]] = ...,
    callbacks: RiskCallbacks | Mapping[str, Any] | None = ...,
    note: str = ...,
    replace: bool = False,
) -> RiskSchema: ...
@overload
def add_risk(
    *,
    risk_name: str,
    validations: Sequence[ValidateRisk | RiskRule | Mapping[str, Any]] = ...,
    callbacks: RiskCallbacks | Mapping[str, Any] | None = None,
    note: str = "",
    replace: bool = False,
) -> RiskSchema: ...
@overload
def override_risk(
    given: str | Mapping[str, Any] | RiskSchema,
    /,
    *,
    risk_name: str = ...,
    validations: Sequence[ValidateRisk | RiskRule | Mapping[str, Any]] = ...,
    callbacks: RiskCallbacks | Mapping[str, Any] | None = ...,
    note: str = ...,
) -> RiskSchema: ...
@overload
def override_risk(
    *,
    risk_name: str,
    validations: Sequence[ValidateRisk | RiskRule | Mapping[str, Any]] = ...,
    callbacks: RiskCallbacks | Mapping[str, Any] | None = ...,
    note: str = ...,
) -> RiskSchema: ...
def get_risk_schema(name: str) -> RiskSchema: ...
def list_risk_schema() -> list[RiskSchema]: ...
@overload
def add_sizing(
    given: SchemaInput[SizingSchema],
    /,
    *,
    sizing_name: str = ...,
    method: SizingMethod = ...,
    risk_percentage: float | None = ...,
    kelly_multiplier: float = ...,
    win_rate: float | None = ...,
    win_loss_ratio: float | None = ...,
    atr_multiplier: float = ...,
    target_volatility: float | None = ...,
    cost: float | None = ...,
    interval: CandleInterval = ...,
    period: int = ...,
    balance: float | GetBalance = ...,
    min_position_size: float | None = ...,
    max_position_size: float | None = ...,
    max_position_percentage: float | None = ...,
    note: str = ...,
    callbacks: SizingCallbacks | Mapping[str, Any] | None = ...,
    replace: bool = False,
) -> SizingSchema: ...
@overload
def add_sizing(
    *,
    sizing_name: str,
    method: SizingMethod,
    risk_percentage: float | None = None,
    kelly_multiplier: float = 0.25,
    win_rate: float | None = None,
    win_loss_ratio: float | None = None,
    atr_multiplier: float = 2.0,
    target_volatility: float | None = None,
    cost: float | None = None,
    interval: CandleInterval = "1h",
    period: int = 14,
    balance: float | GetBalance = 10000.0,
    min_position_size: float | None = None,
    max_position_size: float | None = None,
    max_position_percentage: float | None = None,
    note: str = "",
    callbacks: SizingCallbacks | Mapping[str, Any] | None = None,
    replace: bool = False,
) -> SizingSchema: ...
@overload
def override_sizing(
    given: str | Mapping[str, Any] | SizingSchema,
    /,
    *,
    sizing_name: str = ...,
    method: SizingMethod = ...,
    risk_percentage: float | None = ...,
    kelly_multiplier: float = ...,
    win_rate: float | None = ...,
    win_loss_ratio: float | None = ...,
    atr_multiplier: float = ...,
    target_volatility: float | None = ...,
    cost: float | None = ...,
    interval: CandleInterval = ...,
    period: int = ...,
    balance: float | GetBalance = ...,
    min_position_size: float | None = ...,
    max_position_size: float | None = ...,
    max_position_percentage: float | None = ...,
    note: str = ...,
    callbacks: SizingCallbacks | Mapping[str, Any] | None = ...,
) -> SizingSchema: ...
@overload
def override_sizing(
    *,
    sizing_name: str,
    method: SizingMethod = ...,
    risk_percentage: float | None = ...,
    kelly_multiplier: float = ...,
    win_rate: float | None = ...,
    win_loss_ratio: float | None = ...,
    atr_multiplier: float = ...,
    target_volatility: float | None = ...,
    cost: float | None = ...,
    interval: CandleInterval = ...,
    period: int = ...,
    balance: float | GetBalance = ...,
    min_position_size: float | None = ...,
    max_position_size: float | None = ...,
    max_position_percentage: float | None = ...,
    note: str = ...,
    callbacks: SizingCallbacks | Mapping[str, Any] | None = ...,
) -> SizingSchema: ...
def get_sizing_schema(name: str) -> SizingSchema: ...
def list_sizing_schema() -> list[SizingSchema]: ...
@overload
def add_walker(
    given: SchemaInput[WalkerSchema],
    /,
    *,
    walker_name: str = ...,
    exchange_name: str = ...,
    frame_name: str = ...,
    strategies: Sequence[str] = ...,
    metric: str = ...,
    direction: Direction = ...,
    metrics: Mapping[str, Direction] | None = ...,
    space: Axes | None = ...,
    method: SpaceMethod = ...,
    samples: int = ...,
    seed: int = ...,
    sampler: SamplerName | Any = ...,
    batch: int = ...,
    pruner: PrunerName | Any = ...,
    checkpoints: int = ...,
    note: str = ...,
    callbacks: WalkerCallbacks | Mapping[str, Any] | None = ...,
    replace: bool = False,
) -> WalkerSchema: ...
@overload
def add_walker(
    *,
    walker_name: str,
    exchange_name: str,
    frame_name: str,
    strategies: Sequence[str],
    metric: str = "sharpe_ratio",
    direction: Direction = "maximise",
    metrics: Mapping[str, Direction] | None = None,
    space: Axes | None = None,
    method: SpaceMethod = "grid",
    samples: int = 50,
    seed: int = 0,
    sampler: SamplerName | Any = "tpe",
    batch: int = 1,
    pruner: PrunerName | Any = None,
    checkpoints: int = 10,
    note: str = "",
    callbacks: WalkerCallbacks | Mapping[str, Any] | None = None,
    replace: bool = False,
) -> WalkerSchema: ...
@overload
def override_walker(
    given: str | Mapping[str, Any] | WalkerSchema,
    /,
    *,
    walker_name: str = ...,
    exchange_name: str = ...,
    frame_name: str = ...,
    strategies: Sequence[str] = ...,
    metric: str = ...,
    direction: Direction = ...,
    metrics: Mapping[str, Direction] | None = ...,
    space: Axes | None = ...,
    method: SpaceMethod = ...,
    samples: int = ...,
    seed: int = ...,
    sampler: SamplerName | Any = ...,
    batch: int = ...,
    pruner: PrunerName | Any = ...,
    checkpoints: int = ...,
    note: str = ...,
    callbacks: WalkerCallbacks | Mapping[str, Any] | None = ...,
) -> WalkerSchema: ...
@overload
def override_walker(
    *,
    walker_name: str,
    exchange_name: str = ...,
    frame_name: str = ...,
    strategies: Sequence[str] = ...,
    metric: str = ...,
    direction: Direction = ...,
    metrics: Mapping[str, Direction] | None = ...,
    space: Axes | None = ...,
    method: SpaceMethod = ...,
    samples: int = ...,
    seed: int = ...,
    sampler: SamplerName | Any = ...,
    batch: int = ...,
    pruner: PrunerName | Any = ...,
    checkpoints: int = ...,
    note: str = ...,
    callbacks: WalkerCallbacks | Mapping[str, Any] | None = ...,
) -> WalkerSchema: ...
def get_walker_schema(name: str) -> WalkerSchema: ...
def list_walker_schema() -> list[WalkerSchema]: ...
@overload
def add_action(
    given: SchemaInput[ActionSchema],
    /,
    *,
    action_name: str = ...,
    handler: Any = ...,
    callbacks: ActionCallbacks | Mapping[str, Any] | None = ...,
    note: str = ...,
    replace: bool = False,
) -> ActionSchema: ...
@overload
def add_action(
    *,
    action_name: str,
    handler: Any,
    callbacks: ActionCallbacks | Mapping[str, Any] | None = None,
    note: str = "",
    replace: bool = False,
) -> ActionSchema: ...
@overload
def override_action(
    given: str | Mapping[str, Any] | ActionSchema,
    /,
    *,
    action_name: str = ...,
    handler: Any = ...,
    callbacks: ActionCallbacks | Mapping[str, Any] | None = ...,
    note: str = ...,
) -> ActionSchema: ...
@overload
def override_action(
    *,
    action_name: str,
    handler: Any = ...,
    callbacks: ActionCallbacks | Mapping[str, Any] | None = ...,
    note: str = ...,
) -> ActionSchema: ...
def get_action_schema(name: str) -> ActionSchema: ...
def list_action_schema() -> list[ActionSchema]: ...
@overload
def add_sweep(
    given: SchemaInput[SweepSchema],
    /,
    *,
    sweep_name: str = ...,
    exchange_name: str = ...,
    grid_axes: GridAxes | Mapping[str, Any] = ...,
    report_order: SweepOrder = ...,
    holdout_percent: float = ...,
    holdout_from: TimeLike | None = ...,
    repeat_minutes: int = ...,
    note: str = ...,
    callbacks: SweepCallbacks | Mapping[str, Any] | None = ...,
    replace: bool = False,
) -> SweepSchema: ...
@overload
def add_sweep(
    *,
    sweep_name: str,
    exchange_name: str,
    grid_axes: GridAxes | Mapping[str, Any] = ...,
    report_order: SweepOrder = "sharpe",
    holdout_percent: float = 30.0,
    holdout_from: TimeLike | None = None,
    repeat_minutes: int = 480,
    note: str = "",
    callbacks: SweepCallbacks | Mapping[str, Any] | None = None,
    replace: bool = False,
) -> SweepSchema: ...
@overload
def override_sweep(
    given: str | Mapping[str, Any] | SweepSchema,
    /,
    *,
    sweep_name: str = ...,
    exchange_name: str = ...,
    grid_axes: GridAxes | Mapping[str, Any] = ...,
    report_order: SweepOrder = ...,
    holdout_percent: float = ...,
    holdout_from: TimeLike | None = ...,
    repeat_minutes: int = ...,
    note: str = ...,
    callbacks: SweepCallbacks | Mapping[str, Any] | None = ...,
) -> SweepSchema: ...
@overload
def override_sweep(
    *,
    sweep_name: str,
    exchange_name: str = ...,
    grid_axes: GridAxes | Mapping[str, Any] = ...,
    report_order: SweepOrder = ...,
    holdout_percent: float = ...,
    holdout_from: TimeLike | None = ...,
    repeat_minutes: int = ...,
    note: str = ...,
    callbacks: SweepCallbacks | Mapping[str, Any] | None = ...,
) -> SweepSchema: ...
def get_sweep_schema(name: str) -> SweepSchema: ...
def list_sweep_schema() -> list[SweepSchema]: ...
@overload
def add_mcp(
    given: SchemaInput[McpSchema],
    /,
    *,
    mcp_name: str = ...,
    strategy_name: str | None = ...,
    position_cost: float | None = ...,
    minute_estimated_time: float | None = ...,
    multiplier: float | None = ...,
    isolated: bool | None = ...,
    permissions: Sequence[McpPermission] = ...,
    get_messages: Callable[..., Any] | None = ...,
    note: str = ...,
    callbacks: McpCallbacks | Mapping[str, Any] | None = ...,
    replace: bool = False,
) -> McpSchema: ...
@overload
def add_mcp(
    *,
    mcp_name: str,
    strategy_name: str | None = None,
    position_cost: float | None = None,
    minute_estimated_time: float | None = None,
    multiplier: float | None = None,
    isolated: bool | None = None,
    permissions: Sequence[McpPermission] = ...,
    get_messages: Callable[..., Any] | None = None,
    note: str = "",
    callbacks: McpCallbacks | Mapping[str, Any] | None = None,
    replace: bool = False,
) -> McpSchema: ...
@overload
def override_mcp(
    given: str | Mapping[str, Any] | McpSchema,
    /,
    *,
    mcp_name: str = ...,
    strategy_name: str | None = ...,
    position_cost: float | None = ...,
    minute_estimated_time: float | None = ...,
    multiplier: float | None = ...,
    isolated: bool | None = ...,
    permissions: Sequence[McpPermission] = ...,
    get_messages: Callable[..., Any] | None = ...,
    note: str = ...,
    callbacks: McpCallbacks | Mapping[str, Any] | None = ...,
) -> McpSchema: ...
@overload
def override_mcp(
    *,
    mcp_name: str,
    strategy_name: str | None = ...,
    position_cost: float | None = ...,
    minute_estimated_time: float | None = ...,
    multiplier: float | None = ...,
    isolated: bool | None = ...,
    permissions: Sequence[McpPermission] = ...,
    get_messages: Callable[..., Any] | None = ...,
    note: str = ...,
    callbacks: McpCallbacks | Mapping[str, Any] | None = ...,
) -> McpSchema: ...
def get_mcp_schema(name: str) -> McpSchema: ...
def list_mcp_schema() -> list[McpSchema]: ...
