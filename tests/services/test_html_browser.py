"""The tear sheet in a browser: every chart is painted, every number is the one that `get_data` gives, and it fits a phone."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from sheets import page_of, prices, sheet_source
from trades import START, run_key

import backtestkit as bk
from backtestkit.model.candle import Candles
from backtestkit.model.interval import DAY_MS, MINUTE_MS, from_ms
from backtestkit.services.report.html.charts import all_charts
from backtestkit.services.report.html.source import SheetSource
from backtestkit.services.report.html.tables import reading_order

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
    "--hide-scrollbars",
)  # fmt: skip
BUDGET = "--virtual-time-budget=10000"
TALL = "--window-size=1440,6000"
"""All of a page is in sight."""

pytest.importorskip("plotly")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")

# Where each chart is.
PLACES = """await frames(9);
const places = Object.fromEntries(Array.from(document.querySelectorAll(".plot"), (plot) => {
  const { x, y, width, height } = plot.getBoundingClientRect();
  return [plot.id.slice(5), [x, y, width, height].map(Math.round)];
}));
document.body.dataset.places = JSON.stringify(places);"""

# Of each place of a picture: how many colours it has, and what share of it is not of the most common one. Of all of it:
# how many pixels are of each colour.
PIXELS = """<!DOCTYPE html><body><img src="data:image/png;base64,{data}"><script>
const counted = (pixels) => {{
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  return counts;
}};
addEventListener("load", () => {{
  const [image] = document.images;
  const g = new OffscreenCanvas(image.width, image.height).getContext("2d");
  g.drawImage(image, 0, 0);
  const read = (place) => counted(new Uint32Array(g.getImageData(...place).data.buffer));
  const painted = Object.entries({places}).map(([name, place]) => {{
    const counts = read(place);
    return [name, [counts.size, 1 - Math.max(...counts.values()) / (place[2] * place[3])]];
  }});
  const colors = Array.from(read([0, 0, image.width, image.height]), ([pixel, n]) => [pixel, n]).sort((a, b) => b[1] - a[1]);
  document.body.dataset.painted = JSON.stringify(Object.fromEntries(painted));
  document.body.dataset.colors = JSON.stringify(Object.fromEntries(colors));
}});
</script></body>"""

# Runs a script in a page. A document that is open keeps the page from being loaded, so that the browser waits for it.
RUN = """<script>
const frames = (n) => new Promise((done) => {{
  const next = (left) => left ? requestAnimationFrame(() => next(left - 1)) : done();
  next(n);
}});
(async () => {{
  const open = document.body.appendChild(document.createElement("iframe")).contentDocument;
  open.open();
  open.write("open");
  try {{ {script} }} catch (error) {{ document.body.dataset.errors += error; }}
  open.close();
}})();
</script></body>"""

# Says when the price was painted: the frame after the one that it was drawn for has begun.
TOOK = """
await frames(2);
document.body.dataset.took = Math.round(performance.now());
document.body.dataset.bars = document.querySelectorAll("#plot-price .boxlayer path").length;
"""

# Turns all pages of the table of trades and keeps their texts.
PAGES = """<script>
const rows = [], older = document.querySelector('[data-page="1"]');
for (;;) {
  for (const row of document.querySelectorAll("#trades tbody tr")) rows.push(Array.from(row.cells, (cell) => cell.textContent));
  if (!older || older.disabled) break;
  older.click();
}
document.body.dataset.rows = JSON.stringify(rows);
</script></body>"""

# Frames the page as wide as a phone and says how wide its content is.
PHONE = """<!DOCTYPE html><body><iframe id="phone" src="{page}" width="390" height="9000"></iframe><script>
addEventListener("message", (event) => {{ document.body.dataset.width = event.data; }});
</script></body>"""
MEASURE = (
    "<script>setInterval(() => parent.postMessage([document.documentElement.scrollWidth, document.body.dataset.drawn, Math.max("
    "...Array.from(document.querySelectorAll('.main-svg'), (one) => one.getBoundingClientRect().right))].join(' '), '*'), 500)"
    "</script></body>"
)


@dataclass(frozen=True)
class Opened:
    """The marks that a page left on its body, and what the console said."""

    marks: dict[str, str]
    console: list[str]


def opened(path: Path, *options: str) -> Opened:
    """A page after everything on it has run."""
    done = browse(path, "--dump-dom", *options)
    body = re.search(r"<body([^>]*)>", done.stdout)
    assert body is not None, done.stdout[:500]
    marks = {name: unescape(value) for name, value in re.findall(r'data-([\w-]+)="([^"]*)"', body.group(1))}
    return Opened(marks, [line for line in done.stderr.splitlines() if "CONSOLE" in line])


def browse(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert BROWSER is not None
    command = [BROWSER, *OPTIONS, *options, f"--user-data-dir={path.parent / 'profile'}", path.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def written(folder: Path, page: str, script: str = "") -> Path:
    """A page as a file; `script` runs as soon as the page is there."""
    path = folder / "sheet.html"
    path.write_text(page.replace("</body>", RUN.format(script=script)) if script else page)
    return path


def drawable(source: SheetSource) -> int:
    """How many charts there are to draw."""
    return sum(bool(chart.data) for chart in all_charts(source))


def pixels(path: Path, places: str = "{}") -> Opened:
    """What a visitor sees of a page, counted; the browser reads its own picture."""
    file = path.with_suffix(".png")
    browse(path, BUDGET, TALL, f"--screenshot={file}")
    page = path.with_suffix(".pixels.html")
    page.write_text(PIXELS.format(data=b64encode(file.read_bytes()).decode(), places=places))
    return opened(page, BUDGET)


# -- painted ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trades", "charts"), [(120, 12), (1, 11), (0, 1)])
def test_every_chart_is_painted_and_the_console_stays_silent(tmp_path: Path, trades: int, charts: int) -> None:
    source = sheet_source(trades, key=run_key("BTCUSDT", strategy_name="</script><b>$accent"))
    path = written(tmp_path, page_of(source), PLACES)
    page = opened(path, TALL)
    assert (page.console, page.marks["errors"]) == ([], "")
    assert int(page.marks["drawn"]) == drawable(source) >= charts
    painted = json.loads(pixels(path, page.marks["places"]).marks["painted"])
    assert len(painted) == drawable(source)
    for name, (colors, share) in painted.items():
        assert colors > 30, f"{name} has {colors} colours"
        assert share > 0.01, f"{name} is empty"


@pytest.mark.parametrize(("theme", "page", "surface", "win"), [
    ("light", (244, 245, 247), (255, 255, 255), (11, 128, 100)), ("dark", (14, 17, 23), (22, 26, 34), (63, 193, 156)),
])  # fmt: skip
def test_a_screenshot_shows_the_charts_in_the_colours_of_its_theme(
    tmp_path: Path, theme: str, page: tuple[int, ...], surface: tuple[int, ...], win: tuple[int, ...]
) -> None:
    text = page_of(sheet_source(120)).replace('<html lang="en">', f'<html lang="en" data-theme="{theme}">')
    counted = json.loads(pixels(written(tmp_path, text)).marks["colors"])
    seen = {tuple(int(value).to_bytes(4, "little")[:3]): count for value, count in counted.items()}
    assert sum(seen.values()) == 1440 * 6000
    assert set(sorted(seen, key=lambda color: seen[color])[-2:]) == {page, surface}
    assert seen[win] > 2_000, "bars, marks and figures of what was won"
    assert len(seen) > 200


def test_fifty_thousand_candles_and_six_hundred_trades_are_painted_within_two_seconds(tmp_path: Path) -> None:
    path = written(tmp_path, page_of(sheet_source(600, 50_000)), TOOK)
    tries = [opened(path, "--window-size=1440,1000").marks for _ in range(5)]
    assert all(int(marks["bars"]) > 100 for marks in tries)
    took = sorted(int(marks["took"]) for marks in tries)
    print("milliseconds:", *took)
    assert 20 < took[0] < 2_000, "the quickest of five: the others may have waited for other work"


def test_charts_below_the_fold_wait_until_they_come_near_or_are_printed(tmp_path: Path) -> None:
    source = sheet_source(120)
    script = """const drawn = () => Number(document.body.dataset.drawn), counts = [drawn()];
        await frames(9); counts.push(drawn());
        document.querySelector("#plot-costs").scrollIntoView(); await frames(9); counts.push(drawn());
        dispatchEvent(new Event("beforeprint")); counts.push(drawn());
        document.body.dataset.counts = counts;"""
    marks = opened(written(tmp_path, page_of(source), script), "--window-size=1440,900").marks
    first, near, scrolled, printed = map(int, marks["counts"].split(","))
    assert 1 <= first < near < scrolled < printed == drawable(source)


def test_the_page_is_not_wider_than_a_phone(tmp_path: Path) -> None:
    source = sheet_source()
    written(tmp_path, page_of(source).replace("</body>", MEASURE))
    (tmp_path / "phone.html").write_text(PHONE.format(page="sheet.html"))
    page, drawn, charts = opened(tmp_path / "phone.html", BUDGET, "--window-size=1440,9000").marks["width"].split()
    assert int(drawn) == drawable(source)
    assert int(page) <= 390
    assert float(charts) <= 390


# -- moved ------------------------------------------------------------------------------------------------------------

# What two frames later is drawn of the price, and which days the charts over time show.
SEEN = """
await frames(9);
const plot = (id) => document.getElementById("plot-" + id);
const range = (id) => plot(id).layout.xaxis.range.map(Number);
const seen = async () => {
  await frames(3);
  const data = Object.fromEntries(plot("price").data.map((trace) => [trace.meta, trace]));
  const counts = Object.fromEntries(Object.entries(data).map(([name, { x }]) => [name, x.filter((one) => one !== null).length]));
  const { open, high, low, close } = data.candles;
  const ranges = ["price", "equity", "underwater", "exposure", "rolling"].filter(plot).map(range);
  return { counts, open, high, low, close, ranges };
};
const keep = async (name) => { document.body.dataset[name] = JSON.stringify(await seen()); };
"""


def moved(tmp_path: Path, source: SheetSource, script: str) -> dict[str, Any]:
    """What `keep` kept of a page."""
    page = opened(written(tmp_path, page_of(source), SEEN + script), TALL)
    assert (page.console, page.marks["errors"]) == ([], "")
    return {name: json.loads(mark) for name, mark in page.marks.items() if mark.startswith("{")}


def dragged(first: int, last: int) -> str:
    """Dragging over a chart says its new ends as plotly does."""
    ends = ", ".join(f"'{from_ms(time):%Y-%m-%d %H:%M}'" for time in (first, last))
    return f"await Plotly.relayout(plot('underwater'), {{'xaxis.range': [{ends}]}});"


def test_all_charts_over_time_show_the_same_days_and_exact_candles_when_there_are_few(tmp_path: Path) -> None:
    source = sheet_source(120)
    first, last = START + 5 * DAY_MS, START + 5 * DAY_MS + 200 * MINUTE_MS
    back = "plot('price').emit('plotly_doubleclick');"
    kept = moved(tmp_path, source, f"{dragged(first, last)} await keep('near'); {back} await keep('far');")
    assert kept["near"]["ranges"] == [[first, last]] * 5
    candles = source.candles["BTCUSDT"]
    inside = slice(5 * 1440 - 1, 5 * 1440 + 200)  # the candle before ends where the view begins
    shown = np.array([kept["near"][name] for name in ("open", "high", "low", "close")])
    exact = np.array([getattr(candles, name)[inside] for name in ("open", "high", "low", "close")])
    np.testing.assert_array_equal(shown[:, -200:], exact[:, -200:])
    whole = [int(candles.timestamp[0]), START + 31 * DAY_MS]
    assert kept["far"]["ranges"] == [whole] * 5
    assert 100 < len(kept["far"]["open"]) < 500, "coarser bars, as many as can be seen"
    assert (max(kept["far"]["high"]), min(kept["far"]["low"])) == (candles.high.max(), candles.low.min())


def test_how_much_is_drawn_of_trades_follows_from_how_many_are_in_view(tmp_path: Path) -> None:
    spans = {"results": 31, "exits": 6, "marks": 3, "areas": 0.5}
    script = "".join(
        f"{dragged(START + DAY_MS, START + DAY_MS + int(days * DAY_MS))} await keep('{name}');"
        for name, days in spans.items()
    )
    kept = {name: seen["counts"] for name, seen in moved(tmp_path, sheet_source(1_500), script).items()}
    drawn = {
        name: [
            sum(counts[key] for key in keys) > 0
            for keys in (
                ("targets", "stops"),
                ("long", "short", "paths_won", "paths_lost"),
                ("won", "lost"),
                ("gains", "losses"),
            )
        ]
        for name, counts in kept.items()
    }
    assert drawn == {
        "results": [False, False, False, True], "exits": [False, False, True, True], "marks": [False, True, True, True],
        "areas": [True, True, True, True],
    }  # fmt: skip
    areas = kept["areas"]
    assert areas["targets"] == areas["stops"] == 5 * (areas["long"] + areas["short"])


def test_the_theme_and_the_scale_can_be_switched_and_a_trade_be_shown(tmp_path: Path) -> None:
    source = sheet_source(120)
    click = """const click = (what) => document.querySelector(what).click();
        ["#theme", "[data-log]", "#trades tbody tr:nth-child(10)"].forEach(click);
        await frames(3);
        document.body.dataset.said = JSON.stringify({ theme: document.documentElement.dataset.theme,
          pressed: document.querySelector("[data-log]").getAttribute("aria-pressed"), scale: plot("equity").layout.yaxis.type,
          accent: plot("equity").data[1].line.color });
        await keep("shown");"""
    kept = moved(tmp_path, source, click)
    assert kept["said"] == {"theme": "dark", "pressed": "true", "scale": "log", "accent": "#82a8fa"}
    trade = source.closed[-10]
    (low, high), middle = kept["shown"]["ranges"][0], (trade.signal.pending_at + trade.close_timestamp) / 2
    assert (low + high) / 2 == pytest.approx(middle)
    assert high - low == 5 * (trade.close_timestamp - trade.signal.pending_at)
    assert kept["shown"]["ranges"] == [[low, high]] * 5
    assert kept["shown"]["counts"]["targets"] >= 5


def test_of_several_symbols_the_one_that_was_chosen_is_drawn(tmp_path: Path) -> None:
    source, own = sheet_source(120), prices()
    other = Candles(own.timestamp, own.open * 2, own.high * 2, own.low * 2, own.close * 2, own.volume)
    market = source.markets["BTCUSDT"]
    both = replace(source, candles={**source.candles, "ETHUSDT": other}, markets={"BTCUSDT": market, "ETHUSDT": market})
    choose = "await keep('first'); document.querySelector('[data-choice][value=\"1\"]').click(); await keep('second');"
    kept = moved(tmp_path, both, choose)
    assert max(kept["second"]["high"]) == 2 * max(kept["first"]["high"])
    assert kept["first"]["counts"]["gains"] + kept["first"]["counts"]["losses"] > 0
    assert kept["second"]["counts"]["gains"] + kept["second"]["counts"]["losses"] == 0, (
        "the trades are those of the first"
    )


# -- numbers ----------------------------------------------------------------------------------------------------------

CONTEXT: dict[str, Any] = {"strategy_name": "s", "exchange_name": "x", "frame_name": "f"}


@pytest.fixture
def run() -> Iterator[Any]:
    """Some hundred trades in a made-up market."""
    with bk.Kit():
        bk.add_exchange(bk.SyntheticExchange("x"))
        bk.add_frame(frame_name="f", interval="1m", start_date="2025-06-01", end_date="2025-06-16")

        def get_signal(symbol: str, when: Any, price: float) -> bk.Signal:
            side: Literal["long", "short"] = "long" if when.hour % 2 else "short"
            bracket = bk.Position.bracket(side, price, percent_take_profit=1.5, percent_stop_loss=1)
            return bk.Signal(**bracket, minute_estimated_time=120)

        bk.add_strategy(strategy_name="s", interval="1h", get_signal=get_signal)
        yield bk.Backtest.run("BTCUSDT", **CONTEXT).wait()


def test_every_number_of_the_table_is_the_one_of_get_data(run: Any, tmp_path: Path) -> None:
    path = asyncio.run(bk.Backtest.dump_html("BTCUSDT", **CONTEXT, path=tmp_path / "sheet.html"))
    path.write_text(path.read_text().replace("</body>", PAGES))
    rows = json.loads(opened(path, BUDGET).marks["rows"])
    trades = bk.Backtest.get_data("BTCUSDT", **CONTEXT).signal_list
    columns = reading_order([column for column in bk.get_columns()["backtest"] if column.is_visible()])
    assert len(rows) == len(trades) > 100
    for i, (row, trade) in enumerate(zip(rows, trades, strict=True)):
        shown = {column.key: text for column, text in zip(columns, row, strict=True)}
        assert float(shown["pnl"].rstrip("%")) == pytest.approx(trade.pnl.pnl_percentage, abs=0.0051)
        assert float(shown["pnl_cost"].split()[0]) == pytest.approx(trade.pnl.pnl_cost, abs=0.0051)
        assert float(shown["open_price"].split()[0]) == pytest.approx(trade.signal.price_open, abs=0.0051)
        assert float(shown["close_price"].split()[0]) == pytest.approx(trade.current_price, abs=0.0051)
        for column in columns:
            text = column.format(trade, i) or "N/A"
            wanted = text[:16].replace("T", " ") if column.key.endswith("_timestamp") else text
            assert shown[column.key] == wanted, (i, column.key)


def test_a_row_of_the_heat_page_shows_its_market(run: Any, tmp_path: Path) -> None:
    bk.Backtest.run("ETHUSDT", **CONTEXT).wait()
    click = """document.querySelector("tr[data-symbol='1']").click();
        document.body.dataset.chosen = Array.from(document.querySelectorAll("[data-choice]"), (one) => one.ariaPressed);"""
    path = written(tmp_path, bk.Heat.get_html(exchange_name="x", frame_name="f"), click)
    page = opened(path, TALL)
    assert (page.console, page.marks["errors"], page.marks["chosen"]) == ([], "", "false,true")


def test_every_figure_of_the_page_is_the_one_of_get_data(run: Any, tmp_path: Path) -> None:
    page = bk.Backtest.get_html("BTCUSDT", **CONTEXT)
    shown = dict(re.findall(r"<tr[^>]*><th>([^<]*)</th><td[^>]*>([^<]*)</td></tr>", page))
    data, analysis = bk.Backtest.get_data("BTCUSDT", **CONTEXT), run.analysis
    wanted = {
        "Total signals": data.total_signals, "Average PNL": data.avg_pnl, "Total PNL": data.total_pnl,
        "Sharpe Ratio": data.sharpe_ratio, "Sortino Ratio": data.sortino_ratio, "Expectancy": data.expectancy,
        "Median PNL": data.median_pnl, "Profit Factor": data.profit_factor, "Certainty Ratio": data.certainty_ratio,
        "Recovery Factor": data.recovery_factor, "Max Drawdown": data.max_drawdown, "Win rate": data.win_rate,
        "Total Return": analysis.equity.total_return, "Max Drawdown (equity)": analysis.equity.max_drawdown,
        "Money-Weighted Return": analysis.equity.money_weighted_return, "Exposure": analysis.equity.exposure,
        "Gross": analysis.costs.gross, "Net": analysis.costs.net, "Payoff Ratio": analysis.quality.payoff_ratio,
    }  # fmt: skip
    for label, value in wanted.items():
        number = re.match(r"[+-]?[\d.]+", unescape(shown[label]))
        assert number is not None and value is not None, (label, shown[label])
        assert float(number.group()) == pytest.approx(value, abs=0.0051), label
