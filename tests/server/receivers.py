"""A receiver of webhooks: a server on this machine that checks signatures and answers as a test wants it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came in."""

    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def id(self) -> str:
        """Its id, which is the same at each attempt."""
        return self.headers["webhook-id"]

    @property
    def kind(self) -> str:
        """What it tells: an event, a test, or that some events may be missing."""
        return str(json.loads(self.content)["type"])

    @property
    def data(self) -> dict[str, Any]:
        """What it is about."""
        found: dict[str, Any] = json.loads(self.content)["data"]
        return found

    def verify(self, secret: str) -> None:
        """Raise WebhookVerificationError unless it was signed with the secret."""
        Webhook(secret).verify(self.content, self.headers)


class Receiver:
    """Messages that came in, and the status with which each is answered; 0 stands for a connection that is cut."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.messages: list[Message] = []
        self.answer: Callable[[Message], int] = lambda message: 204
        self._lock = threading.Lock()

    def receive(self, message: Message) -> int:
        """Keep a message, and return the status of the answer."""
        with self._lock:
            self.messages.append(message)
        return self.answer(message)

    def told(self, *kinds: str) -> list[tuple[str, Any]]:
        """Return what has been told of which records, in the order in which it came; of some kinds, or of all."""
        with self._lock:
            return [(each.kind, each.data.get("id")) for each in self.messages if not kinds or each.kind in kinds]


@contextlib.contextmanager
def receiving(address: str = "127.0.0.1") -> Iterator[Receiver]:
    """Run a receiver at an address of this machine."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: who sends may be killed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(length := int(self.headers["Content-Length"]))
            if len(content) < length:  # its sender was killed amid it: no server hands that on
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.receive(Message(self.path, headers, content))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = Server((address, 0), Handler)
    receiver = Receiver(f"http://{address}:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
