"""The revision of our own tables, and whether this code works on it. Read in SQL: Alembic is for migrations alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import migrations


def _revisions() -> tuple[str, ...]:
    """Return the revisions of the folder ``migrations/versions``, whose files begin with them, the oldest first."""
    files = (Path(migrations.__file__).parent / "versions").glob("[0-9]*_*.py")
    return tuple(sorted(file.name.partition("_")[0] for file in files))


#: Revisions that this code knows. Read as the process starts: below a server that runs, a checkout changes the files.
KNOWN = _revisions()


class SchemaError(Exception):
    """The schema is not as it has to be; the text says what to do."""


class SchemaMismatch(SchemaError):
    """This code does not work on the schema; ``name`` is stable."""

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class SchemaVersion:
    """Version of the schema ``gatehouse``, as the database says it.

    ``revision`` is None where there is no schema. ``oldest_code`` is the oldest revision of code that may work on it
    (migration 0007), None in databases of before.
    """

    revision: str | None
    oldest_code: str | None

    def is_newer(self, known: Sequence[str] = KNOWN) -> bool:
        """True if code that is newer than this one has made it."""
        return self.revision is not None and self.revision not in known

    def problem(self, known: Sequence[str] = KNOWN) -> SchemaMismatch | None:
        """Return the reason for which code that knows these revisions does not work on it, or None."""
        if self.revision is None:
            return SchemaMismatch(
                "The database has no schema gatehouse yet: run `flask db upgrade`.", "schema_outdated"
            )
        if self.is_newer(known):
            if self.oldest_code in known:
                return None
            return SchemaMismatch(
                f"The schema gatehouse is at {self.revision}, which asks for code of revision "
                f"{self.oldest_code or self.revision} or newer, and this version ends at {known[-1]}. Use a newer "
                f"version, or go back with that version's `flask db downgrade {known[-1]}`.",
                "schema_too_new",
            )
        if self.revision != known[-1]:
            return SchemaMismatch(
                f"The schema gatehouse is at {self.revision}, and this version needs {known[-1]}: "
                "run `flask db upgrade`.",
                "schema_outdated",
            )
        return None


def read(cr: Any) -> SchemaVersion:
    """Return the version of the schema, with any cursor of the database."""
    cr.execute("SELECT to_regclass('gatehouse.alembic_version'), to_regclass('gatehouse.compatibility')")
    has_revision, has_oldest = cr.fetchone()
    return SchemaVersion(
        revision=_value(cr, "SELECT version_num FROM gatehouse.alembic_version") if has_revision else None,
        oldest_code=_value(cr, "SELECT oldest_code FROM gatehouse.compatibility") if has_oldest else None,
    )


def check(cr: Any) -> SchemaVersion:
    """Return the version of the schema; raises SchemaMismatch where this code does not work on it."""
    version = read(cr)
    problem = version.problem()
    if problem is not None:
        raise problem
    return version


def _value(cr: Any, query: str) -> str | None:
    cr.execute(query)
    row = cr.fetchone()
    return row[0] if row else None
