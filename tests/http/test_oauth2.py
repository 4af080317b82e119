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
from werkzeug.test import TestResponse

from app.clients import store as clients
from app.editing import allowed_clients
from app.web.routing import Gatehouse
from odoo_bridge import fast
from tests.http.conftest import Client, Publish, Root, Sql, definition_at
from tests.http.panel import csrf_of, found
from tests.http.queries import counted_queries

TOKEN, REVOKE, INTROSPECT = "/api/oauth2/token", "/api/oauth2/revoke", "/api/oauth2/introspect"
AUTHORIZE, CONSENTS = "/api/oauth2/authorize", "/api/oauth2/consents"
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

    def refresh(self, token: str, **form: Any) -> Any:
        return self.post(TOKEN, grant_type="refresh_token", refresh_token=token, **form)

    def told(self, token: str) -> dict[str, Any]:
        """Return what introspection tells of a token."""
        told: dict[str, Any] = self.post(INTROSPECT, token=token).json
        return told

    def call(self, route: str, token: str, method: str = "GET", **options: Any) -> TestResponse:
        """Call an API with a token."""
        return Client(self.app)(method, route, headers={"Authorization": f"Bearer {token}"}, **options)

    def status(self, route: str, token: str) -> int:
        """Return the status of a search with a token."""
        return self.call(route, token).status_code

    def run(self, *arguments: str) -> str:
        """Return what a command says that has to succeed, with the name of this client app at its end."""
        return _run(self.app, *arguments, self.name)

    def change(self, **changes: Any) -> None:
        """Change this client app as the panel does."""
        self.edit(lambda cr, stored: clients.update(cr, replace(stored, **changes)))

    def edit(self, work: Callable[[Any, clients.Client], Any]) -> None:
        """Do something with the stored client app, and let the process learn of it."""

        def run(root: Any) -> None:
            stored = clients.by_name(root.cr, self.name)
            assert stored is not None
            work(root.cr, stored)

        self.app.services.transactions.run(run)
        self.app.services.catalog.refresh()


Make = Callable[..., ClientApp]


def _run(app: Gatehouse, *arguments: str) -> str:
    done = app.test_cli_runner().invoke(args=list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def _error(answer: Any) -> tuple[int, str]:
    """Return the status and the name of the error of an API, or of an endpoint of OAuth2."""
    error = answer.json["error"]
    return answer.status_code, error if isinstance(error, str) else error["data"]["name"]


@pytest.fixture
def make_client(app: Gatehouse, sql: Sql) -> Iterator[Make]:
    """Create client apps with the command; they are gone after the test."""
    names = []

    def run(*options: str) -> ClientApp:
        names.append(f"client {secrets.token_hex(4)}")
        made = json.loads(_run(app, "client", "create", names[-1], *options, "--json"))
        app.services.catalog.refresh()
        return ClientApp(app, names[-1], made["client_id"], made["client_secret"])

    yield run
    sql("DELETE FROM gatehouse.client WHERE name = ANY(%s)", names)


@pytest.fixture
def shop(make_client: Make) -> ClientApp:
    """A client app that acts as `demo`."""
    return make_client("--user", "demo")


@pytest.fixture
def route(shop: ClientApp, publish: Publish) -> str:
    """An API that this client app may call."""
    return publish(clients=[shop.name])


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
    form = {"client_id": shop.id, "client_secret": shop.secret}
    multipart = shop.app.test_client().post(TOKEN, data=form, content_type="multipart/form-data")
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
        ({"grant_type": "authorization_code", "code": "x", "code_verifier": "x" * 43}, 400, "unauthorized_client"),
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
    assert _error(answer) == (status, error), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    if status == 401:  # 5.2: MUST include WWW-Authenticate that matches the scheme
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert (shop.secret or "-") not in answer.text


def test_other_forms_of_token_requests_are_refused(shop: ClientApp) -> None:
    http = shop.app.test_client()
    assert http.get(TOKEN).status_code == 405  # 3.2: the client MUST use POST
    for answer in (
        http.post(f"{TOKEN}?client_id={shop.id}&client_secret={shop.secret}"),  # 2.3.1: not in the URI
        http.post(TOKEN, json={"client_id": shop.id, "client_secret": shop.secret}),
        shop.post(TOKEN, auth=(shop.id, shop.secret or ""), client_secret=shop.secret),  # 2.3: one method
    ):
        assert _error(answer) == (400, "invalid_request")
    no_utf8 = base64.b64encode(b"\xff").decode()
    for header in ("Basic", "Basic !", "Basic \xe9", f"Basic {no_utf8}", "Bearer x", "Basic eA=="):
        assert http.post(TOKEN, headers={"Authorization": header}).status_code == 401, header


def test_fewer_scopes_can_be_asked_for_and_are_told(shop: ClientApp) -> None:
    assert shop.post(TOKEN, scope="read search").json["scope"] == "read search"


# RFC 6750: tokens at the APIs.


def test_a_token_opens_the_apis_of_its_client_app_and_no_other(
    shop: ClientApp, route: str, publish: Publish, creator_of: Callable[[str], str]
) -> None:
    token = shop.token()
    record = shop.call(route, token, "POST", json={"name": "by token"}).json["result"]
    assert shop.call(f"{route}/{record['id']}", token).json["result"]["name"] == "by token"
    assert creator_of("by token") == "demo"
    assert _error(shop.call(publish(), token)) == (403, "client_not_connected")


def test_each_operation_needs_its_scope(shop: ClientApp, route: str, demo: Client) -> None:
    path = f"{route}/{demo.result('POST', route, json={'name': 'scoped'})['id']}"
    calls: dict[str, tuple[str, str, dict[str, Any]]] = {
        "search": ("GET", route, {}),
        "read": ("GET", path, {}),
        "create": ("POST", route, {"json": {"name": "x"}}),
        "update": ("PATCH", path, {"json": {"name": "y"}}),
        "delete": ("DELETE", path, {}),
    }
    for scope in calls:
        token = shop.token(scope=scope)
        for needed, (method, target, options) in calls.items():
            answer = shop.call(target, token, method, **options)
            if needed == scope:
                assert answer.status_code == 200, (scope, needed, answer.text)
            else:  # 3.1: insufficient_scope, with the scope that is needed
                assert answer.status_code == 403
                challenge = answer.headers["WWW-Authenticate"]
                assert 'error="insufficient_scope"' in challenge
                assert f'scope="{needed}"' in challenge


def test_a_token_that_is_none_is_401_with_a_challenge(anyone: Client, publish: Publish) -> None:
    route = publish()
    for header in ("Bearer", "Bearer made-up", "Bearer gha_x_y", "Basic eDp5", "Bearer a b", "bearer", "Digest x",
                   "Bearer " + "a" * 5000):  # fmt: skip
        answer = anyone("GET", route, headers={"Authorization": header})
        assert answer.status_code == 401, header
        assert answer.headers["WWW-Authenticate"].startswith("Bearer "), header
    challenge = anyone("GET", route).headers["WWW-Authenticate"]  # 3.1: SHOULD NOT include an error code
    assert challenge.startswith("Bearer")
    assert "error=" not in challenge


def test_a_token_in_the_url_is_not_taken(shop: ClientApp, route: str, anyone: Client) -> None:
    assert anyone("GET", f"{route}?access_token={shop.token()}").status_code == 401


def test_run_as_comes_before_the_users_of_client_apps(
    make_client: Make, publish: Publish, app: Gatehouse, creator_of: Callable[[str], str]
) -> None:
    without_user = make_client()
    route = publish(run_as="admin", clients=[without_user.name])
    assert without_user.call(route, without_user.token(), "POST", json={"name": "as admin"}).status_code == 200
    assert creator_of("as admin") == "admin"
    name = definition_at(app, publish()).name
    result = app.test_cli_runner().invoke(args=["client", "create", "nobody", "--api", name])
    assert result.exit_code == 1
    assert "acts as no user" in result.output


# What ends a token, at once.


def test_a_token_ends_with_its_lifetime(make_client: Make, publish: Publish, sql: Sql) -> None:
    client = make_client("--user", "demo", "--lifetime", "60")
    route = publish(clients=[client.name])
    given = client.post(TOKEN).json
    assert given["expires_in"] == 60
    assert client.status(route, given["access_token"]) == 200
    sql("UPDATE gatehouse.token SET expires_at = now() - interval '1 second'")
    answer = client.call(route, given["access_token"])
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_token_ends_when_revoked_by_its_client_or_an_admin(shop: ClientApp, route: str, make_client: Make) -> None:
    token, stranger = shop.token(), make_client("--user", "demo")
    assert stranger.post(REVOKE, token=token).status_code == 200  # RFC 7009 2.1: of its own tokens alone
    assert shop.status(route, token) == 200
    assert shop.post(REVOKE, token=token, token_type_hint="refresh_token").status_code == 200  # a hint may be wrong
    assert shop.status(route, token) == 401
    again = shop.token()
    assert "1 tokens" in shop.run("token", "revoke-all")
    assert shop.status(route, again) == 401


def test_revocation_answers_200_for_what_it_does_not_know(shop: ClientApp) -> None:
    assert shop.post(REVOKE, token="made-up").status_code == 200  # RFC 7009 2.2
    assert shop.post(REVOKE).json["error"] == "invalid_request"
    assert shop.post(REVOKE, token="x", client_secret="wrong").status_code == 401


def test_a_client_app_that_is_switched_off_opens_nothing(shop: ClientApp, route: str) -> None:
    token = shop.token()
    shop.run("client", "disable")
    assert shop.status(route, token) == 401
    assert shop.post(TOKEN).json["error"] == "invalid_client"
    shop.run("client", "enable")
    assert shop.status(route, token) == 200


def test_a_user_who_is_switched_off_acts_through_no_token(make_client: Make, publish: Publish, root: Root) -> None:
    root(lambda env: env["res.users"].create({"name": "Bot", "login": "bot"}).id)
    client = make_client("--user", "bot")
    route, token = publish("res.partner", clients=[client.name]), client.token()
    root(lambda env: env["res.users"].search([("login", "=", "bot")]).write({"active": False}))
    assert client.status(route, token) == 401


def test_a_scope_that_is_taken_from_a_client_app_ends_in_its_living_tokens(shop: ClientApp, route: str) -> None:
    token = shop.token(scope="create search")
    assert shop.call(route, token, "POST", json={"name": "before"}).status_code == 200
    shop.change(scopes=["read", "search"])
    assert _error(shop.call(route, token, "POST", json={"name": "after"})) == (403, "insufficient_scope")
    assert shop.status(route, token) == 200
    assert shop.told(token)["scope"] == "search"
    assert "  access  search  " in shop.run("token", "list")
    shop.change(scopes=["read"])
    assert shop.told(token) == {"active": False}


def test_the_user_that_is_taken_from_a_client_app_acts_through_its_tokens_no_more(
    shop: ClientApp, route: str, publish: Publish
) -> None:
    token = shop.token()
    told = shop.told(token)
    assert (told["active"], told["username"]) == (True, "demo")
    shop.change(uid=None)
    assert _error(shop.call(route, token)) == (403, "client_without_user")
    assert shop.told(token) == {"active": False}
    publish(run_as="demo", clients=[shop.name])  # somebody executes its calls, but it is nobody's own
    told = shop.told(token)
    assert (told["active"], told.get("username"), told.get("sub")) == (True, None, None)


def test_an_api_that_is_taken_from_a_client_app_takes_its_living_tokens_no_more(
    shop: ClientApp, publish: Publish, app: Gatehouse
) -> None:
    route, token = publish(), shop.token()
    names = [definition_at(app, route).name]
    shop.edit(lambda cr, stored: allowed_clients.allow(cr, stored, names))
    assert shop.status(route, token) == 200
    shop.edit(lambda cr, stored: allowed_clients.disallow(cr, stored, names))
    assert _error(shop.call(route, token)) == (403, "client_not_connected")


def test_a_secret_is_rotated_with_an_overlap(shop: ClientApp, sql: Sql) -> None:
    old = shop.secret
    new = json.loads(shop.run("client", "rotate", "--overlap", "60", "--json"))["client_secret"]
    assert new != old
    for secret in (old, new):
        assert shop.post(TOKEN, client_secret=secret).status_code == 200
    sql("UPDATE gatehouse.client_secret SET expires_at = expires_at - interval '2 minutes'")
    assert shop.post(TOKEN, client_secret=old).status_code == 401
    assert shop.post(TOKEN, client_secret=new).status_code == 200
    shop.run("client", "rotate")
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


def test_a_token_is_found_by_its_key_among_ten_thousand(shop: ClientApp, sql: Sql) -> None:
    token = shop.token()
    sql(
        "INSERT INTO gatehouse.token (lookup, hash, kind, client_id, scopes, expires_at) "
        "SELECT 'many' || n, 'x', 'access', (SELECT id FROM gatehouse.client WHERE name = %s), '{read}', "
        "now() + interval '1 hour' FROM generate_series(1, 10000) n",
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
    remembers: bool, shop: ClientApp, demo: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = publish("test.tag", clients=[shop.name])

    def queries(call: Callable[[], TestResponse]) -> list[str]:
        for _ in range(2):  # fill the caches that outlive a call
            assert call().status_code == 200
        with counted_queries(monkeypatch) as asked:
            call()
        return asked

    with nullcontext() if remembers else fast.without("principals"):
        remembers, token = fast.is_on("principals"), shop.token()  # not with GATEHOUSE_FAST=off
        by_session, by_token = queries(lambda: demo("GET", route)), queries(lambda: shop.call(route, token))
    assert not [query for query in by_session if "res_users" in query or "gatehouse" in query]
    checks = [query for query in by_token if "gatehouse.token" in query]
    assert len(by_token) - len(by_session) == len(checks) == (0 if remembers else 1)
    assert all("lookup = " in check for check in checks)


# RFC 7662 and 8414.


def test_introspection_tells_of_ones_own_tokens(shop: ClientApp, make_client: Make) -> None:
    token = shop.token(scope="read")
    told = shop.told(token)
    assert told["active"] is True
    assert (told["scope"], told["client_id"], told["token_type"]) == ("read", shop.id, "Bearer")
    assert told["exp"] - told["iat"] == 1800
    assert make_client("--user", "demo").told(token) == {"active": False}  # 2.2: no more than that
    assert shop.told("made-up") == {"active": False}
    assert shop.post(INTROSPECT, token=token, client_secret="wrong").status_code == 401  # 2.1: MUST be authorized
    shop.post(REVOKE, token=token)
    assert shop.told(token) == {"active": False}


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
        return self.person("GET", AUTHORIZE, query_string=self.parameters(**changes))

    def decide(self, decision: str = "allow", **changes: Any) -> dict[str, str]:
        """Return what the app gets in its redirect."""
        page = self.ask(**{"prompt": "consent", **changes})
        assert page.status_code == 200, page.text
        return _redirected(self.answer(page, decision, **changes))

    def answer(self, page: Any, decision: str = "allow", **changes: Any) -> Any:
        """Send the form of a page that ``ask`` has shown."""
        form = {"csrf_token": csrf_of(page), decision: "1"}
        return self.person("POST", AUTHORIZE, query_string=self.parameters(**changes), data=form)

    def code(self, **changes: Any) -> str:
        return self.decide(**changes)["code"]

    def exchange(self, code: str, **changes: Any) -> Any:
        form = {"code": code, "redirect_uri": REDIRECT, "code_verifier": self.verifier, **changes}
        given = {name: value for name, value in form.items() if value is not None}
        return self.client.post(TOKEN, grant_type="authorization_code", **given)

    def tokens(self) -> dict[str, str]:
        """Return what a code that the person gives is exchanged for."""
        tokens: dict[str, str] = self.exchange(self.code()).json
        return tokens


def _redirected(answer: Any) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    location = answer.headers["Location"]
    assert location.startswith(REDIRECT + "?"), location
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@pytest.fixture
def flow(make_client: Make, demo: Client) -> Flow:
    """An app that acts for `demo`, if they let it."""
    return Flow(make_client("--redirect-uri", REDIRECT), demo)


@pytest.fixture
def opened(flow: Flow, publish: Publish) -> str:
    """An API that the app of the flow may call."""
    return publish(clients=[flow.client.name])


def test_a_person_allows_an_app_to_act_in_their_name(flow: Flow, opened: str, root: Root) -> None:
    root(lambda env: env["test.record"].create({"name": "demo's own", "owner_id": env.ref("base.user_demo").id}).id)
    given = flow.decide()
    assert given["state"] == "xyz"  # 4.1.2: the exact value
    told = flow.exchange(given["code"]).json
    assert (told["scope"], told["expires_in"], told["token_type"]) == ("read search", 1800, "Bearer")
    own = flow.client.call(f"{opened}?domain=[('name','=',\"demo's own\")]", told["access_token"])
    assert own.json["result"]["length"] == 1
    assert flow.client.call(opened, told["access_token"], "POST", json={"name": "x"}).status_code == 403


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
    path: str, form: dict[str, str], shown: str, make_client: Make, demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client("--redirect-uri", REDIRECT, *(["--public"] if shown == "no secret" else []))
    flow = Flow(client, demo)
    given = {**flow.tokens(), "code": flow.code()}
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


def test_an_admin_who_revokes_all_ends_the_codes_that_are_on_their_way_too(flow: Flow) -> None:
    code = flow.code()
    assert "0 tokens" in flow.client.run("token", "revoke-all")
    assert _error(flow.exchange(code)) == (400, "invalid_grant")


def test_all_that_is_out_ends_at_once_for_all_client_apps_and_the_history_knows(
    flow: Flow, shop: ClientApp, make_client: Make, app: Gatehouse, sql: Sql
) -> None:
    given, idle = flow.tokens(), make_client("--user", "demo")
    code, token = flow.code(), shop.token()
    sql("DELETE FROM gatehouse.history")
    output = _run(app, "token", "revoke-all", "--everything")
    for line in (f"2 tokens of {flow.client.name} are revoked.", f"1 tokens of {shop.name} are revoked."):
        assert line in output
    assert idle.name not in output
    assert flow.client.told(given["access_token"]) == shop.told(token) == {"active": False}
    refreshed = flow.client.refresh(given["refresh_token"])
    assert _error(refreshed) == _error(flow.exchange(code)) == (400, "invalid_grant")
    rows = dict(sql("SELECT name, before FROM gatehouse.history WHERE kind = 'client'"))
    assert rows == {
        flow.client.name: {"tokens": 2, "codes": rows[flow.client.name]["codes"], "consents": 1},
        shop.name: {"tokens": 1, "codes": 0, "consents": 0},
    }
    assert flow.ask().status_code == 200  # the person is asked anew
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


def test_consent_to_an_app_that_was_switched_off_meanwhile_gives_no_code(flow: Flow) -> None:
    page = flow.ask()
    flow.client.run("client", "disable")
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


def test_a_code_is_good_once_for_its_app_and_verifier(flow: Flow, opened: str, make_client: Make) -> None:
    for changes, errors in (
        ({"code_verifier": "y" * 64}, ["invalid_grant"]),  # RFC 7636 4.6
        ({"code_verifier": None}, ["invalid_grant", "invalid_request"]),
        ({"redirect_uri": "https://shop.example/other"}, ["invalid_grant", "invalid_request"]),  # 4.1.3: identical
        ({"redirect_uri": None}, ["invalid_grant", "invalid_request"]),
        ({"code": "ghc_" + "x" * 16 + "_" + "y" * 43}, ["invalid_grant"]),
    ):
        answer = flow.exchange(**{"code": flow.code(), **changes})
        assert answer.status_code == 400, (changes, answer.text)
        assert answer.json["error"] in errors, (changes, answer.text)
    thief = Flow(make_client("--redirect-uri", REDIRECT), flow.person)
    thief.verifier = flow.verifier
    assert thief.exchange(flow.code()).json["error"] == "invalid_grant"  # 4.1.3: issued to this client
    code = flow.code()
    token = flow.exchange(code).json["access_token"]
    assert flow.client.status(opened, token) == 200
    assert flow.exchange(code).json["error"] == "invalid_grant"  # 4.1.2: MUST deny, SHOULD revoke
    assert flow.client.status(opened, token) == 401


def test_a_code_expires(flow: Flow, sql: Sql) -> None:
    code = flow.code()
    sql("UPDATE gatehouse.authorization_code SET expires_at = now() - interval '1 second'")
    assert flow.exchange(code).json["error"] == "invalid_grant"


def test_a_used_code_that_comes_again_after_it_has_expired_ends_what_it_led_to(flow: Flow, sql: Sql) -> None:
    code = flow.code()
    tokens = flow.exchange(code).json
    sql("UPDATE gatehouse.authorization_code SET expires_at = now() - interval '1 second'")
    assert flow.exchange(code).json["error"] == "invalid_grant"
    assert flow.client.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_refresh_tokens_rotate_and_a_replayed_one_ends_its_family(flow: Flow, opened: str) -> None:
    refresh, first = flow.client.refresh, flow.tokens()
    second = refresh(first["refresh_token"]).json
    assert second["scope"] == "read search"
    assert second["refresh_token"] != first["refresh_token"]
    fewer = refresh(second["refresh_token"], scope="read").json
    assert fewer["scope"] == "read"
    more = refresh(fewer["refresh_token"], scope="read delete")
    assert more.json["error"] == "invalid_scope"  # 6: MUST NOT include any scope not originally granted
    assert flow.client.status(opened, second["access_token"]) == 200
    assert refresh(first["refresh_token"]).json["error"] == "invalid_grant"  # replayed
    assert flow.client.status(opened, second["access_token"]) == 401
    assert refresh(fewer["refresh_token"]).json["error"] == "invalid_grant"


def test_a_scope_that_is_taken_from_a_client_app_does_not_come_back_by_refresh(flow: Flow, opened: str) -> None:
    client, first = flow.client, flow.tokens()
    client.change(scopes=["read"])
    assert client.status(opened, first["access_token"]) == 403
    assert client.told(first["refresh_token"])["scope"] == "read"
    assert client.refresh(first["refresh_token"], scope="read search").json["error"] == "invalid_scope"
    second = client.refresh(first["refresh_token"]).json
    assert second["scope"] == "read"
    client.change(scopes=["read", "search"])
    assert client.refresh(second["refresh_token"]).json["scope"] == "read"  # renewed without it: stays without it
    client.change(scopes=["delete"])
    assert client.told(second["access_token"]) == {"active": False}


def test_a_refresh_token_whose_scopes_are_all_gone_is_no_grant(flow: Flow) -> None:
    token = flow.tokens()["refresh_token"]
    flow.client.change(scopes=["delete"])
    assert _error(flow.client.refresh(token)) == (400, "invalid_grant")


def test_a_code_brings_no_scope_and_comes_to_no_address_that_was_taken_from_its_app(flow: Flow) -> None:
    code = flow.code()
    flow.client.change(scopes=["read", "delete"])
    assert flow.exchange(code).json["scope"] == "read"
    code = flow.code(scope="delete")
    flow.client.change(scopes=["read"])
    assert flow.exchange(code).json["error"] == "invalid_grant"
    code = flow.code(scope="read")
    flow.client.change(redirect_uris=["https://shop.example/other"])
    assert flow.exchange(code).status_code == 400


def test_a_remembered_consent_gives_no_scope_that_was_taken_from_its_app(flow: Flow) -> None:
    flow.decide()
    flow.client.change(scopes=["read"])
    assert _redirected(flow.ask())["error"] == "invalid_scope"
    page = flow.person("GET", CONSENTS).text
    (shown,) = (part for part in page.split("<section>") if flow.client.name in part)
    assert "can read records that it knows; since" in shown


def test_a_person_who_is_switched_off_acts_through_no_app(
    make_client: Make, app: Gatehouse, database: str, publish: Publish, root: Root
) -> None:
    def switch(active: bool) -> None:
        root(lambda env: env["res.users"].browse(uid).write({"active": active}))

    values = {"name": "Person", "login": "person", "password": "a long password"}
    uid = root(lambda env: env["res.users"].create(values).id)
    person = Client(app)
    person.log_in(database, "person", "a long password")
    flow = Flow(make_client("--redirect-uri", REDIRECT), person)
    client = flow.client
    routes = publish(clients=[client.name]), publish(run_as="demo", clients=[client.name])
    given, code = flow.tokens(), flow.code()
    told = client.told(given["access_token"])
    assert (told["sub"], told["username"]) == (str(uid), "person")
    assert [client.status(route, given["access_token"]) for route in routes] == [200, 200]
    switch(False)
    assert [client.status(route, given["access_token"]) for route in routes] == [401, 401]
    for kind in ("access_token", "refresh_token"):
        assert client.told(given[kind]) == {"active": False}
    assert client.refresh(given["refresh_token"]).json["error"] == "invalid_grant"
    assert flow.exchange(code).json["error"] == "invalid_grant"
    client.post(REVOKE, token=given["refresh_token"])  # which holds, should the person come back
    switch(True)
    assert client.refresh(given["refresh_token"]).json["error"] == "invalid_grant"


def test_a_refresh_token_is_its_clients_alone_and_no_bearer_token(flow: Flow, opened: str, make_client: Make) -> None:
    token = flow.tokens()["refresh_token"]
    assert flow.client.status(opened, token) == 401
    assert make_client("--redirect-uri", REDIRECT).refresh(token).json["error"] == "invalid_grant"
    flow.client.post(REVOKE, token=token)  # RFC 7009 2.1: the access tokens of the grant too
    assert flow.client.refresh(token).json["error"] == "invalid_grant"


def test_a_person_withdraws_a_consent_and_its_tokens_end(flow: Flow, opened: str, other: Client) -> None:
    token = flow.tokens()["access_token"]
    assert flow.client.status(opened, token) == 200
    page = flow.person("GET", CONSENTS)
    assert flow.client.name in page.text
    assert flow.client.name not in other("GET", CONSENTS).text
    csrf, client_id = csrf_of(page), found(page, "//input[@name='client']/@value")[0]
    flow.person("POST", CONSENTS, data={"client": client_id})  # without the form's token
    for nobody in ("", "²", "9" * 5000):
        assert flow.person("POST", CONSENTS, data={"client": nobody, "csrf_token": csrf}).status_code == 200
    assert flow.client.status(opened, token) == 200
    flow.person("POST", CONSENTS, data={"client": client_id, "csrf_token": csrf})
    assert flow.client.status(opened, token) == 401
    assert flow.ask().status_code == 200


def test_a_foreign_page_cannot_decide_for_a_person(flow: Flow) -> None:
    answer = flow.person("POST", AUTHORIZE, query_string=flow.parameters(), data={"allow": "1"})
    assert answer.status_code == 200
    assert "asks for access" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy


def test_a_public_client_without_an_address_of_its_own_is_asked_for_each_time(make_client: Make, demo: Client) -> None:
    """Any app on the device could use the same id and the same address (RFC 8252 8.6)."""
    for uri, status in (("http://127.0.0.1:7/back", 200), ("com.example.app:/back", 200), (REDIRECT, 303)):
        flow = Flow(make_client("--public", "--redirect-uri", uri), demo)
        assert flow.answer(flow.ask(redirect_uri=uri), redirect_uri=uri).status_code == 303
        assert flow.ask(redirect_uri=uri).status_code == status


def test_a_public_client_needs_no_secret_but_a_verifier(make_client: Make, demo: Client) -> None:
    client = make_client("--public", "--redirect-uri", REDIRECT)
    assert client.secret is None
    flow = Flow(client, demo)
    assert flow.exchange(flow.code(), code_verifier="z" * 50).json["error"] == "invalid_grant"
    assert "access_token" in flow.tokens()
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
    public: bool, by_basic: str | None, status: int, make_client: Make, demo: Client
) -> None:
    client = make_client("--redirect-uri", REDIRECT, *(["--public"] if public else []))
    token = Flow(client, demo).tokens()["refresh_token"]
    auth = None if by_basic is None else (client.id, by_basic)
    secretless = ClientApp(client.app, client.name, client.id, None)
    answer = secretless.post(TOKEN, auth=auth, grant_type="refresh_token", refresh_token=token, client_id=client.id)
    assert answer.status_code == status, answer.text


def test_who_is_not_logged_in_is_sent_to_the_login_and_back(flow: Flow, anyone: Client) -> None:
    answer = anyone("GET", AUTHORIZE, query_string=flow.parameters())
    assert (answer.status_code, answer.headers["Cache-Control"]) == (303, "no-store")
    login = answer.headers["Location"]
    form = {"csrf_token": csrf_of(anyone("GET", login)), "login": "demo", "password": "demo"}
    assert anyone("POST", login, data={**form, "password": "no"}).status_code == 401
    right = anyone("POST", login, data=form)
    assert right.headers["Location"].startswith(f"{AUTHORIZE}?")
    assert flow.client.name in anyone("GET", right.headers["Location"]).text
    for following in ("//evil.example", "/api/oauth2/authorize?%0d%0aX:y"):
        elsewhere = anyone("POST", f"/api/oauth2/login?next={following}", data=form)
        assert elsewhere.headers["Location"] == CONSENTS


def test_a_redirect_uri_that_is_not_safe_is_not_registered(app: Gatehouse) -> None:
    for uri in ("http://shop.example/cb", "https://shop.example/cb#x", "javascript:alert(1)", "data:text/html,x",
                "/cb", "https://a@b/", "app:/cb"):  # fmt: skip
        result = app.test_cli_runner().invoke(args=["client", "create", "unsafe", "--redirect-uri", uri])
        assert result.exit_code == 1, uri
        assert "redirect_uris" in result.output
