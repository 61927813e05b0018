"""Every test starts before the first sync twin, as a fresh process does; those that need the bridge arm it."""

from __future__ import annotations

import pytest

from backtestkit.runtime import bridge


@pytest.fixture(autouse=True)
def unarmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "_greenlets", None)
