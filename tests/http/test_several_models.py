"""Several models in one API: the model's name follows the route."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.definitions.document import ApiDocument
from app.web.routing import Gatehouse
from tests import stored_apis
from tests.http.conftest import Client


@pytest.fixture
def route(app: Gatehouse) -> Iterator[str]:
    """An API of two models."""
    document: dict[str, Any] = {
        "name": "Two models",
        "route": "/api/two",
        "published": True,
        "endpoints": {"delete": False},
        "models": [
            {"model": "test.record", "fields": ["name", "line_ids"], "related": {"line_ids": ["name"]}},
            {"model": "test.line", "fields": ["name", "record_id"]},
        ],
    }
    checked = ApiDocument.model_validate(document).model_dump(mode="json")
    stored_apis.write(app, [checked])
    app.services.catalog.refresh()
    yield "/api/two"
    stored_apis.delete(app, ["Two models"])
    app.services.catalog.refresh()


def test_each_model_has_the_whole_table_below_its_name(route: str, demo: Client) -> None:
    record = demo.result("POST", f"{route}/test.record", json={"name": "first"})
    line = demo.result("POST", f"{route}/test.line", json={"name": "line", "record_id": record["id"]})
    assert demo.result("GET", f"{route}/test.record/{record['id']}")["line_ids"] == [{"id": line["id"], "name": "line"}]
    assert demo.result("PATCH", f"{route}/test.line/{line['id']}", json={"name": "new"})["name"] == "new"
    assert demo.result("GET", f"{route}/test.line/bulk?ids={line['id']}")[0]["name"] == "new"


def test_the_route_itself_and_other_models_are_not_there(route: str, demo: Client) -> None:
    for path in (route, f"{route}/res.partner", f"{route}/test.record/x/y", f"{route}/", f"{route}/test.record/"):
        assert demo.error("GET", path)[0] == 404, path


def test_ids_of_one_model_mean_nothing_to_the_other(route: str, demo: Client) -> None:
    record = demo.result("POST", f"{route}/test.record", json={"name": "own id"})
    assert demo.error("GET", f"{route}/test.line/{record['id']}")[0] == 404


def test_what_is_switched_off_is_off_for_every_model(route: str, demo: Client) -> None:
    for model in ("test.record", "test.line"):
        assert demo.error("DELETE", f"{route}/{model}/x")[0] == 405
        assert "DELETE" not in demo("DELETE", f"{route}/{model}/x").headers["Allow"]
