"""Which schema this code works on."""

from __future__ import annotations

import pytest

from app.catalog.schema_version import SchemaVersion

KNOWN = ("0001", "0002", "0003")


@pytest.mark.parametrize(
    ("revision", "oldest_code", "name", "told"),
    [
        pytest.param("0003", "0001", None, "", id="its own"),
        pytest.param("0003", None, None, "", id="its own, from before the table"),
        pytest.param(None, None, "schema_outdated", "flask db upgrade", id="none"),
        pytest.param("0002", "0001", "schema_outdated", "needs 0003: run `flask db upgrade`", id="older"),
        pytest.param("0005", "0003", None, "", id="newer, which says that it may"),
        pytest.param("0005", "0001", None, "", id="newer, which says that older ones may"),
        pytest.param("0005", "0004", "schema_too_new", "asks for code of revision 0004 or newer", id="newer"),
        pytest.param("0005", None, "schema_too_new", "asks for code of revision 0005 or newer", id="newer, untold"),
        pytest.param("elsewhere", None, "schema_too_new", "flask db downgrade 0003", id="of somebody else"),
    ],
)
def test_a_schema_is_worked_on_where_it_fits(
    revision: str | None, oldest_code: str | None, name: str | None, told: str
) -> None:
    problem = SchemaVersion(revision, oldest_code).problem(KNOWN)
    assert (problem.name if problem else None) == name
    assert told in str(problem or "")
