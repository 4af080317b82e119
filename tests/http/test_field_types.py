"""Every type of field, in and out; each value is compared with what the database or Odoo holds."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.conftest import Client, Publish, Root, Sql

PNG = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()


@pytest.mark.parametrize(
    ("field", "given", "shown", "column", "stored"),
    [
        ("name", "Ünïcode ✓", "Ünïcode ✓", "name", "Ünïcode ✓"),
        ("code", "AB", "AB", "code", "AB"),
        ("code", "", "", "code", None),
        ("notes", "a\nb", "a\nb", "notes", "a\nb"),
        ("body", "<p>x<script>1</script></p>", "<p>x</p>", "body", "<p>x</p>"),
        ("count", -5, -5, "count", -5),
        ("count", 5.0, 5, "count", 5),
        ("ratio", 0.1, 0.1, "ratio", 0.1),
        ("ratio", 2, 2, "ratio", 2.0),
        ("rounded", 1.239, 1.24, "rounded::float", 1.24),
        ("flag", True, True, "flag", True),
        ("day", "2026-02-28", "2026-02-28", "day::text", "2026-02-28"),
        ("day", None, "", "day", None),
        ("moment", "2026-02-28T10:00:00Z", "2026-02-28T10:00:00Z", "moment::text", "2026-02-28 10:00:00"),
        ("moment", "2026-02-28T12:00:00+02:00", "2026-02-28T10:00:00Z", "moment::text", "2026-02-28 10:00:00"),
        ("moment", "2026-02-28 10:00:00", "2026-02-28T10:00:00Z", "moment::text", "2026-02-28 10:00:00"),
        ("state", "done", "done", "state", "done"),
        ("state", "", "", "state", None),
        ("data", {"a": [1, None, {"b": "c"}]}, {"a": [1, None, {"b": "c"}]}, "data->'a'->2->>'b'", "c"),
        ("title", "Title", "Title", "title->>'en_US'", "Title"),
        ("per_company", "here", "here", "per_company->>'1'", "here"),
    ],
)
def test_a_value_is_stored_and_comes_back(
    field: str, given: Any, shown: Any, column: str, stored: Any, demo: Client, publish: Publish, sql: Sql
) -> None:
    route = publish(fields=["name", field] if field != "name" else ["name"])
    created = demo.result("POST", route, json={"name": f"type {field}", field: given})
    assert created[field] == shown
    assert demo.result("GET", f"{route}/{created['id']}")[field] == shown
    assert sql(f"SELECT {column} FROM test_record ORDER BY id DESC LIMIT 1") == [(stored,)]
    # What a read gives can be written back as it is.
    assert demo.result("PATCH", f"{route}/{created['id']}", json={field: shown})[field] == shown


def test_a_monetary_value_is_rounded_as_its_currency_is(demo: Client, publish: Publish, root: Root) -> None:
    route = publish(fields=["name", "amount", "currency_id"], id_obfuscation=False)
    currency = root(lambda env: env.ref("base.EUR").id)
    record = demo.result("POST", route, json={"name": "money", "currency_id": currency, "amount": 1.239})
    assert record["amount"] == 1.24
    assert record["currency_id"] == [currency, "EUR"]


def test_computed_fields_are_read_and_not_written(demo: Client, publish: Publish) -> None:
    route = publish(fields=["name", "count", "doubled", "length", "partner_email", "display_name"])
    record = demo.result("POST", route, json={"name": "four", "count": 3})
    assert (record["doubled"], record["length"], record["partner_email"], record["display_name"]) == (6, 4, "", "four")
    for field in ("doubled", "length", "display_name"):
        assert demo.error("PATCH", f"{route}/{record['id']}", json={field: 1})[0] == 400
    found = demo.result("GET", f"{route}?domain=[('doubled','=',6)]&order=doubled desc")
    assert record["id"] in [found["id"] for found in found["records"]]
    assert demo.error("GET", f"{route}?domain=[('length','=',4)]")[0] == 400
    assert demo.error("GET", f"{route}?order=length")[0] == 400


def test_a_many2one_is_an_id_and_a_name_and_takes_both(demo: Client, publish: Publish) -> None:
    route = publish(fields=["name", "parent_id"])
    parent = demo.result("POST", route, json={"name": "parent"})
    child = demo.result("POST", route, json={"name": "child", "parent_id": parent["id"]})
    assert child["parent_id"] == [parent["id"], "parent"]
    path = f"{route}/{child['id']}"
    assert demo.result("PATCH", path, json={"parent_id": child["parent_id"]})["parent_id"] == [parent["id"], "parent"]
    for empty in (None, [], False, ""):
        demo.result("PATCH", path, json={"parent_id": parent["id"]})
        assert demo.result("PATCH", path, json={"parent_id": empty})["parent_id"] == []


def test_a_many2many_takes_ids_and_commands(demo: Client, admin: Client, publish: Publish) -> None:
    tag_route = publish("test.tag")
    red, blue, green = (admin.result("POST", tag_route, json={"name": name})["id"] for name in ("red", "blue", "green"))
    route = publish(fields=["name", "tag_ids"])
    record = demo.result("POST", route, json={"name": "tagged", "tag_ids": [red, blue]})
    path = f"{route}/{record['id']}"
    assert set(record["tag_ids"]) == {red, blue}
    for command, expected in (
        ([4, green], {red, blue, green}),
        ([3, red], {blue, green}),
        ([6, 0, [red]], {red}),
        ([5], set()),
    ):
        assert set(demo.result("PATCH", path, json={"tag_ids": [command]})["tag_ids"]) == expected, command
    assert set(demo.result("PATCH", path, json={"tag_ids": [red, green]})["tag_ids"]) == {red, green}
    assert demo.result("PATCH", path, json={"tag_ids": []})["tag_ids"] == []
    for command in ([0, 0, {"name": "new"}], [1, red, {"name": "x"}], [2, red]):
        assert demo.error("PATCH", path, json={"tag_ids": [command]})[0] == 400
    found = demo.result("GET", route, query_string={"domain": f'[["tag_ids","in",["{red}"]]]'})
    assert found["length"] == 0


def test_a_reference_names_model_and_id(demo: Client, admin: Client, publish: Publish) -> None:
    tag = admin.result("POST", publish("test.tag"), json={"name": "target"})["id"]
    route = publish(fields=["name", "target"])
    record = demo.result("POST", route, json={"name": "refers", "target": f"test.tag,{tag}"})
    assert record["target"] == f"test.tag,{tag}"
    query = {"domain": f'[["target","=","test.tag,{tag}"]]'}
    assert demo.result("GET", route, query_string=query)["records"] == [record]
    assert demo.result("PATCH", f"{route}/{record['id']}", json={"target": ""})["target"] == ""
    assert demo.error("POST", route, json={"name": "x", "target": "res.users,1"})[0] == 400


def test_a_many2one_reference_takes_the_model_from_its_field(demo: Client, admin: Client, publish: Publish) -> None:
    tag = admin.result("POST", publish("test.tag"), json={"name": "target"})["id"]
    route = publish(fields=["name", "res_model", "res_id"])
    record = demo.result("POST", route, json={"name": "refers", "res_model": "test.tag", "res_id": tag})
    assert (record["res_model"], record["res_id"]) == ("test.tag", tag)
    assert demo.error("POST", route, json={"name": "x", "res_id": tag})[0] == 400


def test_properties_are_written_by_name_and_read_with_their_definition(
    demo: Client, admin: Client, publish: Publish, root: Root, sql: Sql
) -> None:
    tag = admin.result("POST", publish("test.tag"), json={"name": "chosen"})["id"]
    definition = [
        {"name": "color", "type": "char", "string": "Color"},
        {"name": "size", "type": "selection", "string": "Size", "selection": [["s", "Small"], ["l", "Large"]]},
        {"name": "tag", "type": "many2one", "comodel": "test.tag", "string": "Tag"},
        {"name": "when", "type": "datetime", "string": "When"},
        {"name": "labels", "type": "tags", "string": "Labels", "tags": [["new", "New", 1]]},
        {"name": "weight", "type": "float", "string": "Weight"},
        {"name": "secrets", "type": "many2one", "comodel": "ir.config_parameter", "string": "Secrets"},
    ]
    root(lambda env: env["test.record"].create({"name": "container", "properties_definition": definition}).id)
    route = publish(fields=["name", "parent_id", "properties"])
    container = demo.result("GET", f"{route}?domain=[('name','=','container')]&fields=name")["records"][0]["id"]
    values = {
        "color": "red",
        "size": "l",
        "tag": tag,
        "when": "2026-01-31T08:00:00Z",
        "labels": ["new"],
        "weight": 2.5,
    }
    record = demo.result("POST", route, json={"name": "inside", "parent_id": container, "properties": values})
    shown = {item["name"]: item["value"] for item in record["properties"]}
    assert shown == {**values, "tag": [tag, "chosen"], "secrets": []}
    assert sql("SELECT properties->>'color', properties->>'weight' FROM test_record WHERE name = 'inside'") == [
        ("red", "2.5")
    ]
    path = f"{route}/{record['id']}"
    changed = demo.result("PATCH", path, json={"properties": {"color": "blue"}})
    assert {item["name"]: item["value"] for item in changed["properties"]} == {**shown, "color": "blue"}
    back = [item for item in record["properties"] if item["name"] != "secrets"]
    assert demo.result("PATCH", path, json={"properties": back})["properties"] == record["properties"]
    for wrong in (
        {"nothing": 1},
        {"size": "xl"},
        {"tag": "made-up"},
        {"weight": "heavy"},
        {"labels": ["old"]},
        {"secrets": 1},
        "text",
        [{"name": "color", "definition_changed": True}],
        [{"value": 1}],
    ):
        assert demo.refusal("PATCH", path, json={"properties": wrong}) == (400, "invalid_value"), wrong
    hostile = [{"name": "color", "type": "char", "value": "x", "definition_changed": True, "string": "Mine"}]
    demo.result("PATCH", path, json={"properties": hostile})
    assert sql("SELECT properties_definition->0->>'string' FROM test_record WHERE name = 'container'") == [("Color",)]


def test_binaries_come_and_go_in_base64(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish(fields=["name", "document", "blob", "picture"], binary="base64")
    text = base64.b64encode(b"some text").decode()
    values = {"name": "binaries", "document": text, "blob": text, "picture": PNG}
    record = demo.result("POST", route, json=values)
    assert {name: record[name] for name in ("document", "blob")} == {"document": text, "blob": text}
    assert base64.b64decode(record["picture"]).startswith(b"\x89PNG")
    assert sql("SELECT blob FROM test_record WHERE name = 'binaries'")[0][0].tobytes() == text.encode()
    assert demo.result("PATCH", f"{route}/{record['id']}", json={"document": None})["document"] == ""


def test_a_translated_value_is_read_and_written_in_the_language_that_is_asked_for(
    demo: Client, publish: Publish, root: Root, sql: Sql
) -> None:
    root(lambda env: bool(env["res.lang"]._activate_lang("de_DE")))
    route = publish(fields=["name", "title"])
    record = demo.result("POST", route, json={"name": "translated", "title": "House"})
    path, german = f"{route}/{record['id']}", {"Accept-Language": "de;q=0.9, en;q=0.1"}
    assert demo.result("PATCH", path, json={"title": "Haus"}, headers=german)["title"] == "Haus"
    assert demo.result("GET", path, headers=german)["title"] == "Haus"
    assert demo.result("GET", path)["title"] == "House"
    assert demo.result("GET", path, headers={"Accept-Language": "fr"})["title"] == "House"
    query = {"domain": '[["title","=","Haus"]]'}
    assert demo.result("GET", route, query_string=query, headers=german)["length"] == 1
    assert demo.result("GET", route, query_string=query)["length"] == 0
    assert sql("SELECT title->>'de_DE', title->>'en_US' FROM test_record WHERE name = 'translated'") == [
        ("Haus", "House")
    ]


@pytest.fixture
def second_company_of_admin(root: Root) -> Iterator[int]:
    """Give the admin a second company, for one test: writes of theirs cost more with it."""

    def give(env: Any) -> int:
        company = env["res.company"].create({"name": "Second"})
        env.ref("base.user_admin").company_ids += company
        return int(company.id)

    def take(env: Any) -> None:
        env.ref("base.user_admin").company_ids -= env["res.company"].browse(company_id)

    company_id = root(give)
    yield company_id
    root(take)


def test_time_zone_and_company_are_checked(
    demo: Client, admin: Client, publish: Publish, second_company_of_admin: int
) -> None:
    second = second_company_of_admin
    route = publish(fields=["name", "per_company"])
    plain = publish("res.company", id_obfuscation=False)
    record = demo.result("POST", route, json={"name": "companies", "per_company": "first"})
    public_id = _public_company(admin, publish, second)
    path = f"{route}/{record['id']}"
    assert admin.result("GET", path, headers={"X-Company-Id": public_id})["per_company"] == ""
    admin.result("PATCH", path, json={"per_company": "second"}, headers={"X-Company-Id": public_id})
    assert admin.result("GET", path)["per_company"] == "first"
    assert demo.error("GET", path, headers={"X-Company-Id": public_id})[1]["data"]["name"] == "invalid_company"
    for wrong in ("0", "made-up", "1", "", str(second)):
        assert demo.error("GET", path, headers={"X-Company-Id": wrong})[0] == 400, wrong
    assert admin.result("GET", plain, headers={"X-Company-Id": str(second)})["length"] >= 1
    assert demo.result("GET", path, headers={"X-Timezone": "Europe/Berlin"})
    for wrong in ("Mars/Base", "localtime", "Factory", ""):
        error = demo.error("GET", path, headers={"X-Timezone": wrong})[1]
        assert error["data"]["name"] == "invalid_timezone"


def _public_company(admin: Client, publish: Publish, company_id: int) -> str:
    records = admin.result("GET", f"{publish('res.company')}?domain=[('name','=','Second')]")["records"]
    (record,) = records
    public_id: str = record["id"]
    return public_id
