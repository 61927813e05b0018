"""The fill policy: what the engine assumes where candles cannot tell, as data.

This record is the one place in which honest and reference behaviour differ; the machine reads fields of it and never
asks for its name. Users may make their own with `dataclasses.replace` or by naming every choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

PolicyName: TypeAlias = Literal["conservative", "reference", "next_open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FillPolicy:
    """The choices of one fill model.

    - `label`: the end of a candle that dates what it brings. With `close`, candle t is known, and acts, at t + one
      candle; deadlines (lifetime, waiting time, frame end) include the last candle before them. With `open`, events
      carry the candle's open time and the candle that opens at a deadline meets the deadline first.
    - `market`: `average` fills entries and exits at market at the average price; `next_open` at the open of the candle
      after the decision.
    - `reached_entry`: price of an entry whose `price_open` the market has already reached: the `average` or the stated
      `price_open`.
    - `gapped_stop`: a candle that opens beyond the stop fills it at its `open`, or still at the `level`.
    - `gapped_entry`: the same for a waiting entry.
    - `entry_and_stop`: a candle that touches both the entry and the stop of a waiting signal is `stopped_out` after
      opening, or the signal is `cancelled`.
    - `distances`: minimum and maximum distances are compared with a relative `tolerance` of 1e-9 in the user's favour,
      or `exact`.
    - `frame_end`: positions are cut at the frame's `end_date` with the reason `frame_end`, or one candle after the
      `last_tick` with the reason `time_expired` (a waiting entry: `timeout`).
    - `candles`: `strict` checks everything that was loaded, at once, with open and close inside the range and prices
      anomalous in both directions; `per_request` checks only what is asked for, for values that are not finite or not
      positive, high below low, and anomalously low prices.
    - `cost`: whether the cost of an entry is `checked` (finite, above 0) or taken `as_given`.
    - `excursion`: where the best and worst point of a position start: both at the profit of its `opening`, or the best
      one at `zero`.
    - `extremes`: what makes a new best or worst point: the net `profit`, or the `price`, which after an average buy are
      different things.
    - `early_close`: whether a close requested before the first candle of a position is `announced` like any other, or
      `silent`.
    - `activated_entry`: an entry that a command activates fills at the `average`, or at its own `price_open` although
      the market may be elsewhere.
    - `first_trailing`: the first trailing command may only `tighten` the original level, or move it `anywhere`.
    - `breakeven_behind`: a breakeven command whose stop is in profit already is `refused`, or `accepted` without effect.
    - `overtaken`: commands whose position ends before they were announced are `announced` with its close, or `dropped`.
    - `while_closing`: commands on a position whose close is being announced are `refused`, or `accepted` without effect.
    - `risk_order`: risk rules are asked about a signal `after_validation` or `before_validation` of its prices.
    - `own_place`: a waiting entry that is about to open is `excluded` from the positions that its risk rules count, or
      `counted` among them.
    - `rejected`: a signal refused by a risk rule is asked for again at the next `interval`, or at every `tick`.
    - `forecast_entry`: a sweep measures levels from the entry as `quoted` and takes its profit from the engine's formula,
      or measures them from the `slipped` entry and charges the fee twice, flat.
    - `forecast_truncated`: an idea whose candles end before the hold does is `ungraded`, or counts as `missed`.
    """

    name: str
    label: Literal["close", "open"] = "close"
    market: Literal["average", "next_open"] = "average"
    reached_entry: Literal["average", "price_open"] = "average"
    gapped_stop: Literal["open", "level"] = "open"
    gapped_entry: Literal["open", "level"] = "open"
    entry_and_stop: Literal["stopped_out", "cancelled"] = "stopped_out"
    distances: Literal["tolerance", "exact"] = "tolerance"
    frame_end: Literal["end_date", "last_tick"] = "end_date"
    candles: Literal["strict", "per_request"] = "strict"
    cost: Literal["checked", "as_given"] = "checked"
    excursion: Literal["opening", "zero"] = "opening"
    extremes: Literal["profit", "price"] = "profit"
    early_close: Literal["announced", "silent"] = "announced"
    activated_entry: Literal["average", "price_open"] = "average"
    first_trailing: Literal["tighten", "anywhere"] = "tighten"
    breakeven_behind: Literal["refused", "accepted"] = "refused"
    overtaken: Literal["announced", "dropped"] = "announced"
    while_closing: Literal["refused", "accepted"] = "refused"
    risk_order: Literal["after_validation", "before_validation"] = "after_validation"
    own_place: Literal["excluded", "counted"] = "excluded"
    rejected: Literal["interval", "tick"] = "interval"
    forecast_entry: Literal["quoted", "slipped"] = "quoted"
    forecast_truncated: Literal["ungraded", "missed"] = "ungraded"


CONSERVATIVE: Final = FillPolicy(name="conservative")
NEXT_OPEN: Final = FillPolicy(name="next_open", market="next_open")
REFERENCE: Final = FillPolicy(
    name="reference",
    label="open",
    reached_entry="price_open",
    gapped_stop="level",
    gapped_entry="level",
    entry_and_stop="cancelled",
    distances="exact",
    frame_end="last_tick",
    candles="per_request",
    cost="as_given",
    excursion="zero",
    extremes="price",
    early_close="silent",
    activated_entry="price_open",
    first_trailing="anywhere",
    breakeven_behind="accepted",
    overtaken="dropped",
    while_closing="accepted",
    risk_order="before_validation",
    own_place="counted",
    rejected="tick",
    forecast_entry="slipped",
    forecast_truncated="missed",
)
POLICIES: Final[dict[str, FillPolicy]] = {p.name: p for p in (CONSERVATIVE, REFERENCE, NEXT_OPEN)}
