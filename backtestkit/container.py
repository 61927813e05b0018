"""The composition root: every service of a kit, wired.

Providers name their classes by path (`Later`), so that a container costs nothing but itself and each service is
imported when it is first asked for. The annotations give the types; a test compares the arguments with the
constructors. Nothing asks the container once a run has started.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dependency_injector import containers, providers

if TYPE_CHECKING:
    from backtestkit.config import Config
    from backtestkit.runtime.clock import SystemClock
    from backtestkit.services import schema, validation
    from backtestkit.services.channels import Channels
    from backtestkit.services.connection.adapters import Adapters
    from backtestkit.services.connection.adapters_delivery import Deliveries
    from backtestkit.services.connection.exchange_pool import ExchangePool
    from backtestkit.services.connection.risk import RiskPool
    from backtestkit.services.connection.sizing import SizingPool
    from backtestkit.services.core.run_resolver import RunResolver
    from backtestkit.services.cron import CronService
    from backtestkit.services.logic.backtest import BacktestLogicService
    from backtestkit.services.logic.replay import ReplayService
    from backtestkit.services.logic.run_group import RunGroups
    from backtestkit.services.logic.run_keeper import RunKeeper
    from backtestkit.services.logic.sweep import SweepLogicService
    from backtestkit.services.logic.walker import WalkerLogicService
    from backtestkit.services.report.collector import ReportCollector
    from backtestkit.services.report.columns import ColumnService
    from backtestkit.services.report.html.service import HtmlService
    from backtestkit.services.report.journal import JournalService
    from backtestkit.services.report.markdown import MarkdownService


class Later:
    """A class that is imported when it is first called."""

    def __init__(self, path: str) -> None:
        """`path` is `module.Class`."""
        self.path = path

    def load(self) -> Callable[..., Any]:
        """The class itself."""
        module, _, name = self.path.rpartition(".")
        found: Callable[..., Any] = getattr(import_module(module), name)
        return found

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.load()(*args, **kwargs)


_SCHEMA = "backtestkit.services.schema."
_VALIDATION = "backtestkit.services.validation."


class Container(containers.DeclarativeContainer):
    """All services of one kit. Each is made once, when it is first asked for.

    `settings` is given from outside: a function that answers the configuration in force.
    """

    settings: providers.Dependency[Callable[[], Config]] = providers.Dependency()

    # Runtime
    wall_clock: providers.Singleton[SystemClock] = providers.Singleton(Later("backtestkit.runtime.clock.SystemClock"))
    channels: providers.Singleton[Channels] = providers.Singleton(Later("backtestkit.services.channels.Channels"))

    # Schemas
    strategy_schema: providers.Singleton[schema.StrategySchemaService] = providers.Singleton(
        Later(_SCHEMA + "StrategySchemaService")
    )
    exchange_schema: providers.Singleton[schema.ExchangeSchemaService] = providers.Singleton(
        Later(_SCHEMA + "ExchangeSchemaService")
    )
    frame_schema: providers.Singleton[schema.FrameSchemaService] = providers.Singleton(
        Later(_SCHEMA + "FrameSchemaService")
    )
    risk_schema: providers.Singleton[schema.RiskSchemaService] = providers.Singleton(
        Later(_SCHEMA + "RiskSchemaService")
    )
    sizing_schema: providers.Singleton[schema.SizingSchemaService] = providers.Singleton(
        Later(_SCHEMA + "SizingSchemaService")
    )
    walker_schema: providers.Singleton[schema.WalkerSchemaService] = providers.Singleton(
        Later(_SCHEMA + "WalkerSchemaService")
    )
    action_schema: providers.Singleton[schema.ActionSchemaService] = providers.Singleton(
        Later(_SCHEMA + "ActionSchemaService")
    )
    sweep_schema: providers.Singleton[schema.SweepSchemaService] = providers.Singleton(
        Later(_SCHEMA + "SweepSchemaService")
    )
    mcp_schema: providers.Singleton[schema.McpSchemaService] = providers.Singleton(Later(_SCHEMA + "McpSchemaService"))
    registries: providers.Singleton[Mapping[str, schema.SchemaService[Any]]] = providers.Singleton(
        dict,
        strategy=strategy_schema,
        exchange=exchange_schema,
        frame=frame_schema,
        risk=risk_schema,
        sizing=sizing_schema,
        walker=walker_schema,
        action=action_schema,
        sweep=sweep_schema,
        mcp=mcp_schema,
    )

    # Validation
    exchange_validation: providers.Singleton[validation.ExchangeValidationService] = providers.Singleton(
        Later(_VALIDATION + "ExchangeValidationService"), schemas=exchange_schema
    )
    frame_validation: providers.Singleton[validation.FrameValidationService] = providers.Singleton(
        Later(_VALIDATION + "FrameValidationService"), schemas=frame_schema
    )
    risk_validation: providers.Singleton[validation.RiskValidationService] = providers.Singleton(
        Later(_VALIDATION + "RiskValidationService"), schemas=risk_schema
    )
    sizing_validation: providers.Singleton[validation.SizingValidationService] = providers.Singleton(
        Later(_VALIDATION + "SizingValidationService"), schemas=sizing_schema
    )
    action_validation: providers.Singleton[validation.ActionValidationService] = providers.Singleton(
        Later(_VALIDATION + "ActionValidationService"), schemas=action_schema
    )
    strategy_validation: providers.Singleton[validation.StrategyValidationService] = providers.Singleton(
        Later(_VALIDATION + "StrategyValidationService"),
        schemas=strategy_schema,
        risks=risk_validation,
        sizings=sizing_validation,
        actions=action_validation,
    )
    walker_validation: providers.Singleton[validation.WalkerValidationService] = providers.Singleton(
        Later(_VALIDATION + "WalkerValidationService"),
        schemas=walker_schema,
        exchanges=exchange_validation,
        frames=frame_validation,
        strategies=strategy_validation,
    )
    sweep_validation: providers.Singleton[validation.SweepValidationService] = providers.Singleton(
        Later(_VALIDATION + "SweepValidationService"), schemas=sweep_schema, exchanges=exchange_validation
    )
    mcp_validation: providers.Singleton[validation.McpValidationService] = providers.Singleton(
        Later(_VALIDATION + "McpValidationService"), schemas=mcp_schema, strategies=strategy_validation
    )
    validations: providers.Singleton[Mapping[str, validation.ValidationService[Any]]] = providers.Singleton(
        dict,
        strategy=strategy_validation,
        exchange=exchange_validation,
        frame=frame_validation,
        risk=risk_validation,
        sizing=sizing_validation,
        walker=walker_validation,
        action=action_validation,
        sweep=sweep_validation,
        mcp=mcp_validation,
    )

    # Connections
    exchange_pool: providers.Singleton[ExchangePool] = providers.Singleton(
        Later("backtestkit.services.connection.exchange_pool.ExchangePool"),
        exchanges=exchange_validation,
        settings=settings,
        channels=channels,
    )

    risk_pool: providers.Singleton[RiskPool] = providers.Singleton(
        Later("backtestkit.services.connection.risk.RiskPool")
    )
    sizing_pool: providers.Singleton[SizingPool] = providers.Singleton(
        Later("backtestkit.services.connection.sizing.SizingPool"), sizings=sizing_schema, channels=channels
    )

    # Adapters
    adapters: providers.Singleton[Adapters] = providers.Singleton(
        Later("backtestkit.services.connection.adapters.Adapters"), channels=channels, settings=settings
    )
    deliveries: providers.Singleton[Deliveries] = providers.Singleton(
        Later("backtestkit.services.connection.adapters_delivery.Deliveries"),
        channels=channels,
        settings=settings,
        adapters=adapters,
    )

    cron: providers.Singleton[CronService] = providers.Singleton(
        Later("backtestkit.services.cron.CronService"), channels=channels
    )

    # Core and logic
    run_groups: providers.Singleton[RunGroups] = providers.Singleton(
        Later("backtestkit.services.logic.run_group.RunGroups")
    )
    run_resolver: providers.Singleton[RunResolver] = providers.Singleton(
        Later("backtestkit.services.core.run_resolver.RunResolver"),
        strategies=strategy_schema,
        exchanges=exchange_schema,
        frames=frame_schema,
        actions=action_schema,
        risks=risk_schema,
        sizings=sizing_schema,
        strategy_validation=strategy_validation,
        connect=exchange_pool.provided.connect,
    )
    run_keeper: providers.Singleton[RunKeeper] = providers.Singleton(
        Later("backtestkit.services.logic.run_keeper.RunKeeper"),
        settings=settings,
        wall_clock=wall_clock,
        channels=channels,
    )
    backtest_logic: providers.Singleton[BacktestLogicService] = providers.Singleton(
        Later("backtestkit.services.logic.backtest.BacktestLogicService"),
        channels=channels,
        wall_clock=wall_clock,
        risks=risk_pool,
        groups=run_groups,
    )

    replays: providers.Singleton[ReplayService] = providers.Singleton(
        Later("backtestkit.services.logic.replay.ReplayService"),
        resolver=run_resolver,
        logic=backtest_logic,
        keeper=run_keeper,
        wall_clock=wall_clock,
    )
    walker_logic: providers.Singleton[WalkerLogicService] = providers.Singleton(
        Later("backtestkit.services.logic.walker.WalkerLogicService"), channels=channels
    )

    sweep_logic: providers.Singleton[SweepLogicService] = providers.Singleton(
        Later("backtestkit.services.logic.sweep.SweepLogicService"), channels=channels, wall_clock=wall_clock
    )

    # Reports
    columns: providers.Singleton[ColumnService] = providers.Singleton(
        Later("backtestkit.services.report.columns.ColumnService"), settings=settings
    )
    markdown: providers.Singleton[MarkdownService] = providers.Singleton(
        Later("backtestkit.services.report.markdown.MarkdownService"),
        columns=columns,
        settings=settings,
        clock=wall_clock,
    )
    html: providers.Singleton[HtmlService] = providers.Singleton(
        Later("backtestkit.services.report.html.service.HtmlService"), columns=columns, clock=wall_clock
    )
    report_collector: providers.Singleton[ReportCollector] = providers.Singleton(
        Later("backtestkit.services.report.collector.ReportCollector"), channels=channels, settings=settings
    )
    report_journal: providers.Singleton[JournalService] = providers.Singleton(
        Later("backtestkit.services.report.journal.JournalService"), channels=channels
    )
