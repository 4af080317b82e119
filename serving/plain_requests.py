"""Plain requests: here as a whole with their first bytes, and well-formed beyond doubt. All others are for h11.

A match of one regular expression takes a quarter of the time in which h11 says the same; with ``GATEHOUSE_FAST=off``
h11 is asked about all of them.
"""

from __future__ import annotations

import io
import re

from serving.request import FIELDS, HEAD, IN_MEMORY, Request, request_of

_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
#: Lines end with CRLF, names with a colon, and values hold no control characters; none is folded (RFC 9112 3 and 5).
_HEAD = re.compile(
    rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|QUERY) (/[!-~]*) HTTP/1\.1\r\n"
    rb"((?:" + _NAME + rb":[\t -~\x80-\xff]*\r\n)+)\r\n"
)
_FIELD = re.compile(rb"(" + _NAME + rb"):([^\r]*)\r\n")
#: Fields by which a request is more than a head and the bytes that its length says.
_MORE = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
_LENGTH = re.compile(rb"[0-9]{1,10}")


def found_in(data: bytes, max_body: int) -> Request | None:
    """Return the plain request that these bytes are, no more and no less; None where they are none.

    Raises Refusal for one that this server does not take.
    """
    head = _HEAD.match(data)
    if head is None or head.end() > HEAD:
        return None
    headers = [(name.lower(), value.strip(b" \t")) for name, value in _FIELD.findall(head[3])]
    names = [name for name, _ in headers]
    if len(names) > FIELDS or names.count(b"host") != 1 or not _MORE.isdisjoint(names):
        return None
    length = _length(headers)
    if length is None or length != len(data) - head.end() or length > min(max_body, IN_MEMORY):
        return None
    request = request_of(head[1].decode("ascii"), head[2].decode("ascii"), (1, 1), headers)
    if request.incoming is not None:
        return None
    request.body, request.received = io.BytesIO(data[head.end() :]), length
    return request


def _length(headers: list[tuple[bytes, bytes]]) -> int | None:
    """Return the bytes of the body that the head announces; None where that is not said in one plain number."""
    said = [value for name, value in headers if name == b"content-length"]
    if not said:
        return 0
    return int(said[0]) if len(said) == 1 and _LENGTH.fullmatch(said[0]) else None
