"""`set_config`, `get_config`, `get_default_config`, `reset`: the configuration of the current kit."""

from __future__ import annotations

import inspect
import os

import pytest

import backtestkit as bk


def test_set_config_changes_the_current_kit_by_keywords_mapping_or_both() -> None:
    with bk.Kit():
        assert bk.set_config(percent_fee=0.05).percent_fee == 0.05
        config = bk.set_config({"CC_PERCENT_SLIPPAGE": 0.02, "max_signals": 3}, max_signals=4)
        assert config is bk.get_config()
        assert (config.percent_fee, config.percent_slippage, config.max_signals) == (0.05, 0.02, 4)
    assert bk.get_config() == bk.Config.from_environment(os.environ)


def test_a_refused_change_leaves_the_config() -> None:
    with bk.Kit():
        before = bk.get_config()
        with pytest.raises(bk.ConfigError, match="percent_fee=-1"):
            bk.set_config(percent_fee=-1)
        assert bk.get_config() is before
        assert bk.set_config(percent_fee=-1, unsafe=True).percent_fee == -1.0


def test_help_shows_every_setting() -> None:
    parameters = inspect.signature(bk.set_config).parameters
    assert list(parameters) == ["given", *bk.Config.model_fields, "unsafe"]
    assert all(f"- `{name}`: " in str(bk.set_config.__doc__) for name in bk.Config.model_fields)


def test_reset_empties_the_current_kit() -> None:
    with bk.Kit():
        bk.set_config(percent_fee=0.05)
        bk.add_strategy(strategy_name="s")
        bk.reset()
        assert bk.list_strategy_schema() == []
        assert bk.get_config() == bk.Config.from_environment(os.environ)
