"""What notebooks show, in a browser: the line is drawn, and a wide table scrolls inside a narrow page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sheets import Run, prices, trades

from backtestkit.math.statistics import backtest_statistics
from backtestkit.model.analysis import Marks
from backtestkit.model.statistics import BacktestStatistics
from backtestkit.services.report.notebook import result_page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=5000")
PAGE = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0"><div id="cell" style="width:360px">{shown}</div><script>
const cell = document.getElementById("cell"), line = cell.querySelector("polyline").getBoundingClientRect();
document.body.dataset.width = cell.scrollWidth;
document.body.dataset.table = cell.querySelector("table").scrollWidth;
document.body.dataset.line = Math.round(line.width) + " " + Math.round(line.height);
document.body.dataset.loss = getComputedStyle(cell.querySelector("td.bk-loss")).color;
</script></body>"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")


class Shown(Run):
    """A run with its statistics."""

    @property
    def statistics(self) -> BacktestStatistics:
        return backtest_statistics(self.closed)


def test_a_narrow_cell_holds_the_line_and_a_table_that_scrolls(tmp_path: Path) -> None:
    candles = prices()
    run = Shown(trades(50, candles), Marks(candles.timestamp, candles.close))
    page = tmp_path / "cell.html"
    page.write_text(PAGE.format(shown=result_page(run)))
    assert BROWSER is not None
    command = [BROWSER, *OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    body = re.search(r"<body([^>]*)>", done.stdout)
    assert body is not None, done.stdout[:500]
    marks = dict(re.findall(r'data-(\w+)="([^"]*)"', body.group(1)))
    assert int(marks["width"]) == 360
    assert int(marks["table"]) > 500
    width, height = map(int, marks["line"].split())
    assert 340 <= width <= 360 and 80 <= height <= 120
    assert marks["loss"] == "rgb(210, 87, 31)"
