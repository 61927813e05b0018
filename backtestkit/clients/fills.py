"""Where orders fill inside a candle, as the fill policy has it. Pure decisions over one candle."""

from __future__ import annotations

from backtestkit.clients.position import Levels
from backtestkit.model.fill_policy import FillPolicy
from backtestkit.model.record import record
from backtestkit.model.signal import CloseReason, SignalRow


@record
class LevelExit:
    """A position left at a level: the price, the reason, and whether the candle held the other level too."""

    price: float
    reason: CloseReason
    ambiguous: bool


def level_exit(
    levels: Levels, open: float, high: float, low: float, average: float | None, policy: FillPolicy
) -> LevelExit | None:
    """The exit that one candle forces, or None.

    The stop is tested against the candle's extreme, the take profit against the `average` (None: not tested), and the
    stop wins. A take profit fills at exactly its level. A stop that the candle opened beyond fills at that open under
    `gapped_stop="open"`; a position that is liquidated before that, at the liquidation price, because an isolated
    margin cannot lose more than itself.
    """
    long = levels.long
    if low <= levels.stop if long else high >= levels.stop:
        ambiguous = high >= levels.take_profit if long else low <= levels.take_profit
        if levels.liquidates:
            return LevelExit(levels.stop, "liquidation", ambiguous)
        price = levels.stop
        if policy.gapped_stop == "open" and (open < price if long else open > price):
            beyond = levels.liquidation
            if beyond is not None and (open <= beyond if long else open >= beyond):
                return LevelExit(beyond, "liquidation", ambiguous)
            price = open
        return LevelExit(price, "stop_loss", ambiguous)
    if average is not None and (average >= levels.take_profit if long else average <= levels.take_profit):
        return LevelExit(levels.take_profit, "take_profit", False)
    return None


def entry_touched(row: SignalRow, high: float, low: float) -> bool:
    """Whether a candle comes to the price at which `row` waits."""
    return low <= row.price_open if row.position == "long" else high >= row.price_open


def stop_touched(row: SignalRow, high: float, low: float) -> bool:
    """Whether a candle comes to the stop of a waiting `row`."""
    return low <= row.price_stop_loss if row.position == "long" else high >= row.price_stop_loss


def waiting_entry_price(row: SignalRow, open: float, policy: FillPolicy) -> float:
    """Fill price of a waiting entry: never worse than its price, and under `gapped_entry="open"` what the market opened at."""
    if policy.gapped_entry == "level":
        return row.price_open
    return min(row.price_open, open) if row.position == "long" else max(row.price_open, open)
