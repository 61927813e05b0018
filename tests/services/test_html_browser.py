"""The tear sheet in a browser: every chart is drawn, nothing fails, and it fits on a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sheets import sheet_source
from trades import run_key

from backtestkit.config import Config
from backtestkit.services.report.html.charts import all_charts
from backtestkit.services.report.html.sheet import tear_sheet
from backtestkit.services.report.html.source import SheetSource

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=30000")

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")

# Frames the page as wide as a phone and says how wide its content is.
PHONE = """<!DOCTYPE html><body><iframe id="phone" src="{page}" width="390" height="2400"></iframe><script>
addEventListener("message", (event) => {{ document.body.dataset.width = event.data; }});
</script></body>"""
MEASURE = (
    "<script>setInterval(() => parent.postMessage(document.documentElement.scrollWidth + ' ' + Math.max("
    "...Array.from(document.querySelectorAll('.plot .main-svg'), (one) => one.getBoundingClientRect().right)), '*'), 500)"
    "</script></body>"
)


def opened(path: Path, folder: Path) -> dict[str, str]:
    """The marks that the page left on its body."""
    assert BROWSER is not None
    command = [BROWSER, *OPTIONS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    body = re.search(r"<body([^>]*)>", done.stdout)
    assert body is not None, done.stdout[:500]
    return dict(re.findall(r'data-(\w+)="([^"]*)"', body.group(1)))


def drawn(source: SheetSource) -> str:
    """How many charts there are to draw."""
    return str(sum(bool(chart.data) for chart in all_charts(source)))


@pytest.mark.parametrize(("trades", "charts"), [(120, "10"), (0, "1")])
def test_every_chart_is_drawn_without_an_error(tmp_path: Path, trades: int, charts: str) -> None:
    source = sheet_source(trades, key=run_key("BTCUSDT", strategy_name="</script><b>$accent"))
    page = tmp_path / "sheet.html"
    page.write_text(tear_sheet(source, Config.defaults()))
    assert opened(page, tmp_path) == {"drawn": charts, "errors": ""}
    assert drawn(source) == charts


def test_the_page_is_not_wider_than_a_phone(tmp_path: Path) -> None:
    text = tear_sheet(sheet_source(), Config.defaults())
    (tmp_path / "sheet.html").write_text(text.replace("</body>", MEASURE))
    (tmp_path / "phone.html").write_text(PHONE.format(page="sheet.html"))
    page, charts = opened(tmp_path / "phone.html", tmp_path)["width"].split()
    assert int(page) <= 390
    assert float(charts) <= 390


CLICKS = """<script>setTimeout(() => {
document.getElementById("theme").click();
document.querySelector("[data-log]").click();
setTimeout(() => {
  const equity = document.getElementById("plot-equity");
  document.body.dataset.scale = equity.layout.yaxis.type;
  document.body.dataset.theme = document.documentElement.dataset.theme;
  document.body.dataset.accent = equity.data[1].line.color;
}, 3000);
}, 5000);</script></body>"""


def test_the_theme_and_the_scale_can_be_switched(tmp_path: Path) -> None:
    page = tmp_path / "sheet.html"
    page.write_text(tear_sheet(sheet_source(120), Config.defaults()).replace("</body>", CLICKS))
    marks = opened(page, tmp_path)
    assert (marks["errors"], marks["drawn"], marks["scale"], marks["theme"]) == ("", "10", "log", "dark")
    assert marks["accent"] == "#7fa5f8", "the accent of the dark theme"
