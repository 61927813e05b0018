"""The wall clock, chance, sleeping, durable files and the network are reached only through their seams."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "backtestkit"

# What may be used only in which files: a pattern of full names, and the files of the seam.
SEAMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "wall clock": (
        r"datetime\.(datetime\.(now|utcnow|today)|date\.today)|time\.(time|monotonic|perf_counter|process_time)(_ns)?"
        r"|time\.(localtime|gmtime|ctime)",
        ("runtime/clock.py", "runtime/ids.py"),
    ),
    "chance": (
        r"random\..*|secrets\..*|uuid\.uuid[14]|os\.(urandom|getrandom)|numpy\.random\.(?!(default_rng|Generator|Philox)$).*",
        # Names of temporary files must differ between processes even when ids are replayed.
        ("runtime/ids.py", "runtime/files.py"),
    ),
    "sleeping": (r"time\.sleep|asyncio\.sleep", ("runtime/scheduler.py",)),
    "durable files": (
        r"os\.(replace|rename|renames|fsync|fdatasync|remove|unlink|rmdir|truncate|link|symlink|open|write)"
        r"|shutil\..*|tempfile\..*|open for writing|\.write_(text|bytes)|\.(unlink|rmdir|touch)\(\)",
        # The pool of a walker unlinks shared memory, which is no file.
        ("runtime/files.py", "runtime/file_lock.py", "services/logic/walker_pool.py"),
    ),
    "network": (
        r"socket\..*|ssl\..*|urllib\.request.*|http\.(client|server).*|requests\..*|aiohttp\..*|httpx.*|ccxt.*"
        r"|asyncio\.(open_connection|start_server)",
        (),
    ),
}
CCXT_ROOMS = re.compile(r"market/ccxt_\w+\.py|venue/ccxt_\w+\.py")


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def used_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that is reached through an import, and of writes to files."""
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imported[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                yield node.lineno, alias.name + "."
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield node.lineno, f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = full_name(node, imported)
            if name is not None:
                yield node.lineno, name
        if isinstance(node, ast.Call):
            yield from file_calls(node)


def full_name(node: ast.expr, imported: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return imported.get(node.id)
    if isinstance(node, ast.Attribute):
        base = full_name(node.value, imported)
        return None if base is None else f"{base}.{node.attr}"
    return None


def file_calls(call: ast.Call) -> Iterator[tuple[int, str]]:
    function = call.func
    name = (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
    if name == "open":
        first = 0 if isinstance(function, ast.Attribute) else 1
        modes = [*call.args[first : first + 1], *(k.value for k in call.keywords if k.arg == "mode")]
        if any(isinstance(m, ast.Constant) and isinstance(m.value, str) and set(m.value) & set("wax+") for m in modes):
            yield call.lineno, "open for writing"
    if name in ("write_text", "write_bytes"):
        yield call.lineno, f".{name}"
    if name in ("unlink", "rmdir", "touch"):
        yield call.lineno, f".{name}()"


def trespasses(source: str, file: str) -> list[str]:
    found = []
    for line, name in used_names(ast.parse(source)):
        for seam, (pattern, homes) in SEAMS.items():
            if file in homes or (seam == "network" and CCXT_ROOMS.fullmatch(file) and name.startswith("ccxt")):
                continue
            if re.fullmatch(pattern, name):
                found.append(f"{file}:{line} uses {name} ({seam})")
    return found


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_goes_around_the_seams(path: Path) -> None:
    assert trespasses(path.read_text(), path.relative_to(PACKAGE).as_posix()) == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime as d\nd.datetime.utcnow()",
        "from datetime import date\ndate.today()",
        "import time\ntime.monotonic_ns()",
        "from time import perf_counter",
        "import random",
        "import random\nrandom.Random(3)",
        "from secrets import token_hex",
        "from uuid import uuid4",
        "import numpy as np\nnp.random.normal()",
        "import asyncio\nasync def f(sleep=asyncio.sleep): ...",
        "open('x', 'w')",
        "open('x', mode='ab')",
        "from pathlib import Path\nPath('x').open('w')",
        "from pathlib import Path\nPath('x').write_text('')",
        "import os\nos.replace('a', 'b')",
        "import tempfile\ntempfile.mkdtemp()",
        "import socket\nsocket.socket()",
        "import ccxt.async_support as ccxt",
    ],
)
def test_the_check_sees_what_goes_around(source: str) -> None:
    assert trespasses(source, "services/x.py") != []


@pytest.mark.parametrize(
    "source",
    [
        "open('x')",
        "open('x', 'rb')",
        "from pathlib import Path\nPath('x').read_text()",
        "'a'.replace('a', 'b')",
        "import numpy as np\nnp.random.default_rng(3)",
        "from datetime import datetime\ndatetime.fromisoformat('x')",
        "import asyncio\nasyncio.Event()",
        "self.clock.now()",
    ],
)
def test_the_check_leaves_other_code_alone(source: str) -> None:
    assert trespasses(source, "services/x.py") == []
