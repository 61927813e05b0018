"""The one mechanism of all adapters: backends are chosen, made late and dropped; switches work in any order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtestkit.adapters.adapter import Adapter, Backends, StoreBackends
from backtestkit.errors import UsageError
from backtestkit.persistence.memory_store import MemoryStore


class Backend:
    made = 0

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.closed = False

    def close(self) -> None:
        self.closed = True


def backends() -> Backends[Backend]:
    return Backends("ThingLive", {"memory": lambda: Backend("memory"), "dummy": lambda: Backend("dummy")}, "memory")


def test_the_backend_is_made_when_it_is_needed_and_kept() -> None:
    made = []

    def make() -> Backend:
        made.append(1)
        return Backend("memory")

    found = Backends("Thing", {"memory": make}, "memory")
    assert made == []
    assert found.current is found.current
    assert made == [1]


def test_a_swap_drops_and_closes_the_one_before() -> None:
    found = backends()
    before = found.current
    found.use("dummy")
    assert before.closed
    assert (found.chosen, found.current.kind) == ("dummy", "dummy")
    found.use_custom(lambda: Backend("mine"))
    assert (found.chosen, found.current.kind) == ("custom", "mine")


def test_a_swap_to_the_same_backend_starts_a_new_one() -> None:
    found = backends()
    before = found.current
    found.use("memory")
    assert found.current is not before


def test_clear_drops_the_backend_and_keeps_the_choice() -> None:
    found = backends()
    found.use("dummy")
    before = found.current
    found.clear()
    found.clear()
    assert found.current is not before and found.current.kind == "dummy"


def test_unknown_backends_and_what_makes_none_are_refused() -> None:
    with pytest.raises(UsageError, match=r"ThingLive has no backend 'memry'\. Did you mean 'memory'"):
        backends().use("memry")
    with pytest.raises(UsageError, match="ThingLive was given 3"):
        backends().use_custom(3)  # type: ignore[arg-type]


def test_a_store_that_lacks_a_method_is_refused_by_name_when_it_is_made() -> None:
    class Half:
        async def read(self) -> None: ...

    found: StoreBackends[object] = StoreBackends("ThingLive", lambda store: store, {"memory": MemoryStore}, "memory")
    assert isinstance(found.current, MemoryStore)
    found.use_store(Half)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="which has no method 'write'"):
        found.current  # noqa: B018
    found.use_store(MemoryStore)
    assert isinstance(found.current, MemoryStore)


class Subscriptions:
    """Counts what is open."""

    def __init__(self) -> None:
        self.open = 0

    def __call__(self) -> list[object]:
        self.open += 1
        ended: list[int] = []

        def end() -> None:
            if not ended:
                ended.append(1)
                self.open -= 1

        return [end]


def adapter(subscriptions: Subscriptions, *, automatic: bool = False) -> Adapter[Backend]:
    return Adapter("Thing", backends(), backends(), subscribe=subscriptions, automatic=automatic)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(["enable", "disable", "undo first", "undo last"])))
def test_any_order_of_switching_leaves_what_the_last_effective_switch_says(steps: list[str]) -> None:
    subscriptions = Subscriptions()
    thing = adapter(subscriptions)
    undos: list[tuple[int, object]] = []
    on, period = False, 0
    for step in steps:
        if step == "enable":
            if not on:
                on, period = True, period + 1
            undos.append((period, thing.enable()))
        elif step == "disable":
            thing.disable()
            on = False
        elif undos:
            begun, undo = undos[0 if step == "undo first" else -1]
            undo()  # type: ignore[operator]
            on = on and begun != period
        assert thing.enabled is on
        assert subscriptions.open == int(on)


def test_what_records_runs_must_be_enabled_before_it_is_read_or_written() -> None:
    thing = adapter(Subscriptions())
    with pytest.raises(UsageError, match=r"list_things: Thing is not enabled\. Call bk\.Thing\.enable\(\) before"):
        thing.to_read(True, "list_things")
    with pytest.raises(UsageError, match=r"write: Thing is not enabled\. Call bk\.Thing\.enable\(\) first"):
        thing.to_write(True, "write")
    undo = thing.enable()
    assert thing.to_write(False, "write") is thing.live.current
    undo()
    assert thing.to_read(True, "list_things") is thing.backtest.current
    with pytest.raises(UsageError, match="Thing is disabled"):
        thing.to_write(True, "write")


def test_what_strategies_call_is_on_from_its_first_write_and_off_when_told() -> None:
    subscriptions = Subscriptions()
    thing = adapter(subscriptions, automatic=True)
    assert thing.to_read(True, "read") is thing.backtest.current
    assert subscriptions.open == 0
    thing.to_write(True, "write")
    thing.to_write(True, "write")
    assert subscriptions.open == 1
    thing.disable()
    with pytest.raises(UsageError, match=r"write: Thing is disabled"):
        thing.to_write(True, "write")
    assert thing.to_read(True, "read") is thing.backtest.current


def test_clear_drops_both_modes() -> None:
    thing = adapter(Subscriptions())
    before = thing.backtest.current, thing.live.current
    thing.clear()
    assert thing.of(True) is not before[0] and thing.of(False) is not before[1]
