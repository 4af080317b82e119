"""GATEHOUSE_BIND and the like: the address that a server listens on."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from dev.errors import SetupError

SETTING, DEFAULT = "GATEHOUSE_BIND", "127.0.0.1:8070"
# Addresses that mean "all of this machine's": the one to call them by.
ANY = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - they are recognised, not bound to


@dataclass(frozen=True)
class Address:
    """A host (a name, an IPv4 or an IPv6 address without brackets, or '') and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def callable_host(self) -> str:
        """The host under which this machine reaches it."""
        return ANY.get(self.host, self.host)

    @property
    def url(self) -> str:
        """The address for a browser on this machine."""
        return f"http://{bracketed(self.callable_host)}:{self.port}"


def bracketed(host: str) -> str:
    """Return a host as it stands in an URL: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def parse(text: str, setting: str = SETTING) -> Address:
    """Return the address that a setting names. Raises SetupError."""
    host, colon, port = text.strip().rpartition(":")
    v6 = host.startswith("[") and host.endswith("]")
    if not colon or not (port.isascii() and port.isdigit()) or (not v6 and any(sign in host for sign in ":/,")):
        raise SetupError(
            f"{setting}={text} is not an address.",
            f"Write HOST:PORT, for example {DEFAULT}, or [::1]:8070 for IPv6.",
        )
    if not 0 < int(port) < 65536:
        raise SetupError(f"{setting}={text}: a port is a number from 1 to 65535.")
    return Address(host[1:-1] if v6 else host, int(port))


def check_free(address: Address, setting: str = SETTING, command: str = "make serve") -> None:
    """Raise SetupError unless a server could listen on the address; `command` is what starts one."""
    example = f"Choose another one, for example:  {setting}={bracketed(address.host)}:{address.port + 1} {command}"
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As gunicorn does: connections of an earlier server that still time out do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen(1)
    except socket.gaierror as error:
        raise SetupError(f"{setting}={address}: the host is not known ({error.strerror}).") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SetupError(
                f"The address {address} is taken: another program listens on port {address.port}.",
                f"It may be another `{command}`: see `ss -ltnp 'sport = :{address.port}'`, and stop it.\n{example}",
            ) from error
        if error.errno == errno.EACCES:
            raise SetupError(f"Port {address.port} is reserved for root.", example) from error
        raise SetupError(
            f"{setting}={address} cannot be used: {error.strerror}.",
            "It must be an address of this machine.",
        ) from error
