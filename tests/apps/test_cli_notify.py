"""`backtestkit notify-test`: one message over the real apprise to a receiver on loopback."""

from __future__ import annotations

import pytest
from receiver import receiving

from backtestkit.apps.cli import main as cli

pytest.importorskip("apprise", reason="the extra notify is not installed")


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    return int(ended.value.code or 0)


def test_a_message_arrives(capsys: pytest.CaptureFixture[str]) -> None:
    with receiving() as receiver:
        assert run("notify-test", receiver.url, "--title", "Hello", "--body", "It works") == 0
    assert [(m["title"], m["message"]) for m in receiver.got] == [("Hello", "It works")]
    assert capsys.readouterr().out == "json has taken the message.\n"


def test_a_refusal_is_one_block_without_the_secrets_of_the_url(capsys: pytest.CaptureFixture[str]) -> None:
    with receiving() as receiver:
        receiver.statuses = [503]
        assert run("notify-test", receiver.url) == 1
    said = capsys.readouterr().err
    assert "json has not taken the message" in said and "secret-path" not in said


def test_a_url_that_nobody_understands_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("notify-test", "nonsense://token-1234") == 1
    said = capsys.readouterr().err
    assert "apprise does not understand this 'nonsense' URL" in said and "token-1234" not in said
