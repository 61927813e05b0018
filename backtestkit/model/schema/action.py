"""The schemas of actions and of MCP: who hears the events of a strategy, and who may command it from outside."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, ClassVar, Literal, TypeAlias, get_args

from pydantic import Field, field_validator

from backtestkit.model.schema.base import Checked, Kind, Name, Positive, Schema

ActionHook: TypeAlias = Literal[
    "init", "signal", "signal_live", "signal_backtest", "breakeven_available", "partial_profit_available",
    "partial_loss_available", "ping_active", "ping_scheduled", "ping_idle", "schedule_event", "pending_event",
    "risk_rejection", "order_sync", "order_check", "dispose",
]  # fmt: skip
ACTION_HOOKS: tuple[str, ...] = get_args(ActionHook)
OnAction: TypeAlias = Callable[[Any, str, str, str, bool], object]
OnActionLife: TypeAlias = Callable[[str, str, str, bool], object]


class ActionCallbacks(Checked, frozen=True):
    """One function per hook of an action.

    Each gets `(event, action_name, strategy_name, frame_name, backtest)`; `on_init` and `on_dispose` lack the event.
    """

    subject: ClassVar[str] = "action callbacks"

    on_init: OnActionLife | None = None
    on_signal: OnAction | None = None
    on_signal_live: OnAction | None = None
    on_signal_backtest: OnAction | None = None
    on_breakeven_available: OnAction | None = None
    on_partial_profit_available: OnAction | None = None
    on_partial_loss_available: OnAction | None = None
    on_ping_active: OnAction | None = None
    on_ping_scheduled: OnAction | None = None
    on_ping_idle: OnAction | None = None
    on_schedule_event: OnAction | None = None
    on_pending_event: OnAction | None = None
    on_risk_rejection: OnAction | None = None
    on_order_sync: OnAction | None = None
    on_order_check: OnAction | None = None
    on_dispose: OnActionLife | None = None


class ActionSchema(Schema, frozen=True):
    """Something that hears the events of the strategies that name it."""

    subject: ClassVar[str] = "action"
    kind: ClassVar[Kind] = "action"

    action_name: Name = Field(description="The name strategies refer to.")
    handler: Any = Field(
        description="A class, made per run with `(strategy_name, frame_name, action_name, backtest)`, or an object "
        "that all runs share, with any of the hooks as methods."
    )
    callbacks: ActionCallbacks | None = Field(default=None, description="Functions called after the handler's methods.")
    note: str = Field(default="", description="Free text.")

    @field_validator("handler")
    @classmethod
    def _has_hooks(cls, handler: Any) -> Any:
        methods = [name for name in dir(handler) if not name.startswith("_") and callable(getattr(handler, name, None))]
        if not any(name in ACTION_HOOKS for name in methods):
            raise ValueError(f"has none of the methods {', '.join(ACTION_HOOKS)}")
        for name in methods:
            near = get_close_matches(name, ACTION_HOOKS, n=3, cutoff=0.8)
            if name not in ACTION_HOOKS and near:
                meant = " or ".join(near)
                raise ValueError(
                    f"has a method {name!r}, which nothing calls. Did you mean {meant}? Else start it with _"
                )
        return handler


McpPermission: TypeAlias = Literal[
    "get_status", "commit_position_open", "commit_position_close", "commit_average_buy", "commit_signal_notify"
]


class McpCallbacks(Checked, frozen=True):
    """One function per command, called with the symbol and the command's arguments after it succeeded."""

    subject: ClassVar[str] = "mcp callbacks"

    on_get_status: Callable[..., object] | None = None
    on_position_open: Callable[..., object] | None = None
    on_position_close: Callable[..., object] | None = None
    on_average_buy: Callable[..., object] | None = None
    on_signal_notify: Callable[..., object] | None = None


class McpSchema(Schema, frozen=True):
    """What a client of the Model Context Protocol may do with a running strategy."""

    subject: ClassVar[str] = "mcp"
    kind: ClassVar[Kind] = "mcp"

    mcp_name: Name = Field(description="The name to serve it by.")
    strategy_name: Name | None = Field(default=None, description="The strategy; needed when there are several.")
    position_cost: Positive | None = Field(default=None, description="Cost of an entry, quote currency.")
    minute_estimated_time: Positive | None = Field(default=None, description="Lifetime of a position, minutes.")
    multiplier: Positive | None = Field(default=None, description="Leverage, times.")
    isolated: bool | None = Field(default=None, description="Isolated margin.")
    permissions: tuple[McpPermission, ...] = Field(
        default=get_args(McpPermission), description="The commands it may use."
    )
    get_messages: Callable[..., Any] | None = Field(default=None, description="Makes the messages of `get_status`.")
    note: str = Field(default="", description="Free text.")
    callbacks: McpCallbacks | None = Field(default=None, description="Functions that are told about commands.")
