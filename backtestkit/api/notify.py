"""Notification: what happened, kept for who asks and sent to who should know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from backtestkit.api.adapters import SwitchFacade
from backtestkit.kit import current_kit

if TYPE_CHECKING:
    from backtestkit.adapters.adapter import Undo
    from backtestkit.adapters.notification import AnyNotification
    from backtestkit.adapters.notification_kinds import NotificationTarget
    from backtestkit.runtime.context import Mode
    from backtestkit.services.connection.adapters_delivery import Receiver, Templates

__all__ = ["Notification"]


class _Notification(SwitchFacade):
    """Notifications of the runs of the current kit."""

    _name = "notification"

    def enable(self, *targets: NotificationTarget) -> Undo:
        """Keep notifications from now on, those of `targets` or, without any, all; returns a function that undoes it.

        `max_notifications` of each mode are kept. The targets of the last call count.
        """
        return current_kit().adapters.enable_notifications(targets)

    async def get_data(self, backtest: bool) -> list[AnyNotification]:
        """The notifications of a mode, newest first; `type` tells what each is about, `row()` gives it as a dictionary."""
        return await current_kit().adapters.notification.to_read(backtest, "get_data").all()

    async def dispose(self, backtest: bool) -> None:
        """Forget the notifications of a mode, on disks too."""
        await current_kit().adapters.notification.to_read(backtest, "dispose").clear()

    def deliver(
        self,
        *receivers: Receiver,
        targets: Sequence[NotificationTarget] = (),
        mode: Mode | Literal["both"] = "live",
        templates: Templates | None = None,
    ) -> Undo:
        """Send notifications from now on; returns a function that ends that.

        `receivers` are URLs of apprise (`"tgram://token/chat"`, `"mailto://..."`; needs `pip install
        backtestkit[notify]`) or objects with `async def send(title, body)` and a `name`. A message is stored before it is
        sent, is tried again until it has arrived, is sent once, and no run waits for a network. `targets` (all without
        any) and `mode` say what is sent. `templates` gives a title and a body by type, in the language of `str.format`,
        with the fields of `row()`: `{"signal_closed": ("{symbol} {close_reason}", "{pnl_percentage:+.2f} %")}`.
        """
        asked = None if mode == "both" else mode
        return current_kit().container.deliveries().deliver(receivers, targets, asked, templates)

    async def flush(self, timeout_seconds: float = 30.0) -> int:
        """Try to send everything that waits, for at most `timeout_seconds`; how many messages still wait.

        A script that ends right after its last run should call it; what waits is otherwise sent by the next process.
        """
        return await current_kit().container.deliveries().flush(timeout_seconds)


Notification = _Notification()
"""What happened: `enable`, `get_data`, and `deliver` to chats, phones and mail boxes."""
