"""Strategy files: plain Python that registers schemas when it is run."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from backtestkit.errors import UsageError


def load_strategy_file(path: Path) -> None:
    """Run `path` as a module of its own; what it registers lands in the current kit.

    Its folder can be imported from, like that of a script, but `__name__` is not `"__main__"`. Whatever it raises comes
    out as a `UsageError` that names the file, with the original as its cause.
    """
    file = path.resolve()
    folder = str(file.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = f"backtestkit_strategy_file_{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no Python file; its name must end in .py")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise UsageError(f"{path} could not be loaded") from error
