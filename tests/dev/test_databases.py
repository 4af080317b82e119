"""Tests for dropping databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg2 import errors, sql

from dev import databases
from dev.postgres import PostgresServer

SERVER = PostgresServer(port=1, user="odoo", password="unused")


def test_a_database_in_which_autovacuum_is_at_work_is_dropped_when_that_is_done(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refusals = [errors.InsufficientPrivilege("permission denied to terminate process")] * 2
    asked: list[str] = []

    def execute(server: PostgresServer, statement: sql.Composed) -> None:
        asked.append(repr(statement))
        if refusals:
            raise refusals.pop()

    monkeypatch.setattr(databases, "_execute", execute)
    databases.drop(SERVER, "busy", tmp_path)
    assert len(asked) == 3


def test_a_database_that_may_not_be_dropped_is_an_error_in_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def execute(server: PostgresServer, statement: sql.Composed) -> None:
        raise errors.InsufficientPrivilege

    monkeypatch.setattr(databases, "_execute", execute)
    monkeypatch.setattr(databases, "AUTOVACUUM_SECONDS", 0.0)
    with pytest.raises(errors.InsufficientPrivilege):
        databases.drop(SERVER, "busy", tmp_path)
