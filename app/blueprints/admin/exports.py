"""Files to download. Each function takes an API's id, or None for all, and returns a name and the content."""

from __future__ import annotations

import json
import re

from flask import request

from app.blueprints.admin import editor, transactions
from app.catalog import store
from app.catalog.store import Stored
from app.definitions.definition import Definition
from app.editing import files
from app.errors import NotFound
from app.json import dumps
from app.openapi.document import describe
from app.operations.endpoints import endpoints
from app.postman.collection import build
from app.postman.known import known
from app.web.services import services
from odoo_bridge.transaction import Environment


def choices() -> list[editor.ApiRow]:
    """Return the APIs that there are files about."""
    return editor.rows()


def definition_file(api_id: int | None) -> tuple[str, str]:
    """Return a definition file; one of all APIs holds the client apps and the defaults too."""

    def work(root: Environment) -> tuple[str, str]:
        stored = store.load(root.cr)
        if api_id is None:
            return "gatehouse", files.export_text(stored, files.client_documents(root))
        found = tuple(api for api in stored.apis if api.id == api_id)
        if not found:
            raise NotFound("There is no such API.")
        return _slug(found[0].document["name"]), files.export_text(Stored(0, {}, found), [])

    return transactions.look(work)


def postman(api_id: int | None) -> tuple[str, str]:
    """Return a Postman 2.1 collection of published APIs, for the address that it is downloaded from."""
    published = _published(api_id)
    database = services().transactions.database
    title = published[0].name if api_id else f"Gatehouse, {database}"
    facts = transactions.look(lambda root: known(root, published))
    base = request.host_url.rstrip("/")
    content = json.dumps(build(title, published, facts, base, database), indent=2, ensure_ascii=False)
    return _slug(title), content


def openapi(api_id: int | None) -> tuple[str, str]:
    """Return the OpenAPI document of published APIs."""
    published = _published(api_id)
    served = [endpoint for definition in published for endpoint in endpoints(definition)]
    return _slug(published[0].name if api_id else "gatehouse"), dumps(
        describe(served, request.host_url.rstrip("/"))
    ).decode()


def _published(api_id: int | None) -> list[Definition]:
    services().catalog.refresh()
    found = [
        definition
        for definition in services().catalog.snapshot.definitions.values()
        if definition.document.published and not definition.problems and api_id in (None, definition.id)
    ]
    if not found:
        raise NotFound("Publish an API first: this file is about what can be called.")
    return found


def _slug(name: str) -> str:
    """Return a file's name that every system takes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower() or "api"
