"""From compiled definitions to a collection: a folder per API, a request per endpoint, in an order that can be run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.definitions.definition import Definition
from app.operations.endpoints import Endpoint, endpoints
from app.postman import login, rest, rpc  # noqa: F401  they have the requests of the actions, in this order
from app.postman.requests import Tried, requests
from app.postman.scripts import BEFORE_EACH, event

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def build(name: str, definitions: Iterable[Definition], known_ids: Mapping[tuple[int, str], Any], database: str) -> Any:
    """Return the collection of published APIs as plain data.

    ``known_ids`` holds, for an API's id and a model, the public id of a record to try with, where there is one.
    """
    folders = [_folder(definition, known_ids, database) for definition in definitions]
    return {
        "info": {
            "name": name,
            "schema": _SCHEMA,
            "description": "Set base_url, and one of: login and password (run Log in first), api_key, or client_id "
            "and client_secret. The requests of each folder can be run from top to bottom.",
        },
        "variable": [
            {"key": key, "value": value}
            for key, value in (
                ("base_url", "http://127.0.0.1:8070"),
                ("database", database),
                ("login", ""),
                ("password", ""),
                ("api_key", ""),
                ("client_id", ""),
                ("client_secret", ""),
            )
        ],
        "event": [event("prerequest", BEFORE_EACH)],
        "item": [{"name": "Session", "item": [login.with_password()]}, *folders],
    }


def _folder(definition: Definition, known_ids: Mapping[tuple[int, str], Any], database: str) -> dict[str, Any]:
    shown = (endpoint for endpoint in endpoints(definition) if not endpoint.is_alternative)
    served = sorted(shown, key=lambda endpoint: requests.place(endpoint.action))
    models: dict[str, list[Endpoint]] = {}
    for endpoint in served:
        models.setdefault(endpoint.exposure.name if endpoint.exposure else "", []).append(endpoint)
    groups = []
    for model, of_model in models.items():
        groups.append((model, Tried(definition, of_model, known_ids.get((definition.id, model))).items()))
    document = definition.document
    description = f"{document.type}, {document.mode}, authentication: {document.authentication}"
    items = groups[0][1] if len(groups) == 1 else [{"name": model, "item": items} for model, items in groups]
    return {"name": definition.name, "description": description, "item": items}
