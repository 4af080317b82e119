"""People's own credentials: sessions, passwords, API keys, two factors; and how often they may be wrong."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.exceptions import RequestEntityTooLarge

from app.auth import login as logging_in
from app.auth.counters import SharedCounters
from app.auth.throttle import Throttle, make_throttle
from app.clients import store as clients
from app.definitions.document import ApiDocument
from app.errors import TooManyRequests
from app.web.routing import Gatehouse
from odoo_bridge import credentials
from odoo_bridge.errors import Denied, Unavailable
from odoo_bridge.identity import database_uuid
from tests import stored_apis
from tests.http.conftest import PASSWORD, Client, Publish, Root, Sql, grow_old, log_in_long_ago
from tests.http.panel import Panel, csrf_of

pytestmark = pytest.mark.usefixtures("waits")

KEY_ROUTE = "/api/test-key/authenticate"
TOKEN, LOG_IN = "/api/oauth2/token", "/web/session/authenticate"
MakeKey = Callable[..., str]
Credentials = dict[str, str]


@pytest.fixture
def key_api(app: Gatehouse) -> Iterator[str]:
    """An API of type key_authentication."""
    document = ApiDocument(name="Key login", route=KEY_ROUTE, type="key_authentication", published=True)
    stored_apis.write(app, [document.model_dump(mode="json")])
    app.services.catalog.refresh()
    yield KEY_ROUTE
    stored_apis.delete(app, ["Key login"])
    app.services.catalog.refresh()


def _log_in(
    client: Client, database: str, login: str, password: str, path: str = LOG_IN, address: str = "127.0.0.1"
) -> Any:
    body = {"db": database, "login": login, "password": password}
    return client("POST", path, json=body, environ_overrides={"REMOTE_ADDR": address})


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


# Sessions.


def test_a_login_tells_what_the_contract_says_and_sets_odoos_cookie(anyone: Client, database: str) -> None:
    answer = _log_in(anyone, database, "demo", "demo")
    assert answer.json["result"].keys() == {"uid", "name", "username", "db", "company_id", "user_context"}
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("session_id=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("login", "password"),
    [("demo", "wrong"), ("nobody", "demo"), ("demo", "admin"), ("__system__", "x"), ("demo", " demo")],
)
def test_wrong_credentials_are_an_error_inside_a_200(login: str, password: str, anyone: Client, database: str) -> None:
    answer = _log_in(anyone, database, login, password)
    assert answer.status_code == 200
    assert answer.json["error"]["data"]["name"] == "access_denied"
    assert "Set-Cookie" not in answer.headers


def test_the_name_of_another_database_is_refused(anyone: Client) -> None:
    assert "error" in _log_in(anyone, "postgres", "demo", "demo").json


def _session_of(client: Client) -> str:
    cookie = client.http.get_cookie("session_id")
    assert cookie is not None
    return cookie.value


def test_a_session_ends_with_logout_password_change_and_deactivation(
    app: Gatehouse, database: str, publish: Publish, root: Root
) -> None:
    route = publish("res.partner")
    values = {"name": "Leaver", "login": "leaver", "password": PASSWORD}
    uid = root(lambda env: env["res.users"].create(values).id)

    def session(password: str = PASSWORD) -> Client:
        client = Client(app)
        client.log_in(database, "leaver", password)
        assert client("GET", route).status_code == 200
        return client

    first, second = session(), session()
    sid = _session_of(first)
    first("POST", "/web/session/destroy", json={})
    assert first("GET", route).status_code == 401
    first.http.set_cookie("session_id", sid)
    assert first("GET", route).status_code == 401
    assert second("GET", route).status_code == 200
    root(lambda env: env["res.users"].browse(uid).write({"password": PASSWORD + "!"}))
    assert second("GET", route).status_code == 401
    third = session(PASSWORD + "!")
    root(lambda env: env["res.users"].browse(uid).write({"active": False}))
    assert third("GET", route).status_code == 401


@pytest.fixture(params=["password", "key", "panel", "consent page"])
def enter(
    request: pytest.FixtureRequest, database: str, key_api: str, make_key: MakeKey
) -> Callable[[Client, bool], None]:
    """Log in by one of the doors, as `demo`, with what is right or with what is wrong."""

    def by_json(client: Client, right: bool) -> None:
        path, secret = (LOG_IN, "demo") if request.param == "password" else (key_api, make_key("demo"))
        answer = _log_in(client, database, "demo", secret if right else "wrong", path)
        assert ("result" in answer.json) == right, answer.text

    def by_form(client: Client, right: bool) -> None:
        path = "/admin/login" if request.param == "panel" else "/api/oauth2/login"
        answer = Panel(client).send(path, login="demo", password="demo" if right else "wrong")
        assert answer.status_code == (303 if right else 401), answer.text

    return by_json if request.param in ("password", "key") else by_form


def test_logging_in_again_ends_the_session_that_the_cookie_named(
    enter: Callable[[Client, bool], None], app: Gatehouse, database: str, publish: Publish
) -> None:
    route, client, copy = publish("res.partner"), Client(app), Client(app)
    client.log_in(database, "admin", "admin")
    before = _session_of(client)
    copy.http.set_cookie("session_id", before)
    enter(client, False)
    assert copy("GET", route).status_code == 200  # a try that fails ends nothing
    enter(client, True)
    assert copy("GET", route).status_code == 401
    assert client("GET", route).status_code == 200
    assert _session_of(client)[:42] != before[:42]


def test_an_old_session_is_rotated_as_odoo_rotates_it(
    anyone: Client, database: str, publish: Publish, app: Gatehouse
) -> None:
    route = publish("res.partner")
    path = log_in_long_ago(anyone, database, app)
    assert anyone("GET", route).status_code == 200
    rotated = _session_of(anyone)
    assert rotated != path.name
    assert rotated[:42] == path.name[:42]  # the part that tells the session apart stays
    assert anyone("GET", route).status_code == 200


def test_a_log_out_ends_the_session_from_before_a_rotation_too(
    anyone: Client, database: str, publish: Publish, app: Gatehouse
) -> None:
    route = publish("res.partner")
    path = log_in_long_ago(anyone, database, app)
    assert anyone("GET", route).status_code == 200  # rotated
    anyone("POST", "/web/session/destroy", json={})
    anyone.http.set_cookie("session_id", path.name)
    assert anyone("GET", route).status_code == 401
    assert list(path.parent.glob(f"{path.name[:42]}*")) == []


def test_a_log_out_leaves_nothing_in_the_process(anyone: Client, database: str) -> None:
    before = fnmatch._compile_pattern.cache_info().currsize  # type: ignore[attr-defined]  what Python remembers for glob
    for _ in range(3):
        _log_in(anyone, database, "demo", "demo")
        assert anyone("POST", "/web/session/destroy", json={}).status_code == 200
    assert fnmatch._compile_pattern.cache_info().currsize == before  # type: ignore[attr-defined]


def test_the_password_alone_opens_nothing_for_a_user_with_two_factors(
    anyone: Client, database: str, root: Root, key_api: str, make_key: MakeKey, publish: Publish
) -> None:
    root(_user_with_two_factors)
    answer = _log_in(anyone, database, "careful", PASSWORD)
    assert answer.json["error"]["data"]["name"] == "second_factor_required"
    assert "Set-Cookie" not in answer.headers
    assert _log_in(anyone, database, "careful", PASSWORD, key_api).json["error"]["data"]["name"] == "access_denied"
    key = make_key("careful")
    assert anyone("GET", publish("res.partner"), headers=_bearer(key)).status_code == 200


def _user_with_two_factors(env: Any, login: str = "careful") -> None:
    user = env["res.users"].create({"name": "Careful", "login": login, "password": PASSWORD})
    user.sudo().totp_secret = "JBSWY3DPEHPK3PXP"


# API keys of Odoo.


def test_an_api_key_is_a_bearer_token_of_its_user(
    anyone: Client, publish: Publish, make_key: MakeKey, creator_of: Callable[[str], str]
) -> None:
    anyone.result("POST", publish(), json={"name": "by key"}, headers=_bearer(make_key("demo")))
    assert creator_of("by key") == "demo"


def test_a_key_opens_a_session_for_its_own_user_alone(
    anyone: Client, database: str, key_api: str, make_key: MakeKey, publish: Publish
) -> None:
    key = make_key("demo")
    assert "error" in _log_in(anyone, database, "admin", key, key_api).json
    assert "error" in _log_in(anyone, database, "demo", "demo", key_api).json
    params = {"db": database, "login": "demo", "password": key}
    opened = anyone("POST", key_api, json={"jsonrpc": "2.0", "id": 5, "params": params})
    assert opened.json["id"] == 5
    assert opened.json["result"]["username"] == "demo"
    assert anyone("GET", publish("res.partner")).status_code == 200
    assert anyone("GET", key_api).status_code == 405


def test_a_session_by_key_leads_to_no_page_for_persons(
    anyone: Client, database: str, key_api: str, make_key: MakeKey, publish: Publish, app: Gatehouse
) -> None:
    _log_in(anyone, database, "admin", make_key("admin"), key_api)
    route = publish("res.partner")
    for _ in range(2):
        for page in ("/api/oauth2/consents", "/api/oauth2/authorize?client_id=x", "/admin/"):
            answer = anyone("GET", page)
            assert (answer.status_code, "/login" in answer.headers["Location"]) == (303, True), page
        grow_old(anyone, app)
        assert anyone("GET", route).status_code == 200  # and rotated


def test_a_log_in_says_nothing_of_test_mode_as_its_session_remains(
    anyone: Client, database: str, make_key: MakeKey, publish: Publish
) -> None:
    route = publish(models=[], type="key_authentication", mode="test")
    opened = _log_in(anyone, database, "demo", make_key("demo"), route)
    assert opened.json["result"]["username"] == "demo"
    assert "X-Test-Mode" not in opened.headers
    assert anyone("GET", publish("res.partner")).status_code == 200


def test_a_key_that_expired_was_deleted_or_whose_user_is_off_opens_nothing(
    anyone: Client, database: str, publish: Publish, key_api: str, make_key: MakeKey, root: Root, sql: Sql
) -> None:
    route = publish("res.partner")
    root(lambda env: env["res.users"].create({"name": "Keeper", "login": "keeper"}).id)
    expired, deleted, disabled = make_key("demo"), make_key("demo"), make_key("keeper")
    sql("UPDATE res_users_apikeys SET expiration_date = now() - interval '1 day' WHERE index = %s", expired[:8])
    sql("DELETE FROM res_users_apikeys WHERE index = %s", deleted[:8])
    root(lambda env: env["res.users"].search([("login", "=", "keeper")]).write({"active": False}))
    for login, key in (("demo", expired), ("demo", deleted), ("keeper", disabled), ("demo", "0" * 40)):
        assert anyone("GET", route, headers=_bearer(key)).status_code == 401
        assert "error" in _log_in(anyone, database, login, key, key_api).json


# How often.


@pytest.mark.usefixtures("three_tries")
def test_wrong_passwords_are_slowed_and_refused_and_a_right_one_is_not_locked_out_for_good(
    app: Gatehouse, database: str, waits: list[float]
) -> None:
    attacker, owner = Client(app), Client(app)
    assert _log_in(owner, database, "demo", "demo", address="192.0.2.7").json["result"]
    answers = [_log_in(attacker, database, "demo", f"guess {n}") for n in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert waits == pytest.approx([0.05, 0.1, 0.15])
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].json["error"]["data"]["name"] == "too_many_tries"
    assert _log_in(attacker, database, "demo", "demo").status_code == 429
    assert _log_in(attacker, database, "admin", "admin").json["result"]  # another account from there
    assert _log_in(owner, database, "demo", "demo", address="192.0.2.7").json["result"]


def test_many_addresses_cannot_guess_one_password_and_its_owner_still_gets_in(app: Gatehouse, database: str) -> None:
    home, throttle = "192.0.2.1", app.services.throttle
    assert _log_in(Client(app), database, "demo", "demo", address=home).json["result"]
    for n in range(60):
        throttle.failed("demo", f"198.51.100.{n}")
    assert _log_in(Client(app), database, "demo", "demo", address="203.0.113.5").status_code == 429
    assert _log_in(Client(app), database, "demo", "demo", address=home).json["result"]


@pytest.fixture
def shop(app: Gatehouse, sql: Sql) -> Iterator[Credentials]:
    """The credentials of a client app that acts as `demo`."""
    made = app.test_cli_runner().invoke(args=["client", "create", "Shop of tries", "--user", "demo", "--json"])
    yield {name: value for name, value in json.loads(made.output).items() if name in ("client_id", "client_secret")}
    sql("DELETE FROM gatehouse.client WHERE name = 'Shop of tries'")


def _unknown(number: int) -> dict[str, str]:
    return _bearer(f"gha_{number:016}_{'x' * 43}")


def test_wrong_tokens_are_always_a_401_and_stop_nothing_else_from_their_address(
    app: Gatehouse,
    anyone: Client,
    database: str,
    publish: Publish,
    make_key: MakeKey,
    key_api: str,
    shop: Credentials,
) -> None:
    route = publish("res.partner", clients=["Shop of tries"])
    key, token = make_key("demo"), anyone("POST", TOKEN, data=shop).json["access_token"]
    answers = [anyone("GET", route, headers=_unknown(n)) for n in range(40)]
    answers += [anyone("GET", route, headers=_bearer(f"{n:040}")) for n in range(40)]
    assert {answer.status_code for answer in answers} == {401}
    assert 'error="invalid_token"' in answers[39].headers["WWW-Authenticate"]
    for right in (token, key):
        assert anyone("GET", route, headers=_bearer(right)).status_code == 200
    assert anyone("POST", TOKEN, data=shop).status_code == 200
    assert anyone("POST", TOKEN, data={**shop, "client_secret": "wrong"}).status_code == 401
    assert _log_in(Client(app), database, "demo", "demo").json["result"]
    assert _log_in(Client(app), database, "demo", key, key_api).json["result"]
    assert "error" in _log_in(Client(app), database, "demo", "wrong").json


def test_an_expired_token_is_always_a_401_and_stops_nothing(
    anyone: Client, publish: Publish, shop: Credentials, sql: Sql
) -> None:
    route = publish("res.partner", clients=["Shop of tries"])
    expired = _bearer(anyone("POST", TOKEN, data=shop).json["access_token"])
    sql("UPDATE gatehouse.token SET expires_at = now() - interval '1 second'")
    assert {anyone("GET", route, headers=expired).status_code for _ in range(35)} == {401}
    assert anyone("POST", TOKEN, data=shop).status_code == 200


def test_wrong_secrets_of_strangers_keep_no_client_app_from_its_tokens(app: Gatehouse, shop: Credentials) -> None:
    def ask(address: str, **changes: str) -> Any:
        options = {"data": {**shop, **changes}, "environ_overrides": {"REMOTE_ADDR": address}}
        return Client(app)("POST", TOKEN, **options)

    assert [ask("192.0.2.20", client_secret="wrong").status_code for _ in range(12)] == [401] * 10 + [429] * 2
    for n in range(70):
        ask(f"198.51.100.{n}", client_secret="wrong")
    for address in ("192.0.2.20", "192.0.2.21"):
        assert ask(address).status_code == 200


def test_wrong_keys_of_strangers_keep_nobody_from_logging_in_with_the_right_one(
    app: Gatehouse, database: str, key_api: str, make_key: MakeKey
) -> None:
    key, stranger = make_key("demo"), Client(app)
    answers = [_log_in(stranger, database, "demo", f"{n:040}", key_api) for n in range(12)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429] * 2
    assert _log_in(Client(app), database, "demo", key, key_api).json["result"]
    assert _log_in(Client(app), database, "demo", "demo").json["result"]


@pytest.mark.parametrize("path", [TOKEN, "/api/oauth2/revoke", "/api/oauth2/introspect"])
def test_too_many_wrong_secrets_are_told_as_oauth2_clients_read_it(path: str, anyone: Client) -> None:
    wrong = {"client_id": "guessed", "client_secret": "wrong", "token": "x"}
    answer = [anyone("POST", path, data=wrong) for _ in range(11)][-1]
    assert answer.status_code == 429
    assert answer.json.keys() == {"error", "error_description"}  # RFC 6749 5.2
    assert answer.json["error"] == "temporarily_unavailable"
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (Unavailable("The database is away."), 503, "temporarily_unavailable"),
        (RequestEntityTooLarge(), 413, "invalid_request"),
        (RuntimeError("a defect"), 500, "server_error"),
    ],
)
def test_what_goes_wrong_elsewhere_is_told_as_oauth2_clients_read_it(
    failure: Exception, status: int, code: str, app: Gatehouse, shop: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise failure

    monkeypatch.setattr(clients, "by_public_id", fail)
    answer = Client(app)("POST", TOKEN, data=shop)
    assert (answer.status_code, answer.json["error"]) == (status, code)
    assert answer.json.keys() == {"error", "error_description"}


@pytest.mark.usefixtures("three_tries")
def test_the_log_in_page_of_the_code_flow_says_when_to_come_back(anyone: Client) -> None:
    csrf = csrf_of(anyone("GET", "/api/oauth2/login"))
    form = {"csrf_token": csrf, "login": "nobody", "password": "wrong"}
    answers = [anyone("POST", "/api/oauth2/login", data=form) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert "Too many tries" in answers[-1].text


# What counts as one address.

SAME_PLACE = [
    [f"203.0.113.9:{50000 + n}" for n in range(12)],
    [f"2001:db8:1:2::{n:x}" for n in range(12)],
    [f"[2001:db8:1:2:{n:x}::1]:{50000 + n}" for n in range(12)],
    ["::ffff:203.0.113.9", "203.0.113.9"] * 6,
]


@pytest.mark.parametrize("addresses", SAME_PLACE)
def test_tries_are_counted_by_place_and_not_by_how_its_address_is_written(
    addresses: list[str], app: Gatehouse, database: str
) -> None:
    throttle = app.services.throttle
    for address in addresses[:10]:
        throttle.check_login("demo", address)
    with pytest.raises(TooManyRequests):
        throttle.check_login("demo", addresses[10])
    assert _log_in(Client(app), database, "demo", "demo", address=addresses[11]).status_code == 429
    secret = {"client_id": "guessed", "client_secret": "wrong"}
    places = ({"REMOTE_ADDR": address} for address in addresses)
    answers = [Client(app)("POST", TOKEN, data=secret, environ_overrides=place) for place in places]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2


@pytest.mark.parametrize("addresses", SAME_PLACE)
def test_the_public_is_told_apart_by_place(addresses: list[str], anyone: Client, publish: Publish) -> None:
    route = publish(rate_limit="11/minute", authentication="public", run_as="demo")
    places = ({"REMOTE_ADDR": address} for address in addresses)
    assert [anyone("GET", route, environ_overrides=place).status_code for place in places] == [200] * 11 + [429]
    assert anyone("GET", route, environ_overrides={"REMOTE_ADDR": "2001:db8:1:3::1"}).status_code == 200


@pytest.mark.parametrize("addresses", SAME_PLACE)
def test_log_ins_with_a_key_are_counted_by_place(
    addresses: list[str], app: Gatehouse, database: str, sql: Sql, key_api: str
) -> None:
    sql(
        "UPDATE gatehouse.api SET document = jsonb_set(document, '{rate_limit}', '\"2/minute\"'), "
        "revision = revision + 1 WHERE document->>'route' = %s",
        key_api,
    )
    app.services.catalog.refresh()
    answers = [_log_in(Client(app), database, "demo", "wrong", key_api, address) for address in addresses[:3]]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_codes_of_a_second_factor_are_counted_by_place(
    app: Gatehouse, database: str, root: Root, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    root(lambda env: _user_with_two_factors(env, "coded"))
    user = root(lambda env: credentials.user_by_login(env, "coded"))
    for n in range(3):
        attempt = logging_in.Attempt(database, "coded", "000000", f"[2001:db8:9:9::{n}]:443")
        with pytest.raises(Denied):
            logging_in.with_code(app.services.transactions, app.services.throttle, attempt, user)
    rows = sql("SELECT DISTINCT ip FROM auth_totp_rate_limit_log WHERE user_id = %s", user.uid)
    assert rows == [("2001:db8:9:9::/64",)]


def test_an_api_takes_as_many_calls_as_its_rate_from_each_caller(
    demo: Client, other: Client, anyone: Client, publish: Publish
) -> None:
    route = publish(rate_limit="3/minute")
    answers = [demo("GET", route) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"3"}
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].json["error"]["data"]["name"] == "rate_limit"
    assert other("GET", route).status_code == 200
    public = publish(rate_limit="2/minute", authentication="public", run_as="demo")
    assert [anyone("GET", public).status_code for _ in range(3)] == [200, 200, 429]
    assert anyone("GET", public, environ_overrides={"REMOTE_ADDR": "192.0.2.9"}).status_code == 200
    assert "X-RateLimit-Limit" not in demo("GET", publish()).headers


def test_counters_that_are_away_are_replaced_by_the_machines_own(app: Gatehouse, tmp_path: Any) -> None:
    from app.auth.counters import redis_storage

    local = SharedCounters(tmp_path / "counters.lmdb")
    throttle = Throttle(redis_storage("redis://127.0.0.1:1/0", "demo"), local)
    assert [throttle.hit("2/minute", "x").allowed for _ in range(3)] == [True, True, False]


def test_counters_are_those_of_one_database_by_its_uuid(app: Gatehouse, root: Root) -> None:
    def left(throttle: Throttle) -> int:
        return throttle.hit("9/minute", "somebody").remaining

    same, other = make_throttle(root(database_uuid), None), make_throttle("of a database of the same name", None)
    other._storages[0].reset()
    assert [left(each) for each in (app.services.throttle, same, other, app.services.throttle)] == [8, 7, 8, 6]


# Addresses and origins.


@pytest.mark.usefixtures("three_tries")
def test_an_address_behind_a_proxy_is_believed_only_of_trusted_proxies(app: Gatehouse, database: str) -> None:
    attacker = Client(app)
    for n in range(3):
        body = {"db": database, "login": "demo", "password": "x"}
        attacker("POST", LOG_IN, json=body, headers={"X-Forwarded-For": f"198.51.100.{n}"})
    assert _log_in(attacker, database, "demo", "demo").status_code == 429


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_preflight_needs_no_credentials_and_names_what_is_served(
    method: str, anyone: Client, publish: Publish
) -> None:
    route = publish(cors_origins=["https://shop.example"])
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": method}
    for path in (route, f"{route}/some-id"):
        answer = anyone("OPTIONS", path, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        allowed = answer.headers["Access-Control-Allow-Methods"]
        assert (method in allowed) == (path == route or method != "POST")
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        assert "Origin" in answer.headers["Vary"]


def test_answers_and_errors_carry_cors_headers_for_allowed_origins_alone(
    anyone: Client, demo: Client, publish: Publish
) -> None:
    route = publish(cors_origins=["https://shop.example"])
    for client, status in ((anyone, 401), (demo, 200)):
        allowed = client("GET", route, headers={"Origin": "https://shop.example"})
        assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (status, "https://shop.example")
        assert "ETag" in allowed.headers["Access-Control-Expose-Headers"]
        for origin in ("https://evil.example", "https://shop.example.evil", "null", "http://shop.example"):
            foreign = client("GET", route, headers={"Origin": origin})
            assert "Access-Control-Allow-Origin" not in foreign.headers
            assert "Origin" in foreign.headers["Vary"]
    elsewhere = demo("GET", publish(), headers={"Origin": "https://shop.example"})
    assert "Access-Control-Allow-Origin" not in elsewhere.headers


def test_a_star_never_comes_with_credentials(anyone: Client, demo: Client, publish: Publish) -> None:
    route = publish(cors_origins=["*"])
    answer = demo("GET", route, headers={"Origin": "https://any.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    status, _ = demo.error("POST", route, json={"name": "x"}, headers={"Origin": "https://any.example"})
    assert status == 403


def test_an_allowed_origin_may_write_with_the_cookie(demo: Client, publish: Publish) -> None:
    route = publish(cors_origins=["https://shop.example"])
    assert demo.result("POST", route, json={"name": "from the shop"}, headers={"Origin": "https://shop.example"})


def test_nothing_secret_is_logged_or_told(
    anyone: Client, database: str, publish: Publish, make_key: MakeKey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    route = publish("res.partner")
    key = make_key("demo")
    answers = [
        _log_in(anyone, database, "demo", "wrong-secret-password"),
        _log_in(anyone, database, "other", PASSWORD),
        anyone("GET", route, headers=_bearer(key)),
        anyone("GET", route, headers=_bearer("gha_0123456789abcdef_" + "s" * 43)),
        anyone("GET", route, headers={"Authorization": "Basic " + "QWxhZGRpbjpvcGVu"}),
    ]
    for secret in ("wrong-secret-password", PASSWORD, key, "s" * 43, "QWxhZGRpbjpvcGVu", _session_of(anyone)[42:]):
        assert secret not in caplog.text
        for answer in answers:
            assert secret not in answer.text
