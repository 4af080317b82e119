"""Sending of webhooks to receivers that are slow, hostile or away; all are on 127.0.0.1, with DNS that is made up."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import threading
import time
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from app.networks import Networks
from app.outgoing import destinations
from app.webhooks import sending
from app.webhooks.sending import Answer, Sender
from tests.unit.receivers import HOST, OK, Authority, Behaviour, Dns, Receiver, never_ends, receiving, says, stalls

NOBODY, LOCAL = Networks(), Networks.parse("127.0.0.0/8")
PUBLIC = "93.184.215.14"
#: Seconds that no test takes: what waits for so long fails.
PATIENT = 60.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that certificates of this module's receivers are by."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    """TLS of a receiver with a good certificate."""
    return authority.context()


class Clock:
    """The time, also that of event loops, with what a test skips of it."""

    def __init__(self) -> None:
        self._genuine = time.monotonic
        self.skipped = 0.0

    def __call__(self) -> float:
        return self._genuine() + self.skipped


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock in the place of the system's."""
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


@pytest.fixture(autouse=True)
def dns(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> Dns:
    """DNS in which the receivers have their name; the authority is one that all trust."""
    made = Dns()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    monkeypatch.setattr(sending, "KEPT", PATIENT)
    monkeypatch.setattr(destinations, "LOOKUP", PATIENT)
    return made


async def _post(
    sender: Sender, port: int, *, scheme: str = "https", headers: Mapping[str, str] | None = None, body: bytes = b"{}"
) -> Answer:
    return await sender.post(f"{scheme}://{HOST}:{port}/a?b=c", headers or {}, body)


@contextlib.asynccontextmanager
async def _sender(trusted: Networks = LOCAL, seconds: float = PATIENT) -> AsyncIterator[Sender]:
    sender = Sender(trusted, seconds=seconds)
    try:
        yield sender
    finally:
        await sender.close()


def _answer(behaviour: Behaviour, context: ssl.SSLContext | None, **parts: Any) -> tuple[Answer, Receiver]:
    """Return the answer to one request, and the receiver of it."""

    async def run() -> tuple[Answer, Receiver]:
        async with receiving(behaviour, context) as receiver, _sender() as sender:
            return await _post(sender, receiver.port, **parts), receiver

    return asyncio.run(run())


def _late(behaviour: Behaviour, context: ssl.SSLContext | None, clock: Clock) -> Answer:
    """Return the answer of a sender whose time is over once there is no more to read; the receiver has seen it go."""

    async def run() -> Answer:
        async with receiving(behaviour, context) as receiver, _sender() as sender:
            task = asyncio.ensure_future(_post(sender, receiver.port))
            await _until(lambda: bool(receiver.requests if context else receiver.connections))
            for _ in range(50):
                await asyncio.sleep(0)  # what was sent is read
            clock.skipped += PATIENT
            answer = await task
            await asyncio.wait_for(receiver.ended.wait(), PATIENT)
            return answer

    return asyncio.run(run())


async def _until(is_so: Callable[[], bool]) -> None:
    async def wait() -> None:
        while not is_so():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(wait(), PATIENT)


def test_a_request_is_sent_as_it_is_and_its_answer_told(tls: ssl.SSLContext) -> None:
    answer, receiver = _answer(says(OK), tls, headers={"X-Signature": "s"}, body=b'{"a":1}')
    assert (answer.status, answer.text, answer.error) == (200, "fine", "")
    assert 0 < answer.seconds < PATIENT
    (request,) = receiver.requests
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.lower().split(b"\r\n")
    assert line == b"post /a?b=c http/1.1"
    expected = {f"host: {HOST}:{receiver.port}", "content-length: 7", "accept-encoding: identity", "x-signature: s"}
    assert {header.decode() for header in headers} == expected
    assert body == b'{"a":1}'


def test_headers_of_the_address_the_length_and_the_coding_can_not_be_given(tls: ssl.SSLContext) -> None:
    given = {"HOST": "inside", "Content-length": "1", "accept-Encoding": "gzip", "X-Other": "kept"}
    _, receiver = _answer(says(OK), tls, headers=given)
    head = receiver.requests[0].lower()
    assert [head.count(name) for name in (b"host:", b"content-length:", b"accept-encoding:", b"x-other:")] == [1] * 4
    assert b"inside" not in head
    assert b"gzip" not in head


@pytest.mark.parametrize("headers", [{"X-A": "a\r\nHost: inside"}, {"X-A": "é"}, {"X A": "a"}, {"X-A\r\nB": "a"}])
def test_headers_that_http_does_not_allow_are_told_and_not_sent(tls: ssl.SSLContext, headers: dict[str, str]) -> None:
    answer, receiver = _answer(says(OK), tls, headers=headers)
    assert answer.status is None
    assert answer.error == "A header of the request has characters that HTTP does not allow."
    assert receiver.requests == []


@pytest.mark.parametrize("status", [200, 204, 301, 302, 307, 404, 410, 500, 503])
def test_any_status_is_an_answer_and_no_redirect_is_followed(tls: ssl.SSLContext, status: int) -> None:
    location = f"Location: https://{HOST}/other\r\n".encode()
    answer, receiver = _answer(says(b"HTTP/1.1 %d -\r\n%bContent-Length: 0\r\n\r\n" % (status, location)), tls)
    assert (answer.status, answer.text, answer.error) == (status, "", "")
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"caf\xc3\xa9\r\n\tb", "café\n\tb"),
        (b"a\x00b\x1b[31m\x7f\xc2\x85", "a\ufffdb\ufffd[31m\ufffd\ufffd"),
        (b"\xff\xfea", "\ufffd\ufffda"),
        ("\u202egnp\u2066".encode(), "\ufffdgnp\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"a" * 1001, "a" * 1000),
        ("é".encode() * 16_000, "é" * 1000),
    ],
)
def test_the_text_of_an_answer_is_one_that_can_be_shown(tls: ssl.SSLContext, body: bytes, text: str) -> None:
    answer, _ = _answer(says(HEAD + b"Content-Length: %d\r\n\r\n" % len(body), body), tls)
    assert answer.text == text


def test_a_compressed_answer_is_not_expanded(tls: ssl.SSLContext) -> None:
    answer, _ = _answer(says(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8bab"), tls)
    assert answer.text == "\ufffd\ufffdab"


@pytest.mark.parametrize(
    ("first", "piece"),
    [(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"a" * 1024 + b"\r\n"), (HEAD + b"\r\n", b"a" * 1024)],
)
def test_an_endless_answer_is_cut_and_its_connection_closed(tls: ssl.SSLContext, first: bytes, piece: bytes) -> None:
    async def run() -> Answer:
        async with receiving(never_ends(first, piece), tls) as receiver, _sender() as sender:
            answer = await _post(sender, receiver.port)
            await asyncio.wait_for(receiver.ended.wait(), PATIENT)
            return answer

    answer = asyncio.run(run())
    assert (answer.status, answer.text, answer.error) == (200, "a" * 1000, "")


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        (says(HEAD + b"X: " + b"a" * 150_000 + b"\r\n\r\n"), "something else than HTTP"),
        (never_ends(HEAD, b"X: %b\r\n" % (b"a" * 1000)), "something else than HTTP"),
        (never_ends(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000), "The connection broke"),
        (says(b"220 mail.example.test ESMTP\r\n\r\n"), "something else than HTTP"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), "something else than HTTP"),
        (says(b"HTTP/1.1 200 O", ends=True), "something else than HTTP"),
        (says(ends=True), "The server closed the connection"),
    ],
    ids=["huge header", "endless head", "endless early hints", "no HTTP", "two lengths", "half a line", "nothing"],
)
def test_what_is_no_answer_is_told(tls: ssl.SSLContext, behaviour: Behaviour, sentence: str) -> None:
    answer, receiver = _answer(behaviour, tls)
    assert answer.status is None
    assert sentence in answer.error
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    "behaviour",
    [stalls(), stalls(b"HTTP/1.1 200 OK\r\nContent-"), never_ends(b"HTTP/1.1 200 OK\r\nX: ", b"a", 0.02)],
    ids=["no head", "half a head", "a head in drops"],
)
def test_a_head_that_does_not_come_in_time_is_no_answer(
    tls: ssl.SSLContext, behaviour: Behaviour, clock: Clock
) -> None:
    answer = _late(behaviour, tls, clock)
    assert answer.status is None
    assert answer.error == "There was no answer within 60 seconds."


@pytest.mark.parametrize(
    "behaviour",
    [
        stalls(HEAD + b"Content-Length: 9\r\n\r\nhalf"),
        never_ends(HEAD + b"\r\nhalf", b" ", 0.02),
        says(HEAD + b"Content-Length: 9\r\n\r\nhalf", ends=True),
        says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nno length\r\n"),
    ],
    ids=["stalls", "drips", "is cut", "is malformed"],
)
def test_a_body_that_does_not_end_well_leaves_the_status(
    tls: ssl.SSLContext, behaviour: Behaviour, clock: Clock
) -> None:
    answer = _late(behaviour, tls, clock)
    assert (answer.status, answer.text.strip(), answer.error) == (200, "half", "")


def test_a_handshake_that_does_not_come_in_time_is_no_answer_and_leaves_no_connection(clock: Clock) -> None:
    answer = _late(stalls(), None, clock)
    assert answer.error == "There was no answer within 60 seconds."


def test_dns_that_does_not_answer_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(PATIENT) and [])

    async def run() -> Answer:
        async with _sender(seconds=0.1) as sender:
            return await _post(sender, 443)

    try:
        answer = asyncio.run(run())
    finally:
        over.set()
    assert answer.error == "There was no answer within 0.1 seconds."


@pytest.mark.parametrize(
    ("name", "days", "sentence"),
    [
        ("other.example.test", 14, "Hostname mismatch, certificate is not valid for 'hooks.example.test'."),
        (HOST, 1, "certificate has expired."),
    ],
)
def test_a_certificate_that_is_not_good_is_refused(authority: Authority, name: str, days: int, sentence: str) -> None:
    answer, receiver = _answer(says(OK), authority.context(name, days=days))
    assert answer.status is None
    assert answer.error == f"The server's certificate is not good: {sentence}"
    assert receiver.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    answer, receiver = _answer(says(OK), Authority(tmp_path).context())
    assert answer.status is None
    assert answer.error.startswith("The server's certificate is not good: ")
    assert "_ssl.c" not in answer.error
    assert receiver.requests == []


def test_a_server_without_tls_is_told() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.test ESMTP\r\n")
        writer.close()

    async def run() -> Answer:
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        async with server, _sender() as sender:
            return await _post(sender, server.sockets[0].getsockname()[1])

    assert asyncio.run(run()).error == "No TLS could be agreed upon with the server."


def test_nobody_who_listens_is_told() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen

        async def run() -> Answer:
            async with _sender() as sender:
                return await _post(sender, bound.getsockname()[1])

        assert asyncio.run(run()).error == "No connection to the server could be made."


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://hooks.example.test/", "The URL must begin with https://."),
        ("https://hooks.example.test/", "The host's address is not public, nor in GATEHOUSE_WEBHOOK_NETWORKS."),
        ("https://169.254.169.254/latest/", "The host's address is not public, nor in GATEHOUSE_WEBHOOK_NETWORKS."),
        ("https://[::ffff:127.0.0.1]/", "The host's address is not public, nor in GATEHOUSE_WEBHOOK_NETWORKS."),
        ("nonsense", "This is no URL: write one like https://example.com/path."),
    ],
)
def test_a_url_that_is_refused_is_told_why(url: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connected = _redirected(monkeypatch, 0)

    async def run() -> Answer:
        async with _sender(NOBODY) as sender:
            return await sender.post(url, {}, b"")

    answer = asyncio.run(run())
    assert (answer.status, answer.text, answer.error) == (None, "", sentence)
    assert connected == []


def test_what_nobody_has_thought_of_is_told_without_details(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sending, "parse", lambda url, trusted: 1 / 0)
    answer, _ = _answer(says(OK), None)
    assert (answer.status, answer.error) == (None, "The request could not be sent; the log says more.")
    assert "ZeroDivisionError" in caplog.text


def test_nothing_is_called_where_the_machines_own_addresses_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr(psutil, "net_if_addrs", fail)
    answer, receiver = _answer(says(OK), None, scheme="http")
    assert (answer.status, answer.error) == (None, "The request could not be sent; the log says more.")
    assert receiver.connections == 0


def _redirected(monkeypatch: pytest.MonkeyPatch, port: int) -> list[tuple[str, int]]:
    """Have all connections made to a port of 127.0.0.1, and return the addresses that they were meant for."""
    meant: list[tuple[str, int]] = []
    connect = BaseSelectorEventLoop.sock_connect

    async def redirect(loop: BaseSelectorEventLoop, sock: socket.socket, address: tuple[str, int]) -> None:
        meant.append(address)
        await connect(loop, sock, ("127.0.0.1", port))

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", redirect)
    return meant


def test_the_address_that_was_checked_is_the_one_that_is_called(
    tls: ssl.SSLContext, dns: Dns, monkeypatch: pytest.MonkeyPatch
) -> None:
    dns.names[HOST] = [[PUBLIC], ["127.0.0.1"]]

    async def run() -> tuple[Answer, list[tuple[str, int]]]:
        async with receiving(says(OK), tls) as receiver, _sender(NOBODY) as sender:
            meant = _redirected(monkeypatch, receiver.port)
            answer = await sender.post(f"https://{HOST}/", {}, b"")
            return answer, meant

    answer, meant = asyncio.run(run())
    assert (answer.status, meant, dns.lookups) == (200, [(PUBLIC, 443)], [HOST])


def test_a_name_that_has_turned_inside_is_not_called_any_more(
    tls: ssl.SSLContext, dns: Dns, monkeypatch: pytest.MonkeyPatch
) -> None:
    dns.names[HOST] = [[PUBLIC], ["127.0.0.1"]]

    async def run() -> tuple[list[Answer], list[tuple[str, int]]]:
        async with receiving(says(OK, ends=True), tls) as receiver, _sender(NOBODY) as sender:
            meant = _redirected(monkeypatch, receiver.port)
            first = await sender.post(f"https://{HOST}/", {}, b"")
            await _until(lambda: _all_expired(sender))
            return [first, await sender.post(f"https://{HOST}/", {}, b"")], meant

    (first, second), meant = asyncio.run(run())
    assert (first.status, second.status, meant) == (200, None, [(PUBLIC, 443)])
    assert second.error == "The host's address is not public, nor in GATEHOUSE_WEBHOOK_NETWORKS."


def _all_expired(sender: Sender) -> bool:
    """True once the sender can see that servers have closed all of its connections."""
    connections = [connection for pool in sender._pools.values() for connection in pool.connections]
    return all(connection.has_expired() or connection.is_closed() for connection in connections)


def test_http_is_spoken_with_trusted_networks() -> None:
    answer, receiver = _answer(says(OK), None, scheme="http")
    assert (answer.status, len(receiver.requests)) == (200, 1)


def test_http_is_not_spoken_with_others(dns: Dns, monkeypatch: pytest.MonkeyPatch) -> None:
    dns.names[HOST] = [[PUBLIC]]
    meant = _redirected(monkeypatch, 0)

    async def run() -> Answer:
        async with _sender() as sender:
            return await _post(sender, 80, scheme="http")

    assert asyncio.run(run()).error.startswith("The URL must begin with https://")
    assert meant == []


def test_an_address_that_refuses_is_followed_by_the_next(tls: ssl.SSLContext, dns: Dns) -> None:
    dns.names[HOST] = [["127.0.0.2", "127.0.0.3", "127.0.0.1"]]  # the receiver listens at the last one alone
    answer, _ = _answer(says(OK), tls)
    assert (answer.status, dns.lookups) == (200, [HOST])


def test_an_address_that_swallows_all_is_followed_by_the_next(
    tls: ssl.SSLContext, dns: Dns, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    dns.names[HOST] = [["127.0.0.2", "127.0.0.1"]]
    connect = BaseSelectorEventLoop.sock_connect

    async def swallow(loop: BaseSelectorEventLoop, sock: socket.socket, address: tuple[str, int]) -> None:
        if address[0] == "127.0.0.2":
            clock.skipped += PATIENT / 2
            await asyncio.Event().wait()
        await connect(loop, sock, address)

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", swallow)
    answer, _ = _answer(says(OK), tls)
    assert answer.status == 200


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"])
def test_proxies_of_the_environment_are_not_asked(
    tls: ssl.SSLContext, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    answer, _ = _answer(says(OK), tls)
    assert answer.status == 200


def _posts(
    behaviour: Behaviour, context: ssl.SSLContext, between: Callable[[Receiver, Sender], Awaitable[None]]
) -> tuple[list[Answer], Receiver]:
    """Return the answers to two requests of one sender, with something between them."""

    async def run() -> tuple[list[Answer], Receiver]:
        async with receiving(behaviour, context) as receiver, _sender() as sender:
            first = await _post(sender, receiver.port)
            await between(receiver, sender)
            return [first, await _post(sender, receiver.port)], receiver

    return asyncio.run(run())


async def _nothing(receiver: Receiver, sender: Sender) -> None:
    """Let one request follow the other."""


def test_a_connection_serves_several_requests_without_cookies(tls: ssl.SSLContext) -> None:
    cookie = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n\r\n")
    answers, receiver = _posts(says(cookie), tls, _nothing)
    assert [answer.status for answer in answers] == [200, 200]
    assert (receiver.connections, len(receiver.requests)) == (1, 2)
    assert b"cookie" not in receiver.requests[1].lower()


def test_a_connection_is_kept_for_its_time_alone(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "KEPT", 0.0)

    async def wait(receiver: Receiver, sender: Sender) -> None:
        await _until(lambda: _all_expired(sender))

    answers, receiver = _posts(says(OK), tls, wait)
    assert ([answer.status for answer in answers], receiver.connections) == ([200, 200], 2)


def test_a_kept_connection_that_its_server_has_closed_is_replaced(tls: ssl.SSLContext) -> None:
    async def wait(receiver: Receiver, sender: Sender) -> None:
        await _until(lambda: _all_expired(sender))

    answers, receiver = _posts(says(OK, ends=True), tls, wait)
    assert [answer.status for answer in answers] == [200, 200]
    assert (receiver.connections, len(receiver.requests)) == (2, 2)


def test_a_request_on_a_connection_that_ends_with_it_is_not_sent_again(tls: ssl.SSLContext) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says(OK)(reader, writer)
        await reader.readuntil(b"{}")
        seen.append("a request that gets no answer")
        writer.close()

    seen: list[str] = []
    answers, receiver = _posts(once, tls, _nothing)
    assert [answer.status for answer in answers] == [200, None]
    assert "The server closed the connection" in answers[1].error
    assert (receiver.connections, len(seen)) == (1, 1)


def test_slow_receivers_hold_up_no_others_and_a_request_can_be_cancelled(tls: ssl.SSLContext) -> None:
    async def run() -> tuple[int | None, int]:
        async with receiving(stalls(), tls) as slow, receiving(says(OK), tls) as quick, _sender() as sender:
            tasks = [asyncio.ensure_future(_post(sender, slow.port)) for _ in range(20)]
            await _until(lambda: len(slow.requests) == len(tasks))
            answer = await _post(sender, quick.port)
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            return answer.status, sum(isinstance(end, asyncio.CancelledError) for end in ends)

    assert asyncio.run(run()) == (200, 20)


def test_a_process_that_was_stopped_until_its_time_was_over_sends_nothing(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = BaseSelectorEventLoop.sock_connect

    async def stop(loop: BaseSelectorEventLoop, sock: socket.socket, address: tuple[str, int]) -> None:
        await connect(loop, sock, address)
        clock.skipped += 2 * PATIENT  # nothing of the process goes on

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", stop)

    async def run() -> tuple[Answer, Receiver]:
        async with receiving(says(OK), None) as receiver, _sender() as sender:
            answer = await _post(sender, receiver.port, scheme="http")
            if receiver.connections:
                await asyncio.wait_for(receiver.ended.wait(), PATIENT)
            return answer, receiver

    answer, receiver = asyncio.run(run())
    assert (answer.status, receiver.requests) == (None, [])
    assert answer.error == "There was no answer within 60 seconds."


def test_the_time_of_a_request_counts_from_where_it_is_said_to(tls: ssl.SSLContext) -> None:
    async def run() -> tuple[Answer, Receiver]:
        async with receiving(says(OK), tls) as receiver, _sender() as sender:
            url = f"https://{HOST}:{receiver.port}/"
            return await sender.post(url, {}, b"{}", time.monotonic() - PATIENT), receiver

    answer, receiver = asyncio.run(run())
    assert (answer.status, receiver.requests) == (None, [])
