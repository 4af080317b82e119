"""Connections to addresses that are checked, and to no others."""

from __future__ import annotations

import ssl
from collections.abc import Iterable

import anyio
import httpcore

from app.networks import Networks
from app.outgoing.destinations import Destination, resolve

#: Bytes that an answer may have with its heads, also those of status 1xx, of which there may be any number.
MOST = 256 * 1024


class CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Network for URLs of one scheme, which httpcore does not name when it wants to connect."""

    def __init__(self, scheme: str, trusted: Networks) -> None:
        self._scheme = scheme
        self._trusted = trusted
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that can be connected to; raises Refused, and the error of the last address."""
        *others, last = await resolve(Destination(self._scheme, host, port, "/"), self._trusted)
        for behind, address in zip(range(len(others), 0, -1), others, strict=True):
            # A share of the time, so that one which swallows all packets leaves theirs to those behind it.
            share = (anyio.current_effective_deadline() - anyio.current_time()) / (behind + 1)
            try:
                return _Stream(await self._tcp.connect_tcp(str(address), port, share))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return _Stream(await self._tcp.connect_tcp(str(last), port))


class _Stream(httpcore.AsyncNetworkStream):
    """Stream with a limit, and closed where its TLS handshake is cancelled: httpcore closes it on errors alone."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._received = 0

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            return _Stream(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()
            raise

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        received = await self._stream.read(max_bytes, timeout)
        self._received += len(received)
        if self._received > MOST:
            raise httpcore.ReadError
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._received = 0
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)
