"""Networks from the text of a setting, and public addresses on all Pythons."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from app.networks import Networks, is_public, reached


@pytest.mark.parametrize(
    ("text", "within", "outside"),
    [
        ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
        (" 10.0.0.0/8 ,192.168.1.7", "192.168.1.7", "192.168.1.8"),
        ("fd00::/8", "fd12::1", "fe80::1"),
        ("::/0", "::1", "127.0.0.1"),
    ],
)
def test_networks_have_the_addresses_in_them(text: str, within: str, outside: str) -> None:
    networks = Networks.parse(text)
    assert ip_address(within) in networks
    assert ip_address(outside) not in networks


@pytest.mark.parametrize("text", ["", "  "])
def test_no_text_stands_for_no_networks(text: str) -> None:
    assert not Networks.parse(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("10.0.0.0/8, 10.0.0.300", "'10.0.0.300'"),
        ("192.168.1.7/24", "'192.168.1.7/24'"),
        ("10.0.0.0/33", "'10.0.0.0/33'"),
        ("intranet", "'intranet'"),
        ("10.0.0.0/8,", "''"),
        ("010.0.0.0/8", "'010.0.0.0/8'"),
    ],
)
def test_what_is_no_network_is_named(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match="must be networks") as raised:
        Networks.parse(text)
    assert f"({wrong} is none)" in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "9.255.255.255", "100.63.255.255", "100.128.0.0", "172.32.0.0", "192.0.1.0", "198.20.0.0"),
        *("223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "3ffe::1"),
    ],
)
def test_addresses_that_all_the_world_can_reach_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        # the first and the last of each block
        *("0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255"),
        *(
            "127.0.0.0",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
        ),
        *("172.16.0.0", "172.31.255.255", "168.63.129.16", "192.0.0.0", "192.0.0.9", "192.0.0.170", "192.0.0.255"),
        *("192.0.2.0", "192.0.2.255", "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255"),
        *("198.51.100.1", "203.0.113.1", "224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::8.8.8.8", "::ffff:7f00:1", "::ffff:0:8.8.8.8", "64:ff9b::7f00:1"),
        *("64:ff9b:1::1", "64:ff9b:1::808:808", "100::1", "100:0:0:1::1", "200::1", "1fff::1"),
        *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:3::1", "2001:20::1", "2001:1ff::1"),
        *("2001:db8::1", "2002::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1", "3fff:fff::1"),
        *("4000::1", "5f00::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "feff::1"),
        *("ff00::", "ff02::1", "ff0e::1"),
    ],
)
def test_addresses_with_a_purpose_of_their_own_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    ("address", "arrives_at"),
    [
        ("64:ff9b::7f00:1", "127.0.0.1"),
        ("64:ff9b::8.8.8.8", "8.8.8.8"),
        ("64:ff9b:1::1", "64:ff9b:1::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_packets_of_a_nat64_arrive_at_the_ipv4_address_in_it(address: str, arrives_at: str) -> None:
    assert reached(ip_address(address)) == ip_address(arrives_at)
