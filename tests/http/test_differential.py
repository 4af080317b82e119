"""What a search returns is what Odoo's own ``search_read`` returns for the same user, over generated queries."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.definitions.document import ApiDocument
from app.web.routing import Gatehouse
from odoo_bridge.transaction import Environment, act_as
from tests import stored_apis
from tests.extent import extent
from tests.http.conftest import Client

FIELDS = ["name", "email", "is_company", "color", "active", "parent_id", "category_id", "child_ids", "create_date"]

_words = st.sampled_from(["a", "Az", "an", "co", "%", "_", "Deco", "", "example"])
_numbers = st.integers(-1, 12)
_partner = st.integers(1, 60)
_negated = st.sampled_from(["", "not "])


def _conditions(ids: Any) -> st.SearchStrategy[Any]:
    """Return conditions as tuples; ``ids`` generates ids of partners."""
    text = st.tuples(
        st.sampled_from(["name", "email"]),
        st.sampled_from(["=", "!=", "like", "ilike", "not like", "not ilike", "=like", "=ilike", "<", ">="]),
        _words,
    )
    unset = st.tuples(
        st.sampled_from(["email", "parent_id", "category_id", "child_ids"]),
        st.sampled_from(["=", "!="]),
        st.just(False),
    )
    number = st.tuples(st.just("color"), st.sampled_from(["=", "!=", "<", ">", "<=", ">="]), _numbers)
    flag = st.tuples(st.sampled_from(["is_company", "active"]), st.sampled_from(["=", "!="]), st.booleans())
    own = st.tuples(st.just("id"), st.sampled_from(["=", "!=", "<", ">"]), ids)
    several = st.tuples(
        st.sampled_from(["id", "parent_id", "child_ids"]), st.sampled_from(["in", "not in"]), st.lists(ids, max_size=4)
    )
    hierarchy = st.tuples(st.sampled_from(["id", "parent_id"]), st.sampled_from(["child_of", "parent_of"]), ids)
    moment = st.tuples(
        st.just("create_date"),
        st.sampled_from(["<", ">", ">=", "<="]),
        st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)).map(
            lambda when: when.strftime("%Y-%m-%d %H:%M:%S")
        ),
    )
    plain = st.one_of(text, unset, number, flag, own, several, hierarchy, moment)
    path = st.tuples(st.sampled_from(["parent_id.name", "child_ids.name"]), st.sampled_from(["=", "ilike"]), _words)
    below = st.tuples(
        st.sampled_from(["parent_id", "child_ids"]),
        _negated.map(lambda negated: f"{negated}any"),
        st.lists(text, max_size=2),
    )
    return st.one_of(plain, path, below)


def _domains(ids: Any) -> st.SearchStrategy[list[Any]]:
    """Return domains in prefix notation."""
    leaf = _conditions(ids).map(lambda condition: [condition])

    def combine(inner: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[list[Any]]:
        two = st.tuples(st.sampled_from(["&", "|"]), inner, inner).map(lambda parts: [parts[0], *parts[1], *parts[2]])
        return (
            two
            | inner.map(lambda part: ["!", *part])
            | st.tuples(inner, inner).map(lambda parts: [*parts[0], *parts[1]])
        )

    return st.recursive(leaf, combine, max_leaves=4)


_order = st.sampled_from(
    [None, "name", "name desc", "color, name desc", "create_date desc, id desc", "email", "id", "parent_id.id, name"]
)


@pytest.fixture(scope="module")
def route(app: Gatehouse) -> Any:
    """An API over partners whose related records are exposed, without obfuscation: domains read alike in both."""
    document = {
        "name": "Differential",
        "route": "/api/differential",
        "published": True,
        "id_obfuscation": False,
        "models": [
            {
                "model": "res.partner",
                "fields": FIELDS,
                "related": {"parent_id": ["name", "email", "parent_id"], "child_ids": ["name", "email", "parent_id"]},
            }
        ],
    }
    stored_apis.write(app, [ApiDocument.model_validate(document).model_dump(mode="json")])
    app.services.catalog.refresh()
    yield "/api/differential"
    stored_apis.delete(app, ["Differential"])
    app.services.catalog.refresh()


@settings(max_examples=extent(60, 600), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(domain=_domains(_partner), order=_order, limit=st.integers(0, 20), offset=st.integers(0, 10))
def test_a_search_returns_what_odoo_returns_for_the_same_user(
    domain: list[Any], order: str | None, limit: int, offset: int, demo: Client, app: Gatehouse, route: str
) -> None:
    query: dict[str, Any] = {"domain": json.dumps(domain), "limit": limit, "offset": offset}
    if order:
        query["order"] = order
    found = demo.result("GET", route, query_string=query)

    def ask_odoo(root: Environment) -> tuple[int, list[dict[str, Any]]]:
        env = act_as(root, root.ref("base.user_demo").id, {})
        partners = env["res.partner"]
        stable = ", ".join(
            filter(None, [order or partners._order, "" if order and "id" in order.split(", ")[-1] else "id"])
        )
        rows = (
            partners.search_read(domain, ["name", "email", "is_company", "color"], offset, limit, stable)
            if limit
            else []
        )
        return partners.search_count(domain), rows

    length, rows = app.services.transactions.run(ask_odoo, keep=False)
    assert found["length"] == length
    shown = [
        (row["id"], row["name"], row["email"] or False, row["is_company"], row["color"]) for row in found["records"]
    ]
    assert shown == [(row["id"], row["name"] or "", row["email"], row["is_company"], row["color"]) for row in rows]
