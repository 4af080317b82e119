"""Which addresses count as one place."""

from __future__ import annotations

import pytest

from app.auth.addresses import place_of


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("192.0.2.7:51234", "192.0.2.7"),
        ('"192.0.2.7:51234"', "192.0.2.7"),  # RFC 7239 6
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:207", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:443", "192.0.2.7"),
        ("::ffff:192.0.2.7:443", "192.0.2.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:0db8:0001:0002:0:0:0:9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:51234", "2001:db8:1:2::/64"),
        ('"[2001:db8:1:2::1]:51234"', "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("[fe80::2%25eth1]:80", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_one_place_has_one_key_however_its_address_is_written(address: str, place: str) -> None:
    assert place_of(address) == place


@pytest.mark.parametrize("text", ["", "unknown", "_hidden", "192.0.2", "192.0.2.256", "[", "a" * 300, "192.0.2.7, ::1"])
def test_what_is_no_address_has_one_key_however_it_is_written(text: str) -> None:
    assert place_of(text) == place_of("no address")
