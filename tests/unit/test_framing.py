"""What a connection's reader takes for a whole request: what h11 takes for one, however its bytes come in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import h11
import pytest
from hypothesis import settings

from serving import plain_requests
from serving.framing import STEPS, Progress, Reader
from serving.refusals import Refusal
from serving.request import FIELDS, HEAD, Request

MAX_BODY = 1_000_000
#: More of them in the long form, as of other made-up inputs.
SEEDS = range(settings.default.max_examples)
CHUNKED_HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(
    data: bytes, cuts: list[int] | None = None, max_body: int = MAX_BODY, *, plain: bool = True
) -> list[Request | int | None]:
    """Return the requests in some bytes, then the status of a refusal, or None where the last one is not whole.

    ``cuts`` are places where the bytes are divided: each piece is read before the next one comes.
    """
    bounds = [0, *(cuts or []), len(data)]
    pieces = [data[start:end] for start, end in pairwise(bounds)]
    found: list[Request | int | None] = []
    reader = Reader(max_body, plain=plain)
    try:
        for piece in pieces:
            if piece:
                reader.feed(piece)
            while True:
                progress = reader.advance()
                if isinstance(progress, Request):
                    found.append(progress)
                    if progress.is_cut:
                        return found
                    rest, reader = reader.rest, Reader(max_body, plain=plain)
                    if rest:
                        reader.feed(rest)
                elif progress is Progress.NEEDS_DATA:
                    break
    except Refusal as refusal:
        found.append(refusal.status)
        reader.close()
    else:
        if reader.has_begun:
            found.append(None)
            reader.close()
    return found


def what(data: bytes, cuts: list[int] | None = None) -> list[object]:
    """Return what can be compared of ``read``."""
    return [_facts(found) if isinstance(found, Request) else found for found in read(data, cuts)]


def _facts(request: Request) -> tuple[str, str, bytes]:
    with request.body as body:
        return request.method, request.target, body.read()


def what_h11_says(data: bytes) -> list[object]:
    """Return the same from h11 alone, which gets all bytes at once."""
    found: list[object] = []
    while True:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD)
        if not data:
            return found
        connection.receive_data(data)
        head, body = None, b""
        while True:
            try:
                event = connection.next_event()
            except h11.RemoteProtocolError as error:
                return [*found, error.error_status_hint]
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                found.append((head.method.decode(), head.target.decode(), body))
                data = bytes(connection.trailing_data[0])
                break
            else:
                return [*found, None]


def chunked(body: bytes, sizes: Iterator[int]) -> bytes:
    pieces, start = [], 0
    while start < len(body):
        piece = body[start : start + next(sizes)]
        pieces.append(b"%x\r\n%s\r\n" % (len(piece), piece))
        start += len(piece)
    return b"".join(pieces) + b"0\r\n\r\n"


def a_request(rng: random.Random) -> bytes:
    """Return a request, mostly well formed."""
    body = rng.choice([b"", b"{}", b"0\r\n\r\n", b"x" * rng.randrange(3000), b"FFFF\r\n\r\n0\r\n\r\n"])
    head = (
        rng.choice([b"GET", b"POST", b"PATCH"]) + rng.choice([b" / ", b" /a?b=%20 ", b" /healthz "]) + b"HTTP/1.1\r\n"
    )
    fields = [
        b"Host: x",
        rng.choice([b"A: b", b"Cookie: a=b; c=d", b"X:", b"User-Agent:  y ", b"Expect: 100-continue"]),
    ]
    if rng.random() < 0.5:
        sizes = iter(lambda: rng.randrange(1, 700), None)
        body = chunked(body, sizes)
        if rng.random() < 0.2:
            body = body[:-2] + b"Digest: z\r\n\r\n"
        fields.append(rng.choice([b"Transfer-Encoding: chunked", b"transfer-encoding:Chunked"]))
    elif body or rng.random() < 0.5:
        fields.append(b"Content-Length: %d" % len(body))
    rng.shuffle(fields)
    return head + b"\r\n".join(fields) + b"\r\n\r\n" + body


def mutated(rng: random.Random, data: bytes) -> bytes:
    """Return some bytes with a few that are other ones, gone, doubled, or cut off."""
    broken = bytearray(data)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 5])):
        place = rng.randrange(len(broken))
        kind = rng.randrange(4)
        if kind == 0:
            broken[place] = rng.choice(b"\r\n :;,0129afF\x00\x01\x7f\xff\tAZ")
        elif kind == 1:
            del broken[place : place + rng.randrange(1, 4)]
        elif kind == 2:
            broken[place:place] = broken[place : place + rng.randrange(1, 30)]
        else:
            del broken[place + 1 :]
        if not broken:
            break
    return bytes(broken)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_request_is_whole_begun_or_wrong_as_h11_says_however_it_comes(seed: int) -> None:
    rng = random.Random(seed)
    differed = 0
    for _ in range(50):
        data = mutated(rng, b"".join(a_request(rng) for _ in range(rng.randrange(1, 4))))
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(6)))
        ours, theirs = what(data, cuts), what_h11_says(data)
        if ours != theirs:
            # Stricter, never laxer: what was read so far is the same, and then comes a refusal of ours.
            assert ours[:-1] == theirs[: len(ours) - 1], (data, cuts)
            assert ours[-1] in (400, 417, 501, 505), (data, cuts, ours, theirs)
            differed += 1
    assert differed < 25


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_a_plain_request_is_what_h11_says_it_is(seed: int) -> None:
    rng = random.Random(seed)
    plain = 0
    for _ in range(300):
        data = mutated(rng, a_request(rng))
        found = _plain(data)
        if isinstance(found, Request):
            plain += 1
            (by_h11,) = read(data, plain=False)
            assert isinstance(by_h11, Request), data
            assert _all_of(found) == _all_of(by_h11), data
        elif found is not None:
            assert read(data, plain=False) == [found], data
    assert plain > 20


def _plain(data: bytes) -> Request | int | None:
    try:
        return plain_requests.found_in(data, MAX_BODY)
    except Refusal as refusal:
        return refusal.status


def _all_of(request: Request) -> dict[str, object]:
    with request.body as body:
        return {name: getattr(request, name) for name in request.__slots__ if name != "body"} | {"body": body.read()}


@pytest.mark.parametrize(
    "data",
    [
        b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer y\r\n\r\n",
        b"POST /a HTTP/1.1\r\nhost:x\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_h11_is_asked_about_no_plain_request(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h11, "Connection", None)
    (request,) = read(data)
    assert isinstance(request, Request)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}x",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * FIELDS + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70000,
    ],
)
def test_what_is_not_plain_is_left_to_h11(data: bytes) -> None:
    assert plain_requests.found_in(data, MAX_BODY) is None


def test_byte_by_byte_is_as_at_once() -> None:
    data = (
        a_request(random.Random(1))
        + b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    )
    assert what(data, list(range(1, len(data)))) == what(data) == what_h11_says(data)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", []),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", [None]),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", [("GET", "/", b"")]),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{", [None]),
        (b"POST / HTTP/1.1\r\nHost: x\r\ncontent-length:2\r\n\r\n{}", [("POST", "/", b"{}")]),
    ],
)
def test_a_request_is_whole_with_its_last_byte(data: bytes, found: list[object]) -> None:
    assert what(data) == found


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"FFFF\r\n\r\n0\r\n\r\n", id="the end mark inside a chunk"),
        pytest.param(b"2\r\n{}\r\n", id="no last chunk"),
        pytest.param(b"2\r\n{}\r\n0\r\n", id="no end of the trailers"),
    ],
)
def test_a_chunked_body_ends_with_its_last_chunk(body: bytes) -> None:
    assert what(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + body) == [None]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n", 400, id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n", 400, id="two hosts"),
        pytest.param(b"get / HTTP/1.1\r\nHost: x\r\n", 400, id="a method in small letters"),
        pytest.param(b"GET x HTTP/1.1\r\nHost: x\r\n", 400, id="a relative target"),
        pytest.param(b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n", 400, id="a tunnel"),
        pytest.param(b"GET / HTTP/2.0\r\nHost: x\r\n", 505, id="another version"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n", 400, id="a control character"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nA : b\r\n", 400, id="a blank before the colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nExpect: x\r\n", 417, id="another expectation"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n", 501, id="another coding"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n", 400, id="no number"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n", 400, id="two lengths"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            400,
            id="length and chunks",
        ),
        pytest.param(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", 400, id="chunks in HTTP/1.0"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n", 400, id="two types"),
        pytest.param(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n", 414, id="a long target"),
    ],
)
def test_a_head_that_is_refused(head: bytes, status: int) -> None:
    assert what(head + b"\r\n") == [status]


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"], ids=["without an end", "with its end"])
def test_a_head_over_64_kib_is_431(end: bytes) -> None:
    data = b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"x" * 70_000 + end
    assert what(data, list(range(16_384, len(data), 16_384))) == [431]


@pytest.mark.parametrize("step", [7, 1000, 100_000])
def test_a_head_of_very_many_fields_is_431_before_it_is_parsed(step: int) -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\n"
    most = head + b"a:\r\n" * (FIELDS - 1) + b"\r\n"
    assert what(most, list(range(step, len(most), step))) == [("GET", "/", b"")]
    many = head + b"a:\r\n" * 12_000
    assert what(many, list(range(step, len(many), step))) == [431]


@pytest.mark.parametrize("step", [7, 4096, 100_000])
@pytest.mark.parametrize("body", [b"", b"1\r\nx\r\n"], ids=["no body", "a body"])
def test_very_many_fields_behind_a_body_are_431_before_they_are_parsed(step: int, body: bytes) -> None:
    data = CHUNKED_HEAD + body + b"00;x=y\r\n" + b"a:\r\n" * 10_000
    assert what(data, list(range(step, len(data), step))) == [431]


def test_a_few_fields_behind_a_body_are_let_pass_whatever_follows() -> None:
    data = CHUNKED_HEAD + b"1\r\nx\r\n0\r\n" + b"a: b\r\n" * FIELDS + b"\r\n"
    following = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200\r\n\r\n" + b"\n" * 200
    assert what(data + following) == [("POST", "/", b"x"), ("POST", "/", b"\n" * 200)]


def test_what_looks_like_the_end_inside_a_chunk_is_no_end() -> None:
    chunk = b"0\n" + b"x\n" * 101 + b"0\r\n" * 100
    data = CHUNKED_HEAD + b"%x\r\n%b\r\n" % (len(chunk), chunk) * 2 + b"0\r\n\r\n"
    for cut in range(len(CHUNKED_HEAD), len(data)):
        assert what(data, [cut]) == [("POST", "/", chunk * 2)]
    assert what(data, list(range(len(data)))) == [("POST", "/", chunk * 2)]


def test_lines_of_a_body_are_no_fields() -> None:
    body = b"x\n" * 1000
    data = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for step in (1, 3, 50, len(data)):
        assert what(data, list(range(step, len(data), step))) == [("POST", "/", body)]


def test_what_lies_in_a_file_counts_until_it_is_closed() -> None:
    reader = Reader(MAX_BODY)
    reader.feed(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 90_000)
    reader.advance()
    assert reader.in_file == 90_000
    reader.close()
    assert reader.in_file == 0


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"Content-Length: 11\r\n\r\n", id="announced"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n6\r\nxxxxxx\r\n6\r\nxxxxxx\r\n", id="in chunks"),
    ],
)
def test_a_body_that_is_too_large_is_not_waited_for(request_: bytes) -> None:
    (found,) = read(b"POST / HTTP/1.1\r\nHost: x\r\n" + request_, max_body=10)
    assert isinstance(found, Request)
    assert found.is_cut
    assert found.should_close()
    found.body.close()


def test_tiny_chunks_get_no_longer_turn_than_others() -> None:
    reader = Reader(MAX_BODY)
    reader.feed(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000)
    assert reader.advance() is Progress.HAS_MORE
    assert reader.request is not None
    assert reader.request.received == STEPS - 1
    reader.close()


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Close\r\n", True),
        (b"GET / HTTP/1.0\r\n", True),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", False),
    ],
)
def test_who_asks_for_the_connections_end_gets_it(head: bytes, closes: bool) -> None:
    (found,) = read(head + b"\r\n")
    assert isinstance(found, Request)
    assert found.should_close() is closes
