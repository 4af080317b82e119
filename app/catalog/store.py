"""Definitions in the database: read whole, written one by one under the rules of the schema.

In SQL, as all that the server reads and writes itself: SQLAlchemy's ORM and the models (``schema``) take 7 MB of every
worker, and only migrations and the tests need them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, text

#: Setting that holds the defaults for new APIs.
DEFAULTS = "defaults"


@dataclass(frozen=True, slots=True)
class StoredApi:
    """One row of ``gatehouse.api``."""

    id: int
    revision: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """All that the catalog is compiled from, as of one version."""

    version: int
    settings: dict[str, Any]
    apis: tuple[StoredApi, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Names of APIs that a write touched."""

    created: tuple[str, ...]
    updated: tuple[str, ...]
    deleted: tuple[str, ...]


def version(engine: Engine) -> int:
    """Return the number that rises with every change."""
    with engine.connect() as connection:
        return _version(connection)


def load(engine: Engine) -> Stored:
    """Return everything; the version is read first, so that a change in between is noticed next time."""
    with engine.connect() as connection:
        number = _version(connection)
        settings = {row.key: row.value for row in connection.execute(text("SELECT key, value FROM gatehouse.setting"))}
        rows = connection.execute(text("SELECT id, revision, document FROM gatehouse.api ORDER BY id"))
        return Stored(number, settings, tuple(StoredApi(row.id, row.revision, row.document) for row in rows))


def write(engine: Engine, documents: list[dict[str, Any]], *, defaults: dict[str, Any] | None, prune: bool) -> Changes:
    """Create or update APIs by name, in one transaction; with ``prune``, delete those that are not named.

    Returns the names of what changed. Nothing is written where a definition stays as it was.
    """
    names = {document["name"] for document in documents}
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT name, document FROM gatehouse.api ORDER BY id FOR UPDATE"))
        existing = {row.name: row.document for row in rows}
        doomed = [name for name in existing if prune and name not in names]
        changed = [
            document
            for document in documents
            if document["name"] in existing and existing[document["name"]] != document
        ]
        created = [document for document in documents if document["name"] not in existing]
        _each(connection, "DELETE FROM gatehouse.api WHERE name = :name", [{"name": name} for name in doomed])
        # Routes are unique, and two APIs may swap theirs: give every changed row a passing route first.
        _each(
            connection,
            "UPDATE gatehouse.api SET document = jsonb_set(CAST(:document AS jsonb), '{route}', "
            "to_jsonb('/api/_moving/' || id)) WHERE name = :name",
            _parameters(changed),
        )
        _each(
            connection,
            "UPDATE gatehouse.api SET document = CAST(:document AS jsonb), revision = revision + 1, changed_at = now() "
            "WHERE name = :name",
            _parameters(changed),
        )
        _each(
            connection,
            "INSERT INTO gatehouse.api (document) VALUES (CAST(:document AS jsonb))",
            _parameters(created),
        )
        if defaults is not None:
            _set(connection, DEFAULTS, defaults)
    return Changes(
        created=tuple(document["name"] for document in created),
        updated=tuple(document["name"] for document in changed),
        deleted=tuple(doomed),
    )


def changes(stored: Stored, documents: list[dict[str, Any]], *, prune: bool) -> Changes:
    """Return what ``write`` would do to what is stored."""
    existing = {api.document["name"]: api.document for api in stored.apis}
    names = {document["name"] for document in documents}
    return Changes(
        created=tuple(name for name in (document["name"] for document in documents) if name not in existing),
        updated=tuple(
            document["name"] for document in documents if existing.get(document["name"], document) != document
        ),
        deleted=tuple(name for name in existing if prune and name not in names),
    )


def delete(engine: Engine, names: list[str]) -> None:
    """Delete APIs by name; those that are not there are passed over."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM gatehouse.api WHERE name = ANY(:names)"), {"names": names})


def _version(connection: Connection) -> int:
    number: int = connection.execute(text("SELECT version FROM gatehouse.catalog_version")).scalar_one()
    return number


def _set(connection: Connection, key: str, value: Any) -> None:
    """Store a setting; one that stays as it was is not written."""
    connection.execute(
        text(
            "INSERT INTO gatehouse.setting AS s (key, value) VALUES (:key, CAST(:value AS jsonb)) "
            "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value WHERE s.value <> EXCLUDED.value"
        ),
        {"key": key, "value": json.dumps(value)},
    )


def _each(connection: Connection, statement: str, parameters: list[dict[str, str]]) -> None:
    """Run a statement once for each set of parameters."""
    if parameters:
        connection.execute(text(statement), parameters)


def _parameters(documents: list[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"name": document["name"], "document": json.dumps(document)} for document in documents]
