"""A definition file over ``product.template``, used as a shop would use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.routing import Gatehouse
from tests import stored_apis
from tests.http.conftest import Client, Sql
from tests.http.test_field_types import PNG

R = "/api/products/product.template"


@pytest.fixture(scope="module")
def products(app: Gatehouse) -> Iterator[None]:
    """The file, imported as an admin would."""
    result = app.test_cli_runner().invoke(args=["api", "import", str(Path(__file__).with_name("products.yaml"))])
    assert result.output == "created: Products\n"
    app.services.catalog.refresh()
    yield
    stored_apis.delete(app, ["Products"])
    app.services.catalog.refresh()


def test_a_product_is_created_changed_and_read_with_its_relations(products: None, admin: Client, sql: Sql) -> None:
    categories = "/api/products/product.category"
    top = admin.result("POST", categories, json={"name": "Top"})
    middle = admin.result("POST", categories, json={"name": "Middle", "parent_id": top["id"]})
    leaf = admin.result("POST", categories, json={"name": "Leaf", "parent_id": middle["id"]})
    body = {
        "name": "Chair",
        "default_code": "CH-1",
        "list_price": 99.5,
        "standard_price": 40.25,
        "weight": 7.5,
        "type": "consu",
        "categ_id": leaf["id"],
        "image_1920": PNG,
        "description": "<p>Sturdy</p>",
    }
    product = admin.result("POST", R, json=body)
    category = product["categ_id"][1]
    assert category["complete_name"] == "Top / Middle / Leaf"
    assert category["parent_id"][1]["parent_id"][1]["name"] == "Top"
    assert (product["list_price"], product["standard_price"], product["weight"]) == (99.5, 40.25, 7.5)
    assert product["product_variant_count"] == len(product["product_variant_ids"]) == 1
    assert product["product_variant_ids"][0]["default_code"] == "CH-1"
    assert admin("GET", product["image_128"]).mimetype == "image/png"
    assert sql("SELECT list_price::float FROM product_template WHERE default_code = 'CH-1'") == [(99.5,)]
    path = f"{R}/{product['id']}"
    assert admin.result("PATCH", path, json={"list_price": 120})["list_price"] == 120
    for filter_ in (
        [["default_code", "=", "CH-1"]],
        [["categ_id.parent_id.parent_id.name", "=", "Top"], ["name", "=", "Chair"]],
        [["product_variant_ids", "any", [["default_code", "=", "CH-1"]]]],
        [["categ_id", "=", leaf["id"]]],
    ):
        found = admin.result("GET", R, json={"domain": filter_, "order": "list_price desc"})
        assert [record["id"] for record in found["records"]] == [product["id"]], filter_
    assert admin.result("DELETE", path) == [product["id"]]
    assert sql("SELECT 1 FROM product_template WHERE default_code = 'CH-1'") == []


def test_an_employee_reads_products_and_makes_none(products: None, demo: Client) -> None:
    assert demo.result("GET", f"{R}?limit=3&count=none")["records"]
    assert demo.error("POST", R, json={"name": "Not mine"})[0] == 403
