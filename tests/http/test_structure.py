"""Definitions and Odoo's registry fit together at each call, whenever either changes."""

from __future__ import annotations

import gc
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
from odoo.modules.registry import Registry  # noqa: TID251  the tests replace it, as a signal does

from app.catalog.catalog import Snapshot
from app.definitions import compiler
from app.definitions.definition import Node
from app.web.routing import Gatehouse
from odoo_bridge import introspect
from odoo_bridge.errors import Unavailable
from odoo_bridge.structure import Structure
from tests.http.conftest import Client, Publish


@pytest.fixture
def new_registry(app: Gatehouse) -> Callable[[], None]:
    """Replace the registry by a new one, as a signal does, without a word to the catalog."""

    def load() -> None:
        Registry.new(app.services.transactions.database)

    return load


class WatchedNode(Node):
    """A node that tells when it is gone."""

    __slots__ = ("__weakref__",)


def test_nothing_of_a_catalog_that_was_replaced_is_kept(
    admin: Client, publish: Publish, app: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "Node", WatchedNode)
    route = publish("res.partner", fields=["name", "parent_id"], related={"parent_id": ["name"]})
    query = {"fields": "parent_id", "order": "name desc", "domain": '[["parent_id.name", "!=", "x"]]', "limit": 1}
    (record,) = admin.result("GET", route, query_string=query)["records"]
    admin.result("PATCH", f"{route}/{record['id']}", json={})
    definitions = app.services.catalog.snapshot.definitions.values()
    nodes = [exposure.node for definition in definitions for exposure in definition.exposures.values()]
    gone = [weakref.ref(node) for node in nodes if isinstance(node, WatchedNode)]
    assert gone
    del definitions, nodes
    publish()
    deadline = time.monotonic() + 30
    while any(node() for node in gone) and time.monotonic() < deadline:  # the capture may be looking after it still
        gc.collect()
        time.sleep(0.05)
    assert [node() for node in gone] == [None] * len(gone)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_call_that_meets_a_new_registry_is_done_with_the_present_definition(
    admin: Client, publish: Publish, new_registry: Callable[[], None], app: Gatehouse, method: str
) -> None:
    route = publish(fields="all")
    before = app.services.catalog.snapshot
    new_registry()
    assert admin.result(method, route, **({"json": {"name": "made"}} if method == "POST" else {}))
    assert app.services.catalog.snapshot is not before
    assert app.services.transactions.run(app.services.catalog.snapshot.fits)


def test_a_change_of_the_registry_in_place_is_noticed_as_well(
    admin: Client, publish: Publish, app: Gatehouse, root: Callable[..., Any]
) -> None:
    route = publish(fields="all")
    before = app.services.catalog.snapshot
    root(lambda env: setattr(env.registry, "registry_invalidated", True))
    admin.result("GET", route)
    assert app.services.catalog.snapshot is not before


def test_a_definition_of_a_change_that_is_taken_back_fits_no_longer(
    publish: Publish, app: Gatehouse, admin: Client
) -> None:
    """Odoo changes its registry in place before the commit, so that a catalog that is made meanwhile has the field."""
    route = publish(fields="all")
    transactions, catalog = app.services.transactions, app.services.catalog

    def work(root: Any) -> Snapshot:
        model = root["ir.model"]._get("test.record").id
        root["ir.model.fields"].create({"name": "x_ghost", "model_id": model, "ttype": "char"})
        compiled = catalog.snapshot = replace(catalog.snapshot, structure=Structure.of(root))
        assert compiled.fits(root)
        return compiled

    compiled = transactions.run(work, keep=False)  # the catalog's own may have been made anew by now
    assert not transactions.run(compiled.fits)
    assert admin("GET", route).status_code == 200


def test_a_call_counts_once_against_its_rate_however_often_it_begins(
    admin: Client, publish: Publish, new_registry: Callable[[], None]
) -> None:
    route = publish(rate_limit="1000/hour")
    first = admin("GET", route)
    new_registry()
    second = admin("GET", route)
    left = [int(answer.headers["X-RateLimit-Remaining"]) for answer in (first, second)]
    assert left[0] - left[1] == 1


def test_the_url_map_stays_where_only_the_registry_changes(
    publish: Publish, new_registry: Callable[[], None], app: Gatehouse
) -> None:
    publish(fields="all")
    before = app.url_map
    new_registry()
    app.services.catalog.refresh()
    assert app.url_map is before


def test_each_model_is_described_once_for_all_apis(
    publish: Publish, new_registry: Callable[[], None], app: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = []
    describe = introspect.describe
    for _ in range(3):
        publish(fields="all")
    new_registry()
    monkeypatch.setattr(introspect, "describe", lambda env, model: described.append(model) or describe(env, model))
    app.services.catalog.refresh()
    assert described.count("test.record") == 1
    assert len(described) == len(set(described))


def test_a_column_that_a_method_invents_is_a_defect_and_no_change_of_odoo(app: Gatehouse) -> None:
    with pytest.raises(psycopg2.errors.UndefinedColumn):
        app.services.transactions.run(lambda root: root.cr.execute("SELECT invented FROM test_record"))


def test_a_column_that_odoo_lacks_without_a_signal_is_a_503_in_the_end(
    app: Gatehouse, database: str, root: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("odoo_bridge.transaction._PATIENCE", 0.2)
    root(lambda env: env.cr.execute("ALTER TABLE test_record RENAME COLUMN notes TO notes_elsewhere"))
    try:
        with pytest.raises(Unavailable) as caught:
            app.services.transactions.run(lambda root: root["test.record"].search_fetch([], ["notes"]))
        assert caught.value.name == "odoo_changing"
    finally:
        root(lambda env: env.cr.execute("ALTER TABLE test_record RENAME COLUMN notes_elsewhere TO notes"))
