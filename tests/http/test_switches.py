"""Switches of single endpoints: of the bulk forms, and of one model among several."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from lxml import html

from app.openapi.document import describe
from app.operations.endpoints import endpoints
from app.postman import collection
from app.web.routing import Gatehouse
from tests import stored_apis
from tests.http.conftest import Client, Publish, Sql
from tests.http.panel import Panel, address_of, texts

#: Two models that differ: no deleting and no creating in bulk, but lines are deleted, and never searched.
DOCUMENT = """
apis:
- name: Switched
  route: /api/switched
  published: true
  endpoints: {delete: false, bulk_create: false}
  models:
  - {model: test.record, fields: [name, line_ids]}
  - {model: test.line, fields: [name, record_id], endpoints: {delete: true, search: false, read: false}}
"""


@pytest.fixture
def panel(app: Gatehouse, admin: Client, sql: Sql) -> Iterator[Panel]:
    """An administrator in front of the panel, who has imported the API of two models; it is gone after the test."""
    panel = Panel(admin)
    page = panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text=DOCUMENT)
    panel.follow(panel.submit(page, "", "/apply"))
    yield panel
    sql("DELETE FROM gatehouse.api")
    app.services.catalog.refresh()


@pytest.fixture
def address(panel: Panel, sql: Sql) -> str:
    """Address of the API's page of endpoints."""
    return f"/admin/apis/{sql('SELECT id FROM gatehouse.api')[0][0]}/endpoints"


def _stored(app: Gatehouse) -> dict[str, Any]:
    (document,) = (api.document for api in stored_apis.load(app).apis)
    return document


def _rows(page: Any) -> dict[str, dict[str, list[str]]]:
    """Return the rows of the page's tables below their headings: the text of each cell by that of the first."""
    found = {}
    for section in html.fromstring(page.text).xpath("//section[@class='operation']"):
        lines = [[" ".join(cell.text_content().split()) for cell in row] for row in section.xpath(".//tbody/tr")]
        found[" ".join(section.xpath("./h2")[0].text_content().split())] = {line[0]: line[1:] for line in lines}
    return found


@pytest.mark.parametrize(
    ("switch", "method", "path", "body", "status", "single"),
    [("bulk_read", "GET", "/bulk?ids={id}", None, 404, ("GET", "/{id}", None)),
     ("bulk_update", "PATCH", "", [{"id": "{id}", "name": "new"}], 405, ("PATCH", "/{id}", {"name": "new"})),
     ("bulk_delete", "DELETE", "", ["{id}"], 405, ("DELETE", "/{id}", None)),
     ("bulk_create", "POST", "", [{"name": "several"}], 400, ("POST", "", {"name": "one"}))],
)  # fmt: skip
def test_a_bulk_form_is_switched_off_by_itself(
    publish: Publish,
    demo: Client,
    switch: str,
    method: str,
    path: str,
    body: Any,
    status: int,
    single: tuple[str, str, Any],
) -> None:
    route = publish(endpoints={switch: False})
    public_id = demo.result("POST", route, json={"name": "one"})["id"]

    def of_record(text: Any) -> Any:
        return json.loads(json.dumps(text).replace("{id}", public_id))

    refused = demo(method, route + of_record(path), json=of_record(body))
    assert refused.status_code == status
    assert status != 405 or method not in refused.headers["Allow"]
    assert status != 400 or refused.json["error"]["data"]["name"] == "bulk_disabled"
    demo.result(single[0], route + of_record(single[1]), json=of_record(single[2]))


@pytest.mark.parametrize("operation", ["read", "update", "delete"])
def test_what_is_off_is_off_in_bulk_too(publish: Publish, demo: Client, operation: str) -> None:
    method, path = {"read": ("GET", "/bulk?ids="), "update": ("PATCH", ""), "delete": ("DELETE", "")}[operation]
    route = publish(endpoints={operation: False, f"bulk_{operation}": True})
    assert demo.error(method, f"{route}{path}", json=[])[0] in (404, 405)


def test_a_model_differs_from_its_api_in_what_it_names_alone(panel: Panel, demo: Client) -> None:
    route = "/api/switched"
    record = demo.result("POST", f"{route}/test.record", json={"name": "first"})
    line = demo.result("POST", f"{route}/test.line", json={"name": "line", "record_id": record["id"]})
    assert demo.error("DELETE", f"{route}/test.record/{record['id']}")[0] == 405
    assert demo.error("GET", f"{route}/test.line")[0] == 405
    assert demo.error("GET", f"{route}/test.line/{line['id']}")[0] == 405
    assert demo.error("POST", f"{route}/test.line", json=[])[0] == 400
    assert demo.result("DELETE", f"{route}/test.line/{line['id']}") == [line["id"]]
    assert demo.result("GET", f"{route}/test.record/{record['id']}")["line_ids"] == []


def test_an_answer_to_a_write_shows_no_more_than_the_model_serves(publish: Publish, demo: Client) -> None:
    fields = {"fields": ["name", "notes"], "writable_fields": ["name"]}
    route = publish(**fields, endpoints={"read": False, "search": False})
    assert set(demo.result("POST", route, json={"name": "x"})) == {"id", "name"}


def test_documents_for_machines_follow_the_switches(panel: Panel, app: Gatehouse) -> None:
    (definition,) = app.services.catalog.snapshot.published
    paths = describe(endpoints(definition))["paths"]
    assert "delete" not in paths["/api/switched/test.record/{id}"]
    assert set(paths["/api/switched/test.line/{id}"]) == {"patch", "delete"}
    assert set(paths["/api/switched/test.line"]) == {"post", "patch", "delete"}
    body = paths["/api/switched/test.record"]["post"]["requestBody"]["content"]["application/json"]
    assert set(body["examples"]) == {"one"}
    names = {
        request["name"]
        for folder in collection.build("APIs", [definition], {}, "http://localhost", "database")["item"][1]["item"]
        for request in folder["item"]
    }
    assert "Delete many" in names
    assert "Create many" not in names


def test_the_page_of_endpoints_has_a_switch_for_each_form_of_each_model(panel: Panel, address: str) -> None:
    rows = _rows(panel.get(address))
    assert list(rows) == ["All models", "Test Record test.record", "Test Line test.line"]
    assert rows["All models"]["Delete"] == ["Off", "test.line", "Switch on"]
    assert rows["All models"]["Bulk delete"] == ["Off with Delete", "", "Switch off"]
    base = "http://localhost/api/switched"
    record, line = rows["Test Record test.record"], rows["Test Line test.line"]
    assert record["Create"] == [f"POST {base}/test.record", "0", "On", "Switch off Try"]
    addresses = f"POST {base}/test.record with an arrayPOST {base}/test.record/import"
    assert record["Bulk create"] == [addresses, "0", "Off", "Switch on Try"]
    assert record["Bulk read"] == [f"GET {base}/test.record/bulk", "0", "On", "Switch off Try"]
    assert line["Delete"] == [f"DELETE {base}/test.line/{{id}}", "0", "On of its own", "Switch off Try"]
    assert len(record) == len(line) == 12


@pytest.mark.parametrize(
    ("model", "switch", "on", "of_api", "of_models"),
    [("", "update", "0", {"update": False}, [{}, {"delete": True, "search": False, "read": False}]),
     ("test.record", "bulk_read", "0", {}, [{"bulk_read": False}, {"delete": True, "search": False, "read": False}]),
     ("test.line", "search", "1", {}, [{}, {"delete": True, "read": False}])],
)  # fmt: skip
def test_a_switch_is_turned_for_the_api_or_for_one_model(
    panel: Panel,
    app: Gatehouse,
    address: str,
    model: str,
    switch: str,
    on: str,
    of_api: dict[str, bool],
    of_models: Any,
) -> None:
    before = _stored(app)["endpoints"]
    panel.follow(panel.send(address, "/switch", operation=switch, model=model, on=on))
    assert _stored(app)["endpoints"] == before | of_api
    assert [entry["endpoints"] for entry in _stored(app)["models"]] == of_models


def test_the_switch_of_an_only_model_is_that_of_its_api(panel: Panel, app: Gatehouse, address: str, sql: Sql) -> None:
    sql("UPDATE gatehouse.api SET document = jsonb_set(document, '{models}', (document->'models') - 0)")
    panel.follow(panel.send(address, "/switch", operation="search", on="1"))
    assert _stored(app)["endpoints"]["search"] is True
    assert _stored(app)["models"][0]["endpoints"] == {"delete": True, "read": False}


def test_a_switch_that_differs_in_an_only_model_is_switched_off(
    panel: Panel, app: Gatehouse, address: str, sql: Sql
) -> None:
    sql("UPDATE gatehouse.api SET document = jsonb_set(document, '{models}', (document->'models') - 0)")
    asked = panel.get(address_of(panel.get(address), "switch", operation="delete"))
    assert "EndpointsDELETE /api/switched/{id}, DELETE /api/switchedAPI" in texts(asked)
    panel.follow(panel.agree(asked))
    assert _stored(app)["endpoints"]["delete"] is False
    assert _stored(app)["models"][0]["endpoints"] == {"search": False, "read": False}


def test_a_switch_that_no_model_follows_is_switched_off(panel: Panel, app: Gatehouse, address: str, sql: Sql) -> None:
    sql("""UPDATE gatehouse.api SET document = jsonb_set(document, '{models,0,endpoints}', '{"read": false}')""")
    asked = panel.get(address_of(panel.get(address), "switch", operation="read"))
    assert "Endpointsnone at the moment" in texts(asked)
    assert "No call is refused for it" in texts(asked)
    panel.follow(panel.agree(asked))
    assert _stored(app)["endpoints"]["read"] is False


def test_a_bulk_form_of_what_a_model_has_off_is_not_told_to_go(panel: Panel, address: str, sql: Sql) -> None:
    sql("""UPDATE gatehouse.api SET document = jsonb_set(document, '{endpoints,delete}', 'true')""")
    sql("""UPDATE gatehouse.api SET document = jsonb_set(document, '{models,1,endpoints,delete}', 'false')""")
    asked = panel.get(address_of(panel.get(address), "switch", operation="delete"))
    assert "EndpointsDELETE /api/switched/test.record/{id}, DELETE /api/switched/test.recordAPI" in texts(asked)


def test_every_switch_that_the_page_offers_can_be_switched_off(panel: Panel, address: str) -> None:
    links = [
        link for _, _, link, _ in html.fromstring(panel.get(address).text).iterlinks() if "/confirm/switch" in link
    ]
    assert len(links) > 10
    assert any("operation=bulk_" in link for link in links)
    assert {panel.get(link).status_code for link in links} == {200}


@pytest.mark.parametrize("wrong", [{"operation": "serach"}, {"operation": "read", "model": "res.partner"}])
def test_a_switch_that_is_not_there_is_refused(panel: Panel, address: str, wrong: dict[str, str]) -> None:
    answer = panel.send(address, "/switch", on="1", **wrong)
    assert answer.status_code == 400
    assert "There is no such operation" in texts(answer)


def test_a_definition_from_before_these_switches_is_served_and_exported_as_it_was(
    panel: Panel, app: Gatehouse, sql: Sql, demo: Client
) -> None:
    old = json.dumps(dict.fromkeys(("search", "read", "create", "update"), True) | {"delete": False})
    sql("UPDATE gatehouse.api SET document = jsonb_set(document, '{endpoints}', %s)", old)
    sql(
        "UPDATE gatehouse.api SET document = jsonb_set(document, '{models}', "
        "(SELECT jsonb_agg(each - 'endpoints') FROM jsonb_array_elements(document->'models') AS each))"
    )
    app.services.catalog.refresh()
    assert demo("POST", "/api/switched/test.record", json=[{"name": "x"}]).status_code == 200
    assert demo.error("DELETE", "/api/switched/test.record", json=[])[0] == 405
    (exported,) = yaml.safe_load(panel.get("/admin/files/download/yaml").text)["apis"]
    assert exported["endpoints"] == {"delete": False}
    assert all("endpoints" not in entry for entry in exported["models"])
    text = panel.get("/admin/files/download/yaml").text
    again = panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text=text)
    assert "already as the file says" in texts(again)


def test_what_differs_is_exported_and_imported_alike(panel: Panel, app: Gatehouse) -> None:
    text = panel.get("/admin/files/download/yaml").text
    (exported,) = yaml.safe_load(text)["apis"]
    assert exported["endpoints"] == {"delete": False, "bulk_create": False}
    assert exported["models"][1]["endpoints"] == {"delete": True, "search": False, "read": False}
    again = panel.submit(panel.get("/admin/files/"), "/admin/files/", "/preview", text=text)
    assert "already as the file says" in texts(again)
