"""The table of contract section 2, line by line, on real Odoo."""

from __future__ import annotations

from tests.http.conftest import Client, Publish, Sql


def test_a_search_gives_length_and_records(demo: Client, publish: Publish) -> None:
    route = publish(fields=["name", "count"])
    ids = [demo.result("POST", route, json={"name": f"search {n}", "count": n})["id"] for n in (1, 2, 3)]
    found = demo.result("GET", route, query_string={"domain": '[["name","like","search "]]', "limit": 2, "order": "id"})
    assert found == {
        "length": 3,
        "records": [{"id": ids[0], "name": "search 1", "count": 1}, {"id": ids[1], "name": "search 2", "count": 2}],
    }


def test_parameters_come_in_the_body_of_a_get_whatever_its_content_type(demo: Client, publish: Publish) -> None:
    route = publish("res.partner")
    found = demo.result(
        "GET", route, data='domain=[("id",">",0)]&limit=5&order=id', headers={"Content-Type": "application/json"}
    )
    assert len(found["records"]) == 5
    as_object = demo.result("GET", route, json={"domain": [["id", ">", 0]], "limit": 5, "order": "id"})
    assert as_object == found


def test_a_created_record_is_in_the_database_and_in_the_answer(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish(fields=["name", "count", "doubled"])
    created = demo.result("POST", route, json={"name": "created", "count": 21})
    assert {**created, "id": None} == {"id": None, "name": "created", "count": 21, "doubled": 42}
    assert sql("SELECT count, doubled FROM test_record WHERE name = 'created'") == [(21, 42)]
    assert demo.result("GET", f"{route}/{created['id']}") == created


def test_an_update_writes_what_it_names_and_nothing_else(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish(fields=["name", "count"])
    created = demo.result("POST", route, json={"name": "to update", "count": 7})
    updated = demo.result("PATCH", f"{route}/{created['id']}", json={"name": "is updated"})
    assert updated == {"id": created["id"], "name": "is updated", "count": 7}
    assert sql("SELECT count FROM test_record WHERE name = 'is updated'") == [(7,)]


def test_a_deleted_record_is_gone(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish()
    created = demo.result("POST", route, json={"name": "to delete"})
    assert demo.result("DELETE", f"{route}/{created['id']}") == [created["id"]]
    assert sql("SELECT 1 FROM test_record WHERE name = 'to delete'") == []
    assert demo.error("GET", f"{route}/{created['id']}")[0] == 404


def test_bulk_forms_create_read_update_and_delete(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish(fields=["name", "count"])
    created = demo.result("POST", route, json=[{"name": "bulk a"}, {"name": "bulk b"}])
    ids = [record["id"] for record in created]
    swapped = demo.result("GET", f"{route}/bulk?ids={ids[1]},{ids[0]}")
    assert [record["name"] for record in swapped] == ["bulk b", "bulk a"]
    own = demo.result("PATCH", route, json=[{"id": ids[0], "count": 1}, {"id": ids[1], "count": 2}])
    assert [record["count"] for record in own] == [1, 2]
    common = demo.result("PATCH", route, json={"ids": ids, "count": 9})
    assert [record["count"] for record in common] == [9, 9]
    assert demo.result("DELETE", route, json=ids) == ids
    assert sql("SELECT 1 FROM test_record WHERE name LIKE 'bulk _'") == []


def test_a_search_without_a_count_tells_whether_more_follow(demo: Client, publish: Publish) -> None:
    route = publish("res.partner")
    first = demo("GET", f"{route}?limit=3&count=none&order=id")
    assert first.json["result"]["length"] is None
    assert first.json["result"]["has_more"] is True
    following = first.headers["Link"].partition(">")[0].lstrip("<")
    second = demo.result("GET", following)
    seen = [record["id"] for record in first.json["result"]["records"] + second["records"]]
    assert len(set(seen)) == 6
    last = demo.result("GET", f"{route}?count=none&limit=1000")
    assert last["has_more"] is False


def test_related_fields_come_along(demo: Client, publish: Publish) -> None:
    route = publish("res.partner", fields=["name", "company_id"], related={"company_id": ["name", "logo"]})
    record = demo.result("GET", route, query_string={"domain": '[["company_id","!=",false]]', "limit": 1})["records"][0]
    company_id, company = record["company_id"]
    assert company["id"] == company_id
    assert company["name"] == "YourCompany"
    assert demo("GET", company["logo"]).mimetype == "image/png"


def test_a_search_returns_search_fields_and_a_read_all_exposed_ones(demo: Client, publish: Publish) -> None:
    route = publish(fields=["name", "notes"], search_fields=["name"])
    created = demo.result("POST", route, json={"name": "two views", "notes": "long"})
    found = demo.result("GET", route, query_string={"domain": '[["name","=","two views"]]'})
    assert found["records"] == [{"id": created["id"], "name": "two views"}]
    assert demo.result("GET", f"{route}/{created['id']}?fields=notes") == {"id": created["id"], "notes": "long"}


def test_without_obfuscation_ids_are_odoos_numbers(demo: Client, publish: Publish, sql: Sql) -> None:
    route = publish(id_obfuscation=False)
    created = demo.result("POST", route, json={"name": "plain id"})
    assert sql("SELECT id FROM test_record WHERE name = 'plain id'") == [(created["id"],)]
    assert demo.result("GET", f"{route}/{created['id']}") == created


def test_values_that_are_empty_are_blank_or_null(demo: Client, publish: Publish) -> None:
    fields = ["name", "notes", "partner_id", "day", "flag", "count", "tag_ids", "document"]
    values = {"name": "empty"}
    blank = demo.result("POST", publish(fields=fields), json=values)
    null = demo.result("POST", publish(fields=fields, empty_values="null"), json=values)
    common = {"name": "empty", "flag": False, "count": 0, "tag_ids": []}
    assert blank == {"id": blank["id"], **common, "notes": "", "partner_id": [], "day": "", "document": ""}
    assert null == {"id": null["id"], **common, "notes": None, "partner_id": None, "day": None, "document": None}
