"""The base class of action handlers."""

from __future__ import annotations


class ActionBase:
    """Attributes for a handler class: which action, strategy and frame it was made for, and in which mode.

    Define any of the hooks as methods, plain or async: `init`, `signal`, `signal_live`, `signal_backtest`,
    `breakeven_available`, `partial_profit_available`, `partial_loss_available`, `ping_active`, `ping_scheduled`,
    `ping_idle`, `schedule_event`, `pending_event`, `risk_rejection`, `order_sync`, `order_check`, `dispose`. What is not
    defined is not called, and costs nothing. One instance is made per action, strategy, exchange, frame and symbol.
    """

    def __init__(self, strategy_name: str, frame_name: str, action_name: str, backtest: bool) -> None:
        """Made by the framework at the start of a run."""
        self.strategy_name, self.frame_name = strategy_name, frame_name
        self.action_name, self.backtest = action_name, backtest
