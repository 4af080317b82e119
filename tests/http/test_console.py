"""Try it: a call out of the panel gets what a client from outside gets, and remains only where that was wished."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import html

from app.clients import store as clients
from app.operations.trial import KEY
from app.web.routing import Gatehouse
from tests.http.conftest import Client, Publish, Root, Sql
from tests.http.console import Console
from tests.http.followers import capture
from tests.http.panel import texts


@pytest.fixture
def shop(app: Gatehouse, root: Root) -> Iterator[dict[str, Any]]:
    """A client app called Shop with a secret, which acts as admin: its row's id, its field in the form, a token."""

    def make(env: Any) -> tuple[clients.Client, str]:
        client = clients.create(env.cr, "Shop", scopes=["search", "read", "create", "rpc"], uid=2)
        return client, clients.new_secret(env.cr, app.services.hasher(), client, overlap=0)

    client, secret = root(make)
    form = {"client_id": client.client_id, "client_secret": secret}
    token = app.test_client().post("/api/oauth2/token", data=form).json["access_token"]
    yield {
        "id": client.id,
        "client_id": client.client_id,
        "caller": f"client-{client.id}",
        "headers": {"Authorization": f"Bearer {token}"},
    }
    root(lambda env: env.cr.execute("DELETE FROM gatehouse.client WHERE id = %s", (client.id,)))


# The same answers as from outside.

SITUATIONS: dict[str, tuple[str, dict[str, Any], str, int]] = {
    "a session": ("me", {}, "GET", 200),
    "nobody": ("public", {}, "GET", 401),
    "the public": ("public", {"authentication": "public"}, "GET", 200),
    "a client app": ("Shop", {"clients": ["Shop"]}, "GET", 200),
    "a client app where another user executes": ("Shop", {"clients": ["Shop"], "run_as": "demo"}, "GET", 200),
    "a client app that is not connected": ("Shop", {}, "GET", 403),
    "a client app without the scope": ("Shop", {"clients": ["Shop"]}, "DELETE", 403),
    "a client app that is off": ("Shop", {"clients": ["Shop"], "off": True}, "GET", 401),
    "an operation that is off": ("me", {"endpoints": {"create": True, "search": False}}, "GET", 405),
}


@pytest.mark.parametrize("case", SITUATIONS)
def test_the_answer_is_the_one_that_a_client_gets(
    case: str, publish: Publish, attempt: Console, shop: dict[str, Any], admin: Client, anyone: Client, sql: Sql,
) -> None:  # fmt: skip
    caller, keys, method, expected = SITUATIONS[case]
    route = publish(**{name: value for name, value in keys.items() if name != "off"})
    if keys.get("off"):
        sql("UPDATE gatehouse.client SET active = false WHERE id = %s", shop["id"])
    outside = admin if caller == "me" else anyone
    headers = shop["headers"] if caller == "Shop" else {}
    options = {"json": ["x"]} if method == "DELETE" else {}
    wanted = outside(method, route, headers=headers, **options)
    body = json.dumps(options.get("json", []))
    tried = attempt(route, method, caller=shop["caller"] if caller == "Shop" else caller, body=body)
    assert (tried.status, wanted.status_code) == (expected, expected)
    assert tried.body["jsonrpc"] == "2.0"
    assert _without_id(tried.body) == _without_id(wanted.json)
    assert ("Nothing was called" in tried.text) is (expected in (404, 405))
    assert tried.headers.get("WWW-Authenticate") == wanted.headers.get("WWW-Authenticate")
    assert tried.headers.get("Allow") == wanted.headers.get("Allow")


def _without_id(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the id of its request."""
    answer.get("error", {}).get("data", {}).pop("request_id", None)
    return answer


def test_parameters_headers_and_path_arrive(publish: Publish, attempt: Console, root: Root, admin: Client) -> None:
    ids = root(lambda env: env["test.record"].create([{"name": f"Tried {number}"} for number in range(3)]).ids)
    route = publish(id_obfuscation=False)
    found = attempt(
        route, query__domain=f'[["id","in",{ids}]]', query__limit="2", query__order="name desc", query__count="none"
    )  # fmt: skip
    assert [record["name"] for record in found.body["result"]["records"]] == ["Tried 2", "Tried 1"]
    assert 'rel="next"' in found.headers["Link"]
    read = attempt(route, suffix="/{id}", path__id=str(ids[0]), query__fields="name")
    assert read.body["result"] == {"id": ids[0], "name": "Tried 0"}
    again = attempt(route, suffix="/{id}", path__id=str(ids[0]), query__fields="name",
                    **{"header-If-None-Match": read.headers["ETag"]})  # fmt: skip
    assert again.status == 304
    assert "It has no body." in again.text


def test_a_client_app_calls_without_any_token_being_made(
    publish: Publish, attempt: Console, shop: dict[str, Any], sql: Sql
) -> None:
    route = publish(clients=["Shop"])
    before = sql("SELECT lookup FROM gatehouse.token ORDER BY 1")
    tried = attempt(route, caller=shop["caller"])
    assert tried.status == 200
    assert sql("SELECT lookup FROM gatehouse.token ORDER BY 1") == before


def test_calls_count_against_the_rate_of_whom_they_are_made_as(
    publish: Publish, attempt: Console, shop: dict[str, Any], anyone: Client
) -> None:
    route = publish(clients=["Shop"], rate_limit="2/hour")
    assert attempt(route, caller=shop["caller"]).headers["X-RateLimit-Remaining"] == "1"
    assert anyone("GET", route, headers=shop["headers"]).status_code == 200
    assert attempt(route, caller=shop["caller"]).status == 429


def test_nobody_calls_as_an_app_without_a_secret_or_one_that_is_not_there(
    publish: Publish, attempt: Console, root: Root
) -> None:
    route = publish()
    client = root(lambda env: clients.create(env.cr, "Phone", scopes=["search"], uid=2, redirect_uris=["a.b:/c"]))
    for caller in (f"client-{client.id}", "client-999999", "client-x", "", "2", "you"):
        refused = attempt(route, status=400, caller=caller)
        assert "Nobody can call as this." in refused.text
        assert "Nothing has been sent" in refused.text
    assert "Phone (calls for persons alone)" in refused.text
    root(lambda env: env.cr.execute("DELETE FROM gatehouse.client WHERE id = %s", (client.id,)))


# As a test, or for real.


def test_a_call_is_a_test_unless_wished_otherwise_and_nothing_of_it_remains(
    publish: Publish, attempt: Console, sql: Sql
) -> None:
    route = publish()
    tried = attempt(route, "POST", body='{"name": "Never was"}')
    assert tried.status == 200
    assert tried.body["result"]["name"] == "Never was"
    assert tried.headers["X-Test-Mode"] == "true"
    assert "Test: rolled back" in tried.text
    assert sql("SELECT 1 FROM test_record WHERE name = 'Never was'") == []
    assert sql("SELECT 1 FROM gatehouse.audit WHERE request_id = %s", tried.headers["X-Request-ID"]) == []


def test_a_test_leaves_its_idempotency_key_free(publish: Publish, attempt: Console, admin: Client) -> None:
    route, body, header = publish(), {"name": "With a key"}, {"Idempotency-Key": "tried-before"}
    tried = attempt(
        route, "POST", body=json.dumps({"name": "Another body"}), **{"header-Idempotency-Key": "tried-before"}
    )
    assert tried.status == 200
    assert admin.result("POST", route, json=body, headers=header)["name"] == "With a key"


@pytest.mark.parametrize("method", ["commit_in_between", "commit_elsewhere", "commit_in_a_thread"])
def test_a_test_keeps_in_what_a_method_commits_by_itself(
    method: str, publish: Publish, attempt: Console, sql: Sql, shop: dict[str, Any]
) -> None:
    route = publish(fields=(), type="rpc", method=method, clients=["Shop"])
    for caller in ("me", shop["caller"]):
        tried = attempt(route, "POST", body=f'{{"name": "By {method}"}}', caller=caller)
        assert tried.status == 200
        assert "error" not in tried.body
    assert sql("SELECT 1 FROM test_record WHERE name = %s", f"By {method}") == []


def test_an_api_in_test_mode_is_tried_as_a_test_whatever_the_form_says(
    publish: Publish, attempt: Console, sql: Sql
) -> None:
    route = publish(mode="test")
    tried = attempt(route, "POST", body='{"name": "Never real"}', run="real")
    assert tried.headers["X-Test-Mode"] == "true"
    assert sql("SELECT 1 FROM test_record WHERE name = 'Never real'") == []


@pytest.mark.parametrize(
    ("caller", "kept", "said"),
    [
        ("me", "panel:2/user:2", "admin, in the panel"),
        ("Shop", "panel:2/client:{id}", "admin as Shop, in the panel"),
    ],
)
def test_a_call_for_real_remains_and_the_audit_says_that_the_admin_made_it_in_the_panel(
    caller: str, kept: str, said: str, publish: Publish, attempt: Console, shop: dict[str, Any], sql: Sql
) -> None:
    route = publish(clients=["Shop"])
    name = f"Real by {caller}"
    chosen = shop["caller"] if caller == "Shop" else caller
    tried = attempt(route, "POST", body=json.dumps({"name": name}), run="real", caller=chosen)
    assert "X-Test-Mode" not in tried.headers
    assert "For real" in tried.text
    ((record_id, author),) = sql("SELECT id, create_uid FROM test_record WHERE name = %s", name)
    assert author == 2
    request_id = tried.headers["X-Request-ID"]
    rows = sql("SELECT caller, action, record_ids, address FROM gatehouse.audit WHERE request_id = %s", request_id)
    assert rows == [(kept.format(id=shop["id"]), "create", [record_id], "127.0.0.1")]
    assert said in texts(attempt.panel.get(f"/admin/log/{request_id}"))


def test_the_log_tells_tests_of_the_panel_from_calls(
    publish: Publish, attempt: Console, app: Gatehouse, sql: Sql
) -> None:
    route = publish()
    ids = {caller: attempt(route, caller=caller).headers["X-Request-ID"] for caller in ("me", "public")}
    app.services.recorder.flush()
    assert "admin, in the panel, as a test" in texts(attempt.panel.get(f"/admin/log/{ids['me']}"))
    assert "admin as nobody, in the panel, as a test" in texts(attempt.panel.get(f"/admin/log/{ids['public']}"))
    assert sql("SELECT caller FROM gatehouse.request_log WHERE request_id = %s", ids["me"]) == [
        ("panel-test:2/user:2",)
    ]


# From outside, nothing of this can be reached.


@pytest.mark.parametrize("mark", [KEY, "GATEHOUSE_TRIAL", "Gatehouse-Trial", "HTTP_GATEHOUSE_TRIAL"])
def test_a_client_cannot_mark_its_call(mark: str, publish: Publish, admin: Client, anyone: Client, sql: Sql) -> None:
    route = publish()
    name = f"Marked by {mark}"
    text = "Trial(admin=2, rolled_back=True, client=1)"
    answer = admin("POST", route, json={"name": name}, headers={mark: text}, environ_overrides={mark: text})
    assert "X-Test-Mode" not in answer.headers
    assert len(sql("SELECT 1 FROM test_record WHERE name = %s", name)) == 1
    assert anyone("GET", route, headers={mark: text}, environ_overrides={mark: text}).status_code == 401


def test_the_page_holds_no_session_and_no_cookie(publish: Publish, attempt: Console, admin: Client) -> None:
    cookie = admin.http.get_cookie("session_id")
    assert cookie is not None
    assert cookie.value not in attempt(publish()).page.text


# Logging in.


@pytest.fixture
def keys(publish: Publish, app: Gatehouse, sql: Sql) -> str:
    """The route of an API where one logs in with an Odoo API key."""
    route = publish()
    sql(
        "UPDATE gatehouse.api SET document = document || "
        """'{"type": "key_authentication", "models": [], "clients": []}' WHERE document->>'route' = %s""",
        route,
    )
    app.services.catalog.refresh()
    return route


def test_a_login_is_tried_for_real_and_its_session_and_key_stay_nowhere(
    keys: str, attempt: Console, root: Root, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(env: Any) -> str:
        user = env["res.users"].search([("login", "=", "admin")])
        key: str = env["res.users.apikeys"].with_user(user).sudo()._generate(None, "console", None)
        return key

    key = root(make)
    ended: list[str] = []
    monkeypatch.setattr("app.blueprints.admin.console.view.sessions.close_session", ended.append)
    body = json.dumps({"db": database, "login": "admin", "password": key})
    tried = attempt(keys, "POST", body=body, caller="public")
    assert tried.body["result"]["username"] == "admin"
    (sid,) = ended
    assert len(sid) > 40
    assert sid not in tried.page.text
    assert key not in tried.page.text
    assert tried.headers["Set-Cookie"] == "session_id=… (not shown)"
    assert "A login can't be taken back" in attempt(keys, "POST", status=400, body=body, run="test").text
    root(lambda env: env["res.users.apikeys"].search([("name", "=", "console")])._remove())


def test_a_login_that_is_tried_ends_no_session_of_who_tries_it(
    keys: str, attempt: Console, root: Root, database: str
) -> None:
    def make(env: Any) -> str:
        user = env["res.users"].search([("login", "=", "demo")])
        key: str = env["res.users.apikeys"].with_user(user).sudo()._generate(None, "console of demo", None)
        return key

    body = json.dumps({"db": database, "login": "demo", "password": root(make)})
    assert attempt(keys, "POST", body=body, caller="me").body["result"]["username"] == "demo"
    assert attempt.panel.get("/admin/")
    root(lambda env: env["res.users.apikeys"].search([("name", "=", "console of demo")])._remove())


#: Switches that are off unless they are switched on.
OPTIONAL = {"aggregate": True, "export": True, "delta": True}


def test_every_endpoint_has_a_form_whose_example_can_be_sent(
    publish: Publish, attempt: Console, app: Gatehouse, settle: Callable[[], None], keys: str
) -> None:
    publish("res.partner", fields="all", endpoints=OPTIONAL)
    publish("test.record", fields="all", endpoints=OPTIONAL)
    publish(fields=(), type="rpc", method="join", http_methods=["POST", "GET"])
    capture(app)
    settle()
    options = html.fromstring(attempt.panel.get("/admin/try/").text).xpath("//select[@id='target']//option/@value")
    targets = [value for value in options if value]
    assert len(targets) == 12 + 12 + 6 + 1
    for target in targets:
        api_id, method, path = target.split(" ")
        route = app.services.catalog.snapshot.definitions[int(api_id)].document.route
        fields = {"path__id": "x"} if "{id}" in path else {}
        tried = attempt(route, method, path.removeprefix(route), **fields)
        assert tried.status < 500, (target, tried.text)


def test_an_import_can_be_tried(publish: Publish, attempt: Console, sql: Sql) -> None:
    route = publish(fields=["name"])
    tried = attempt(route, "POST", "/import", body='{"name": "tried by lines"}\n{"nome": 1}')
    assert tried.status == 200
    found = [json.loads(line) for line in tried.tree.get_element_by_id("answer-body").text.splitlines()]
    assert [each.get("status") for each in found] == [201, 400, None]
    assert found[-1]["summary"]["created"] == 1
    assert sql("SELECT count(*) FROM test_record WHERE name = 'tried by lines'") == [(0,)]
    python = next(
        each.text for each in tried.tree.xpath("//pre") if each.text and each.text.startswith("import requests")
    )
    assert "'Content-Type': 'application/x-ndjson'" in python
    assert ".encode()," in python
    assert "answer.text" in python


# The same call as a program.


def test_programs_hold_the_call_and_no_secret(publish: Publish, attempt: Console, shop: dict[str, Any]) -> None:
    route = publish(clients=["Shop"])
    tried = attempt(route, "POST", body='{"name": "It\'s @home", "x": null}', caller=shop["caller"],
                    **{"header-Idempotency-Key": "k-1"})  # fmt: skip
    curl, python, script = (tried.tree.get_element_by_id(f"program-{number}").text for number in (1, 2, 3))
    assert curl.splitlines() == [
        "# A token, which is good for a while.",
        f"TOKEN=$(curl -s -u {shop['client_id']}:YOUR_CLIENT_SECRET -X POST http://localhost/api/oauth2/token \\",
        """  | sed -n 's/.*"access_token": *"\\([^"]*\\)".*/\\1/p')""",
        "",
        "# The call.",
        "curl -X POST \\",
        '  -H "Authorization: Bearer $TOKEN" \\',
        "  -H 'Content-Type: application/json' \\",
        "  -H 'Idempotency-Key: k-1' \\",
        '  --data-raw \'{"name": "It\'"\'"\'s @home", "x": null}\' \\',
        f"  http://localhost{route}",
    ]
    assert "json={'name': \"It's @home\", 'x': None}," in python
    assert "'Authorization': 'Bearer ACCESS_TOKEN'" in python
    assert '"name": "It\'s @home"' in script
    assert "From outside, the call is for real" in tried.text
    for text in (curl, python, script):
        assert shop["headers"]["Authorization"] not in text
