"""Addresses as keys of counters: which of them count as one place."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address

#: The key of all texts that are no address, so that nobody begins anew by writing another.
_NO_ADDRESS = "unknown"


@lru_cache(maxsize=8192)
def place_of(address: str) -> str:
    """Return the key by which an address is counted: IPv4 by itself, IPv6 by its /64, which is one subscriber's.

    Takes the forms that proxies write: with a port, in brackets and quotes (RFC 7239 6), with a zone id, and IPv4
    within IPv6.
    """
    text = address.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif "." in text:  # a port after a bare IPv6 address can't be told from its last part: that is no form
        before, _, last = text.rpartition(".")
        text = f"{before}.{last.partition(':')[0]}"
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return _NO_ADDRESS
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, 64), strict=False))
