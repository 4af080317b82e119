"""An example of a new operation: how many records match. It is one module, and a registration for each aspect.

In the house itself the parts would stand where those of the other actions do: see docs/contributing.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from app.blueprints import rest
from app.definitions.scopes import Scope
from app.mcp.offers import Offer, offers
from app.openapi.described import Described, Description, describes
from app.openapi.rest import domain, exposure_of
from app.operations.actions import Action
from app.operations.endpoints import Endpoint
from app.operations.single import RecordOperations
from app.policy import query
from app.postman.requests import Items, Tried, requests
from app.postman.scripts import answer_test
from app.web import answers
from app.web.current import current_incoming
from app.web.routing import serves
from odoo_bridge import records

COUNT = Action("rest", "count", Scope.SEARCH, "GET", "/count", reads=True)


def _count(do: RecordOperations, parameters: Mapping[str, Any]) -> dict[str, int | None]:
    query.only_known(parameters, frozenset({"domain"}))
    wanted = query.search({**parameters, "limit": 0}, do.definition, do.exposure)
    nothing = wanted.node.only([]).selection()
    page = records.search(do.env, do.model, wanted.domain, nothing, order=None, limit=0, offset=0, count="exact")
    return {"count": page.length.number}


@serves(COUNT)
def _view() -> Response:
    parameters = current_incoming().parameters()
    return answers.success(rest.run(lambda do: _count(do, parameters)))


@describes(COUNT)
def _description(api: Described, endpoint: Endpoint) -> Description:
    exposure = exposure_of(endpoint)
    return Description(
        summary=f"Count {exposure.node.model.label}",
        parameters=(domain(exposure.searchable),),
        result={"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]},
        example={"count": 1},
    )


offers(COUNT)(Offer())


@requests(COUNT)
def _requests(tried: Tried, endpoint: Endpoint, path: str) -> Items:
    return [tried.request("Count", endpoint, path, answer_test([200]), query={"domain": "[]"})]
