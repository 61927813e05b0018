"""`backtestkit notify-test`."""

from __future__ import annotations

from typing import Annotated

import typer

notify_test_app = typer.Typer(add_completion=False)


@notify_test_app.command()
def notify_test(
    url: Annotated[
        str, typer.Argument(help="A URL of apprise, such as tgram://TOKEN/CHAT or mailto://USER:PASSWORD@HOST.")
    ],
    title: Annotated[str, typer.Option(help="The title of the message.")] = "backtestkit",
    body: Annotated[str, typer.Option(help="The text of the message.")] = "Notifications arrive here.",
) -> None:
    """Send one message to a receiver of notifications, at once and without trying again, and say whether it arrived."""
    import asyncio

    from backtestkit.adapters.apprise_sender import AppriseSender

    sender = AppriseSender(url)
    asyncio.run(sender.send(title, body))
    typer.echo(f"{sender.service} has taken the message.")
