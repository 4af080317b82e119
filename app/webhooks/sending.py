"""Sending of webhooks: requests to servers that others name, which may be slow, hostile, or not what they seem.

httpcore has the pool and HTTP/1.1; of itself it follows no redirect, asks no proxy and keeps no cookie.
"""

from __future__ import annotations

import logging
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass

import anyio
import httpcore

from app.networks import Networks
from app.outgoing import failures
from app.outgoing.connections import CheckedNetwork
from app.outgoing.destinations import LOOKUPS, parse

_logger = logging.getLogger(__name__)

#: Bytes of an answer's body that are read, and characters of it that are kept.
MOST, SHOWN = 16 * 1024, 1_000
#: Seconds for which a connection is kept for the next request, and connections from whose number on none is.
KEPT, MOST_KEPT = 5.0, 100
#: What PostgreSQL or a page can't show: control characters, and those that turn the direction of writing.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to a request: its status and the beginning of its text, or a sentence that says why there is none."""

    status: int | None
    text: str
    seconds: float
    error: str


class Sender:
    """Sender of requests, for one event loop. From DNS to the end of the answer a request has ``seconds``.

    No request is sent twice. A kept connection that its server has closed is replaced before anything is sent; where
    the server closes it while the request is on its way, that has failed, as nobody knows whether it has arrived.
    """

    def __init__(self, trusted: Networks, *, seconds: float = 15.0) -> None:
        self._trusted = trusted
        self._seconds = seconds
        context = ssl.create_default_context()
        self._pools = {
            scheme: httpcore.AsyncConnectionPool(
                ssl_context=context,
                max_connections=None,  # no request waits for others: who sends says how many there are at once
                max_keepalive_connections=MOST_KEPT,
                keepalive_expiry=KEPT,
                network_backend=CheckedNetwork(scheme, trusted),
            )
            for scheme in ("https", "http")
        }

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        began: float | None = None,
        lookups: anyio.CapacityLimiter | None = None,
    ) -> Answer:
        """Return the answer to a request. It raises nothing: what comes after the status takes nothing from it.

        Its time counts from ``began`` on, of ``time.monotonic``; where it is over before anything was sent, nothing is.
        ``lookups`` limits those of DNS that are made at once for whom it is sent.
        """
        if lookups is not None:
            LOOKUPS.set(lookups)
        began = time.monotonic() if began is None else began
        status: int | None = None
        text, error = bytearray(), ""
        try:
            with anyio.fail_after(began + self._seconds - time.monotonic()):
                to = parse(url, self._trusted)
                # In parts, so that nothing takes the URL apart in a way of its own.
                parts = httpcore.URL(scheme=to.scheme, host=to.host, port=to.port, target=to.target)
                sent = to.headers(headers, body)
                async with self._pools[to.scheme].stream("POST", parts, headers=sent, content=body) as response:
                    status = response.status
                    async for piece in response.aiter_stream():
                        text += piece
                        if len(text) >= MOST:
                            break
        except TimeoutError:
            error = f"There was no answer within {self._seconds:g} seconds."
        except Exception as caught:  # noqa: BLE001  it is told
            error = _sentence(caught)
        return Answer(status, _text(text[:MOST]), time.monotonic() - began, error if status is None else "")

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.aclose()


def _text(body: bytes | bytearray) -> str:
    return _UNFIT.sub("\ufffd", body.decode(errors="replace").replace("\r\n", "\n")[:SHOWN])


def _sentence(error: Exception) -> str:
    known = failures.sentence(error)
    if known is None:
        _logger.error("A webhook could not be sent", exc_info=error)
    return known or "The request could not be sent; the log says more."
