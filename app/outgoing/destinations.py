"""Destinations of requests: the URLs and addresses that may be called, so that nobody gets inside through us.

A name is looked up once, all addresses that it has are checked, and what sends connects to these: so a name whose
addresses change between check and call (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import re
import socket
import string
from collections.abc import Container, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import quote

import anyio
import anyio.to_thread
import idna
import psutil

from app.networks import Address, Networks, is_public, reached

#: Characters of a URL, and of a name in DNS (RFC 1035 2.3.4), at most.
LONGEST, _LONGEST_NAME = 2_000, 253
#: Seconds that DNS may take.
LOOKUP = 5.0
#: Limiter of the lookups at once that are made on behalf of somebody.
LOOKUPS: ContextVar[anyio.CapacityLimiter] = ContextVar("lookups")

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]+)([/?].*)?")
_AUTHORITY = re.compile(r"(\[[^\[\]%]*\]|[^\[\]:]+)(?::([0-9]{1,5}))?")
#: Part of a name (RFC 1123 2.1); private networks have names with underscores too.
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
#: A last part by which the system's resolver takes all for an IPv4 address: 2130706433, 0x7f.1, 0177.0.0.1.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"http": 80, "https": 443}


class Refused(Exception):
    """A URL or address must not be called; the message tells people what would be right."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Destination of a request: the parts of its URL, as they are looked up, connected to and sent.

    ``host`` is ASCII in lower case without a final dot, or an address without brackets; ``target`` is path and query.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Value of the header Host (RFC 9110 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def headers(self, given: Mapping[str, str], body: bytes) -> list[tuple[bytes | str, bytes | str]]:
        """Return the headers of a request: those of the address, the length and the coding are ours."""
        ours = {"host": self.authority, "content-length": str(len(body)), "accept-encoding": "identity"}
        others = {name: value for name, value in given.items() if name.lower() not in ours}
        return [(name.encode("ascii"), value.encode("ascii")) for name, value in (ours | others).items()]


def parse(url: str, trusted: Networks) -> Destination:
    """Return the destination of a URL, which nothing takes apart a second time (RFC 3986 3); raises Refused."""
    if len(url) > LONGEST:
        raise Refused(f"The URL is too long: it may have {LONGEST:,} characters.")
    if "\\" in url or any(character.isspace() or not character.isprintable() for character in url):
        raise Refused("The URL has a blank, a backslash or a character that can't be seen: write it percent-encoded.")
    if "#" in url:
        raise Refused("The URL has a fragment, which is never sent: leave out the # and what follows.")
    found = _URL.fullmatch(url)
    if found is None:
        raise Refused("This is no URL: write one like https://example.com/path.")
    scheme, authority, target = found[1].lower(), found[2], found[3] or "/"
    if scheme != "https" and not (scheme == "http" and trusted):
        raise Refused("The URL must begin with https://.")
    if "@" in authority:
        raise Refused("The URL has a user or a password: leave out the @ and what is before it.")
    parts = _AUTHORITY.fullmatch(authority)
    port = int((parts and parts[2]) or _PORTS[scheme])
    if parts is None or not 1 <= port <= 65_535:
        raise Refused("The URL's host or port is wrong: write a name, and a port from 1 to 65535 where it has one.")
    target = quote(target if target.startswith("/") else f"/{target}", safe=string.punctuation)  # RFC 3987 3.1
    return Destination(scheme, _host(parts[1]), port, target)


def _host(text: str) -> str:
    """Return a host in the one form that it has; raises Refused."""
    try:
        if text.startswith("["):
            return str(_unmapped(IPv6Address(text[1:-1])))
        # Characters beyond ASCII may become digits and dots (UTS 46): so all else is judged by what they become.
        host = (text if text.isascii() else idna.encode(text, uts46=True).decode()).lower().removesuffix(".")
        labels = host.split(".")
        if _NUMBER.fullmatch(labels[-1]):
            return str(IPv4Address(host))
    except ValueError:
        raise Refused("The URL's host is wrong: write a name, or an address as 192.0.2.1 or [2001:db8::1].") from None
    if len(host) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise Refused("The URL's host is no name: letters, digits and hyphens with dots between them make one.")
    return host


def check(text: str, trusted: Networks, own: Container[Address], *, scheme: str) -> Address:
    """Return the address to connect to; raises Refused.

    Trusted networks pass, with what they have of this machine's ``own`` addresses.
    """
    if "%" in text:
        raise Refused("The host's address has a zone, so it is no public one.")  # RFC 4007 6
    address = _unmapped(ip_address(text))
    if address in trusted:
        return address
    if scheme != "https":
        raise Refused(f"The URL must begin with https://: its host is not in {trusted.setting}.")
    if not is_public(reached(address)):
        raise Refused(f"The host's address is not public, nor in {trusted.setting}.")
    if reached(address) in own:
        raise Refused(f"The host is this server itself, and not in {trusted.setting}.")
    return address


def _unmapped(address: Address) -> Address:
    """Return the IPv4 address that is written as an IPv6 one (RFC 4291 2.5.5.2), else the same."""
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


async def resolve(destination: Destination, trusted: Networks) -> list[Address]:
    """Return the addresses that may be connected to, by one lookup; raises Refused."""
    alone = anyio.CapacityLimiter(1)  # that of anyio is one for all, so that lookups which hang would stop all others
    try:
        async with LOOKUPS.get(None) or alone:
            with anyio.fail_after(LOOKUP):
                # A thread whose lookup hangs is left alone: it ends when the system's resolver gives up.
                answers = await anyio.to_thread.run_sync(
                    _lookup, destination, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1)
                )
    except (OSError, UnicodeError):  # a TimeoutError is an OSError
        raise Refused(f"No address of {destination.host} was found: is its name right, and does DNS answer?") from None
    own = _own()
    # One bad answer refuses all. Names with addresses inside and outside are a mistake, or made to get inside where the
    # address outside does not answer; and nobody would understand a webhook that arrives now and then.
    return [check(answer, trusted, own, scheme=destination.scheme) for answer in answers]


def check_destination(url: str, trusted: Networks) -> None:
    """Check a URL that is to be saved as a call would; raises Refused. For threads without an event loop."""
    anyio.run(resolve, parse(url, trusted), trusted)


def _lookup(destination: Destination) -> list[str]:
    found = socket.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _own() -> set[Address]:
    """Return this machine's addresses, as they are now; raises OSError where the system does not tell them."""
    entries = [entry for interface in psutil.net_if_addrs().values() for entry in interface]
    families = (socket.AF_INET, socket.AF_INET6)
    return {ip_address(entry.address.partition("%")[0]) for entry in entries if entry.family in families}
