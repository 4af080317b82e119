"""OAuth2: a row for every MUST of the RFCs that concerns this server, and what tokens open."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from app.clients import store as clients
from app.editing import allowed_clients
from app.web.routing import Gatehouse
from odoo_bridge import fast
from tests.http.conftest import Client
from tests.http.queries import counted_queries

Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]
Root = Callable[..., Any]

TOKEN, REVOKE, INTROSPECT = "/api/oauth2/token", "/api/oauth2/revoke", "/api/oauth2/introspect"
REDIRECT = "https://shop.example/callback"
SCOPES = "create read update delete search rpc"


class ClientApp:
    """A client app with its credentials, as its owner has them."""

    def __init__(self, app: Gatehouse, name: str, client_id: str, secret: str | None) -> None:
        self.app, self.name, self.id, self.secret = app, name, client_id, secret

    def post(self, path: str, *, auth: tuple[str, str] | None = None, **form: Any) -> Any:
        """Post a form as this client app, its credentials in the body unless ``auth`` gives them by Basic."""
        headers = {}
        if auth is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(':'.join(map(quote, auth)).encode()).decode()}"
        else:
            form = {"client_id": self.id, **({"client_secret": self.secret} if self.secret else {}), **form}
        return self.app.test_client().post(path, data=form, headers=headers)

    def token(self, **form: Any) -> str:
        """Return a new access token."""
        answer = self.post(TOKEN, **form)
        assert answer.status_code == 200, answer.text
        token: str = answer.json["access_token"]
        return token

    def bearer(self, **form: Any) -> dict[str, str]:
        """Return the header of a new access token."""
        return {"Authorization": f"Bearer {self.token(**form)}"}


@pytest.fixture
def make_client(app: Gatehouse, sql: Sql) -> Iterator[Callable[..., ClientApp]]:
    """Create client apps with the command; they are gone after the test."""
    names = []

    def run(*options: str, name: str | None = None) -> ClientApp:
        name = name or f"client {secrets.token_hex(4)}"
        names.append(name)
        result = app.test_cli_runner().invoke(args=["client", "create", name, *options, "--json"])
        assert result.exit_code == 0, result.output
        made = json.loads(result.output)
        app.services.catalog.refresh()
        return ClientApp(app, name, made["client_id"], made["client_secret"])

    yield run
    sql("DELETE FROM gatehouse.client WHERE name = ANY(%s)", names)


@pytest.fixture
def shop(make_client: Callable[..., ClientApp]) -> ClientApp:
    """A client app that acts as `demo`."""
    return make_client("--user", "demo")


def _connect(app: Gatehouse, client: ClientApp, route: str) -> None:
    (name,) = (api.name for api in app.services.catalog.snapshot.definitions.values() if api.document.route == route)

    def work(root: Any) -> None:
        found = clients.by_name(root.cr, client.name)
        assert found is not None
        assert allowed_clients.allow(root.cr, found, [name]) == []

    app.services.transactions.run(work)
    app.services.catalog.refresh()


# RFC 6749: tokens by client credentials.


def test_a_token_answer_is_as_the_contract_says(shop: ClientApp) -> None:
    answer = shop.post(TOKEN, grant_type="client_credentials")
    assert answer.status_code == 200
    told = dict(answer.json)
    token = told.pop("access_token")
    assert told == {"token_type": "Bearer", "expires_in": 1800, "scope": SCOPES}
    assert len(token) > 60
    assert answer.headers["Cache-Control"] == "no-store"  # RFC 6749 5.1
    assert answer.content_type == "application/json"


def test_credentials_come_by_basic_form_or_multipart_and_the_grant_type_may_be_left_out(shop: ClientApp) -> None:
    assert shop.post(TOKEN, auth=(shop.id, shop.secret or "")).status_code == 200
    assert shop.post(TOKEN).status_code == 200
    multipart = shop.app.test_client().post(
        TOKEN,
        data={"client_id": shop.id, "client_secret": shop.secret},
        content_type="multipart/form-data",
    )
    assert multipart.status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),  # 5.2
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "unknown"}, 401, "invalid_client"),
        ({"grant_type": "password", "username": "demo", "password": "demo"}, 400, "unsupported_grant_type"),
        ({"grant_type": "nothing"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, 400, "invalid_request"),  # 4.1.3: code is REQUIRED
        (
            {"grant_type": "authorization_code", "code": "made-up", "code_verifier": "x" * 43},
            400,
            "unauthorized_client",
        ),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),  # 6: refresh_token is REQUIRED
        ({"grant_type": "refresh_token", "refresh_token": "made-up"}, 400, "unauthorized_client"),
        ({"scope": "everything"}, 400, "invalid_scope"),
        ({"scope": "read everything"}, 400, "invalid_scope"),
        ({"scope": ["read", "search"]}, 400, "invalid_request"),  # 3.2: parameters MUST NOT come more than once
        ({"client_id": "nul\x00"}, 400, "invalid_request"),
    ],
)
def test_errors_of_the_token_endpoint(form: dict[str, Any], status: int, error: str, shop: ClientApp) -> None:
    answer = shop.post(TOKEN, **form)
    assert (answer.status_code, answer.json["error"]) == (status, error), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    if status == 401:  # 5.2: MUST include WWW-Authenticate that matches the scheme
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert (shop.secret or "-") not in answer.text


def test_other_forms_of_token_requests_are_refused(shop: ClientApp) -> None:
    http = shop.app.test_client()
    assert http.get(TOKEN).status_code == 405  # 3.2: the client MUST use POST
    in_url = http.post(f"{TOKEN}?client_id={shop.id}&client_secret={shop.secret}")  # 2.3.1: not in the URI
    assert (in_url.status_code, in_url.json["error"]) == (400, "invalid_request")
    as_json = http.post(TOKEN, json={"client_id": shop.id, "client_secret": shop.secret})
    assert (as_json.status_code, as_json.json["error"]) == (400, "invalid_request")
    twice = shop.post(TOKEN, auth=(shop.id, shop.secret or ""), client_secret=shop.secret)  # 2.3: one method
    assert (twice.status_code, twice.json["error"]) == (400, "invalid_request")
    for header in (
        "Basic",
        "Basic !",
        "Basic \xe9",
        "Basic " + base64.b64encode(b"\xff").decode(),
        "Bearer x",
        "Basic eA==",
    ):
        answer = http.post(TOKEN, headers={"Authorization": header})
        assert answer.status_code == 401, header


def test_fewer_scopes_can_be_asked_for_and_are_told(shop: ClientApp) -> None:
    assert shop.post(TOKEN, scope="read search").json["scope"] == "read search"


# RFC 6750: tokens at the APIs.


def test_a_token_opens_the_apis_of_its_client_app_and_no_other(
    shop: ClientApp, anyone: Client, publish: Publish, app: Gatehouse, sql: Sql
) -> None:
    connected, other = publish(), publish()
    _connect(app, shop, connected)
    headers = shop.bearer()
    record = anyone.result("POST", connected, json={"name": "by token"}, headers=headers)
    assert anyone.result("GET", f"{connected}/{record['id']}", headers=headers)["name"] == "by token"
    ((login,),) = sql(
        "SELECT u.login FROM test_record r JOIN res_users u ON u.id = r.create_uid WHERE r.name = 'by token'"
    )
    assert login == "demo"
    status, error = anyone.error("GET", other, headers=headers)
    assert (status, error["data"]["name"]) == (403, "client_not_connected")


def test_each_operation_needs_its_scope(
    shop: ClientApp, anyone: Client, publish: Publish, app: Gatehouse, demo: Client
) -> None:
    route = publish()
    _connect(app, shop, route)
    path = f"{route}/{demo.result('POST', route, json={'name': 'scoped'})['id']}"
    calls: dict[str, tuple[str, str, dict[str, Any]]] = {
        "search": ("GET", route, {}),
        "read": ("GET", path, {}),
        "create": ("POST", route, {"json": {"name": "x"}}),
        "update": ("PATCH", path, {"json": {"name": "y"}}),
        "delete": ("DELETE", path, {}),
    }
    for scope in calls:
        headers = shop.bearer(scope=scope)
        for needed, (method, target, options) in calls.items():
            answer = anyone(method, target, headers=headers, **options)
            if needed == scope:
                assert answer.status_code == 200, (scope, needed, answer.text)
            else:  # 3.1: insufficient_scope, with the scope that is needed
                assert answer.status_code == 403
                challenge = answer.headers["WWW-Authenticate"]
                assert 'error="insufficient_scope"' in challenge
                assert f'scope="{needed}"' in challenge


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer made-up",
        "Bearer gha_x_y",
        "Basic eDp5",
        "Bearer a b",
        "bearer",
        "Digest x",
        "Bearer " + "a" * 5000,
    ],
)
def test_a_token_that_is_none_is_401_with_a_challenge(header: str, anyone: Client, publish: Publish) -> None:
    answer = anyone("GET", publish(), headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_call_without_credentials_gets_a_challenge_without_an_error(anyone: Client, publish: Publish) -> None:
    challenge = anyone("GET", publish()).headers["WWW-Authenticate"]  # 3.1: SHOULD NOT include an error code
    assert challenge.startswith("Bearer")
    assert "error=" not in challenge


def test_a_token_in_the_url_is_not_taken(shop: ClientApp, anyone: Client, publish: Publish, app: Gatehouse) -> None:
    route = publish()
    _connect(app, shop, route)
    assert anyone("GET", f"{route}?access_token={shop.token()}").status_code == 401


def test_run_as_comes_before_the_users_of_client_apps(
    make_client: Callable[..., ClientApp], anyone: Client, publish: Publish, app: Gatehouse, sql: Sql
) -> None:
    without_user = make_client()
    route = publish(run_as="admin")
    _connect(app, without_user, route)
    anyone.result("POST", route, json={"name": "as admin"}, headers=without_user.bearer())
    ((login,),) = sql(
        "SELECT u.login FROM test_record r JOIN res_users u ON u.id = r.create_uid WHERE r.name = 'as admin'"
    )
    assert login == "admin"
    (name,) = (api.name for api in app.services.catalog.snapshot.definitions.values())
    publish()
    others = [api.name for api in app.services.catalog.snapshot.definitions.values() if api.name != name]
    result = app.test_cli_runner().invoke(args=["client", "create", "nobody", "--api", others[0]])
    assert result.exit_code == 1
    assert "acts as no user" in result.output


# What ends a token, at once.


def test_a_token_ends_with_its_lifetime(
    make_client: Callable[..., ClientApp], anyone: Client, publish: Publish, app: Gatehouse, sql: Sql
) -> None:
    client = make_client("--user", "demo", "--lifetime", "60")
    route = publish()
    _connect(app, client, route)
    assert client.post(TOKEN).json["expires_in"] == 60
    headers = client.bearer()
    assert anyone("GET", route, headers=headers).status_code == 200
    sql("UPDATE gatehouse.token SET expires_at = now() - interval '1 second'")
    answer = anyone("GET", route, headers=headers)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_token_ends_when_revoked_by_its_client_or_an_admin(
    shop: ClientApp, make_client: Callable[..., ClientApp], anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    route = publish()
    _connect(app, shop, route)
    token = shop.token()
    headers = {"Authorization": f"Bearer {token}"}
    stranger = make_client("--user", "demo")
    assert stranger.post(REVOKE, token=token).status_code == 200  # RFC 7009 2.1: of its own tokens alone
    assert anyone("GET", route, headers=headers).status_code == 200
    assert shop.post(REVOKE, token=token, token_type_hint="refresh_token").status_code == 200  # a hint may be wrong
    assert anyone("GET", route, headers=headers).status_code == 401
    again = shop.bearer()
    assert "1 tokens" in app.test_cli_runner().invoke(args=["token", "revoke-all", shop.name]).output
    assert anyone("GET", route, headers=again).status_code == 401


def test_revocation_answers_200_for_what_it_does_not_know(shop: ClientApp) -> None:
    assert shop.post(REVOKE, token="made-up").status_code == 200  # RFC 7009 2.2
    assert shop.post(REVOKE).json["error"] == "invalid_request"
    assert shop.post(REVOKE, token="x", client_secret="wrong").status_code == 401


def test_a_client_app_that_is_switched_off_opens_nothing(
    shop: ClientApp, anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    route = publish()
    _connect(app, shop, route)
    headers = shop.bearer()
    app.test_cli_runner().invoke(args=["client", "disable", shop.name])
    assert anyone("GET", route, headers=headers).status_code == 401
    assert shop.post(TOKEN).json["error"] == "invalid_client"
    app.test_cli_runner().invoke(args=["client", "enable", shop.name])
    assert anyone("GET", route, headers=headers).status_code == 200


def test_a_user_who_is_switched_off_acts_through_no_token(
    make_client: Callable[..., ClientApp], anyone: Client, publish: Publish, app: Gatehouse, root: Root
) -> None:
    root(lambda env: env["res.users"].create({"name": "Bot", "login": "bot"}).id)
    client = make_client("--user", "bot")
    route = publish("res.partner")
    _connect(app, client, route)
    headers = client.bearer()
    root(lambda env: env["res.users"].search([("login", "=", "bot")]).write({"active": False}))
    assert anyone("GET", route, headers=headers).status_code == 401


def _change(app: Gatehouse, client: ClientApp, **changes: Any) -> None:
    """Change a client app as the panel does."""

    def work(root: Any) -> None:
        found = clients.by_name(root.cr, client.name)
        assert found is not None
        clients.update(root.cr, replace(found, **changes))

    app.services.transactions.run(work)


def test_a_scope_that_is_taken_from_a_client_app_ends_in_its_living_tokens(
    shop: ClientApp, anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    route = publish()
    _connect(app, shop, route)
    token = shop.token(scope="create search")
    headers = {"Authorization": f"Bearer {token}"}
    assert anyone("POST", route, json={"name": "before"}, headers=headers).status_code == 200
    _change(app, shop, scopes=["read", "search"])
    status, error = anyone.error("POST", route, json={"name": "after"}, headers=headers)
    assert (status, error["data"]["name"]) == (403, "insufficient_scope")
    assert anyone("GET", route, headers=headers).status_code == 200
    assert shop.post(INTROSPECT, token=token).json["scope"] == "search"
    assert "  access  search  " in app.test_cli_runner().invoke(args=["token", "list", shop.name]).output
    _change(app, shop, scopes=["read"])
    assert shop.post(INTROSPECT, token=token).json == {"active": False}


def test_the_user_that_is_taken_from_a_client_app_acts_through_its_tokens_no_more(
    shop: ClientApp, anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    route = publish()
    _connect(app, shop, route)
    token = shop.token()
    headers = {"Authorization": f"Bearer {token}"}
    told = shop.post(INTROSPECT, token=token).json
    assert (told["active"], told["username"]) == (True, "demo")
    _change(app, shop, uid=None)
    status, error = anyone.error("GET", route, headers=headers)
    assert (status, error["data"]["name"]) == (403, "client_without_user")
    assert shop.post(INTROSPECT, token=token).json == {"active": False}
    _connect(app, shop, publish(run_as="demo"))  # somebody executes its calls, but it is nobody's own
    told = shop.post(INTROSPECT, token=token).json
    assert (told["active"], told.get("username"), told.get("sub")) == (True, None, None)


def test_an_api_that_is_taken_from_a_client_app_takes_its_living_tokens_no_more(
    shop: ClientApp, anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    route = publish()
    _connect(app, shop, route)
    headers = shop.bearer()
    assert anyone("GET", route, headers=headers).status_code == 200
    (name,) = (api.name for api in app.services.catalog.snapshot.definitions.values() if api.document.route == route)

    def work(root: Any) -> None:
        found = clients.by_name(root.cr, shop.name)
        assert found is not None
        allowed_clients.disallow(root.cr, found, [name])

    app.services.transactions.run(work)
    app.services.catalog.refresh()
    assert anyone.error("GET", route, headers=headers)[1]["data"]["name"] == "client_not_connected"


def test_a_secret_is_rotated_with_an_overlap(shop: ClientApp, app: Gatehouse, sql: Sql) -> None:
    old = shop.secret
    result = app.test_cli_runner().invoke(args=["client", "rotate", shop.name, "--overlap", "60", "--json"])
    new = json.loads(result.output)["client_secret"]
    assert new != old
    for secret in (old, new):
        assert shop.post(TOKEN, client_secret=secret).status_code == 200
    sql("UPDATE gatehouse.client_secret SET expires_at = expires_at - interval '2 minutes'")
    assert shop.post(TOKEN, client_secret=old).status_code == 401
    assert shop.post(TOKEN, client_secret=new).status_code == 200
    app.test_cli_runner().invoke(args=["client", "rotate", shop.name])
    assert shop.post(TOKEN, client_secret=new).status_code == 401


def test_only_keyed_hashes_are_stored(shop: ClientApp, app: Gatehouse, sql: Sql) -> None:
    token = shop.token()
    rows = sql("SELECT lookup, hash FROM gatehouse.token UNION SELECT lookup, hash FROM gatehouse.client_secret")
    dumped = repr([(lookup, bytes(stored)) for lookup, stored in rows])
    for value in (token, shop.secret or ""):
        _, lookup, secret = value.split("_", 2)
        assert lookup in dumped
        assert secret not in dumped
        assert hashlib.sha256(value.encode()).digest() not in [bytes(stored) for _, stored in rows]


def test_expired_tokens_are_cleared_away(shop: ClientApp, sql: Sql) -> None:
    shop.token()
    sql("UPDATE gatehouse.token SET expires_at = now() - interval '2 days'")
    shop.token()
    assert sql("SELECT count(*) FROM gatehouse.token WHERE expires_at < now()") == [(0,)]


def test_a_token_is_found_by_its_key_among_a_hundred_thousand(shop: ClientApp, sql: Sql) -> None:
    token = shop.token()
    sql(
        "INSERT INTO gatehouse.token (lookup, hash, kind, client_id, scopes, expires_at) "
        "SELECT 'many' || n, 'x', 'access', (SELECT id FROM gatehouse.client WHERE name = %s), '{read}', "
        "now() + interval '1 hour' FROM generate_series(1, 100000) n",
        shop.name,
    )
    sql("ANALYZE gatehouse.token")
    plan = sql(
        "EXPLAIN (FORMAT JSON) SELECT t.hash FROM gatehouse.token t JOIN gatehouse.client c ON c.id = t.client_id "
        "WHERE t.lookup = %s AND t.expires_at > now()",
        token.split("_")[1],
    )[0][0][0]["Plan"]
    assert '"Index Name": "pk_token"' in json.dumps(plan)
    assert plan["Total Cost"] < 30
    sql("DELETE FROM gatehouse.token WHERE lookup LIKE 'many%'")


@pytest.mark.parametrize("remembers", [True, False])
def test_checking_a_caller_costs_no_query_where_they_are_remembered_and_else_one_short_one(
    remembers: bool,
    shop: ClientApp,
    demo: Client,
    anyone: Client,
    publish: Publish,
    app: Gatehouse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    route = publish("test.tag")
    _connect(app, shop, route)

    def queries(client: Client, path: str, **options: Any) -> list[str]:
        for _ in range(2):  # fill the caches that outlive a call
            client.result("GET", path, **options)
        with counted_queries(monkeypatch) as found:
            client.result("GET", path, **options)
        return found

    with nullcontext() if remembers else fast.without("principals"):
        remembers = fast.is_on("principals")  # not with GATEHOUSE_FAST=off
        by_session = queries(demo, route)
        by_token = queries(anyone, route, headers=shop.bearer())
    assert not [query for query in by_session if "res_users" in query or "gatehouse" in query]
    checks = [query for query in by_token if "gatehouse.token" in query]
    assert len(by_token) - len(by_session) == len(checks) == (0 if remembers else 1)
    assert all("lookup = " in check for check in checks)


# RFC 7662 and 8414.


def test_introspection_tells_of_ones_own_tokens(shop: ClientApp, make_client: Callable[..., ClientApp]) -> None:
    token = shop.token(scope="read")
    told = shop.post(INTROSPECT, token=token).json
    assert told["active"] is True
    assert (told["scope"], told["client_id"], told["token_type"]) == ("read", shop.id, "Bearer")
    assert told["exp"] - told["iat"] == 1800
    stranger = make_client("--user", "demo")
    assert stranger.post(INTROSPECT, token=token).json == {"active": False}  # 2.2: no more than that
    assert shop.post(INTROSPECT, token="made-up").json == {"active": False}
    assert shop.post(INTROSPECT, token=token, client_secret="wrong").status_code == 401  # 2.1: MUST be authorized
    shop.post(REVOKE, token=token)
    assert shop.post(INTROSPECT, token=token).json == {"active": False}


def test_metadata_names_every_endpoint_that_is_served(anyone: Client) -> None:
    answer = anyone("GET", "/.well-known/oauth-authorization-server")
    told = answer.json
    assert answer.content_type == "application/json"
    assert told["issuer"] == "http://localhost"
    assert told["response_types_supported"] == ["code"]  # RFC 8414 2: REQUIRED
    assert told["code_challenge_methods_supported"] == ["S256"]
    for name in ("token", "revocation", "introspection"):
        assert anyone("POST", urlsplit(told[f"{name}_endpoint"]).path).status_code in (400, 401)
    assert anyone("GET", urlsplit(told["authorization_endpoint"]).path).status_code == 303


# RFC 6749 4.1 with RFC 7636: codes for apps that act for a person.


class Flow:
    """One run of the code flow of an app, by a person who is logged in."""

    def __init__(self, client: ClientApp, person: Client) -> None:
        self.client, self.person = client, person
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def parameters(self, **changes: Any) -> dict[str, str]:
        values = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": REDIRECT,
            "scope": "read search",
            "state": "xyz",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in values.items() if value is not None}

    def ask(self, **changes: Any) -> Any:
        return self.person("GET", "/api/oauth2/authorize", query_string=self.parameters(**changes))

    def decide(self, decision: str = "allow", **changes: Any) -> dict[str, str]:
        """Return what the app gets in its redirect."""
        page = self.ask(**{"prompt": "consent", **changes})
        assert page.status_code == 200, page.text
        return _redirected(self.answer(page, decision, **changes))

    def answer(self, page: Any, decision: str = "allow", **changes: Any) -> Any:
        """Send the form of a page that ``ask`` has shown."""
        token = page.text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
        return self.person(
            "POST",
            "/api/oauth2/authorize",
            query_string=self.parameters(**changes),
            data={"csrf_token": token, decision: "1"},
        )

    def exchange(self, code: str, **changes: Any) -> Any:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": self.verifier,
        }
        form = {name: value for name, value in {**form, **changes}.items() if value is not None}
        return self.client.post(TOKEN, **form)


def _redirected(answer: Any) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    location = answer.headers["Location"]
    assert location.startswith(REDIRECT + "?"), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@pytest.fixture
def flow(make_client: Callable[..., ClientApp], demo: Client) -> Flow:
    """An app that acts for `demo`, if they let it."""
    return Flow(make_client("--redirect-uri", REDIRECT), demo)


def test_a_person_allows_an_app_to_act_in_their_name(
    flow: Flow, anyone: Client, publish: Publish, app: Gatehouse, demo: Client, root: Root
) -> None:
    route = publish()
    _connect(app, flow.client, route)
    root(lambda env: env["test.record"].create({"name": "demo's own", "owner_id": env.ref("base.user_demo").id}).id)
    given = flow.decide()
    assert given["state"] == "xyz"  # 4.1.2: the exact value
    token = flow.exchange(given["code"]).json
    assert (token["scope"], token["expires_in"], token["token_type"]) == ("read search", 1800, "Bearer")
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert anyone.result("GET", f"{route}?domain=[('name','=',\"demo's own\")]", headers=headers)["length"] == 1
    assert anyone.error("POST", route, json={"name": "x"}, headers=headers)[0] == 403


_BY_CODE = {"grant_type": "authorization_code", "code": "<code>"}
_BY_REFRESH = {"grant_type": "refresh_token", "refresh_token": "<refresh_token>"}


def _questions(queries: list[str]) -> list[str]:
    """Return the verb and the table of each statement on a table of client apps, but for INSERT, which asks nothing."""
    tables = re.compile(r"gatehouse\.(client_secret|client|token|authorization_code|consent)\b")
    asked = [query for query in queries if not query.startswith("INSERT")]
    return sorted(f"{query.split()[0]} {table}" for query in asked for table in set(tables.findall(query)))


@pytest.mark.parametrize(
    ("path", "form", "shown"),
    [
        (TOKEN, {"grant_type": "client_credentials"}, "in body"),
        (TOKEN, {"grant_type": "client_credentials"}, "by Basic"),
        (TOKEN, _BY_CODE, "in body"),
        (TOKEN, _BY_CODE, "by Basic"),
        (TOKEN, _BY_CODE, "no secret"),
        (TOKEN, _BY_REFRESH, "in body"),
        (TOKEN, _BY_REFRESH, "by Basic"),
        (TOKEN, _BY_REFRESH, "no secret"),
        (REVOKE, {"token": "<access_token>"}, "in body"),
        (REVOKE, {"token": "<refresh_token>"}, "by Basic"),
        (REVOKE, {"token": "<refresh_token>"}, "no secret"),
        (INTROSPECT, {"token": "<access_token>"}, "in body"),
        (INTROSPECT, {"token": "<refresh_token>"}, "by Basic"),
    ],
)
def test_a_request_of_a_client_app_asks_the_database_for_a_thing_once(
    path: str,
    form: dict[str, str],
    shown: str,
    make_client: Callable[..., ClientApp],
    demo: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = make_client("--redirect-uri", REDIRECT, *(["--public"] if shown == "no secret" else []))
    flow = Flow(client, demo)
    given = {**flow.exchange(flow.decide()["code"]).json, "code": flow.decide()["code"]}
    form = {key: given[value.strip("<>")] if value.startswith("<") else value for key, value in form.items()}
    if "code" in form:
        form |= {"redirect_uri": REDIRECT, "code_verifier": flow.verifier}
    auth = (client.id, client.secret or "") if shown == "by Basic" else None
    with counted_queries(monkeypatch) as queries:
        answer = client.post(path, auth=auth, **form)
    assert answer.status_code == 200, answer.text
    assert answer.text != '{"active": false}'
    questions = _questions(queries)
    assert {"SELECT client", "SELECT client_secret"} <= set(questions)
    assert questions == sorted(set(questions))


@pytest.mark.parametrize("step", ["ask", "allow", "refuse", "known"])
def test_the_page_for_consent_takes_one_transaction_and_asks_for_a_thing_once(
    step: str, flow: Flow, app: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = flow.ask()
    if step == "known":
        flow.decide()
    work_of: list[str] = []
    run = app.services.transactions.run

    def counted(work: Any, **options: Any) -> Any:
        work_of.append(work.__qualname__)
        return run(work, **options)

    with counted_queries(monkeypatch) as queries, monkeypatch.context() as patch:
        patch.setattr(app.services.transactions, "run", counted)
        answer = flow.answer(page, step) if step in ("allow", "refuse") else flow.ask()
    assert answer.status_code == (200 if step == "ask" else 303), answer.text
    assert len([name for name in work_of if not name.startswith("Catalog.")]) == 1
    questions = _questions(queries)
    assert "SELECT client" in questions
    assert questions == sorted(set(questions))


def test_an_admin_who_revokes_all_ends_the_codes_that_are_on_their_way_too(flow: Flow, app: Gatehouse) -> None:
    code = flow.decide()["code"]
    assert "0 tokens" in app.test_cli_runner().invoke(args=["token", "revoke-all", flow.client.name]).output
    answer = flow.exchange(code)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")


def test_all_that_is_out_ends_at_once_for_all_client_apps_and_the_history_knows(
    flow: Flow, shop: ClientApp, make_client: Callable[..., ClientApp], app: Gatehouse, anyone: Client, sql: Sql
) -> None:
    given, idle = flow.exchange(flow.decide()["code"]).json, make_client("--user", "demo")
    code, token = flow.decide()["code"], shop.token()
    sql("DELETE FROM gatehouse.history")
    done = app.test_cli_runner().invoke(args=["token", "revoke-all", "--everything"])
    assert done.exit_code == 0
    for line in (f"2 tokens of {flow.client.name} are revoked.", f"1 tokens of {shop.name} are revoked."):
        assert line in done.output
    assert idle.name not in done.output
    for client, each in ((flow.client, given["access_token"]), (shop, token)):
        assert client.post(INTROSPECT, token=each).json == {"active": False}
    refreshed = flow.client.post(TOKEN, grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert refreshed.json["error"] == flow.exchange(code).json["error"] == "invalid_grant"
    rows = dict(sql("SELECT name, before FROM gatehouse.history WHERE kind = 'client'"))
    assert rows[flow.client.name] == {"tokens": 2, "codes": rows[flow.client.name]["codes"], "consents": 1}
    assert rows[shop.name] == {"tokens": 1, "codes": 0, "consents": 0}
    assert flow.ask().status_code == 200  # the person is asked anew
    assert idle.name not in rows
    assert shop.token()  # the client apps themselves stay as they are


@pytest.mark.parametrize("arguments", [[], ["Shop", "--everything"]])
def test_revoke_all_wants_one_client_app_or_everything(arguments: list[str], app: Gatehouse) -> None:
    done = app.test_cli_runner().invoke(args=["token", "revoke-all", *arguments])
    assert (done.exit_code, "Name one client app, or --everything." in done.output) == (2, True)


def test_a_person_refuses(flow: Flow) -> None:
    expected = {"error": "access_denied", "state": "xyz", "iss": "http://localhost"}  # 4.1.2.1, RFC 9207
    assert flow.decide("refuse") == expected


def test_what_was_allowed_once_is_not_asked_again_unless_more_is_wanted(flow: Flow) -> None:
    flow.decide()
    assert "code" in _redirected(flow.ask())
    assert flow.ask(scope="read search delete").status_code == 200
    assert flow.ask(prompt="consent").status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),  # 4.1.2.1
        ({"response_type": None}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),  # RFC 7636 4.4.1: code challenge required
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),  # means plain: 4.3
        ({"code_challenge": "\0" * 43}, "invalid_request"),  # RFC 7636 4.2: no verifier gives these three
        ({"code_challenge": "é" * 43}, "invalid_request"),
        ({"code_challenge": "x" * 44}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),  # 4.1.2.1: the error comes in the query all the same
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"response_mode": "QUERY"}, "invalid_request"),
        ({"response_mode": ["query", "fragment"]}, "invalid_request"),
        ({"response_mode": "fragment", "scope": "everything"}, "invalid_request"),
    ],
)
def test_errors_of_a_known_app_go_back_to_it(changes: dict[str, Any], error: str, flow: Flow) -> None:
    told = _redirected(flow.ask(**changes))
    assert told["error"] == error, told
    assert told["state"] == "xyz"


@pytest.mark.parametrize("mode", ["query", ""])
def test_a_response_mode_that_is_the_default_changes_nothing(mode: str, flow: Flow) -> None:
    assert "code" in flow.decide(response_mode=mode)


def test_consent_to_an_app_that_was_switched_off_meanwhile_gives_no_code(flow: Flow, app: Gatehouse) -> None:
    page = flow.ask()
    app.test_cli_runner().invoke(args=["client", "disable", flow.client.name])
    answer = flow.answer(page)
    assert (answer.status_code, answer.headers.get("Location")) == (400, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"redirect_uri": "https://evil.example/", "response_mode": "fragment"},
        {"client_id": None},
        {"redirect_uri": REDIRECT + "/"},
        {"redirect_uri": REDIRECT + "?more=1"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "not a uri"},
    ],
)
def test_nobody_is_redirected_to_an_address_that_is_not_registered(changes: dict[str, Any], flow: Flow) -> None:
    answer = flow.ask(**changes)  # 3.1.2.4: MUST NOT redirect
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "can&#39;t be answered" in answer.text or "can't be answered" in answer.text


def test_a_code_is_good_once_for_its_app_and_verifier(
    flow: Flow, make_client: Callable[..., ClientApp], anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    for changes, error in (
        ({"code_verifier": "y" * 64}, "invalid_grant"),  # RFC 7636 4.6
        ({"code_verifier": None}, "invalid_grant"),
        ({"redirect_uri": "https://shop.example/other"}, "invalid_request"),  # 4.1.3: MUST be identical
        ({"redirect_uri": None}, "invalid_request"),
        ({"code": "ghc_" + "x" * 16 + "_" + "y" * 43}, "invalid_grant"),
    ):
        code = flow.decide()["code"]
        answer = flow.exchange(**{"code": code, **changes})
        assert answer.status_code == 400, (changes, answer.text)
        assert answer.json["error"] in (error, "invalid_grant", "invalid_request"), (changes, answer.text)
    thief = Flow(make_client("--redirect-uri", REDIRECT), flow.person)
    thief.verifier = flow.verifier
    assert thief.exchange(flow.decide()["code"]).json["error"] == "invalid_grant"  # 4.1.3: issued to this client
    route = publish()
    _connect(app, flow.client, route)
    code = flow.decide()["code"]
    headers = {"Authorization": f"Bearer {flow.exchange(code).json['access_token']}"}
    assert anyone("GET", route, headers=headers).status_code == 200
    assert flow.exchange(code).json["error"] == "invalid_grant"  # 4.1.2: MUST deny, SHOULD revoke
    assert anyone("GET", route, headers=headers).status_code == 401


def test_a_code_expires(flow: Flow, sql: Sql) -> None:
    code = flow.decide()["code"]
    sql("UPDATE gatehouse.authorization_code SET expires_at = now() - interval '1 second'")
    assert flow.exchange(code).json["error"] == "invalid_grant"


def test_a_used_code_that_comes_again_after_it_has_expired_ends_what_it_led_to(flow: Flow, sql: Sql) -> None:
    code = flow.decide()["code"]
    tokens = flow.exchange(code).json
    sql("UPDATE gatehouse.authorization_code SET expires_at = now() - interval '1 second'")
    assert flow.exchange(code).json["error"] == "invalid_grant"
    refreshed = flow.client.post(TOKEN, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refreshed.json["error"] == "invalid_grant"


def test_refresh_tokens_rotate_and_a_replayed_one_ends_its_family(
    flow: Flow, anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    route = publish()
    _connect(app, flow.client, route)
    first = flow.exchange(flow.decide()["code"]).json
    second = flow.client.post(TOKEN, grant_type="refresh_token", refresh_token=first["refresh_token"]).json
    assert second["scope"] == "read search"
    assert second["refresh_token"] != first["refresh_token"]
    fewer = flow.client.post(
        TOKEN, grant_type="refresh_token", refresh_token=second["refresh_token"], scope="read"
    ).json
    assert fewer["scope"] == "read"
    more = flow.client.post(
        TOKEN, grant_type="refresh_token", refresh_token=fewer["refresh_token"], scope="read delete"
    )
    assert more.json["error"] == "invalid_scope"  # 6: MUST NOT include any scope not originally granted
    headers = {"Authorization": f"Bearer {second['access_token']}"}
    assert anyone("GET", route, headers=headers).status_code == 200
    replayed = flow.client.post(TOKEN, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert replayed.json["error"] == "invalid_grant"
    assert anyone("GET", route, headers=headers).status_code == 401
    newest = flow.client.post(TOKEN, grant_type="refresh_token", refresh_token=fewer["refresh_token"])
    assert newest.json["error"] == "invalid_grant"


def test_a_scope_that_is_taken_from_a_client_app_does_not_come_back_by_refresh(
    flow: Flow, anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    route = publish()
    _connect(app, flow.client, route)
    first = flow.exchange(flow.decide()["code"]).json

    def refresh(token: str, **form: Any) -> Any:
        return flow.client.post(TOKEN, grant_type="refresh_token", refresh_token=token, **form)

    _change(app, flow.client, scopes=["read"])
    headers = {"Authorization": f"Bearer {first['access_token']}"}
    assert anyone("GET", route, headers=headers).status_code == 403
    assert flow.client.post(INTROSPECT, token=first["refresh_token"]).json["scope"] == "read"
    assert refresh(first["refresh_token"], scope="read search").json["error"] == "invalid_scope"
    second = refresh(first["refresh_token"]).json
    assert second["scope"] == "read"
    _change(app, flow.client, scopes=["read", "search"])
    assert refresh(second["refresh_token"]).json["scope"] == "read"  # what was renewed without it stays without it
    _change(app, flow.client, scopes=["delete"])
    third = flow.client.post(INTROSPECT, token=second["access_token"]).json
    assert third == {"active": False}


def test_a_refresh_token_whose_scopes_are_all_gone_is_no_grant(flow: Flow, app: Gatehouse) -> None:
    token = flow.exchange(flow.decide()["code"]).json["refresh_token"]
    _change(app, flow.client, scopes=["delete"])
    answer = flow.client.post(TOKEN, grant_type="refresh_token", refresh_token=token)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_grant")


def test_a_code_brings_no_scope_and_comes_to_no_address_that_was_taken_from_its_app(flow: Flow, app: Gatehouse) -> None:
    code = flow.decide()["code"]
    _change(app, flow.client, scopes=["read", "delete"])
    assert flow.exchange(code).json["scope"] == "read"
    code = flow.decide(scope="delete")["code"]
    _change(app, flow.client, scopes=["read"])
    assert flow.exchange(code).json["error"] == "invalid_grant"
    code = flow.decide(scope="read")["code"]
    _change(app, flow.client, redirect_uris=["https://shop.example/other"])
    assert flow.exchange(code).status_code == 400


def test_a_remembered_consent_gives_no_scope_that_was_taken_from_its_app(flow: Flow, app: Gatehouse) -> None:
    flow.decide()
    _change(app, flow.client, scopes=["read"])
    assert _redirected(flow.ask())["error"] == "invalid_scope"
    page = flow.person("GET", "/api/oauth2/consents").text
    (shown,) = (part for part in page.split("<section>") if flow.client.name in part)
    assert "can read records that it knows; since" in shown


def test_a_person_who_is_switched_off_acts_through_no_app(
    make_client: Callable[..., ClientApp], app: Gatehouse, database: str, anyone: Client, publish: Publish, root: Root
) -> None:
    def switch(active: bool) -> None:
        root(lambda env: env["res.users"].browse(uid).write({"active": active}))

    values = {"name": "Person", "login": "person", "password": "a long password"}
    uid = root(lambda env: env["res.users"].create(values).id)
    person = Client(app)
    person.log_in(database, "person", "a long password")
    flow = Flow(make_client("--redirect-uri", REDIRECT), person)
    own, other = publish(), publish(run_as="demo")
    for route in (own, other):
        _connect(app, flow.client, route)
    found, code = flow.exchange(flow.decide()["code"]).json, flow.decide()["code"]
    headers = {"Authorization": f"Bearer {found['access_token']}"}
    told = flow.client.post(INTROSPECT, token=found["access_token"]).json
    assert (told["sub"], told["username"]) == (str(uid), "person")
    assert [anyone("GET", route, headers=headers).status_code for route in (own, other)] == [200, 200]
    switch(False)
    assert [anyone("GET", route, headers=headers).status_code for route in (own, other)] == [401, 401]
    for kind in ("access_token", "refresh_token"):
        assert flow.client.post(INTROSPECT, token=found[kind]).json == {"active": False}
    refresh = {"grant_type": "refresh_token", "refresh_token": found["refresh_token"]}
    assert flow.client.post(TOKEN, **refresh).json["error"] == "invalid_grant"
    assert flow.exchange(code).json["error"] == "invalid_grant"
    flow.client.post(REVOKE, token=found["refresh_token"])  # which holds, should the person come back
    switch(True)
    assert flow.client.post(TOKEN, **refresh).json["error"] == "invalid_grant"


def test_a_refresh_token_is_its_clients_alone_and_no_bearer_token(
    flow: Flow, make_client: Callable[..., ClientApp], anyone: Client, publish: Publish, app: Gatehouse
) -> None:
    route = publish()
    _connect(app, flow.client, route)
    token = flow.exchange(flow.decide()["code"]).json["refresh_token"]
    assert anyone("GET", route, headers={"Authorization": f"Bearer {token}"}).status_code == 401
    thief = make_client("--redirect-uri", REDIRECT)
    assert thief.post(TOKEN, grant_type="refresh_token", refresh_token=token).json["error"] == "invalid_grant"
    flow.client.post(REVOKE, token=token)  # RFC 7009 2.1: the access tokens of the grant too
    assert flow.client.post(TOKEN, grant_type="refresh_token", refresh_token=token).json["error"] == "invalid_grant"


def test_a_person_withdraws_a_consent_and_its_tokens_end(
    flow: Flow, anyone: Client, publish: Publish, app: Gatehouse, other: Client
) -> None:
    route = publish()
    _connect(app, flow.client, route)
    headers = {"Authorization": f"Bearer {flow.exchange(flow.decide()['code']).json['access_token']}"}
    assert anyone("GET", route, headers=headers).status_code == 200
    page = flow.person("GET", "/api/oauth2/consents").text
    assert flow.client.name in page
    assert flow.client.name not in other("GET", "/api/oauth2/consents").text
    csrf = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    client_id = page.split('name="client" value="')[1].split('"')[0]
    flow.person("POST", "/api/oauth2/consents", data={"client": client_id})  # without the form's token
    for nobody in ("", "²", "9" * 5000):
        form = {"client": nobody, "csrf_token": csrf}
        assert flow.person("POST", "/api/oauth2/consents", data=form).status_code == 200
    assert anyone("GET", route, headers=headers).status_code == 200
    flow.person("POST", "/api/oauth2/consents", data={"client": client_id, "csrf_token": csrf})
    assert anyone("GET", route, headers=headers).status_code == 401
    assert flow.ask().status_code == 200


def test_a_foreign_page_cannot_decide_for_a_person(flow: Flow) -> None:
    answer = flow.person("POST", "/api/oauth2/authorize", query_string=flow.parameters(), data={"allow": "1"})
    assert answer.status_code == 200
    assert "asks for access" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy


def test_a_public_client_without_an_address_of_its_own_is_asked_for_each_time(
    make_client: Callable[..., ClientApp], demo: Client
) -> None:
    """Any app on the device could use the same id and the same address (RFC 8252 8.6)."""
    for uri, status in (("http://127.0.0.1:7/back", 200), ("com.example.app:/back", 200), (REDIRECT, 303)):
        flow = Flow(make_client("--public", "--redirect-uri", uri), demo)
        page = flow.ask(redirect_uri=uri)
        token = page.text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
        form = {"csrf_token": token, "allow": "1"}
        query = flow.parameters(redirect_uri=uri)
        assert demo("POST", "/api/oauth2/authorize", query_string=query, data=form).status_code == 303
        assert flow.ask(redirect_uri=uri).status_code == status


def test_a_public_client_needs_no_secret_but_a_verifier(make_client: Callable[..., ClientApp], demo: Client) -> None:
    client = make_client("--public", "--redirect-uri", REDIRECT)
    assert client.secret is None
    flow = Flow(client, demo)
    assert flow.exchange(flow.decide()["code"], code_verifier="z" * 50).json["error"] == "invalid_grant"
    assert "access_token" in flow.exchange(flow.decide()["code"]).json
    assert client.post(TOKEN, grant_type="client_credentials").status_code in (400, 401)
    assert client.post(INTROSPECT, token="x").status_code == 401


@pytest.mark.parametrize(
    ("public", "by_basic", "status"),
    [
        (False, None, 401),
        (False, "", 401),
        (False, "wrong", 401),
        (True, None, 200),
        (True, "", 200),
        (True, "wrong", 401),  # RFC 6749 5.2: what is shown has to be right
    ],
)
def test_a_refresh_takes_the_secret_of_an_app_that_has_one_and_no_wrong_one(
    public: bool, by_basic: str | None, status: int, make_client: Callable[..., ClientApp], demo: Client
) -> None:
    client = make_client("--redirect-uri", REDIRECT, *(["--public"] if public else []))
    flow = Flow(client, demo)
    token = flow.exchange(flow.decide()["code"]).json["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client.id}
    basic = base64.b64encode(f"{client.id}:{by_basic}".encode()).decode()
    headers = {} if by_basic is None else {"Authorization": f"Basic {basic}"}
    answer = client.app.test_client().post(TOKEN, data=form, headers=headers)
    assert answer.status_code == status, answer.text


def test_who_is_not_logged_in_is_sent_to_the_login_and_back(flow: Flow, anyone: Client) -> None:
    answer = anyone("GET", "/api/oauth2/authorize", query_string=flow.parameters())
    assert (answer.status_code, answer.headers["Cache-Control"]) == (303, "no-store")
    page = anyone("GET", answer.headers["Location"])
    csrf = page.text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    wrong = anyone("POST", answer.headers["Location"], data={"csrf_token": csrf, "login": "demo", "password": "no"})
    assert wrong.status_code == 401
    right = anyone("POST", answer.headers["Location"], data={"csrf_token": csrf, "login": "demo", "password": "demo"})
    assert right.headers["Location"].startswith("/api/oauth2/authorize?")
    assert flow.client.name in anyone("GET", right.headers["Location"]).text
    for following in ("//evil.example", "/api/oauth2/authorize?%0d%0aX:y"):
        form = {"csrf_token": csrf, "login": "demo", "password": "demo"}
        elsewhere = anyone("POST", f"/api/oauth2/login?next={following}", data=form)
        assert elsewhere.headers["Location"] == "/api/oauth2/consents"


@pytest.mark.parametrize(
    "uri",
    [
        "http://shop.example/cb",
        "https://shop.example/cb#x",
        "javascript:alert(1)",
        "data:text/html,x",
        "/cb",
        "https://a@b/",
        "app:/cb",
    ],
)
def test_a_redirect_uri_that_is_not_safe_is_not_registered(uri: str, app: Gatehouse) -> None:
    result = app.test_cli_runner().invoke(args=["client", "create", "unsafe", "--redirect-uri", uri])
    assert result.exit_code == 1
    assert "redirect_uris" in result.output
