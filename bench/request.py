"""An HTTP request of a workload, and how it is sent once to see what comes back."""

from __future__ import annotations

import http.client
import itertools
from dataclasses import dataclass, field
from typing import Any

#: In a path or body: one of the request's ``values``, and a new number for each request.
VALUE, NUMBER = "@V@", "@N@"


@dataclass(frozen=True, slots=True)
class Request:
    """A request, or a family of them: ``values`` are what VALUE stands for, one of them in each request.

    ``status`` is the only one that counts as an answer.
    """

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    status: int = 200
    values: tuple[str, ...] = ()

    def lua(self) -> dict[str, Any]:
        """Return it for wrk.lua."""
        return {
            "method": self.method,
            "path": self.path,
            "headers": self.headers,
            "body": self.body,
            "status": self.status,
            "values": list(self.values) or None,
        }

    def messages(self, count: int = 1000) -> list[str]:
        """Return the bytes of the request as text, for so many of its values or new numbers if it has any."""
        text = self.path + (self.body or "")
        values = self.values if VALUE in text else ("",)
        if NUMBER not in text:
            return [self._message(value, "") for value in values[:count]]
        numbers = zip(itertools.cycle(values), range(count), strict=False)
        return [self._message(value, str(number)) for value, number in numbers]

    def _message(self, value: str, number: str) -> str:
        path, body = (part.replace(VALUE, value).replace(NUMBER, number) for part in (self.path, self.body or ""))
        length = {"Content-Length": str(len(body))} if self.body is not None else {}
        headers = {"Host": "127.0.0.1", **self.headers, **length}
        lines = [f"{self.method} {path} HTTP/1.1", *(f"{name}: {field}" for name, field in headers.items())]
        return "\r\n".join([*lines, "", body])

    def send(self, port: int) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send it once to a server on this machine, with the first of its values; return status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(
                self.method, self._filled(self.path), self._filled(self.body or "") or None, self.headers
            )
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def _filled(self, text: str) -> str:
        return text.replace(VALUE, self.values[0] if self.values else "").replace(NUMBER, "0")
