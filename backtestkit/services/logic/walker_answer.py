"""What a process of a walk answers: an outcome as bytes, with its trades written tightly and its error with its causes.

A walk of hundreds of candidates moves hundreds of thousands of trades. Pickle by itself writes each record as a mapping
of its slots; written as the arguments of its class it takes a third of the time on one side and half on the other.

Pickling an exception drops its cause and its traceback, and one whose constructor wants other arguments than its
message cannot be read back at all. So each link of the chain travels by itself, beside the text of where it came from.
"""

from __future__ import annotations

import gc
import io
import pickle
import traceback
from collections.abc import Callable
from copyreg import dispatch_table
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import Any, Final

from backtestkit.errors import RunError
from backtestkit.model.result import ClosedResult
from backtestkit.model.signal import Entry, Extreme, Funding, PartialClose, ProfitLoss, PublicSignal
from backtestkit.services.logic.walk import Tested

Reduce = Callable[[Any], tuple[type, tuple[Any, ...]]]


def _by_arguments(record: type[Any]) -> Reduce:
    """How to write a record as a call of its class."""
    values = attrgetter(*(field.name for field in fields(record)))
    return lambda written: (record, values(written))


_RECORDS: Final[dict[type, Any]] = {
    record: _by_arguments(record)
    for record in (ClosedResult, PublicSignal, ProfitLoss, Extreme, Entry, PartialClose, Funding)
}


def pack_answer(tested: Tested) -> bytes:
    """An outcome in a form that every process can read. The judge of its candidate has done its work and stays."""
    packed = None if tested.error is None else pack_error(tested.error)
    bare = replace(tested, candidate=replace(tested.candidate, judge=None), error=None)
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = dispatch_table | _RECORDS
    pickler.dump((bare, packed))
    return buffer.getvalue()


def unpack_answer(answer: bytes) -> Tested:
    """The outcome again."""
    collecting = gc.isenabled()
    gc.disable()  # thousands of new objects, none of them garbage: looking for some takes longer than reading
    try:
        tested, packed = pickle.loads(answer)
    finally:
        if collecting:
            gc.enable()
    error = None if packed is None else unpack_error(packed)
    outcome: Tested = tested if error is None else replace(tested, error=error)
    return outcome


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
