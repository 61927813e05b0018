"""From the names of a run to what it works with, all of them checked before anything starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from backtestkit.config import Config
from backtestkit.errors import UsageError, suggest
from backtestkit.model.fill_policy import POLICIES, FillPolicy
from backtestkit.model.schema import (
    ActionSchema,
    ExchangeSchema,
    FrameSchema,
    RiskSchema,
    SizingSchema,
    StrategySchema,
)
from backtestkit.runtime.context import RunKey
from backtestkit.services.connection.exchange import ExchangeConnection
from backtestkit.services.schema.service import SchemaService
from backtestkit.services.validation.service import ValidationService


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """Everything a backtest works with: validated schemas, the shared exchange connection, and the frozen choices."""

    key: RunKey
    strategy: StrategySchema
    frame: FrameSchema
    actions: tuple[ActionSchema, ...]
    risks: tuple[RiskSchema, ...]
    sizing: SizingSchema | None
    exchange: ExchangeConnection
    config: Config
    policy: FillPolicy
    params: Mapping[str, Any]


class RunResolver:
    """Resolves names against the registries of one kit."""

    def __init__(
        self,
        *,
        strategies: SchemaService[StrategySchema],
        exchanges: SchemaService[ExchangeSchema],
        frames: SchemaService[FrameSchema],
        actions: SchemaService[ActionSchema],
        risks: SchemaService[RiskSchema],
        sizings: SchemaService[SizingSchema],
        strategy_validation: ValidationService[StrategySchema],
        connect: Callable[[str], ExchangeConnection],
    ) -> None:
        """`connect` gives the one connection of an exchange by its name."""
        self._strategies, self._exchanges, self._frames = strategies, exchanges, frames
        self._actions, self._risks, self._sizings = actions, risks, sizings
        self._strategy_validation = strategy_validation
        self._connect = connect

    def backtest(
        self,
        key: RunKey,
        config: Config,
        policy: FillPolicy | str | None,
        params: Mapping[str, Any] | None = None,
        frame: FrameSchema | None = None,
    ) -> BacktestPlan:
        """The plan of a backtest; unknown names and wrong references raise before anything runs.

        `params` override those of the strategy's schema, `frame` stands for the registered one.
        """
        self._strategy_validation.validate(key.strategy_name)
        strategy = self._strategies.get(key.strategy_name)
        sizing = None if strategy.sizing_name is None else self._sizings.get(strategy.sizing_name)
        if sizing is not None:
            sizing.check_for_signals()
        return BacktestPlan(
            key=key,
            strategy=strategy,
            frame=frame or self._frames.get(key.frame_name),
            actions=tuple(self._actions.get(name) for name in strategy.actions),
            risks=tuple(self._risks.get(name) for name in strategy.risks),
            sizing=sizing,
            exchange=self._connect(self._exchanges.get(key.exchange_name).exchange_name),
            config=config,
            policy=resolve_policy(policy, config),
            params={**(strategy.params or {}), **(params or {})},
        )


def resolve_policy(policy: FillPolicy | str | None, config: Config) -> FillPolicy:
    """A policy by record, by name, or the configured one."""
    if isinstance(policy, FillPolicy):
        return policy
    name = config.fill_policy if policy is None else policy
    try:
        return POLICIES[name]
    except KeyError:
        how = "a FillPolicy of your own"
        raise UsageError(f"fill policy {name!r} is unknown. {suggest(name, list(POLICIES), how)}") from None
