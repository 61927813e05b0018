"""Where markdown reports are written."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from trades import KEY, run_key

from backtestkit.config import Config
from backtestkit.errors import UsageError
from backtestkit.model.statistics import HeatStatistics
from backtestkit.model.statistics_events import PartialStatistics
from backtestkit.runtime.clock import SimulatedClock
from backtestkit.runtime.context import RunContext, current_run
from backtestkit.services.report.columns import ColumnService
from backtestkit.services.report.markdown import MarkdownService
from backtestkit.services.report.spec import Subject
from backtestkit.services.report.writers import DumpOptions, MarkdownDummy, MarkdownFileBase, MarkdownFolderBase

WALL = datetime(2024, 2, 1, 12, 30, 5, tzinfo=UTC)
PARTIAL = Subject(KEY, PartialStatistics())


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MarkdownService:
    monkeypatch.chdir(tmp_path)
    return MarkdownService(ColumnService(Config.defaults), Config.defaults, SimulatedClock(WALL))


def dump(service: MarkdownService, report: str = "partial", subject: Subject = PARTIAL, **options: Any) -> Path | None:
    return asyncio.run(service.dump(report, subject, **options))


def test_every_dump_is_a_file_of_its_own(service: MarkdownService) -> None:
    first, second = dump(service), dump(service)
    assert first is not None
    assert first != second
    assert first.parent == Path("dump/partial")
    assert first.name.startswith("BTCUSDT_above-mean_bybit_june_backtest-20240201T123005Z-")
    assert first.read_text().startswith("# Partial Profit/Loss Report: BTCUSDT:above-mean")


def test_a_heat_map_has_its_own_folder_and_no_symbol(service: MarkdownService) -> None:
    file = dump(service, "heat", Subject(run_key(""), HeatStatistics()))
    assert file is not None
    assert file.parent == Path("dump/heatmap")
    assert file.name.startswith("above-mean_bybit_june_backtest-")


def test_a_live_report_has_no_frame_in_its_name(service: MarkdownService) -> None:
    file = dump(service, subject=Subject(run_key(backtest=False, frame_name=""), PartialStatistics()))
    assert file is not None
    assert file.name.startswith("BTCUSDT_above-mean_bybit_live-")


def test_a_folder_may_be_given(service: MarkdownService) -> None:
    file = dump(service, path="reports/mine")
    assert file is not None
    assert file.parent == Path("reports/mine")


def test_the_journal_appends_a_record_with_the_text(service: MarkdownService) -> None:
    service.writer.use(MarkdownFileBase)
    assert dump(service) == dump(service) == Path("dump/markdown/partial.jsonl")
    first, second = [json.loads(line) for line in Path("dump/markdown/partial.jsonl").read_text().splitlines()]
    assert first == second
    assert first.pop("data").startswith("# Partial Profit/Loss Report")
    assert first == {
        "markdown_name": "partial", "symbol": "BTCUSDT", "strategy_name": "above-mean", "exchange_name": "bybit",
        "frame_name": "june", "timestamp": 1706790605000,
    }  # fmt: skip


def test_the_dummy_writes_nothing(service: MarkdownService) -> None:
    service.writer.use(MarkdownDummy)
    assert dump(service) is None
    assert not Path("dump").exists()


def test_inside_a_run_a_report_carries_the_time_of_the_run(service: MarkdownService) -> None:
    seen: list[int] = []

    class Own(MarkdownDummy):
        def dump(self, content: str, options: DumpOptions) -> None:
            seen.append(options.timestamp)

    service.writer.use(Own)
    clock = SimulatedClock()
    token = current_run.set(RunContext(KEY, clock, kit=None))
    try:
        dump(service)
        clock.advance_to_ms(1_700_000_000_000)
        dump(service)
    finally:
        current_run.reset(token)
    assert seen == [1706790605000, 1_700_000_000_000]


def test_a_class_of_the_users_is_made_once_a_report_and_prepared_once(service: MarkdownService) -> None:
    log: list[Any] = []

    class Own:
        def __init__(self, report: str) -> None:
            log.append(report)

        async def wait_for_init(self, initial: bool) -> None:
            log.append(initial)

        async def dump(self, content: str, options: DumpOptions) -> Path:
            log.append((content.splitlines()[0], options.report, options.key, options.folder, options.file[:8]))
            return Path("kept")

    service.writer.use(Own)
    assert (dump(service), dump(service)) == (Path("kept"), Path("kept"))
    title = "# Partial Profit/Loss Report: BTCUSDT:above-mean"
    assert log == ["partial", True, *[(title, "partial", KEY, Path("dump/partial"), "BTCUSDT_")] * 2]


def test_another_writer_takes_over_at_once_also_for_reports_written_before(service: MarkdownService) -> None:
    dump(service)
    service.writer.use(MarkdownDummy)
    assert dump(service) is None
    service.writer.use(MarkdownFolderBase)
    assert dump(service) is not None


def test_what_cannot_be_a_writer_is_refused_and_the_old_one_stays(service: MarkdownService) -> None:
    with pytest.raises(UsageError, match="lacks wait_for_init, dump"):
        service.writer.use(dict)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no adapter"):
        service.writer.use(None)  # type: ignore[arg-type]
    assert dump(service) is not None


def test_a_function_may_make_the_writers(service: MarkdownService) -> None:
    service.writer.use(lambda report: MarkdownFolderBase(report))
    assert dump(service) is not None
    assert len(service.writer.all()) == 1
