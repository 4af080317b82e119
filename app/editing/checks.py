"""All that can be said against one definition: the rules of a file's import, each finding with the key at fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from app.catalog.odoo_source import OdooSource
from app.catalog.store import StoredApi
from app.clients import store as clients
from app.definitions.compiler import compile_document
from app.definitions.definition import Definition
from app.definitions.document import ApiDocument
from app.definitions.problems import Problem, shape_problems
from app.editing import allowed_clients
from app.editing.conflicts import conflicts
from app.editing.partial import readable
from odoo_bridge.transaction import Environment
from odoo_bridge.types import ModelInfo


def check(
    values: Mapping[str, Any], others: Iterable[StoredApi], root: Environment, known: dict[str, ModelInfo | None]
) -> tuple[Definition | None, list[Problem]]:
    """Return the compiled definition, and what is wrong; it may be stored only where nothing is.

    ``others`` are the APIs that stay beside it; ``known`` carries model descriptions of the registry.
    """
    try:
        document = ApiDocument.model_validate(dict(values))
    except ValidationError as error:
        return None, _all_problems(values, shape_problems(error), others, OdooSource(root, known))
    return _compiled(document, others, OdooSource(root, known))


def _all_problems(
    values: Mapping[str, Any], found: list[Problem], others: Iterable[StoredApi], source: OdooSource
) -> list[Problem]:
    """Return problems of shape, and with them those of what can be read all the same."""
    part = readable(values)
    if part is None:
        return found
    more = [Problem((key,), message) for key, message in part.document.contradictions()]
    more += _compiled(part.document, others, source)[1]
    return list(dict.fromkeys([*found, *filter(part.is_about, more)]))


def _compiled(
    document: ApiDocument, others: Iterable[StoredApi], source: OdooSource
) -> tuple[Definition, list[Problem]]:
    definition = compile_document(document, source, importing=True)
    found = [*definition.problems]
    found += allowed_clients.problems(document, _clients(source.root))
    beside = [compile_document(ApiDocument.model_validate(api.document), source) for api in others]
    if any(other.name == document.name for other in beside):
        found.append(Problem(("name",), f"there is an API {document.name!r} already"))
    for first, second, path in conflicts([definition, *beside]):
        if definition in (first, second):
            other = second if first is definition else first
            found.append(Problem(("route",), f"{path} is also claimed by API {other.name!r}"))
    return definition, found


def _clients(root: Environment) -> dict[str, clients.Client]:
    return {client.name: client for client in clients.every(root.cr)}
