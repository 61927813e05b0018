"""The pieces of the page as HTML. Every text that comes from outside is escaped here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any, Final

import orjson

from backtestkit.services.report.html.source import Chart
from backtestkit.services.report.html.tables import PAGE_ROWS, TableData
from backtestkit.services.report.spec import NOT_AVAILABLE

# Nothing is fetched, whatever stands in the page.
POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; "
    "form-action 'none'"
)
SCRIPTS: Final = ("start.js", "price.js", "charts.js", "page.js")
EMPTY: Final = "No position was closed."
PAGE_BUTTONS: Final = (("-9", "Newest"), ("-1", "Newer"), ("1", "Older"), ("9", "Oldest"))
ZOOM_BUTTONS: Final = (
    ("<", "\u2039", "Earlier"),
    (">", "\u203a", "Later"),
    ("+", "+", "Zoom in"),
    ("-", "\u2212", "Zoom out"),
    ("0", "All", "Show the whole span"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A label with its value (None shows as N/A), a small `hint`, and a `tone`: a class of the style sheet."""

    label: str
    value: str | None
    hint: str = ""
    tone: str = ""


def asset(name: str) -> str:
    """A file that lies beside this module."""
    return files(__package__ or "").joinpath(name).read_text(encoding="utf-8")


def embedded(data: Any) -> str:
    """`data` as JSON that is safe inside a script element. NaN becomes null."""
    text = orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def document(title: str, parts: Sequence[str], data: Mapping[str, Any], library: str) -> str:
    """The whole page; `data` is what its scripts draw, `library` the source of plotly.js, without any `</script`."""
    script = "\n".join(asset(name) for name in SCRIPTS)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>\n{asset('page.css')}</style>\n</head>\n<body>\n<main>",
            *parts,
            "<footer>Made by backtestkit. Percentages are net of fees and slippage; times are UTC.</footer>\n</main>",
            f'<script type="application/json" id="data">{embedded(data)}</script>',
            f"<script>{library}</script>" if library else "",
            f'<script>\n(() => {{\n"use strict";\n{script}}})();\n</script>\n</body>\n</html>\n',
        ]
    )


def chart_data(chart: Chart) -> dict[str, Any]:
    """What the page's scripts know of a chart."""
    return {
        "id": chart.id,
        "unit": chart.unit,
        "data": chart.data,
        "layout": chart.layout,
        "markets": chart.markets,
        "height": chart.height,
        "zoom": chart.zoom,
    }


def head(title: str, subtitle: str, facts: Sequence[Figure], fingerprint: str) -> str:
    """Title, what was run and under which assumptions."""
    rows = "".join(
        f"<div{_class(fact.tone)}><dt>{escape(fact.label)}</dt><dd>{_value(fact)}</dd></div>" for fact in facts
    )
    if fingerprint:
        rows += f'<div class="all"><dt>Fingerprint</dt><dd><code>{escape(fingerprint)}</code></dd></div>'
    return (
        f'<div class="top"><div><p class="kind">{escape(subtitle)}</p><h1>{escape(title)}</h1></div>'
        f'<button id="theme" type="button" aria-label="Change theme">Theme</button></div>\n<dl class="facts">{rows}</dl>'
    )


def cards(figures: Sequence[Figure]) -> str:
    """The key figures, large."""
    made = [
        f'<div class="card"><dt>{escape(one.label)}</dt><dd{_class(one.tone)}>{_text(one.value)}</dd>'
        f"{f'<p>{escape(one.hint)}</p>' if one.hint else ''}</div>"
        for one in figures
    ]
    return f'<dl class="cards">{"".join(made)}</dl>'


def chart_grid(charts: Sequence[Chart]) -> str:
    """A place for each chart; one that cannot be drawn says why."""
    return f'<section class="charts">{"".join(_place(chart) for chart in charts)}</section>'


def _place(chart: Chart) -> str:
    name, wide = escape(chart.id, quote=True), " wide" if chart.wide else ""
    title, note = f"<h3>{escape(chart.title)}</h3>", f"<p>{escape(chart.note)}</p>"
    if not chart.data:
        return f'<article class="chart nothing{wide}">{title}{note}</article>'
    tools = ""
    if chart.switch:
        switch = escape(chart.switch.capitalize())
        tools += f'<button type="button" data-log="{name}" aria-pressed="false">{switch} scale</button>'
    if chart.zoom and chart.wide:
        tools += "".join(
            f'<button type="button" data-zoom="{name}" data-key="{key}" aria-label="{said}">{text}</button>'
            for key, text, said in ZOOM_BUTTONS
        )
    choices = "".join(
        f'<button type="button" data-choice="{name}" value="{i}" aria-pressed="{"false" if i else "true"}">'
        f"{escape(one.symbol)}</button>"
        for i, one in enumerate(chart.markets if len(chart.markets) > 1 else ())
    )
    legend = "".join(
        f'<li class="{shape}" style="--mark:var(--{color})">{escape(text)}</li>' for shape, color, text in chart.legend
    )
    heading = f"<header><div>{title}{note}</div>{_wrapped('nav', 'tools', tools)}</header>"
    return (
        f'<article class="chart{wide}">{heading}'
        f"{_wrapped('nav', 'choices', choices)}{_wrapped('ul', 'legend', legend)}"
        f'<div class="plot" id="plot-{name}" role="img" aria-label="{escape(chart.title, quote=True)}"'
        f' style="height:{chart.height}px"></div></article>'
    )


def _wrapped(element: str, kind: str, inside: str) -> str:
    return f'<{element} class="{kind}">{inside}</{element}>' if inside else ""


def figure_panels(blocks: Sequence[tuple[str, Sequence[Figure]]]) -> str:
    """All figures, a panel for each group. A figure without a label is a sentence."""
    panels = []
    for heading, figures in blocks:
        rows = "".join(
            f"<tr{_title(one.hint)}><th>{escape(one.label)}</th><td{_length(one.value)}>{_text(one.value)}</td></tr>"
            if one.label
            else f'<tr><td colspan="2" class="sentence quiet">{_text(one.value)}</td></tr>'
            for one in figures
        )
        panels.append(f'<div class="panel"><h3>{escape(heading)}</h3><table>{rows}</table></div>')
    return f'<h2>All figures</h2>\n<section class="figures">{"".join(panels)}</section>'


def row_table(heading: str, table: TableData, name: str = "") -> str:
    """A table that scrolls inside its own frame; a named one has its first part, and buttons for the others."""
    if not table.rows:
        return f'<h2>{escape(heading)}</h2>\n<p class="below quiet">{EMPTY}</p>'
    shown = table.rows[:PAGE_ROWS] if name else table.rows
    tones = table.tones or [""] * len(shown)
    top = "".join(
        f"<th{_class('text' if kind.startswith('text') else '')}>{escape(label)}</th>"
        for label, kind in zip(table.labels, table.classes, strict=True)
    )
    marks = [f' data-symbol="{place}" tabindex="0"' for place in table.symbols] or [""] * len(shown)
    lines = "".join(
        f"<tr{mark}>"
        + "".join(
            f"<td{_class(tone if kind == 'pnl' else kind)}>{escape(text)}</td>"
            for text, kind in zip(row, table.classes, strict=True)
        )
        + "</tr>"
        for row, tone, mark in zip(shown, tones, marks, strict=False)
    )
    mark = f' id="{name}"' if name else ""
    html = f"<table{mark}><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>"
    said = f"Showing 1 to {len(shown)} of {table.note}" if name else table.note
    buttons = "".join(f'<button type="button" data-page="{key}">{text}</button>' for key, text in PAGE_BUTTONS)
    turning = _wrapped("nav", "pages", buttons) if len(shown) < len(table.rows) else ""
    mark = f' id="{name}-said"' if name else ""
    below = f'<div class="below"><p class="quiet"{mark}>{escape(said)}</p>{turning}</div>'
    return f'<h2>{escape(heading)}</h2>\n<div class="panel scroll trades" tabindex="0">{html}</div>{below}'


def config_panel(settings: Sequence[tuple[str, str, bool]]) -> str:
    """Names and values of the configuration; what is not the default is marked."""
    rows = "".join(
        f"<tr{_class('changed' if changed else '')}><th>{escape(name)}</th><td{_length(value)}>{escape(value)}</td></tr>"
        for name, value, changed in settings
    )
    count = sum(changed for _, _, changed in settings)
    said = f"{len(settings)} settings, {count} changed from their defaults"
    return (
        f'<h2>Configuration in force</h2>\n<details class="panel"><summary>{said}</summary>'
        f'<div class="config"><table>{rows}</table></div></details>'
    )


def _value(one: Figure) -> str:
    hint = f"<small>{escape(one.hint)}</small>" if one.hint else ""
    return f"{_text(one.value)}{hint}"


def _text(value: str | None) -> str:
    return NOT_AVAILABLE if value is None else escape(value)


def _length(value: str | None) -> str:
    """Values stay on one line unless they are longer than a line of a phone."""
    return _class("long" if value is not None and len(value) > 24 else "")


def _title(text: str) -> str:
    return f' title="{escape(text, quote=True)}"' if text else ""


def _class(kind: str) -> str:
    return f' class="{escape(kind, quote=True)}"' if kind else ""
