"""Aggregation: contract section 8."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.web.routing import Gatehouse
from odoo_bridge.transaction import Environment
from tests.http.conftest import Client, Publish, Root

DOMAIN = '[["name", "=like", "grouped %"]]'
FIELDS = [
    "name", "count", "ratio", "amount", "flag", "day", "moment", "state", "partner_id", "owner_id", "tag_ids",
    "line_ids", "data", "document", "body", "length", "company_id", "title", "partner_email",
]  # fmt: skip
#: name's number, count, amount, flag, day, moment, state, whether it has a partner, tags
ROWS: list[tuple[Any, ...]] = [
    (0, 5, 10.5, True, "2026-01-31", "2026-01-31 23:30:00", "draft", True, ["a", "b"]),
    (1, 7, 0.25, False, "2026-02-01", "2026-02-01 00:30:00", "done", True, ["a"]),
    (2, 5, 2.0, True, "2026-02-28", "2026-12-31 23:59:59", "draft", False, []),
    (3, 0, 0.0, False, False, False, False, False, ["b"]),
    (4, 5, 1.0, True, "2027-02-01", "2027-01-01 00:00:00", "done", True, []),
]


@pytest.fixture(scope="module", autouse=True)
def grouped(app: Gatehouse) -> Iterator[dict[str, int]]:
    """Five records, one of which has hardly a value."""

    def make(root: Environment) -> dict[str, list[int]]:
        partner = root["res.partner"].create({"name": "Grouped", "email": "grouped@example.com"})
        tags = {name: root["test.tag"].create({"name": f"grouped {name}"}).id for name in ("a", "b")}
        made = root["test.record"].create(
            [
                {
                    "name": f"grouped {number}",
                    "count": count,
                    "amount": amount,
                    "flag": flag,
                    "day": day,
                    "moment": moment,
                    "state": state,
                    "partner_id": has_partner and partner.id,
                    "tag_ids": [(6, 0, [tags[tag] for tag in taken])],
                }
                for number, count, amount, flag, day, moment, state, has_partner, taken in ROWS
            ]
        )
        root.flush_all()
        root.cr.execute("UPDATE test_record SET count = NULL WHERE id = %s", (made[3].id,))
        return {"test.record": made.ids, "test.tag": list(tags.values()), "res.partner": partner.ids}

    made = app.services.transactions.run(make)
    yield {"partner": made["res.partner"][0]}

    def remove(root: Environment) -> None:
        root["test.record"].browse(made["test.record"]).state = "draft"  # what is done can't be deleted
        for model, ids in made.items():
            root[model].browse(ids).unlink()

    app.services.transactions.run(remove)


@pytest.fixture
def route(publish: Publish) -> str:
    return publish(fields=FIELDS, endpoints={"aggregate": True}, id_obfuscation=False)


def groups(client: Client, route: str, headers: Any = None, **parameters: Any) -> list[list[Any]]:
    """Return the values of the groups, and see that their names are those that were asked for."""
    query = {"domain": DOMAIN, **parameters}
    found = client.result("GET", f"{route}/aggregate", query_string=query, headers=headers)
    names = [*filter(None, parameters.get("group", "").split(",")), *parameters.get("aggregates", "__count").split(",")]
    assert all(list(group) == names for group in found["groups"])
    assert found["length"] == len(found["groups"])
    return [list(group.values()) for group in found["groups"]]


def test_without_a_group_all_records_are_one(admin: Client, route: str) -> None:
    assert groups(admin, route) == [[5]]
    told = "__count,count:sum,count:avg,count:min,count:max,count:count,count:count_distinct,amount:sum"
    assert groups(admin, route, aggregates=told) == [[5, 22, 5.5, 5, 7, 4, 2, 13.75]]
    nobody = '[["name", "=", "nobody"]]'
    assert groups(admin, route, domain=nobody, aggregates="__count,count:sum,day:max,flag:bool_and") == [
        [0, None, None, False]
    ]


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("state", [["done", 2], ["draft", 2], ["", 1]]),
        ("flag", [[False, 2], [True, 3]]),
        ("count", [[5, 3], [7, 1], [None, 1]]),
        ("day:year", [["2026", 3], ["2027", 1], ["", 1]]),
        ("day:quarter", [["2026-Q1", 3], ["2027-Q1", 1], ["", 1]]),
        ("day:month", [["2026-01", 1], ["2026-02", 2], ["2027-02", 1], ["", 1]]),
        ("day:day", [["2026-01-31", 1], ["2026-02-01", 1], ["2026-02-28", 1], ["2027-02-01", 1], ["", 1]]),
        ("day:month_number", [[1, 1], [2, 3], [None, 1]]),
        ("moment:year", [["2026", 2], ["2027", 2], ["", 1]]),
        ("state,flag", [["done", False, 1], ["done", True, 1], ["draft", True, 2], ["", False, 1]]),
    ],
)
def test_groups_come_by_their_keys_and_no_value_is_the_last(
    admin: Client, route: str, group: str, expected: list[Any]
) -> None:
    assert groups(admin, route, group=group) == expected


@pytest.mark.parametrize(
    ("moment", "group", "expected"),
    [("0001-01-01 10:00", "moment:hour", "0001-01-01T10:00"), ("infinity", "moment:year_number", None)],
)
def test_a_time_at_an_end_of_the_calendar_is_a_group(
    admin: Client, route: str, sql: Callable[..., Any], moment: str, group: str, expected: str | None
) -> None:
    name = f"far {uuid.uuid4()}"
    sql("INSERT INTO test_record (name, active, moment) VALUES (%s, true, %s)", name, moment)
    domain = json.dumps([["name", "=", name]])
    assert groups(admin, route, {"X-Timezone": "UTC"}, domain=domain, group=group) == [[expected, 1]]


def test_keys_without_a_value_are_null_where_the_api_says_so(admin: Client, publish: Publish) -> None:
    route = publish(fields=FIELDS, endpoints={"aggregate": True}, empty_values="null")
    assert groups(admin, route, group="state")[-1] == [None, 1]
    assert groups(admin, route, group="partner_id")[-1] == [None, 2]


def test_a_week_is_its_first_day(admin: Client, route: str) -> None:
    weeks = groups(admin, route, group="day:week")
    assert weeks == [["2026-01-25", 1], ["2026-02-01", 1], ["2026-02-22", 1], ["2027-01-31", 1], ["", 1]]


def test_periods_are_those_of_the_time_zone_of_the_call(admin: Client, route: str) -> None:
    def by(zone: str, granularity: str) -> list[Any]:
        found = groups(admin, route, {"X-Timezone": zone}, group=f"moment:{granularity}")
        return [group[0] for group in found if group[0] not in ("", None)]

    assert by("UTC", "month") == ["2026-01", "2026-02", "2026-12", "2027-01"]
    assert by("Asia/Kolkata", "month") == ["2026-02", "2027-01"]
    assert by("Asia/Kolkata", "hour") == [
        "2026-02-01T05:00", "2026-02-01T06:00", "2027-01-01T05:00"
    ]  # fmt: skip
    assert by("UTC", "hour_number") == [0, 23]


def test_a_many2one_shows_as_in_records(admin: Client, publish: Publish, route: str, grouped: dict[str, int]) -> None:
    partner = grouped["partner"]
    assert groups(admin, route, group="partner_id") == [[[partner, "Grouped"], 3], [[], 2]]
    related = publish(
        fields=FIELDS, endpoints={"aggregate": True}, id_obfuscation=False, related={"partner_id": ["email"]}
    )
    assert groups(admin, related, group="partner_id") == [
        [[partner, {"id": partner, "email": "grouped@example.com"}], 3],
        [[], 2],
    ]


def test_a_record_is_in_the_group_of_each_of_its_tags(admin: Client, route: str) -> None:
    found = groups(admin, route, group="tag_ids", order="__count desc")
    assert Counter({tuple(key)[1:]: count for key, count in found}) == {
        ("grouped a",): 2,
        ("grouped b",): 2,
        (): 2,
    }


def test_ids_are_in_the_apis_form(admin: Client, publish: Publish, grouped: dict[str, int]) -> None:
    route = publish(fields=FIELDS, endpoints={"aggregate": True})
    (key, _), _ = groups(admin, route, group="partner_id")
    assert key[0] != grouped["partner"]
    found = admin.result("GET", route, query_string={"domain": f'[["partner_id", "=", "{key[0]}"]]'})
    assert found["length"] == 3


@pytest.mark.parametrize(
    ("having", "states"),
    [
        ('[["__count", ">", 1]]', ["done", "draft"]),
        ("[('count:sum', '>=', 12)]", ["done"]),
        ('["|", ["amount:sum", "=", 0], ["day:max", ">", "2027-01-01"]]', ["done", ""]),
        ('["!", ["__count", "in", [1, 7]]]', ["done", "draft"]),
        ('[["flag:bool_or", "=", true], ["__count", "not in", [3]]]', ["done", "draft"]),
        ('[["moment:min", "<", "2026-02-01T00:00:00Z"]]', ["draft"]),
        ('[["count:count", "!=", 0]]', ["done", "draft"]),
        ("[]", ["done", "draft", ""]),
        ("", ["done", "draft", ""]),
    ],
)
def test_conditions_leave_groups_out(admin: Client, route: str, having: str, states: list[str]) -> None:
    assert [state for state, _ in groups(admin, route, group="state", having=having)] == states


@pytest.mark.parametrize(
    ("order", "states"),
    [
        ("state desc", ["", "draft", "done"]),
        ("state desc nulls last", ["draft", "done", ""]),
        ("amount:sum desc", ["draft", "done", ""]),
        ("__count desc, state desc", ["draft", "done", ""]),
        ("__count", ["", "draft", "done"]),
    ],
)
def test_groups_are_sorted_by_keys_and_measures(admin: Client, route: str, order: str, states: list[str]) -> None:
    assert [state for state, _ in groups(admin, route, group="state", order=order)] == states


@pytest.mark.parametrize("order", ["", "__count", "count:sum desc"])
def test_pages_join_and_each_tells_how_many_groups_there_are(admin: Client, route: str, order: str) -> None:
    query = {"domain": DOMAIN, "group": "day:month,state", "order": order}
    whole = admin.result("GET", f"{route}/aggregate", query_string=query)
    pages = [
        admin.result("GET", f"{route}/aggregate", query_string={**query, "limit": 2, "offset": offset})
        for offset in (0, 2, 4, 6)
    ]
    assert [group for page in pages for group in page["groups"]] == whole["groups"]
    assert [page["length"] for page in pages] == [whole["length"]] * 4 == [5] * 4


def test_there_is_one_group_without_keys_wherever_the_page_is(admin: Client, route: str) -> None:
    for page in ({"offset": 1}, {"limit": 0}):
        found = admin.result("GET", f"{route}/aggregate", query_string={"domain": DOMAIN, **page})
        assert found == {"groups": [], "length": 1}


@pytest.mark.parametrize(("offset", "groups"), [(0, [{"__count": 0}]), (5, [])])
def test_no_record_is_one_group_too(admin: Client, route: str, offset: int, groups: list[Any]) -> None:
    query = {"domain": '[["id", "in", []]]', "offset": offset}
    assert admin.result("GET", f"{route}/aggregate", query_string=query) == {"groups": groups, "length": 1}


def test_parameters_may_stand_in_a_body(admin: Client, route: str) -> None:
    body = {
        "domain": [["name", "=like", "grouped %"]],
        "group": ["state"],
        "aggregates": ["__count"],
        "having": [["__count", ">", 1]],
        "limit": 1,
    }
    expected = {"groups": [{"state": "done", "__count": 2}], "length": 2}
    assert admin.result("QUERY", f"{route}/aggregate", json=body) == expected
    assert admin.result("GET", f"{route}/aggregate", json=body) == expected


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"group": "code"}, "unknown_field"),
        ({"group": "partner_id.name"}, "unknown_field"),
        ({"group": "day"}, "unknown_field"),
        ({"group": "day:hour"}, "unknown_field"),
        ({"group": "day:century"}, "unknown_field"),
        ({"group": "state:month"}, "invalid_group"),
        ({"group": "state,state"}, "invalid_group"),
        ({"group": "id"}, "unknown_field"),
        ({"group": "line_ids"}, "invalid_group"),
        ({"group": "data"}, "invalid_group"),
        ({"group": "document"}, "invalid_group"),
        ({"group": "length"}, "unknown_field"),
        ({"group": '[["state"]]'}, "invalid_group"),
        ({"group": ",".join(["state"] * 9)}, "invalid_group"),
        ({"aggregates": "code:count"}, "unknown_aggregate"),
        ({"aggregates": "count"}, "unknown_aggregate"),
        ({"aggregates": "count:array_agg"}, "unknown_aggregate"),
        ({"aggregates": "id:recordset"}, "unknown_aggregate"),
        ({"aggregates": "id:max"}, "unknown_aggregate"),
        ({"aggregates": "name:max"}, "unknown_aggregate"),
        ({"aggregates": "partner_id:sum"}, "unknown_aggregate"),
        ({"aggregates": "amount:sum_currency"}, "unknown_aggregate"),
        ({"aggregates": "length:sum"}, "unknown_aggregate"),
        ({"aggregates": "__count,__count"}, "invalid_aggregates"),
        ({"group": "state", "having": '[["code:count", ">", 1]]'}, "unknown_aggregate"),
        ({"group": "state", "having": '[["state", "=", "done"]]'}, "unknown_aggregate"),
        ({"group": "state", "having": '[["__count", "ilike", 1]]'}, "invalid_having"),
        ({"group": "state", "having": '[["__count", ">", "1"]]'}, "invalid_having"),
        ({"group": "state", "having": '[["__count", ">", true]]'}, "invalid_having"),
        ({"group": "state", "having": '[["__count", "in", []]]'}, "invalid_having"),
        ({"group": "state", "having": '[["__count", "in", 1]]'}, "invalid_having"),
        ({"group": "state", "having": '[["day:max", ">", "soon"]]'}, "invalid_having"),
        ({"group": "state", "having": '[["flag:bool_or", ">", true]]'}, "invalid_having"),
        ({"group": "state", "having": '["&", ["__count", ">", 1]]'}, "invalid_having"),
        ({"group": "state", "having": '[[[], ">", 1]]'}, "invalid_having"),
        ({"group": "state", "having": "["}, "invalid_having"),
        ({"having": '[["__count", ">", 1]]'}, "invalid_having"),
        ({"order": "__count"}, "invalid_order"),
        ({"group": "state", "order": "name"}, "unknown_aggregate"),
        ({"group": "state", "order": "state sideways"}, "invalid_order"),
        ({"group": "owner_id", "order": "owner_id"}, "invalid_order"),
        ({"group": "state", "limit": "1001"}, "invalid_limit"),
        ({"group": "state", "fields": "name"}, "unknown_parameter"),
    ],
)
def test_what_is_no_searchable_field_or_does_not_fit_is_refused(
    admin: Client, route: str, parameters: dict[str, str], name: str
) -> None:
    status, error = admin.error("GET", f"{route}/aggregate", query_string=parameters)
    assert (status, error["data"]["name"]) == (400, name), error["message"]
    assert error["data"]["parameter"] in parameters


def test_searchable_fields_alone_can_be_named(admin: Client, publish: Publish) -> None:
    route = publish(fields=["name", "count", "state"], search_fields=["name"], endpoints={"aggregate": True})
    for parameters in ({"group": "state"}, {"aggregates": "count:sum"}, {"domain": '[["count", ">", 0]]'}):
        status, error = admin.error("GET", f"{route}/aggregate", query_string=parameters)
        assert (status, error["data"]["name"]) in ((400, "unknown_field"), (400, "unknown_aggregate"))
        assert "state" not in error["data"]["allowed"]


def test_it_is_switched_off_unless_it_is_switched_on(admin: Client, publish: Publish) -> None:
    assert admin("GET", f"{publish(fields=FIELDS)}/aggregate").status_code == 404


def test_record_rules_and_the_definitions_domain_hold(
    admin: Client, demo: Client, publish: Publish, root: Root
) -> None:
    route = publish(fields=FIELDS, endpoints={"aggregate": True}, domain=[["state", "!=", "done"]])

    def give(env: Environment) -> None:
        env["test.record"].search([("name", "=", "grouped 0")]).owner_id = env.ref("base.user_admin")

    root(give)
    assert groups(admin, route, group="state") == [["draft", 2], ["", 1]]
    assert groups(demo, route, group="state") == [["draft", 1], ["", 1]]


def small(publish: Publish, size: int) -> str:
    switches = {"aggregate": True, "search": False, "read": False}
    return publish(fields=FIELDS, endpoints=switches, min_group_size=size)


def test_small_groups_are_left_out_and_not_counted(admin: Client, publish: Publish) -> None:
    route = small(publish, 2)
    query = {
        "domain": DOMAIN,
        "group": "state",
        "having": '["|", ["__count", ">", 0], ["__count", "=", 1]]',
        "limit": 1,
    }
    found = admin.result("GET", f"{route}/aggregate", query_string=query)
    assert found == {"groups": [{"state": "done", "__count": 2}], "length": 2}
    assert groups(admin, route) == [[5]]
    assert groups(admin, small(publish, 6)) == []
    assert groups(admin, small(publish, 6), aggregates="count:sum") == []
    for page in ({}, {"limit": 0}, {"offset": 1}):
        query = {"domain": DOMAIN, **page}
        assert admin.result("GET", f"{small(publish, 6)}/aggregate", query_string=query) == {"groups": [], "length": 0}
