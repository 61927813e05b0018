"""The candle store: what goes in comes out, coverage is kept apart from candles, and damage is never believed."""

from __future__ import annotations

import asyncio
import multiprocessing
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtestkit.errors import DataError
from backtestkit.market.candle_block import (
    CandleBlock,
    DamagedBlockError,
    Fetch,
    block_name,
    block_range,
    blocks_between,
    decode_block,
    encode_block,
    join_fetches,
    read_head,
)
from backtestkit.market.candle_store import CandleStore
from backtestkit.market.safe_names import safe_exchange, safe_symbol
from backtestkit.model.candle import Candles
from backtestkit.model.interval import INTERVAL_MS, parse_time, to_ms

MINUTE = 60_000
HOUR = 3_600_000
LATER = to_ms(parse_time("2030-01-01"))
START = to_ms(parse_time("2025-01-31T23:00"))


def minutes(first: int, last: int, without: set[int] | None = None, step: int = MINUTE, seed: float = 0.0) -> Candles:
    """Candles number `first` to `last` (not included), counted from START."""
    there = [i for i in range(first, last) if i not in (without or set())]
    close = 100 + np.array(there, dtype=np.float64) / 8 + seed
    stamps = START + step * np.array(there, dtype=np.int64)
    return Candles.from_columns(stamps, close, close + 1, close - 1, close, np.ones(len(there)))


def write(store: CandleStore, first: int, last: int, candles: Candles | None = None, at: int = LATER) -> None:
    found = minutes(first, last) if candles is None else candles
    asyncio.run(store.write("bybit", "BTC/USDT:USDT", "1m", START + first * MINUTE, START + last * MINUTE, found, at))


def read(store: CandleStore, first: int, last: int) -> tuple[Candles, list[tuple[int, int]]]:
    found, missing = store.read("bybit", "BTC/USDT:USDT", "1m", START + first * MINUTE, START + last * MINUTE)
    return found, [((since - START) // MINUTE, (until - START) // MINUTE) for since, until in missing]


@pytest.fixture
def store(tmp_path: Path) -> CandleStore:
    return CandleStore(tmp_path / "candles")


class TestReadingBack:
    def test_nothing_is_there_at_first(self, store: CandleStore) -> None:
        assert read(store, 0, 10) == (Candles.empty(), [(0, 10)])
        assert store.markets() == []
        assert store.market("bybit", "BTC/USDT:USDT", "1m") is None

    def test_what_was_written_comes_back_over_the_borders_of_blocks(self, store: CandleStore) -> None:
        write(store, 0, 150)
        assert read(store, 0, 150) == (minutes(0, 150), [])
        assert read(store, 50, 70) == (minutes(50, 70), [])
        assert [path.name for path in store.blocks()] == ["2025-01.parquet", "2025-02.parquet"]

    def test_a_hole_is_not_the_same_as_not_fetched(self, store: CandleStore) -> None:
        write(store, 10, 20, minutes(10, 20, without={13, 14}))
        found, missing = read(store, 0, 30)
        assert found == minutes(10, 20, without={13, 14})
        assert missing == [(0, 10), (20, 30)]

    def test_a_range_without_any_candle_is_covered(self, store: CandleStore) -> None:
        write(store, 0, 10, Candles.empty())
        assert read(store, 0, 10) == (Candles.empty(), [])

    def test_ranges_are_added_in_any_order(self, store: CandleStore) -> None:
        for first, last in ((50, 100), (0, 20), (20, 50)):
            write(store, first, last)
        assert read(store, 0, 100) == (minutes(0, 100), [])

    def test_a_newer_fetch_replaces_an_older_one(self, store: CandleStore) -> None:
        write(store, 0, 30)
        write(store, 10, 20, minutes(10, 20, without={15}, seed=0.5))
        found, missing = read(store, 0, 30)
        assert missing == []
        assert found == Candles.concat([minutes(0, 10), minutes(10, 20, without={15}, seed=0.5), minutes(20, 30)])

    @given(
        writes=st.lists(st.tuples(st.integers(0, 90), st.integers(1, 40), st.sets(st.integers(0, 130))), max_size=6),
        since=st.integers(0, 100),
        size=st.integers(1, 40),
    )
    @settings(max_examples=25, deadline=None)
    def test_any_sequence_of_writes_reads_like_a_dictionary(
        self, tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[int, int, set[int]]], since: int, size: int
    ) -> None:
        store = CandleStore(tmp_path_factory.mktemp("store"))
        known: dict[int, float | None] = {}
        for version, (first, length, holes) in enumerate(writes):
            part = minutes(first, first + length, without=holes, seed=version / 1024)
            write(store, first, first + length, part)
            known |= dict.fromkeys(range(first, first + length))
            known |= dict(zip(((part.timestamp - START) // MINUTE).tolist(), part.close.tolist(), strict=True))
        found, missing = read(store, since, since + size)
        asked = range(since, since + size)
        expected = {i: known[i] for i in asked if known.get(i) is not None}
        assert dict(zip(((found.timestamp - START) // MINUTE).tolist(), found.close.tolist(), strict=True)) == expected
        assert [i for a, b in missing for i in range(a, b)] == [i for i in asked if i not in known]


class TestWriting:
    def test_a_forming_candle_is_never_stored(self, store: CandleStore) -> None:
        # Asked 1.999 s after the candle number 4 closed: it counts as forming.
        write(store, 0, 10, at=START + 5 * MINUTE + 1999)
        assert read(store, 0, 10) == (minutes(0, 4), [(4, 10)])
        write(store, 0, 10, at=START + 5 * MINUTE + 2000)
        assert read(store, 0, 10) == (minutes(0, 5), [(5, 10)])

    def test_a_range_that_lies_in_the_future_stores_nothing(self, store: CandleStore) -> None:
        write(store, 0, 10, at=START)
        assert list(store.blocks()) == []

    @pytest.mark.parametrize(
        ("spoiled", "complaint"),
        [
            (minutes(0, 10).take(np.array([0, 2, 1])), "out of order"),
            (minutes(0, 10).take(np.array([0, 1, 1])), "out of order"),
            (minutes(-1, 5), "before 2025-01-31 23:00"),
            (Candles.from_rows([(START + 1, 1, 1, 1, 1, 1)]), "off the grid"),
            (Candles.from_rows([(START, 1, 1, 2, 1, 1)]), "cannot be true"),
            (Candles.from_rows([(START, 1, 1, 0, 1, 1)]), "cannot be true"),
            (Candles.from_rows([(START, 1, float("nan"), 1, 1, 1)]), "cannot be true"),
            (Candles.from_rows([(START, 1, 1, 1, 1, -1)]), "cannot be true"),
        ],
    )
    def test_bad_candles_change_nothing(self, store: CandleStore, spoiled: Candles, complaint: str) -> None:
        write(store, 0, 10)
        with pytest.raises(DataError, match=complaint):
            write(store, 0, 10, spoiled)
        assert read(store, 0, 10) == (minutes(0, 10), [])

    def test_candles_behind_the_range_are_left_out(self, store: CandleStore) -> None:
        write(store, 0, 5, minutes(0, 8))
        assert read(store, 0, 8) == (minutes(0, 5), [(5, 8)])

    def test_processes_that_write_at_once_lose_nothing(self, store: CandleStore) -> None:
        context = multiprocessing.get_context("spawn")
        jobs = [context.Process(target=write_some, args=(str(store.root), part)) for part in range(3)]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join(60)
        assert [job.exitcode for job in jobs] == [0, 0, 0]
        assert read(store, 0, 60) == (minutes(0, 60), [])

    def test_tasks_that_write_at_once_lose_nothing(self, store: CandleStore) -> None:
        async def together() -> None:
            await asyncio.gather(
                *(
                    store.write(
                        "bybit", "BTC/USDT:USDT", "1m", START + i * MINUTE, START + (i + 1) * MINUTE,
                        minutes(i, i + 1), LATER,
                    )
                    for i in range(8)
                )
            )  # fmt: skip

        asyncio.run(together())
        assert read(store, 0, 8) == (minutes(0, 8), [])


def write_some(root: str, part: int) -> None:
    for i in range(part, 60, 3):
        write(CandleStore(root), i, i + 1)


class TestDamage:
    @pytest.fixture
    def block(self, store: CandleStore) -> Path:
        write(store, 0, 50)
        return next(store.blocks())

    @pytest.mark.parametrize("keep", [0, 3, 200, -1])
    def test_a_cut_block_names_the_file_and_the_fix(self, store: CandleStore, block: Path, keep: int) -> None:
        block.write_bytes(block.read_bytes()[:keep])
        with pytest.raises(DamagedBlockError, match=r"2025-01.parquet is damaged.*Delete the file.*data download") as e:
            read(store, 0, 10)
        assert e.value.path == block

    def test_no_flipped_byte_is_believed(self, store: CandleStore, block: Path) -> None:
        good, expected = block.read_bytes(), read(store, 0, 50)
        for place in range(0, len(good), 7):
            block.write_bytes(good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :])
            try:
                assert read(store, 0, 50) == expected
            except DamagedBlockError:
                continue

    def test_a_changed_number_is_found_by_the_hash(self, store: CandleStore, block: Path) -> None:
        table = pq.ParquetFile(block).read()
        column = table.column("close").to_numpy().copy()
        column[3] += 0.01
        pq.write_table(table.set_column(4, "close", pa.array(column)), block)
        with pytest.raises(DamagedBlockError, match="does not have the hash"):
            read(store, 0, 10)

    def test_changed_coverage_is_found_by_the_hash(self, store: CandleStore, block: Path) -> None:
        table = pq.ParquetFile(block).read()
        head = orjson.loads(table.schema.metadata[b"backtestkit.candles"])
        head["fetches"][0][1] += MINUTE
        pq.write_table(table.replace_schema_metadata({b"backtestkit.candles": orjson.dumps(head)}), block)
        with pytest.raises(DamagedBlockError, match="does not have the hash"):
            read(store, 0, 10)

    def test_other_parquet_files_and_formats_are_refused(self, store: CandleStore, block: Path) -> None:
        table = pq.ParquetFile(block).read()
        for metadata, complaint in (
            ({}, "no candle block"),
            ({b"backtestkit.candles": b'{"format": 99}'}, "it has format 99, this program reads 1"),
            ({b"backtestkit.candles": b"nonsense"}, "its metadata cannot be read"),
            ({b"backtestkit.candles": b'{"format": 1, "fetches": [[1]]}'}, "its metadata cannot be read"),
        ):
            pq.write_table(table.replace_schema_metadata(metadata), block)
            with pytest.raises(DamagedBlockError, match=complaint):
                read(store, 0, 10)
            with pytest.raises(DamagedBlockError, match=complaint):
                read_head(block)
        block.write_bytes(b"nonsense")
        with pytest.raises(DamagedBlockError, match="ArrowInvalid"):
            store.markets()

    def test_a_block_in_the_wrong_place_is_refused(self, store: CandleStore, block: Path) -> None:
        block.rename(block.with_name("2024-12.parquet"))
        with pytest.raises(DamagedBlockError, match="another place"):
            store.read_block(block.with_name("2024-12.parquet"))
        block.with_name("2024-12.parquet").rename(block.with_name("summer.parquet"))
        with pytest.raises(DamagedBlockError, match="no year and no month"):
            store.read_block(block.with_name("summer.parquet"))
        folder = store.folder("bybit", "ETHUSDT", "1m")
        folder.mkdir(parents=True)
        block.with_name("summer.parquet").rename(folder / "2025-01.parquet")
        with pytest.raises(DamagedBlockError, match="another place"):
            store.read("bybit", "ETHUSDT", "1m", START, START + MINUTE)

    def test_a_block_of_another_market_whose_name_looks_the_same_is_refused(
        self, store: CandleStore, block: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("backtestkit.market.candle_store.safe_symbol", lambda name: "SAME")
        folder = store.folder("bybit", "BTC/USDT:USDT", "1m")
        folder.mkdir(parents=True)
        block.rename(folder / block.name)
        with pytest.raises(DamagedBlockError, match="it holds bybit BTC/USDT:USDT 1m"):
            store.read("bybit", "OTHER", "1m", START, START + MINUTE)

    def test_a_damaged_block_can_be_set_aside(self, store: CandleStore, block: Path) -> None:
        block.write_bytes(b"nonsense")
        assert store.set_aside(block).name == "2025-01.parquet.damaged"
        assert read(store, 0, 10) == (Candles.empty(), [(0, 10)])

    def test_leftovers_of_an_interrupted_write_do_no_harm(self, store: CandleStore, block: Path) -> None:
        (block.parent / ".backtestkit-0123.tmp").write_bytes(b"half")
        write(store, 50, 60)
        assert read(store, 0, 60) == (minutes(0, 60), [])


class TestMarkets:
    def test_each_market_is_listed_with_what_it_has(self, store: CandleStore) -> None:
        write(store, 0, 100, minutes(0, 100, without={5, 6}))
        write(store, 200, 210)
        days = minutes(0, 40, step=INTERVAL_MS["1d"])
        day = START // INTERVAL_MS["1d"] * INTERVAL_MS["1d"]
        daily = Candles.from_columns(
            day + np.arange(40) * INTERVAL_MS["1d"], days.open, days.high, days.low, days.close, days.volume
        )
        asyncio.run(store.write("binance", "btcusdt", "1d", day, day + 40 * INTERVAL_MS["1d"], daily, LATER))
        one, two = store.markets()
        assert (one.exchange_name, one.symbol, one.interval, one.candles, one.missing) == (
            "binance",
            "btcusdt",
            "1d",
            40,
            0,
        )
        assert [path.name for path in one.blocks] == ["2025.parquet"]
        assert (two.symbol, two.candles, two.missing) == ("BTC/USDT:USDT", 108, 2)
        assert two.coverage == (
            (START, START + 100 * MINUTE),
            (START + 200 * MINUTE, START + 210 * MINUTE),
        )
        assert two.size_bytes == sum(path.stat().st_size for path in two.blocks)
        assert store.market("bybit", "BTC/USDT:USDT", "1m") == two

    def test_the_head_of_a_block_tells_its_coverage(self, store: CandleStore) -> None:
        write(store, 0, 10)
        head = read_head(next(store.blocks()))
        assert head.coverage == ((START, START + 10 * MINUTE),)
        assert head.fetches == (Fetch(START, START + 10 * MINUTE, LATER),)


class TestBlocks:
    def test_minutes_have_a_block_a_month_and_hours_one_a_year(self) -> None:
        assert (block_name(START, "1m"), block_name(START, "30m"), block_name(START, "1h")) == (
            "2025-01",
            "2025-01",
            "2025",
        )
        assert block_range("2025-12") == (to_ms(parse_time("2025-12-01")), to_ms(parse_time("2026-01-01")))
        assert block_range("2024") == (to_ms(parse_time("2024-01-01")), to_ms(parse_time("2025-01-01")))

    def test_a_range_is_cut_where_blocks_meet(self) -> None:
        border = to_ms(parse_time("2025-02-01"))
        assert blocks_between(START, border + 5, "1m") == [
            ("2025-01", (START, border)),
            ("2025-02", (border, border + 5)),
        ]
        assert blocks_between(START, START, "1m") == []

    def test_what_is_encoded_is_decoded(self) -> None:
        block = CandleBlock("bybit", "BTCUSDT", "1m", (Fetch(START, START + 5 * MINUTE, LATER),), minutes(0, 5))
        again = decode_block(encode_block(block), Path("x"))
        assert again == block
        assert not again.candles.close.flags.writeable

    def test_fetches_that_touch_and_are_an_hour_apart_are_joined_with_the_earlier_time(self) -> None:
        assert join_fetches([Fetch(5, 9, 100 + HOUR), Fetch(0, 5, 100)]) == (Fetch(0, 9, 100),)
        apart = (Fetch(0, 5, 100), Fetch(5, 9, 101 + HOUR))
        assert join_fetches(apart) == apart
        assert join_fetches([Fetch(0, 5, 1), Fetch(6, 9, 1)]) == (Fetch(0, 5, 1), Fetch(6, 9, 1))


class TestNames:
    @pytest.mark.parametrize("name", ["BTCUSDT", "BTCUSDT-PERP", "1INCHUSDT"])
    def test_plain_symbols_stay(self, name: str) -> None:
        assert safe_symbol(name) == name

    def test_others_are_readable_and_marked(self) -> None:
        assert safe_symbol("BTC/USDT:USDT").startswith("BTC_USDT_USDT~")
        assert safe_exchange("bybit") == "bybit"
        assert safe_exchange("My Exchange").startswith("My_Exchange~")

    @given(st.lists(st.text(min_size=1, max_size=60), min_size=2, max_size=12, unique=True))
    def test_different_names_are_different_files_everywhere(self, names: list[str]) -> None:
        for safe in (safe_symbol, safe_exchange):
            made = [safe(name) for name in names]
            assert len({name.lower() for name in made}) == len(names)
            assert all(name.isascii() and not set(name) & set('/\\:*?"<>| ') and len(name) < 60 for name in made)

    @pytest.mark.parametrize("names", [("btcusdt", "BTCUSDT", "BtcUsdt"), ("A/B", "A:B", "A_B", "A B"), ("CON", "NUL")])
    def test_names_that_a_file_system_would_confuse_are_told_apart(self, names: tuple[str, ...]) -> None:
        assert len({safe_symbol(name).lower() for name in names}) == len(names)
        assert not {"con", "nul"} & {safe_symbol(name).lower() for name in names}
        assert safe_exchange("con") != "con"
