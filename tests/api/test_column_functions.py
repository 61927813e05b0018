"""The report columns of the current kit."""

from __future__ import annotations

from typing import Any

import pytest

import backtestkit as bk


def test_columns_are_those_of_the_current_kit() -> None:
    column: bk.Column[Any] = bk.Column("id", "ID", lambda trade, index: trade.signal.id)
    with bk.Kit():
        bk.set_columns({"backtest": [column]})
        assert bk.get_columns()["backtest"] == (column,)
        assert bk.get_default_columns()["backtest"][0].key == "signal_id"
    assert bk.get_columns() == bk.get_default_columns()


def test_wrong_columns_change_nothing() -> None:
    with bk.Kit():
        with pytest.raises(bk.ConfigError, match="columns refused, nothing was changed"):
            bk.set_columns({"backtest": [], "nonsense": []})
        assert bk.get_columns() == bk.get_default_columns()
