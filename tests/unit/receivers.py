"""Receivers of webhooks on 127.0.0.1, with certificates and DNS of their own."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: Name of the receivers in the fake DNS.
HOST = "hooks.example.test"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"

#: What a receiver does once it has a request.
Behaviour: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object]]


class Authority:
    """A certificate authority, and contexts of servers with certificates of its."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority of the tests")])
        usage = dict.fromkeys(("key_cert_sign", "crl_sign"), True)
        others = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
        usage |= dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
        certificate = (
            self._begun(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / "authority.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, name: str = HOST, *, days: int = 14) -> ssl.SSLContext:
        """Return the context of a server that goes by a name, for so many days from a week ago on."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._begun(x509.Name([]), key.public_key(), days)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / f"{name}.pem"
        no_password = serialization.NoEncryption()
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _begun(self, name: x509.Name, key: ec.EllipticCurvePublicKey, days: int = 14) -> x509.CertificateBuilder:
        begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=7)
        return (
            x509.CertificateBuilder(self._name, name, key, x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + datetime.timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


class Dns:
    """DNS in the place of `socket.getaddrinfo`: the answers of a name in turn, the last one for ever."""

    def __init__(self) -> None:
        self.names = {HOST: [["127.0.0.1"]], "localhost": [["::1", "127.0.0.1"]]}
        self.lookups: list[str] = []

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        self.lookups.append(host)
        answers = self.names.get(host)
        if answers is None:  # as the system reads addresses, those in odd forms too
            return _system(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return [_entry(address, port) for address in answer]


_system = socket.getaddrinfo


def _entry(address: str, port: int) -> tuple[Any, ...]:
    family, rest = (socket.AF_INET6, (0, 0)) if ":" in address else (socket.AF_INET, ())
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, *rest)


class Receiver:
    """A server that behaves as it is told, and remembers what came."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.port = 0
        self.requests: list[bytes] = []
        self.connections = 0
        #: Set once a connection has ended.
        self.ended = asyncio.Event()
        self._behaviour = behaviour

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection until one of the two sides ends it."""
        self.connections += 1
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                await self._behaviour(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.transport.abort()  # TLS would wait for the client to say goodbye too
            self.ended.set()


@contextlib.asynccontextmanager
async def receiving(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver that runs meanwhile."""
    receiver = Receiver(behaviour)
    serving: list[asyncio.Task[None]] = []

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.ensure_future(receiver.serve(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def says(*pieces: bytes, ends: bool = False) -> Behaviour:
    """A behaviour: these bytes are the answer to each request, and may end the connection."""

    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines(pieces)
        await writer.drain()
        if ends:
            writer.close()

    return say


def stalls(*pieces: bytes) -> Behaviour:
    """A behaviour: these bytes, and then nothing until the client goes."""

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says(*pieces)(reader, writer)
        await reader.read()

    return stall


def never_ends(first: bytes, piece: bytes, pause: float = 0) -> Behaviour:
    """A behaviour: first this, then that again and again until the client goes."""

    async def go_on(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()  # raises once the client has gone
            await asyncio.sleep(pause)

    return go_on
