"""Strategy files: plain Python that registers schemas when it is run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType


def run_strategy(path: Path, text: str) -> None:
    """Run `text`, the content of the strategy file `path`, as a module of its own; what it registers is in the current kit.

    Its folder can be imported from, where it exists, like that of a script, but `__name__` is not `"__main__"`. The text is
    compiled anew each time: byte code that Python keeps is told from older by whole seconds and by size, and a file that
    was changed twice within a second would run as it was before. Raises what the file raises.
    """
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = ModuleType(f"backtestkit_strategy_file_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[module.__name__]
        raise
