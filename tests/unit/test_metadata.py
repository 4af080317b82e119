"""Client id metadata documents: which describe a client, and for how long."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.clients import metadata, resources
from app.clients.metadata import Unfit, described, host_of, parse
from app.networks import Networks
from app.outgoing.fetching import Fetched

URL = "https://agent.example/oauth/client.json"
DOCUMENT = {"client_id": URL, "client_name": "Agent", "redirect_uris": ["https://agent.example/callback"]}


def fetched(document: Any = None, *, cache: str = "", status: int = 200, kind: str = "application/json") -> Fetched:
    content = (
        document if isinstance(document, bytes) else json.dumps(DOCUMENT if document is None else document).encode()
    )
    return Fetched(status, kind, cache, content)


def test_a_document_describes_a_client() -> None:
    found = parse(URL, fetched())
    assert (found.url, found.name, found.redirect_uris) == (URL, "Agent", ("https://agent.example/callback",))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 3000,
        {},
        {**DOCUMENT, "client_id": "https://agent.example/oauth/other.json"},
        {**DOCUMENT, "client_id": URL.upper()},
        {**DOCUMENT, "client_id": None},
        {**DOCUMENT, "client_name": ""},
        {**DOCUMENT, "client_name": " "},
        {**DOCUMENT, "client_name": "x" * 101},
        {**DOCUMENT, "client_name": "Claude\u202e"},
        {**DOCUMENT, "client_name": "Claude\n"},
        {**DOCUMENT, "client_name": 1},
        {**DOCUMENT, "redirect_uris": []},
        {**DOCUMENT, "redirect_uris": "https://agent.example/"},
        {**DOCUMENT, "redirect_uris": ["http://agent.example/"]},
        {**DOCUMENT, "redirect_uris": ["https://agent.example/#x"]},
        {**DOCUMENT, "redirect_uris": ["javascript:alert(1)"]},
        {**DOCUMENT, "redirect_uris": [1]},
        {**DOCUMENT, "redirect_uris": ["https://agent.example/"] * 21},
        {**DOCUMENT, "token_endpoint_auth_method": "client_secret_post"},
        {**DOCUMENT, "token_endpoint_auth_method": "private_key_jwt"},
        {**DOCUMENT, "client_secret": "x"},
    ],
)
def test_what_describes_no_client_is_refused(document: Any) -> None:
    with pytest.raises(Unfit):
        parse(URL, fetched(document))


@pytest.mark.parametrize(
    "answer", [fetched(status=404), fetched(status=302), fetched(kind="text/html"), fetched(kind="")]
)
def test_only_a_good_answer_of_json_counts(answer: Fetched) -> None:
    with pytest.raises(Unfit):
        parse(URL, answer)


@pytest.mark.parametrize(
    ("cache", "seconds"),
    [
        ("", 3600),
        ("max-age=600", 600),
        ("public, max-age=5", 60),
        ("max-age=99999999", 86400),
        ("no-store", 60),
        ("No-Cache, max-age=600", 60),
        ("max-age=x", 3600),
    ],
)
def test_it_is_good_for_as_long_as_its_server_says_within_bounds(cache: str, seconds: int) -> None:
    assert parse(URL, fetched(cache=cache)).seconds == seconds


@pytest.mark.parametrize(
    "url",
    [
        "https://agent.example",
        "https://agent.example/",
        "https://agent.example/a/../b.json",
        "https://agent.example/./b.json",
        "https://agent.example/a.json?x=1",
        "https://agent.example/a.json#x",
        "https://user@agent.example/a.json",
        "https://agent.example/" + "x" * 500,
        "https://[agent.example/a.json",
        "http://agent.example/a.json",
        "https://127.0.0.1/a.json",
        "https://10.0.0.1/a.json",
        "https://[::1]/a.json",
        "https://[::ffff:169.254.169.254]/latest/meta-data",
        "https://2130706433/a.json",
        "https://[64:ff9b::7f00:1]/a.json",
    ],
)
def test_addresses_of_no_document_and_private_ones_are_not_asked(url: str) -> None:
    with pytest.raises(Unfit):
        described(url, Networks())


def test_the_host_is_what_an_administrator_names() -> None:
    assert host_of("https://Agent.Example/a.json") == "agent.example"
    assert host_of("https://agent.example:8443/a.json") == "agent.example:8443"
    assert host_of("https://agent.example@evil.example/a.json") == ""
    assert host_of("https://[x/a.json") == ""
    assert metadata.is_url("https://agent.example/a.json")
    assert not metadata.is_url("ShopsOwnId")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("https://a.example/api/mcp", True),
        ("HTTPS://A.EXAMPLE/api/mcp", True),
        ("https://a.example:443/api/mcp/", True),
        ("https://a.example/API/mcp", False),
        ("http://a.example/api/mcp", False),
        ("https://a.example:444/api/mcp", False),
        ("https://a.example/api/mcp?x", False),
        ("https://a.example/api/mcp#", False),
        ("https://x@a.example/api/mcp", False),
        ("https://a.example:99999/api/mcp", False),
        ("", False),
    ],
)
def test_a_resource_has_one_form(text: str, same: bool) -> None:
    assert (resources.canonical(text) == resources.of("https://a.example/")) is same
