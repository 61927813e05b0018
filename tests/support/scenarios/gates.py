"""Risk gates of several runs over shared profiles, without the runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from backtestkit.clients.risk import ClientRisk
from backtestkit.config import Config
from backtestkit.model.fill_policy import CONSERVATIVE, FillPolicy
from backtestkit.model.schema import RiskSchema, StrategySchema
from backtestkit.runtime.context import RunKey
from backtestkit.services.channels import Channels
from backtestkit.services.connection.strategy import new_strategy
from backtestkit.services.logic.actions import ActionSet
from backtestkit.services.logic.risk_gate import Profile, RiskGate
from backtestkit.services.logic.user_errors import UserErrors

from .rows import signal_row


class Gates:
    """Profiles by name, and gates to them."""

    def __init__(self, *, raises: bool = False) -> None:
        self.channels = Channels()
        self.books: dict[str, ClientRisk] = {}
        self.events: list[Any] = []
        self.errors: list[Any] = []
        self.raised: list[Any] = []
        self._raises = raises
        self.channels.risk.listen(self.events.append)
        self.channels.error.listen(self.errors.append)
        self.channels.validation.listen(self.raised.append)

    def gate(
        self,
        symbol: str,
        rules: Mapping[str, Iterable[Any]],
        *,
        policy: FillPolicy = CONSERVATIVE,
        callbacks: Mapping[str, Callable[..., Any]] | None = None,
        actions: Iterable[Any] = (),
        backtest: bool = True,
    ) -> Gate:
        """The gate of the run on `symbol` with `rules` by the names of their profiles."""
        key = RunKey(symbol, "s", "x", "f", backtest)
        machine = new_strategy(key, StrategySchema(strategy_name="s"), Config.defaults(), policy)
        machine.now = 60_000
        errors = UserErrors(self.channels, machine, raises=self._raises)
        profiles = [
            Profile(
                RiskSchema(risk_name=name, validations=list(checks), callbacks=callbacks),  # type: ignore[arg-type]
                self.books.setdefault(name, ClientRisk()),
            )
            for name, checks in rules.items()
        ]
        return Gate(
            machine, RiskGate(machine, profiles, self.channels, errors, ActionSet(list(actions), key, errors.tell))
        )


class Gate:
    """One gate, and the signal of its run."""

    def __init__(self, machine: Any, gate: RiskGate) -> None:
        self.machine, self.gate = machine, gate

    def row(self, **fields: Any) -> Any:
        """An open row of this run."""
        return signal_row(symbol=self.machine.key.symbol, **fields)

    async def ask(self, *, fresh: bool = True, price: float = 100.0, **fields: Any) -> bool:
        """Whether the signal may enter."""
        return await self.gate.admits(self.row(**fields), price, fresh=fresh)
