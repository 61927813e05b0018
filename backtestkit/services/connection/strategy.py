"""Strategy machines from schemas and configuration."""

from __future__ import annotations

from backtestkit.clients.effects import Heard
from backtestkit.clients.position import Pricing
from backtestkit.clients.state import StrategyRules, Switches
from backtestkit.clients.strategy import ClientStrategy
from backtestkit.clients.validation import SignalLimits
from backtestkit.config import Config
from backtestkit.math.profit import Costs
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.interval import MINUTE_MS, interval_step_ms
from backtestkit.model.schema import StrategySchema
from backtestkit.runtime.context import RunKey


def strategy_rules(schema: StrategySchema, config: Config, policy: FillPolicy) -> StrategyRules:
    """What the configuration of this moment means for one strategy."""
    return StrategyRules(
        policy=policy,
        pricing=Pricing(Costs(config.percent_slippage, config.percent_fee), config.breakeven_threshold),
        limits=SignalLimits(
            enable_long=config.enable_long_signal,
            enable_short=config.enable_short_signal,
            min_take_profit_percent=config.min_takeprofit_distance_percent,
            min_stop_loss_percent=config.min_stoploss_distance_percent,
            max_stop_loss_percent=config.max_stoploss_distance_percent,
            max_lifetime_minutes=config.max_signal_lifetime_minutes,
        ),
        switches=Switches(
            average_buy_everywhere=config.enable_dca_everywhere,
            partial_everywhere=config.enable_pppl_everywhere,
            trailing_everywhere=config.enable_trailing_everywhere,
        ),
        interval_ms=interval_step_ms(schema.interval),
        schedule_await_ms=config.schedule_await_minutes * MINUTE_MS,
        default_lifetime=config.max_signal_lifetime_minutes,
        default_cost=config.position_entry_cost,
        default_multiplier=config.signal_leverage_multiplier,
        default_isolated=config.signal_isolated_margin,
    )


def new_strategy(key: RunKey, schema: StrategySchema, config: Config, policy: FillPolicy) -> ClientStrategy:
    """A fresh machine for one run. A second run of the same key gets another one."""
    return ClientStrategy(key, strategy_rules(schema, config, policy), Heard.nothing())
