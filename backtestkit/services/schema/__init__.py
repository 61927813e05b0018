"""Floor 5, schemas: what is registered in one kit, by kind and name.

`SchemaService` is the one registry; the services of the nine kinds are its rows. Nothing here looks from one kind to
another: that is the validation room's business.
"""

from backtestkit.services.schema.kinds import (
    ActionSchemaService,
    ExchangeSchemaService,
    FrameSchemaService,
    McpSchemaService,
    RiskSchemaService,
    SizingSchemaService,
    StrategySchemaService,
    SweepSchemaService,
    WalkerSchemaService,
)
from backtestkit.services.schema.service import SchemaService

__all__ = [
    "ActionSchemaService",
    "ExchangeSchemaService",
    "FrameSchemaService",
    "McpSchemaService",
    "RiskSchemaService",
    "SchemaService",
    "SizingSchemaService",
    "StrategySchemaService",
    "SweepSchemaService",
    "WalkerSchemaService",
]
