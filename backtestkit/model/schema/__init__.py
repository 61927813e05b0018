"""Schemas: what a user registers, checked where it enters.

One class per kind. A schema never changes; whatever is wrong with one is raised as a single `SchemaError` that names
the kind, the field, the value and what would do. Functions may be plain or async throughout. Importing this room
imports pydantic.
"""

from backtestkit.model.interval import TimeLike
from backtestkit.model.schema.action import (
    ACTION_HOOKS,
    ActionCallbacks,
    ActionHook,
    ActionSchema,
    McpCallbacks,
    McpPermission,
    McpSchema,
)
from backtestkit.model.schema.base import Kind, Schema
from backtestkit.model.schema.guard import (
    RiskCallbacks,
    RiskRule,
    RiskSchema,
    SizingCallbacks,
    SizingMethod,
    SizingSchema,
)
from backtestkit.model.schema.market import (
    CandleData,
    ExchangeCallbacks,
    ExchangeSchema,
    FrameCallbacks,
    FrameSchema,
    GetCandles,
    GetSpan,
    ReadCandles,
)
from backtestkit.model.schema.source import SchemaInput, SchemaSource
from backtestkit.model.schema.strategy import GetSignal, OnError, StrategyCallbacks, StrategySchema, Warmup
from backtestkit.model.schema.sweep import GridAxes, SweepCallbacks, SweepSchema
from backtestkit.model.schema.walker import WalkerCallbacks, WalkerSchema

SCHEMAS: dict[Kind, type[Schema]] = {
    schema.kind: schema
    for schema in (
        StrategySchema,
        ExchangeSchema,
        FrameSchema,
        RiskSchema,
        SizingSchema,
        WalkerSchema,
        ActionSchema,
        SweepSchema,
        McpSchema,
    )
}

__all__ = [
    "ACTION_HOOKS",
    "SCHEMAS",
    "ActionCallbacks",
    "ActionHook",
    "ActionSchema",
    "CandleData",
    "ExchangeCallbacks",
    "ExchangeSchema",
    "FrameCallbacks",
    "FrameSchema",
    "GetCandles",
    "GetSignal",
    "GetSpan",
    "GridAxes",
    "Kind",
    "McpCallbacks",
    "McpPermission",
    "McpSchema",
    "OnError",
    "ReadCandles",
    "RiskCallbacks",
    "RiskRule",
    "RiskSchema",
    "Schema",
    "SchemaInput",
    "SchemaSource",
    "SizingCallbacks",
    "SizingMethod",
    "SizingSchema",
    "StrategyCallbacks",
    "StrategySchema",
    "SweepCallbacks",
    "SweepSchema",
    "TimeLike",
    "WalkerCallbacks",
    "WalkerSchema",
    "Warmup",
]
