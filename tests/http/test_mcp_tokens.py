"""Tokens of the MCP server: asked for by its name, good there alone; and how a client finds out how to get one."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.clients import store as clients
from app.web.routing import Gatehouse
from tests.http.agents import Agent, named
from tests.http.conftest import Client

Publish = Callable[..., str]
Root = Callable[[Callable[[Any], Any]], Any]
Sql = Callable[..., list[tuple[Any, ...]]]
RESOURCE = "http://localhost/api/mcp"
BACK = "http://localhost:8123/callback"
SCOPES = ["create", "read", "update", "delete", "search", "rpc", "export"]


class Shop:
    """A client app with a secret, and a redirect address."""

    def __init__(self, app: Gatehouse, name: str, client_id: str, secret: str) -> None:
        self.http = app.test_client()
        self.name = name
        self.client_id = client_id
        self.secret = secret

    def token(self, **form: str) -> dict[str, Any]:
        """Return the answer of the token endpoint."""
        own = {"client_id": self.client_id, "client_secret": self.secret}
        answer: dict[str, Any] = self.http.post("/api/oauth2/token", data={**own, **form}).json
        return answer

    def consented(self, person: Client, **query: str) -> dict[str, str]:
        """Return what comes back to the app when a person allows it all; ``code_verifier`` is among it."""
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **query,
        }
        page = person("GET", "/api/oauth2/authorize", query_string={**asked, "prompt": "consent"})
        if page.status_code == 200:
            found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
            assert found is not None
            form = {"csrf_token": found[1], "allow": "Allow"}
            page = person("POST", "/api/oauth2/authorize", query_string=asked, data=form)
        assert page.status_code == 303, page.text
        back = {name: values[0] for name, values in parse_qs(urlsplit(page.headers["Location"]).query).items()}
        return {**back, "code_verifier": verifier}

    def exchanged(self, back: dict[str, str], **form: str) -> dict[str, Any]:
        """Return the answer of the token endpoint for a code."""
        code = {"grant_type": "authorization_code", "code": back["code"], "code_verifier": back["code_verifier"]}
        return self.token(**code, redirect_uri=BACK, **form)


@pytest.fixture
def make_shop(app: Gatehouse, root: Root) -> Iterator[Callable[..., Shop]]:
    made: list[int] = []

    def run(**keys: Any) -> Shop:
        def work(env: Any) -> Shop:
            name = f"Shop {secrets.token_hex(4)}"
            own = {"scopes": SCOPES, "uid": 2, "redirect_uris": [BACK], **keys}
            client = clients.create(env.cr, name, **own)
            made.append(client.id)
            secret = clients.new_secret(env.cr, app.services.hasher(), client, overlap=0)
            return Shop(app, name, client.client_id, secret)

        shop: Shop = root(work)
        return shop

    yield run
    root(lambda env: env.cr.execute("DELETE FROM gatehouse.client WHERE id = ANY(%s)", (made,)))


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    return make_shop()


def opens(app: Gatehouse, token: str | None, route: str) -> tuple[int, int]:
    """Return the statuses of a token at the MCP server and at an API."""
    agent = Agent(app, token)
    headers = {"Authorization": f"Bearer {token}"}
    return agent.post("tools/list").status_code, app.test_client().get(route, headers=headers).status_code


def test_a_stranger_is_told_where_to_ask(app: Gatehouse) -> None:
    answer = Agent(app, None).post("server/discover")
    assert answer.status_code == 401
    challenge = answer.headers["WWW-Authenticate"]
    found = re.fullmatch(r'Bearer realm="gatehouse", resource_metadata="http://localhost(/[^"]+)"', challenge)
    assert found is not None, challenge
    told = app.test_client().get(found[1]).json
    assert told["resource"] == RESOURCE
    assert told["authorization_servers"] == ["http://localhost"]
    assert "export" not in told["scopes_supported"]
    server = app.test_client().get("/.well-known/oauth-authorization-server").json
    assert server["issuer"] == "http://localhost"
    assert server["authorization_response_iss_parameter_supported"] is True


def test_a_token_that_names_no_resource_is_not_good_for_the_tools(
    app: Gatehouse, publish: Publish, shop: Shop, make_shop: Callable[..., Shop], sql: Sql
) -> None:
    easy = make_shop(resource_optional=True)
    route = publish(clients=[shop.name, easy.name], mcp="read")
    assert opens(app, shop.token()["access_token"], route) == (401, 200)
    token = easy.token()["access_token"]
    assert opens(app, token, route) == (200, 200)
    sql("UPDATE gatehouse.client SET resource_optional = false WHERE name = %s RETURNING 1", easy.name)
    assert opens(app, token, route) == (401, 200)


def test_there_is_no_other_resource(shop: Shop, demo: Client) -> None:
    for resource in (
        *(f"http://localhost{path}" for path in ("", "/api", "/api/mcp/x", "/api/mcp#x", "/api/mcp?x=1")),
        *(
            f"http://{host}/api/mcp"
            for host in ("evil.example", "evil.example@localhost", "localhost:81", "localhost:x")
        ),
        *("https://localhost/api/mcp", "/api/mcp", "mcp"),
    ):
        assert shop.token(resource=resource)["error"] == "invalid_target", resource
        assert shop.consented(demo, resource=resource)["error"] == "invalid_target", resource


def test_a_token_for_the_tools_is_good_there_alone_however_they_are_written(
    app: Gatehouse, publish: Publish, shop: Shop
) -> None:
    route = publish(clients=[shop.name], mcp="read")
    for resource in (RESOURCE, "HTTP://LOCALHOST/api/mcp", f"{RESOURCE}/", "http://localhost:80/api/mcp"):
        told = shop.token(resource=resource)
        assert "export" not in told["scope"]
        assert opens(app, told["access_token"], route) == (200, 401), resource


def test_a_person_s_token_is_bound_also_after_refresh(
    app: Gatehouse, publish: Publish, shop: Shop, demo: Client
) -> None:
    route = publish(clients=[shop.name], mcp="read")
    back = shop.consented(demo, resource=RESOURCE, scope=" ".join(SCOPES))
    assert back["iss"] == "http://localhost"
    first = shop.exchanged(back)
    assert opens(app, first["access_token"], route) == (200, 401)
    again = shop.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert opens(app, again["access_token"], route) == (200, 401)
    third = shop.token(grant_type="refresh_token", refresh_token=again["refresh_token"], resource=RESOURCE)
    assert opens(app, third["access_token"], route) == (200, 401)


def test_a_resource_can_be_named_with_the_code(app: Gatehouse, publish: Publish, shop: Shop, demo: Client) -> None:
    route = publish(clients=[shop.name], mcp="read")
    token = shop.exchanged(shop.consented(demo), resource=RESOURCE)["access_token"]
    assert opens(app, token, route) == (200, 401)


def test_a_grant_without_a_resource_does_not_become_one_for_the_tools(
    app: Gatehouse, publish: Publish, shop: Shop, demo: Client
) -> None:
    route = publish(clients=[shop.name], mcp="read")
    first = shop.exchanged(shop.consented(demo))
    refused = shop.token(grant_type="refresh_token", refresh_token=first["refresh_token"], resource=RESOURCE)
    assert refused["error"] == "invalid_target"
    again = shop.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert opens(app, again["access_token"], route) == (401, 200)


@pytest.mark.parametrize(("first", "second"), [(RESOURCE, None), (None, RESOURCE)])
def test_consent_for_the_tools_is_none_for_all_else_and_the_other_way_round(
    make_shop: Callable[..., Shop], demo: Client, first: str | None, second: str | None
) -> None:
    shop = make_shop()

    def asked(resource: str | None) -> int:
        query = {
            "response_type": "code", "client_id": shop.client_id, "redirect_uri": BACK, "scope": "read",
            "code_challenge": "x" * 43, "code_challenge_method": "S256", **({"resource": resource} if resource else {}),
        }  # fmt: skip
        return int(demo("GET", "/api/oauth2/authorize", query_string=query).status_code)

    shop.consented(demo, scope="read", **({"resource": first} if first else {}))
    assert (asked(first), asked(second)) == (303, 200)


def test_a_resource_is_named_once(shop: Shop, demo: Client) -> None:
    query = f"response_type=code&client_id={shop.client_id}&resource=http://evil/&resource="
    answer = demo("GET", f"/api/oauth2/authorize?{query}")
    assert answer.status_code in (303, 400)
    assert "code=" not in answer.headers.get("Location", "")


def test_an_error_says_who_sends_it(shop: Shop, demo: Client) -> None:
    assert shop.consented(demo, scope="nothing")["iss"] == "http://localhost"


def test_an_agent_that_asks_for_more_gets_what_the_app_has(make_shop: Callable[..., Shop], demo: Client) -> None:
    shop = make_shop(scopes=["search", "export"])
    assert shop.token(resource=RESOURCE, scope="search read offline_access export")["scope"] == "search"
    assert shop.token(resource=RESOURCE, scope="read")["error"] == "invalid_scope"
    assert shop.token(scope="search read")["error"] == "invalid_scope"


def test_introspection_tells_the_resource(shop: Shop) -> None:
    token = shop.token(resource=RESOURCE)["access_token"]
    own = {"client_id": shop.client_id, "client_secret": shop.secret}
    told = shop.http.post("/api/oauth2/introspect", data={**own, "token": token}).json
    assert told["aud"] == RESOURCE


def test_a_token_for_the_tools_opens_no_other_door(app: Gatehouse, publish: Publish, shop: Shop) -> None:
    route = publish(clients=[shop.name], mcp="read", webhooks=True)
    headers = {"Authorization": f"Bearer {shop.token(resource=RESOURCE)['access_token']}"}
    http = app.test_client()
    for path in ("/api/openapi.json", "/api/webhooks"):
        assert http.get(path, headers=headers).status_code == 401, path
    steps = [{"method": "GET", "path": route}]
    answer = http.post("/api/batch", json={"atomic": False, "steps": steps}, headers=headers)
    assert answer.json["result"][0]["status"] == 401


def test_a_cookie_opens_nothing(demo: Client) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    assert demo("POST", "/api/mcp", json=body).status_code == 401


def test_a_cookie_beside_a_token_adds_nothing(
    app: Gatehouse, publish: Publish, make_shop: Callable[..., Shop], admin: Client
) -> None:
    shop = make_shop(uid=None)
    publish(clients=[shop.name], mcp="read")
    agent = Agent(app, shop.token(resource=RESOURCE)["access_token"])
    agent.http = admin.http
    answer = agent.post("tools/list")
    assert (answer.status_code, answer.json["error"]["data"]["name"]) == (403, "client_without_user")


def test_pages_of_other_origins_are_refused(modern: Agent) -> None:
    assert modern.post("tools/list", headers={"Origin": "http://localhost"}).status_code == 200
    for origin in (
        *("http://evil.example", "http://localhost.evil.example", "http://localhost:81"),
        *("null", "file://", ""),
    ):
        assert modern.post("tools/list", headers={"Origin": origin}).status_code == 403, origin
    # A name that leads here by DNS alone is no own origin.
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert modern.post("tools/list", headers=headers).status_code == 403


def test_tools_are_those_that_the_token_opens(app: Gatehouse, publish: Publish, make_shop: Callable[..., Shop]) -> None:
    reader, stranger = make_shop(scopes=["search"]), make_shop()
    route = publish(clients=[reader.name], mcp="write")
    name = named(route)
    tools = Agent(app, reader.token(resource=RESOURCE)["access_token"])
    assert set(tools.tools()) == {f"{name}_search"}
    other = Agent(app, stranger.token(resource=RESOURCE)["access_token"])
    assert other.tools() == {}
    assert other("resources/list")["resources"] == []
    for agent, called in ((tools, "delete"), (other, "search")):
        status, error = agent.error("tools/call", {"name": f"{name}_{called}", "arguments": {}})
        assert (status, error["code"]) == (400, -32602)
    assert other.error("resources/read", {"uri": f"gatehouse://apis/{name}"})[1]["code"] == -32602
