"""Candles out of Parquet files."""

from __future__ import annotations

from typing import ClassVar

from backtestkit.market.file_source import FileExchange


class ParquetExchange(FileExchange):
    """An exchange over Parquet files, for example `bk.add_exchange(bk.ParquetExchange("bybit", "data/candles"))`."""

    endings: ClassVar[tuple[str, ...]] = (".parquet",)
