"""An import is one transaction: APIs, client apps, defaults and their history, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from click.testing import Result

from app.editing import files
from app.web.routing import Gatehouse
from odoo_bridge.errors import Unavailable
from tests import stored_apis
from tests.http.conftest import Client
from tests.http.panel import Panel, texts

Sql = Callable[..., list[tuple[Any, ...]]]

FILE = """
defaults: {page_size: 7}
clients:
- {name: App one, user: demo}
- {name: App two, user: demo, lifetime: 600}
apis:
- {name: One, route: /api/one, clients: [App one], models: [{model: test.record, fields: [name]}]}
- {name: Two, route: /api/two, models: [{model: test.record, fields: [name]}]}
"""


@pytest.fixture
def clean(app: Gatehouse, sql: Sql) -> Iterator[None]:
    """Leave no definition, client app or default behind, and no trigger."""
    yield
    sql("DROP FUNCTION IF EXISTS gatehouse.fail_at_last CASCADE")
    sql("DELETE FROM gatehouse.client")
    stored_apis.delete(app)
    stored_apis.write(app, [], defaults={})
    app.services.catalog.refresh()


@pytest.fixture
def run_import(app: Gatehouse, tmp_path: Path, clean: None) -> Callable[[str], Result]:
    """Import a text with the command."""

    def run(text: str) -> Result:
        file = tmp_path / "apis.yaml"
        file.write_text(text)
        return app.test_cli_runner().invoke(args=["api", "import", str(file)])

    return run


@pytest.fixture
def panel(admin: Client) -> Panel:
    return Panel(admin)


def _fail_at_last(sql: Sql, table: str) -> None:
    """Let the commit of a transaction fail that has written to a table."""
    sql(
        "CREATE OR REPLACE FUNCTION gatehouse.fail_at_last() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the last step fails'; END $$"
    )
    sql(
        f"CREATE CONSTRAINT TRIGGER fail_at_last AFTER INSERT ON gatehouse.{table} "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gatehouse.fail_at_last()"
    )


def _all(sql: Sql) -> dict[str, Any]:
    return {
        "apis": sql("SELECT document FROM gatehouse.api ORDER BY id"),
        "clients": sql("SELECT name, lifetime FROM gatehouse.client ORDER BY name"),
        "defaults": sql("SELECT value FROM gatehouse.setting WHERE key = 'defaults'"),
        "history": sql("SELECT count(*) FROM gatehouse.history"),
        "version": sql("SELECT version FROM gatehouse.catalog_version"),
    }


@pytest.mark.parametrize("table", ["client", "api"])
def test_an_import_that_fails_in_its_last_step_leaves_nothing(
    table: str, run_import: Callable[[str], Result], sql: Sql
) -> None:
    before = _all(sql)
    _fail_at_last(sql, table)
    assert run_import(FILE).exit_code != 0
    assert _all(sql) == before


@pytest.mark.parametrize("table", ["client", "api"])
def test_an_import_in_the_panel_that_fails_in_its_last_step_leaves_nothing(
    table: str, clean: None, panel: Panel, sql: Sql
) -> None:
    page = panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text=FILE)
    before = _all(sql)
    _fail_at_last(sql, table)
    assert panel.submit(page, "", "/apply").status_code == 500
    assert _all(sql) == before


def test_a_preview_tells_what_the_database_will_refuse(clean: None, panel: Panel, sql: Sql) -> None:
    sql("ALTER TABLE gatehouse.api ADD CONSTRAINT refused CHECK (name <> 'Two')")
    try:
        before = _all(sql)
        page = panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text=FILE)
        assert page.status_code == 400
        assert "The operation cannot be completed" in page.text
        assert _all(sql) == before
    finally:
        sql("ALTER TABLE gatehouse.api DROP CONSTRAINT refused")


def test_the_summary_names_the_client_apps(run_import: Callable[[str], Result]) -> None:
    first = run_import(FILE)
    assert first.output.splitlines() == [
        "created: One",
        "created: Two",
        "created: client app App one",
        "created: client app App two",
    ]
    again = run_import(FILE)
    unchanged = ["unchanged: client app App one", "unchanged: client app App two"]
    assert again.output.splitlines() == [*unchanged, "Nothing has changed."]
    changed = run_import(FILE.replace("lifetime: 600", "lifetime: 900"))
    assert changed.output.splitlines() == ["updated: client app App two", "unchanged: client app App one"]
    defaults = run_import(FILE.replace("page_size: 7", "page_size: 8").split("clients:")[0] + "apis: []")
    assert defaults.output == "updated: the defaults for new APIs\n"


def test_an_import_that_changes_nothing_writes_nothing(run_import: Callable[[str], Result], sql: Sql) -> None:
    run_import(FILE)
    before = _all(sql), sql("SELECT xmin::text FROM gatehouse.client ORDER BY id")
    run_import(FILE)
    assert (_all(sql), sql("SELECT xmin::text FROM gatehouse.client ORDER BY id")) == before


def test_a_client_app_that_is_off_is_created_so(run_import: Callable[[str], Result], sql: Sql) -> None:
    run_import("clients: [{name: Off, user: demo, active: false, lifetime: 700}]")
    assert sql("SELECT name, active, lifetime FROM gatehouse.client") == [("Off", False, 700)]


def test_the_panel_names_the_client_apps_that_changed(clean: None, panel: Panel, app: Gatehouse) -> None:
    page = panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text=FILE)
    assert "Client app App one (new)" in texts(page)
    done = texts(panel.follow(panel.submit(page, "", "/apply")))
    assert "Client apps created: App one, App two." in done
    changed = FILE.replace("lifetime: 600", "lifetime: 900")
    page = panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text=changed)
    assert "Client app App two (changed)" in texts(page)
    assert "Client app App one (unchanged)" in texts(page)
    done = texts(panel.follow(panel.submit(page, "", "/apply")))
    assert "Client apps updated: App two; unchanged: App one." in done


def test_two_imports_at_once_are_one_after_the_other(clean: None, app: Gatehouse, sql: Sql) -> None:
    versions = [FILE.replace("lifetime: 600", f"lifetime: {seconds}") for seconds in (700, 800)]
    versions[1] = versions[1].replace("/api/one", "/api/other").replace("page_size: 7", "page_size: 9")
    both = Barrier(2)

    def run(text: str) -> files.Plan:
        both.wait(30)
        content = files.parse(text, "file")
        return app.services.transactions.run(lambda root: files.import_content(content, "file", root, prune=False))

    with ThreadPoolExecutor(2) as pool:
        plans = list(pool.map(run, versions))
    created = [plan for plan in plans if plan.changes.created]
    assert [plan.clients.created for plan in created] == [["App one", "App two"]]
    last = plans[1] if created[0] is plans[0] else plans[0]
    assert last.clients.updated == ["App two"]
    ((lifetime,),) = sql("SELECT lifetime FROM gatehouse.client WHERE name = 'App two'")
    found = lifetime, stored_apis.load(app).apis[0].document["route"], _all(sql)["defaults"]
    assert found in [(700, "/api/one", [({"page_size": 7},)]), (800, "/api/other", [({"page_size": 9},)])]
    assert lifetime == (800 if last is plans[1] else 700)


def test_a_secret_is_shown_where_its_client_app_is_committed_whatever_fails_behind_it(
    clean: None, panel: Panel, app: Gatehouse, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise Unavailable("The database cannot be reached at the moment.")

    monkeypatch.setattr(app.services.catalog, "refresh", away)
    page = panel.send("/admin/clients/new", name="Shown", user="demo", anyway="1")
    assert page.status_code == 200
    ((lookup,),) = sql("SELECT s.lookup FROM gatehouse.client_secret s JOIN gatehouse.client c ON c.id = s.client_id")
    assert lookup in page.text
