"""One readable block for an error: what happened, what caused it, and where in the user's own code."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from sysconfig import get_path
from typing import Final

NOT_THE_USERS: Final = tuple(
    Path(place).resolve() for place in (Path(__file__).parents[2], get_path("stdlib"), get_path("purelib"))
)
HINT = "Add --debug for the traceback."


def error_block(error: BaseException) -> str:
    """The message of `error`, its chain of causes, each with the file and line of the user's code it passed."""
    lines = [f"error: {_message(error)}"]
    lines.extend(f"  caused by {type(cause).__name__}: {_message(cause)}{_place(cause)}" for cause in _causes(error))
    return "\n".join([*lines, HINT])


def user_place(error: BaseException) -> str | None:
    """`file:line, in function` of the innermost frame outside the package and its libraries, None without one."""
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{error.filename}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename).resolve()
        if path.exists() and not any(path.is_relative_to(place) for place in NOT_THE_USERS):
            return f"{frame.filename}:{frame.lineno}, in {frame.name}"
    return None


def _message(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return text or type(error).__name__


def _place(error: BaseException) -> str:
    place = user_place(error)
    return f"\n    at {place}" if place else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen = {id(error)}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
