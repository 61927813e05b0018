"""The JSONL journals: which events, which fields, which files, and what a disk may do to them."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from trades import KEY, at, cancelled, closed, opened_after, partial, run_key, scheduled, signal

from backtestkit.errors import BacktestKitError, UsageError
from backtestkit.math.statistics import backtest_statistics
from backtestkit.model.event import (
    BoundaryEvent,
    BreakevenEvent,
    CommitEvent,
    ErrorEvent,
    ExtremeEvent,
    LevelEvent,
    RiskEvent,
)
from backtestkit.model.performance import PerformanceEvent
from backtestkit.model.result import ActiveResult, IdleResult, WaitingResult
from backtestkit.model.sync import SyncEvent
from backtestkit.model.walker import WalkerEvent, WalkerResult
from backtestkit.runtime.files import Disk, use_disk
from backtestkit.services.channels import Channels
from backtestkit.services.report import journal_file
from backtestkit.services.report import journal_records as records
from backtestkit.services.report.journal import JournalDummy, JournalService
from backtestkit.services.report.journal_file import ReportBase, WriteOptions
from backtestkit.services.report.level_reports import milestone

SIGNAL_FIELDS = {
    "signal_id", "position", "note", "price_open", "price_take_profit", "price_stop_loss", "original_price_open",
    "original_price_take_profit", "original_price_stop_loss", "multiplier", "isolated", "cost", "total_entries",
    "total_partials", "partial_executed", "minute_estimated_time", "scheduled_at", "pending_at",
}  # fmt: skip
PROFIT_FIELDS = {
    f"{prefix}_{name}"
    for prefix in ("pnl", "peak_profit", "max_drawdown")
    for name in ("percentage", "cost", "entries", "price_open", "price_close")
}
BASE = {"timestamp", "symbol", "strategy_name", "exchange_name", "frame_name", "backtest"}


class Office:
    """A journal service on channels of its own, writing below the working directory."""

    def __init__(self) -> None:
        self.channels = Channels()
        self.journal = JournalService(self.channels)

    def emit(self, **events: Any) -> None:
        async def send() -> None:
            for channel, event in events.items():
                await self.channels[channel].emit(event)

        asyncio.run(send())

    def end(self) -> None:
        self.emit(after_end=BoundaryEvent(KEY, at(99), None))


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)
    return Office()


def lines(name: str) -> list[dict[str, Any]]:
    file = Path("dump/report") / f"{name}.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def breakeven(minute: float = 1, key: Any = KEY, **fields: Any) -> BreakevenEvent:
    return BreakevenEvent(key, at(minute), signal(key=key, **fields), 101.0)


class TestLines:
    def test_a_line_has_the_report_the_data_the_tags_and_the_time(self, office: Office) -> None:
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven())
        office.end()
        (line,) = lines("breakeven")
        assert {k: v for k, v in line.items() if k != "data"} == {
            "report_name": "breakeven", "symbol": "BTCUSDT", "strategy_name": "above-mean", "exchange_name": "bybit",
            "frame_name": "june", "signal_id": "s1", "timestamp": at(1),
        }  # fmt: skip
        assert line["data"]["current_price"] == 101.0

    def test_names_that_are_empty_are_left_out(self, office: Office) -> None:
        office.journal.enable(["performance"])
        live = run_key(backtest=False, frame_name="")
        office.emit(performance=PerformanceEvent(live, at(1), "live_tick", 2.5, 10, None))
        (line,) = lines("performance")
        assert "frame_name" not in line
        assert "signal_id" not in line
        assert line["data"]["previous_wall_timestamp"] is None

    def test_infinite_numbers_become_null(self, office: Office) -> None:
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven(minute_estimated_time=math.inf))
        office.end()
        assert lines("breakeven")[0]["data"]["minute_estimated_time"] is None

    def test_lines_stand_in_the_order_of_the_events(self, office: Office) -> None:
        office.journal.enable(["breakeven"])
        for minute in range(5):
            office.emit(breakeven_available=breakeven(minute))
        office.end()
        office.emit(breakeven_available=breakeven(9))
        office.end()
        assert [line["timestamp"] for line in lines("breakeven")] == [at(m) for m in (0, 1, 2, 3, 4, 9)]

    def test_backtests_are_written_without_their_idle_minutes(self, office: Office) -> None:
        office.journal.enable(["backtest", "heat", "schedule"])
        results = [IdleResult(KEY, at(0), 100.0), scheduled(1), opened_after(1, 4), closed(9, 101.0), cancelled(0, 5)]
        for result in results:
            office.emit(signal_backtest=result)
        office.end()
        assert [line["data"]["action"] for line in lines("backtest")] == ["scheduled", "opened", "closed", "cancelled"]
        assert [line["data"]["action"] for line in lines("heat")] == ["closed"]
        assert [line["data"]["action"] for line in lines("schedule")] == ["scheduled", "opened", "cancelled"]

    def test_live_runs_are_written_with_everything_and_at_once(self, office: Office) -> None:
        office.journal.enable(["live"])
        live = run_key(backtest=False, frame_name="")
        office.emit(signal_live=IdleResult(live, at(0), 100.0))
        assert [line["data"]["action"] for line in lines("live")] == ["idle"]

    def test_orders_that_rest_are_written_too(self, office: Office) -> None:
        office.journal.enable(["sync"])
        office.emit(sync=SyncEvent(KEY, at(1), "signal_open", "schedule", signal(), 100.0, None))
        office.end()
        assert lines("sync")[0]["data"]["type"] == "schedule"


class TestRecords:
    def test_every_record_about_an_open_signal_has_the_same_fields(self) -> None:
        shown = signal()
        about = [
            records.result_record(closed()), records.partial_record(milestone("loss")(LevelEvent(KEY, at(1), shown, 1.0, 10))),
            records.breakeven_record(breakeven()), records.extreme_record(ExtremeEvent(KEY, at(1), shown, 101.0)),
            records.risk_record(RiskEvent(KEY, at(1), "r", shown, 100.0, 1, None, "no")),
            records.sync_record(SyncEvent(KEY, at(1), "signal_close", "active", shown, 100.0, "closed")),
            records.commit_record(CommitEvent(KEY, at(1), "breakeven", shown, 100.0, "", None, None, None, None, None)),
        ]  # fmt: skip
        for data in about:
            assert set(data) >= BASE | SIGNAL_FIELDS | PROFIT_FIELDS, set(data)

    def test_an_entry_that_waits_has_no_profit(self) -> None:
        assert not PROFIT_FIELDS & set(records.result_record(scheduled(0)))

    def test_an_idle_minute_has_a_price_and_no_signal(self) -> None:
        data = records.result_record(IdleResult(KEY, at(0), 100.0))
        assert set(data) == BASE | {"action", "current_price"}

    def test_an_end_has_its_reason_and_its_length(self) -> None:
        done, gone = records.result_record(closed(90, 101.0)), records.result_record(cancelled(0, 30))
        assert (done["close_reason"], done["duration"], done["close_time"]) == ("take_profit", 90.0, at(90))
        assert (gone["cancel_reason"], gone["duration"], gone["cancel_id"]) == ("timeout", 30.0, None)

    def test_what_goes_on_tells_how_far_it_came(self) -> None:
        active = ActiveResult(KEY, at(1), 101.0, signal(), 20.0, 0.0, signal().pnl)
        waiting = WaitingResult(KEY, at(1), 101.0, signal(waiting=True), 5.0, 0.0, signal().pnl)
        assert [records.result_record(r)["percent_tp"] for r in (active, waiting)] == [20.0, 5.0]

    def test_the_schedule_measures_the_wait_of_an_opening(self) -> None:
        assert records.schedule_record(opened_after(2, 12))["duration"] == 10.0
        assert "duration" not in records.schedule_record(scheduled(2))

    def test_partial_closes_are_listed_when_there_are_any(self) -> None:
        data = records.breakeven_record(breakeven(partials=[partial(2, 30.0, 102.0)]))
        assert [(p["percent"], p["current_price"]) for p in data["_partial"]] == [(30.0, 102.0)]
        assert "_partial" not in records.breakeven_record(breakeven())

    @pytest.mark.parametrize(
        ("action", "given", "present"),
        [
            ("partial_loss", {"percent_to_close": 5.0}, {"percent_to_close"}),
            ("trailing_take", {"percent_shift": 1.0}, {"percent_shift"}),
            ("average_buy", {"cost": 5.0, "effective_price_open": 99.0}, {"added_cost", "effective_price_open"}),
            ("cancel_scheduled", {"command_id": "x"}, {"cancel_id"}),
            ("close_pending", {"command_id": "x"}, {"close_id"}),
            ("activate_scheduled", {"command_id": "x"}, {"activate_id"}),
        ],
    )
    def test_a_command_has_the_fields_of_its_kind(self, action: Any, given: Any, present: set[str]) -> None:
        empty: dict[str, Any] = dict.fromkeys(
            ("percent_to_close", "percent_shift", "cost", "effective_price_open", "command_id")
        )
        event = CommitEvent(KEY, at(5), action, signal(), current_price=None, note="n", **(empty | given))
        data = records.commit_record(event)
        every = {
            "percent_to_close", "percent_shift", "added_cost", "effective_price_open", "cancel_id", "close_id",
            "activate_id", "current_price",
        }  # fmt: skip
        assert set(data) & every == present
        assert (data["note"], data["created_at"]) == ("n", "2025-01-01T00:05:00.000Z")

    def test_a_close_at_a_gate_has_a_reason(self) -> None:
        event = SyncEvent(KEY, at(1), "signal_open", "active", signal(), 100.0, None)
        assert "close_reason" not in records.sync_record(event)

    def test_a_walk_is_written_strategy_by_strategy(self, office: Office) -> None:
        office.journal.enable(["walker"])
        result = WalkerResult(
            strategy_name="a", stats=backtest_statistics([closed()]), metric_value=1.5, first_event_time=at(0),
            last_event_time=at(60),
        )  # fmt: skip
        office.emit(walker=WalkerEvent(KEY, at(60), "duel", "sharpe_ratio", result, "a", 1.5, 1, 3))
        office.end()
        (line,) = lines("walker")
        assert (line["walker_name"], line["data"]["metric_value"], line["data"]["total_signals"]) == ("duel", 1.5, 1)
        assert (line["data"]["strategies_tested"], line["data"]["sharpe_ratio"]) == (1, None)


class TestWriting:
    def test_lines_of_a_backtest_wait_for_its_end(self, office: Office) -> None:
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven())
        assert lines("breakeven") == []
        office.end()
        assert len(lines("breakeven")) == 1

    def test_a_run_that_fails_ends_too(self, office: Office) -> None:
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven(), error=ErrorEvent(ValueError(), "backtest", KEY, at(1)))
        assert len(lines("breakeven")) == 1

    def test_a_full_block_is_written_at_once(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(journal_file, "BLOCK_BYTES", 2000)
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven())
        assert lines("breakeven") == []
        office.emit(breakeven_available=breakeven())
        assert len(lines("breakeven")) == 2

    def test_flush_and_disable_write_what_waits(self, office: Office) -> None:
        stop = office.journal.enable(["breakeven", "partial"])
        office.emit(breakeven_available=breakeven(1))
        asyncio.run(office.journal.flush())
        assert len(lines("breakeven")) == 1
        office.emit(breakeven_available=breakeven(2))
        stop()
        assert len(lines("breakeven")) == 2
        office.emit(breakeven_available=breakeven(3))
        office.end()
        assert len(lines("breakeven")) == 2
        assert [c.name for c in office.channels if c] == []

    def test_what_still_waits_when_the_process_ends_is_written(self, tmp_path: Path) -> None:
        code = (
            "from backtestkit.runtime.context import RunKey\n"
            "from backtestkit.services.report.journal_file import ReportBase, WriteOptions\n"
            "backend = ReportBase('notes')\n"
            "backend.write({'a': 1}, WriteOptions('notes', RunKey('B', 's', 'e', 'f', True), '', '', 5))\n"
        )
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
        subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
        assert json.loads((tmp_path / "dump/report/notes.jsonl").read_text())["data"] == {"a": 1}

    def test_files_stay_where_they_began_when_the_working_directory_changes(
        self, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven())
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        office.end()
        monkeypatch.chdir(tmp_path)
        assert len(lines("breakeven")) == 1

    def test_a_full_disk_is_reported_and_the_lines_wait(self, office: Office) -> None:
        class FullDisk(Disk):
            def write(self, file: int, data: Any) -> int:
                raise OSError("no space left")

        errors: list[Any] = []
        office.channels.error.listen(errors.append)
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven(1))
        with use_disk(FullDisk()):
            office.end()
        assert "no space left" in str(errors[0].error)
        assert lines("breakeven") == []
        office.emit(breakeven_available=breakeven(2))
        office.end()
        assert [line["timestamp"] for line in lines("breakeven")] == [at(1), at(2)]

    def test_what_has_no_room_to_wait_is_lost_and_said_to_be(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class FullDisk(Disk):
            def write(self, file: int, data: Any) -> int:
                raise OSError("no space left")

        monkeypatch.setattr(journal_file, "BUFFER_BYTES_MAX", 10)
        errors: list[Any] = []
        office.channels.error.listen(errors.append)
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven())
        with use_disk(FullDisk()):
            office.end()
        assert "are lost" in errors[0].error.__notes__[0]
        office.end()
        assert lines("breakeven") == []

    def test_a_write_that_takes_too_long_is_an_error_and_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(journal_file, "WRITE_SECONDS_MAX", 0.0)

        async def play() -> None:
            backend, release = ReportBase("breakeven"), asyncio.Event()

            async def slowly(path: Path, block: bytes) -> None:
                await release.wait()
                written.append(block)

            monkeypatch.setattr(journal_file, "append_durable", slowly)
            backend.write({"a": 1}, WriteOptions("breakeven", KEY, "", "", at(1)))
            with pytest.raises(BacktestKitError, match="takes more than"):
                await backend.flush()
            backend.write({"a": 2}, WriteOptions("breakeven", KEY, "", "", at(2)))
            with pytest.raises(BacktestKitError, match="takes more than"):
                await backend.flush()
            backend.write_now()  # leaves it to the write in progress
            monkeypatch.setattr(journal_file, "WRITE_SECONDS_MAX", 5.0)
            release.set()
            await backend.flush()

        written: list[bytes] = []
        asyncio.run(play())
        assert [b'"a":1' in written[0], b'"a":2' in written[1]] == [True, True]

    def test_a_write_in_another_loop_is_left_to_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        backend = ReportBase("breakeven")
        loop = asyncio.new_event_loop()
        try:
            backend.write({}, WriteOptions("breakeven", KEY, "", "", at(1)))
            waiting = loop.create_task(backend.flush())
            loop.call_soon(loop.stop)
            loop.run_forever()
            backend.write({}, WriteOptions("breakeven", KEY, "", "", at(2)))
            asyncio.run(backend.flush())
            assert lines("breakeven") == [] or not waiting.done()
            loop.run_until_complete(waiting)
        finally:
            loop.close()
        assert len(lines("breakeven")) == 2


class TestBackends:
    def test_a_class_of_the_users_gets_the_data_and_what_belongs_to_it(self, office: Office) -> None:
        log: list[tuple[Any, ...]] = []

        class Own:
            def __init__(self, report: str) -> None:
                log.append(("made", report))

            async def wait_for_init(self, initial: bool) -> None:
                log.append(("init", initial))

            def write(self, data: Mapping[str, Any], options: WriteOptions) -> None:
                log.append(
                    (options.report, options.key.symbol, options.signal_id, options.timestamp, data["current_price"])
                )

        office.journal.use(Own)
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven())
        office.emit(breakeven_available=breakeven(2))
        assert log == [
            ("made", "breakeven"), ("init", True), ("breakeven", "BTCUSDT", "s1", at(1), 101.0),
            ("breakeven", "BTCUSDT", "s1", at(2), 101.0),
        ]  # fmt: skip
        assert not Path("dump").exists()

    def test_another_backend_takes_over_at_once(self, office: Office) -> None:
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven())
        office.journal.use(JournalDummy)
        office.emit(breakeven_available=breakeven(2))
        office.end()
        assert [line["timestamp"] for line in lines("breakeven")] == [at(1)]

    def test_a_class_may_derive_from_the_default_one(self, office: Office) -> None:
        class Small(ReportBase):
            def write(self, data: Mapping[str, Any], options: WriteOptions) -> Any:
                return super().write({"price": data["current_price"]}, options)

        office.journal.use(Small)
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven())
        office.end()
        assert lines("breakeven")[0]["data"] == {"price": 101.0}

    def test_what_cannot_be_a_backend_is_refused(self, office: Office) -> None:
        class Half:
            def __init__(self, report: str) -> None: ...

            def write(self, data: object, options: object) -> None: ...

        with pytest.raises(UsageError, match="lacks wait_for_init"):
            office.journal.use(Half)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="no adapter"):
            office.journal.use("file")  # type: ignore[arg-type]

    def test_an_error_of_a_backend_reaches_the_error_channel(self, office: Office) -> None:
        class Broken(JournalDummy):
            def write(self, data: object, options: object) -> None:
                raise RuntimeError("gone")

        errors: list[Any] = []
        office.channels.error.listen(errors.append)
        office.journal.use(Broken)
        office.journal.enable(["breakeven"])
        office.emit(breakeven_available=breakeven())
        assert [str(e.error) for e in errors] == ["gone"]
