"""Definitions in the database: read whole, written one by one under the rules of the schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from app.catalog.schema import Api, CatalogVersion, Setting

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
    with Session(engine) as session:
        return session.scalars(select(CatalogVersion.version)).one()


def load(engine: Engine) -> Stored:
    """Return everything; the version is read first, so that a change in between is noticed next time."""
    with Session(engine) as session:
        number = session.scalars(select(CatalogVersion.version)).one()
        settings = {row.key: row.value for row in session.scalars(select(Setting))}
        rows = session.scalars(select(Api).order_by(Api.id))
        return Stored(number, settings, tuple(StoredApi(row.id, row.revision, row.document) for row in rows))


def write(engine: Engine, documents: list[dict[str, Any]], *, defaults: dict[str, Any] | None, prune: bool) -> Changes:
    """Create or update APIs by name, in one transaction; with ``prune``, delete those that are not named.

    Returns the names of what changed. Nothing is written where a definition stays as it was.
    """
    names = {document["name"] for document in documents}
    with Session(engine) as session, session.begin():
        existing = {row.name: row for row in session.scalars(select(Api).with_for_update())}
        doomed = [row for name, row in existing.items() if prune and name not in names]
        for row in doomed:
            session.delete(row)
        changed = [
            document
            for document in documents
            if document["name"] in existing and existing[document["name"]].document != document
        ]
        # Routes are unique, and two APIs may swap theirs: give every changed row a passing route first.
        for document in changed:
            row = existing[document["name"]]
            row.document = {**document, "route": f"/api/_moving/{row.id}"}
        session.flush()
        for document in changed:
            row = existing[document["name"]]
            row.document = document
            row.revision += 1
        created = [document for document in documents if document["name"] not in existing]
        session.add_all(Api(document=document) for document in created)
        if defaults is not None:
            session.merge(Setting(key=DEFAULTS, value=defaults))
    return Changes(
        created=tuple(document["name"] for document in created),
        updated=tuple(document["name"] for document in changed),
        deleted=tuple(row.document["name"] for row in doomed),
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
    with Session(engine) as session, session.begin():
        session.execute(sql_delete(Api).where(Api.name.in_(names)))
