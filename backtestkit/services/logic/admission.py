"""From a signal to a row that may enter: checked, sized, and let through by the risk rules."""

from __future__ import annotations

from backtestkit.clients.risk import can_be_shown
from backtestkit.clients.strategy import ClientStrategy
from backtestkit.errors import SignalError
from backtestkit.model.signal import Entry, Signal, SignalRow
from backtestkit.runtime.ids import new_id
from backtestkit.services.logic.risk_gate import RiskGate
from backtestkit.services.logic.sizer import Sizer


class Admission:
    """Decides over the signals of one run. Without risks and a sizing, the rules for prices are all there is."""

    def __init__(self, machine: ClientStrategy, gate: RiskGate | None, sizer: Sizer | None) -> None:
        """`gate` reserves a place for what it lets through; the machine settles it from then on."""
        self._machine, self._gate, self._sizer = machine, gate, sizer

    async def admit(
        self, signal: Signal, now: int, price: float, market: float, *, queued: bool = False
    ) -> SignalRow | None:
        """The row that `signal` becomes, or None: a repeated id, or refused by a risk rule, which was told.

        `price` is the average price of the tick and `market` what a market order of it fills at. A signal that breaks a
        rule raises `SignalError`; one that was `queued` by a command is then outdated.
        """
        try:
            return await self._admit(signal, now, price, market)
        except SignalError as error:
            if queued:
                raise self._machine.outdated(error) from error
            raise

    async def _admit(self, signal: Signal, now: int, price: float, market: float) -> SignalRow | None:
        machine, gate = self._machine, self._gate
        row = machine.draft(signal, new_id(), now, market)
        if row is None:
            return None
        sizer = self._sizer if signal.cost is None else None
        # What is sized or shown to rules must be a signal that can open, whatever the order.
        late = machine.rules.policy.risk_order == "before_validation" and sizer is None and can_be_shown(row)
        if gate is None or not late:
            machine.approve(row, market)
        if sizer is not None:
            row = with_cost(row, await sizer.cost(_as_known(row, price, market), now))
        if gate is None:
            return row
        if not await gate.admits(_as_known(row, price, market), price, fresh=True):
            machine.rejected()
            return None
        if machine.stopped:
            gate.release()
            return None
        if late:
            try:
                machine.approve(row, market)
            except SignalError:
                gate.release()
                raise
        return row


def with_cost(row: SignalRow, cost: float) -> SignalRow:
    """`row`, which has one entry, at another cost."""
    (entry,) = row.entries
    return row.with_changes(cost=cost, entries=(Entry(entry.price, cost, entry.timestamp),))


def _as_known(row: SignalRow, price: float, market: float) -> SignalRow:
    """`row` as it is known when it is decided about: where it will fill at the next open, the price is not known yet."""
    if row.is_scheduled or row.price_open != market or market == price:
        return row
    (entry,) = row.entries
    return row.with_changes(price_open=price, entries=(Entry(price, entry.cost, entry.timestamp),))
