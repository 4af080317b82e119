"""Networks: those that a server's operators trust, from the text of a setting, and those that are public."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# What is not globally reachable unicast, after IANA's special-purpose registries (RFC 6890). It is listed here as
# `ipaddress.is_global` differs between releases of Python 3.10 to 3.13, and is true for multicast and for relays.
_NOT_PUBLIC: tuple[Network, ...] = (
    IPv4Network("0.0.0.0/8"),  # this network (RFC 791)
    IPv4Network("10.0.0.0/8"),  # private (RFC 1918)
    IPv4Network("100.64.0.0/10"),  # behind carriers' NAT (RFC 6598)
    IPv4Network("127.0.0.0/8"),  # loopback (RFC 1122)
    IPv4Network("168.63.129.16/32"),  # the platform beneath a machine at Azure: a public address, yet within
    IPv4Network("169.254.0.0/16"),  # link-local (RFC 3927), with the metadata of clouds
    IPv4Network("172.16.0.0/12"),  # private (RFC 1918)
    IPv4Network("192.0.0.0/24"),  # protocols (RFC 6890)
    IPv4Network("192.0.2.0/24"),  # documentation (RFC 5737)
    IPv4Network("192.88.99.0/24"),  # relays of 6to4 (RFC 7526)
    IPv4Network("192.168.0.0/16"),  # private (RFC 1918)
    IPv4Network("198.18.0.0/15"),  # benchmarks (RFC 2544)
    IPv4Network("198.51.100.0/24"),  # documentation (RFC 5737)
    IPv4Network("203.0.113.0/24"),  # documentation (RFC 5737)
    IPv4Network("224.0.0.0/3"),  # multicast (RFC 5771), reserved (RFC 1112), broadcast (RFC 919)
    IPv6Network("2001::/23"),  # protocols (RFC 2928): Teredo with IPv4 in it (RFC 4380), benchmarks, ORCHID
    IPv6Network("2001:db8::/32"),  # documentation (RFC 3849)
    IPv6Network("2002::/16"),  # 6to4 with IPv4 in it (RFC 3056), by relays that are deprecated (RFC 7526)
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
#: What IPv6 has of global unicast (RFC 4291 2.4, IANA): all else is reserved, multicast, local or IPv4 in disguise.
_UNICAST_6 = IPv6Network("2000::/3")
#: What a NAT64 takes to the IPv4 address in the last 32 bits (RFC 6052 2.1); 64:ff9b:1::/48 is for private ones.
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Networks:
    """Networks with the addresses in them: none by default, and then false. ``setting`` is what names them."""

    networks: tuple[Network, ...] = ()
    setting: str = "GATEHOUSE_WEBHOOK_NETWORKS"

    @classmethod
    def parse(cls, text: str, setting: str = setting) -> Networks:
        """Return the networks of a text as "10.0.0.0/8, 192.168.1.7"; raises ValueError, which names what is none."""
        parts = text.split(",") if text.strip() else []
        return cls(tuple(_network(part.strip()) for part in parts), setting)

    def __contains__(self, address: Address) -> bool:
        return any(address in network for network in self.networks)

    def __bool__(self) -> bool:
        return bool(self.networks)


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f"must be networks with commas between them ({text!r} is none)") from None


def reached(address: Address) -> Address:
    """Return the address at which packets arrive: the IPv4 address that IPv6 holds for a NAT64, else the same."""
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address


def is_public(address: Address) -> bool:
    """True if all the world can reach the address, and it is that of a single host."""
    return (address.version == 4 or address in _UNICAST_6) and not any(address in network for network in _NOT_PUBLIC)
