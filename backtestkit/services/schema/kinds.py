"""The nine kinds, one row each."""

from __future__ import annotations

from backtestkit.model.schema import (
    ActionSchema,
    ExchangeSchema,
    FrameSchema,
    McpSchema,
    RiskSchema,
    SizingSchema,
    StrategySchema,
    SweepSchema,
    WalkerSchema,
)
from backtestkit.services.schema.service import SchemaService


class StrategySchemaService(SchemaService[StrategySchema]):
    """Registered strategies."""

    schema = StrategySchema


class ExchangeSchemaService(SchemaService[ExchangeSchema]):
    """Registered exchanges."""

    schema = ExchangeSchema


class FrameSchemaService(SchemaService[FrameSchema]):
    """Registered frames."""

    schema = FrameSchema


class RiskSchemaService(SchemaService[RiskSchema]):
    """Registered risks."""

    schema = RiskSchema


class SizingSchemaService(SchemaService[SizingSchema]):
    """Registered sizings."""

    schema = SizingSchema


class WalkerSchemaService(SchemaService[WalkerSchema]):
    """Registered walkers."""

    schema = WalkerSchema


class ActionSchemaService(SchemaService[ActionSchema]):
    """Registered actions."""

    schema = ActionSchema


class SweepSchemaService(SchemaService[SweepSchema]):
    """Registered sweeps."""

    schema = SweepSchema


class McpSchemaService(SchemaService[McpSchema]):
    """Registered MCP accesses."""

    schema = McpSchema
