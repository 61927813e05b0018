"""Trying again: as often as allowed, only after the errors named, and said in our log alone."""

from __future__ import annotations

import asyncio

import pytest

from backtestkit.runtime.retry import repeat


class Flaky:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, value: int, *, add: int) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return value + add


def test_what_fails_for_a_while_is_repeated_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    flaky = Flaky(OSError("one"), OSError("two"))
    answer = asyncio.run(repeat(OSError, flaky, 1, attempts=3, wait_seconds=0.0, add=2))
    assert (answer, flaky.calls) == (3, 3)
    lines = [record.getMessage() for record in caplog.records]
    assert [("failed_and_is_repeated attempt=" + str(n)) in line for n, line in enumerate(lines, 1)] == [True, True]
    assert capsys.readouterr().out == ""


def test_the_last_error_is_raised() -> None:
    flaky = Flaky(OSError("one"), OSError("two"))
    with pytest.raises(OSError, match="two"):
        asyncio.run(repeat(OSError, flaky, 1, attempts=2, wait_seconds=0.0, add=2))


def test_other_errors_are_not_repeated() -> None:
    flaky = Flaky(ValueError("wrong"))
    with pytest.raises(ValueError, match="wrong"):
        asyncio.run(repeat(OSError, flaky, 1, attempts=5, wait_seconds=0.0, add=2))
    assert flaky.calls == 1
