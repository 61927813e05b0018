"""Dumps: files that people can read, notes that a search finds, or a backend of one's own; nothing is overwritten."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from kept_runs import LONG, new_run, prepare

import backtestkit as bk
from backtestkit.errors import UsageError
from scenarios.market import still

ABOUT: Any = {"symbol": "BTC", "strategy_name": "s", "exchange_name": "x", "signal_id": "One", "bucket_name": "b"}


def dumped(tmp_path: Path, coroutine: Any) -> str:
    """Dump in a new kit, and give the text of the one file."""

    async def scenario() -> None:
        bk.Dump.use_markdown(tmp_path)
        await coroutine()

    with bk.Kit():
        asyncio.run(scenario())
    (file,) = tmp_path.rglob("*.md")
    assert file.relative_to(tmp_path).as_posix() == "agent/One~1/b/d.md"
    return file.read_text()


HEAD = "# d\n\n- Signal: One\n- Bucket: b\n- Description: what\n\n"


def test_a_record_is_a_table_of_names_and_values(tmp_path: Path) -> None:
    text = dumped(
        tmp_path, lambda: bk.Dump.dump_record({"a": 1, "b|c": "x\ny"}, dump_id="d", description="what", **ABOUT)
    )
    assert text == HEAD + "| Name | Value |\n| --- | --- |\n| a | 1 |\n| b\\|c | x y |\n"


def test_the_columns_of_a_table_are_all_names_in_the_order_of_their_first_row(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"a": 1, "b": None}, {"c": {"x": [1]}, "a": 2.5}]
    text = dumped(tmp_path, lambda: bk.Dump.dump_table(rows, dump_id="d", description="what", **ABOUT))
    assert text == HEAD + '| a | b | c |\n| --- | --- | --- |\n| 1 | null |  |\n| 2.5 |  | {"x":[1]} |\n'


def test_a_table_without_rows_says_so(tmp_path: Path) -> None:
    assert dumped(tmp_path, lambda: bk.Dump.dump_table([], dump_id="d", **ABOUT)).endswith("\n\nNo rows.\n")


def test_text_is_as_it_is_and_errors_and_json_are_fenced(tmp_path: Path) -> None:
    text = dumped(tmp_path / "1", lambda: bk.Dump.dump_text("*hi*", dump_id="d", description="what", **ABOUT))
    assert text == HEAD + "*hi*\n"
    text = dumped(tmp_path / "2", lambda: bk.Dump.dump_error("a\n```\nb", dump_id="d", description="what", **ABOUT))
    assert text == HEAD + "````\na\n```\nb\n````\n"
    value = {"a": [1], "s": {1}}
    text = dumped(tmp_path / "3", lambda: bk.Dump.dump_json(value, dump_id="d", description="what", **ABOUT))
    assert text == HEAD + '```json\n{\n  "a": [\n    1\n  ],\n  "s": "{1}"\n}\n```\n'


def test_a_conversation_has_a_section_for_each_message(tmp_path: Path) -> None:
    messages: list[Any] = [
        bk.AgentMessage("user", "Buy?"),
        {"role": "assistant", "tool_calls": [{"name": "price"}]},
        {"role": "tool", "content": "100", "tool_call_id": "c1"},
    ]
    text = dumped(tmp_path, lambda: bk.Dump.dump_agent_answer(messages, dump_id="d", description="what", **ABOUT))
    call = '```json\n[\n  {\n    "name": "price"\n  }\n]\n```'
    assert text == HEAD + f"## user\n\nBuy?\n\n## assistant\n\n{call}\n\n## tool (c1)\n\n100\n"


def test_what_is_no_message_is_refused_with_the_fields_of_one() -> None:
    with bk.Kit(), pytest.raises(UsageError, match=r"is no message .* Its fields are role, content"):
        asyncio.run(bk.Dump.dump_agent_answer([{"rol": "user"}], dump_id="d", **ABOUT))


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    async def scenario() -> None:
        bk.Dump.use_markdown(tmp_path)
        for text in ("one", "one", "two", "three", "one"):
            await bk.Dump.dump_text(text, dump_id="d", **ABOUT)

    with bk.Kit():
        asyncio.run(scenario())
    found = {path.name: path.read_text().splitlines()[-1] for path in tmp_path.rglob("*.md")}
    assert found == {"d.md": "one", "d-2.md": "two", "d-3.md": "three"}


def test_a_status_is_the_last_one_and_its_images_are_files(tmp_path: Path) -> None:
    async def scenario() -> None:
        bk.Dump.use_markdown(tmp_path)
        for text in ("old", "new"):
            messages: list[Any] = [bk.StatusMessage(text), {"image": b"PNG"}, {"text": "end"}]
            await bk.Dump.dump_mcp_status(messages, dump_id="d", **ABOUT)

    with bk.Kit():
        asyncio.run(scenario())
    assert (tmp_path / "mcp" / "d.md").read_text() == "new\n\n![d](../image/d-1.png)\n\nend\n"
    assert (tmp_path / "image" / "d-1.png").read_bytes() == b"PNG"


def everything(dump: Any) -> list[Any]:
    return [
        dump.dump_agent_answer([{"role": "user", "content": "a"}], dump_id="agent", description="x", **ABOUT),
        dump.dump_record({"a": 1}, dump_id="record", description="x", **ABOUT),
        dump.dump_table([{"a": 1}], dump_id="table", description="x", **ABOUT),
        dump.dump_text("text", dump_id="text", description="x", **ABOUT),
        dump.dump_error("bad", dump_id="error", description="x", **ABOUT),
        dump.dump_json([1], dump_id="json", description="x", **ABOUT),
        dump.dump_mcp_status([{"text": "a", "image": b"1"}], dump_id="status", description="x", **ABOUT),
    ]


def test_dumps_into_memory_are_found_there() -> None:
    async def scenario() -> dict[str, Any]:
        bk.use_store("memory:")
        bk.Dump.use_memory()
        for dump in everything(bk.Dump):
            await dump
        return {entry.memory_id: entry.content for entry in await bk.Memory.list_memory(**ABOUT)}

    with bk.Kit():
        assert asyncio.run(scenario()) == {
            "agent": [{"role": "user", "content": "a", "tool_calls": [], "tool_call_id": None}],
            "record": {"a": 1},
            "table": [{"a": 1}],
            "text": "text",
            "error": "bad",
            "json": [1],
            "status": ["a"],
        }


def test_both_means_both_and_dummy_means_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def scenario() -> list[str]:
        bk.use_store("memory:")
        bk.Dump.use_dummy()
        await bk.Dump.dump_text("never", dump_id="d", **ABOUT)
        bk.Dump.use_markdown_memory_both()
        await bk.Dump.dump_text("both", dump_id="d", **ABOUT)
        return [entry.content for entry in await bk.Memory.list_memory(**ABOUT)]

    with bk.Kit():
        assert asyncio.run(scenario()) == ["both"]
    assert [path.as_posix() for path in Path("dump").rglob("*.md")] == ["dump/agent/One~1/b/d.md"]


def test_a_backend_of_ones_own_gets_typed_dumps() -> None:
    got: list[tuple[str, str]] = []

    class Mine:
        async def dump(self, context: bk.DumpContext, content: bk.Dumped) -> None:
            got.append((context.dump_id, content.kind))

    async def scenario() -> None:
        bk.Dump.use_dump_adapter(Mine)
        for dump in everything(bk.Dump):
            await dump

    with bk.Kit():
        asyncio.run(scenario())
    assert got == [
        ("agent", "agent_answer"),
        ("record", "record"),
        ("table", "table"),
        ("text", "text"),
        ("error", "error"),
        ("json", "json"),
        ("status", "mcp_status"),
    ]


def test_inside_a_run_the_signal_is_known_and_a_disabled_dump_says_so(tmp_path: Path) -> None:
    async def ping(*_: Any) -> None:
        await bk.dump_text("hello", bucket_name="b", dump_id="d")
        bk.Dump.disable()
        with pytest.raises(UsageError, match="dump_text: Dump is disabled"):
            await bk.dump_text("hello", bucket_name="b", dump_id="d")
        bk.Dump.enable()

    with bk.Kit():
        bk.Dump.use_markdown(tmp_path)
        prepare(still(3), lambda *_: {**LONG, "id": "mine"}, callbacks={"on_active_ping": ping}, on_error="raise")
        asyncio.run(new_run().result())
    assert (tmp_path / "agent" / "mine" / "b" / "d.md").exists()
