"""What an administrator does in the panel, without scripts: every form, with good and bad input."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from app.blueprints.admin.draft import draft
from app.catalog import store
from app.definitions.document import SWITCHES, ApiDocument, EndpointSwitches
from app.definitions.scopes import SCOPES
from app.web.routing import Gatehouse
from tests import stored_apis
from tests.http.conftest import Client, Root, Sql
from tests.http.panel import Panel, address_of, errors_of, found, texts

NEW, FILES, ROUTE = "/admin/apis/new", "/admin/files/", "/api/test-record"
MODELS = json.dumps([{"model": "test.record", "fields": ["name", "count"]}])
GOOD = {"name": "Records", "route": "/api/records", "models": MODELS}


def _expose(panel: Panel, model: str = "test.record") -> str:
    """Expose a model and return the address of the draft's form."""
    page = panel.get(f"/admin/models/?q={model}")
    address: str = panel.submit(page, "/admin/models/", "/expose", model=model).headers["Location"]
    return address


def _publish(panel: Panel) -> str:
    """Expose test records, publish the draft, and return the address of its form."""
    form = _expose(panel)
    panel.follow(panel.send(f"{form}endpoints", "/publish"))
    return form


def _documents(app: Gatehouse) -> dict[str, dict[str, Any]]:
    return {api.document["name"]: api.document for api in stored_apis.load(app).apis}


def _only(app: Gatehouse) -> dict[str, Any]:
    (document,) = _documents(app).values()
    return document


# Exposing a model.


def test_one_click_makes_a_draft_that_serves_nothing_until_it_is_published(
    panel: Panel, app: Gatehouse, admin: Client
) -> None:
    form = _expose(panel, "res.partner")
    document = _only(app)
    assert document["published"] is False
    fields = document["models"][0]["fields"]
    assert {"name", "email", "phone", "country_id"} <= set(fields)
    assert len(fields) < 25
    assert admin("GET", document["route"]).status_code == 404
    page = panel.follow(panel.send(f"{form}endpoints", "/publish"))
    assert f"http://localhost{document['route']}/{{id}}" in texts(page)
    assert admin.result("GET", document["route"])["length"]


def test_a_second_draft_of_a_model_takes_a_name_and_a_route_of_its_own(panel: Panel, app: Gatehouse) -> None:
    _expose(panel)
    _expose(panel)
    documents = _documents(app)
    assert set(documents) == {"Test Record", "Test Record 2"}
    assert {document["route"] for document in documents.values()} == {ROUTE, "/api/test-record-2"}


def test_every_model_of_the_list_makes_a_draft_without_problems(panel: Panel, app: Gatehouse, root: Root) -> None:
    names: list[str] = []
    for number in range(1, 20):
        page = panel.get(f"/admin/models/?all=1&page={number}")
        names += (shown := found(page, "//main//input[@name='model']/@value"))
        if not shown:
            break
    assert len(names) > 80
    assert not {"res.users.apikeys", "ir.config_parameter", "base", "change.password.wizard"} & set(names)

    def drafts(env: Any) -> list[dict[str, Any]]:
        stored = store.load(env.cr)  # none of these, so that each takes a name and a route of its own here
        own = ({"name": name, "route": f"/api/{name}"} for name in names)
        made = (ApiDocument(**{**draft(env, stored, each["name"]), **each}) for each in own)
        return [document.model_dump(mode="json") for document in made]

    with app.app_context():  # a draft asks it what is known of models
        stored_apis.write(app, root(drafts))
    app.services.catalog.refresh()
    problems = {each.name: each.problems for each in app.services.catalog.snapshot.definitions.values()}
    assert problems == dict.fromkeys(names, ())


@pytest.mark.parametrize("model", ["ir.config_parameter", "res.users.apikeys", "base", "no.such.model", ""])
def test_a_model_that_cannot_be_exposed_makes_no_draft(panel: Panel, app: Gatehouse, model: str) -> None:
    page = panel.get("/admin/models/")
    answer = panel.submit(page, "/admin/models/", "/expose", model=model)
    assert answer.status_code == 404
    assert "can't be exposed" in texts(answer) or "no model" in texts(answer)
    assert _documents(app) == {}


# Making and editing.


def test_an_api_is_made_from_scratch(panel: Panel, app: Gatehouse, admin: Client) -> None:
    answer = panel.send(NEW, **GOOD, publish="1", page_size="7")
    assert "These are its endpoints" in texts(panel.follow(answer))
    document = _only(app)
    assert document["page_size"] == 7
    assert document["endpoints"] == EndpointSwitches().model_dump()
    assert admin.result("GET", "/api/records") is not None


def test_all_keys_survive_the_form(panel: Panel, app: Gatehouse, sql: Sql) -> None:
    panel.send("/admin/clients/new", name="Shop", user="admin", anyway="1")
    full = {
        "name": "Full", "route": "/api/full", "mode": "test", "authentication": "user", "run_as": "demo",
        "clients": ["Shop"], "log_bodies": True, "masked_fields": ["email", "Ref"],
        "id_obfuscation": False, "bulk": False, "binary": "base64",
        "empty_values": "null", "application_errors": 422, "page_size": 5, "max_page_size": 50, "max_bulk": 9,
        "chatter": False, "webhooks": True, "mcp": "read", "mcp_approval": "person",
        "rate_limit": "100/minute", "cors_origins": ["https://a.example", "https://b.example"],
        "deprecated": "2026-12-31", "sunset": "2027-06-30",
        "endpoints": dict.fromkeys(SWITCHES, False) | {"search": True, "create": True},
        "models": [{"endpoints": {"search": False, "bulk_read": True},
                    "model": "test.record", "fields": ["name", "partner_id"], "search_fields": ["name"],
                    "writable_fields": [],
                    "domain": [["name", "!=", "x"], "|", ["count", ">", 1], ["flag", "=", False]],
                    "related": {"partner_id": ["name", {"country_id": ["code"]}]}}],
    }  # fmt: skip
    text = f"apis: [{json.dumps(full)}]"
    page = panel.send(FILES, "/preview", text=text)
    assert panel.submit(page, "/admin/files/preview", "/apply").status_code == 303
    before = _only(app)
    (api_id,) = sql("SELECT id FROM gatehouse.api")[0]
    panel.follow(panel.send(f"/admin/apis/{api_id}/"))
    assert _only(app) == before
    assert sql("SELECT revision FROM gatehouse.api") == [(1,)]


def test_an_api_that_calls_a_method_is_made(panel: Panel, app: Gatehouse, admin: Client) -> None:
    answer = panel.send(
        NEW, name="Company", route="/api/company", type="rpc", method="get_company_name_with_phone",
        models="- model: res.company", publish="1", id_obfuscation=None,
    )  # fmt: skip
    assert "POST http://localhost/api/company/{id}" in texts(panel.follow(answer))
    assert admin.result("POST", "/api/company/1", json={})


def test_an_argument_is_declared_harmless_in_the_form(panel: Panel, app: Gatehouse, admin: Client, sql: Sql) -> None:
    answer = panel.send(
        NEW, name="Copies", route="/api/copies", type="rpc", method="copy",
        models="- model: test.record", publish="1", id_obfuscation=None, arguments="default: harmless",
    )  # fmt: skip
    panel.follow(answer)
    assert _only(app)["arguments"] == {"default": "harmless"}
    ((api_id,),) = sql("SELECT id FROM gatehouse.api")
    page = panel.get(f"/admin/apis/{api_id}/")
    assert ">default: harmless</textarea>" in page.text.replace("\r\n", "").replace("\n", "")


def test_an_api_for_logging_in_with_a_key_is_made(panel: Panel, app: Gatehouse, anyone: Client) -> None:
    answer = panel.send(NEW, name="Keys", route="/api/keys", type="key_authentication", publish="1")
    panel.follow(answer)
    assert anyone("POST", "/api/keys", json={}).status_code == 400


WRONG = {
    "no name": ("name", {"name": " "}, ""),
    "foreign route": ("route", {"route": "/web/x"}, "must start with /api/"),
    "own route": ("route", {"route": "/api/docs/x"}, "Gatehouse's own"),
    "nobody": ("run_as", {"run_as": "nobody at all"}, "there is no active user"),
    "superuser": ("run_as", {"run_as": "__system__"}, "no active user"),
    "rate": ("rate_limit", {"rate_limit": "often"}, "100/minute"),
    "no number": ("page_size", {"page_size": "many"}, "Not a valid integer"),
    "zero": ("max_bulk", {"max_bulk": "0"}, "between 1"),
    "pages": ("page_size", {"page_size": "80", "max_page_size": "10"}, "larger than “most records per page”"),
    "origin": ("cors_origins", {"cors_origins": "https://a.example/path"}, "no origin"),
    "no day": ("deprecated", {"deprecated": "2026-02-30"}, "must be a date"),
    "early sunset": ("sunset", {"deprecated": "2026-12-31", "sunset": "2026-12-30"}, "before the date"),
    "masked path": ("masked_fields", {"masked_fields": "company_id.email"}, "at any depth"),
    "bodies of no log": ("log_bodies", {"log_bodies": "y", "statistics": None}, "only calls that are logged"),
    "type": ("type", {"type": "soap"}, "Not a valid choice"),
    "operation": ("operations", {"operations": ["explode"]}, "explode"),
    "client": ("clients", {"clients": ["nobody"]}, "nobody"),
    "no model": ("models", {"models": "[]"}, "at least one"),
    "not yaml": ("models", {"models": "[{"}, "not YAML"),
    "no list": ("models", {"models": "a: b"}, "list of models"),
    "unknown model": ("models", {"models": '[{"model": "no.model", "fields": ["name"]}]'}, "no model 'no.model'"),
    "unknown field": ("models", {"models": '[{"model": "test.record", "fields": ["nome"]}]'}, "no field 'nome'"),
    "secret field": ("models", {"models": '[{"model": "res.users", "fields": ["password"]}]'}, "secret"),
    "no fields": ("models", {"models": '[{"model": "test.record"}]'}, "at least one field"),
    "unknown key": ("models", {"models": '[{"model": "test.record", "felds": ["name"]}]'}, "unknown key"),
    "domain": ("models", {"models": '[{"model": "test.record", "fields": ["name"], "domain": "[(("}]'}, "literal"),
    "domain field": ("models", {"models": "[{model: res.bank, fields: [name], domain: [[x, '=', 1]]}]"}, "x"),
    "method": ("method", {"type": "rpc", "method": "no_method", "models": "[{model: res.company}]"}, "no method"),
    "private": ("method", {"type": "rpc", "method": "_compute", "models": "[{model: res.company}]"}, "no method"),
    "generic": ("method", {"type": "rpc", "method": "write", "models": "[{model: res.company}]"}, "any field"),
    "open argument": ("arguments", {"type": "rpc", "method": "copy", "models": "[{model: res.company}]"}, "harmless"),
    "arguments": ("arguments", {"type": "rpc", "method": "x", "arguments": "x", "models": "[]"}, "look like"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_bad_input_is_shown_at_its_field_and_nothing_is_stored(panel: Panel, app: Gatehouse, case: str) -> None:
    field, values, message = WRONG[case]
    answer = panel.send(NEW, **{**GOOD, **values})
    assert answer.status_code == 400
    assert "Not saved yet" in texts(answer)
    if field in ("operations", "clients"):
        assert message in texts(answer)
    else:
        assert message.lower() in errors_of(answer, field).lower(), texts(answer)
    assert _documents(app) == {}
    form = _expose(panel)
    before = _only(app)
    assert panel.send(form, **{**GOOD, **values}).status_code == 400
    assert _only(app) == before


def test_what_was_typed_is_kept_when_something_is_wrong(panel: Panel) -> None:
    answer = panel.send(NEW, name="<b>Records</b>", route="/api/records", models="- model: no.model")
    assert 'value="&lt;b&gt;Records&lt;/b&gt;"' in answer.text
    assert "- model: no.model" in answer.text


def test_two_apis_cannot_have_one_name_or_one_route(panel: Panel, app: Gatehouse) -> None:
    _expose(panel)
    answer = panel.send(NEW, name="Test Record", route=ROUTE, models=MODELS)
    assert "there is an API 'Test Record' already" in errors_of(answer, "name").replace("There", "there")
    assert "also claimed by API 'Test Record'" in errors_of(answer, "route")
    assert len(_documents(app)) == 1


# Two admins.


def test_the_second_of_two_admins_is_told_and_overwrites_nothing(panel: Panel, app: Gatehouse, sql: Sql) -> None:
    form = _expose(panel)
    page = panel.get(form)
    panel.follow(panel.submit(page, form, name="Of the first", page_size="11"))
    answer = panel.submit(page, form, name="Of the second", max_bulk="22")
    assert answer.status_code == 409
    for part in ("Somebody else has saved this API in the meantime", "- - name: Of the first",
                 "+ - name: Of the second", "page_size: 11", "max_bulk: 22"):  # fmt: skip
        assert part in texts(answer)
    assert _only(app)["name"] == "Of the first"
    # Whoever has seen both may decide.
    panel.follow(panel.submit(answer, form))
    assert _only(app)["name"] == "Of the second"
    assert _only(app)["page_size"] == 80
    assert sql("SELECT revision FROM gatehouse.api") == [(3,)]


_BUTTONS = {"unpublish": "/publish", "test": "/mode", "delete": "/delete", "switch": "/switch"}


@pytest.mark.parametrize("what", _BUTTONS)
def test_buttons_of_a_page_that_is_out_of_date_do_nothing(panel: Panel, app: Gatehouse, what: str) -> None:
    form = _expose(panel)
    path = f"{form}endpoints" if what == "switch" else form
    panel.follow(panel.send(f"{form}endpoints", "/publish"))
    page = panel.get(path)
    asked = panel.get(address_of(page, what))
    panel.follow(panel.send(form, page_size="11"))
    before = _only(app)
    for answer in (panel.confirm_on(page, what), panel.submit(asked, "", _BUTTONS[what])):
        assert answer.status_code == 409
        assert "Somebody else has changed this API" in texts(answer)
        assert _only(app) == before


def test_an_api_that_was_deleted_meanwhile_stays_deleted(panel: Panel, app: Gatehouse) -> None:
    form = _expose(panel)
    page = panel.get(form)
    panel.follow(panel.confirm(form, "delete"))
    assert panel.submit(page, form, name="x").status_code == 404
    assert _documents(app) == {}


# Publishing and switching.


def test_publishing_unpublishing_test_mode_copy_and_delete(panel: Panel, app: Gatehouse, admin: Client) -> None:
    form = _publish(panel)
    assert admin("GET", ROUTE).status_code == 200
    assert "Test" in texts(panel.follow(panel.confirm(form, "test")))
    assert admin("GET", ROUTE).headers["X-Test-Mode"] == "true"
    panel.follow(panel.confirm(form, "production"))
    assert "X-Test-Mode" not in admin("GET", ROUTE).headers
    copy = panel.follow(panel.send(form, "/copy"))
    assert "Test Record (copy)" in texts(copy)
    assert _documents(app)["Test Record (copy)"]["published"] is False
    panel.follow(panel.confirm(form, "unpublish"))
    assert admin("GET", ROUTE).status_code == 404
    panel.follow(panel.confirm(form, "delete"))
    assert set(_documents(app)) == {"Test Record (copy)"}


@pytest.mark.parametrize(
    ("operation", "method", "path"),
    [("search", "GET", ""), ("create", "POST", ""), ("update", "PATCH", ""), ("delete", "DELETE", ""),
     ("read", "GET", "/bulk")],
)  # fmt: skip
def test_an_endpoint_is_switched_off_and_on(
    panel: Panel, admin: Client, operation: str, method: str, path: str
) -> None:
    form = _publish(panel)
    panel.follow(panel.confirm(f"{form}endpoints", "switch", operation=operation))
    assert admin(method, f"{ROUTE}{path}").status_code in {404, 405}
    panel.follow(panel.send(f"{form}endpoints", "/switch"))
    assert admin(method, f"{ROUTE}{path}").status_code in {200, 400, 415}


def test_an_api_that_no_longer_fits_odoo_is_named_and_can_be_taken_out_of_service(
    panel: Panel, app: Gatehouse, sql: Sql
) -> None:
    form = _publish(panel)
    sql("UPDATE gatehouse.api SET document = jsonb_set(document, '{models,0,fields,0}', '\"gone\"')")
    app.services.catalog.refresh()
    for path in ("/admin/", form, f"{form}endpoints"):
        assert "test.record has no field 'gone'" in texts(panel.get(path))
    assert "1 to fix" in texts(panel.get("/admin/apis/"))
    panel.follow(panel.confirm(form, "unpublish"))
    assert _only(app)["published"] is False
    answer = panel.send(f"{form}endpoints", "/publish")
    assert answer.status_code == 400
    assert "no field 'gone'" in texts(answer)
    assert _only(app)["published"] is False


def test_the_yaml_of_an_api_can_be_imported_again(panel: Panel, app: Gatehouse) -> None:
    form = _expose(panel)
    before = _only(app)
    (text,) = found(panel.get(f"{form}yaml"), "//pre[@id='yaml']/text()")
    panel.follow(panel.confirm(form, "delete"))
    page = panel.send(FILES, "/preview", text=text)
    panel.follow(panel.submit(page, "", "/apply"))
    assert _only(app) == before


# Pickers.


def test_pickers_offer_what_can_be_exposed_and_nothing_else(panel: Panel) -> None:
    models = {item["value"] for item in panel.get("/admin/pick/models?q=res.users").json}
    assert "res.users" in models
    assert "res.users.apikeys" not in models
    fields = {field["name"]: field for field in panel.get("/admin/pick/fields?model=res.users").json["fields"]}
    assert fields["partner_id"]["relation"] == "res.partner"
    assert not {"password", "totp_secret", "api_key_ids", "id"} & set(fields)
    assert panel.get("/admin/pick/fields?model=ir.config_parameter", 404)
    methods = [item["value"] for item in panel.get("/admin/pick/methods?model=res.company").json]
    assert "get_company_name_with_phone" in methods[:60]
    assert not {"write", "unlink_all", "_compute_logo", "sudo"} & set(methods)
    assert panel.get("/admin/pick/methods?model=ir.config_parameter").json == []
    users = {item["value"] for item in panel.get("/admin/pick/users?q=dem").json}
    assert "demo" in users
    assert panel.get("/admin/pick/users?q=__system__").json == []


# Client apps.


Credentials = dict[str, str]
Shop = tuple[str, Credentials]


def _credentials(page: Any) -> Credentials:
    return {f"client_{name}": found(page, f"//*[@id='client-{name}']/text()")[0] for name in ("id", "secret")}


def _token(anyone: Client, credentials: Credentials) -> Any:
    return anyone("POST", "/api/oauth2/token", data=credentials)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def shop(panel: Panel) -> Shop:
    """A client app that may call the published API of test records: the address of its page, and its credentials."""
    _publish(panel)
    given = {"scopes": list(SCOPES), "apis": ["Test Record"], "lifetime": "600"}
    page = panel.send("/admin/clients/new", name="Shop", user="admin", **given)
    return found(page, "//a[@class='button primary']/@href")[0], _credentials(page)


def test_a_client_app_is_created_and_its_secret_shown_once(panel: Panel, anyone: Client, shop: Shop, sql: Sql) -> None:
    address, credentials = shop
    token = _token(anyone, credentials).json
    assert token["expires_in"] == 600
    headers = _bearer(token["access_token"])
    assert anyone("GET", ROUTE, headers=headers).status_code == 200
    page = panel.get(address)
    assert credentials["client_secret"] not in page.text
    assert token["access_token"] not in page.text
    assert token["access_token"].split("_")[1] in page.text
    panel.follow(panel.confirm(address, "revoke"))
    assert anyone("GET", ROUTE, headers=headers).status_code == 401


def test_one_token_is_revoked_and_the_other_stays(panel: Panel, anyone: Client, shop: Shop) -> None:
    address, credentials = shop
    first, second = (_token(anyone, credentials).json["access_token"] for _ in range(2))
    answer = panel.confirm(address, "revoke", lookup=first.split("_")[1])
    assert "One token is revoked" in texts(panel.follow(answer))
    assert [anyone("GET", ROUTE, headers=_bearer(token)).status_code for token in (first, second)] == [401, 200]


def test_a_secret_is_rotated_with_and_without_overlap(panel: Panel, anyone: Client, shop: Shop) -> None:
    address, first = shop
    second = _credentials(panel.confirm(address, "rotate", overlap="3600"))
    assert [_token(anyone, each).status_code for each in (first, second)] == [200, 200]
    third = _credentials(panel.confirm(address, "rotate", overlap="0"))
    assert [_token(anyone, each).status_code for each in (first, second, third)] == [401, 401, 200]


def test_a_client_app_is_switched_off_and_on(panel: Panel, anyone: Client, shop: Shop) -> None:
    address, credentials = shop
    panel.follow(panel.confirm(address, "off"))
    assert _token(anyone, credentials).status_code == 401
    panel.follow(panel.send(address, "/switch"))
    assert _token(anyone, credentials).status_code == 200


def test_what_a_client_app_may_do_is_changed(panel: Panel, app: Gatehouse, anyone: Client, shop: Shop) -> None:
    address, credentials = shop
    panel.follow(panel.send(address, scopes=["read", "search"], apis=[None], lifetime="60", user="demo"))
    assert _only(app)["clients"] == []
    token = _token(anyone, credentials).json
    assert token["scope"] == "read search"
    headers = _bearer(token["access_token"])
    assert anyone("GET", ROUTE, headers=headers).status_code == 403
    panel.follow(panel.send(address, apis=["Test Record"]))
    assert _only(app)["clients"] == ["Shop"]
    assert anyone("GET", ROUTE, headers=headers).status_code == 200
    assert anyone("POST", ROUTE, headers=headers, json={"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("name", {"name": " "}, ""),
        ("name", {"name": "Shop"}, "there is a client app 'Shop' already"),
        ("user", {"user": "nobody at all"}, "no active Odoo user"),
        ("user", {"user": "__system__"}, "no active Odoo user"),
        ("lifetime", {"lifetime": "1"}, "between 60"),
        ("lifetime", {"lifetime": "x"}, "Not a valid integer"),
        ("redirect_uris", {"redirect_uris": "http://shop.example/cb"}, "must be https"),
        ("scopes", {"scopes": ["everything"]}, "everything"),
        ("apis", {"apis": ["No such API"]}, "No such API"),
        ("apis", {"user": "", "apis": ["Test Record"]}, "acts as no user"),
        ("public", {"public": "y"}, "redirect address"),
    ],
)
def test_a_client_app_with_a_mistake_is_not_created(
    panel: Panel, shop: Shop, sql: Sql, field: str, values: dict[str, Any], message: str
) -> None:
    answer = panel.send("/admin/clients/new", **{"name": "New", "user": "admin", "anyway": "1", **values})
    assert answer.status_code == 400
    assert message.lower() in texts(answer).lower()
    assert sql("SELECT name FROM gatehouse.client") == [("Shop",)]


def test_taking_away_the_user_of_a_connected_client_app_is_refused(panel: Panel, shop: Shop, sql: Sql) -> None:
    answer = panel.send(shop[0], user="")
    assert answer.status_code == 400
    assert "acts as no user" in texts(answer)
    assert sql("SELECT uid IS NOT NULL FROM gatehouse.client") == [(True,)]


def test_a_consent_is_withdrawn(panel: Panel, shop: Shop, sql: Sql) -> None:
    address, _ = shop
    ((client_id, uid),) = sql("SELECT c.id, u.id FROM gatehouse.client c, res_users u WHERE u.login = 'demo'")
    sql("INSERT INTO gatehouse.consent (client_id, uid, scopes) VALUES (%s, %s, '{read}')", client_id, uid)
    assert "demoread" in texts(panel.get(address)).replace(" ", "")
    panel.follow(panel.confirm(address, "withdraw"))
    assert sql("SELECT * FROM gatehouse.consent") == []
    change = "SELECT actor, before, after FROM gatehouse.history ORDER BY id DESC LIMIT 1"
    assert sql(change) == [("admin", {"consent of demo": ["read"]}, {"consent of demo": []})]


def test_what_is_done_to_credentials_is_in_the_history_without_them(
    panel: Panel, app: Gatehouse, anyone: Client, shop: Shop, sql: Sql
) -> None:
    address, first = shop
    token = _token(anyone, first).json["access_token"]
    sql("DELETE FROM gatehouse.history")
    second = _credentials(panel.confirm(address, "rotate", overlap="3600"))
    panel.confirm(address, "revoke", lookup=token.split("_")[1])
    app.test_cli_runner().invoke(args=["token", "revoke-all", "Shop"])
    old, new = (each["client_secret"].split("_")[1] for each in (first, second))
    rows = sql("SELECT actor, kind, name, before, after FROM gatehouse.history ORDER BY id")
    assert rows == [
        ("admin", "client", "Shop", {"secrets": [old]}, {"secrets": [old, new], "old_good_for_seconds": 3600}),
        ("admin", "client", "Shop", {"tokens": [token.split("_")[1]]}, {"tokens": []}),
        ("command line", "client", "Shop", {"tokens": 0, "codes": 0}, {"tokens": 0, "codes": 0}),
    ]
    assert second["client_secret"] not in repr(rows)
    assert new in texts(panel.get("/admin/audit/definitions"))


@pytest.mark.parametrize("path", ["/admin/apis/999999/", "/admin/clients/999999/", "/admin/apis/999999/endpoints"])
def test_what_is_not_there_is_a_page_that_says_so(panel: Panel, path: str) -> None:
    assert "There is no such page" in texts(panel.get(path, 404))


# Settings.


def test_new_apis_begin_with_the_defaults_of_the_settings(panel: Panel, app: Gatehouse, sql: Sql) -> None:
    panel.follow(panel.send("/admin/settings/", page_size="20", rate_limit="10/second", operations=["search", "read"]))
    ((stored,),) = sql("SELECT value FROM gatehouse.setting WHERE key = 'defaults'")
    assert stored == {
        "page_size": 20,
        "rate_limit": "10/second",
        "endpoints": dict.fromkeys(SWITCHES, False) | {"search": True, "read": True},
    }
    assert 'value="20"' in panel.get("/admin/settings/").text
    assert 'value="20"' in panel.get(NEW).text
    _expose(panel)
    assert _only(app)["page_size"] == 20
    assert _only(app)["endpoints"]["create"] is False


@pytest.mark.parametrize(
    ("field", "values"),
    [("page_size", {"page_size": "2000"}), ("rate_limit", {"rate_limit": "x"}), ("run_as", {"run_as": "nobody at all"}),
     ("cors_origins", {"cors_origins": "*\nhttps://a.example"}), ("max_bulk", {"max_bulk": ""})],
)  # fmt: skip
def test_defaults_with_a_mistake_are_not_saved(panel: Panel, sql: Sql, field: str, values: dict[str, str]) -> None:
    answer = panel.send("/admin/settings/", **values)
    assert answer.status_code == 400
    assert errors_of(answer, field)
    assert sql("SELECT value FROM gatehouse.setting WHERE key = 'defaults'") == []


# Files.


def test_files_are_downloaded_for_one_api_and_for_all(panel: Panel, shop: Shop, sql: Sql) -> None:
    ((api_id,),) = sql("SELECT id FROM gatehouse.api")
    for query in ("", f"?api={api_id}"):
        text = panel.get(f"/admin/files/download/yaml{query}")
        assert "test.record" in text.text
        assert text.headers["Content-Disposition"].startswith("attachment")
        assert json.loads(panel.get(f"/admin/files/download/postman{query}").text)["item"]
        assert ROUTE in json.loads(panel.get(f"/admin/files/download/openapi{query}").text)["paths"]
    assert panel.get("/admin/files/download/nothing", 400)
    assert panel.get("/admin/files/download/yaml?api=999999", 404)
    assert panel.get("/admin/files/download/postman?api=999999", 404)


FILE = """
clients: [{name: Imported app, user: demo}]
apis:
- {name: Test Record, route: /api/test-record, page_size: 3, models: [{model: test.record, fields: [name]}]}
- {name: New, route: /api/new, models: [{model: test.record, fields: [name]}]}
"""


def test_an_import_is_previewed_and_then_done(panel: Panel, app: Gatehouse, sql: Sql) -> None:
    _expose(panel)
    _expose(panel, "test.tag")
    before = _documents(app)
    page = panel.send(FILES, "/preview", text="", file=(io.BytesIO(FILE.encode()), "apis.yaml"), prune="1")
    said = texts(page)
    for expected in ("New New", "Changed Test Record", "Deleted Test Tag", "Client app Imported app", "page_size: 3"):
        assert expected in said
    assert _documents(app) == before
    assert sql("SELECT * FROM gatehouse.client") == []
    panel.follow(panel.submit(page, "", "/apply"))
    assert set(_documents(app)) == {"Test Record", "New"}
    assert _documents(app)["Test Record"]["page_size"] == 3
    assert sql("SELECT name FROM gatehouse.client") == [("Imported app",)]
    assert "already as the file says" in texts(panel.send(FILES, "/preview", text=FILE))


def test_an_import_is_not_done_after_somebody_has_changed_something(panel: Panel, app: Gatehouse) -> None:
    page = panel.send(FILES, "/preview", text=FILE)
    _expose(panel)
    before = _documents(app)
    answer = panel.submit(page, "", "/apply")
    assert answer.status_code == 409
    assert "Somebody has changed something since" in texts(answer)
    assert _documents(app) == before
    panel.follow(panel.submit(answer, "", "/apply"))
    assert "New" in _documents(app)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping"),
        ("apis: [{", "is not YAML"),
        ("apis: [{name: A, route: /api/a, models: [{model: no.model, fields: [name]}]}]", "no model 'no.model'"),
        ("clients: [{name: X, user: nobody}]", "no active Odoo user 'nobody' who may execute calls"),
        ("nothing: 1", "unknown key 'nothing'"),
    ],
)
def test_a_file_with_mistakes_is_shown_with_them_and_not_imported(
    panel: Panel, app: Gatehouse, sql: Sql, text: str, message: str
) -> None:
    answer = panel.send(FILES, "/preview", text=text)
    assert answer.status_code == 400
    assert message in texts(answer)
    assert panel.submit(answer, "", "/preview").status_code == 400
    assert _documents(app) == {}
    assert sql("SELECT * FROM gatehouse.client") == []


def test_a_defect_shows_its_id_and_nothing_of_the_inside(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("an inner secret")

    monkeypatch.setattr("app.blueprints.admin.editor.rows", fail)
    answer = panel.get("/admin/apis/", 500)
    assert answer.headers["X-Request-ID"] in texts(answer)
    assert "inner secret" not in answer.text


def _at_once(submit: Callable[[str], Any]) -> list[int]:
    """Return the statuses of three forms that are sent at the same moment, under three names."""
    with ThreadPoolExecutor(3) as pool:
        return sorted(answer.status_code for answer in pool.map(submit, ("One", "Two", "Three")))


def test_of_those_who_save_at_the_same_moment_one_wins(panel: Panel, app: Gatehouse, sql: Sql) -> None:
    form = _expose(panel)
    for number in range(5):
        page = panel.get(form)
        save = partial(panel.submit, page, form, max_bulk=str(number + 1))
        assert _at_once(lambda name, save=save: save(name=name)) == [303, 409, 409]  # type: ignore[misc]
    assert sql("SELECT revision FROM gatehouse.api") == [(6,)]


def test_two_apis_that_are_made_at_the_same_moment_cannot_claim_one_route(panel: Panel, app: Gatehouse) -> None:
    page = panel.get(NEW)
    for number in range(5):
        save = partial(panel.submit, page, NEW, route=f"/api/race{number}", models=MODELS)
        assert _at_once(lambda name, save=save: save(name=f"{name} {save.keywords['route']}")) == [303, 400, 400]  # type: ignore[misc]
    assert len(_documents(app)) == 5
