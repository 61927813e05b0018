"""Records as files: one JSON file each, replaced atomically, so that a crash leaves the old value or the new one.

    <root>/<space>/<space>/<id>.json

A file that is no JSON is set aside under another name and reported; nothing is ever deleted for being damaged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from backtestkit.errors import StoreError
from backtestkit.persistence.file_names import from_file_name, to_file_name
from backtestkit.persistence.json_values import decode, encode
from backtestkit.persistence.store import Json, Report, Space, natural_order
from backtestkit.runtime.files import remove_now, remove_stale_temps, set_aside_now, write_atomic_now
from backtestkit.runtime.log import logger

P = ParamSpec("P")
R = TypeVar("R")

ENDING: Final = ".json"
DAMAGED: Final = ".damaged"


class FileStore:
    """Records under one folder, which is made when something is written.

    All work is done by one thread of its own, in the order of the calls: writes to one record never overtake each other,
    whichever event loops they come from, and no loop waits for a disk.
    """

    def __init__(self, root: str | Path, report: Report | None = None) -> None:
        """`report` is told of damaged files; without it they are logged."""
        self.root: Final = Path(root)
        self._report = report or _log
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="backtestkit-store")
        self._tidied: set[Path] = set()

    async def read(self, space: Space, id: str, default: Json = None) -> Json:
        """See `KeyValueStore`."""
        path = self._path(space, id)
        value, damage = await self._do(path, "read", _load, path, default)
        if damage is not None:
            await self._report(damage)
        return value

    async def write(self, space: Space, id: str, value: Json) -> None:
        """See `KeyValueStore`; the value is on the disk when this returns."""
        path = self._path(space, id)
        await self._do(path, "written", self._write, path, encode(value, f"{'/'.join(space)}/{id}"))

    async def remove(self, space: Space, id: str) -> None:
        """See `KeyValueStore`."""
        path = self._path(space, id)
        await self._do(path, "removed", remove_now, path)

    async def keys(self, space: Space) -> list[str]:
        """See `KeyValueStore`."""
        folder = self._folder(space)
        return natural_order(await self._do(folder, "listed", self._keys, folder))

    async def forget(self, space: Space) -> None:
        """Nothing: what is on the disk stays."""

    def __repr__(self) -> str:
        return f"<FileStore {self.root}>"

    def _write(self, path: Path, text: bytes) -> None:
        self._tidy(path.parent)
        write_atomic_now(path, text)

    def _keys(self, folder: Path) -> list[str]:
        self._tidy(folder)
        return [from_file_name(path.stem) for path in folder.glob(f"*{ENDING}") if not path.name.startswith(".")]

    def _tidy(self, folder: Path) -> None:
        """Once per folder and process: remove what interrupted writes have left."""
        if folder not in self._tidied:
            remove_stale_temps(folder)
            self._tidied.add(folder)

    def _folder(self, space: Space) -> Path:
        return self.root.joinpath(*map(to_file_name, space))

    def _path(self, space: Space, id: str) -> Path:
        return self._folder(space) / f"{to_file_name(id)}{ENDING}"

    async def _do(self, path: Path, what: str, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do `fn` in the store's thread. A cancellation takes effect when it is over."""
        call = partial(copy_context().run, partial(fn, *args, **kwargs))
        future = asyncio.get_running_loop().run_in_executor(self._thread, call)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait((future,))
            raise
        except OSError as error:
            raise StoreError(f"{path} could not be {what}: {error.strerror or error}") from error


def _load(path: Path, default: Json) -> tuple[Json, StoreError | None]:
    """The value, or `default` and what became of a damaged file; one step, so that no write comes in between."""
    try:
        return decode(path.read_bytes()), None
    except FileNotFoundError:
        return default, None
    except ValueError as error:
        aside = set_aside_now(path, DAMAGED)
        told = f"{path} is no JSON ({error}). It was set aside as {aside.name} and counts as absent."
        return default, StoreError(told)


async def _log(error: Exception) -> None:
    logger().error("record_damaged", exc_info=error)
