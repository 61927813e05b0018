"""No function, method, class or attribute is left that nothing uses.

What only tests use is dead too. Public names and the public members of public classes are used by users; fields of data
classes and schemas are data; what a library calls by name is in the list below.
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import vulture  # type: ignore[import-untyped]

import backtestkit as bk

ROOT = Path(__file__).resolve().parents[2]

CALLED_BY_LIBRARIES = {
    "list_commands", "get_command", "ctx",  # typer
    "writeable", "prec", "gr_context", "msecs", "maxstring", "maxother",  # attributes that libraries read
}  # fmt: skip

STAND_INS = {"use_disk", "use_ids", "use_sleeper", "sequential_ids", "simulated_time"}
"""What a seam offers to tests and replays."""


BUILT_AHEAD = {
    "utc_now", "local_now", "now_available", "FifoQueueEventSource", "TokenBucketLimiter",  # the order half
    "bind", "check_times",  # live runs
    "FRAME_INTERVALS", "SIGNAL_INTERVALS",  # choices of the command line
}  # fmt: skip
"""Names whose users are not written yet. An entry that is used, or gone, fails the test and leaves the list."""


def public_members() -> set[str]:
    """Members of everything that the package exports."""
    names: set[str] = set()
    for name in bk.__all__:
        value = getattr(bk, name)
        kind = value if inspect.isclass(value) else type(value)
        if kind.__module__.startswith("backtestkit"):
            names.update(member for member in dir(kind) if not member.startswith("_"))
    return names


def used_as_data(trees: list[ast.Module]) -> set[str]:
    """Annotated class attributes, members of enums, and names that stand somewhere as text and are looked up by it."""
    names: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            names.add(node.value)
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                    names.add(statement.target.id)
                elif isinstance(statement, ast.Assign) and any("Enum" in ast.unparse(base) for base in node.bases):
                    names.update(target.id for target in statement.targets if isinstance(target, ast.Name))
    return names


def registered(trees: list[ast.Module]) -> set[str]:
    """Functions that a decorator hands over to somebody: validators of schemas, commands, exit functions."""
    takers = {"field_validator", "model_validator", "callback", "command", "register"}
    names: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if ast.unparse(called).rpartition(".")[2] in takers:
                    names.add(node.name)
    return names


def test_nothing_is_left_that_nothing_uses() -> None:
    package = ROOT / "backtestkit"
    finder = vulture.Vulture()
    finder.scavenge([str(package), str(ROOT / "scripts"), str(ROOT / "examples")])
    trees = [ast.parse(path.read_text()) for path in package.rglob("*.py")]
    used = {*bk.__all__, *public_members(), *used_as_data(trees), *registered(trees), *CALLED_BY_LIBRARIES, *STAND_INS}
    dead = {
        item.name: f"{Path(item.filename).relative_to(ROOT)}:{item.first_lineno} {item.typ} {item.name}"
        for item in finder.get_unused_code()
        if Path(item.filename).is_relative_to(package)
        and item.name not in used
        and not item.name.startswith("__")
        and item.typ != "unreachable_code"  # the yield after a return that makes a function a generator
    }
    unexpected = [text for name, text in dead.items() if name not in BUILT_AHEAD]
    assert not unexpected, "\n" + "\n".join(unexpected)
    assert set(dead) >= BUILT_AHEAD, "used or gone: take them off the list"
