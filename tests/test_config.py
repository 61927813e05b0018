"""The configuration: defaults, rules, names, environment, and the reference's list of accepted and refused values."""

from __future__ import annotations

import gzip
import json
import math
import pickle
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from backtestkit.config import Config, Rule
from backtestkit.errors import ConfigError
from backtestkit.model.fill_policy import POLICIES

GOLDEN = Path(__file__).resolve().parents[1].parent / "shared" / "golden" / "config_validation.jsonl.gz"


def refused(changes: dict[str, Any], **how: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        Config.defaults().merged(changes, **how)
    return caught.value


def test_every_field_has_a_description_and_one_rule_that_its_default_keeps() -> None:
    for name, field in Config.model_fields.items():
        rules = [m for m in field.metadata if isinstance(m, Rule)]
        assert len(rules) == 1, name
        assert rules[0].holds(field.default), name
        assert field.description and field.description.endswith("."), name


def test_the_fill_policies_of_the_config_are_those_that_exist() -> None:
    assert set(get_args(Config.model_fields["fill_policy"].annotation)) == set(POLICIES)


def test_a_merge_makes_a_new_config_and_leaves_the_old_one() -> None:
    before = Config.defaults()
    after = before.merged({"percent_fee": 0.05})
    assert (before.percent_fee, after.percent_fee) == (0.1, 0.05)
    assert after.as_dict() == before.as_dict() | {"percent_fee": 0.05}


def test_merges_build_on_each_other() -> None:
    config = Config.defaults().merged({"percent_fee": 0.05}).merged({"percent_slippage": 0.02})
    assert (config.percent_fee, config.percent_slippage) == (0.05, 0.02)


def test_a_config_cannot_be_assigned_to() -> None:
    with pytest.raises(ValidationError):
        Config.defaults().percent_fee = 1.0  # type: ignore[misc]


def test_constant_names_of_the_manual_are_accepted() -> None:
    assert Config.defaults().merged({"CC_PERCENT_FEE": 0.05}).percent_fee == 0.05
    assert refused({"CC_PERCENT_FEE": -1}).keys == ("percent_fee",)


def test_whole_floats_and_numpy_numbers_are_numbers() -> None:
    config = Config.defaults().merged({"max_signals": 7.0, "max_log_lines": np.int64(3), "percent_fee": np.float64(0)})
    assert (config.max_signals, config.max_log_lines, config.percent_fee) == (7, 3, 0.0)
    assert (type(config.max_signals), type(config.max_log_lines), type(config.percent_fee)) == (int, int, float)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("percent_fee", -0.1),
        ("percent_fee", math.nan),
        ("percent_fee", "0.1"),
        ("percent_fee", True),
        ("percent_fee", None),
        ("position_entry_cost", 0),
        ("signal_leverage_multiplier", math.inf),
        ("avg_price_candles_count", 0),
        ("max_signals", 1.5),
        ("max_signals", True),
        ("max_signal_lifetime_minutes", 0.5),
        ("max_signal_lifetime_minutes", 1.5),
        ("max_signal_lifetime_minutes", -math.inf),
        ("max_signal_lifetime_minutes", math.nan),
        ("order_book_time_offset_minutes", 0),
        ("aggregated_trades_max_minutes", 1),
        ("enable_long_signal", 1),
        ("on_error", "ignore"),
        ("fill_policy", "optimistic"),
    ],
)
def test_a_broken_rule_names_field_value_and_limit(name: str, value: Any) -> None:
    error = refused({name: value})
    assert error.keys == (name,)
    assert f"{name}=" in str(error) and "must be" in str(error)
    assert f"(the default is {Config.model_fields[name].default!r})" in str(error)


def test_lifetime_may_be_infinite() -> None:
    assert Config.defaults().merged({"max_signal_lifetime_minutes": math.inf}).max_signal_lifetime_minutes == math.inf


def test_all_complaints_come_at_once_in_the_order_of_the_fields() -> None:
    error = refused({"on_error": "x", "max_signals": 0, "percent_fee": "a lot", "percent_fees": 1, "nonsense_": 2})
    assert error.keys == ("percent_fees", "nonsense_", "percent_fee", "on_error", "max_signals")
    assert "percent_fees is no setting. Did you mean percent_fee" in str(error)
    assert "nonsense_ is no setting. bk.get_default_config() shows all names." in str(error)


def test_a_take_profit_closer_than_the_costs_is_refused_with_the_sum() -> None:
    error = refused({"percent_fee": 0.2})
    assert error.keys == ("min_takeprofit_distance_percent",)
    assert "must be at least 0.6, the costs of a trade" in str(error)


@given(st.integers(1, 400), st.integers(1, 400))
def test_a_take_profit_at_exactly_the_costs_passes_whatever_the_decimals(fee: int, slippage: int) -> None:
    least = (2 * fee + 2 * slippage) / 1000
    changes = {"percent_fee": fee / 1000, "percent_slippage": slippage / 1000}
    assert Config.defaults().merged({**changes, "min_takeprofit_distance_percent": least})
    assert refused({**changes, "min_takeprofit_distance_percent": least - 0.001}).keys == (
        "min_takeprofit_distance_percent",
    )


def test_a_wrong_type_does_not_bring_a_complaint_about_its_relations() -> None:
    assert refused({"min_stoploss_distance_percent": "x", "max_stoploss_distance_percent": 0.1}).keys == (
        "min_stoploss_distance_percent",
    )


def test_unsafe_skips_rules_and_relations_but_not_types_or_names() -> None:
    config = Config.defaults().merged({"percent_fee": -1, "min_stoploss_distance_percent": 50}, unsafe=True)
    assert (config.percent_fee, config.min_stoploss_distance_percent) == (-1.0, 50.0)
    assert refused({"percent_fee": "much", "percent_fees": 1}, unsafe=True).keys == ("percent_fees", "percent_fee")


def test_making_a_config_by_hand_passes_the_same_gate() -> None:
    assert Config(percent_fee=0.05).percent_fee == 0.05
    with pytest.raises(ConfigError, match=r"percent_fee=-1\.0 must be a finite number of at least 0"):
        Config(percent_fee=-1)
    assert Config.model_validate(Config.defaults()) is Config.defaults()


def test_a_config_survives_pickling() -> None:
    config = Config.defaults().merged({"percent_fee": -1}, unsafe=True)
    assert pickle.loads(pickle.dumps(config)) == config


def test_environment_variables_are_read_by_type() -> None:
    config = Config.from_environment(
        {
            "BACKTESTKIT_PERCENT_FEE": "0.05",
            "BACKTESTKIT_MAX_SIGNALS": "7",
            "BACKTESTKIT_MAX_SIGNAL_LIFETIME_MINUTES": "inf",
            "BACKTESTKIT_ENABLE_SHORT_SIGNAL": "No",
            "BACKTESTKIT_FILL_POLICY": "reference",
            "PERCENT_FEE": "9",
        }
    )
    assert config.as_dict() == Config.defaults().as_dict() | {
        "percent_fee": 0.05,
        "max_signals": 7,
        "max_signal_lifetime_minutes": math.inf,
        "enable_short_signal": False,
        "fill_policy": "reference",
    }


@pytest.mark.parametrize(
    ("variable", "text", "key"),
    [
        ("BACKTESTKIT_PERCENT_FEE", "a lot", "percent_fee"),
        ("BACKTESTKIT_PERCENT_FEE", "-1", "percent_fee"),
        ("BACKTESTKIT_MAX_SIGNALS", "1.5", "max_signals"),
        ("BACKTESTKIT_ENABLE_LONG_SIGNAL", "maybe", "enable_long_signal"),
        ("BACKTESTKIT_MIN_STOPLOSS_DISTANCE_PERCENT", "99", "min_stoploss_distance_percent"),
    ],
)
def test_a_bad_variable_is_named(variable: str, text: str, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"{variable}=.* must be") as caught:
        Config.from_environment({variable: text})
    assert caught.value.keys == (key,)


def test_a_mistyped_variable_is_refused_and_a_foreign_one_is_not() -> None:
    with pytest.raises(
        ConfigError, match=r"BACKTESTKIT_PERCENT_FEES is unknown\. Did you mean BACKTESTKIT_PERCENT_FEE\?"
    ):
        Config.from_environment({"BACKTESTKIT_PERCENT_FEES": "1"})
    assert Config.from_environment({"BACKTESTKIT_LOG": "debug"}) == Config.defaults()


@pytest.mark.skipif(not GOLDEN.exists(), reason=f"reference records are not there: {GOLDEN}")
def test_golden_config_validation() -> None:
    records = [json.loads(line) for line in gzip.decompress(GOLDEN.read_bytes()).splitlines()]
    assert records
    for record in records:
        changes = {k: float(v) if v in ("inf", "nan") else v for k, v in record["config"].items()}
        try:
            Config.defaults().merged(changes)
            keys = None
        except ConfigError as error:
            keys = {"CC_" + key.upper() for key in error.keys}
        expected = None if record["expected"]["accepted"] else set(record["expected"]["invalid_keys"])
        assert keys == expected, record["id"]
