"""Clients that describe themselves: of hosts that an administrator has named, and as one of the client apps."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from app.web.routing import Gatehouse
from tests.http.agents import Agent, named, page_of
from tests.http.conftest import Client
from tests.http.test_mcp_tokens import BACK, RESOURCE, SCOPES, Shop, make_shop, opens  # noqa: F401  a fixture

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]


class Home:
    """A server on which a client describes itself; ``asked`` are the paths that were fetched."""

    def __init__(self, port: int) -> None:
        self.host = f"127.0.0.1:{port}"
        self.asked: list[str] = []
        self.more: dict[str, Any] = {}
        self.status = 200
        self.headers: dict[str, str] = {"Content-Type": "application/json"}

    def url(self, path: str = "/client.json") -> str:
        return f"http://{self.host}{path}"

    def content(self, path: str) -> bytes:
        document = {"client_id": self.url(path), "client_name": "Stranger", "redirect_uris": [BACK], **self.more}
        return json.dumps(document).encode()


@pytest.fixture
def home() -> Iterator[Home]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            home.asked.append(self.path)
            self.send_response(home.status)
            for name, value in home.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(home.content(self.path))

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    home = Home(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield home
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hosting(make_shop: Callable[..., Shop], home: Home) -> Shop:  # noqa: F811
    """The client app that lets clients of the host ask."""
    return make_shop(metadata_hosts=[home.host])


def stranger(app: Gatehouse, home: Home, path: str = "/client.json") -> Shop:
    return Shop(app, "Stranger", home.url(path), "")


def test_it_is_off_unless_a_client_app_names_the_host(
    app: Gatehouse,
    home: Home,
    demo: Client,
    make_shop: Callable[..., Shop],  # noqa: F811
) -> None:
    make_shop(metadata_hosts=["agent.example"])
    page = demo("GET", "/api/oauth2/authorize", query_string={"response_type": "code", "client_id": home.url()})
    assert page.status_code == 400
    assert home.asked == []


def test_the_server_says_that_it_takes_them(app: Gatehouse, hosting: Shop) -> None:
    told = app.test_client().get("/.well-known/oauth-authorization-server").json
    assert told["client_id_metadata_document_supported"] is True


def test_nobody_fetches_anything_for_a_stranger_to_odoo(anyone: Client, home: Home, hosting: Shop) -> None:
    query = {"response_type": "code", "client_id": home.url()}
    assert anyone("GET", "/api/oauth2/authorize", query_string=query).status_code == 303
    anyone.http.set_cookie("session_id", "nobody")
    assert anyone("GET", "/api/oauth2/authorize", query_string=query).status_code in (303, 400)
    assert home.asked == []


def test_it_gets_the_apis_and_scopes_of_its_client_app_but_no_export(
    app: Gatehouse, home: Home, hosting: Shop, demo: Client, publish: Publish
) -> None:
    route = publish(clients=[hosting.name], mcp="read", endpoints={"export": True})
    other = publish(mcp="read")
    client = stranger(app, home)
    back = client.consented(demo, scope=" ".join(SCOPES), resource=RESOURCE)
    token = client.exchanged(back)
    assert token["scope"] == "create read update delete search rpc"
    assert opens(app, token["access_token"], route) == (200, 401)
    names = set(Agent(app, token["access_token"]).tools())
    assert named(route, "search") in names
    assert named(other, "search") not in names
    again = client.token(grant_type="refresh_token", refresh_token=token["refresh_token"])
    assert opens(app, again["access_token"], route) == (200, 401)
    assert home.asked == ["/client.json"]


def test_the_page_says_who_asks_and_names_the_tools_in_words(
    app: Gatehouse, home: Home, hosting: Shop, demo: Client, publish: Publish
) -> None:
    publish(clients=[hosting.name], mcp="write")
    query = {
        "response_type": "code", "client_id": home.url(), "redirect_uri": BACK, "resource": RESOURCE,
        "code_challenge": "x" * 43, "code_challenge_method": "S256",
    }  # fmt: skip
    page = demo("GET", "/api/oauth2/authorize", query_string=query).text
    for text in ("Stranger asks for access", home.url(), "Search Test Record", "Create a record of Test Record"):
        assert text in page
    assert "shows you what would change, and asks" in page
    assert "any program may say that it is Stranger" in page


def test_one_stranger_has_nothing_of_another_s(app: Gatehouse, home: Home, hosting: Shop, demo: Client) -> None:
    one, other = stranger(app, home, "/one.json"), stranger(app, home, "/other.json")
    other.consented(demo, resource=RESOURCE)
    back = one.consented(demo, resource=RESOURCE)
    assert other.exchanged(back)["error"] == "invalid_grant"
    assert hosting.exchanged(back)["error"] == "invalid_grant"
    token = one.exchanged(one.consented(demo, resource=RESOURCE))
    for thief in (other, hosting):
        refreshed = thief.token(grant_type="refresh_token", refresh_token=token["refresh_token"])
        assert refreshed["error"] == "invalid_grant"


def test_it_is_let_in_for_the_tools_alone(app: Gatehouse, home: Home, hosting: Shop, demo: Client) -> None:
    assert stranger(app, home).consented(demo)["error"] == "invalid_target"


def test_who_approves_is_told_the_address_of_who_asks(
    app: Gatehouse, home: Home, hosting: Shop, demo: Client, publish: Publish
) -> None:
    route = publish(clients=[hosting.name], mcp="write", mcp_approval="person", fields=["name"])
    client = stranger(app, home)
    token = client.exchanged(client.consented(demo, resource=RESOURCE, scope=" ".join(SCOPES)))["access_token"]
    shown = Agent(app, token).told(named(route, "create"), {"values": {"name": "x"}})
    page = demo("GET", page_of(shown["approval"])).text
    assert f"{home.url()} (as {hosting.name}) asks in your name" in page


@pytest.mark.parametrize("uri", ["https://[bad/", "https://x/\x00", "https://x/é", "http://localhost:x@evil.example/"])
def test_an_odd_address_in_a_document_is_refused(
    app: Gatehouse, home: Home, hosting: Shop, demo: Client, uri: str
) -> None:
    home.more = {"redirect_uris": [uri]}
    answer = demo("GET", "/api/oauth2/authorize", query_string={"client_id": home.url(), "response_type": "code"})
    assert answer.status_code == 400
    assert "redirect_uris have to be" in answer.text


@pytest.mark.parametrize("form", [{}, {"grant_type": "client_credentials"}])
def test_a_stranger_acts_for_persons_alone(
    app: Gatehouse, home: Home, hosting: Shop, demo: Client, form: dict[str, str]
) -> None:
    client = stranger(app, home)
    client.consented(demo, resource=RESOURCE)
    client.secret = hosting.secret
    assert client.token(**form)["error"] == "invalid_client"


def test_its_tokens_end_with_its_host(
    app: Gatehouse, home: Home, hosting: Shop, demo: Client, publish: Publish, sql: Sql
) -> None:
    route = publish(clients=[hosting.name], mcp="read")
    client = stranger(app, home)
    token = client.exchanged(client.consented(demo, resource=RESOURCE))
    assert opens(app, token["access_token"], route) == (200, 401)
    sql("UPDATE gatehouse.client SET metadata_hosts = '{}' WHERE name = %s RETURNING 1", hosting.name)
    assert opens(app, token["access_token"], route) == (401, 401)
    refreshed = client.token(grant_type="refresh_token", refresh_token=token["refresh_token"])
    assert refreshed["error"] == "invalid_client"


def test_each_consent_is_withdrawn_by_itself(
    app: Gatehouse, home: Home, hosting: Shop, other: Client, publish: Publish
) -> None:
    route = publish(clients=[hosting.name], mcp="read")
    tokens = {}
    for path in ("/one.json", "/two.json"):
        client = stranger(app, home, path)
        tokens[path] = client.exchanged(client.consented(other, resource=RESOURCE))["access_token"]
    page = other("GET", "/api/oauth2/consents").text
    (client_id,) = set(re.findall(r'name="client" value="(\d+)"', page))
    csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
    form = {"csrf_token": csrf, "client": client_id, "url": home.url("/one.json")}
    assert other("POST", "/api/oauth2/consents", data=form).status_code == 303
    assert opens(app, tokens["/one.json"], route)[0] == 401
    assert opens(app, tokens["/two.json"], route)[0] == 200


@pytest.mark.parametrize(
    ("status", "headers", "more"),
    [
        (404, {}, {}),
        (302, {"Location": "http://127.0.0.1:1/"}, {}),
        (200, {"Content-Type": "text/html"}, {}),
        (200, {}, {"client_id": "http://127.0.0.1/other"}),
        (200, {}, {"client_name": "x" * 6000}),
    ],
)
def test_a_document_that_is_not_good_is_said_to_be_so(
    home: Home, hosting: Shop, demo: Client, status: int, headers: dict[str, str], more: dict[str, Any]
) -> None:
    home.status, home.more = status, more
    home.headers.update(headers)
    page = demo("GET", "/api/oauth2/authorize", query_string={"response_type": "code", "client_id": home.url()})
    assert page.status_code == 400
    assert "document that describes this app" in page.text


def test_a_stale_description_is_fetched_anew(app: Gatehouse, home: Home, hosting: Shop, demo: Client, sql: Sql) -> None:
    client = stranger(app, home)
    client.consented(demo, resource=RESOURCE)
    sql("UPDATE gatehouse.stranger SET expires_at = now() WHERE url = %s RETURNING 1", home.url())
    home.more = {"redirect_uris": ["http://localhost:1/other"]}
    page = demo(
        "GET",
        "/api/oauth2/authorize",
        query_string={"response_type": "code", "client_id": home.url(), "redirect_uri": BACK},
    )
    assert page.status_code == 400
    assert len(home.asked) == 2
