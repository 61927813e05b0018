"""Plain twins of the coroutine functions, for scripts, notebooks and plain strategy functions.

Same names, same arguments, no `await`:

    from backtestkit import sync
    candles = sync.get_candles(symbol, "15m", 48)

Written by scripts/generate.py; do not edit.
"""

from backtestkit.api.context import get_runtime_info as _get_runtime_info
from backtestkit.runtime.bridge import twin

get_runtime_info = twin(_get_runtime_info)

__all__ = ["get_runtime_info"]
