"""What the manual shows works: its Python blocks run in order, its command lines parse, its tables are complete."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from backtestkit.model.analysis import BenchmarkFigures, CostFigures, EquityFigures, ReturnFigures, TradeQuality
from backtestkit.model.statistics import BacktestStatistics, HeatRow, HeatStatistics
from backtestkit.model.statistics_events import (
    MetricStatistics,
    PartialStatistics,
    RiskStatistics,
    ScheduleStatistics,
    SyncStatistics,
)
from backtestkit.services.report.catalog import REPORTS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [path for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))] if path.exists()]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """The fenced blocks of one language with the line on which each starts."""
    text = page.read_text(encoding="utf-8")
    return [(text[: m.start(2)].count("\n"), m[2]) for m in BLOCK.finditer(text) if m[1] == language]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda page: page.name)
def test_the_python_of_a_page_runs_in_order(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import backtestkit as bk

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BACKTESTKIT_KEEP_RUNS", raising=False)  # as a reader has it
    names: dict[str, object] = {"__name__": "__main__"}
    with bk.Kit():
        for line, code in blocks(page, "python"):
            exec(compile("\n" * line + code, str(page), "exec"), names)
    capsys.readouterr()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_options_of_shown_command_lines_exist(page: Path) -> None:
    import typer

    from backtestkit.apps.cli import main as cli

    for _, code in blocks(page, "bash"):
        for line in code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if not words or words[0] != "backtestkit":
                continue
            command = typer.main.get_command(cli.app)
            context = command.make_context("backtestkit", [], resilient_parsing=True)
            known = {"--help", "-h"}
            for word in words[1:]:
                found = command.get_command(context, word) if hasattr(command, "get_command") else None
                if found is None:
                    break
                command = found
                known = {"--help", "-h"} | {o for p in command.params for o in [*p.opts, *p.secondary_opts]}
            options = {word for word in words if re.match(r"--?[a-z]", word)}
            assert options <= known, f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize(
    "figures",
    [
        BacktestStatistics, HeatRow, HeatStatistics, EquityFigures, ReturnFigures, TradeQuality, CostFigures,
        BenchmarkFigures, ScheduleStatistics, PartialStatistics, RiskStatistics, SyncStatistics, MetricStatistics,
    ],
)  # fmt: skip
def test_every_figure_is_explained(figures: Any) -> None:
    page = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    listed = {"symbol", "symbols", "event_list", "metric_type"}
    missing = [f.name for f in fields(figures) if f.name not in listed and f"`{f.name}`" not in page]
    assert missing == []


def test_every_report_is_explained() -> None:
    page = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    assert [name for name in REPORTS if f"| {name} | `" not in page] == []
