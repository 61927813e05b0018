"""The gate of a run: a signal passes when no rule of its risk profiles is against it, and then holds a place in each.

Rules are user code and may take their time, so no lock is held while they run. They are asked about a snapshot; when
somebody has changed a profile meanwhile, they are asked again; and between the last look and the reservation nothing
else can run. All rules of all profiles are asked before the first place is taken, so that a refusal leaves no trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from backtestkit.clients.risk import ClientRisk, candidate, place_of, rejection_of
from backtestkit.clients.strategy import ClientStrategy
from backtestkit.errors import UsageError
from backtestkit.model.event import ErrorEvent, RiskEvent
from backtestkit.model.risk import RiskPayload, RiskRejection
from backtestkit.model.schema import RiskRule, RiskSchema
from backtestkit.model.signal import ProfitLoss, PublicSignal, SignalRow
from backtestkit.runtime.user_code import UserFunction, user_function
from backtestkit.services.channels import Channels
from backtestkit.services.logic.actions import ActionSet
from backtestkit.services.logic.user_errors import UserErrors

MAX_TRIES: Final = 8
"""Times that the rules are asked about one signal while others keep changing the profiles."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a profile, ready to be asked; `name` is how messages call it."""

    ask: UserFunction
    note: str
    name: str


class Profile:
    """A risk profile with the rules and callbacks that this run has for it."""

    def __init__(self, schema: RiskSchema, book: ClientRisk) -> None:
        """`book` is shared with the other runs, the rest is this run's own."""
        self.risk_name, self.book = schema.risk_name, book
        self.rules = [_rule(schema.risk_name, i, rule) for i, rule in enumerate(schema.validations, 1)]
        callbacks = schema.callbacks
        self.callbacks: dict[str, UserFunction] = {
            name: user_function(fn)
            for name in ("on_rejected", "on_allowed")
            if callbacks is not None and (fn := getattr(callbacks, name)) is not None
        }


class RiskGate:
    """Asks, reserves and releases for one run."""

    def __init__(
        self,
        machine: ClientStrategy,
        profiles: Sequence[Profile],
        channels: Channels,
        errors: UserErrors,
        actions: ActionSet,
    ) -> None:
        """`profiles` in the order in which they are asked."""
        self._machine, self._profiles = machine, profiles
        self._channels, self._errors, self._actions = channels, errors, actions

    async def admits(self, row: SignalRow, price: float, *, fresh: bool) -> bool:
        """Whether `row` may enter at `price`; then it has a place in every profile. A refusal is told to everybody.

        `fresh` signals come from the strategy, others have waited and are about to open.
        """
        machine = self._machine
        signal = candidate(row, price, machine.now, machine.rules.pricing, fresh=fresh)
        books = [profile.book for profile in self._profiles]
        payloads: list[RiskPayload] = []
        for _ in range(MAX_TRIES):
            versions = [book.version for book in books]
            payloads = [self._payload(profile, signal, price) for profile in self._profiles]
            for profile, payload in zip(self._profiles, payloads, strict=True):
                rejection = await self._ask(profile, payload)
                if rejection is not None:
                    await self._refuse(profile, payload, rejection)
                    return False
            if versions == [book.version for book in books]:
                place = place_of(row, machine.now)
                for book in books:
                    book.take(machine.key, place, machine.now)
                await self._allow(payloads)
                return True
        note = f"the positions of the profile changed each of the {MAX_TRIES} times that its rules were asked"
        await self._refuse(self._profiles[0], payloads[0], RiskRejection("unsettled", note))
        return False

    def settle(self, kind: Literal["opened", "changed", "gone"], row: SignalRow, profit: ProfitLoss | None) -> None:
        """Bring the profiles up to date with what has become of `row`."""
        key, now = self._machine.key, self._machine.now
        for profile in self._profiles:
            if kind == "gone":
                profile.book.free(key, now, profit)
            else:
                profile.book.take(key, place_of(row, row.pending_at), now)

    def release(self) -> None:
        """Give back the places of a signal that did not become anything."""
        for profile in self._profiles:
            profile.book.free(self._machine.key, self._machine.now)

    def _payload(self, profile: Profile, signal: PublicSignal, price: float) -> RiskPayload:
        key, now = self._machine.key, self._machine.now
        counted = self._machine.rules.policy.own_place == "counted"
        active = profile.book.active(now, None if counted else key)
        return RiskPayload(
            symbol=key.symbol,
            current_signal=signal,
            strategy_name=key.strategy_name,
            exchange_name=key.exchange_name,
            risk_name=profile.risk_name,
            frame_name=key.frame_name,
            current_price=price,
            timestamp=now,
            active_position_count=len(active),
            active_positions=active,
            history=profile.book.history(now),
        )

    async def _ask(self, profile: Profile, payload: RiskPayload) -> RiskRejection | None:
        """The first rejection, with a reason in any case."""
        for rule in profile.rules:
            try:
                answer = await rule.ask(payload)
            except Exception as error:
                await self._channels.validation.emit(ErrorEvent(error, rule.name, self._machine.key, payload.timestamp))
                return RiskRejection(None, _reason(rule, error))
            try:
                rejection = rejection_of(answer, rule.name)
            except UsageError as error:
                await self._errors.caught(error, rule.name)
                return RiskRejection(None, _reason(rule, error))
            if rejection is not None:
                return RiskRejection(rejection.id or None, rejection.note or rule.note or f"refused by {rule.name}")
        return None

    async def _refuse(self, profile: Profile, payload: RiskPayload, rejection: RiskRejection) -> None:
        key = self._machine.key
        event = RiskEvent(
            key,
            payload.timestamp,
            profile.risk_name,
            payload.current_signal,
            payload.current_price,
            payload.active_position_count,
            rejection.id,
            rejection.note or "",
        )
        await self._channels.risk.emit(event)
        await self._actions.dispatch("risk", event)
        await self._call(profile, "on_rejected", event)

    async def _allow(self, payloads: Sequence[RiskPayload]) -> None:
        for profile, payload in zip(self._profiles, payloads, strict=True):
            await self._call(profile, "on_allowed", payload)

    async def _call(self, profile: Profile, name: str, what: Any) -> None:
        function = profile.callbacks.get(name)
        if function is None:
            return
        try:
            await function(self._machine.key.symbol, what)
        except Exception as error:
            await self._errors.caught(error, f"{name} of risk {profile.risk_name!r}")


def _rule(risk_name: str, number: int, rule: RiskRule) -> Rule:
    called = rule.note or getattr(rule.check, "__name__", None) or repr(rule.check)
    return Rule(user_function(rule.check), rule.note, f"validation {number} ({called}) of risk {risk_name!r}")


def _reason(rule: Rule, error: Exception) -> str:
    return f"{rule.note}: {error!r}" if rule.note else repr(error)
