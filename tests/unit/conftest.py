"""What several tests of the server's parts begin with."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from serving.outbox import Outbox


@pytest.fixture
def ends() -> Iterator[tuple[Outbox, socket.socket]]:
    """An outbox, and the client's end of its connection."""
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.settimeout(5)
        yield Outbox(left), right
