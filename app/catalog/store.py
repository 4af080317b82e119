"""Definitions and settings in the database: read whole, written one by one, in the transaction of the cursor given.

Two writers at once can't both succeed on what they have read: PostgreSQL refuses whoever comes second to ``claim``
(repeatable read), and ``Transactions.run`` begins it anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg2.extras import Json

#: Query for the version of the catalog.
VERSION = "SELECT version FROM gatehouse.catalog_version"
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


class Stale(Exception):
    """Somebody else has changed or deleted the API; ``current`` is what is stored now, None where it is gone."""

    def __init__(self, current: StoredApi | None) -> None:
        super().__init__("changed by somebody else")
        self.current = current


def claim(cr: Any) -> None:
    """Let nobody else change the catalog until this transaction ends; called before anything is read of it."""
    cr.execute("SELECT 1 FROM gatehouse.catalog_version FOR UPDATE")


def version(cr: Any) -> int:
    """Return the version of the catalog: it grows with each change."""
    cr.execute(VERSION)
    found: int = cr.fetchone()[0]
    return found


def load(cr: Any) -> Stored:
    """Return everything; the version is read first, so that a change in between is noticed next time."""
    read_first = version(cr)
    cr.execute("SELECT key, value FROM gatehouse.setting")
    settings = dict(cr.fetchall())
    cr.execute("SELECT id, revision, document FROM gatehouse.api ORDER BY id")
    return Stored(read_first, settings, tuple(StoredApi(*row) for row in cr.fetchall()))


def get(cr: Any, api_id: int) -> StoredApi | None:
    """Return one API, or None."""
    cr.execute("SELECT id, revision, document FROM gatehouse.api WHERE id = %s", (api_id,))
    row = cr.fetchone()
    return StoredApi(*row) if row else None


def revision(cr: Any, api_id: int) -> int | None:
    """Return the revision of an API, or None where there is none."""
    cr.execute("SELECT revision FROM gatehouse.api WHERE id = %s", (api_id,))
    row = cr.fetchone()
    return row[0] if row else None


def named(cr: Any, names: Iterable[str]) -> dict[str, StoredApi]:
    """Return those APIs that there are of these names, by name."""
    cr.execute("SELECT id, revision, document FROM gatehouse.api WHERE name = ANY(%s)", (list(names),))
    found = [StoredApi(*row) for row in cr.fetchall()]
    return {api.document["name"]: api for api in found}


def allowing(cr: Any, client: str) -> list[StoredApi]:
    """Return the APIs that name this client app, by name."""
    cr.execute(
        "SELECT id, revision, document FROM gatehouse.api WHERE document->'clients' ? %s ORDER BY name", (client,)
    )
    return [StoredApi(*row) for row in cr.fetchall()]


def insert(cr: Any, document: Mapping[str, Any]) -> int:
    """Store a new API that has been checked, and return its id."""
    cr.execute("INSERT INTO gatehouse.api (document) VALUES (%s) RETURNING id", (Json(dict(document)),))
    api_id: int = cr.fetchone()[0]
    return api_id


def update(cr: Any, api_id: int, document: Mapping[str, Any]) -> None:
    """Store a definition that was made from what this transaction has read."""
    cr.execute(
        "UPDATE gatehouse.api SET document = %s, revision = revision + 1, changed_at = now() WHERE id = %s",
        (Json(dict(document)), api_id),
    )


def replace(cr: Any, api_id: int, revision: int, document: Mapping[str, Any]) -> None:
    """Store a definition that was made from this revision; raises Stale where there is a newer one."""
    current = get(cr, api_id)
    if current is None or current.revision != revision:
        raise Stale(current)
    if current.document != document:
        update(cr, api_id, document)


def remove(cr: Any, api_id: int, revision: int) -> None:
    """Delete an API as of this revision; raises Stale where there is a newer one."""
    current = get(cr, api_id)
    if current is None or current.revision != revision:
        raise Stale(current)
    cr.execute("DELETE FROM gatehouse.api WHERE id = %s", (api_id,))


def changes(stored: Stored, documents: list[dict[str, Any]], *, prune: bool) -> Changes:
    """Return the changes from the stored documents to these; with ``prune``, APIs that they do not name go."""
    existing = {api.document["name"]: api.document for api in stored.apis}
    names = {document["name"] for document in documents}
    return Changes(
        created=tuple(name for name in (document["name"] for document in documents) if name not in existing),
        updated=tuple(
            document["name"] for document in documents if existing.get(document["name"], document) != document
        ),
        deleted=tuple(name for name in existing if prune and name not in names),
    )


def write(
    cr: Any, stored: Stored, documents: list[dict[str, Any]], changed: Changes, *, defaults: dict[str, Any] | None
) -> None:
    """Do the ``changes`` that make these documents of what is stored; ``defaults`` None leaves those that are there.

    Where all is as it should be nothing is sent: a statement raises the catalog's version whether it finds rows or not.
    """
    existing = {api.document["name"]: api for api in stored.apis}
    wanted = {document["name"]: document for document in documents}
    if changed.deleted:
        cr.execute("DELETE FROM gatehouse.api WHERE name = ANY(%s)", (list(changed.deleted),))
    # Routes are unique, and two APIs may swap theirs: give every row that changes its own a passing one first.
    moving = [name for name in changed.updated if existing[name].document["route"] != wanted[name]["route"]]
    if moving:
        cr.execute(
            "UPDATE gatehouse.api SET document = jsonb_set(document, '{route}', to_jsonb('/api/_moving/' || id)) "
            "WHERE name = ANY(%s)",
            (moving,),
        )
    for name in changed.created:
        insert(cr, wanted[name])
    for name in changed.updated:
        update(cr, existing[name].id, wanted[name])
    if defaults is not None and defaults != stored.settings.get(DEFAULTS):
        set_defaults(cr, defaults)


def set_defaults(cr: Any, defaults: Mapping[str, Any]) -> None:
    """Store the defaults for new APIs."""
    set_setting(cr, DEFAULTS, dict(defaults))


def set_setting(cr: Any, key: str, value: Any) -> None:
    """Store a system-wide setting."""
    cr.execute(
        "INSERT INTO gatehouse.setting (key, value) VALUES (%s, %s) "
        "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
        (key, Json(value)),
    )
