"""The run store: what was run, in one SQLite file that any number of processes may use at once.

Every call opens the file, does one transaction and closes it, so nothing is held between calls and a process that dies
leaves the file as its last finished call left it. When a call returns, what it wrote is on the disk.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from backtestkit.errors import StoreError, UsageError
from backtestkit.model.run_record import RunRecord, Trials

VERSION: Final = 1
"""Version of the tables; a file of a newer one is refused."""
BUSY_SECONDS: Final = 30.0
"""How long a call waits for those of other processes."""

_TABLES: Final = """
create table runs (
    number integer primary key autoincrement,
    id text not null,
    kept_at integer not null,
    outcome text not null,
    symbol text not null,
    strategy_name text not null,
    exchange_name text not null,
    frame_name text not null,
    first_time integer,
    last_time integer,
    fingerprint text not null,
    data_hash text not null,
    code_hash text not null,
    configuration text not null,
    walk text not null,
    label text not null,
    trades integer not null,
    statistics text not null,
    details blob,
    closed blob,
    forgotten_at integer
);
create index runs_by_walk on runs (walk);
create index runs_by_symbol on runs (symbol, configuration);
create table walks (
    id text primary key,
    begun_at integer not null,
    finished_at integer,
    plan text not null
);
create index walks_by_plan on walks (plan);
create table sweeps (
    id text primary key,
    kept_at integer not null,
    symbol text not null,
    sweep_name text not null,
    configuration text not null,
    points integer not null
);
create index sweeps_by_symbol on sweeps (symbol);
"""

_COLUMNS: Final = (
    "id", "kept_at", "outcome", "symbol", "strategy_name", "exchange_name", "frame_name", "first_time", "last_time",
    "fingerprint", "data_hash", "code_hash", "configuration", "walk", "label", "trades", "statistics", "details",
)  # fmt: skip
_DETAILS: Final = (
    "frame",
    "policy",
    "params",
    "config",
    "versions",
    "summary",
    "seconds",
    "error",
    "error_count",
    "newest_error",
    "origin",
    "in_walk",
)
_SHOWN: Final = f"number, {', '.join(_COLUMNS)}"


class Walk(NamedTuple):
    """A walk that was begun: its id, when (ms UTC), and when it was finished, None while it was not."""

    id: str
    begun_at: int
    finished_at: int | None


class RunStore:
    """Runs in the SQLite file at `path`, which is made when the first one is kept.

    Every method raises `StoreError` that names the file when it cannot be read or written.
    """

    def __init__(self, path: str | Path) -> None:
        """Nothing is opened yet."""
        self.path: Final = Path(path)

    def add(self, record: RunRecord, closed: bytes) -> int:
        """Keep a run and its closed trades (JSON text); its number."""
        row = _row(record)
        with self._writing() as database:
            marks = ", ".join("?" * (len(row) + 1))
            cursor = database.execute(
                f"insert into runs ({', '.join(_COLUMNS)}, closed) values ({marks})", (*row, zlib.compress(closed, 1))
            )
        assert cursor.lastrowid is not None, record.id
        return cursor.lastrowid

    def get(self, run: int | str) -> RunRecord:
        """The run of a number or an id; `UsageError` when there is none."""
        number = int(run) if isinstance(run, int) or run.isdecimal() else None
        column, value = ("id", run) if number is None else ("number", number)
        with self._reading() as database:
            found = _select(database, f"where {column} = ? and forgotten_at is null", [value])
            if found:
                return found[-1]
            gone = database.execute(f"select number from runs where {column} = ?", [value]).fetchone()
            known = database.execute("select min(number), max(number) from runs where forgotten_at is null").fetchone()
        if gone is not None:
            raise UsageError(f"run {run} was deleted from {self.path}; all that is left of it is that it was tried")
        there = f"It has runs {known[0]} to {known[1]}" if known and known[0] else "It has none"
        raise UsageError(f"there is no run {run} in {self.path}. {there}.")

    def find(
        self,
        *,
        symbol: str | None = None,
        strategy_name: str | None = None,
        walk: str | None = None,
        limit: int | None = None,
    ) -> list[RunRecord]:
        """The runs of a symbol, of a strategy, of a walk, or all: the newest `limit` of them, oldest first."""
        wanted = {"symbol": symbol, "strategy_name": strategy_name, "walk": walk}
        given = {column: value for column, value in wanted.items() if value is not None}
        where = " and ".join(["forgotten_at is null", *(f"{column} = ?" for column in given)])
        with self._reading() as database:
            newest = _select(database, f"where {where} order by number desc limit ?", [*given.values(), limit or -1])
        return newest[::-1]

    def closed(self, number: int) -> bytes:
        """The closed trades of a run, as they were given."""
        with self._reading() as database:
            found = database.execute("select closed from runs where number = ?", (number,)).fetchone()
        if found is None or found[0] is None:
            raise UsageError(f"the trades of run {number} are not in {self.path}")
        return zlib.decompress(found[0])

    def numbers(self, *, walk: str | None = None, before: int | None = None) -> list[int]:
        """The numbers of the runs of a walk, of those that were kept before a time (ms UTC), or of both."""
        where = "walk = coalesce(?, walk) and kept_at < coalesce(?, kept_at + 1) and forgotten_at is null"
        with self._reading() as database:
            return [number for (number,) in database.execute(f"select number from runs where {where}", (walk, before))]

    def forget(self, numbers: Iterable[int], now: int) -> int:
        """Delete details and trades of runs, and give their space back; how many there were. That they were tried is kept."""
        with self._writing() as database:
            before = database.total_changes
            database.executemany(
                "update runs set details = null, closed = null, forgotten_at = ? "
                "where number = ? and forgotten_at is null",
                [(now, number) for number in numbers],
            )
            count = database.total_changes - before
            free = database.execute("pragma freelist_count").fetchone()[0]
            for _ in range(free):  # the statement frees a page with each step, and is stepped once
                database.execute("pragma incremental_vacuum")
            return count

    def trials(self, symbol: str, strategy_name: str | None = None) -> Trials:
        """How often strategies, or one of them, were tried on a symbol; deleted runs count.

        A run that failed before it had its data is no trial of a configuration.
        """
        where, values = "where symbol = ?", [symbol]
        if strategy_name is not None:
            where, values = where + " and strategy_name = ?", [symbol, strategy_name]
        sharpe = "json_extract(statistics, '$.sharpe_ratio')"
        points = "select max(points) as points from sweeps where symbol = ? group by configuration"
        each = f"select min(number) as first, {sharpe} as ratio from runs {where} and data_hash != '' "
        each += "group by configuration, data_hash"
        with self._reading() as database:
            runs, failed = database.execute(
                f"select count(*), sum(outcome = 'failed') from runs {where}", values
            ).fetchone()
            swept = database.execute(f"select sum(points) from ({points})", (symbol,)).fetchone()[0]
            rows = database.execute(f"select ratio from ({each}) order by first", values).fetchall()
        ratios = tuple(ratio for (ratio,) in rows if ratio is not None)
        return Trials(
            runs=runs,
            configurations=len(rows),
            failed=failed or 0,
            swept=0 if strategy_name is not None else swept or 0,
            sharpe_ratios=ratios,
        )

    def note_sweep(self, id: str, symbol: str, sweep_name: str, configuration: str, points: int, now: int) -> None:
        """Note that a grid of `points` was tried on a symbol; `configuration` is equal for equal grids and ideas."""
        with self._writing() as database:
            database.execute(
                "insert into sweeps (id, kept_at, symbol, sweep_name, configuration, points) values (?, ?, ?, ?, ?, ?)",
                (id, now, symbol, sweep_name, configuration, points),
            )

    def begin_walk(self, id: str, plan: str, now: int) -> None:
        """Note that a walk begins; `plan` is equal for equal walks."""
        with self._writing() as database:
            database.execute("insert into walks (id, begun_at, plan) values (?, ?, ?)", (id, now, plan))

    def finish_walk(self, id: str, now: int) -> None:
        """Note that a walk went through all it had to try."""
        with self._writing() as database:
            database.execute("update walks set finished_at = ? where id = ?", (now, id))

    def last_walk(self, plan: str) -> Walk | None:
        """The newest walk of that plan."""
        query = "select id, begun_at, finished_at from walks where plan = ? order by begun_at desc, rowid desc limit 1"
        with self._reading() as database:
            found = database.execute(query, (plan,)).fetchone()
        return None if found is None else Walk(*found)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The file for reading; an empty database when there is none, so that looking makes no file."""
        with self._told("read"):
            there = self.path.is_file()
            with closing(_connect(f"{self.path.resolve().as_uri()}?mode=ro" if there else "file::memory:")) as database:
                if not there or not _tables_of(database, self.path):
                    database.close()
                    with closing(_connect("file::memory:")) as empty:
                        empty.executescript(_TABLES)
                        yield empty
                    return
                yield database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The file inside one transaction, with its tables."""
        with self._told("written"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(_connect(self.path.resolve().as_uri())) as database:
                if not self.path.stat().st_size:  # it can only be chosen for a new file, and would write into any other
                    database.execute("pragma auto_vacuum = incremental")
                # The end of a transaction is the removal of its journal, which must be on the disk as well.
                database.execute("pragma synchronous = extra")
                database.execute("begin immediate")
                try:
                    if not _tables_of(database, self.path):
                        for statement in _TABLES.split(";\n"):
                            database.execute(statement)
                        database.execute(f"pragma user_version = {VERSION}")
                    yield database
                except BaseException:
                    database.rollback()
                    raise
                database.commit()

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the run store {self.path} could not be {what}: {error}") from error

    def __repr__(self) -> str:
        return f"<RunStore {self.path}>"


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _tables_of(database: sqlite3.Connection, path: Path) -> bool:
    """Whether the file has its tables; `StoreError` for those of a later version."""
    version = database.execute("pragma user_version").fetchone()[0]
    if version > VERSION:
        raise StoreError(f"the run store {path} was written by a newer backtestkit (tables {version}, here {VERSION})")
    return bool(version)


def _row(record: RunRecord) -> tuple[Any, ...]:
    details = {name: getattr(record, name) for name in _DETAILS}
    values = {
        "configuration": record.configuration,
        "statistics": orjson.dumps(record.statistics).decode(),
        "details": zlib.compress(orjson.dumps(details), 1),
    }
    return tuple(values[name] if name in values else getattr(record, name) for name in _COLUMNS)


def _select(database: sqlite3.Connection, where: str, values: Sequence[Any]) -> list[RunRecord]:
    return [_record(row) for row in database.execute(f"select {_SHOWN} from runs {where}", values)]


def _record(row: tuple[Any, ...]) -> RunRecord:
    values = dict(zip(("number", *_COLUMNS), row, strict=True))
    del values["configuration"]
    details = orjson.loads(zlib.decompress(values.pop("details")))
    values["statistics"] = orjson.loads(values["statistics"])
    known = {field.name for field in fields(RunRecord)}
    return RunRecord(**{name: value for name, value in (values | details).items() if name in known})
