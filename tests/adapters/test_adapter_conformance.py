"""What every adapter needs of its backend, over every backend of the package."""

from __future__ import annotations

from pathlib import Path

import pytest

import backtestkit as bk
from backtestkit.persistence.file_store import FileStore
from backtestkit.persistence.memory_store import MemoryStore, NullStore
from backtestkit.testing import ADAPTER_CHECKS, Check


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=str)
def test_in_memory(check: Check) -> None:
    check(MemoryStore)


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=str)
def test_as_files(check: Check, tmp_path: Path) -> None:
    check(lambda: FileStore(tmp_path))


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=str)
def test_a_store_that_keeps_nothing_passes_none(check: Check) -> None:
    with pytest.raises((AssertionError, IndexError)):
        check(NullStore)


@pytest.mark.parametrize("name", ["Storage", "Recent", "Notification", "Memory", "State", "Session"])
@pytest.mark.parametrize("mode", ["Backtest", "Live"])
def test_every_selector_swaps_by_one_call(name: str, mode: str) -> None:
    with bk.Kit() as kit:
        selector = getattr(bk, f"{name}{mode}")
        adapter = getattr(kit.adapters, name.lower())
        backends = adapter.backtest if mode == "Backtest" else adapter.live
        assert backends.chosen == ("memory" if mode == "Backtest" else "persist")
        seen = {id(backends.current)}
        for choice in ("persist", "memory", "local", "dummy"):
            getattr(selector, f"use_{choice}")()
            assert backends.chosen == ("memory" if choice == "local" else choice)
            seen.add(id(backends.current))
        mine = MemoryStore()
        getattr(selector, f"use_{name.lower()}_adapter")(lambda: mine)
        assert backends.chosen == "custom"
        before = backends.current
        selector.clear()
        assert backends.current is not before


def test_the_selectors_of_memory_and_state_have_classes() -> None:
    for name in ("MemoryBacktest", "MemoryLive", "StateBacktest", "StateLive"):
        assert type(getattr(bk, name)) is getattr(bk, f"{name}Adapter")


def test_another_store_drops_what_used_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    with bk.Kit() as kit:
        live, backtest = kit.adapters.state.live.current, kit.adapters.state.backtest.current
        bk.use_store(f"file:{tmp_path}")
        assert kit.adapters.state.live.current is not live
        assert kit.adapters.state.backtest.current is backtest
        assert isinstance(kit.adapters.store, FileStore) and kit.adapters.store.root == tmp_path
        bk.use_store("memory:")
        assert isinstance(kit.adapters.store, MemoryStore)
        mine = MemoryStore()
        bk.use_store(mine)
        assert kit.adapters.store is mine
        for wrong in ("sqlite:x", "file:", "memory:x"):
            with pytest.raises(bk.UsageError, match="use_store does not know"):
                bk.use_store(wrong)


def test_a_kit_that_is_reset_has_new_adapters() -> None:
    with bk.Kit() as kit:
        before = kit.adapters
        bk.Storage.enable()
        bk.reset()
        assert kit.adapters is not before and not before.storage.enabled
        assert not kit.adapters.storage.enabled
