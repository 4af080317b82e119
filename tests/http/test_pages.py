"""Pages lead through all records, each once: also where a model takes records out after PostgreSQL cut the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge import estimates, fast, paging
from odoo_bridge.fast import counts
from odoo_bridge.transaction import Environment, act_as
from tests.http.conftest import Client, Publish
from tests.http.queries import counted_queries

#: Models whose ``_search`` asks PostgreSQL for a page, and then removes what the user may not see.
CUT_LATE = ["mail.message", "mail.activity", "mail.scheduled.message"]


@pytest.fixture(scope="module", autouse=True)
def hidden_documents(app: Gatehouse) -> Iterator[None]:
    """Messages and the like on records that nobody but their owner sees, before and between those for all."""
    made = app.services.transactions.run(_make_documents)
    yield
    app.services.transactions.run(lambda root: [root[model].browse(ids).unlink() for model, ids in made])


def _make_documents(env: Environment) -> list[tuple[str, list[int]]]:
    admin = env.ref("base.user_admin")
    # Six that others don't see, then one for all, and so on: no page of the database's is free of gaps.
    owners = [admin.id if number % 7 else False for number in range(1, 29)]
    partners = env["res.partner"].create([{"name": f"Document {number}"} for number in range(len(owners))])
    records = env["test.record"].create(
        [{"name": f"document {number}", "owner_id": owner} for number, owner in enumerate(owners)]
    )
    made: list[Any] = []
    partner_model, activity_type = env["ir.model"]._get("res.partner"), env.ref("mail.mail_activity_data_todo")
    for record, partner in zip(records, partners, strict=True):
        hidden = bool(record.owner_id)
        model, res_id = ("test.record", record.id) if hidden else ("res.partner", partner.id)
        message = env["mail.message"].create(
            {"model": model, "res_id": res_id, "body": "late", "author_id": admin.partner_id.id}
        )
        activity = {"res_model_id": partner_model.id, "res_id": partner.id, "activity_type_id": activity_type.id}
        planned = env["mail.activity"].create({**activity, "summary": "late", "user_id": admin.id})
        scheduled = env["mail.scheduled.message"].create(
            {"model": "res.partner", "res_id": partner.id, "subject": "late", "body": "x", "author_id": 1,
             "scheduled_date": "2099-01-01 00:00:00"}
        )  # fmt: skip
        made += [message, planned, scheduled]
        if hidden:  # after the fact: neither can be made on a model without a chatter
            env.flush_all()
            table = "UPDATE {} SET {} = 'test.record', res_id = %s WHERE res_id = %s AND {} = 'res.partner'"
            env.cr.execute(table.format("mail_activity", "res_model", "res_model"), (record.id, partner.id))
            env.cr.execute(table.format("mail_scheduled_message", "model", "model"), (record.id, partner.id))
            env.invalidate_all()
    return [(each._name, each.ids) for each in (*made, records, partners)]


def visible(app: Gatehouse, login: str, model: str) -> tuple[list[int], int]:
    """Return the ids that Odoo finds for a user, and how many it counts."""

    def work(root: Environment) -> tuple[list[int], int]:
        records = act_as(root, root["res.users"].search([("login", "=", login)]).id, {})[model]
        return list(records.search([], order="id").ids), records.search_count([])

    result: tuple[list[int], int] = app.services.transactions.run(work, keep=False)
    return result


def walk(client: Client, route: str, **query: Any) -> list[Any]:
    """Return the answers of all pages, as Link leads from one to the next."""
    answers = [client("GET", route, query_string=query)]
    while link := answers[-1].headers.get("Link"):
        answers.append(client("GET", link.partition(">")[0][1:]))
        assert len(answers) < 500, "the pages do not end"
    return [answer.json["result"] for answer in answers]


@pytest.mark.parametrize("count", ["exact", "none"])
@pytest.mark.parametrize("limit", [2, 5])
@pytest.mark.parametrize("model", CUT_LATE)
def test_pages_lead_through_all_that_the_user_may_see(
    model: str, limit: int, count: str, demo: Client, publish: Publish, app: Gatehouse
) -> None:
    expected, _ = visible(app, "demo", model)
    assert 0 < len(expected) < _all(app, model)  # some are hidden, else this shows nothing
    route = publish(model, fields=["create_date"], id_obfuscation=False)
    found = walk(demo, route, order="id", limit=limit, count=count)
    assert [record["id"] for page in found for record in page["records"]] == expected
    assert [len(page["records"]) for page in found[:-1]] == [limit] * (len(found) - 1)  # full, but for the last
    if count == "none":
        assert [page["has_more"] for page in found] == [True] * (len(found) - 1) + [False]


def _all(app: Gatehouse, model: str) -> int:
    return int(app.services.transactions.run(lambda root: root[model].search_count([]), keep=False))


@pytest.mark.parametrize("offset", [0, 1, 3, 10_000])
@pytest.mark.parametrize("model", CUT_LATE)
def test_length_is_what_odoo_counts(model: str, offset: int, demo: Client, publish: Publish, app: Gatehouse) -> None:
    route = publish(model, fields=["create_date"])
    found = demo.result("GET", route, query_string={"limit": 2, "offset": offset})
    assert found["length"] == visible(app, "demo", model)[1]


@pytest.mark.parametrize("model", CUT_LATE)
def test_without_a_count_no_more_is_looked_at_than_a_page_needs(
    model: str, demo: Client, publish: Publish, app: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "_PIECE", 1)
    expected, _ = visible(app, "demo", model)
    route = publish(model, fields=["create_date"], id_obfuscation=False)
    found = walk(demo, route, order="id", limit=1, count="none")
    assert [record["id"] for page in found for record in page["records"]] == expected


def test_a_model_without_a_search_of_its_own_asks_once_for_a_page(
    demo: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = publish()
    for name in ("a page", "another"):
        demo.result("POST", route, json={"name": name})
    asked = {}
    for count in ("exact", "none"):
        query = {"limit": 1, "count": count}
        demo.result("GET", route, query_string=query)
        with counted_queries(monkeypatch) as queries:
            demo.result("GET", route, query_string=query)
        asked[count] = [query for query in queries if "test_record" in query]
    # The page, and where it can't tell it the length: together, once that was found out.
    assert (len(asked["exact"]), len(asked["none"])) == (1 if fast.is_on("counts") else 2, 1)


def test_a_model_that_only_rewrites_the_domain_is_cut_by_postgresql(
    admin: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = publish("product.product", fields=["default_code"])
    query = {"limit": 1, "count": "none"}
    admin.result("GET", route, query_string=query)
    with counted_queries(monkeypatch) as queries:
        admin.result("GET", route, query_string=query)
    (page,) = [query for query in queries if 'FROM "product_product"' in query]
    assert "LIMIT" in page


def test_a_walk_counts_once_until_something_is_written(
    demo: Client, publish: Publish, sql: Callable[..., list[tuple[Any, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "SECONDS", math.inf)  # however slow the machine is
    route = publish()
    demo.result("POST", route, json=[{"name": f"walked {number}"} for number in range(6)])
    query = {"domain": '[["name","like","walked"]]', "limit": 2, "order": "id", "offset": 2}

    def length_and_counts() -> tuple[int, int]:
        with counted_queries(monkeypatch) as queries:
            length = demo.result("GET", route, query_string=query)["length"]
        return length, sum("COUNT(*)" in query for query in queries)

    demo.result("GET", route, query_string={**query, "offset": 0})
    assert length_and_counts() == (6, 0 if fast.is_on("counts") else 1)
    demo.result("POST", route, json={"name": "walked, one more"})
    assert length_and_counts() == (7, 1)
    sql("DELETE FROM test_record WHERE name = 'walked, one more'")  # as another process would


@pytest.mark.parametrize("method", ["GET", "QUERY"])
def test_an_estimate_says_that_it_is_one(
    method: str, demo: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = publish()
    demo.result("POST", route, json=[{"name": f"estimated by {method} {number}"} for number in range(6)])
    parameters = {"domain": [["name", "like", f"estimated by {method}"]], "limit": 2, "count": "estimate"}
    found = demo.result(method, route, json=parameters)
    assert (found["length"], found["estimated"], found["has_more"]) == (6, False, True)
    monkeypatch.setattr(estimates, "BOUND", 3)
    monkeypatch.setattr(estimates, "SAMPLE", 1)
    found = demo.result(method, route, json=parameters)
    assert found["length"] >= 4
    assert (found["estimated"], found["has_more"], len(found["records"])) == (True, True, 2)
    found = demo.result(method, route, json={**parameters, "offset": 10})
    assert (found["estimated"], found["has_more"], found["records"]) == (True, False, [])
    assert 4 <= found["length"] <= 10


@pytest.mark.parametrize("model", CUT_LATE)
def test_what_odoo_filters_late_is_counted_exactly(
    model: str, demo: Client, publish: Publish, app: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimates, "BOUND", 1)
    found = demo.result("GET", f"{publish(model, fields=['create_date'])}?limit=2&count=estimate")
    assert (found["length"], found["estimated"]) == (visible(app, "demo", model)[1], False)
