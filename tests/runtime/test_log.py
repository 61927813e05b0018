"""Log lines: cheap when not wanted, masked when written, dated by the simulated clock inside a run."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from backtestkit.errors import UsageError
from backtestkit.runtime.clock import SimulatedClock, SystemClock, running_clock
from backtestkit.runtime.context import RunContext, RunKey, current_run
from backtestkit.runtime.log import LogLevel, add_sink, logger, masked, set_level, simulated_time

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    before = set_level("debug")
    yield
    set_level(before)
    logging.getLogger("backtestkit").setLevel(logging.NOTSET)


class Kept:
    """A sink that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[LogLevel, str, Mapping[str, Any]]] = []

    def write(self, level: LogLevel, event: str, fields: Mapping[str, Any]) -> None:
        self.lines.append((level, event, fields))


def test_a_line_is_an_event_and_fields_with_the_context_in_front(caplog: pytest.LogCaptureFixture) -> None:
    log = logger(strategy="s").bind(symbol="BTCUSDT")
    log.info("opened", price=1.5)
    (record,) = caplog.records
    assert record.getMessage() == "opened strategy='s' symbol='BTCUSDT' price=1.5"
    assert (record.name, record.levelno) == ("backtestkit", logging.INFO)


@pytest.mark.parametrize("name", ["debug", "info", "warning", "error", "critical"])
def test_lines_of_the_level_and_above_are_written(name: LogLevel, caplog: pytest.LogCaptureFixture) -> None:
    set_level(name)
    log = logger()
    for each in (log.debug, log.info, log.warning, log.error, log.critical):
        each("line")
    levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
    assert [record.levelname for record in caplog.records] == levels[levels.index(name.upper()) :]
    assert set_level("debug") == name


def test_an_unknown_level_is_refused_with_the_near_name() -> None:
    with pytest.raises(UsageError, match="Did you mean 'warning'"):
        set_level("warn")  # type: ignore[arg-type]


def test_exceptions_come_with_their_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("broken, api_key=abc123")
    except ValueError as error:
        logger().error("failed", exc_info=error)
    text = caplog.records[0].getMessage()
    assert text.startswith("failed\nTraceback")
    assert text.endswith("ValueError: broken, api_key=***")


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ("abc", "api_key", "***"),
        ("abc", "apiKey", "***"),
        ("abc", "secret", "***"),
        ("abc", "password", "***"),
        ("abc", "accessToken", "***"),
        ("abc", "symbol", "abc"),
        (5, "tokens_per_period", 5),
        ({"secret": 1, "other": [{"passphrase": "x"}]}, "options", {"secret": "***", "other": [{"passphrase": "***"}]}),
        ("GET /x?a=1&signature=99ff&b=2", "url", "GET /x?a=1&signature=***&b=2"),
        ('{"apiKey": "abc", "a": 1}', "body", '{"apiKey": "***", "a": 1}'),
        (ValueError("token=5"), "error", "ValueError('token=***')"),
        (("secret=1",), "values", ["secret=***"]),
    ],
)
def test_secrets_are_masked(value: object, name: str, expected: object) -> None:
    assert masked(value, name) == expected


def test_sinks_get_the_masked_lines_until_removed() -> None:
    kept = Kept()
    remove = add_sink(kept)
    logger(run=1).warning("line", api_key="abc")
    remove()
    remove()
    logger().warning("later")
    assert kept.lines == [("warning", "line", {"run": 1, "api_key": "***"})]


def cpu_seconds(call: Callable[..., None]) -> float:
    begin = time.process_time()
    for number in range(50_000):
        call("step", number=number)
    return time.process_time() - begin


@pytest.mark.skipif(sys.gettrace() is not None, reason="coverage slows down only what it measures")
def test_a_suppressed_line_costs_little_more_than_a_call() -> None:
    """A million cost 0.14 s of CPU where a million calls that do nothing cost 0.08 s; 0.3 s is the limit."""

    def nothing(event: str, **fields: object) -> None: ...

    set_level("warning")
    log = logger(run=1)
    pairs = [(cpu_seconds(nothing), cpu_seconds(log.debug)) for _ in range(7)]
    calls, lines = (min(times) for times in zip(*pairs, strict=True))
    assert lines < 3.5 * calls


def test_structlog_is_loaded_by_the_first_line_that_passes() -> None:
    code = (
        "import sys\n"
        "from backtestkit.runtime.log import logger\n"
        "log = logger(a=1)\n"
        "log.debug('suppressed')\n"
        "assert 'structlog' not in sys.modules\n"
        "log.error('written')\n"
        "assert 'structlog' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "written a=1\n"


def times(caplog: pytest.LogCaptureFixture) -> list[float]:
    return [record.created for record in caplog.records]


def test_records_carry_the_simulated_time_of_their_context(caplog: pytest.LogCaptureFixture) -> None:
    user = logging.getLogger("user")
    clock = SimulatedClock(NOON)
    clock.advance_to_ms(clock.now_ms() + 250)
    with simulated_time(clock):
        user.warning("inside")
    user.warning("outside")
    assert times(caplog)[0] == NOON.timestamp() + 0.25
    assert caplog.records[0].msecs == 250.0
    assert abs(times(caplog)[1] - time.time()) < 60


def test_the_clock_of_the_current_run_counts_without_another(caplog: pytest.LogCaptureFixture) -> None:
    run = RunContext(RunKey("BTCUSDT", "s", "e", "f", True), SimulatedClock(NOON), kit=None)
    with simulated_time():
        logging.getLogger("user").warning("no run")
        token = current_run.set(run)
        logging.getLogger("user").warning("in the run")
        current_run.reset(token)
    assert times(caplog)[0] > NOON.timestamp()
    assert times(caplog)[1] == NOON.timestamp()


@pytest.mark.parametrize("clock", [SystemClock(), SimulatedClock()], ids=["wall", "unset"])
def test_a_wall_clock_and_one_without_time_leave_records_alone(
    clock: SystemClock | SimulatedClock, caplog: pytest.LogCaptureFixture
) -> None:
    with simulated_time(clock):
        logging.getLogger("user").warning("inside")
    assert abs(times(caplog)[0] - time.time()) < 60


def test_the_factory_and_the_clock_are_put_back_after_an_error() -> None:
    factory = logging.getLogRecordFactory()
    with pytest.raises(ValueError, match="run failed"), simulated_time(SimulatedClock(NOON)):
        assert logging.getLogRecordFactory() is not factory
        raise ValueError("run failed")
    assert logging.getLogRecordFactory() is factory
    assert running_clock.get() is None


def test_overlapping_runs_each_have_their_time(caplog: pytest.LogCaptureFixture) -> None:
    factory = logging.getLogRecordFactory()

    async def run(name: str, when: datetime, pauses: int) -> None:
        with simulated_time(SimulatedClock(when)):
            for _ in range(pauses):
                await asyncio.sleep(0)
                logging.getLogger(name).warning("step")

    async def main() -> None:
        await asyncio.gather(run("a", NOON, 2), run("b", NOON.replace(year=2024), 4))

    asyncio.run(main())
    assert {(record.name, datetime.fromtimestamp(record.created, UTC).year) for record in caplog.records} == {
        ("a", 2025),
        ("b", 2024),
    }
    assert logging.getLogRecordFactory() is factory


def test_a_factory_put_in_place_meanwhile_is_left_there() -> None:
    factory = logging.getLogRecordFactory()

    def own(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return factory(*args, **kwargs)

    with simulated_time(SimulatedClock(NOON)):
        logging.setLogRecordFactory(own)
    assert logging.getLogRecordFactory() is own
    logging.setLogRecordFactory(factory)
