"""Before a file is imported: what its APIs and client apps let callers do, and where to look twice."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from lxml import html

from app.web.routing import Gatehouse
from tests import stored_apis
from tests.http.conftest import Client, Sql
from tests.http.panel import Panel

Opens = Callable[..., list[str]]

BASE: dict[str, Any] = {
    "name": "Records",
    "route": "/api/records",
    "published": True,
    "models": [
        {
            "model": "test.record",
            "fields": ["name", "count", "partner_id"],
            "search_fields": ["name"],
            "writable_fields": ["name", "count"],
            "related": {"partner_id": ["name"]},
        }
    ],
}
CALLERS = "     Callers: users and client apps that log in"
WARNED, ENDANGERED = "  !  ", "  !! "


@pytest.fixture
def flask(app: Gatehouse, tmp_path: Path, sql: Sql) -> Iterator[Callable[..., Result]]:
    """Run ``flask api import`` with these options on a file of APIs and client apps; all is gone after the test."""

    def run(*options: str, apis: list[Any], clients: list[Any] | None = None) -> Result:
        file = tmp_path / "apis.yaml"
        file.write_text(yaml.safe_dump({"clients": clients or [], "apis": apis}))
        return app.test_cli_runner().invoke(args=["api", "import", *options, str(file)])

    yield run
    stored_apis.delete(app)
    sql("DELETE FROM gatehouse.client")
    app.services.catalog.refresh()


@pytest.fixture
def opens(flask: Callable[..., Result]) -> Opens:
    """Lines about the API of BASE with these keys, as new, or as changed where it is stored with others before."""

    def run(before: dict[str, Any] | None = None, **keys: Any) -> list[str]:
        if before is not None:
            assert flask(apis=[{**BASE, **before}]).exit_code == 0
        checked = flask("--check", apis=[{**BASE, **keys}])
        assert checked.exit_code == 1, checked.output
        return checked.output.splitlines()[1:]

    return run


def _model(**keys: Any) -> list[dict[str, Any]]:
    return [{**BASE["models"][0], **keys}]


def test_all_that_a_new_api_opens_is_said(opens: Opens) -> None:
    assert opens() == [
        "     Route: /api/records, published: served as soon as this is imported",
        CALLERS,
        "     Runs as: each caller, with their own rights",
        "     Mode: production: what calls change stays changed",
        "     test.record: offers: search, read, create, update, delete, "
        "bulk read, bulk create, bulk update, bulk delete",
        "     test.record: records: all that the user may see",
        "     test.record: shows 4 fields: name, count, partner_id, partner_id.name",
        "     test.record: is searched by 1 field: name",
        "     test.record: takes values for 2 fields: name, count",
    ]


def test_who_writes_without_logging_in_is_a_danger(opens: Opens) -> None:
    said = opens(authentication="public")
    assert [line for line in said if line.startswith(ENDANGERED)] == [
        "  !! Callers: anybody, without logging in",
        next(line for line in said if "test.record: offers" in line),
        "  !! test.record: takes values for 2 fields: name, count",
    ]
    assert "     Runs as: Odoo's public user" in said


def test_who_only_reads_without_logging_in_is_to_be_looked_at(opens: Opens) -> None:
    off = {"create": False, "update": False, "delete": False}
    said = opens(authentication="public", endpoints=off)
    assert [line for line in said if "!" in line] == ["  !  Callers: anybody, without logging in"]
    assert "     test.record: offers: search, read, bulk read" in said
    assert not [line for line in said if "takes values" in line]


@pytest.mark.parametrize(
    ("keys", "line"),
    [({"run_as": "admin"}, "  !! Runs as: admin, an administrator of Odoo"),
     ({"run_as": "demo"}, "     Runs as: demo"),
     ({"mode": "test"}, "     Mode: test: each call is taken back when it is done"),
     ({"published": False}, "     Route: /api/records, a draft: nobody can call it yet"),
     ({"cors_origins": ["*"]}, "     Callers: web pages of: *"),
     ({"models": _model(domain=[["name", "=", "x"]])},
      "     test.record: records: those that match [('name', '=', 'x')]"),
     ({"models": [{"model": "test.record", "fields": "all"}]},
      "  !  test.record: all fields, also those that Odoo has later"),
     ({"models": _model(fields=["name", "line_ids"], writable_fields=["line_ids"], related={"line_ids": ["name"]})},
      "     test.record: takes values for 2 fields: line_ids, line_ids.name"),
     ({"type": "rpc", "method": "echo", "authentication": "public", "models": [{"model": "test.record"}]},
      "  !! test.record: calls its method echo by POST"),
     ({"type": "key_authentication", "models": []},
      "     Callers: who has an API key of Odoo's gets a session for it")],
)  # fmt: skip
def test_each_thing_that_an_api_opens_has_its_line(opens: Opens, keys: dict[str, Any], line: str) -> None:
    assert line in opens(**keys)


@pytest.mark.parametrize(
    ("before", "keys", "lines"),
    [({}, {"page_size": 5}, []),
     ({}, {"authentication": "public", "run_as": "demo"},
      ["  !! Callers: anybody, without logging in", "     Runs as: demo"]),
     ({"authentication": "public", "run_as": "demo"}, {"run_as": "demo"}, []),
     ({"mode": "test"}, {}, ["     Mode: production: what calls change stays changed"]),
     ({}, {"mode": "test"}, []),
     ({"endpoints": {"delete": False}}, {}, ["     test.record: offers: delete, bulk delete"]),
     ({}, {"endpoints": {"delete": False}}, []),
     ({}, {"models": _model(fields=["name", "count", "partner_id", "notes"], search_fields=["name", "count"])},
      ["     test.record: shows 1 field: notes", "     test.record: is searched by 1 field: count"]),
     ({}, {"models": _model(fields=["name", "partner_id"], writable_fields=["name"])}, []),
     ({}, {"published": False}, []),
     ({"published": False}, {"published": False, "authentication": "public"}, [])],
)  # fmt: skip
def test_of_a_changed_api_is_said_what_it_opens_besides(
    opens: Opens, before: dict[str, Any], keys: dict[str, Any], lines: list[str]
) -> None:
    assert opens(before, **keys) == lines


def test_an_api_that_is_published_opens_all_of_it(opens: Opens) -> None:
    said = opens({"published": False})
    assert said[:2] == ["     Route: /api/records, published: served as soon as this is imported", CALLERS]
    assert "     test.record: takes values for 2 fields: name, count" in said


def test_new_client_apps_and_their_scopes_are_said(flask: Callable[..., Result]) -> None:
    shop = {"name": "Shop", "user": "demo", "scopes": ["read", "search"]}
    flask(apis=[BASE], clients=[shop])
    allowed = flask("--check", apis=[{**BASE, "clients": ["Shop"]}], clients=[shop]).output.splitlines()
    assert allowed[1] == "     Callers: client apps: Shop"
    changed = flask("--check", apis=[BASE], clients=[{**shop, "user": "admin", "scopes": ["read", "delete"]}])
    assert changed.output.splitlines()[:3] == [
        "would update: client app Shop",
        "  !! Acts as: admin, an administrator of Odoo",
        "     May: delete records",
    ]


def test_where_a_client_app_sends_persons_and_how_long_its_tokens_live_is_said(flask: Callable[..., Result]) -> None:
    shop = {"name": "Shop", "scopes": ["delete"], "redirect_uris": ["https://shop.example/back"]}

    def said(**keys: Any) -> list[str]:
        return flask("--check", apis=[], clients=[{**shop, **keys}]).output.splitlines()

    back = "  !  Sends persons back to: "
    assert said() == ["would create: client app Shop", "     May: delete records", f"{back}https://shop.example/back"]
    assert said(lifetime=86400)[-1] == "     Tokens live: 86400 seconds"
    flask(apis=[], clients=[shop])
    uris = [*shop["redirect_uris"], "https://evil.example/back"]
    assert said(redirect_uris=uris, lifetime=3600) == [
        "would update: client app Shop",
        f"{back}https://evil.example/back",
        "     Tokens live: 3600 seconds",
    ]
    assert said(redirect_uris=[], lifetime=60) == ["would update: client app Shop"]


def test_what_was_imported_is_told_with_its_dangers_alone(flask: Callable[..., Result]) -> None:
    done = flask(apis=[{**BASE, "run_as": "admin"}]).output.splitlines()
    assert done == ["created: Records", "  !! Runs as: admin, an administrator of Odoo"]


def test_programs_get_the_openings_too(flask: Callable[..., Result]) -> None:
    found = json.loads(flask("--check", "--json", apis=[{**BASE, "authentication": "public"}]).output)
    assert {"subject": "Callers", "kind": "", "names": ["anybody, without logging in"], "level": "danger"} in found[
        "opens"
    ]["apis"]["Records"]


def test_the_preview_shows_what_is_opened_before_anything_is_imported(
    app: Gatehouse, admin: Client, flask: Callable[..., Result]
) -> None:
    panel = Panel(admin)
    text = yaml.safe_dump({"apis": [{**BASE, "authentication": "public"}]})
    page = html.fromstring(panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text=text).text)
    lines = [" ".join(item.text_content().split()) for item in page.xpath("//ul[@class='opens']/li")]
    assert "Callers Danger anybody, without logging in" in lines
    assert "test.record shows 4 fields: name, count, partner_id, partner_id.name" in lines
    assert len(page.xpath("//ul[@class='opens']/li[@class='danger']")) == 3
    assert stored_apis.load(app).apis == ()
