"""Pages of a walk, one behind the other, are one search: for all orders that a cursor can go on in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.definitions.definition import Node
from app.errors import BadRequest
from app.policy.sort_keys import sort_keys
from app.web.routing import Gatehouse
from odoo_bridge import fast, introspect, keysets, records, walks
from odoo_bridge.errors import BridgeError, InvalidValue
from odoo_bridge.transaction import Environment, act_as
from odoo_bridge.types import Page, Selection, SortKey, Walk
from tests.extent import extent
from tests.odoo.test_rows import searchable_models

pytestmark = pytest.mark.usefixtures("all_pieces")

NAME = Selection(("name",), {})
NOTHING = Selection((), {})
#: Columns of the tests' records, and values of which many records have the same, and some none.
VALUES: dict[str, list[Any]] = {
    "name": ["", "a", "A", "ä", "b b", "b_b", "%"],
    "notes": [None, "", "x", "X", "'"],
    "count": [None, 0, -1, 7],
    "rounded": [None, 0, 0.1, 12345678901234.56, 12345678901234.57],
    "flag": [None, False, True],
    "day": [None, date(1, 1, 1), date(2026, 2, 28), date(9999, 12, 31)],
    "moment": [None, datetime(2026, 1, 1, 0, 0, 0, 1), datetime(2026, 1, 1)],
    "state": [None, "draft", "done"],
    "partner_id": [None, 1, 3],
}
PATHS = ["id", "partner_id.id", *(name for name in VALUES if name != "partner_id")]
_terms = st.builds(SortKey, st.sampled_from(PATHS), st.booleans(), st.sampled_from([None, "first", "last"]))
_rows = st.lists(st.tuples(*map(st.sampled_from, VALUES.values())), max_size=14)
_property = settings(
    max_examples=extent(40, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def keys_of(terms: list[SortKey]) -> tuple[SortKey, ...]:
    """Return sort keys as the policy makes them of terms: the id is the last one, and comes once."""
    paths = [term.path for term in terms]
    return tuple(terms[: paths.index("id") + 1]) if "id" in paths else (*terms, SortKey("id"))


def pages(
    env: Environment, model: str, keys: tuple[SortKey, ...], limit: int, selection: Selection = NOTHING
) -> Iterator[Page]:
    """Yield the pages of a walk through all records of a model, counted."""
    place: Any = None
    while True:
        page = walks.page(env, model, [], selection, Walk(keys, place), limit=limit, count="exact")
        yield page
        if not page.more:
            return
        assert len(page.table.ids) == limit
        place = page.last


def user(root: Environment, login: str = "base.user_admin") -> Environment:
    return act_as(root, root.ref(login).id, {"lang": "en_US"})


@pytest.mark.parametrize("piece", [None, "rows", "statements"])
@_property
@given(rows=_rows, terms=st.lists(_terms, min_size=1, max_size=4), limit=st.integers(1, 5))
def test_pages_joined_are_one_search_whatever_the_order_nulls_and_ties(
    app: Gatehouse, piece: str | None, rows: list[tuple[Any, ...]], terms: list[SortKey], limit: int
) -> None:
    keys = keys_of(terms)

    def work(root: Environment) -> tuple[Any, Any]:
        root.cr.execute("DELETE FROM test_record")
        for row in rows:
            root.cr.execute(f"INSERT INTO test_record ({', '.join(VALUES)}, active) VALUES %s", ((*row, True),))
        env = user(root)
        order = Walk(keys).order
        whole = records.search(env, "test.record", [], NAME, order=order, limit=100, offset=0, count="none").table
        with fast.without(piece) if piece else nullcontext():
            walked = list(pages(env, "test.record", keys, limit, NAME))
        assert {page.length.number for page in walked} == {len(rows)}
        ids = [record_id for page in walked for record_id in page.table.ids]
        names = [name for page in walked for name in page.table.values["name"]]
        return (ids, names), (list(whole.ids), list(whole.values["name"]))

    walked, searched = app.services.transactions.run(work, keep=False)
    assert walked == searched


def walkable(env: Environment, model: str) -> list[tuple[SortKey, ...]]:
    """Return the sort keys of each field of a model that a cursor can go on in an order by, in each direction."""
    info = introspect.describe(env, model)
    assert info is not None
    node = Node(info, MappingProxyType({name: each for name, each in info.fields.items() if name != "id"}))
    found = []
    for name, field in node.fields.items():
        path = f"{name}.id" if field.type == "many2one" else name
        for direction in ("", " desc"):
            try:
                found.append(sort_keys(f"{path}{direction}, id", node))
            except BadRequest:
                break
    return found


@pytest.mark.parametrize("login", ["base.user_admin", "base.user_demo"])
def test_every_column_of_every_model_is_walked_as_it_is_searched(app: Gatehouse, login: str) -> None:
    def work(root: Environment) -> tuple[int, int]:
        env = user(root, login)
        compared = refused = 0
        for model in searchable_models(env):
            if not model.search([], limit=3):
                continue
            for keys in walkable(env, model._name):
                if model._fields[keys[0].field].groups:
                    continue
                whole = records.search(
                    env, model._name, [], NOTHING, order=Walk(keys).order, limit=7, offset=0, count="none"
                ).table
                try:
                    taken = pages(env, model._name, keys, 3)
                    walked = [
                        record_id for _, page in zip(range(3), taken, strict=False) for record_id in page.table.ids
                    ]
                except InvalidValue:
                    refused += 1
                    continue
                assert walked[:7] == list(whole.ids), (model._name, keys)
                compared += 1
        return compared, refused

    compared, refused = app.services.transactions.run(work, keep=False)
    assert compared > 300
    assert refused < 5


def test_a_model_that_sorts_in_a_way_of_its_own_is_refused(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(root: Environment) -> None:
        env = user(root)
        kind = type(env["test.record"])
        sort = kind._order_field_to_sql
        monkeypatch.setattr(
            kind, "_order_field_to_sql", lambda self, alias, name, *others: sort(self, alias, "count", *others)
        )
        walks.page(env, "test.record", [], NAME, Walk((SortKey("name"), SortKey("id"))), limit=2, count="none")

    with pytest.raises(BridgeError, match="in a way of its own"):
        app.services.transactions.run(work, keep=False)


@pytest.mark.parametrize(
    ("keys", "after", "index"),
    [
        ((SortKey("id"),), (5000,), "id > 5000"),
        ((SortKey("id", descending=True),), (5000,), "id < 5000"),
        ((SortKey("parent_path"), SortKey("id")), ("5", 5000), "parent_path >= "),
        ((SortKey("parent_path", descending=True), SortKey("id")), ("5", 5000), "parent_path <= "),
    ],
)
def test_an_index_finds_where_a_page_begins(
    app: Gatehouse, keys: tuple[SortKey, ...], after: tuple[Any, ...], index: str
) -> None:
    """So that nothing is read of the pages before it, however many they are."""

    def work(root: Environment) -> str:
        root.cr.execute(
            "INSERT INTO test_record (name, active, parent_path) "
            "SELECT 'x', true, n::text FROM generate_series(1, 10000) n"
        )
        root.cr.execute("ANALYZE test_record")
        env = user(root)
        model = env["test.record"]
        stretch = keysets.stretches(model, Walk(keys, after))[0]
        query = model._search(keysets.narrowed([], stretch), order=Walk(keys).order, limit=10)
        root.cr.execute("SET LOCAL enable_seqscan = off")
        root.cr.execute("EXPLAIN " + query.select().code, query.select().params)
        return "\n".join(line for (line,) in root.cr.fetchall())

    plan = app.services.transactions.run(work, keep=False)
    assert index in plan.partition("Index Cond:")[2].replace("(parent_path)::text", "parent_path"), plan
