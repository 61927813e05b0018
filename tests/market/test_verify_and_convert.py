"""What is wrong with candles is found, counted and placed; files are converted without losing or inventing any."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtestkit.errors import DataError, UsageError
from backtestkit.market.candle_store import CandleStore
from backtestkit.market.convert import convert, encode_csv, encode_json, encode_json_lines, encode_parquet
from backtestkit.market.layout import read_layout
from backtestkit.market.tables import read_table
from backtestkit.market.verify import Finding, guess_interval, verify_candles, verify_file, verify_store
from backtestkit.model.candle import Candles
from backtestkit.model.interval import parse_time, to_ms

MONDAY = to_ms(parse_time("2025-01-06"))
MINUTE = 60_000
DAY = 86_400_000
LATER = to_ms(parse_time("2030-01-01"))


def minutes(there: Any, step: int = MINUTE) -> Candles:
    numbers = np.array(list(there), dtype=np.int64)
    close = 100 + np.sin(numbers) / 10
    return Candles.from_columns(MONDAY + step * numbers, close, close + 0.1, close - 0.1, close, np.ones(len(numbers)))


def with_value(candles: Candles, name: str, index: int, value: float) -> Candles:
    columns = {n: getattr(candles, n).copy() for n in ("timestamp", "open", "high", "low", "close", "volume")}
    columns[name][index] = value
    return Candles.from_columns(**columns)


def found(candles: Candles, interval: str = "1m", **more: Any) -> dict[str, Finding]:
    return {finding.code: finding for finding in verify_candles(candles, interval, **more)}


class TestErrors:
    def test_sound_candles_have_no_findings(self) -> None:
        assert found(minutes(range(100))) == {}

    def test_no_candles_are_an_error(self) -> None:
        assert found(Candles.empty())["no_candles"].severity == "error"

    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("close", math.nan, "not_finite"),
            ("volume", math.inf, "not_finite"),
            ("low", 0.0, "not_positive"),
            ("volume", -1.0, "negative_volume"),
            ("high", 99.0, "high_below_low"),
            ("open", 101.0, "open_close_outside"),
            ("low", 0.01, "anomaly"),
            ("high", 1e6, "anomaly"),
        ],
    )
    def test_each_broken_value_is_found_with_its_place(self, name: str, value: float, code: str) -> None:
        finding = found(with_value(minutes(range(100)), name, 7, value))[code]
        assert (finding.severity, finding.count, finding.places) == ("error", 1, ("2025-01-06 00:07",))

    def test_only_the_first_places_are_kept(self) -> None:
        broken = minutes(range(100))
        broken = Candles.from_columns(
            broken.timestamp, broken.open, broken.high, broken.low * 0, broken.close, broken.volume
        )
        finding = found(broken)["not_positive"]
        assert (finding.count, len(finding.places)) == (100, 5)

    def test_times_out_of_order_repeated_and_off_the_grid(self) -> None:
        spoiled = minutes([0, 1, 3, 2, 4, 4, 5])
        off = Candles.from_columns(np.append(spoiled.timestamp, MONDAY + 6 * MINUTE + 1), *[np.ones(8)] * 5)
        findings = found(off)
        assert findings["out_of_order"].places == ("2025-01-06 00:02",)
        assert findings["duplicate"].places == ("2025-01-06 00:04",)
        assert findings["misaligned"].count == 1
        assert "gap" not in findings

    def test_nothing_on_the_grid_at_all(self) -> None:
        assert set(found(Candles.from_columns([MONDAY + 1], *[[1.0]] * 5))) == {"misaligned"}

    def test_holes_are_counted_and_placed_with_their_sizes(self) -> None:
        finding = found(minutes([*range(10), *range(12, 20), *range(25, 30)]))["gap"]
        assert (finding.severity, finding.count) == ("error", 2)
        assert finding.places == ("2025-01-06 00:10 (2)", "2025-01-06 00:20 (5)")
        assert finding.detail == "candles are missing: 7 candles in 2 holes, the longest 5"


class TestRemarks:
    def weekdays(self, weeks: int = 2) -> list[int]:
        return [m for m in range(weeks * 7 * 1440) if m // 1440 % 7 < 5]

    def test_holes_of_a_market_that_closes_are_remarks(self) -> None:
        findings = found(minutes(self.weekdays()))
        assert findings["session_break"].severity == "remark"
        assert findings["session_break"].count == 1
        assert "gap" not in findings

    def test_short_holes_of_a_market_that_closes_are_errors(self) -> None:
        there = [m for m in self.weekdays() if m not in (100, 101)]
        findings = found(minutes(there))
        assert (findings["gap"].count, findings["session_break"].count) == (1, 1)

    def test_long_holes_of_a_market_that_never_closes_are_errors(self) -> None:
        findings = found(minutes([m for m in range(14 * 1440) if not 2000 < m < 2500]))
        assert findings["gap"].count == 1 and "session_break" not in findings

    def test_ranges_that_nobody_asked_for_are_remarks(self) -> None:
        candles = minutes([*range(10), *range(12, 20), *range(30, 40)])
        covered = ((MONDAY, MONDAY + 20 * MINUTE), (MONDAY + 30 * MINUTE, MONDAY + 40 * MINUTE))
        findings = found(candles, coverage=covered)
        assert findings["gap"].places == ("2025-01-06 00:10 (2)",)
        assert (findings["not_downloaded"].severity, findings["not_downloaded"].places) == (
            "remark",
            ("2025-01-06 00:20 (10)",),
        )

    def test_silence_is_a_remark(self) -> None:
        finding = found(with_value(minutes(range(10)), "volume", 3, 0.0))["zero_volume"]
        assert (finding.severity, finding.count, finding.detail) == ("remark", 1, "nothing traded")
        quiet = minutes(range(10))
        none = Candles.from_columns(quiet.timestamp, quiet.open, quiet.high, quiet.low, quiet.close, quiet.volume * 0)
        assert found(none)["zero_volume"].detail == "no candle has a volume"

    @pytest.mark.parametrize(("name", "value"), [("high", 120.0), ("low", 80.0)])
    def test_a_spike_is_a_remark(self, name: str, value: float) -> None:
        finding = found(with_value(minutes(range(100)), name, 50, value))["outlier"]
        assert (finding.severity, finding.places) == ("remark", ("2025-01-06 00:50",))

    def test_a_jump_between_two_candles_is_a_remark(self) -> None:
        calm, high = minutes(range(50)), minutes(range(50, 100))
        jumped = Candles.from_columns(
            high.timestamp, high.open + 20, high.high + 20, high.low + 20, high.close + 20, high.volume
        )
        assert found(Candles.concat([calm, jumped]))["outlier"].places == ("2025-01-06 00:50",)

    def test_a_market_that_stands_still_has_none(self) -> None:
        flat = Candles.from_columns(minutes(range(10)).timestamp, *[np.ones(10)] * 5)
        assert found(flat) == {}


class TestInterval:
    @pytest.mark.parametrize(("step", "interval"), [(MINUTE, "1m"), (15 * MINUTE, "15m"), (DAY, "1d")])
    def test_it_is_the_commonest_distance(self, step: int, interval: str) -> None:
        assert guess_interval(minutes([0, 1, 2, 5, 6], step=step)) == interval

    def test_one_candle_tells_nothing(self) -> None:
        assert guess_interval(minutes([0])) == "1m"

    def test_an_unknown_distance_is_refused(self) -> None:
        with pytest.raises(DataError, match="candles 1 s apart are of no known interval"):
            guess_interval(minutes(range(10), step=1000))


class TestFilesAndStores:
    def test_a_file_is_verified_in_the_order_of_its_rows(self, tmp_path: Path) -> None:
        path = tmp_path / "x.csv"
        path.write_bytes(encode_csv(minutes([0, 1, 3, 2])))
        verified = verify_file(path)
        assert not verified.sound
        assert (verified.interval, verified.candles) == ("1m", 4)
        assert (verified.first, verified.last) == (MONDAY, MONDAY + 3 * MINUTE)
        assert [finding.code for finding in verified.findings] == ["out_of_order"]
        assert verify_file(path, "5m").findings[1].code == "misaligned"

    def test_a_store_is_verified_market_by_market(self, tmp_path: Path) -> None:
        store = CandleStore(tmp_path)
        for symbol, there in (("GOOD", range(50)), ("HOLED", [0, 1, 2, 6, 7])):
            part = minutes(there)
            asyncio.run(store.write("bybit", symbol, "1m", MONDAY, MONDAY + 50 * MINUTE, part, LATER))
        good, holed = verify_store(store)
        assert (good.subject, good.sound, good.candles) == ("bybit GOOD 1m", True, 50)
        assert not holed.sound and holed.findings[0].places == ("2025-01-06 00:03 (3)",)

    def test_a_damaged_block_is_an_error_and_the_rest_is_still_looked_at(self, tmp_path: Path) -> None:
        store = CandleStore(tmp_path)
        month = 40_000
        for first in (0, month):
            part = minutes(range(first, first + 10))
            asyncio.run(
                store.write("bybit", "X", "1m", MONDAY + first * MINUTE, MONDAY + (first + 10) * MINUTE, part, LATER)
            )
        blocks = list(store.blocks())
        blocks[0].write_bytes(b"nonsense")
        (verified,) = verify_store(store)
        assert verified.findings[0].code == "damaged" and str(blocks[0]) in verified.findings[0].detail
        assert (verified.candles, verified.subject) == (10, "bybit X 1m")
        blocks[1].write_bytes(b"nonsense")
        (verified,) = verify_store(store)
        assert [finding.code for finding in verified.findings] == ["damaged", "damaged"]
        assert (verified.first, verified.interval) == (None, "1m")


class TestConvert:
    @pytest.mark.parametrize("ending", [".parquet", ".csv", ".json", ".jsonl"])
    def test_every_form_can_be_written_and_read_again(self, tmp_path: Path, ending: str) -> None:
        source, target = tmp_path / "in.csv", tmp_path / "new" / f"out{ending}"
        source.write_bytes(encode_csv(minutes(range(50))))
        done = asyncio.run(convert(source, target))
        assert done.candles == minutes(range(50))
        assert done.dropped == 0
        assert read_layout(read_table(target), "x")[0] == minutes(range(50))

    def test_repeated_rows_are_written_once(self, tmp_path: Path) -> None:
        source = tmp_path / "in.csv"
        source.write_bytes(encode_csv(minutes(range(5)).take(np.array([4, 0, 1, 1, 2, 3, 4]))))
        done = asyncio.run(convert(source, tmp_path / "out.csv"))
        assert (done.candles, done.dropped, done.layout.reordered) == (minutes(range(5)), 2, True)

    def test_two_different_candles_of_one_time_are_refused_and_nothing_is_written(self, tmp_path: Path) -> None:
        source, target = tmp_path / "in.csv", tmp_path / "out.csv"
        rows = minutes([0, 1, 1])
        source.write_bytes(encode_csv(with_value(rows, "close", 2, 99.0)))
        with pytest.raises(DataError, match=r"two different candles of 2025-01-06 00:01: Candle.*Remove one"):
            asyncio.run(convert(source, target))
        assert not target.exists()

    def test_an_unknown_form_is_refused(self, tmp_path: Path) -> None:
        for name, shown in (("x.xlsx", r"cannot write \.xlsx"), ("x", "a file without ending")):
            with pytest.raises(UsageError, match=shown):
                asyncio.run(convert(tmp_path / "in.csv", tmp_path / name))

    @pytest.mark.parametrize("encode", [encode_csv, encode_parquet, encode_json, encode_json_lines])
    def test_no_candles_can_be_written_too(self, encode: Any) -> None:
        assert isinstance(encode(Candles.empty()), bytes)
