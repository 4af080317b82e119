"""Which database this is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg2

from app.web.routing import Gatehouse
from dev.testbed import Testbed
from odoo_bridge.identity import database_uuid

Root = Callable[..., Any]
Sql = Callable[..., list[tuple[Any, ...]]]


def test_a_database_goes_by_the_uuid_that_odoo_gave_it(root: Root, sql: Sql) -> None:
    assert [(root(database_uuid),)] == sql("SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'")


def test_a_database_without_a_uuid_gets_one(app: Gatehouse) -> None:
    def without(env: Any) -> tuple[str, str]:
        env.cr.execute("DELETE FROM ir_config_parameter WHERE key = 'database.uuid'")
        return database_uuid(env), database_uuid(env)

    made, again = app.services.transactions.run(without, keep=False)
    assert len(made) == 36
    assert again == made


def test_a_copy_of_the_tests_database_has_a_uuid_of_its_own(root: Root, testbed: Testbed) -> None:
    testbed.clone("gatehouse_identity")
    try:
        connection = psycopg2.connect(testbed.dsn("gatehouse_identity"))
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'")
            assert cursor.fetchone() != (root(database_uuid),)
        connection.close()
    finally:
        testbed.drop("gatehouse_identity")
