"""The report of a sweep: the winner in and out of sample, the ranking, the authors, and what became of every idea."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from backtestkit.model.sweep import (
    AuthorTrack,
    SweepOrder,
    SweepPair,
    SweepReport,
    SweepResult,
    SweepRule,
    SweepSample,
)
from backtestkit.services.report import column_kinds as c
from backtestkit.services.report import formats
from backtestkit.services.report.render import render_table
from backtestkit.services.report.spec import NOT_AVAILABLE, Column
from backtestkit.services.report.trade_summary import HIGHER, LOWER

TOP: Final = 20
"""How many rules and authors are shown."""
FIGURE_NAMES: Final[dict[SweepOrder, str]] = {
    "sharpe": "Sharpe", "sortino": "Sortino", "pnl": "Total PNL", "recovery": "Recovery",
}  # fmt: skip
LEGEND: Final = (
    "All percentages are net of fees and slippage; Total PNL adds the trades up without compounding. **Sharpe** and "
    "**Sortino** are those of the profit per day over the whole period, times the root of its days. **Max Drawdown** is the "
    "deepest fall of the running sum. **Recovery** is the total divided by it.",
    "A rule is chosen by the in-sample figures alone. Ideas whose outcome was not known before the split (purged) are in "
    "neither sample. N/A: the trades are too few or too much alike to say; such a rule ranks last.",
)


def sweep_report(result: SweepResult) -> str:
    """The report as markdown."""
    blocks = [
        [f"# Sweep Report: {_one_line(result.sweep_name)}"],
        _head(result),
        ["## Ideas"],
        _ideas(result),
        ["## Winner"],
        *_winner(result),
        ["## Best Rules"],
        render_table(list(result.best.items()), _criterion_columns()),
        ["## Top Rules"],
        *_top(result),
        ["## Authors"],
        *_authors(result),
        *([text] for text in LEGEND),
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def out_of_sample_rank(result: SweepResult, pair: SweepPair) -> int | None:
    """The place of a rule among all rules by the same figure out of sample, 1 for the best; None when it has none."""
    if result.out_of_sample is None or pair.out_of_sample is None:
        return None
    own = pair.out_of_sample.figure(result.order)
    if own is None:
        return None
    others = (report.figure(result.order) for report in result.out_of_sample.reports)
    return 1 + sum(other is not None and other > own for other in others)


def _head(result: SweepResult) -> list[str]:
    fee, slippage = formats.number(result.percent_fee), formats.number(result.percent_slippage)
    return [
        f"**Symbol:** {_one_line(result.symbol)}",
        f"**Exchange:** {_one_line(result.exchange_name)}",
        f"**Fills:** {result.policy}, fee {fee}% and slippage {slippage}% of each entry and exit",
        f"**Rules Tried:** {result.points}",
        f"**Ranked By:** {FIGURE_NAMES[result.order]} in sample",
    ]


def _ideas(result: SweepResult) -> list[str]:
    counts = result.counts
    lines = [
        f"**Total:** {counts.total}",
        f"**Neutral:** {counts.neutral}",
        f"**Repeated:** {counts.repeated}",
        f"**Without Candles:** {counts.without_candles}",
        f"**In Sample:** {_sample(counts.in_sample, result.in_sample)}",
        f"**Purged:** {counts.purged}",
        f"**Out Of Sample:** {_sample(counts.out_of_sample, result.out_of_sample)}",
        f"**Truncated:** {counts.truncated} of the ideas in a sample",
    ]
    if result.split_at is not None:
        lines.append(f"**Split At:** {formats.iso_time(result.split_at)}")
    return lines


def _sample(ideas: int, sample: SweepSample | None) -> str:
    if sample is None or not sample.ideas:
        return str(ideas)
    first, until = formats.iso_time(sample.first_entry), formats.iso_time(sample.until)
    return f"{ideas} ({first} to {until}, {sample.days} days, {sample.trade_count} trades of all rules)"


def _winner(result: SweepResult) -> list[list[str]]:
    pair = result.best[result.order]
    if pair is None:
        return [[f"No rule has a {FIGURE_NAMES[result.order]} in sample."]]
    return [
        [f"**Rule:** {pair.rule}", f"**Skipped Busy:** {_both(pair, 'skipped_busy')}"],
        render_table(_figures(pair), _figure_columns()),
        [_sentence(result, pair)],
    ]


def _both(pair: SweepPair, field: str) -> str:
    inside = f"{getattr(pair.in_sample, field)} in sample"
    return inside if pair.out_of_sample is None else f"{inside}, {getattr(pair.out_of_sample, field)} out of sample"


def _sentence(result: SweepResult, pair: SweepPair) -> str:
    """How many rules were tried, and what that makes of the winner."""
    different = len({(report.trade_count, report.total_pnl_percent) for report in result.in_sample.reports})
    tried = (
        f"{result.points} rules were tried on {result.counts.in_sample} ideas, {different} of them with different results, and "
        "the best was picked: the more are tried, the better the best one looks, by luck alone."
    )
    if pair.out_of_sample is None:
        return f"{tried} Nothing was held out, so there is no figure here that the choice has not seen."
    if not pair.out_of_sample.trade_count:
        return f"{tried} No idea was left to try it on."
    rank = out_of_sample_rank(result, pair)
    place = "has no such figure" if rank is None else f"ranks {rank} of {result.points} by the same figure"
    return f"{tried} On the ideas that were held out it {place}. Judge it by the right column."


def _figures(pair: SweepPair) -> list[tuple[str, str | None, str | None, str]]:
    """The rows of the winner's table: label, figure in and out of sample, hint."""
    f = formats

    def row(label: str, text: Any, hint: str = "") -> tuple[str, str | None, str | None, str]:
        outside = None if pair.out_of_sample is None else text(pair.out_of_sample)
        return label, text(pair.in_sample), outside, hint

    return [
        row("Trades", lambda r: str(r.trade_count)),
        row("Sharpe", lambda r: f.fixed(r.sharpe, 3), HIGHER),
        row("Sortino", lambda r: f.fixed(r.sortino, 3), HIGHER),
        row("Total PNL", lambda r: f.signed_percent(r.total_pnl_percent, 2), HIGHER),
        row("Average PNL", lambda r: f.signed_percent(r.avg_pnl_percent, 2), HIGHER),
        row("Win Rate", lambda r: f.percent(r.win_rate, 2), HIGHER),
        row("Profit Factor", lambda r: f.fixed(r.profit_factor, 3), HIGHER),
        row("Max Drawdown", lambda r: f.percent(r.max_series_drawdown_percent, 2), LOWER),
        row("Calmar", lambda r: f.fixed(r.calmar_ratio, 3), HIGHER),
        row("Recovery", lambda r: f.fixed(r.recovery_factor, 3), HIGHER),
        row("Avg Hold", lambda r: f.minutes(r.avg_hold_minutes, 1)),
        row("P95 Hold", lambda r: f.minutes(r.p95_hold_minutes, 0)),
        row("Exits", _exits),
    ]


def _exits(report: SweepReport) -> str | None:
    return ", ".join(f"{count} {reason}" for reason, count in report.exit_reasons.items() if count) or None


def _figure_columns() -> list[Column[Any]]:
    return [
        Column("figure", "Figure", lambda row, _: row[0]),
        Column("in_sample", "In Sample", lambda row, _: row[1]),
        Column("out_of_sample", "Out Of Sample", lambda row, _: row[2]),
        Column("hint", "", lambda row, _: row[3]),
    ]


def _criterion_columns() -> list[Column[Any]]:
    def figure(row: tuple[SweepOrder, SweepPair | None], sample: str) -> str | None:
        order, pair = row
        report: SweepReport | None = getattr(pair, sample, None)
        value = None if report is None else report.figure(order)
        return formats.signed_percent(value, 2) if order == "pnl" else formats.fixed(value, 3)

    return [
        Column("criterion", "Best By", lambda row, _: FIGURE_NAMES[row[0]]),
        Column("rule", "Rule", lambda row, _: None if row[1] is None else str(row[1].rule)),
        Column("in_sample", "In Sample", lambda row, _: figure(row, "in_sample")),
        Column("out_of_sample", "Out Of Sample", lambda row, _: figure(row, "out_of_sample")),
    ]


def _top(result: SweepResult) -> list[list[str]]:
    pairs = result.pairs
    shown = render_table(pairs[:TOP], _rule_columns(result))
    return [shown, [f"Showing {TOP} of {len(pairs)} rows."]] if len(pairs) > TOP else [shown]


def _rule_columns(result: SweepResult) -> list[Column[Any]]:
    columns: list[Column[Any]] = [
        Column("rank", "Rank", lambda _, index: str(index + 1)),
        c.percent("stop", "Stop", "rule.hard_stop_percent"),
        c.percent("trail", "Trail", "rule.trailing_take_percent"),
        c.number("hold", "Hold", "rule.hold_minutes", " min"),
        c.percent("lock", "Lock", "rule.profit_lock_percent"),
    ]
    for label, path in (("In", "in_sample"), ("Out", "out_of_sample")):
        columns += [
            c.number(f"{path}_trades", f"{label}: Trades", f"{path}.trade_count"),
            c.fixed(f"{path}_sharpe", f"{label}: Sharpe", f"{path}.sharpe", 3),
            c.signed_percent(f"{path}_total", f"{label}: Total PNL", f"{path}.total_pnl_percent"),
            c.percent(f"{path}_win_rate", f"{label}: Win Rate", f"{path}.win_rate"),
            c.percent(f"{path}_drawdown", f"{label}: Max DD", f"{path}.max_series_drawdown_percent"),
        ]
    if result.out_of_sample is None:
        columns = [column for column in columns if not column.key.startswith("out_of_sample")]
    return columns


def _authors(result: SweepResult) -> list[list[str]]:
    """The authors by the winner's rule."""
    pair = result.best[result.order]
    if pair is None:
        return [[NOT_AVAILABLE]]
    inside = result.in_sample.tracks.of(pair.in_sample.point)
    outside: dict[str, AuthorTrack] = {}
    if result.out_of_sample is not None:
        outside = {track.author: track for track in result.out_of_sample.tracks.of(pair.in_sample.point)}
    seen = {track.author for track in inside}
    names = [track.author for track in inside] + [name for name in outside if name not in seen]
    tracks = {track.author: track for track in inside}
    rows = [(name, tracks.get(name), outside.get(name)) for name in names]
    shown = [[_hit_sentence(pair.rule)], render_table(rows[:TOP], _author_columns())]
    return [*shown, [f"Showing {TOP} of {len(rows)} rows."]] if len(rows) > TOP else shown


def _hit_sentence(rule: SweepRule) -> str:
    lock = f"the lock ({rule.profit_lock_percent:g}%) or " if rule.profit_lock_percent else ""
    return (
        f"An idea is right by the winner's rule when the price reaches {lock}the point where the trailing exit "
        f"({rule.trailing_take_percent:g}%) arms before it touches the stop ({rule.hard_stop_percent:g}%), within "
        f"{rule.hold_minutes} min."
    )


def _author_columns() -> Sequence[Column[Any]]:
    def column(place: int, key: str, label: str, path: str, rate: bool = False) -> Column[Any]:
        def text(row: tuple[str, AuthorTrack | None, AuthorTrack | None], _: int) -> str | None:
            value = c.read(row[place], path)
            return formats.percent(value, 2) if rate else formats.number(value)

        return Column(key, label, text)

    return [
        Column("author", "Author", lambda row, _: row[0] or "(none)"),
        column(1, "in_ideas", "In: Ideas", "ideas"),
        column(1, "in_hits", "In: Hits", "hits"),
        column(1, "in_rate", "In: Hit Rate", "hit_rate", rate=True),
        column(1, "in_ungraded", "In: Ungraded", "ungraded"),
        column(2, "out_ideas", "Out: Ideas", "ideas"),
        column(2, "out_hits", "Out: Hits", "hits"),
        column(2, "out_rate", "Out: Hit Rate", "hit_rate", rate=True),
        column(2, "out_ungraded", "Out: Ungraded", "ungraded"),
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())
