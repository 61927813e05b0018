"""The log: lines with their run and its time, bounded, in memory or in a journal that is cut to size."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from kept_runs import FIRST, new_run, prepare

import backtestkit as bk
from backtestkit.adapters.log_book import QUEUE_MAX, JournalLog, LogEntry
from backtestkit.errors import UsageError
from backtestkit.runtime import log as runtime_log
from backtestkit.runtime.files import Disk, use_disk
from backtestkit.runtime.log import logger, set_level
from scenarios.market import MINUTE, still


@pytest.fixture(autouse=True)
def level_is_put_back() -> Iterator[None]:
    before = set_level("warning")
    yield
    set_level(before)


def topics() -> list[str]:
    return [entry.topic for entry in bk.Log.get_list()]


def test_lines_of_a_run_carry_its_names_and_its_time() -> None:
    async def get_signal(symbol: str, when: Any, price: float) -> None:
        bk.Log.info("asked", price, symbol=symbol)

    with bk.Kit():
        bk.Log.agent("before", {"a": (1, 2)}, api_key="k-123", text="token=abc")
        prepare(still(2), get_signal, on_error="raise")
        asyncio.run(new_run().result())
        before, *asked = bk.Log.get_list()
    assert (before.type, before.args, before.fields) == (
        "agent",
        ({"a": [1, 2]},),
        {"api_key": "***", "text": "token=***"},
    )
    assert before.symbol == "" and before.backtest is None and before.timestamp == before.created_at
    assert [entry.timestamp for entry in asked[:2]] == [FIRST, FIRST + MINUTE]
    first = asked[0]
    assert (first.symbol, first.strategy_name, first.exchange_name, first.frame_name) == ("BTC", "s", "x", "f")
    assert (first.type, first.topic, first.args, first.fields) == ("info", "asked", (100.0,), {"symbol": "BTC"})
    assert first.backtest is True and first.created_at > first.timestamp


def test_every_kind_of_line_has_its_type_and_what_is_no_json_is_told_in_words() -> None:
    with bk.Kit():
        for name in ("log", "debug", "info", "warn", "error", "agent"):
            getattr(bk.Log, name)("topic", {1}, when=float("inf"))
        entries = bk.Log.get_list()
    assert [entry.type for entry in entries] == ["log", "debug", "info", "warning", "error", "agent"]
    assert entries[0].args == ("{1}",) and entries[0].fields == {"when": "inf"}


def test_the_oldest_lines_go_over_the_limit() -> None:
    with bk.Kit({"max_log_lines": 3}):
        for n in range(5):
            bk.Log.log(str(n))
        assert topics() == ["2", "3", "4"]
        bk.Log.clear()
        assert topics() == []


def test_a_disabled_log_can_be_read_and_not_written() -> None:
    with bk.Kit():
        bk.Log.log("a")
        bk.Log.disable()
        with pytest.raises(UsageError, match=r"Log of 'b': Log is disabled"):
            bk.Log.log("b")
        assert topics() == ["a"]
        bk.Log.use_dummy()
        bk.Log.enable()
        bk.Log.log("c")
        assert topics() == []


def test_a_journal_is_found_again_and_cut_to_size(tmp_path: Path) -> None:
    with bk.Kit({"max_log_lines": 3}) as kit:
        bk.Log.use_jsonl("mine.jsonl", tmp_path)
        for n in range(10):
            bk.Log.log(str(n))
            assert kit.adapters.log.live.current.flush()  # type: ignore[attr-defined]
        lines = (tmp_path / "mine.jsonl").read_text().splitlines()
        assert 3 <= len(lines) <= 6 and json.loads(lines[-1])["topic"] == "9"
        bk.reset()
        bk.Log.use_jsonl("mine.jsonl", tmp_path)
        assert topics() == ["7", "8", "9"]
        bk.Log.log("10")
        assert topics() == ["8", "9", "10"]
        bk.Log.use_memory()
        assert json.loads((tmp_path / "mine.jsonl").read_text().splitlines()[-1])["topic"] == "10"


def test_the_persistent_log_is_below_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with bk.Kit():
        bk.Log.use_persist()
        bk.Log.log("a")
        bk.reset()
    assert "a" in (tmp_path / "dump" / "log" / "log.jsonl").read_text()


def entry(topic: str) -> LogEntry:
    return LogEntry("id", "log", topic, (), {}, 0, 0)


def test_a_journal_leaves_out_lines_that_nobody_can_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "log.jsonl"
    journal = JournalLog(path, lambda: 10)
    assert journal.flush()
    journal.append(entry("good"))
    journal.close()
    journal.close()
    text = path.read_text()
    path.write_text('{"lines_missing_before": 3}\nnonsense\n{"id": 1}\n' + text + '{"torn')
    again = JournalLog(path, lambda: 10)
    assert [e.topic for e in again.entries()] == ["good"]
    assert caplog.text.count("log_line_unreadable") == 2


class FlakyDisk(Disk):
    broken = True

    def write(self, file: int, data: bytes | memoryview) -> int:
        if self.broken:
            raise OSError(28, "No space left on device")
        return super().write(file, data)


def test_lines_that_a_disk_refuses_are_counted_in_the_file(tmp_path: Path) -> None:
    disk, path = FlakyDisk(), tmp_path / "log.jsonl"
    with use_disk(disk):
        journal = JournalLog(path, lambda: 10)
        for n in range(3):
            journal.append(entry(str(n)))
        assert journal.flush()
        disk.broken = False
        journal.append(entry("3"))
        journal.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"lines_missing_before": 3} and lines[1]["topic"] == "3"
    assert [e.topic for e in journal.entries()] == ["0", "1", "2", "3"]


def test_a_journal_that_cannot_follow_leaves_lines_out_instead_of_waiting(tmp_path: Path) -> None:
    import threading

    go = threading.Event()

    class Slow(Disk):
        def sync(self, file: int) -> None:
            assert go.wait(10)
            super().sync(file)

    with use_disk(Slow()):
        journal = JournalLog(tmp_path / "log.jsonl", lambda: 100_000)
        for _ in range(2 * QUEUE_MAX + 10):
            journal.append(entry("x"))
        go.set()
        journal.close()
        journal.append(entry("last"))
        journal.close()
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    missing = sum(json.loads(line).get("lines_missing_before", 0) for line in lines)
    written = sum("topic" in json.loads(line) for line in lines)
    assert missing >= 10 and missing + written == 2 * QUEUE_MAX + 11


def test_a_backend_of_ones_own_takes_the_lines() -> None:
    class Mine:
        def __init__(self) -> None:
            self.lines: list[LogEntry] = []

        def append(self, entry: LogEntry) -> None:
            self.lines.append(entry)

        def entries(self) -> list[LogEntry]:
            return self.lines

    with bk.Kit():
        bk.Log.use_logger(Mine)
        bk.Log.log("a")
        assert topics() == ["a"]


class Sink:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def write(self, level: str, event: str, fields: Mapping[str, Any]) -> None:
        self.lines.append((level, event, dict(fields)))


class ByLevel:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def debug(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    info = warn = error = debug


def test_the_lines_of_the_engine_go_where_one_says() -> None:
    with bk.Kit() as kit:
        sink = Sink()
        undo = bk.set_logger(sink)
        kit.logger.warning("one", secret_key="s")
        other = ByLevel()
        bk.set_logger(other, "debug")
        kit.logger.debug("two")
        kit.logger.critical("three", n=1)
        undo()
        kit.logger.debug("four")
        bk.set_logger(None)
        kit.logger.error("five")
    assert sink.lines == [("warning", "one", {"kit": "kit", "secret_key": "***"})]
    assert [event for event, _ in other.lines] == ["two", "three", "four"]
    assert runtime_log._threshold == logging.WARNING


def test_the_log_itself_keeps_the_lines_of_the_engine() -> None:
    with bk.Kit():
        bk.set_logger(bk.Log, "info")
        logger(run="r").info("started", n=1)
        (line,) = bk.Log.get_list()
        bk.reset()
        logger().info("after")
        assert bk.Log.get_list() == []
    assert (line.type, line.topic, line.fields) == ("info", "started", {"run": "r", "n": 1})


def test_two_kits_do_not_hear_each_other() -> None:
    one, two = Sink(), Sink()
    with bk.Kit() as first:
        first.set_logger(one)
        with bk.Kit() as second:
            second.set_logger(two)
            logger().warning("inner")
        logger().warning("outer")
        first.set_logger(None)
        second.set_logger(None)
    assert [line[1] for line in one.lines] == ["outer"]
    assert [line[1] for line in two.lines] == ["inner"]


def test_a_standard_logger_gets_text(caplog: pytest.LogCaptureFixture) -> None:
    with bk.Kit():
        bk.set_logger(logging.getLogger("mine"))
        logger().error("failed", n=1)
        bk.set_logger(None)
    assert [r.getMessage() for r in caplog.records if r.name == "mine"] == ["failed n=1"]


def test_a_logger_that_fails_is_told_once_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def write(self, *_: Any) -> None:
            raise RuntimeError("no")

    with bk.Kit():
        bk.set_logger(Failing())
        logger().error("a")
        logger().error("b")
        bk.set_logger(None)
        with pytest.raises(UsageError, match="set_logger was given 5, which has no method 'debug'"):
            bk.set_logger(5)
    assert caplog.text.count("the logger given to set_logger failed") == 1


def test_suppressed_lines_cost_about_as_much_as_a_call_of_nothing() -> None:
    class Silent:
        def debug(self, event: str, **fields: object) -> None:
            pass

    def seconds(log: Any) -> float:
        start = time.process_time()
        for _ in range(200_000):
            log.debug("step")
        return time.process_time() - start

    with bk.Kit() as kit:
        bk.set_logger(bk.Log)
        log, silent = kit.logger, Silent()
        ratio = min(seconds(log) / seconds(silent) for _ in range(5))
        assert bk.Log.get_list() == []
    assert ratio < 4  # where a call of nothing takes 0.05 microseconds, a million lines take 0.2 s at most
