"""The nine kinds, one row each: what their schemas refer to."""

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
from backtestkit.services.validation.service import ValidationService


class ExchangeValidationService(ValidationService[ExchangeSchema]):
    """Exchanges refer to nothing."""


class FrameValidationService(ValidationService[FrameSchema]):
    """Frames refer to nothing."""


class RiskValidationService(ValidationService[RiskSchema]):
    """Risks refer to nothing."""


class SizingValidationService(ValidationService[SizingSchema]):
    """Sizings refer to nothing."""


class ActionValidationService(ValidationService[ActionSchema]):
    """Actions refer to nothing."""


class StrategyValidationService(ValidationService[StrategySchema]):
    """Strategies refer to risks, a sizing and actions."""

    def __init__(
        self,
        schemas: SchemaService[StrategySchema],
        risks: RiskValidationService,
        sizings: SizingValidationService,
        actions: ActionValidationService,
    ) -> None:
        super().__init__(schemas, {"risks": risks, "sizing_name": sizings, "actions": actions})


class WalkerValidationService(ValidationService[WalkerSchema]):
    """Walkers refer to an exchange, a frame and strategies."""

    def __init__(
        self,
        schemas: SchemaService[WalkerSchema],
        exchanges: ExchangeValidationService,
        frames: FrameValidationService,
        strategies: StrategyValidationService,
    ) -> None:
        super().__init__(schemas, {"exchange_name": exchanges, "frame_name": frames, "strategies": strategies})


class SweepValidationService(ValidationService[SweepSchema]):
    """Sweeps refer to an exchange."""

    def __init__(self, schemas: SchemaService[SweepSchema], exchanges: ExchangeValidationService) -> None:
        super().__init__(schemas, {"exchange_name": exchanges})


class McpValidationService(ValidationService[McpSchema]):
    """MCP accesses refer to a strategy."""

    def __init__(self, schemas: SchemaService[McpSchema], strategies: StrategyValidationService) -> None:
        super().__init__(schemas, {"strategy_name": strategies})
