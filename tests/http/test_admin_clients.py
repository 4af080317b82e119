"""Client apps in the panel and on the command line: renamed and deleted whole, warned about, and told how to begin."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from app.clients import store as clients
from app.clients.document import ClientDocument
from app.editing import client_apps
from app.operations import admission
from app.web.routing import Gatehouse
from tests import stored_apis
from tests.http.conftest import Client
from tests.http.panel import Panel, address_of, errors_of, texts

Root = Callable[..., Any]
Sql = Callable[..., list[tuple[Any, ...]]]
Publish = Callable[..., str]
NEW = "/admin/clients/new"


@pytest.fixture
def panel(admin: Client, sql: Sql) -> Iterator[Panel]:
    """An administrator in front of the panel; client apps are gone after the test."""
    yield Panel(admin)
    sql("DELETE FROM gatehouse.client")


@pytest.fixture
def token(app: Gatehouse, anyone: Client) -> Callable[[clients.Client], dict[str, str]]:
    """Return the headers of a new token of a client app."""

    def run(client: clients.Client) -> dict[str, str]:
        secret = app.services.transactions.run(
            lambda root: clients.new_secret(root.cr, app.services.hasher(), client, overlap=0)
        )
        form = {"client_id": client.client_id, "client_secret": secret}
        return {"Authorization": f"Bearer {anyone('POST', '/api/oauth2/token', data=form).json['access_token']}"}

    return run


@pytest.fixture
def make(app: Gatehouse, panel: Panel) -> Callable[..., clients.Client]:
    """Return a function that makes a client app that may call the API at a route."""

    def run(name: str, route: str | None = None, **keys: Any) -> clients.Client:
        apis = [] if route is None else [_name(app, route)]
        document = ClientDocument(name=name, **{"user": "demo", **keys})
        client: clients.Client = app.services.transactions.run(lambda root: client_apps.create(root, document, apis))
        app.services.catalog.refresh()
        return client

    return run


def _name(app: Gatehouse, route: str) -> str:
    (found,) = (
        each.name for each in app.services.catalog.snapshot.definitions.values() if each.document.route == route
    )
    return found


def _clients_of(app: Gatehouse, route: str) -> list[str]:
    (found,) = (api.document["clients"] for api in stored_apis.load(app).apis if api.document["route"] == route)
    return list(found)


def _page(client: clients.Client) -> str:
    return f"/admin/clients/{client.id}/"


# Renaming.


def test_a_renamed_client_app_keeps_its_tokens_and_its_apis(
    panel: Panel, app: Gatehouse, anyone: Client, publish: Publish, sql: Sql,
    make: Callable[..., clients.Client], token: Callable[..., dict[str, str]],
) -> None:  # fmt: skip
    routes = [publish(), publish()]
    other, shop = make("Other", routes[0]), make("Shop", routes[0])
    app.services.transactions.run(lambda root: client_apps.change(root, other, ClientDocument(name="Other")))
    page = panel.get(_page(shop))
    panel.follow(panel.submit(page, _page(shop), apis=[_name(app, route) for route in routes]))
    headers = token(shop)
    panel.follow(panel.send(_page(shop), name="Web shop"))
    assert [_clients_of(app, route) for route in routes] == [["Other", "Web shop"], ["Web shop"]]
    for route in routes:
        assert anyone("GET", route, headers=headers).status_code == 200
    changes = sql("SELECT name, before->>'name', after->>'name' FROM gatehouse.history WHERE kind = 'client' "
                  "AND before->>'name' <> after->>'name'")  # fmt: skip
    assert changes == [("Web shop", "Shop", "Web shop")]


def test_a_call_with_a_definition_from_before_the_renaming_is_served(
    app: Gatehouse, anyone: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch,
    make: Callable[..., clients.Client], token: Callable[..., dict[str, str]],
) -> None:  # fmt: skip
    """As on another worker, which learns of it a moment later."""
    route = publish()
    shop = make("Shop", route)
    headers = token(shop)
    app.services.transactions.run(lambda root: client_apps.rename(root, shop, "Web shop"))
    with monkeypatch.context() as patched:
        patched.setattr(app.services.catalog, "ensure_current", lambda: None)
        assert anyone("GET", route, headers=headers).status_code == 200


def test_a_client_app_that_is_not_named_is_refused_without_a_look_at_everything(
    app: Gatehouse, anyone: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch,
    make: Callable[..., clients.Client], token: Callable[..., dict[str, str]],
) -> None:  # fmt: skip
    route, asked = publish(), []
    headers = token(make("Shop"))
    revision = admission.store.revision
    monkeypatch.setattr(admission.store, "revision", lambda cr, api_id: asked.append(api_id) or revision(cr, api_id))
    status, error = anyone.error("GET", route, headers=headers)
    assert (status, error["data"]["name"], len(asked)) == (403, "client_not_connected", 1)


def test_a_name_that_another_client_app_has_is_refused(
    panel: Panel, app: Gatehouse, publish: Publish, make: Callable[..., clients.Client]
) -> None:
    route = publish()
    shop = make("Shop", route)
    make("Other")
    answer = panel.send(_page(shop), name="Other")
    assert answer.status_code == 400
    assert "There is a client app 'Other' already" in errors_of(answer, "name")
    assert _clients_of(app, route) == ["Shop"]


def test_a_client_app_that_somebody_else_has_changed_is_neither_saved_nor_deleted_unseen(
    panel: Panel, publish: Publish, app: Gatehouse, sql: Sql, make: Callable[..., clients.Client]
) -> None:
    shop = make("Shop", publish())
    page = panel.get(_page(shop))
    asked = panel.get(address_of(page, "delete"))
    panel.follow(panel.send(_page(shop), name="Theirs", scopes=["search"]))
    answer = panel.submit(page, _page(shop), name="Mine")
    assert answer.status_code == 409
    assert "It is now: Theirs; acts as demo; scopes search" in texts(answer)
    assert panel.agree(asked).status_code == 409
    assert sql("SELECT name FROM gatehouse.client") == [("Theirs",)]
    panel.follow(panel.submit(answer, _page(shop)))  # whoever has seen the other version may decide
    assert sql("SELECT name FROM gatehouse.client") == [("Mine",)]


# Deleting.


def test_a_deleted_client_app_takes_all_with_it_but_what_it_did(
    panel: Panel, app: Gatehouse, anyone: Client, publish: Publish, sql: Sql,
    make: Callable[..., clients.Client], token: Callable[..., dict[str, str]],
) -> None:  # fmt: skip
    route = publish()
    shop = make("Shop", route)
    headers = token(shop)
    anyone.result("POST", route, headers=headers, json={"name": "Made by the shop"})
    panel.follow(panel.confirm(_page(shop), "delete"))
    assert anyone.error("GET", route, headers=headers)[1]["data"]["name"] == "invalid_token"
    assert _clients_of(app, route) == []
    for table in ("client", "client_secret", "token", "consent", "authorization_code"):
        assert sql(f"SELECT * FROM gatehouse.{table}") == [], table
    assert sql("SELECT client FROM gatehouse.audit WHERE client IS NOT NULL ORDER BY id DESC LIMIT 1") == [("Shop",)]
    deleted = (
        "SELECT actor, before->>'name', after FROM gatehouse.history WHERE kind = 'client' ORDER BY id DESC LIMIT 1"
    )
    assert sql(deleted) == [("admin", "Shop", None)]
    assert panel.get(_page(shop), 404)


def test_the_question_says_what_a_deletion_takes_along(
    panel: Panel, app: Gatehouse, anyone: Client, publish: Publish,
    make: Callable[..., clients.Client], token: Callable[..., dict[str, str]],
) -> None:  # fmt: skip
    route = publish()
    shop = make("Much called", route)
    headers = token(shop)
    for _ in range(3):
        anyone.result("GET", route, headers=headers)
    app.services.recorder.flush()
    said = texts(panel.get(address_of(panel.get(_page(shop)), "delete")))
    assert "Delete Much called?" in said
    assert f"APIs{_name(app, route)}" in said
    assert "Live tokens1 token" in said
    assert "Calls in 24 hours3 under this name" in said


def test_the_commands_rename_and_delete(
    app: Gatehouse, publish: Publish, sql: Sql, make: Callable[..., clients.Client]
) -> None:
    route = publish()
    make("Shop", route)
    make("Other")
    run = app.test_cli_runner().invoke
    assert "already" in run(args=["client", "rename", "Shop", "Other"]).output
    assert run(args=["client", "rename", "Shop", "Web shop"]).exit_code == 0
    assert _clients_of(app, route) == ["Web shop"]
    assert run(args=["client", "delete", "Web shop"], input="n\n").exit_code == 1
    assert "It could call" in run(args=["client", "delete", "Web shop", "--yes"]).output
    assert _clients_of(app, route) == []
    assert sql("SELECT name FROM gatehouse.client") == [("Other",)]


def test_what_agents_need_of_a_client_app_is_set_by_command_file_and_panel(
    app: Gatehouse, panel: Panel, make: Callable[..., clients.Client], sql: Sql, tmp_path: Path
) -> None:
    def stored() -> list[tuple[Any, ...]]:
        return sql("SELECT name, resource_optional, metadata_hosts FROM gatehouse.client ORDER BY name")

    run, file = app.test_cli_runner().invoke, tmp_path / "apis.yaml"
    made = ["client", "create", "Agents", "--resource-optional", "--metadata-host", "claude.ai"]
    assert run(args=made).exit_code == 0
    assert stored() == [("Agents", True, ["claude.ai"])]
    file.write_text(run(args=["api", "export"]).output)
    assert "Nothing has changed" in run(args=["api", "import", str(file)]).output
    other = make("Other")
    panel.follow(panel.send(_page(other), metadata_hosts="agent.example\nlocalhost:8080", resource_optional="1"))
    assert stored()[1] == ("Other", True, ["agent.example", "localhost:8080"])
    fields = html.fromstring(panel.get(_page(other)).text)
    assert fields.xpath("//textarea[@name='metadata_hosts']")[0].text.split() == ["agent.example", "localhost:8080"]
    assert fields.xpath("//input[@name='resource_optional']/@checked")


@pytest.mark.parametrize("host", ["claude.ai", "Claude.ai", "https://agent.example", "agent.example/x", "*"])
def test_a_host_is_one_and_belongs_to_one_client_app(
    app: Gatehouse, panel: Panel, make: Callable[..., clients.Client], sql: Sql, tmp_path: Path, host: str
) -> None:
    make("Agents", metadata_hosts=["claude.ai"])
    other, file, run = make("Other"), tmp_path / "apis.yaml", app.test_cli_runner().invoke
    said = "belongs to the client app 'Agents' already" if host == "claude.ai" else "is no host"
    assert said in texts(panel.send(_page(other), metadata_hosts=host))
    assert said in run(args=["client", "create", "Third", "--metadata-host", host]).output
    file.write_text(json.dumps({"clients": [{"name": "Other", "user": "demo", "metadata_hosts": [host]}]}))
    imported = run(args=["api", "import", str(file)])
    assert (imported.exit_code != 0, said in imported.output) == (True, True)
    assert sql("SELECT name FROM gatehouse.client WHERE metadata_hosts <> '{}'") == [("Agents",)]


# Creating.


def _ticked(page: Any, field: str) -> list[str]:
    return list(html.fromstring(page.text).xpath(f"//input[@name='{field}' and @checked]/@value"))


def test_the_least_scopes_are_ticked_and_each_is_explained(panel: Panel) -> None:
    page = panel.get(NEW)
    assert sorted(_ticked(page, "scopes")) == ["read", "search"]
    assert "delete: delete records" in texts(page)


@pytest.mark.parametrize(
    ("connected", "given", "reason"),
    [
        (False, {"user": "admin"}, "It is connected to no API."),
        (False, {"user": ""}, "answer client_without_user"),
        (True, {"user": "admin", "scopes": ["rpc"]}, "None of its scopes opens an endpoint of"),
    ],
)
def test_an_app_that_can_call_nothing_is_made_only_after_a_warning(
    panel: Panel, app: Gatehouse, publish: Publish, sql: Sql, connected: bool, given: dict[str, Any], reason: str
) -> None:
    route = publish()
    page = panel.send(NEW, name="Shop", apis=[_name(app, route)] if connected else [], **given)
    assert page.status_code == 400
    assert "This app can't call anything" in texts(page)
    assert reason in texts(page)
    assert sql("SELECT * FROM gatehouse.client") == []
    assert panel.submit(page, NEW, anyway="1").status_code == 200
    assert sql("SELECT name FROM gatehouse.client") == [("Shop",)]
    ((client_id,),) = sql("SELECT id FROM gatehouse.client")
    assert reason in texts(panel.get(f"/admin/clients/{client_id}/"))


def test_an_app_that_is_connected_to_public_apis_alone_is_warned_about(
    panel: Panel, app: Gatehouse, publish: Publish
) -> None:
    name = _name(app, publish(authentication="public"))
    page = panel.send(NEW, name="Shop", user="admin", apis=[name])
    assert f"It is connected to public APIs alone ({name}), which look at no token." in texts(page)
    assert f"{name} (public: looks at no token)" in texts(page)


def test_a_token_of_an_app_without_a_user_is_told_so(
    anyone: Client, publish: Publish, make: Callable[..., clients.Client], token: Callable[..., dict[str, str]]
) -> None:
    route = publish()
    headers = token(make("Shop", user=None))
    answer = anyone("GET", route, headers=headers)
    assert (answer.status_code, answer.json["error"]["data"]["name"]) == (403, "client_without_user")
    assert "'Shop' acts as no user here" in answer.json["error"]["message"]
    assert "WWW-Authenticate" not in answer.headers


def test_ticking_client_apps_on_a_public_api_does_what_the_page_says(
    panel: Panel, app: Gatehouse, anyone: Client, publish: Publish, sql: Sql, make: Callable[..., clients.Client]
) -> None:
    route = publish(authentication="public", fields=("name",))
    make("Shop", route)
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        assert anyone("GET", route, headers=headers).status_code == 200
    ((api_id,),) = sql("SELECT id FROM gatehouse.api")
    assert "Where anybody may call, no token is looked at" in texts(panel.get(f"/admin/apis/{api_id}/"))


def test_the_page_of_a_new_app_holds_two_commands_and_its_secret(
    panel: Panel, app: Gatehouse, publish: Publish, sql: Sql
) -> None:
    route = publish(fields=("name",))
    tree = html.fromstring(panel.send(NEW, name="Shop", user="demo", apis=[_name(app, route)]).text)
    client_id, secret = (tree.get_element_by_id(f"client-{part}").text for part in ("id", "secret"))
    assert tree.get_element_by_id("get-token").text.startswith(
        f"TOKEN=$(curl -s -u {client_id}:{secret} -X POST http://localhost/api/oauth2/token"
    )
    assert tree.get_element_by_id("first-call").text.splitlines() == [
        "curl \\",
        '  -H "Authorization: Bearer $TOKEN" \\',
        f"  'http://localhost{route}?limit=3'",
    ]


@pytest.mark.parametrize(
    ("keys", "scopes", "path"),
    [
        ({"fields": ("name",)}, ["read"], "/{id}"),
        ({"fields": (), "type": "rpc", "method": "join"}, ["rpc"], "/{id}"),
        ({"fields": ("name",)}, ["create"], ""),
    ],
    ids=lambda value: str(value) if isinstance(value, list) else None,
)
def test_the_first_call_is_one_that_the_scopes_open(
    panel: Panel, app: Gatehouse, publish: Publish, root: Root, keys: dict[str, Any], scopes: list[str], path: str
) -> None:
    ids = root(lambda env: env["test.record"].create([{"name": "There"}]).ids)
    route = publish(id_obfuscation=False, domain=[["id", "in", ids]] if path else [], **keys)
    page = panel.send(NEW, name="Shop", user="demo", scopes=scopes, apis=[_name(app, route)])
    call = html.fromstring(page.text).get_element_by_id("first-call").text
    assert call.endswith(f"http://localhost{route}{path.replace('{id}', str(ids[0]))}")


def test_the_first_search_asks_for_no_more_than_the_api_gives(panel: Panel, app: Gatehouse, publish: Publish) -> None:
    route = publish(page_size=2, max_page_size=2)
    page = panel.send(NEW, name="Shop", user="demo", apis=[_name(app, route)])
    assert html.fromstring(page.text).get_element_by_id("first-call").text.endswith(f"{route}?limit=2'")


def test_a_first_call_that_changes_nothing_goes_before_one_that_may(
    panel: Panel, app: Gatehouse, publish: Publish, root: Root
) -> None:
    ids = root(lambda env: env["test.record"].create([{"name": "There"}]).ids)
    keys = {"fields": (), "type": "rpc", "domain": [["id", "in", ids]]}
    may_change = publish(method="rename", **keys)
    harmless = publish(method="get_metadata", **keys)
    by_get = publish(method="rename", http_methods=["POST", "GET"], **keys)

    def shown(*routes: str) -> tuple[str, bool]:
        apis = [_name(app, route) for route in routes]
        page = panel.send(NEW, name=f"Shop {apis}", user="demo", scopes=["rpc"], apis=apis)
        call = html.fromstring(page.text).get_element_by_id("first-call").text
        return call, "which may change something" in texts(page)

    call, warned = shown(may_change, harmless)
    assert (f"{harmless}/" in call, warned) == (True, False)
    call, warned = shown(may_change)
    assert ("-X POST" in call, f"{may_change}/" in call, warned) == (True, True, True)
    call, warned = shown(by_get)
    assert ("-X POST" in call, f"{by_get}/" in call, warned) == (False, True, True)


def test_no_call_is_shown_that_would_be_refused(panel: Panel, app: Gatehouse, publish: Publish) -> None:
    given = {"user": "", "redirect_uris": "https://shop.example/back", "apis": [_name(app, publish())]}
    page = panel.send(NEW, name="Shop", **given)
    assert "By itself it acts as no Odoo user" in texts(page)
    assert 'id="first-call"' not in page.text


# What is asked before APIs change.


def test_the_questions_about_an_api_name_its_callers(
    panel: Panel, app: Gatehouse, anyone: Client, publish: Publish, sql: Sql,
    make: Callable[..., clients.Client], token: Callable[..., dict[str, str]],
) -> None:  # fmt: skip
    route = publish()
    first, _ = make("First of two", route), make("Second of two", route)
    headers = token(first)
    for _ in range(2):
        anyone.result("GET", route, headers=headers)
    app.services.recorder.flush()
    ((api_id,),) = sql("SELECT id FROM gatehouse.api")
    page = panel.get(f"/admin/apis/{api_id}/")
    said = {what: texts(panel.get(address_of(page, what))) for what in ("test", "delete", "unpublish")}
    assert "the writes of 2 client apps (First of two, Second of two) and of everybody who logs in" in said["test"]
    for text in said.values():
        assert f"{_name(app, route)}, {route}" in text
        assert "2 client apps: First of two (2 calls), Second of two (no call); calls under these names" in text
        assert "Calls in 24 hours2" in text
    endpoints = panel.get(f"/admin/apis/{api_id}/endpoints")
    for operation, named, calls in (("search", f"GET {route}", 2), ("create", f"POST {route}", 0)):
        off = texts(panel.get(address_of(endpoints, "switch", operation=operation)))
        assert f"Endpoints{named}" in off
        assert f"Calls in 24 hours{calls}" in off


def test_nothing_is_asked_about_what_is_not_there(panel: Panel, publish: Publish, app: Gatehouse, sql: Sql) -> None:
    publish()
    ((api_id,),) = sql("SELECT id FROM gatehouse.api")
    for path in (
        "apis/999999/confirm/delete", f"apis/{api_id}/confirm/x", f"apis/{api_id}/confirm/switch?operation=x",
        "clients/999999/confirm/delete",
    ):  # fmt: skip
        panel.get(f"/admin/{path}", 404)


def test_an_import_that_deletes_says_whose_calls_end(
    panel: Panel, publish: Publish, app: Gatehouse, make: Callable[..., clients.Client]
) -> None:
    route = publish()
    make("Never called", route)
    answer = panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text="apis: []", prune="1")
    assert "1 client app: Never called (no call); calls under this name" in texts(answer)
    assert "Import, and delete 1 API" in texts(answer)
    assert json.dumps(route)[1:-1] in texts(answer)
