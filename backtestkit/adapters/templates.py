"""What a notification says to people: a title and a body for each type, made of the fields of its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from string import Formatter
from typing import Final, get_args, get_type_hints

from backtestkit.adapters.notification import AnyNotification, SignalNotification, signal_row_names
from backtestkit.errors import UsageError, suggest


@dataclass(frozen=True, slots=True)
class Template:
    """`title` and `body` in the language of `str.format`: `"{symbol} closed with {pnl_percentage:+.2f} %"`."""

    title: str
    body: str

    def render(self, notification: AnyNotification) -> tuple[str, str]:
        """Title and body for one notification."""
        row = notification.row()
        return self.title.format_map(row), self.body.format_map(row)


_WHO = "{strategy_name} on {exchange_name}, {when}"
_LEVELS = "entry {price_open:g}, take profit {price_take_profit:g}, stop loss {price_stop_loss:g}"
_PROFIT = "profit {pnl_percentage:+.2f} % ({pnl_cost:+.2f})"
_OPEN = f"{_PROFIT}, {_LEVELS}\n{_WHO}"


def _command(what: str) -> Template:
    return Template(f"{{symbol}}: {what}", _OPEN)


DEFAULTS: Final[dict[str, Template]] = {
    "signal_scheduled": Template("{symbol}: {position} waits at {price_open:g}", f"{_LEVELS}\n{_WHO}"),
    "signal_opened": Template("{symbol}: {position} opened at {price_open:g}", f"{_LEVELS}, cost {{cost:g}}\n{_WHO}"),
    "signal_closed": Template(
        "{symbol}: {position} closed by {close_reason}, {pnl_percentage:+.2f} %",
        f"at {{price_close:g}} after {{duration:g}} minutes, {_PROFIT}\n{_WHO}",
    ),
    "signal_cancelled": Template(
        "{symbol}: waiting {position} cancelled ({cancel_reason})", f"after {{duration:g}} minutes\n{_WHO}"
    ),
    "partial_profit_available": _command("{level} % of the way to the take profit"),
    "partial_loss_available": _command("{level} % of the way to the stop loss"),
    "breakeven_available": _command("breakeven is possible"),
    "breakeven_commit": _command("stop moved to breakeven"),
    "partial_profit_commit": _command("closed {percent_to_close:g} % in profit"),
    "partial_loss_commit": _command("closed {percent_to_close:g} % at a loss"),
    "trailing_stop_commit": _command("stop moved by {percent_shift:+g} points"),
    "trailing_take_commit": _command("take profit moved by {percent_shift:+g} points"),
    "average_buy_commit": _command("bought {cost:g} more, average entry {effective_price_open:g}"),
    "activate_scheduled_commit": _command("waiting entry activated"),
    "cancel_scheduled_commit": _command("waiting entry cancelled"),
    "close_pending_commit": _command("close ordered"),
    "signal_info": Template("{symbol}: {info}", _OPEN),
    "risk_rejection": Template(
        "{symbol}: {position} refused by risk",
        f"{{rejection_note}} ({{active_position_count}} positions open)\n{_LEVELS}\n{_WHO}",
    ),
    "strategy_pause": Template("{symbol}: {strategy_name} paused: {paused}", _WHO),
    "error_info": Template("Error in {source}", "{error}: {message}\n{context} {when}"),
    "error_critical": Template("Everything stopped: {error}", "{message}\n{source}, {context} {when}"),
    "error_validation": Template("A risk rule failed: {error}", "{message}\n{source}, {context} {when}"),
}
"""What is said when nobody says otherwise."""


def _rows() -> dict[str, frozenset[str]]:
    rows = {}
    for kind in get_args(get_args(AnyNotification)[0]):
        names = frozenset(("when", *(field.name for field in fields(kind))))
        if issubclass(kind, SignalNotification):
            names = (names - {"signal"}) | signal_row_names()
        rows.update(dict.fromkeys(get_args(get_type_hints(kind)["type"]), names))
    return rows


ROWS: Final = _rows()
"""The names that the row of each type has."""


def checked(templates: Mapping[str, Template | Mapping[str, str] | tuple[str, str]]) -> dict[str, Template]:
    """The defaults with `templates` in their place; `UsageError` for unknown types and for fields that a type has not."""
    found = dict(DEFAULTS)
    for kind, given in templates.items():
        if kind not in ROWS:
            raise UsageError(f"notification type {kind!r} is unknown. {suggest(kind, list(ROWS), 'one of these')}")
        template = found[kind] = _template(kind, given)
        for text in (template.title, template.body):
            _check_fields(kind, text)
    return found


def _template(kind: str, given: Template | Mapping[str, str] | tuple[str, str]) -> Template:
    if isinstance(given, Template):
        return given
    try:
        return Template(**given) if isinstance(given, Mapping) else Template(*given)
    except TypeError:
        raise UsageError(f"the template of {kind!r} is {given!r}. Give a title and a body.") from None


def _check_fields(kind: str, text: str) -> None:
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise UsageError(f"the template {text!r} of {kind!r} cannot be read: {error}") from None
    for name in names:
        if name not in ROWS[kind]:
            raise UsageError(
                f"the template of {kind!r} uses {{{name}}}. {suggest(name, sorted(ROWS[kind]), 'one of its fields')}"
            )
