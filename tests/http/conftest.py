"""Fixtures for tests that call the application in this process, over a real database."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.analytics import log_pages
from app.auth import throttle
from app.clients import grants, tokens
from app.clients import store as clients
from app.definitions.definition import Definition
from app.definitions.document import ApiDocument
from app.definitions.system import SystemSettings
from app.web.routing import Gatehouse
from odoo_bridge.transaction import Environment
from tests import stored_apis
from tests.http.console import Console
from tests.http.panel import Panel
from tests.http.webhooks import make_shops, shop, told  # noqa: F401  fixtures of several modules

#: Finds what the log holds of the call that an answer belongs to.
Logged = Callable[[Any], dict[str, Any]]
#: What the fixtures ``publish``, ``sql`` and ``root`` are.
Publish = Callable[..., str]
Sql = Callable[..., list[tuple[Any, ...]]]
Root = Callable[..., Any]
#: Puts a function around the `create` of test records; it gets that method, the recordset and the values.
AroundCreate = Callable[[Callable[[Any, Any, Any], Any]], None]
PASSWORD = "correct horse"


class Client:
    """A caller with cookies, who may be logged in."""

    def __init__(self, app: Gatehouse) -> None:
        self.http = app.test_client()

    def log_in(self, database: str, login: str, password: str) -> None:
        params = {"db": database, "login": login, "password": password}
        answer = self.http.post("/web/session/authenticate", json={"jsonrpc": "2.0", "params": params})
        assert "result" in answer.json, answer.text

    def __call__(self, method: str, path: str, **options: Any) -> TestResponse:
        return self.http.open(path, method=method, buffered=True, **options)

    def result(self, method: str, path: str, **options: Any) -> Any:
        """Return the result of a call that has to succeed."""
        answer = self(method, path, **options)
        assert answer.status_code == 200, answer.text
        assert "error" not in answer.json, answer.text
        return answer.json["result"]

    def error(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Return the status and the error of a call that has to fail."""
        answer = self(method, path, **options)
        assert "error" in answer.json, answer.text
        assert "Traceback" not in answer.text
        return answer.status_code, answer.json["error"]

    def refusal(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Return the status and the name of the error of a call that has to fail."""
        status, error = self.error(method, path, **options)
        return status, error["data"]["name"]


@pytest.fixture
def anyone(app: Gatehouse) -> Client:
    """A caller who is not logged in."""
    return Client(app)


@pytest.fixture(scope="session")
def _sessions(app: Gatehouse, database: str) -> dict[str, Client]:
    """Logged-in clients by login; logging in is slow on purpose, so each does it once."""
    app.services.transactions.run(_make_users)
    clients = {}
    for login, password in (("admin", "admin"), ("demo", "demo"), ("other", PASSWORD)):
        clients[login] = Client(app)
        clients[login].log_in(database, login, password)
    return clients


def _make_users(root: Environment) -> None:
    root["res.users"].create(
        {
            "name": "Other",
            "login": "other",
            "password": PASSWORD,
            "group_ids": [(6, 0, [root.ref("base.group_user").id])],
        }
    )


@pytest.fixture
def admin(_sessions: dict[str, Client]) -> Client:
    """A caller with all access rights."""
    return _sessions["admin"]


@pytest.fixture
def demo(_sessions: dict[str, Client]) -> Client:
    """A caller with an employee's access rights."""
    return _sessions["demo"]


@pytest.fixture
def other(_sessions: dict[str, Client]) -> Client:
    """Another employee."""
    return _sessions["other"]


def log_in_long_ago(client: Client, database: str, app: Gatehouse) -> Path:
    """Log `demo` in and make the session so old that its next call rotates it; return its file, named by its id."""
    client.log_in(database, "demo", "demo")
    return grow_old(client, app)


def grow_old(client: Client, app: Gatehouse) -> Path:
    """Do the same with the session that a client has."""
    cookie = client.http.get_cookie("session_id")
    assert cookie is not None
    path = app.services.instance.data_dir / "sessions" / cookie.value[:2] / cookie.value
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "create_time": time.time() - 4 * 3600}))
    return path


#: Numbers of as many digits: names sort in the order in which they were made, and none begins with another one.
_numbers = itertools.count(1001)


@pytest.fixture
def publish(app: Gatehouse) -> Iterator[Callable[..., str]]:
    """Publish an API of one model and return its route; it is gone after the test."""
    names = []

    def run(model: str = "test.record", *, fields: Any = ("name",), **keys: Any) -> str:
        entry = {"model": model, "fields": fields if fields == "all" else list(fields)}
        for key in ("search_fields", "writable_fields", "domain", "related", "min_group_size", "upsert_keys"):
            if key in keys:
                entry[key] = keys.pop(key)
        number = next(_numbers)
        document = {"name": f"API {number}", "route": f"/api/t{number}", "published": True, "models": [entry], **keys}
        return publish_document(document)

    def publish_document(document: dict[str, Any]) -> str:
        checked = ApiDocument.model_validate(document)
        names.append(checked.name)
        stored_apis.write(app, [checked.model_dump(mode="json")])
        app.services.catalog.refresh()
        definitions = app.services.catalog.snapshot.definitions.values()
        (definition,) = (definition for definition in definitions if definition.name == checked.name)
        assert not definition.problems, definition.problems
        return checked.route

    yield run
    stored_apis.delete(app, names)
    app.services.catalog.refresh()


def definition_at(app: Gatehouse, route: str) -> Definition:
    """Return the API of a route."""
    definitions = app.services.catalog.snapshot.definitions.values()
    (found,) = (each for each in definitions if each.document.route == route)
    return found


@pytest.fixture
def creator_of(sql: Sql) -> Callable[[str], str]:
    """Return the login of who has created the test record of a name."""
    query = "SELECT u.login FROM test_record r JOIN res_users u ON u.id = r.create_uid WHERE r.name = %s ORDER BY r.id"
    return lambda name: str(sql(query, name)[-1][0])


@pytest.fixture
def panel(app: Gatehouse, admin: Client, sql: Sql) -> Iterator[Panel]:
    """An administrator in front of the panel; APIs, client apps and defaults are gone after the test."""
    yield Panel(admin)
    sql("DELETE FROM gatehouse.api")
    sql("DELETE FROM gatehouse.client")
    sql("DELETE FROM gatehouse.setting WHERE key = 'defaults'")
    app.services.catalog.refresh()


@pytest.fixture
def uncounted(app: Gatehouse, sql: Sql) -> None:
    """No call has been counted yet, and no change written down."""
    app.services.recorder.flush()
    for table in ("request_log", "audit", "rollup_minute", "rollup_hour", "rollup_day", "history"):
        sql(f"DELETE FROM gatehouse.{table}")


@pytest.fixture
def waits(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Begin and end with no wrong credentials counted; their answers are noted here to wait, and don't."""
    waited: list[float] = []
    monkeypatch.setattr(throttle, "time", SimpleNamespace(time=time.time, sleep=waited.append))
    for storage in app.services.throttle._storages:
        storage.reset()
    yield waited
    for storage in app.services.throttle._storages:
        storage.reset()


@pytest.fixture
def three_tries(app: Gatehouse, waits: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an account be tried three times a minute from an address: each try with a password takes a while."""
    monkeypatch.setattr(app.services.throttle, "_system", lambda: SystemSettings(login_tries_per_minute=3))


@pytest.fixture
def logged(app: Gatehouse) -> Logged:
    """Return what the log holds of the call that an answer belongs to."""

    def run(answer: Any) -> dict[str, Any]:
        app.services.recorder.flush()
        (row,), _ = log_pages.request(app.services.database, answer.headers["X-Request-ID"])
        return row

    return run


@pytest.fixture
def around_create(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> AroundCreate:
    # Of the registry that the next call works with: the catalog's snapshot may still have the one of before.
    model = app.services.transactions.run(lambda root: type(root["test.record"]), keep=False)
    create = model.create

    def put(around: Callable[[Any, Any, Any], Any]) -> None:
        def replacement(self: Any, values: Any) -> Any:
            return around(create, self, values)

        replacement._api_model = True  # type: ignore[attr-defined]
        monkeypatch.setattr(model, "create", replacement)

    return put


@pytest.fixture
def attempt(admin: Client, app: Gatehouse) -> Console:
    """The console, used by an administrator."""
    return Console(Panel(admin), app)


@pytest.fixture
def make_token(app: Gatehouse, root: Callable[..., Any]) -> Iterator[Callable[..., str]]:
    """Return the token of a new client app."""
    made = []

    def run(*scopes: str, uid: int | None = 2) -> str:
        def work(env: Any) -> str:
            client = clients.create(env.cr, f"Reader {len(made)}", scopes=scopes, uid=uid)
            token = tokens.generate(tokens.ACCESS)
            hasher = app.services.hasher()
            grants.store_token(
                env.cr, hasher, token, tokens.ACCESS, client, uid=None, scopes=scopes, lifetime=60, family=None
            )
            made.append(client.id)
            return token

        token: str = root(work)
        return token

    yield run
    root(lambda env: env.cr.execute("DELETE FROM gatehouse.client WHERE id = ANY(%s)", (made,)))


@pytest.fixture
def make_key(root: Callable[..., Any]) -> Callable[..., str]:
    """Make an API key of a user in Odoo, as Odoo does."""

    def run(login: str, *, days: int | None = 1) -> str:
        def work(env: Any) -> str:
            user = env["res.users"].search([("login", "=", login)])
            expires = None if days is None else env.cr.now() + timedelta(days=days)
            key: str = env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "test", expires)
            return key

        return str(root(work))

    return run


@pytest.fixture
def key(make_key: Callable[..., str]) -> str:
    """An API key of `demo`."""
    return make_key("demo")


@pytest.fixture
def asking(app: Gatehouse, key: str) -> Any:
    """An agent of `demo`'s whose client can ask its user."""
    from tests.http.agents import Agent

    return Agent(app, key, elicits={"form": {}})


@pytest.fixture
def modern(app: Gatehouse, key: str) -> Any:
    """An agent of `demo`'s, of the newest revision, whose client can't ask its user."""
    from tests.http.agents import Agent

    return Agent(app, key)


@pytest.fixture
def settle(app: Gatehouse) -> Callable[[], None]:
    """Wait until all that is committed by now can be told of: transactions of other databases count too."""

    def run() -> None:
        with app.services.database.transaction() as cr:
            cr.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            (ahead,) = cr.fetchone() or (0,)
            connection = cr.connection
            connection.commit()
            deadline = time.monotonic() + 60
            while True:
                cr.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
                (horizon,) = cr.fetchone() or (0,)
                connection.commit()
                if horizon >= ahead:
                    return
                assert time.monotonic() < deadline
                time.sleep(0.02)

    return run


@pytest.fixture
def followed(
    publish: Callable[..., str], app: Gatehouse, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Publish an API whose changes can be followed, and have them captured."""
    from tests.http.followers import FIELDS, Follower, capture

    monkeypatch.setattr(Follower, "settle", staticmethod(settle))

    def run(model: str = "test.record", **keys: Any) -> str:
        keys.setdefault("fields", FIELDS)
        keys.setdefault("endpoints", {"delta": True})
        route = publish(model, id_obfuscation=False, **keys)
        capture(app)
        settle()
        return route

    return run


@pytest.fixture
def mark() -> str:
    """A name that no other test's records have."""
    return f"delta {uuid.uuid4().hex[:12]}"
