"""Candles out of CSV files."""

from __future__ import annotations

from typing import ClassVar

from backtestkit.market.file_source import FileExchange


class CsvExchange(FileExchange):
    """An exchange over CSV files, with a header or in the order timestamp, open, high, low, close, volume.

    For example `bk.add_exchange(bk.CsvExchange("binance", {"BTCUSDT": "btc.csv"}))`. Names of columns and units of
    times are guessed; `backtestkit data convert` shows the guess.
    """

    endings: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz", ".tsv", ".txt")
