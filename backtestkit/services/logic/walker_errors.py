"""Exceptions that travel between processes with their causes.

Pickling an exception drops its cause and its traceback, and one whose constructor wants other arguments than its
message cannot be read back at all. So each link of the chain travels by itself, beside the text of where it came from.
"""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass

from backtestkit.errors import RunError


@dataclass(frozen=True, slots=True)
class PackedError:
    """An exception and its causes: each pickled, or None where that is not possible, with its name and its place."""

    links: tuple[tuple[bytes | None, str, str], ...]


def pack_error(error: BaseException) -> PackedError:
    """`error` in a form that every process can read."""
    links: list[tuple[bytes | None, str, str]] = []
    link: BaseException | None = error
    while link is not None and len(links) < 20:
        place = "".join(traceback.format_tb(link.__traceback__))
        links.append((_pickled(link), f"{type(link).__name__}: {link}", place))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return PackedError(tuple(links))


def unpack_error(packed: PackedError) -> Exception:
    """The exception again, with its causes; each has a note that says where it came from.

    A link that could not travel becomes a `RunError` with its name and message.
    """
    before: Exception | None = None
    for pickled, text, place in reversed(packed.links):
        error: Exception = RunError(text) if pickled is None else pickle.loads(pickled)
        if place:
            error.add_note(f"In the process of the backtest:\n{place.rstrip()}")
        error.__cause__ = before
        before = error
    assert before is not None, "an error without a link"
    return before


def _pickled(error: BaseException) -> bytes | None:
    """The exception by itself. Some libraries teach pickle to take causes along, which may not be able to travel."""
    cause, context, quiet, trace = error.__cause__, error.__context__, error.__suppress_context__, error.__traceback__
    error.__cause__ = error.__context__ = error.__traceback__ = None
    try:
        pickled = pickle.dumps(error)
        again = pickle.loads(pickled)
    except Exception:
        return None
    finally:
        error.__cause__, error.__context__, error.__traceback__ = cause, context, trace
        error.__suppress_context__ = quiet  # was set by setting the cause
    return pickled if isinstance(again, Exception) and str(again) == str(error) else None
