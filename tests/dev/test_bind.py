"""GATEHOUSE_BIND: what is accepted, and what is said about an address that can't be used."""

from __future__ import annotations

import socket

import pytest

from dev import bind
from dev.bind import Address
from dev.errors import SetupError


@pytest.mark.parametrize(
    ("text", "address", "url"),
    [
        ("127.0.0.1:8070", Address("127.0.0.1", 8070), "http://127.0.0.1:8070"),
        ("0.0.0.0:80", Address("0.0.0.0", 80), "http://127.0.0.1:80"),
        (":8070", Address("", 8070), "http://127.0.0.1:8070"),
        ("localhost:8070", Address("localhost", 8070), "http://localhost:8070"),
        ("[::1]:8070", Address("::1", 8070), "http://[::1]:8070"),
        ("[::]:8070", Address("::", 8070), "http://[::1]:8070"),
    ],
)
def test_an_address_is_read_and_written(text: str, address: Address, url: str) -> None:
    assert bind.parse(text) == address
    assert str(address) == text
    assert address.url == url


@pytest.mark.parametrize(
    "text",
    ["8070", "localhost", "localhost:", "localhost:http", "127.0.0.1:-1", "::1:8070", "unix:/run/g", "a:1,b:2", "a:²"],
)
def test_other_texts_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(SetupError, match=r"HOST:PORT"):
        bind.parse(text)


@pytest.mark.parametrize("text", ["127.0.0.1:0", "127.0.0.1:65536"])
def test_a_port_has_limits(text: str) -> None:
    with pytest.raises(SetupError, match="from 1 to 65535"):
        bind.parse(text)


def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=f"127.0.0.1:{port} is taken") as caught:
            bind.check_free(Address("127.0.0.1", port))
    assert f"GATEHOUSE_BIND=127.0.0.1:{port + 1} make serve" in caught.value.todo


def test_a_free_port_passes() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bind.check_free(Address("127.0.0.1", port))


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(SetupError, match=r"192\.0\.2\.1"):
        bind.check_free(Address("192.0.2.1", 8070))
