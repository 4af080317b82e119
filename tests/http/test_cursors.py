"""Paging by cursor: contract section 8."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge.transaction import Environment
from tests import stored_apis
from tests.http.conftest import Client, Publish, Root
from tests.http.queries import counted_queries

DOMAIN = '[["name", "=like", "walked %"]]'
#: The search of which a cursor is tried.
QUERY = {"domain": DOMAIN, "paging": "cursor", "limit": 2, "order": "name"}
FIELDS = [
    "name", "count", "title", "ratio", "rounded", "per_company", "partner_id", "length", "partner_email", "moment",
    "data", "owner_id",
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def walked(app: Gatehouse) -> Iterator[None]:
    """Seven records, two pairs of which have the same count, and one none."""

    def make(root: Environment) -> list[int]:
        counts = [5, 1, 3, 3, 1, 0, 9]
        made = root["test.record"].create(
            [{"name": f"walked {number}", "count": count, "rounded": count / 4} for number, count in enumerate(counts)]
        )
        root.flush_all()
        root.cr.execute("UPDATE test_record SET count = NULL WHERE id = %s", (made[5].id,))
        return list(made.ids)

    ids = app.services.transactions.run(make)
    yield
    app.services.transactions.run(lambda root: root["test.record"].browse(ids).unlink())


@pytest.fixture
def route(publish: Publish) -> str:
    return publish(fields=FIELDS)


def pages(client: Client, route: str, **parameters: Any) -> list[dict[str, Any]]:
    """Return all pages of a walk; a page that has no end would be a walk of more than twenty."""
    found, cursor = [], {}
    while len(found) < 20:
        query = {"domain": DOMAIN, "paging": "cursor", "limit": 2, **parameters, **cursor}
        found.append(client.result("GET", route, query_string=query))
        if found[-1]["next_cursor"] is None:
            return found
        cursor = {"cursor": found[-1]["next_cursor"]}
    raise AssertionError("There is no end of pages.")


def names(found: list[dict[str, Any]]) -> list[str]:
    return [record["name"][-1] for page in found for record in page["records"]]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", "0123456"),
        ("id desc", "6543210"),
        ("count", "1423065"),
        ("count desc, name desc", "5603241"),
        ("count nulls first, name desc", "5413206"),
        ("rounded desc", "6023145"),
        ("name", "0123456"),
    ],
)
def test_pages_follow_the_order_and_null_has_a_place_in_it(
    admin: Client, route: str, order: str, expected: str
) -> None:
    parameters = {"order": order} if order else {}
    found = pages(admin, route, **parameters)
    assert "".join(names(found)) == expected
    assert [len(page["records"]) for page in found] == [2, 2, 2, 1]
    assert [(page["length"], page["has_more"]) for page in found] == [(None, True)] * 3 + [(None, False)]


@pytest.mark.parametrize(("order", "expected"), [("moment, name", "3456012"), ("moment desc, name", "0126543")])
def test_a_time_at_the_end_of_all_is_met_once(
    admin: Client, route: str, sql: Callable[..., Any], order: str, expected: str
) -> None:
    """Others than Odoo can write "infinity", for which the driver has another value."""
    sql(
        "UPDATE test_record SET moment = CASE WHEN right(name, 1) < '3' THEN 'infinity' "
        "ELSE timestamp '2026-01-01' + right(name, 1)::int * interval '1 day' END WHERE name LIKE 'walked _'"
    )
    try:
        assert "".join(names(pages(admin, route, order=order, limit=1))) == expected
    finally:
        sql("UPDATE test_record SET moment = NULL WHERE name LIKE 'walked _'")


def test_the_limit_may_differ_from_page_to_page(admin: Client, route: str) -> None:
    query = {"domain": DOMAIN, "paging": "cursor", "limit": 1}
    first = admin.result("GET", route, query_string=query)
    rest = admin.result("GET", route, query_string={**query, "limit": 50, "cursor": first["next_cursor"]})
    assert names([first, rest]) == list("0123456")
    assert rest["next_cursor"] is None


def test_the_link_leads_to_the_next_page(admin: Client, route: str) -> None:
    answer = admin("GET", route, query_string={"domain": DOMAIN, "paging": "cursor", "limit": 5, "order": "name"})
    link = answer.headers["Link"]
    assert link.endswith('; rel="next"')
    last = admin("GET", link[1 : link.index(">")])
    assert names([last.json["result"]]) == ["5", "6"]
    assert "Link" not in last.headers


def test_an_empty_cursor_is_the_beginning_and_a_cursor_says_how_it_is_paged(admin: Client, route: str) -> None:
    query = {"domain": DOMAIN, "limit": 3}
    first = admin.result("GET", route, query_string={**query, "paging": "cursor", "cursor": ""})
    second = admin.result("GET", route, query_string={**query, "cursor": first["next_cursor"]})
    assert names([first, second]) == list("012345")


@pytest.mark.parametrize("count", ["exact", "estimate"])
def test_all_that_match_are_counted_where_that_is_asked_for(admin: Client, route: str, count: str) -> None:
    found = pages(admin, route, count=count, order="count")
    assert [page["length"] for page in found] == [7] * 4


def test_the_parameters_may_stand_in_the_body(admin: Client, route: str) -> None:
    query = {"domain": [["name", "=like", "walked %"]], "paging": "cursor", "limit": 6}
    first = admin.result("QUERY", route, json=query)
    second = admin.result("QUERY", route, json={**query, "cursor": first["next_cursor"]})
    by_get = admin.result("GET", route, query_string={**query, "domain": DOMAIN, "cursor": first["next_cursor"]})
    assert names([first, second]) == list("0123456")
    assert by_get == second


def test_a_record_that_moves_behind_the_cursor_is_all_that_changes(admin: Client, route: str, root: Root) -> None:
    query = {"domain": DOMAIN, "paging": "cursor", "limit": 3, "order": "name"}
    first = admin.result("GET", route, query_string=query)
    made = admin.result("POST", route, json={"name": "walked 00"})  # before the cursor
    try:
        rest = admin.result("GET", route, query_string={**query, "limit": 9, "cursor": first["next_cursor"]})
    finally:
        admin.result("DELETE", f"{route}/{made['id']}")
    assert names([first, rest]) == list("0123456")


def test_the_record_that_a_cursor_was_made_of_may_be_gone(admin: Client, route: str) -> None:
    made = admin.result("POST", route, json={"name": "walked 20"})  # behind "walked 2" in the order of names
    query = {"domain": DOMAIN, "paging": "cursor", "limit": 4, "order": "name"}
    first = admin.result("GET", route, query_string=query)
    assert first["records"][-1]["id"] == made["id"]
    admin.result("DELETE", f"{route}/{made['id']}")
    rest = admin.result("GET", route, query_string={**query, "cursor": first["next_cursor"]})
    assert names([rest]) == list("3456")


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("partner_email", "it is no column"),
        ("title", "it is translated"),
        ("per_company", "each company has a value"),
        ("ratio", "float that is not exact"),
        ("partner_id", "partner_id.id"),
        ("data", "have no order"),
    ],
)
def test_an_order_that_no_cursor_can_go_on_in_is_refused_with_the_reason(
    admin: Client, publish: Publish, order: str, reason: str
) -> None:
    route = publish(fields=FIELDS, related={"partner_id": ["name", "complete_name", "parent_id"]})
    status, error = admin.error("GET", route, query_string={"paging": "cursor", "order": f"name, {order} desc"})
    assert (status, error["data"]["name"], error["data"]["field"]) == (400, "invalid_order", order)
    assert reason in error["message"]


def test_what_follows_the_id_in_an_order_needs_no_place(admin: Client, route: str) -> None:
    assert names(pages(admin, route, order="id desc, title")) == list("6543210")


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"paging": "cursor", "offset": 0}, "invalid_offset"),
        ({"paging": "cursor", "limit": 0}, "invalid_limit"),
        ({"paging": "keyset"}, "invalid_paging"),
        ({"paging": "offset", "cursor": "x"}, "invalid_cursor"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"cursor": "é"}, "invalid_cursor"),
        ({"cursor": "A" * 40}, "invalid_cursor"),
    ],
)
def test_what_does_not_go_with_a_cursor_is_named(
    admin: Client, route: str, parameters: dict[str, Any], name: str
) -> None:
    status, error = admin.error("GET", route, query_string=parameters)
    assert (status, error["data"]["name"]) == (400, name)
    assert error["data"]["parameter"] in parameters


def test_a_cursor_is_text(admin: Client, route: str) -> None:
    assert admin.refusal("QUERY", route, json={"cursor": [1]}) == (400, "invalid_cursor")


@pytest.fixture
def cursor(admin: Client, route: str) -> str:
    cursor: str = admin.result("GET", route, query_string=QUERY)["next_cursor"]
    return cursor


def refused(client: Client, route: str, cursor: str, headers: Any = None, **parameters: Any) -> bool:
    query = {**QUERY, "cursor": cursor, **parameters}
    answer = client("GET", route, query_string=query, headers=headers)
    if answer.status_code == 200:
        return False
    assert (answer.status_code, answer.json["error"]["data"]["name"]) == (400, "invalid_cursor")
    return True


def test_a_cursor_is_good_for_its_caller_as_often_as_they_like(admin: Client, route: str, cursor: str) -> None:
    assert not refused(admin, route, cursor)
    assert not refused(admin, route, cursor, limit=3, count="exact")


def test_a_cursor_is_not_good_for_another_caller(demo: Client, route: str, cursor: str) -> None:
    assert refused(demo, route, cursor)


@pytest.mark.parametrize(
    "parameters",
    [{"domain": "[]"}, {"order": "name desc"}, {"order": "count"}, {"fields": "name"}],
    ids=["domain", "direction", "order", "fields"],
)
def test_a_cursor_is_not_good_for_another_search(
    admin: Client, route: str, cursor: str, parameters: dict[str, str]
) -> None:
    assert refused(admin, route, cursor, **parameters)


def test_a_cursor_is_not_good_for_another_language(admin: Client, route: str, cursor: str, root: Root) -> None:
    root(lambda env: env["res.lang"]._activate_lang("fr_BE"))
    assert refused(admin, route, cursor, {"Accept-Language": "fr-BE"})


def test_a_cursor_is_not_good_for_another_company(admin: Client, publish: Publish, root: Root) -> None:
    def make(env: Environment) -> int:
        company = env["res.company"].create({"name": "Walked"})
        env.ref("base.user_admin").company_ids = [(4, company.id)]
        return int(company.id)

    route, company = publish(fields=FIELDS, id_obfuscation=False), root(make)
    cursor = admin.result("GET", route, query_string=QUERY)["next_cursor"]
    assert not refused(admin, route, cursor)
    assert refused(admin, route, cursor, {"X-Company-Id": str(company)})


def test_a_cursor_is_not_good_for_another_api(admin: Client, publish: Publish, cursor: str) -> None:
    assert refused(admin, publish(fields=FIELDS), cursor)


def test_a_cursor_is_not_good_for_its_api_once_that_is_changed(
    admin: Client, route: str, cursor: str, app: Gatehouse
) -> None:
    (definition,) = (each for each in app.services.catalog.snapshot.published if each.document.route == route)
    stored_apis.write(app, [{**definition.document.model_dump(mode="json"), "page_size": 81}])
    app.services.catalog.refresh()
    assert refused(admin, route, cursor)


def test_a_cursor_that_is_not_whole_is_none(admin: Client, route: str, cursor: str) -> None:
    assert refused(admin, route, cursor[:-1])
    assert refused(admin, route, cursor + "A")
    flipped = cursor[:5] + ("A" if cursor[5] != "A" else "B") + cursor[6:]
    assert refused(admin, route, flipped)


def test_a_cursor_does_not_show_the_values_that_it_holds(cursor: str) -> None:
    assert b"walked" not in base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


def test_a_page_by_cursor_asks_the_database_as_often_as_the_first(
    admin: Client, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = {"domain": DOMAIN, "paging": "cursor", "limit": 2, "fields": "name"}
    first = admin.result("GET", route, query_string=query)
    with counted_queries(monkeypatch) as of_first:
        admin.result("GET", route, query_string=query)
    with counted_queries(monkeypatch) as of_second:
        admin.result("GET", route, query_string={**query, "cursor": first["next_cursor"]})
    assert len(of_second) == len(of_first)


def test_a_model_that_takes_records_out_late_has_full_pages(demo: Client, publish: Publish) -> None:
    route = publish("mail.message", fields=["subject"])
    whole = demo.result("GET", route, query_string={"order": "id", "limit": 1000})["records"]
    found, cursor = [], ""
    while cursor is not None:
        page = demo.result("GET", route, query_string={"paging": "cursor", "cursor": cursor, "limit": 3})
        cursor = page["next_cursor"]
        assert cursor is None or len(page["records"]) == 3
        found += page["records"]
    assert found == whole
    assert len(found) > 3


@pytest.mark.parametrize("order", [0, False, [], {}])
def test_an_order_that_is_no_text_is_refused_by_each_way_of_paging(admin: Client, route: str, order: Any) -> None:
    for paging in ("offset", "cursor"):
        assert admin.refusal("QUERY", route, json={"paging": paging, "order": order}) == (400, "invalid_order")
