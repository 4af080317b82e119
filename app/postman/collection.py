"""From compiled definitions to a collection: a folder per API, a request per endpoint, in an order that can be run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.definitions.definition import Definition
from app.operations.endpoints import endpoints
from app.postman import batch, by_key, login, rest, rpc  # noqa: F401  they have the requests of the actions, in this order
from app.postman.known import Known
from app.postman.requests import tried
from app.postman.scripts import BEFORE_EACH, event

_SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"


def build(name: str, definitions: Iterable[Definition], known: Mapping[int, Known], base: str, database: str) -> Any:
    """Return the collection of published APIs as plain data.

    ``known`` holds what is known about each API, by its id. ``base`` is the server's address, which ends in no slash.
    """
    variables = {"base_url": base, "database": database}
    variables |= dict.fromkeys(("login", "password", "api_key", "client_id", "client_secret"), "")
    return {
        "info": {
            "name": name,
            "schema": _SCHEMA,
            "description": "Set one of: login and password (run Log in first), api_key, or client_id and "
            "client_secret. The requests of each folder can be run from top to bottom: they change no records "
            "but their own.",
        },
        "variable": [{"key": key, "value": value} for key, value in variables.items()],
        "event": [event("prerequest", BEFORE_EACH)],
        "item": [
            {"name": "Session", "item": [login.with_password()]},
            *(_folder(definition, known.get(definition.id, Known())) for definition in definitions),
        ],
    }


def _folder(definition: Definition, known: Known) -> dict[str, Any]:
    served = endpoints(definition)
    document, models = definition.document, tried(definition, served, known)
    folders = [
        {"name": each.model, "description": _left_out(each.left_out), "item": each.items(batch.of_model(each))}
        for each in models
    ]
    description = f"{document.type}, {document.mode}, authentication: {document.authentication}."
    if len(folders) != 1:
        return {"name": definition.name, "description": description, "item": folders}
    only = folders[0]
    return {**only, "name": definition.name, "description": f"{description} {only['description']}".strip()}


def _left_out(reasons: list[str]) -> str:
    return f"Left out: {' '.join(reasons)}" if reasons else ""
