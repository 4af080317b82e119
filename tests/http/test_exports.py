"""Exports: contract section 8."""

from __future__ import annotations

import csv
import io
import json
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, timezone
from typing import Any

import pyarrow.parquet as parquet
import pytest

from app.operations.exports import export
from app.operations.exports.export import CSV, NDJSON, PARQUET
from app.web.routing import Gatehouse
from odoo_bridge.transaction import Environment
from serving import draining
from tests.conftest import OPERATOR
from tests.http.conftest import Client, Logged, Publish, Root
from tests.http.console import Console

DOMAIN = '[["name", "=like", "exported %"]]'
FIELDS = [
    "name", "active", "parent_id", "child_ids", "company_id", "owner_id", "code", "notes", "body", "title", "count",
    "ratio", "rounded", "amount", "currency_id", "flag", "day", "moment", "state", "document", "blob", "picture",
    "partner_id", "line_ids", "tag_ids", "target", "res_model", "res_id", "data", "properties", "per_company",
    "doubled", "length", "partner_email",
]  # fmt: skip
ON = {"export": True}


@pytest.fixture(scope="module", autouse=True)
def exported(app: Gatehouse) -> Iterator[dict[str, Any]]:
    """Records of two kinds: with hardly a value, and with all that can be in the way of a format."""

    def make(root: Environment) -> dict[str, Any]:
        partner = root["res.partner"].create({"name": 'Ex"port,', "email": "export@example.com"})
        tag = root["test.tag"].create({"name": "exported"})
        made = root["test.record"].create(
            [
                {
                    "name": 'exported 1, "quoted"\r\nand more',
                    "code": "=1+1",
                    "notes": " @formula",
                    "body": "<p>ä</p>",
                    "count": -3,
                    "ratio": 0.1,
                    "rounded": 2.5,
                    "amount": 1234567.89,
                    "currency_id": root.company.currency_id.id,
                    "flag": True,
                    "day": "2026-02-28",
                    "moment": "2026-02-28 23:59:59",
                    "state": "done",
                    "document": "eA==",
                    "blob": "eA==",
                    "partner_id": partner.id,
                    "tag_ids": [(6, 0, tag.ids)],
                    "line_ids": [(0, 0, {"name": "line"})],
                    "target": f"res.partner,{partner.id}",
                    "res_model": "res.partner",
                    "res_id": partner.id,
                    "data": {"a": [1, None]},
                    "per_company": "mine",
                },
                {"name": "exported 2"},
            ]
        )
        made[1].parent_id = made[0]
        return {"test.record": list(made.ids), "test.tag": tag.ids, "res.partner": partner.ids}

    made = app.services.transactions.run(make)
    yield {"partner": made["res.partner"][0], "record": made["test.record"][0], "line": None}

    def remove(root: Environment) -> None:
        root["test.record"].browse(made["test.record"]).state = "draft"
        for model, ids in made.items():
            root[model].browse(ids).unlink()

    app.services.transactions.run(remove)


def fetch(client: Client, route: str, kind: str = NDJSON, **parameters: Any) -> bytes:
    """Return the file of an export that has to succeed."""
    query = {"domain": DOMAIN, **parameters}
    answer = client("GET", f"{route}/export", query_string=query, headers={"Accept": kind})
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == kind
    return answer.data


def objects(content: bytes) -> list[Any]:
    assert content == b"" or content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


def rows(content: bytes) -> list[list[str]]:
    """Return the rows of a CSV file, whose lines end as RFC 4180 says."""
    assert content.endswith(b"\r\n")
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


@pytest.mark.parametrize(
    "related", [{}, {"partner_id": ["email", "name"], "tag_ids": ["name"], "parent_id": ["count"]}]
)
@pytest.mark.parametrize("empty", ["blank", "null"])
def test_lines_are_the_records_of_a_search(
    admin: Client, publish: Publish, related: dict[str, Any], empty: str
) -> None:
    searchable = [name for name in FIELDS if name not in ("length", "data", "properties")]
    route = publish(fields=FIELDS, related=related, endpoints=ON, empty_values=empty, search_fields=searchable)
    ids = [each["id"] for each in admin.result("GET", route, query_string={"domain": DOMAIN, "order": "id"})["records"]]
    read = admin.result("GET", f"{route}/bulk", query_string={"ids": ",".join(map(str, ids))})
    assert len(read) == 2
    assert objects(fetch(admin, route)) == read


@pytest.mark.parametrize("order", ["name desc", "id desc", "count, name"])
def test_it_comes_in_the_order_that_is_asked_for(admin: Client, publish: Publish, order: str) -> None:
    route = publish(fields=["name", "count"], endpoints=ON)
    searched = admin.result("GET", route, query_string={"domain": DOMAIN, "order": order})["records"]
    assert objects(fetch(admin, route, order=order)) == searched
    assert objects(fetch(admin, route, order=order, fields="name")) == [
        {"id": record["id"], "name": record["name"]} for record in searched
    ]


def test_fields_that_no_search_shows_are_exported_and_never_filtered_by(admin: Client, publish: Publish) -> None:
    route = publish(fields=["name", "count"], search_fields=["name"], endpoints=ON)
    assert [record["count"] for record in objects(fetch(admin, route))] == [-3, 0]
    for parameters in ({"domain": '[["count", "=", 1]]'}, {"order": "count"}):
        assert admin.refusal("GET", f"{route}/export", query_string=parameters) == (400, "unknown_field")


def test_csv_has_a_line_of_names_and_many2one_as_two_columns(
    admin: Client, publish: Publish, exported: dict[str, int]
) -> None:
    fields = ["name", "count", "amount", "flag", "day", "moment", "state", "partner_id", "tag_ids", "data", "owner_id"]
    route = publish(fields=fields, endpoints=ON, id_obfuscation=False)
    head, first, second = rows(fetch(admin, route, CSV))
    assert head == [
        "id", "name", "count", "amount", "flag", "day", "moment", "state", "partner_id.id", "partner_id.display_name",
        "tag_ids", "data", "owner_id.id", "owner_id.display_name",
    ]  # fmt: skip
    cells = dict(zip(head, first, strict=True))
    assert cells["name"] == 'exported 1, "quoted"\r\nand more'
    assert (cells["count"], cells["amount"], cells["flag"]) == ("-3", "1234567.89", "true")
    assert (cells["day"], cells["moment"], cells["state"]) == ("2026-02-28", "2026-02-28T23:59:59Z", "done")
    assert (cells["partner_id.id"], cells["partner_id.display_name"]) == (str(exported["partner"]), 'Ex"port,')
    assert json.loads(cells["data"]) == {"a": [1, None]}
    assert len(json.loads(cells["tag_ids"])) == 1
    assert dict(zip(head, second, strict=True)) == {
        **dict.fromkeys(head, ""),
        "id": str(exported["record"] + 1),
        "name": "exported 2",
        "count": "0",
        "amount": "0.0",
        "flag": "false",
        "tag_ids": "[]",
    }


def test_csv_has_a_column_for_each_field_of_related_records(
    admin: Client, publish: Publish, exported: dict[str, int]
) -> None:
    related = {"parent_id": ["name", {"partner_id": ["email"]}]}
    route = publish(fields=["name", "parent_id"], related=related, endpoints=ON, id_obfuscation=False)
    head, first, second = rows(fetch(admin, route, CSV))
    assert head == [
        "id",
        "name",
        "parent_id.id",
        "parent_id.name",
        "parent_id.partner_id.id",
        "parent_id.partner_id.email",
    ]
    assert first[2:] == ["", "", "", ""]
    assert second[2:] == [
        str(exported["record"]), 'exported 1, "quoted"\r\nand more', str(exported["partner"]), "export@example.com"
    ]  # fmt: skip


def test_text_that_a_spreadsheet_would_run_is_made_harmless_where_that_is_asked_for(
    admin: Client, publish: Publish
) -> None:
    route = publish(fields=["name", "code", "notes", "count"], endpoints=ON)
    assert rows(fetch(admin, route, CSV))[1][2:] == ["=1+1", " @formula", "-3"]
    assert rows(fetch(admin, route, CSV, csv="spreadsheet"))[1][2:] == ["'=1+1", "' @formula", "-3"]


def test_parquet_is_typed_and_empty_is_null(admin: Client, publish: Publish, exported: dict[str, int]) -> None:
    fields = ["name", "code", "count", "amount", "flag", "day", "moment", "partner_id", "tag_ids"]
    route = publish(fields=fields, endpoints=ON, id_obfuscation=False)
    table = parquet.read_table(io.BytesIO(fetch(admin, route, PARQUET)))
    assert {field.name: str(field.type) for field in table.schema} == {
        "id": "int64",
        "name": "string",
        "code": "string",
        "count": "int64",
        "amount": "double",
        "flag": "bool",
        "day": "date32[day]",
        "moment": "timestamp[us, tz=UTC]",
        "partner_id.id": "int64",
        "partner_id.display_name": "string",
        "tag_ids": "string",
    }
    first, second = table.to_pylist()
    assert first["moment"] == datetime(2026, 2, 28, 23, 59, 59, tzinfo=timezone.utc)
    assert (first["day"], first["amount"], first["flag"]) == (date(2026, 2, 28), 1234567.89, True)
    assert first["partner_id.id"] == exported["partner"]
    assert {name for name, value in second.items() if value is None} == {
        "code", "day", "moment", "partner_id.id", "partner_id.display_name"
    }  # fmt: skip


@pytest.mark.parametrize("kind", [NDJSON, CSV, PARQUET])
def test_an_export_of_nothing_is_a_file_all_the_same(admin: Client, publish: Publish, kind: str) -> None:
    route = publish(fields=["name"], endpoints=ON)
    content = fetch(admin, route, kind, domain='[["name", "=", "nobody"]]')
    if kind == PARQUET:
        assert parquet.read_table(io.BytesIO(content)).num_rows == 0
    else:
        assert content == {NDJSON: b"", CSV: b"id,name\r\n"}[kind]


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("kind", [NDJSON, CSV, PARQUET])
def test_batches_join(admin: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch, kind: str, size: int) -> None:
    route = publish("res.country", fields=["name", "code", "currency_id", "state_ids"], endpoints=ON)
    whole = fetch(admin, route, kind, domain="[]")
    monkeypatch.setattr(export, "_FIRST", size)
    monkeypatch.setattr(export, "_MOST", size)
    assert fetch(admin, route, kind, domain="[]") == whole
    assert len(whole) > 10_000 or kind == PARQUET


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", NDJSON),
        ("text/csv; charset=utf-8; header=present", CSV),
        ("application/x-ndjson;q=0.5, text/csv;charset=utf-8;q=0.4", NDJSON),
        ("*/*", NDJSON),
        ("application/json", NDJSON),
        ("text/*", CSV),
        ("text/csv;q=0.5, application/x-ndjson;q=0.4", CSV),
        ("application/json, text/csv;q=0.1", CSV),
    ],
)
def test_the_format_is_what_the_client_accepts(admin: Client, publish: Publish, accept: str, expected: str) -> None:
    route = publish(fields=["name"], endpoints=ON)
    answer = admin("GET", f"{route}/export", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.mimetype) == (200, expected)
    assert "Accept" in answer.headers["Vary"]
    assert answer.headers["X-Accel-Buffering"] == "no"


def test_a_server_that_is_about_to_stop_begins_none(
    admin: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = publish(fields=["name"], endpoints=ON)
    monkeypatch.setattr(draining, "is_draining", lambda: True)
    assert admin.refusal("GET", f"{route}/export") == (503, "stopping")


def test_no_other_format_is_made_up(admin: Client, publish: Publish) -> None:
    route = publish(fields=["name"], endpoints=ON)
    status, error = admin.error("GET", f"{route}/export", headers={"Accept": "application/xml"})
    assert (status, error["data"]["name"]) == (406, "not_acceptable")
    assert error["data"]["allowed"] == [NDJSON, CSV, PARQUET]


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"limit": "5"}, "unknown_parameter"),
        ({"fields": "nothing"}, "unknown_field"),
        ({"domain": "["}, "invalid_domain"),
        ({"csv": "excel"}, "invalid_csv"),
        ({"order": "nothing"}, "unknown_field"),
    ],
)
def test_what_it_does_not_take_is_an_error_before_the_first_byte(
    admin: Client, publish: Publish, parameters: dict[str, str], name: str
) -> None:
    route = publish(fields=["name"], endpoints=ON)
    assert admin.refusal("GET", f"{route}/export", query_string=parameters) == (400, name)


def test_it_is_switched_off_unless_it_is_switched_on(admin: Client, publish: Publish) -> None:
    assert admin("GET", f"{publish(fields=['name'])}/export").status_code == 404


def test_record_rules_and_the_definitions_domain_hold(
    admin: Client, demo: Client, publish: Publish, root: Root
) -> None:
    route = publish(fields=["name"], endpoints=ON, domain=[["state", "!=", "draft"]])

    def give(owner: Any) -> Callable[[Environment], None]:
        def work(env: Environment) -> None:
            env["test.record"].search([("name", "=like", "exported 2")]).owner_id = owner and env.ref(owner)

        return work

    root(give("base.user_admin"))
    try:
        assert len(objects(fetch(admin, route))) == 2
        assert len(objects(fetch(demo, route))) == 1
    finally:
        root(give(False))


def test_the_call_is_logged_with_its_records_and_bytes(admin: Client, publish: Publish, logged: Logged) -> None:
    route = publish(fields=["name"], endpoints=ON)
    answer = admin("GET", f"{route}/export", query_string={"domain": DOMAIN})
    row = logged(answer)
    assert (row["status"], row["error"], row["records"], row["bytes"]) == (200, None, 2, len(answer.data))


def test_metrics_count_it_with_its_records_and_bytes(admin: Client, anyone: Client, publish: Publish) -> None:
    route = publish(fields=["name"], endpoints=ON)
    sizes = [len(fetch(admin, route)) for _ in range(2)]
    name = f"API {route.removeprefix('/api/t')}"
    text = anyone("GET", "/metrics", headers=OPERATOR).text
    assert f'gatehouse_exports_total{{api="{name}",end="whole"}} 2.0\n' in text
    assert f'gatehouse_exported_records_total{{api="{name}"}} 4.0\n' in text
    assert f'gatehouse_exported_bytes_total{{api="{name}"}} {float(sum(sizes))}\n' in text


def test_one_that_is_tried_in_the_panel_ends_after_a_hundred_records(publish: Publish, attempt: Console) -> None:
    route = publish("res.country", fields=["code"], endpoints=ON)
    tried = attempt(route, suffix="/export")
    assert tried.status == 200
    assert len(tried.tree.get_element_by_id("answer-body").text.splitlines()) == 100


def test_a_head_is_logged_and_leaves_nothing_open(admin: Client, publish: Publish, logged: Logged, root: Root) -> None:
    route = publish(fields=["name"], endpoints=ON)
    for _ in range(5):  # more than one caller may have at once
        answer = admin("HEAD", f"{route}/export")
        assert (answer.status_code, answer.mimetype, answer.data) == (200, NDJSON, b"")
        assert "Content-Length" not in answer.headers
    row = logged(answer)
    assert (row["endpoint"], row["error"], row["records"], row["bytes"]) == (f"GET {route}/export", None, 0, 0)


def test_test_mode_exports_and_says_so(admin: Client, publish: Publish) -> None:
    route = publish(fields=["name"], endpoints=ON, mode="test")
    answer = admin("GET", f"{route}/export", query_string={"domain": DOMAIN})
    assert len(objects(answer.data)) == 2
    assert answer.headers["X-Test-Mode"] == "true"


def test_a_model_that_takes_records_out_late_is_exported_as_it_is_searched(demo: Client, publish: Publish) -> None:
    route = publish("mail.message", fields=["subject", "body"], endpoints=ON)
    searched = demo.result("GET", route, query_string={"limit": 1000, "order": "id"})["records"]
    assert objects(fetch(demo, route, domain="[]")) == searched


def test_a_server_without_pyarrow_says_so(admin: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = f"{publish(fields=['name'], endpoints=ON)}/export"
    assert admin.refusal("GET", path, headers={"Accept": PARQUET}) == (406, "parquet_not_installed")


@pytest.mark.parametrize("obfuscated", [True, False])
def test_every_type_of_field_has_a_column_in_each_format(admin: Client, publish: Publish, obfuscated: bool) -> None:
    route = publish(fields=FIELDS, endpoints=ON, id_obfuscation=obfuscated, binary="base64")
    table = parquet.read_table(io.BytesIO(fetch(admin, route, PARQUET)))
    head, *lines = rows(fetch(admin, route, CSV))
    assert table.column_names == head
    assert table.num_rows == len(lines) == 2
    first = dict(zip(head, lines[0], strict=True))
    assert str(table.to_pylist()[0]["res_id"]) == first["res_id"] != ""


def test_large_records_come_in_small_batches(admin: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_BYTES", 2000)
    route = publish("res.country", fields=["name", "code", "state_ids"], endpoints=ON)
    sizes: list[int] = []
    fit = export.Export._fit

    def noted(self: Any, *measured: Any) -> None:
        fit(self, *measured)
        sizes.append(self._size)

    monkeypatch.setattr(export.Export, "_fit", noted)
    for kind in (NDJSON, CSV, PARQUET):
        sizes.clear()
        fetch(admin, route, kind, domain="[]")
        assert max(sizes) < 100


def test_in_test_mode_nothing_leaves_the_process(admin: Client, publish: Publish, root: Root, app: Gatehouse) -> None:
    """What computes a field might call another host: a search in test mode refuses that, and an export does."""
    route = publish(fields=["name", "length"], endpoints=ON, mode="test")
    kind = app.services.transactions.run(lambda env: type(env["test.record"]))
    field = kind._fields["length"]
    original = kind._compute_length

    def calling(records: Any) -> None:
        socket.create_connection(("127.0.0.1", 9), timeout=1)

    kind._compute_length = calling
    try:
        _, error = admin.error("GET", f"{route}/export", query_string={"domain": DOMAIN})
    finally:
        kind._compute_length = original
    assert field.compute
    assert error["data"]["name"] == "test_mode_no_network"
