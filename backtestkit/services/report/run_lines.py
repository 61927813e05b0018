"""What a run assumed and what that cost, as lines of its report."""

from __future__ import annotations

from backtestkit.model.statistics import RunSummary
from backtestkit.services.report import formats
from backtestkit.services.report.spec import Lines, Page


def run_lines(page: Page) -> list[str]:
    """One line for each thing known; what is not known has no line."""
    summary: RunSummary = page.subject.summary
    currency = formats.quote_currency(page.subject.key.symbol)
    lines = [f"**Fill policy:** {summary.policy}"]
    for label, rate, paid in (
        ("Fee", summary.percent_fee, summary.fee_paid),
        ("Slippage", summary.percent_slippage, summary.slippage_paid),
    ):
        parts = []
        if rate is not None:
            parts.append(f"{formats.number(rate)}% of each entry and exit")
        if paid is not None:
            parts.append(f"{formats.money(paid, currency)} paid")
        if parts:
            lines.append(f"**{label}:** {', '.join(parts)}")
    if summary.funding_paid is not None:
        direction = "received" if summary.funding_paid < 0 else "paid"
        lines.append(f"**Funding:** {formats.money(abs(summary.funding_paid), currency)} {direction}")
    if summary.ambiguous_exits is not None:
        lines.append(
            f"**Ambiguous exits:** {summary.ambiguous_exits} (one candle reached both stop and take profit; "
            f"candles do not tell which came first)"
        )
    gaps = [] if summary.gaps is None else [summary.gaps]
    if summary.candles_missing is not None:
        gaps.append(f"{summary.candles_missing} candles missing")
    if summary.candles_filled is not None:
        gaps.append(f"{summary.candles_filled} filled")
    if gaps:
        lines.append(f"**Gaps:** {', '.join(gaps)}")
    if summary.first_time is not None and summary.last_time is not None:
        lines.append(f"**Tested:** {formats.iso_time(summary.first_time)} to {formats.iso_time(summary.last_time)}")
    if summary.fingerprint is not None:
        lines.append(f"**Fingerprint:** {summary.fingerprint}")
    return lines


RUN_LINES = Lines(parts=(run_lines,), of=lambda page: page, when_empty=True)
