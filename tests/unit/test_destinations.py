"""Which URLs and addresses webhooks may call. DNS is made up; nothing is sent."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.networks import Networks
from app.outgoing import destinations
from app.outgoing.destinations import Destination, Refused, check, check_destination, parse, resolve
from tests.unit.receivers import HOST, Dns

NOBODY = Networks()
INSIDE = Networks.parse("10.0.0.0/8, 127.0.0.0/8, ::1, 64:ff9b::a00:0/104")
PUBLIC, OTHER = "93.184.215.14", "1.1.1.1"


class Entry(NamedTuple):
    """An address of an interface, as psutil has it."""

    family: int
    address: str


@pytest.fixture(autouse=True)
def dns(monkeypatch: pytest.MonkeyPatch) -> Dns:
    made = Dns()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    return made


def _resolved(host: str, trusted: Networks = NOBODY, scheme: str = "https") -> list[str]:
    return [str(address) for address in asyncio.run(resolve(Destination(scheme, host, 443, "/"), trusted))]


@pytest.mark.parametrize(
    ("url", "parts", "authority"),
    [
        ("https://example.com", ("https", "example.com", 443, "/"), "example.com"),
        ("https://example.com:443/a?b=c&d", ("https", "example.com", 443, "/a?b=c&d"), "example.com"),
        ("HTTPS://Example.COM:8443/A", ("https", "example.com", 8443, "/A"), "example.com:8443"),
        ("https://example.com?a=/b", ("https", "example.com", 443, "/?a=/b"), "example.com"),
        ("https://example.com./a", ("https", "example.com", 443, "/a"), "example.com"),
        ("https://example.com/@a:b", ("https", "example.com", 443, "/@a:b"), "example.com"),
        ("https://example.com/%2e/é", ("https", "example.com", 443, "/%2e/%C3%A9"), "example.com"),
        ("https://my_host.example/", ("https", "my_host.example", 443, "/"), "my_host.example"),
        ("https://bücher.example/", ("https", "xn--bcher-kva.example", 443, "/"), "xn--bcher-kva.example"),
        ("https://faß。example/", ("https", "xn--fa-hia.example", 443, "/"), "xn--fa-hia.example"),
        ("https://93.184.215.14/", ("https", "93.184.215.14", 443, "/"), "93.184.215.14"),
        ("https://①②⑦.0.0.1/", ("https", "127.0.0.1", 443, "/"), "127.0.0.1"),
        ("https://[2606:4700:0:0::1111]/", ("https", "2606:4700::1111", 443, "/"), "[2606:4700::1111]"),
        ("https://[::FFFF:127.0.0.1]:1/", ("https", "127.0.0.1", 1, "/"), "127.0.0.1:1"),
    ],
)
def test_a_url_has_one_destination(url: str, parts: tuple[str, str, int, str], authority: str) -> None:
    destination = parse(url, NOBODY)
    assert (destination.scheme, destination.host, destination.port, destination.target) == parts
    assert destination.authority == authority


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no URL"),
        ("example.com/path", "no URL"),
        ("https:example.com", "no URL"),
        ("https:/example.com", "no URL"),
        ("https:///path", "no URL"),
        ("//example.com", "no URL"),
        ("http://example.com", "must begin with https"),
        ("ftp://example.com", "must begin with https"),
        ("file://localhost/etc/passwd", "must begin with https"),
        ("gopher://example.com", "must begin with https"),
        ("httpſ://example.com", "no URL"),
        ("https://user@example.com", "user or a password"),
        ("https://user:password@example.com", "user or a password"),
        ("https://example.com@127.0.0.1", "user or a password"),
        ("https://127.0.0.1#@example.com/", "fragment"),
        ("https://example.com/#", "fragment"),
        ("https://example.com\\@127.0.0.1/", "backslash"),
        ("https://example.com/a b", "blank"),
        (" https://example.com", "blank"),
        ("https://example.com/\r\nHost: inside", "blank"),
        ("https://exam\tple.com", "blank"),
        ("https://example.com/\x00", "can't be seen"),
        ("https://example.com/\x7f", "can't be seen"),
        ("https://exam\u200bple.com/", "can't be seen"),
        ("https://example.com/\u2028", "blank"),
        ("https://example.com/\ud800", "can't be seen"),
        ("https://example.com/" + "a" * 2000, "2,000 characters"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com:-1/", "port"),
        ("https://example.com:/", "port"),
        ("https://example.com:4٣/", "port"),
        ("https://example.com:443:80/", "port"),
        ("https://::1/", "port"),
        ("https://[::1/", "port"),
        ("https://[::1]a/", "port"),
        ("https://a[::1]/", "port"),
        ("https://[fe80::1%25eth0]/", "port"),
        ("https://[v1.a]/", "host is wrong"),
        ("https://[127.0.0.1]/", "host is wrong"),
        ("https://[]/", "host is wrong"),
        # what the system's resolver takes for an IPv4 address
        ("https://2130706433/", "host is wrong"),
        ("https://0x7f.1/", "host is wrong"),
        ("https://0X7F000001/", "host is wrong"),
        ("https://0177.0.0.1/", "host is wrong"),
        ("https://127.1/", "host is wrong"),
        ("https://127.0.0.1.1/", "host is wrong"),
        ("https://256.0.0.1/", "host is wrong"),
        ("https://example.1/", "host is wrong"),
        ("https://٢١٣٠٧٠٦٤٣٣/", "host is wrong"),
        ("https://xn--\N{FULLWIDTH DIGIT ONE}é/", "host is wrong"),
        ("https://.example.com/", "no name"),
        ("https://example..com/", "no name"),
        ("https://example.com../", "no name"),
        ("https://./", "no name"),
        ("https://exam%70le.com/", "no name"),
        ("https://%31%32%37.0.0.1/", "host is wrong"),
        ("https://-a.example/", "no name"),
        ("https://a,b/", "no name"),
        ("https://exa*mple.com/", "no name"),
        ("https://" + "a" * 64 + ".example/", "no name"),
        ("https://" + "a." * 126 + "aa/", "no name"),
    ],
)
def test_a_url_that_is_refused_is_told_why(url: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        parse(url, NOBODY)


@settings(deadline=None)
@given(st.text(max_size=60) | st.builds("https://{}{}".format, st.text(max_size=30), st.text(max_size=30)))
def test_any_text_is_refused_or_has_a_destination_that_can_be_sent(url: str) -> None:
    try:
        destination = parse(url, NOBODY)
    except Refused:
        return
    sent = destination.authority + destination.target
    assert sent.isascii()
    assert sent.isprintable()
    assert " " not in sent


def test_http_is_for_servers_with_trusted_networks_alone() -> None:
    assert parse("http://example.com/", INSIDE) == Destination("http", "example.com", 80, "/")


@pytest.mark.parametrize(
    ("address", "connected_to"),
    [
        (PUBLIC, PUBLIC),
        (f"::ffff:{PUBLIC}", PUBLIC),
        ("2606:4700::1111", "2606:4700::1111"),
        ("64:ff9b::8.8.8.8", "64:ff9b::808:808"),
    ],
)
def test_public_addresses_pass(address: str, connected_to: str) -> None:
    assert check(address, NOBODY, (), scheme="https") == ip_address(connected_to)


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "127.0.0.1", "10.0.0.1", "100.64.0.1", "169.254.169.254", "192.168.0.1", "224.0.0.1"),
        *("255.255.255.255", "::", "::1", "::127.0.0.1", "fd00:ec2::254", "fe80::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("64:ff9b:1::808:808", "2002:7f00:1::", "2002:808:808::1", "2001:0:7f00:1::1", "192.88.99.1", "fec0::1"),
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    with pytest.raises(Refused, match="not public"):
        check(address, NOBODY, (), scheme="https")


@pytest.mark.parametrize("address", ["fe80::1%eth0", "2606:4700::1111%eth0", "::1%lo"])
def test_addresses_with_a_zone_are_refused_even_in_trusted_networks(address: str) -> None:
    with pytest.raises(Refused, match="zone"):
        check(address, Networks.parse("::/0"), (), scheme="https")


@pytest.mark.parametrize("address", [PUBLIC, f"::ffff:{PUBLIC}", f"64:ff9b::{PUBLIC}", "2606:4700::1111"])
def test_the_machines_own_addresses_are_refused(address: str) -> None:
    own = {ip_address(PUBLIC), ip_address("2606:4700::1111")}
    with pytest.raises(Refused, match="this server itself"):
        check(address, NOBODY, own, scheme="https")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "::1", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"])
def test_addresses_in_trusted_networks_pass_own_ones_too(address: str, scheme: str) -> None:
    assert check(address, INSIDE, {ip_address("127.0.0.1"), ip_address("::1")}, scheme=scheme)


def test_what_a_nat64_leads_to_is_no_trusted_network_of_ours() -> None:
    with pytest.raises(Refused, match="not public"):
        check("64:ff9b::127.0.0.1", INSIDE, (), scheme="https")


@pytest.mark.parametrize("address", [PUBLIC, "192.168.0.1"])
def test_http_is_for_addresses_in_trusted_networks_alone(address: str) -> None:
    with pytest.raises(Refused, match="must begin with https"):
        check(address, INSIDE, (), scheme="http")


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "0xa9fea9fe"),
        *("::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"),
    ],
)
def test_hosts_in_odd_forms_are_refused_by_what_they_stand_for(host: str) -> None:
    with pytest.raises(Refused, match="not public"):
        _resolved(host)


@pytest.mark.parametrize(
    "url",
    [
        *("https://localhost./", "https://LOCALHOST/", "https://127.0.0.1./", "https://0.0.0.0/", "https://[::]/"),
        *("https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://①②⑦.0.0.1/"),
    ],
)
def test_a_url_that_leads_inside_is_refused_when_it_is_saved(url: str) -> None:
    with pytest.raises(Refused, match="not public"):
        check_destination(url, NOBODY)


def test_a_url_that_may_be_called_is_saved_after_one_lookup(dns: Dns) -> None:
    dns.names[HOST] = [[PUBLIC]]
    check_destination(f"https://{HOST}/", NOBODY)
    assert dns.lookups == [HOST]


def test_all_addresses_of_a_name_are_there_in_the_order_of_dns(dns: Dns) -> None:
    dns.names[HOST] = [["2606:4700::1111", PUBLIC, OTHER, PUBLIC]]
    assert _resolved(HOST) == ["2606:4700::1111", PUBLIC, OTHER]
    assert dns.lookups == [HOST]


@pytest.mark.parametrize("answer", [[PUBLIC, "127.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, OTHER, "fe80::1"]])
def test_one_bad_address_refuses_them_all(answer: list[str], dns: Dns) -> None:
    dns.names[HOST] = [answer]
    with pytest.raises(Refused, match="not public"):
        _resolved(HOST)


def test_own_addresses_are_looked_up_anew_each_time(dns: Dns, monkeypatch: pytest.MonkeyPatch) -> None:
    dns.names[HOST] = [[PUBLIC]]
    interfaces: dict[str, list[Entry]] = {"eth0": [Entry(psutil.AF_LINK, "00:00:00:00:00:00")]}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: interfaces)
    assert _resolved(HOST) == [PUBLIC]
    interfaces["eth1"] = [Entry(socket.AF_INET6, "fe80::1%eth1"), Entry(socket.AF_INET, PUBLIC)]
    with pytest.raises(Refused, match="this server itself"):
        _resolved(HOST)


def test_the_system_names_the_machines_addresses() -> None:
    assert ip_address("127.0.0.1") in destinations._own()


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_that_dns_does_not_know_is_refused(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Refused, match=r"No address of nowhere\.example was found"):
        check_destination("https://nowhere.example/", NOBODY)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """DNS that does not answer until the test is over."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60) and [])
    yield
    over.set()


@pytest.mark.usefixtures("hanging")
def test_dns_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destinations, "LOOKUP", 0.05)
    with pytest.raises(Refused, match="does DNS answer"):
        check_destination(f"https://{HOST}/", NOBODY)
