"""A search of any model gives what Odoo's ``search_read`` and ``search_count`` give the same user, over all pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from odoo.exceptions import AccessError, UserError  # noqa: TID251  what Odoo refuses

from app.web.routing import Gatehouse
from odoo_bridge.transaction import Environment
from tests.applications import odoo_rows
from tests.applications.conftest import READ, UNLISTED, USERS, AsUser, Extent
from tests.http.conftest import Client
from tests.http.test_pages import CUT_LATE, walk

Exposed = dict[str, tuple[str, ...]]
#: Views that give one id to several rows, in no order.
SAME_IDS = ("report.stock.quantity",)
#: Where Odoo refuses a search with fields that it gives to a read, Gatehouse shows what may be read.
READ_WHEN_FOUND = ("hr.employee",)
#: The largest page that an API gives by default.
LARGEST = 1000


@pytest.mark.parametrize("login", USERS)
def test_pages_lead_through_all_records_of_any_model(
    login: str, clients: dict[str, Client], as_user: AsUser, exposed: Exposed, extent: Extent
) -> None:
    expected = as_user(login, lambda env: {model: found(env, model) for model in exposed})
    wrong: dict[str, Any] = {}
    for model, ids in expected.items():
        query = {"order": "id", "fields": "id", "limit": page_size(ids, extent)}
        if not isinstance(ids, list):
            answer = clients[login]("GET", f"{READ}/{model}", query_string=query)
            # A model without a list says so by one of Odoo's own errors.
            expected_code = 422 if model in UNLISTED else 403
            wrong[model] = (answer.text, ids) if answer.json.get("error", {}).get("code") != expected_code else None
            continue
        pages = {count: walk(clients[login], f"{READ}/{model}", count=count, **query) for count in ("exact", "none")}
        for count, answers in pages.items():
            if [record["id"] for page in answers for record in page["records"]] != ids:
                wrong[model] = count, [len(page["records"]) for page in answers], len(ids)
        if {page["length"] for page in pages["exact"]} != {len(ids)}:
            wrong[model] = [page["length"] for page in pages["exact"]], len(ids)
        if [page["has_more"] for page in pages["none"]] != [True] * (len(pages["none"]) - 1) + [False]:
            wrong[model] = [page["has_more"] for page in pages["none"]]
    assert {model: what for model, what in wrong.items() if what} == {}


def found(env: Environment, model: str) -> list[int] | str:
    """Return the ids that Odoo finds for a user, or why it refuses to search."""
    try:
        ids = list(env[model].search([], order="id").ids)
        assert env[model].search_count([]) == len(ids)
    except (AccessError, UserError) as error:
        return str(error)
    return ids


def page_size(ids: list[int] | str, extent: Extent) -> int:
    return min(LARGEST, max(1, -(-len(ids) // extent.pages)))


@pytest.mark.parametrize("login", USERS)
def test_a_page_of_any_model_holds_what_odoo_gives(
    login: str, clients: dict[str, Client], as_user: AsUser, app: Gatehouse, extent: Extent
) -> None:
    (definition,) = (d for d in app.services.catalog.snapshot.definitions.values() if d.name == "All")
    page = {"limit": extent.together, "offset": 1, "order": "id"}
    wrong = {}
    for model, exposure in definition.exposures.items():
        answer = clients[login]("GET", f"{READ}/{model}", query_string=page)
        if model in SAME_IDS or model in UNLISTED or answer.status_code == 403:  # see the test above
            continue
        if answer.status_code != 200 or "error" in answer.json:
            wrong[model] = answer.status_code, answer.text[:200]
            continue

        def ask(shown: list[str], left_out: list[str], model: str = model) -> tuple[list[Any], list[str]]:
            asked: tuple[list[Any], list[str]]
            asked = as_user(login, lambda env: odoos_page(env[model], page, shown, left_out))
            return asked

        names = tuple(exposure.searchable.fields)
        wrong[model] = odoo_rows.compare(ask, answer.json["result"]["records"], names)
    assert {model: what for model, what in wrong.items() if what} == {}


def odoos_page(model: Any, page: dict[str, Any], shown: list[str], left_out: list[str]) -> tuple[list[Any], list[str]]:
    """Return the rows of Odoo's page with the fields shown, and those of the left out that it gives."""
    readable = [name for name in left_out if model._has_field_access(model._fields[name], "read")]
    return _rows(model, page, shown), [name for name in readable if _is_given(model, page, name)]


def _rows(model: Any, page: dict[str, Any], names: Iterable[str]) -> list[Any]:
    model.env.invalidate_all()
    names = ["id", *odoo_rows.columns_first(model, names)]
    if model._name in CUT_LATE:
        ids = model.search([], order=page["order"]).ids[page["offset"] :][: page["limit"]]
        found = model.search_read([("id", "in", ids)], names, order=page["order"])
    elif model._name in READ_WHEN_FOUND:
        found = model.search([], **page).read(names)
    else:
        found = model.search_read([], names, **page)
    return odoo_rows.rows(model, found)


def _is_given(model: Any, page: dict[str, Any], name: str) -> bool:
    try:
        return len(_rows(model, page, [name])) == len(_rows(model, page, []))
    except AccessError:
        return False
