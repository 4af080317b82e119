"""A client that sends a body in pieces, and reads the answers when it likes."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.server.conftest import Server

NDJSON = "application/x-ndjson"


def cookie(session: requests.Session) -> str:
    """Return the header of a session."""
    return f"Cookie: session_id={session.cookies['session_id']}"


class Sender:
    """A POST of lines over a connection that is there."""

    def __init__(self, sock: socket.socket, host: str, path: str, credentials: str, content_type: str = NDJSON) -> None:
        """``credentials`` are a header."""
        self.sock = sock
        head = [
            f"POST {path} HTTP/1.1",
            f"Host: {host}",
            credentials,
            f"Content-Type: {content_type}",
            "Transfer-Encoding: chunked",
        ]
        sock.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        self._response: http.client.HTTPResponse | None = None

    @classmethod
    def to(cls, server: Server, path: str, content_type: str = NDJSON, credentials: str = "") -> Sender:
        """Return one that sends to a server, as the admin unless there are other credentials."""
        address = urlsplit(server.url)
        sock = socket.create_connection((str(address.hostname), address.port or 80), timeout=60)
        return cls(sock, address.netloc, path, credentials or cookie(server.session()), content_type)

    def send(self, text: str) -> None:
        """Send a piece of the body."""
        data = text.encode()
        self.sock.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """End the body."""
        self.sock.sendall(b"0\r\n\r\n")

    @property
    def answer(self) -> http.client.HTTPResponse:
        """The answer, once its head is there."""
        if self._response is None:
            self._response = http.client.HTTPResponse(self.sock, method="POST")
            self._response.begin()
        return self._response

    def line(self) -> Any:
        """Return the next line of the answer."""
        return json.loads(self.answer.readline())

    def close(self) -> None:
        """Go."""
        if self._response is not None:
            self._response.close()
        self.sock.close()
