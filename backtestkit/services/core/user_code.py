"""The code of a strategy as one hash, and the files in which it stands.

What counts: the values in its schemas, down to the arguments that a function was made with, and the text of the files in
which its functions are defined and of those of the user's own files that these import. The framework and installed
packages count by their versions elsewhere. Functions that stand in no file (typed at a prompt, in a cell of a notebook)
count by what they were compiled to, with the functions that they call there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from enum import Enum
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

_INSTALLED: Final = tuple(
    Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_PACKAGE: Final = Path(__file__).resolve().parents[2]
_DEPTH_MAX: Final = 12
_VALUES_MAX: Final = 10_000
"""How many values are looked at; a table of a million numbers in a closure must not cost a second."""


class UserCode(NamedTuple):
    """The sha256 of user code, 64 hexadecimal digits, and its files: first those that define the functions given."""

    hash: str
    files: tuple[str, ...]


def user_code(*values: Any) -> UserCode:
    """The code behind schemas, functions and objects."""
    found = _Found()
    text = "\n".join(found.say(values, 0))
    files = found.files()
    digest = hashlib.sha256(text.encode(errors="backslashreplace"))
    for file in sorted(files, key=str):
        digest.update(_text_hash(file, *_stamp(file)))
    return UserCode(digest.hexdigest(), tuple(str(file) for file in files))


class _Found:
    """What is come across on the way through the values."""

    def __init__(self) -> None:
        self.namespaces: dict[int, Mapping[str, Any]] = {}
        self._going: set[int] = set()
        self._said: set[CodeType] = set()
        self._left = _VALUES_MAX

    def say(self, value: Any, depth: int) -> Iterator[str]:
        """Everything about `value` that makes a difference, in words; never an address."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            self._left -= 1
            yield repr(value)
            return
        yield _name(value if isinstance(value, type | FunctionType) else type(value))
        self._left -= 1
        if depth > _DEPTH_MAX or self._left < 0 or id(value) in self._going:
            return
        self._going.add(id(value))
        try:
            for part in self._seen(value):
                if self._left < 0:
                    break
                yield from self.say(part, depth + 1)
        finally:
            self._going.discard(id(value))
        if isinstance(value, FunctionType) and _file_of(value.__globals__) is None:
            yield from self._compiled(value.__code__, value.__globals__)

    def _seen(self, value: Any) -> Iterable[Any]:
        """The parts of `value`; none of an object of the user's that cannot be looked at, which counts by its kind."""
        try:
            return list(islice(self._parts(value), _VALUES_MAX))
        except Exception:
            return []

    def _parts(self, value: Any) -> Iterable[Any]:
        if isinstance(value, FunctionType):
            self._meet(value.__globals__)
            cells = [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
            return [value.__defaults__, value.__kwdefaults__, *cells]
        if isinstance(value, MethodType):
            return [value.__func__, value.__self__]
        if isinstance(value, partial):
            return [value.func, value.args, value.keywords]
        if isinstance(value, type):
            return self._methods(value)
        if isinstance(value, Mapping):
            return (part for item in value.items() for part in item)
        if isinstance(value, set | frozenset):
            return sorted(value, key=repr)
        if isinstance(value, list | tuple):
            return value
        if isinstance(value, BaseModel):
            return [part for item in vars(value).items() for part in item]
        if isinstance(value, date | time | timedelta | Enum):
            return [str(value)]
        own = self._methods(type(value)) if _is_users(type(value)) else []
        if dataclasses.is_dataclass(value):
            return [*own, *(getattr(value, field.name) for field in dataclasses.fields(value))]
        # What others have made may hold caches, which differ from time to time.
        kept = getattr(value, "__dict__", {}) if own else {}
        return [*own, *(part for item in kept.items() for part in item)]

    def _methods(self, kind: type) -> list[Any]:
        methods = [value for value in vars(kind).values() if isinstance(value, FunctionType)]
        for method in methods:
            self._meet(method.__globals__)
        return methods

    def _meet(self, namespace: Mapping[str, Any]) -> None:
        self.namespaces.setdefault(id(namespace), namespace)

    def _compiled(self, code: CodeType, namespace: Mapping[str, Any]) -> Iterator[str]:
        """A function without a file: its instructions, and the functions of its namespace that it names."""
        if code in self._said:
            return
        self._said.add(code)
        yield hashlib.sha256(code.co_code).hexdigest()
        yield repr((code.co_names, code.co_varnames))
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from self._compiled(constant, namespace)
            else:
                yield repr(constant)
        for name in code.co_names:
            named = namespace.get(name)
            if isinstance(named, FunctionType) and named.__globals__ is namespace:
                yield from self._compiled(named.__code__, namespace)
            elif isinstance(named, bool | int | float | str | tuple):
                yield repr(named)

    def files(self) -> list[Path]:
        """The user's files: of the namespaces met, then of the modules that these have imported."""
        waiting = list(self.namespaces.values())
        files: dict[Path, None] = {}
        while waiting:
            namespace = waiting.pop(0)
            file = _file_of(namespace)
            if file is not None and (not _is_own(file) or file in files):
                continue
            if file is not None:
                files[file] = None
            for value in list(namespace.values()):
                module = (
                    value if isinstance(value, ModuleType) else sys.modules.get(getattr(value, "__module__", "") or "")
                )
                if module is not None and (origin := _file_of(vars(module))) is not None and origin not in files:
                    waiting.append(vars(module))
        return list(files)


def _name(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}" if _is_packaged(value.__module__) else str(value.__qualname__)


def _is_packaged(module: str) -> bool:
    """Whether a name tells where it comes from; the module of a strategy file is called after how it was loaded."""
    return module.partition(".")[0] == _PACKAGE.name


def _is_users(kind: type) -> bool:
    """Whether the user has made this class."""
    if kind.__module__ == "__main__":
        return True
    module = sys.modules.get(kind.__module__)
    file = None if module is None else _file_of(vars(module))
    return file is not None and _is_own(file)


def _filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - an empty cell raises
    except ValueError:
        return False
    return True


def _file_of(namespace: Mapping[str, Any]) -> Path | None:
    file = namespace.get("__file__")
    return _resolved(file) if isinstance(file, str) and file.endswith(".py") else None


@lru_cache(maxsize=4096)
def _resolved(file: str) -> Path:
    return Path(file).resolve()


@lru_cache(maxsize=4096)
def _is_own(file: Path) -> bool:
    """Whether a file is the user's: not the framework's, and not an installed one."""
    return not file.is_relative_to(_PACKAGE) and not any(file.is_relative_to(place) for place in _INSTALLED)


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=1024)
def _text_hash(file: Path, changed: int, size: int) -> bytes:
    """sha256 of a file as it was when it had this stamp; of nothing when it is gone."""
    try:
        return hashlib.sha256(file.read_bytes()).digest()
    except OSError:
        return b""
