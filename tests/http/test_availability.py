"""What a client sees when the database is away, busy or slow."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

import pytest
from psycopg2 import errors as pg

from app.web.routing import Gatehouse
from dev.testbed import Testbed
from odoo_bridge import records
from odoo_bridge.sessions import http
from odoo_bridge.transaction import Limits
from tests.conftest import OPERATOR
from tests.http.conftest import Client, Publish


def test_a_database_that_is_away_is_503_and_all_is_well_when_it_is_back(
    demo: Client, publish: Publish, testbed: Testbed, database: str
) -> None:
    route = publish()
    record = demo.result("POST", route, json={"name": "before"})
    connection = testbed.server.connect()
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))
    try:
        for method, path, options in (
            ("GET", f"{route}/{record['id']}", {}),
            ("POST", route, {"json": {"name": "while away"}}),
            ("GET", "/readyz", {"headers": OPERATOR}),
        ):
            answer = demo(method, path, **options)
            assert answer.status_code == 503, (method, path, answer.text)
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.json["error"]["data"]["name"] == "database_unavailable"
            assert database not in answer.text
        assert demo.error("GET", "/readyz")[1]["data"]["name"] == "not_ready"
        assert demo("GET", "/healthz").status_code == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')
        connection.close()
    assert demo.result("GET", f"{route}/{record['id']}") == record
    assert demo.result("GET", "/readyz")["status"] == "ready"


def test_a_record_that_others_write_all_the_time_is_409(
    demo: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch, app: Gatehouse
) -> None:
    route = publish()
    record = demo.result("POST", route, json={"name": "busy"})
    tries = []

    def conflicting(*arguments: Any) -> None:
        tries.append(1)
        raise pg.SerializationFailure

    monkeypatch.setattr(records, "write", conflicting)
    monkeypatch.setattr(app.services.transactions, "limits", Limits(tries=3))
    status, error = demo.error("PATCH", f"{route}/{record['id']}", json={"name": "x"})
    assert (status, error["data"]["name"], len(tries)) == (409, "conflict", 3)


def test_a_statement_that_takes_too_long_is_503(
    demo: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch, app: Gatehouse, testbed: Testbed, database: str
) -> None:
    route = publish()
    record = demo.result("POST", route, json={"name": "locked"})
    outside = testbed.server.connect(database)
    outside.autocommit = False
    monkeypatch.setattr(app.services.transactions, "limits", Limits(statement_timeout=0.3))
    with outside.cursor() as cursor:
        cursor.execute("SELECT 1 FROM test_record WHERE name = 'locked' FOR UPDATE")
        answer = demo("PATCH", f"{route}/{record['id']}", json={"name": "x"})
    outside.rollback()
    outside.close()
    assert (answer.status_code, answer.json["error"]["data"]["name"]) == (503, "statement_timeout")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_defect_shows_its_request_id_and_nothing_of_the_inside(
    demo: Client, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    route = publish()

    def broken(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("the inside: SELECT secret FROM res_users")

    monkeypatch.setattr(records, "search", broken)
    answer = demo("GET", route)
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in answer.json["error"]["message"]
    for word in ("inside", "SELECT", "RuntimeError", "Traceback"):
        assert word not in answer.text


@pytest.mark.parametrize(
    ("sqlstate", "name"),
    [("53100", "storage_full"), ("53200", "database_overloaded"), ("53400", "database_overloaded")],
)
def test_what_the_database_lacks_has_a_name_of_its_own(
    demo: Client, publish: Publish, sql: Callable[..., Any], sqlstate: str, name: str
) -> None:
    route = publish()
    sql(
        "CREATE FUNCTION lacking() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '{sqlstate}'; END $$"
    )
    sql("CREATE TRIGGER lacking BEFORE INSERT ON test_record FOR EACH ROW EXECUTE FUNCTION lacking()")
    try:
        answer = demo("POST", route, json={"name": "no room"})
    finally:
        sql("DROP FUNCTION lacking CASCADE")
    assert (answer.status_code, answer.json["error"]["data"]["name"]) == (503, name)
    assert int(answer.headers["Retry-After"]) > 0
    assert "extend" not in answer.text
    assert demo.result("POST", route, json={"name": "no room"})["name"] == "no room"


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (errno.ENOSPC, "storage_full"),
        (errno.EDQUOT, "storage_full"),
        (errno.EIO, "session_store_unavailable"),
        (errno.EROFS, "session_store_unavailable"),
    ],
)
def test_a_session_that_cannot_be_kept_says_whether_the_disk_is_full(
    anyone: Client, database: str, monkeypatch: pytest.MonkeyPatch, number: int, name: str
) -> None:
    def save(*arguments: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(http.root.session_store, "save", save)
    params = {"db": database, "login": "demo", "password": "demo"}
    assert anyone.refusal("POST", "/web/session/authenticate", json={"jsonrpc": "2.0", "params": params}) == (503, name)


def test_a_session_that_cannot_be_ended_is_no_log_out(
    app: Gatehouse, database: str, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    route, person = publish("res.partner"), Client(app)
    person.log_in(database, "demo", "demo")
    cookie = person.http.get_cookie("session_id")
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        status, error = person.error("POST", "/web/session/destroy", json={})
    assert (status, error["data"]["name"]) == (503, "session_store_unavailable")
    assert cookie is not None
    person.http.set_cookie("session_id", cookie.value)
    assert person("GET", route).status_code == 200
