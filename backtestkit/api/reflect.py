"""`Reflect`: position queries about any run, from anywhere."""

from __future__ import annotations

from backtestkit.api.queries_facade import PositionQueriesFacade


class _Reflect(PositionQueriesFacade):
    """Questions about the position of any run of the current kit; `frame_name=""` means the live one."""


Reflect = _Reflect()
"""Read-only position queries with the context given by keywords."""
