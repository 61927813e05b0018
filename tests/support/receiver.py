"""A receiver of messages on loopback, and senders that need no network."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import orjson


class Receiver:
    """An HTTP server that takes the JSON notifications of apprise; it answers with `statuses` first, then with 200."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.hold = threading.Event()
        self.hold.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.hold.wait(10)
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                if status == 200:
                    receiver.got.append(_fields(self.headers.get_content_type(), body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """Where apprise sends to."""
        return f"json://127.0.0.1:{self._server.server_address[1]}/secret-path"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.got]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _fields(kind: str, body: bytes) -> dict[str, Any]:
    if kind == "application/json":
        found: dict[str, Any] = orjson.loads(body)
        return found
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A running receiver."""
    receiver = Receiver()
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


class ListSender:
    """Keeps what is sent; fails as often as told, and waits while `gate` is closed."""

    def __init__(self, failures: int = 0, name: str = "list") -> None:
        self.name = name
        self.failures = failures
        self.tries = 0
        self.sent: list[tuple[str, str]] = []
        self.gate: asyncio.Event | None = None

    async def send(self, title: str, body: str) -> None:
        self.tries += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise OSError("nobody answers")
        self.sent.append((title, body))
