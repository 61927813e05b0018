"""Where notifications come from, and where they are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeAlias

from backtestkit.adapters.adapter import Undo
from backtestkit.adapters.notification import AnyNotification
from backtestkit.adapters.notification_kinds import KINDS, TARGETS, Kind, NotificationTarget
from backtestkit.adapters.records import Codec, Records
from backtestkit.errors import UsageError, suggest
from backtestkit.persistence.domains import NOTIFICATION
from backtestkit.persistence.store import KeyValueStore, Report
from backtestkit.runtime.channel import Channel
from backtestkit.runtime.context import Mode

Consumer: TypeAlias = Callable[[AnyNotification], Awaitable[None]]


class NotificationBook:
    """The newest notifications of one mode."""

    def __init__(self, store: KeyValueStore, backtest: bool, limit: Callable[[], int], report: Report) -> None:
        """Keep the last `limit()` in `store`."""
        self._rows: Records[AnyNotification] = Records(
            store,
            NOTIFICATION.space("backtest" if backtest else "live"),
            Codec(AnyNotification),
            limit=limit,
            order=lambda row: (row.created_at, row.id),
            report=report,
        )

    async def add(self, notification: AnyNotification) -> None:
        """Keep one more."""
        await self._rows.put(notification.id, notification)

    async def all(self) -> list[AnyNotification]:
        """All of them, newest first."""
        return (await self._rows.all())[::-1]

    async def clear(self) -> None:
        """Forget all of them, on disks too."""
        await self._rows.clear()


def check_targets(targets: Collection[str]) -> frozenset[NotificationTarget]:
    """The switches that are on: all when none is named; `UsageError` with the near names for an unknown one."""
    for name in targets:
        if name not in TARGETS:
            raise UsageError(f"notification target {name!r} is unknown. {suggest(name, TARGETS, 'one of these')}")
    return frozenset(target for target in TARGETS if not targets or target in targets)


def feed(
    channels: Mapping[str, Channel[Any]],
    targets: Collection[NotificationTarget],
    consumer: Consumer,
    mode: Mode | None = None,
) -> list[Undo]:
    """Give `consumer` the notifications of `targets` from now on, those of one mode only when it is named.

    One subscription a channel, and for the actions that count, so that what nobody wants costs nothing.
    """
    by_channel: dict[str, list[Kind]] = {}
    for kind in KINDS:
        if kind.make is not None and kind.target in targets and kind.channel in channels:
            by_channel.setdefault(kind.channel, []).append(kind)
    return [_subscribe(channels[name], kinds, consumer, mode) for name, kinds in by_channel.items()]


def _subscribe(channel: Channel[Any], kinds: list[Kind], consumer: Consumer, mode: Mode | None) -> Undo:
    makers = {kind.action: kind.make for kind in kinds}

    async def hear(event: Any) -> None:
        make = makers.get(None) or makers[event.action]
        assert make is not None, f"{channel.name} feeds nothing"
        await consumer(make(event))

    if channel.name in _ERRORS and mode is not None:
        # Errors may belong to no run: the filter of the channel would keep those back, and everybody wants to know.
        return channel.listen(hear, where=lambda event: event.key is None or event.key.mode == mode)
    actions = [action for action in makers if action is not None]
    return channel.listen(hear, mode=mode, action=actions or None)


_ERRORS = ("error", "exit", "validation")
