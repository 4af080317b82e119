"""``flask api import``, ``export`` and ``list``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from app.catalog import schema_version
from app.web.routing import Gatehouse
from odoo_bridge.errors import Unavailable
from tests import stored_apis
from tests.conftest import OPERATOR
from tests.http.conftest import Client, Sql

GOOD = """
defaults: {page_size: 25}
apis:
- name: File A
  route: /api/file/a
  published: true
  models:
  - model: res.partner
    fields: [name, company_id]
    related: {company_id: [name, {country_id: [code]}]}
- name: File B
  route: /api/file/b
  page_size: 80
  endpoints: {delete: false}
  models:
  - {model: res.partner, fields: all, domain: [["active", "=", true]]}
"""


@pytest.fixture
def flask(app: Gatehouse, tmp_path: Path) -> Iterator[Callable[..., Result]]:
    """Run a command; a text that is given is written to the file ``apis.yaml``."""

    def run(*arguments: str, text: str | None = None) -> Result:
        file = tmp_path / "apis.yaml"
        if text is not None:
            file.write_text(text)
        result = app.test_cli_runner().invoke(args=[str(file) if part == "FILE" else part for part in arguments])
        app.services.catalog.refresh()
        return result

    yield run
    stored_apis.delete(app)
    stored_apis.write(app, [], defaults={})
    app.services.catalog.refresh()


def test_what_is_imported_is_served_and_exports_to_the_same(
    flask: Callable[..., Result], app: Gatehouse, demo: Client, tmp_path: Path
) -> None:
    assert flask("api", "import", "FILE", text=GOOD).output.splitlines() == [
        "created: File A",
        "created: File B",
        "  !  res.partner: all fields, also those that Odoo has later",
    ]
    assert demo.result("GET", "/api/file/a?domain=[('company_id','!=',False)]&limit=1")["length"] >= 1
    before = stored_apis.load(app).apis
    assert before[0].document["page_size"] == 25
    exported = flask("api", "export").output
    assert "page_size: 80" in exported
    assert "page_size: 25" in exported
    assert flask("api", "import", "FILE", text=exported).output == "Nothing has changed.\n"
    assert stored_apis.load(app).apis == before


def _stored(app: Gatehouse, sql: Sql) -> dict[str, Any]:
    """Return all that an import can change, and what tells that one has tried."""
    return {
        "stored": stored_apis.load(app),
        "clients": sql("SELECT name, lifetime, xmin::text FROM gatehouse.client ORDER BY name"),
        "history": sql("SELECT count(*) FROM gatehouse.history"),
    }


CHECKED = """
defaults: {page_size: 30}
clients: [{name: Checked app, user: demo}]
apis:
- name: File A
  route: /api/file/a
  published: true
  page_size: 25
  models:
  - model: res.partner
    fields: [name, company_id]
    related: {company_id: [name, {country_id: [code]}]}
- {name: File B, route: /api/file/other, models: [{model: res.partner, fields: [name]}]}
- {name: File C, route: /api/file/c, models: [{model: res.partner, fields: [name]}]}
"""


def test_a_check_lists_what_would_change_and_changes_nothing(
    flask: Callable[..., Result], app: Gatehouse, sql: Sql
) -> None:
    unused = "- {name: Unused, route: /api/unused, models: [{model: res.partner, fields: [name]}]}\n"
    flask("api", "import", "FILE", text=GOOD + unused)
    before = _stored(app, sql)
    found = flask("api", "import", "--check", "--prune", "FILE", text=CHECKED)
    assert found.exit_code == 1
    assert [line for line in found.output.splitlines() if line[0] != " "] == [
        "would create: File C",
        "would update: File B (route, page_size, endpoints, models)",
        "would delete: Unused",
        "would create: client app Checked app",
        "would update: the defaults for new APIs",
        "unchanged: File A",
    ]
    kept = flask("api", "import", "--check", "FILE", text=CHECKED)
    assert "Unused" not in kept.output
    assert _stored(app, sql) == before


def test_a_check_of_what_is_imported_finds_nothing(flask: Callable[..., Result], app: Gatehouse, sql: Sql) -> None:
    flask("api", "import", "FILE", text=GOOD)
    before = _stored(app, sql)
    found = flask("api", "import", "--check", "--prune", "FILE")
    assert (found.exit_code, found.output) == (0, "unchanged: File A\nunchanged: File B\nNothing would change.\n")
    assert _stored(app, sql) == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("company_id]", "phone]", 1), "related: not among fields: company_id"),
        (GOOD.replace("/api/file/b", "/api/file/a"), "is also claimed by API 'File A'"),
        ("apis: [", "is not YAML"),
    ],
)
def test_a_check_of_a_file_that_is_wrong_has_a_status_of_its_own(
    flask: Callable[..., Result], app: Gatehouse, text: str, told: str
) -> None:
    found = flask("api", "import", "--check", "FILE", text=text)
    assert found.exit_code == 2
    assert told in found.output
    assert stored_apis.load(app).apis == ()
    assert flask("api", "import", "--check", "/no/such/file").exit_code == 2


def test_a_check_finds_what_the_database_refuses_as_the_import_does(
    flask: Callable[..., Result], app: Gatehouse, sql: Sql
) -> None:
    sql("ALTER TABLE gatehouse.api ADD CONSTRAINT refused CHECK (name <> 'File B')")
    try:
        found = flask("api", "import", "--check", "FILE", text=GOOD)
        assert (found.exit_code, flask("api", "import", "FILE").exit_code) == (2, 1)
        assert "Nothing has been imported." in found.output
    finally:
        sql("ALTER TABLE gatehouse.api DROP CONSTRAINT refused")


@pytest.mark.parametrize("error", [ZeroDivisionError("by zero"), KeyboardInterrupt(), click.ClickException("No.")])
@pytest.mark.parametrize("place", ["app.catalog.schema_version.check", "app.editing.files.import_content"])
def test_a_check_that_breaks_off_does_not_say_that_something_would_change(
    flask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, error: BaseException, place: str
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(place, fail)
    assert flask("api", "import", "--check", "FILE", text=GOOD).exit_code == 2


def test_a_database_that_is_away_is_told_before_a_command_in_a_sentence(
    flask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> None:
        raise Unavailable("The database cannot be reached at the moment.")

    monkeypatch.setattr(schema_version, "check", fail)
    for command in (["api", "import", "--check", "FILE"], ["api", "list"]):
        done = flask(*command, text=GOOD)
        assert (done.exit_code, done.output) == (2, "Error: The database cannot be reached at the moment.\n")


def test_programs_get_the_same_as_json(flask: Callable[..., Result]) -> None:
    checked = flask("api", "import", "--check", "--json", "FILE", text=GOOD)
    assert checked.exit_code == 1
    opens = json.loads(checked.output)["opens"]
    assert set(opens["apis"]) == {"File A", "File B"}
    expected = {
        "changes": True,
        "apis": {"created": ["File A", "File B"], "updated": [], "deleted": [], "unchanged": []},
        "clients": {"created": [], "updated": [], "unchanged": []},
        "defaults": True,
        "opens": opens,
    }
    assert json.loads(checked.output) == expected
    assert json.loads(flask("api", "import", "--json", "FILE").output) == expected
    again = GOOD.replace("page_size: 80", "page_size: 70")
    updated = json.loads(flask("api", "import", "--check", "--json", "FILE", text=again).output)
    assert updated["apis"]["updated"] == [{"name": "File B", "keys": ["page_size"]}]
    assert updated["apis"]["unchanged"] == ["File A"]
    wrong = flask("api", "import", "--check", "--json", "FILE", text="apis: 5")
    assert (wrong.exit_code, json.loads(wrong.stdout)) == (2, {"problems": ["apis: must be a list of APIs"]})


HARMLESS = """
apis:
- name: Copies
  route: /api/copies
  type: rpc
  method: copy
  arguments: {default: harmless}
  models: [{model: res.partner}]
- name: Posts
  route: /api/posts
  type: rpc
  method: apply_all
  arguments: {"**everything": harmless}
  models: [{model: test.record}]
"""


def test_arguments_that_are_declared_harmless_stay_so_by_export_and_import(
    flask: Callable[..., Result], app: Gatehouse
) -> None:
    assert flask("api", "import", "FILE", text=HARMLESS).output == "created: Copies\ncreated: Posts\n"
    exported = flask("api", "export").output
    assert flask("api", "import", "FILE", "--prune", text=exported).output == "Nothing has changed.\n"
    kept = [api.document["arguments"] for api in stored_apis.load(app).apis]
    assert kept == [{"default": "harmless"}, {"**everything": "harmless"}]


def test_the_message_says_which_argument_is_open_and_what_to_write(flask: Callable[..., Result]) -> None:
    output = flask("api", "import", "FILE", text=HARMLESS.replace("default: harmless", "")).output
    assert "API 'Copies': arguments.default: by 'default' of res.partner.copy a caller may reach any field" in output
    assert "write default: harmless under arguments" in output


def test_an_import_updates_by_name_and_prunes_on_request(flask: Callable[..., Result], anyone: Client) -> None:
    flask("api", "import", "FILE", text=GOOD)
    changed = GOOD.replace("/api/file/a", "/api/file/new").split("- name: File B")[0]
    assert flask("api", "import", "FILE", text=changed).output == "updated: File A\n"
    assert anyone.error("GET", "/api/file/new")[0] == 401
    assert anyone.error("GET", "/api/file/a")[0] == 404
    assert flask("api", "import", "FILE", "--prune", text=changed).output == "deleted: File B\n"


def test_two_apis_may_swap_their_routes(flask: Callable[..., Result]) -> None:
    flask("api", "import", "FILE", text=GOOD)
    swapped = GOOD.replace("/file/a", "/file/x").replace("/file/b", "/file/a").replace("/file/x", "/file/b")
    assert flask("api", "import", "FILE", text=swapped).output == "updated: File A\nupdated: File B\n"


def test_the_list_shows_every_api(flask: Callable[..., Result]) -> None:
    flask("api", "import", "FILE", text=GOOD)
    rows = json.loads(flask("api", "list", "--json").output)
    assert [(row["name"], row["route"], row["published"], row["problems"]) for row in rows] == [
        ("File A", "/api/file/a", True, []),
        ("File B", "/api/file/b", False, []),
    ]
    assert "File A  /api/file/a" in flask("api", "list").output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: File A", "name: File B", "API 'File B': name: another API of this file has the same name"),
        (
            "route: /api/file/a",
            "route: /api/file/b",
            "API 'File B': route: /api/file/b is also claimed by API 'File A'",
        ),
        ("published: true", "publsihed: true", "API 'File A': publsihed: unknown key"),
        (
            "model: res.partner\n",
            "model: res.nothing\n",
            "API 'File A': models[0].model: Odoo has no model 'res.nothing'",
        ),
        (
            "[name, company_id]",
            "[name, mobile, company_id]",
            "API 'File A': models[0].fields: res.partner has no field 'mobile'",
        ),
        ("[code]", "[zip]", "API 'File A': models[0].related.company_id.country_id: res.country has no field 'zip'"),
        ("page_size: 80", "run_as: nobody", "API 'File B': run_as: there is no active user 'nobody'"),
        ("page_size: 80", "run_as: __system__", "API 'File B': run_as: there is no active user '__system__'"),
        ("page_size: 80", "page_size: many", "API 'File B': page_size: Input should be a valid integer"),
        ('"active", "="', '"nothing", "="', "API 'File B': models[0].domain: "),
        ("page_size: 25", "route: /api/x", "defaults: route: belongs to each API and can have no default"),
        ("page_size: 25", "pagesize: 25", "defaults: pagesize: unknown key"),
        ("apis:", "apis: {}\nmore:", "unknown key 'more'"),
        ("- name: File A", "- [name", "is not YAML"),
    ],
)
def test_a_mistake_names_file_api_and_key_and_nothing_is_imported(
    old: str, new: str, message: str, flask: Callable[..., Result], app: Gatehouse
) -> None:
    assert old in GOOD
    result = flask("api", "import", "FILE", text=GOOD.replace(old, new, 1))
    assert result.exit_code == 1
    assert f"apis.yaml: {message}" in result.output
    assert stored_apis.load(app).apis == ()


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("res.users.apikeys", "name"),
        ("ir.config_parameter", "value"),
        ("res.users", "password"),
        ("res.users", "totp_secret"),
        ("test.record", "door_password"),
        ("res.users", "api_key_ids"),
        ("res.partner", "signup_token"),
    ],
)
def test_secrets_cannot_be_exposed(model: str, field: str, flask: Callable[..., Result], app: Gatehouse) -> None:
    text = f"apis: [{{name: S, route: /api/s, models: [{{model: {model}, fields: [{field}]}}]}}]"
    result = flask("api", "import", "FILE", text=text)
    assert result.exit_code == 1, result.output
    assert stored_apis.load(app).apis == ()


@pytest.mark.parametrize(
    ("model", "method", "more"),
    [
        ("ir.rule", "toggle_active", "run_as: admin"),
        ("res.groups", "copy", "arguments: {default: harmless}"),
        ("ir.model.access", "unlink", ""),
        ("res.users", "action_archive", "run_as: admin"),
        ("res.users", "toggle_active", "authentication: public"),
    ],
)
def test_no_method_that_all_models_have_changes_what_gives_rights(
    model: str, method: str, more: str, flask: Callable[..., Result]
) -> None:
    api = f"{{name: Rights, route: /api/rights, type: rpc, method: {method}, models: [{{model: {model}}}]"
    result = flask("api", "import", "FILE", text=f"apis: [{api}, {more}}}]" if more else f"apis: [{api}}}]")
    assert result.exit_code == 1
    assert f"method: {method} changes {model}" in result.output


def test_a_time_in_a_domain_means_what_odoo_takes_for_it(flask: Callable[..., Result], demo: Client) -> None:
    domain = "domain: [[create_date, '>', 2020-01-01T10:00:00Z]]"
    model = f"models: [{{model: res.partner, fields: [name], {domain}}}]"
    text = f"apis: [{{name: Since, route: /api/since, published: true, {model}}}]"
    assert flask("api", "import", "FILE", text=text).output == "created: Since\n"
    assert demo.result("GET", "/api/since")["length"] > 0


def test_a_route_below_anothers_is_refused_between_published_apis(flask: Callable[..., Result]) -> None:
    below: dict[str, Any] = {"name": "Below", "route": "/api/file/a/below", "published": True}
    below["models"] = [{"model": "res.partner", "fields": ["name"]}]
    text = GOOD + "- " + json.dumps(below) + "\n"
    assert (
        "API 'Below': route: /api/file/a/below is also claimed by API 'File A'"
        in flask("api", "import", "FILE", text=text).output
    )


def test_a_field_that_vanished_puts_only_its_api_out_of_service(
    app: Gatehouse, flask: Callable[..., Result], anyone: Client, demo: Client
) -> None:
    flask("api", "import", "FILE", text=GOOD)
    stored = stored_apis.load(app).apis[0].document
    broken = json.loads(json.dumps(stored).replace('"name", "company_id"', '"mobile", "company_id"'))
    stored_apis.write(app, [{**broken, "name": "Broken", "route": "/api/broken"}])
    app.services.catalog.refresh()
    answer = demo("GET", "/api/broken")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "mobile" not in answer.text
    assert demo.result("GET", "/api/file/a?limit=1")["length"] > 1
    assert "mobile" in flask("api", "list").output
    ((name, problems),) = demo.result("GET", "/readyz", headers=OPERATOR)["out_of_service"].items()
    assert name == "Broken"
    assert "mobile" in problems[0]
