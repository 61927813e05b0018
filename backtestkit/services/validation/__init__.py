"""Floor 5, validation: whether a name can be run, that is, whether it and everything it refers to is registered.

`ValidationService` does it for all kinds; the services of the nine kinds only say which fields refer to which kind.
"""

from backtestkit.services.validation.kinds import (
    ActionValidationService,
    ExchangeValidationService,
    FrameValidationService,
    McpValidationService,
    RiskValidationService,
    SizingValidationService,
    StrategyValidationService,
    SweepValidationService,
    WalkerValidationService,
)
from backtestkit.services.validation.service import ValidationService

__all__ = [
    "ActionValidationService",
    "ExchangeValidationService",
    "FrameValidationService",
    "McpValidationService",
    "RiskValidationService",
    "SizingValidationService",
    "StrategyValidationService",
    "SweepValidationService",
    "ValidationService",
    "WalkerValidationService",
]
