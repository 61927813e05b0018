"""The configuration of the current kit."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from backtestkit.api.schema_functions import UNCHANGED, document, field_list, field_parameters
from backtestkit.config import Config
from backtestkit.kit import current_kit


def set_config(given: Mapping[str, Any] | None = None, /, *, unsafe: bool = False, **changes: Any) -> Config:
    # The docstring is made below from the fields.
    return current_kit().set_config({**(given or {}), **changes}, unsafe=unsafe)


def get_config() -> Config:
    """The configuration in force; runs that have started keep theirs."""
    return current_kit().config


def get_default_config() -> Config:
    """The documented defaults, without the environment's settings."""
    return Config.defaults()


document(
    set_config,
    "set_config",
    [
        inspect.Parameter("given", inspect.Parameter.POSITIONAL_ONLY, default=None),
        *field_parameters(Config, UNCHANGED, keep_defaults=False),
        inspect.Parameter("unsafe", inspect.Parameter.KEYWORD_ONLY, default=False),
    ],
    "Config",
    f"""Change the configuration of the current kit and return the new one.

Give keywords or a mapping; constants of the manual (`CC_PERCENT_FEE`) are understood too. Everything wrong is raised in
one `ConfigError`, and then nothing has changed. `unsafe=True` skips the rules, not the types. A change counts for runs
that start after it.

{field_list(Config)}
""",
)
