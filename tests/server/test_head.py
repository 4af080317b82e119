"""HEAD on the wire: no byte of a body, and the connection goes on (RFC 9110 9.3.2, RFC 9112 6.3)."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dev.testbed import Testbed
from tests.server.conftest import Server, serving

pytestmark = pytest.mark.live


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/api/nowhere",
        "/api/partner/rest",
        "/api/company/rpc/1",
        "/api/openapi.json",
        "/api/docs/swagger-ui-bundle.js",
        "/admin/",
        "/admin/assets/panel.css",
    ],
)
def test_a_kept_connection_carries_on_behind_the_head_of_an_answer(server: Server, path: str) -> None:
    address = urlsplit(server.url)
    head = f"HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    last = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=20) as client:
        client.sendall(head + head + last)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    first, second, third, body = received.split(b"\r\n\r\n")
    assert [part.partition(b" ")[0] for part in (first, second, third)] == [b"HTTP/1.1"] * 3
    assert b"content-length: " in first.lower()
    assert json.loads(body)["result"] == {"status": "alive"}


def test_the_access_log_says_head(testbed: Testbed, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(testbed, f"gatehouse_head_{os.getpid()}", log, GATEHOUSE_ACCESS_LOG="1") as server:
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port), timeout=20) as client:
            client.sendall(b"HEAD /api/docs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert b"".join(iter(lambda: client.recv(65536), b"")).startswith(b"HTTP/1.1 200 ")
    assert "HEAD /api/docs: 200 in" in log.read_text()
