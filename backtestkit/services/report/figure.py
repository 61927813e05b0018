"""A run as one plotly figure: price with entries and exits, equity beside holding, drawdown. The charts of tear sheets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import numpy as np

from backtestkit.errors import UsageError
from backtestkit.model.table_column import MISSING_TIME
from backtestkit.runtime.optional import optional_package
from backtestkit.services.report.html.charts import equity_chart, underwater_chart
from backtestkit.services.report.html.page import asset
from backtestkit.services.report.html.price_charts import still_price_chart
from backtestkit.services.report.html.source import Chart, SheetSource

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Theme: TypeAlias = Literal["light", "dark"]

PLACES: Final = {"y": (0.5, 1.0), "y2": (0.23, 0.44), "y3": (0.0, 0.17)}
"""Where each chart is, from the bottom (0) to the top (1) of the figure."""
FONT: Final = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif'
_BLOCKS: Final = {"light": r":root \{(.*?)\}", "dark": r':root\[data-theme="dark"\] \{(.*?)\}'}


def run_figure(source: SheetSource, theme: Theme = "light") -> Figure:
    """The figure of a run; `UsageError` when plotly is not installed, and for a theme that is not known.

    A chart that cannot be drawn leaves its place empty and says why.
    """
    if theme not in _BLOCKS:
        raise UsageError(f"theme={theme!r} is unknown; give one of {', '.join(get_args(Theme))}")
    graph_objects = optional_package("plotly.graph_objects")
    colors = theme_colors(theme)
    charts = dict(zip(PLACES, (still_price_chart(source), equity_chart(source), underwater_chart(source)), strict=True))
    traces = [_placed(trace, axis) for axis, chart in charts.items() for trace in chart.data]
    notes = [_note(chart, axis) for axis, chart in charts.items()]
    axes = {axis.replace("y", "yaxis"): _value_axis(chart, axis) for axis, chart in charts.items()}
    layout = axes | {
        "xaxis": _time_axis(charts["y"]),
        "annotations": notes,
        "height": 760,
        "margin": {"l": 8, "r": 12, "t": 28, "b": 8},
        "paper_bgcolor": "$surface",
        "plot_bgcolor": "$surface",
        "font": {"family": FONT, "size": 12, "color": "$ink"},
        "hoverlabel": {"bgcolor": "$surface", "bordercolor": "$edge", "font": {"color": "$ink"}, "align": "left"},
        "legend": {"orientation": "h", "x": 0, "y": -0.05, "xanchor": "left", "yanchor": "top"},
        "showlegend": True,
        "hovermode": "closest",
    }
    figure: Figure = graph_objects.Figure(data=resolved(traces, colors), layout=resolved(layout, colors))
    return figure


@cache
def theme_colors(theme: Theme) -> Mapping[str, str]:
    """The colours of the style sheet of tear sheets, by name."""
    block = re.search(_BLOCKS[theme], asset("page.css"), re.DOTALL)
    assert block is not None, theme
    return dict(re.findall(r"--([\w-]+): ([^;]+);", block[1]))


def resolved(value: Any, colors: Mapping[str, str]) -> Any:
    """`value` with every colour name, `$accent`, replaced by the colour. Texts that only look like one stay."""
    if isinstance(value, str):
        return colors.get(value[1:], value) if value.startswith("$") else value
    if isinstance(value, Mapping):
        return {key: resolved(part, colors) for key, part in value.items()}
    return [resolved(part, colors) for part in value] if isinstance(value, list | tuple) else value


def _placed(trace: Mapping[str, Any], axis: str) -> dict[str, Any]:
    """A trace over time in its place; times are instants instead of milliseconds."""
    times = [MISSING_TIME if time is None else time for time in trace["x"]]
    instants = np.array(times, dtype=np.int64).astype("datetime64[ms]")
    return {**trace, "x": instants, "xaxis": "x", "yaxis": axis}


def _note(chart: Chart, axis: str) -> dict[str, Any]:
    note = f"  {chart.note}" if not chart.data or axis == "y" else ""
    return {
        "text": f"<b>{chart.title}</b>{note}",
        "xref": "paper", "yref": "paper", "x": 0, "y": PLACES[axis][1], "xanchor": "left", "yanchor": "bottom",
        "showarrow": False, "font": {"size": 12, "color": "$quiet"},
    }  # fmt: skip


def _value_axis(chart: Chart, axis: str) -> dict[str, Any]:
    return {
        "domain": PLACES[axis], "gridcolor": "$grid", "zeroline": False, "automargin": True,
        "tickfont": {"color": "$quiet"}, "visible": bool(chart.data), **chart.layout.get("yaxis", {}),
    }  # fmt: skip


def _time_axis(price: Chart) -> dict[str, Any]:
    return {
        "type": "date", "anchor": "y3", "showgrid": False, "linecolor": "$edge", "tickfont": {"color": "$quiet"},
        **price.layout.get("xaxis", {}),
    }  # fmt: skip
