"""Fetching of small documents from servers that others name, for threads without an event loop."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final

import anyio
import httpcore

from app.networks import Networks
from app.outgoing import failures
from app.outgoing.connections import CheckedNetwork
from app.outgoing.destinations import Destination, parse

#: Seconds from DNS to the end of the answer.
SECONDS: Final = 5.0


class Unreachable(Exception):
    """A document could not be had; the message says why."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: its status, the two headers that matter, and its body, which is not longer than was asked for."""

    status: int
    content_type: str
    cache_control: str
    content: bytes


def fetch(url: str, trusted: Networks, *, accept: str, most: int) -> Fetched:
    """Return the answer to a GET; no redirect is followed. Raises Refused and Unreachable, also for a longer body."""
    return anyio.run(_fetch, parse(url, trusted), trusted, accept, most)


async def _fetch(to: Destination, trusted: Networks, accept: str, most: int) -> Fetched:
    parts = httpcore.URL(scheme=to.scheme, host=to.host, port=to.port, target=to.target)
    network = CheckedNetwork(to.scheme, trusted)
    try:
        with anyio.fail_after(SECONDS):
            async with (
                httpcore.AsyncConnectionPool(ssl_context=ssl.create_default_context(), network_backend=network) as pool,
                pool.stream("GET", parts, headers=to.headers({"Accept": accept}, b"")) as response,
            ):
                content = bytearray()
                async for piece in response.aiter_stream():
                    content += piece
                    if len(content) > most:
                        raise Unreachable(f"The document is too long: it may have {most:,} bytes.")
                headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
                found = headers.get(b"content-type", ""), headers.get(b"cache-control", "")
                return Fetched(response.status, *found, bytes(content))
    except TimeoutError:
        raise Unreachable(f"There was no answer within {SECONDS:g} seconds.") from None
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, ssl.SSLError) as error:
        raise Unreachable(failures.sentence(error) or "The document could not be fetched.") from error
