"""Cache and Interval: by arguments and interval, as known at the time, for the run that asks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kept_runs import FIRST, new_run, prepare

import backtestkit as bk
from backtestkit.errors import ContextError, UsageError
from scenarios.market import MINUTE, still


def at(minute: int, fn: Callable[[], Any], **names: Any) -> Any:
    """The answer of `fn` in a backtest of its own at that minute of the hour."""
    when = FIRST - 5 * MINUTE + minute * MINUTE
    return asyncio.run(bk.run_in_mock_context(fn, when=when, backtest=True, **names))


def run_through(count: int, each: Callable[[], Any]) -> None:
    """Call `each` at every minute of one backtest."""

    async def get_signal(*_: Any) -> None:
        answer = each()
        if asyncio.iscoroutine(answer):
            await answer

    prepare(still(count), get_signal, on_error="raise")
    asyncio.run(new_run().result())


class Counting:
    """A plain and an async function that count their calls."""

    def __init__(self, *answers: Any) -> None:
        self.calls: list[Any] = []
        self.answers = list(answers)

    def plain(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append((*args, *kwargs.values()))
        answer = self.answers.pop(0) if self.answers else len(self.calls)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def slow(self, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return self.plain(*args, **kwargs)


@pytest.mark.parametrize("kind", ["plain", "slow"])
def test_a_value_is_computed_once_in_each_interval_and_for_each_set_of_arguments(kind: str) -> None:
    counting = Counting()
    cached = bk.Cache.fn(getattr(counting, kind), "5m")
    seen: list[Any] = []

    async def each() -> None:
        for symbol in ("BTC", "ETH"):
            answer = cached(symbol)
            seen.append(await answer if kind == "slow" else answer)

    with bk.Kit():
        run_through(9, each)
    assert seen == [1, 2] * 5 + [3, 4] * 4
    assert counting.calls == [("BTC",), ("ETH",)] * 2


def test_keyword_arguments_count_and_a_key_says_otherwise() -> None:
    counting = Counting()
    cached = bk.Cache.fn(counting.plain, "1h")
    by_symbol = bk.Cache.fn(counting.plain, "1h", key=lambda symbol, *_: symbol)

    def each() -> None:
        assert cached("a", n=1) == cached("a", n=1) != cached("a", n=2)
        assert by_symbol("a", [1]) == by_symbol("a", [2]) != by_symbol("b", [1])
        with pytest.raises(UsageError, match=r"plain was called with arguments .* Give key="):
            cached("a", [1])

    with bk.Kit():
        at(0, each)


@pytest.mark.parametrize("kind", ["plain", "slow"])
def test_another_run_computes_for_itself(kind: str) -> None:
    counting = Counting()
    cached = bk.Cache.fn(getattr(counting, kind), "1h")
    with bk.Kit():
        assert [at(55, lambda: cached("a")), at(5, lambda: cached("a"))] == [1, 2]


def test_a_value_of_later_than_now_does_not_answer() -> None:
    counting = Counting()
    cached = bk.Cache.fn(counting.plain, "1h")

    async def scenario() -> list[Any]:
        from backtestkit.runtime.clock import SimulatedClock
        from backtestkit.runtime.context import current_run

        run = current_run.get()
        assert run is not None
        seen = []
        for minute in (55, 5, 10, 55):
            run.clock = SimulatedClock()
            run.clock.advance_to_ms(FIRST - 5 * MINUTE + minute * MINUTE)
            seen.append(cached("a"))
        return seen

    with bk.Kit():
        assert at(0, scenario) == [1, 2, 2, 2]


@pytest.mark.parametrize("kind", ["plain", "slow"])
def test_what_fails_is_not_kept(kind: str) -> None:
    counting = Counting(ValueError("no"), 5)
    cached = bk.Cache.fn(getattr(counting, kind), "1h")

    async def scenario() -> Any:
        with pytest.raises(ValueError, match="no"):
            await _answer(cached("a"))
        return [await _answer(cached("a")), await _answer(cached("a"))]

    with bk.Kit():
        assert at(0, scenario) == [5, 5]


async def _answer(value: Any) -> Any:
    return await value if asyncio.iscoroutine(value) else value


def test_whoever_asks_meanwhile_waits_and_tries_for_himself_after_a_failure() -> None:
    counting = Counting(ValueError("no"))
    cached = bk.Cache.fn(counting.slow, "1h")

    async def scenario() -> Any:
        return await asyncio.gather(*(cached("a") for _ in range(3)), return_exceptions=True)

    with bk.Kit():
        first, *others = at(0, scenario)
    assert isinstance(first, ValueError) and others == [2, 2]
    assert len(counting.calls) == 2


def test_whoever_waits_goes_on_when_the_one_who_computes_is_cancelled() -> None:
    counting = Counting()
    cached = bk.Cache.fn(counting.slow, "1h")

    async def scenario() -> Any:
        first, second, third = (asyncio.ensure_future(cached("a")) for _ in range(3))
        await asyncio.sleep(0)
        third.cancel()
        first.cancel()
        return await second

    with bk.Kit():
        assert at(0, scenario) == 1


def test_values_can_be_looked_for_forgotten_and_tidied_up() -> None:
    one, other = bk.Cache.fn(Counting().plain, "5m"), bk.Cache.fn(Counting().plain, "5m")

    def known() -> tuple[bool, bool]:
        return one.has_value("a"), other.has_value("a")

    def both() -> tuple[bool, bool]:
        one("a")
        other("a")
        return known()

    def scenario() -> list[Any]:
        seen: list[Any] = [known(), both()]
        one.clear()
        seen += [known(), both()]
        bk.Cache.dispose(one)
        seen += [known(), both()]
        bk.Cache.dispose(other.wrapped)
        seen += [known(), both()]
        bk.Cache.clear()
        return [*seen, known()]

    with bk.Kit():
        assert at(0, scenario) == [
            (False, False),
            (True, True),
            (False, True),
            (True, True),
            (False, True),
            (True, True),
            (True, False),
            (True, True),
            (False, False),
        ]


def test_values_of_other_intervals_are_tidied_up() -> None:
    cached = bk.Cache.fn(Counting().plain, "5m")
    removed: list[int] = []

    def each() -> None:
        removed.append(cached.gc())
        cached("a")
        cached("b")

    with bk.Kit():
        run_through(11, each)
    assert removed == [0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2]


def test_only_the_most_recently_used_values_are_kept() -> None:
    counting = Counting()
    cached = bk.Cache.fn(counting.plain, "1h")

    def each() -> list[bool]:
        cached("a")
        cached("b")
        cached("a")
        cached("c")
        return [cached.has_value(name) for name in "abc"]

    with bk.Kit({"max_cached_values": 2}):
        assert at(0, each) == [True, False, True]


def test_the_wrapper_looks_like_the_function_and_needs_a_run() -> None:
    def price_of(symbol: str) -> float:
        """The price."""
        return 1.0

    cached = bk.Cache.fn(price_of, "1h")
    assert (cached.__name__, cached.__doc__) == ("price_of", "The price.")  # type: ignore[attr-defined]
    assert repr(cached).startswith("<CachedFunction of ")
    with pytest.raises(ContextError, match="price_of needs a running strategy"):
        cached("a")
    with pytest.raises(UsageError, match="unknown interval='1x'"):
        bk.Cache.fn(price_of, "1x")  # type: ignore[call-overload]


def test_a_plain_function_that_answers_with_a_coroutine_is_refused() -> None:
    counting = Counting()
    for made in (bk.Cache.fn(lambda: counting.slow(), "1h"), bk.Interval.fn(lambda: counting.slow(), "1h")):
        with bk.Kit(), pytest.raises(UsageError, match="returned an awaitable"):
            at(0, made)
    future: Any = Future()
    with bk.Kit(), pytest.raises(UsageError, match="returned an awaitable"):
        at(0, bk.Cache.fn(lambda: future, "1h"))


class Future:
    def __await__(self) -> Any:
        yield


# -- Interval -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "slow"])
def test_a_function_acts_once_in_each_interval_and_none_does_not_count(kind: str) -> None:
    counting = Counting(None, "x", None, ValueError("no"), "y")
    limited = bk.Interval.fn(getattr(counting, kind), "5m")
    seen: list[Any] = []

    async def each() -> None:
        try:
            seen.append(await _answer(limited("BTC", len(seen))))
        except ValueError:
            seen.append("failed")

    with bk.Kit():
        run_through(11, each)
    # Minutes 0-4, 5-9 and 10 of the frame are in three intervals.
    assert seen == [None, "x", None, None, None, None, "failed", "y", None, None, 6]


def test_the_first_argument_counts_unless_a_key_says_otherwise() -> None:
    limited = bk.Interval.fn(Counting().plain, "1h")
    by_price = bk.Interval.fn(Counting().plain, "1h", key=lambda symbol, price: (symbol, price > 100))

    def each() -> list[Any]:
        return [
            limited("a", 1), limited("a", 2), limited("b", 1), limited(symbol="c"), limited(symbol="c"),
            by_price("a", 1), by_price("a", 2), by_price("a", 101),
        ]  # fmt: skip

    with bk.Kit():
        assert at(0, each) == [1, None, 2, 3, None, 1, None, 2]


def test_while_a_coroutine_acts_nobody_else_does() -> None:
    counting = Counting(None)
    limited = bk.Interval.fn(counting.slow, "1h")

    async def scenario() -> Any:
        first = await asyncio.gather(limited("a"), limited("a"))
        return [*first, await limited("a"), await limited("a")]

    with bk.Kit():
        assert at(0, scenario) == [None, None, 2, None]
    bk.Interval.dispose(limited)
    bk.Interval.clear()


# -- in files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from backtestkit.api import cache_functions

    monkeypatch.setattr(cache_functions, "_buckets", {})
    return tmp_path


def with_store(folder: Path, minute: int, fn: Callable[[], Any], **names: Any) -> Any:
    """As `at`, in a kit of its own over files."""
    with bk.Kit():
        bk.use_store(f"file:{folder}")
        return at(minute, fn, **names)


def test_a_file_value_outlives_the_kit_and_answers_only_from_its_time_on(folder: Path) -> None:
    counting = Counting()
    cached = bk.Cache.file(counting.slow, "1h", "prices")
    assert cached.bucket == "prices_1h"
    assert repr(cached).endswith("in prices_1h>")
    seen = [with_store(folder, minute, lambda: cached("BTC")) for minute in (55, 56, 5, 10, 57, 65)]
    assert seen == [1, 1, 2, 2, 2, 3]


def test_file_values_are_apart_by_exchange_mode_and_arguments_and_shared_by_strategies(folder: Path) -> None:
    cached = bk.Cache.file(Counting().slow, "1h", "prices")
    first = with_store(folder, 5, lambda: cached("BTC"))
    assert with_store(folder, 5, lambda: cached("BTC"), strategy_name="other") == first
    others = [
        with_store(folder, 5, lambda: cached("BTC"), exchange_name="other"),
        with_store(folder, 5, lambda: cached("BTC", 2)),
        with_store(folder, 5, lambda: cached("BTC", n=2)),
    ]
    with bk.Kit():
        bk.use_store(f"file:{folder}")
        others.append(asyncio.run(bk.run_in_mock_context(lambda: cached("BTC"))))
    assert len({first, *others}) == 5


def test_a_file_record_says_when_it_was_computed_and_none_is_a_value(folder: Path) -> None:
    counting = Counting(None)
    cached = bk.Cache.file(counting.slow, "1h", "prices")
    assert with_store(folder, 7, lambda: cached("BTC")) is None
    assert with_store(folder, 8, lambda: cached("BTC")) is None
    assert len(counting.calls) == 1
    (file,) = folder.rglob("*.json")
    assert file.parent.relative_to(folder).as_posix() == "data/measure/prices_1h"
    record = json.loads(file.read_text())
    assert (record["data"], record["when"], record["removed"]) == (None, FIRST + 2 * MINUTE, False)
    assert "backtest" in record["id"] and "mock_exchange" in record["id"]


def test_file_values_can_be_looked_for_and_removed(folder: Path) -> None:
    cached = bk.Cache.file(Counting().slow, "1h", "prices")

    async def scenario() -> list[Any]:
        seen = [await cached.has_value("a"), await cached("a"), await cached.has_value("a")]
        await cached.clear()
        await cached.clear()
        return [*seen, await cached.has_value("a"), await cached("a")]

    assert with_store(folder, 0, scenario) == [False, 1, True, False, 2]


def test_two_who_ask_at_once_compute_once(folder: Path) -> None:
    cached = bk.Cache.file(Counting().slow, "1h", "prices")

    async def scenario() -> Any:
        return await asyncio.gather(cached("a"), cached("a"), cached("b"))

    assert with_store(folder, 0, scenario) == [1, 1, 2]


def test_a_file_limit_holds_across_restarts_in_live_and_not_across_backtests(folder: Path) -> None:
    counting = Counting()
    limited = bk.Interval.file(counting.slow, "1d", "report")

    async def twice() -> list[Any]:
        return [await limited("BTC", 1), await limited("BTC", 2), await limited("ETH", 1)]

    assert with_store(folder, 5, twice) == [1, None, 2]
    assert with_store(folder, 5, twice) == [3, None, 4]
    counting.calls.clear()
    when = "2025-01-01T00:10"
    for expected in ([1, None, 2], [None, None, None]):
        with bk.Kit():
            bk.use_store(f"file:{folder}")
            assert asyncio.run(bk.run_in_mock_context(twice, when=when)) == expected


def test_an_answer_of_none_leaves_a_file_limit_open(folder: Path) -> None:
    limited = bk.Interval.file(Counting(None).slow, "1d", "report")

    async def scenario() -> list[Any]:
        return [await limited("a"), await limited("a"), await limited("a")]

    assert with_store(folder, 0, scenario) == [None, 2, None]


def test_two_functions_cannot_have_one_folder(folder: Path) -> None:
    async def one(symbol: str) -> int:
        return 1

    async def two(symbol: str) -> int:
        return 2

    bk.Cache.file(one, "1h", "x")
    bk.Cache.file(one, "1h", "x")  # as when a cell of a notebook is run again
    bk.Cache.file(two, "1d", "x")
    bk.Interval.file(two, "1h", "x")
    with pytest.raises(UsageError, match=r"measure files 'x_1h' belong to .*one already, and .*two would answer"):
        bk.Cache.file(two, "1h", "x")


def test_what_json_cannot_carry_is_refused_by_name(folder: Path) -> None:
    cached = bk.Cache.file(Counting({1}).slow, "1h", "prices")
    with pytest.raises(UsageError, match=r"what Counting\.slow returned is a set"):
        with_store(folder, 0, lambda: cached("a"))
    with pytest.raises(UsageError, match=r"the key of Counting\.slow\[0\]\[0\] is a set"):
        with_store(folder, 0, lambda: cached({1}))
    with pytest.raises(UsageError, match=r"is a plain function\. Keeping values in files needs a coroutine function"):
        bk.Cache.file(Counting().plain, "1h", "plain")


def test_a_key_makes_json_of_other_arguments(folder: Path) -> None:
    cached = bk.Cache.file(Counting().slow, "1h", "prices", key=lambda values: sorted(values))
    assert with_store(folder, 0, lambda: cached({2, 1})) == with_store(folder, 1, lambda: cached([1, 2])) == 1
