"""The shape of a definition: what is wrong is refused with the key that is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.definitions.document import ApiDocument

MODEL = {"model": "res.partner", "fields": ["name", "company_id"]}


def _document(**keys: Any) -> ApiDocument:
    return ApiDocument.model_validate({"name": "A", "route": "/api/a", "models": [MODEL], **keys})


@pytest.mark.parametrize(
    "keys",
    [
        {"route": "/partners"},
        {"route": "/api/"},
        {"route": "/api/a/"},
        {"route": "/api/a/../b"},
        {"route": "/api/<id>"},
        {"route": "/api/docs"},
        {"route": "/api/image/x"},
        {"route": "/api/oauth2/mine"},
        {"name": ""},
        {"name": 5},
        {"type": "soap"},
        {"published": "yes"},
        {"page_size": 0},
        {"page_size": "80"},
        {"page_size": 500, "max_page_size": 100},
        {"rate_limit": "many"},
        {"cors_origins": ["*", "https://a.example"]},
        {"cors_origins": ["https://a.example/path"]},
        {"application_errors": 500},
        {"log_bodies": True, "statistics": False},
        {"masked_fields": ["company_id.email"]},
        {"masked_fields": [""]},
        {"endpoints": {"serach": True}},
        {"models": [{**MODEL, "endpoints": {"serach": True}}]},
        {"models": [{**MODEL, "endpoints": {"search": None}}]},
        {"type": "rpc", "method": "x", "models": [{"model": "res.partner", "endpoints": {"read": False}}]},
        {"unknown": 1},
        {"models": []},
        {"models": [MODEL, MODEL]},
        {"models": [{**MODEL, "search_fields": ["email"]}]},
        {"models": [{**MODEL, "writable_fields": ["email"]}]},
        {"models": [{**MODEL, "related": {"email": ["x"]}}]},
        {"models": [{**MODEL, "related": {"company_id": []}}]},
        {"models": [{**MODEL, "related": {"company_id": [{"a": [{"b": [{"c": ["d"]}]}]}]}}]},
        {"models": [{**MODEL, "fields": ["name", "name", "company_id"]}]},
        {"models": [{**MODEL, "fields": ["id"]}]},
        {"method": "read"},
        {"type": "rpc"},
        {"type": "rpc", "method": "x", "models": []},
        {"type": "key_authentication"},
        {"webhooks": True, "authentication": "public"},
        {"webhooks": True, "type": "rpc", "method": "x"},
        {"mcp": "read", "type": "rpc", "method": "x"},
        {"mcp": "write", "type": "key_authentication", "models": []},
        {"mcp": True},
        {"mcp": "all"},
        {"mcp_approval": "never"},
        {"webhooks": True, "models": [{**MODEL, "min_group_size": 5, "endpoints": {"search": False, "read": False}}]},
    ],
)
def test_a_wrong_key_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _document(**keys)


def test_related_has_one_form_however_it_is_written() -> None:
    nested = {**MODEL, "related": {"company_id": ["name", {"country_id": ["code"]}]}}
    dotted = {**MODEL, "related": {"company_id": ["name"], "company_id.country_id": ["code"]}}
    assert _document(models=[nested]) == _document(models=[dotted])


ALL = {f"{form}{name}" for form in ("", "bulk_") for name in ("read", "create", "update", "delete")} | {"search"}


@pytest.mark.parametrize(
    ("of_api", "of_model", "bulk", "off"),
    [
        ({}, {}, True, set()),
        ({"delete": False}, {}, True, {"delete", "bulk_delete"}),
        ({"bulk_delete": False}, {}, True, {"bulk_delete"}),
        ({"delete": False}, {"delete": True}, True, set()),
        ({"bulk_read": False}, {"update": False}, True, {"bulk_read", "update", "bulk_update"}),
        ({}, {"bulk_read": True}, False, {name for name in ALL if name.startswith("bulk_")}),
    ],
)
def test_a_bulk_form_needs_its_operation_and_a_model_goes_before_its_api(
    of_api: dict[str, bool], of_model: dict[str, bool], bulk: bool, off: set[str]
) -> None:
    document = _document(bulk=bulk, endpoints=of_api, models=[{**MODEL, "endpoints": of_model}])
    assert document.switched_on(document.models[0]) == ALL - off


@pytest.mark.parametrize("telling", ["search", "read", "export"])
def test_small_groups_are_hidden_only_where_single_records_are(telling: str) -> None:
    off = {"search": False, "read": False}
    model = {"model": "res.partner", "fields": ["name"], "min_group_size": 5}
    document = {"name": "Groups", "route": "/api/groups", "models": [model], "endpoints": {**off, "aggregate": True}}
    assert ApiDocument.model_validate(document).models[0].min_group_size == 5
    with pytest.raises(ValidationError, match=f"switch off what shows single records: {telling}"):
        ApiDocument.model_validate({**document, "endpoints": {**off, "aggregate": True, telling: True}})
