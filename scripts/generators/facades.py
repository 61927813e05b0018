"""The position queries and commands with the context given by keywords."""

from __future__ import annotations

import inspect

from backtestkit.api.position import PositionApi, PositionCommands, PositionQueries
from generators.source import HEAD, tidy

CONTEXT = "strategy_name: str, exchange_name: str, frame_name: str"
BIND = "self._position(symbol, strategy_name, exchange_name, frame_name)"

IMPORTS = """from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backtestkit.api.run_facade import RunFacade
from backtestkit.clients.queries import Ladder, StrategyStatus
from backtestkit.model.signal import Entry, PartialClose, PublicSignal, Signal

if TYPE_CHECKING:
    from backtestkit.clients.commands import Outcome

"""


def queries_facade() -> str:
    """`api/queries_facade.py`."""
    head = HEAD.format(text="Position queries with the context given by keywords.")
    body = _class("PositionQueriesFacade", PositionQueries, "Questions about the open position of a run.")
    return tidy(head + IMPORTS + body, "generated.py")


def commands_facade() -> str:
    """`api/commands_facade.py`."""
    head = HEAD.format(text="Position commands with the context given by keywords.")
    body = _class("PositionCommandsFacade", PositionCommands, "Commands to the strategy of a run.")
    return tidy(head + IMPORTS + body, "generated.py")


def _class(name: str, source: type, text: str) -> str:
    methods = [fn for key, fn in vars(source).items() if not key.startswith("_") and inspect.iscoroutinefunction(fn)]
    return f'\nclass {name}(RunFacade):\n    """{text}"""\n\n' + "\n".join(_method(fn) for fn in methods)


def _method(fn: object) -> str:
    signature = inspect.signature(fn)  # type: ignore[arg-type]
    parameters = list(signature.parameters.values())[1:]
    positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    keyword = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    listed = ", ".join(["self", "symbol: str", *map(_declared, positional), "*", *map(_declared, keyword), CONTEXT])
    given = ", ".join([*(p.name for p in positional), *(f"{p.name}={p.name}" for p in keyword)])
    name = fn.__name__  # type: ignore[attr-defined]
    assert hasattr(PositionApi, name)
    return (
        f"    async def {name}({listed}) -> {signature.return_annotation}:\n"
        f'        """{inspect.getdoc(fn)}"""\n'
        f"        return await {BIND}.{name}({given})\n"
    )


def _declared(parameter: inspect.Parameter) -> str:
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    return f"{parameter.name}: {parameter.annotation}{default}"
