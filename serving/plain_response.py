"""gunicorn's Response; a head with nothing out of the ordinary is looked at as one text, and written as that."""

from __future__ import annotations

import re
import time
from functools import lru_cache

from gunicorn.http.wsgi import Response
from gunicorn.util import hop_headers, http_date

#: Lines of a head that gunicorn takes as they are: those of the length are its own matter, and of the connection.
_LINES = re.compile(
    r"(?:(?:Content-Length: (?P<length>[0-9]{1,18})"
    r"|(?!(?:content-length|" + "|".join(sorted(hop_headers)) + r"):)[!#$%&'*+.^_`|~0-9A-Za-z-]+:"
    r"(?: [!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)\r\n)*",
    re.IGNORECASE,
)


class PlainResponse(Response):  # type: ignore[misc]  # gunicorn has no types
    """See gunicorn, whose own way is taken by heads that are not plain: of a hop-by-hop field, or without a length."""

    headers_sent: bool
    _lines: str | None = None

    def process_headers(self, headers: list[tuple[str, str]]) -> None:
        """Take the headers; raises what gunicorn raises for those that no head can have."""
        self._lines = None  # of a head that another has taken the place of
        lines = "".join([name + ": " + value + "\r\n" for name, value in headers])
        plain = _LINES.fullmatch(lines)
        if plain is None or lines.count("\n") != len(headers):  # a value with an end of line would be another header
            super().process_headers(headers)
            return
        if plain["length"] is not None:
            self.response_length = int(plain["length"])
        self.headers, self._lines = headers, lines

    def send_headers(self) -> None:
        """Write the head, unless that is done."""
        if self.headers_sent:
            return
        if self._lines is None or self.chunked or self.status_code < 200 or self.status_code == 204:
            super().send_headers()
            return
        connection = "close" if self.should_close() else "keep-alive"
        head = (
            f"HTTP/{self.req.version[0]}.{self.req.version[1]} {self.status}\r\nServer: {self.version}\r\n"
            f"Date: {_date(int(time.time()))}\r\nConnection: {connection}\r\n{self._lines}\r\n"
        )
        self.sock.sendall(head.encode("latin-1"))
        self.headers_sent = True


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return str(http_date(second))
