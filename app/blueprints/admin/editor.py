"""Saving definitions for the panel: checked as a file's import checks them, or not saved at all."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.blueprints.admin import transactions
from app.catalog import store
from app.catalog.catalog import compile_all
from app.catalog.odoo_source import OdooSource
from app.catalog.store import Stored, StoredApi
from app.definitions.compiler import compile_document
from app.definitions.definition import Definition
from app.definitions.document import ApiDocument
from app.definitions.problems import Problem
from app.editing import checks, files
from app.editing.defaults import sample_api, stored_defaults
from app.errors import Conflict, NotFound
from app.web.services import services
from odoo_bridge.transaction import Environment
from odoo_bridge.types import ModelInfo


class Invalid(Exception):
    """A definition can't be stored; each of ``problems`` names the key at fault."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ApiRow:
    """One API as it is stored, and as it is compiled; ``definition`` is None where this version can't read it."""

    stored: StoredApi
    definition: Definition | None

    @property
    def name(self) -> str:
        """The API's name."""
        return str(self.stored.document.get("name"))


def known_models(root: Environment) -> dict[str, ModelInfo | None]:
    """Return the descriptions of models that the catalog has for this registry, to add to."""
    snapshot = services().catalog.snapshot
    return dict(snapshot.models) if snapshot.fits(root) else {}


def rows() -> list[ApiRow]:
    """Return all APIs by name, with their problems."""

    def work(root: Environment) -> list[ApiRow]:
        stored = store.load(root.cr)
        compiled = compile_all(stored, root, known_models(root))
        return sorted((ApiRow(api, compiled.get(api.id)) for api in stored.apis), key=lambda row: row.name.lower())

    return transactions.look(work)


def row(api_id: int) -> ApiRow:
    """Return one API; raises NotFound."""

    def work(root: Environment) -> ApiRow:
        stored = store.load(root.cr)
        found = [api for api in stored.apis if api.id == api_id]
        if not found:
            raise NotFound("This API has been deleted, or never was there.")
        compiled = compile_all(Stored(stored.version, stored.settings, tuple(found)), root, known_models(root))
        return ApiRow(found[0], compiled.get(api_id))

    return transactions.look(work)


def defaults() -> dict[str, Any]:
    """Return the system-wide defaults for new APIs."""
    return transactions.look(lambda root: stored_defaults(store.load(root.cr)))


def default_document() -> ApiDocument:
    """Return the defaults of new APIs, as an API of the one type that needs nothing else."""
    return sample_api(defaults())


def check(values: Mapping[str, Any], api_id: int | None) -> list[Problem]:
    """Return all that is wrong with a definition that is to be stored, new or in place of another."""
    return transactions.look(lambda root: _check(root, values, api_id)[1])


def create(values: Mapping[str, Any] | Callable[[Environment, Stored], Mapping[str, Any]]) -> int:
    """Store a new API and return its id; raises Invalid. ``values`` may be made from what is stored."""

    def work(root: Environment) -> int:
        wanted = values(root, store.load(root.cr)) if callable(values) else values
        return store.insert(root.cr, _checked(root, wanted, None))

    return transactions.change(work)


def save(api_id: int, revision: int, values: Mapping[str, Any]) -> None:
    """Store a definition that was made from this revision; raises Invalid or Stale."""

    def work(root: Environment) -> None:
        current = store.get(root.cr, api_id)
        if current is None or current.revision != revision:
            raise store.Stale(current)  # said before anything else: what was checked may have changed
        store.replace(root.cr, api_id, revision, _checked(root, values, api_id))

    transactions.change(work)


def change(api_id: int, revision: int, *, taking_away: bool = False, **keys: Any) -> None:
    """Change single keys of an API; raises Invalid, and Conflict where somebody else was quicker.

    ``taking_away`` says that the API serves less afterwards: then it may be one that no longer fits Odoo.
    """

    def work(root: Environment) -> None:
        current = store.get(root.cr, api_id)
        if current is None or current.revision != revision:
            raise store.Stale(current)
        values = {**current.document, **keys}
        if taking_away:
            document = ApiDocument.model_validate(values).model_dump(mode="json")
        else:
            document = _checked(root, values, api_id)
        store.replace(root.cr, api_id, revision, document)

    try:
        transactions.change(work)
    except store.Stale as error:
        raise Conflict(
            "Somebody else has changed this API in the meantime. Nothing has been done: look at it and try again."
        ) from error


def delete(api_id: int, revision: int) -> None:
    """Delete an API; raises Conflict where somebody else has changed it."""
    try:
        transactions.change(lambda root: store.remove(root.cr, api_id, revision))
    except store.Stale as error:
        raise Conflict("Somebody else has changed this API in the meantime. It has not been deleted.") from error


def compiled(root: Environment, document: ApiDocument) -> Definition:
    """Return a document compiled for looking at it."""
    return compile_document(document, OdooSource(root, known_models(root)))


def as_yaml(document: Mapping[str, Any]) -> str:
    """Return one definition as a file would hold it, without defaults and client apps; also one that is not valid."""
    return files.text_of(document)


def difference(theirs: str, mine: str) -> list[tuple[str, str]]:
    """Return the lines of two texts with ``+`` (mine), ``-`` (theirs) or a space."""
    return [(line[:1], line[2:]) for line in difflib.ndiff(theirs.splitlines(), mine.splitlines()) if line[:1] != "?"]


def _check(root: Environment, values: Mapping[str, Any], api_id: int | None) -> tuple[Definition | None, list[Problem]]:
    others = [api for api in store.load(root.cr).apis if api.id != api_id]
    return checks.check(values, others, root, known_models(root))


def _checked(root: Environment, values: Mapping[str, Any], api_id: int | None) -> dict[str, Any]:
    definition, problems = _check(root, values, api_id)
    if problems or definition is None:
        raise Invalid(problems)
    return definition.document.model_dump(mode="json")
