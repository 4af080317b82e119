"""What ``/readyz`` looks at, and what strangers and ops are told of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.pool import PoolError

from app import readiness
from app.analytics.logged_calls import LoggedCall
from app.catalog import migrating
from app.catalog.schema_version import KNOWN
from app.web.routing import Gatehouse
from dev.testbed import Testbed
from odoo_bridge import connections, direct_reads, storage
from odoo_bridge.boot import Instance
from odoo_bridge.errors import Unavailable
from tests.conftest import OPERATOR
from tests.http.conftest import Client, Sql
from tests.server.conftest import ROOT, wait_until


def _ready(anyone: Client) -> tuple[str, dict[str, Any]]:
    """Return the name of what is wrong, '' where nothing is, and all checks."""
    answer = anyone("GET", "/readyz", headers=OPERATOR)
    if answer.status_code == 200:
        return "", answer.json["result"]["checks"]
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
    return answer.json["error"]["data"]["name"], answer.json["error"]["data"]["checks"]


def _wait_for(anyone: Client, name: str) -> dict[str, Any]:
    """Wait until that is wrong: good results are remembered for a moment; return all checks."""
    wait_until(lambda: _ready(anyone)[0] == name, 60, lambda: str(_ready(anyone)))
    status, error = anyone.error("GET", "/readyz") if name else (200, {})
    if name:  # a stranger learns nothing of it
        assert (status, error["message"]) == (503, "Not ready.")
        assert error["data"].keys() == {"name", "message", "request_id"}
    return _ready(anyone)[1]


def test_ops_see_each_check_and_its_state(anyone: Client) -> None:
    checks = _wait_for(anyone, "")
    assert list(checks) == [
        "stopping",
        "database",
        "schema",
        "addons",
        "registry",
        "catalog",
        "data_dir",
        "session_store",
        "disk_space",
        "request_log",
    ]
    assert {check["state"] for check in checks.values()} == {"ok"}
    assert (checks["schema"]["revision"], checks["schema"]["code"]) == (KNOWN[-1], KNOWN[-1])
    assert checks["disk_space"]["free_bytes"] > 0


def test_the_docs_tell_of_each_check_in_its_order(anyone: Client) -> None:
    page = (ROOT / "docs" / "readiness.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(_wait_for(anyone, ""))


@pytest.fixture
def schema(app: Gatehouse, sql: Sql) -> Iterator[Sql]:
    """The schema may be made another one: it is what it was afterwards."""
    yield sql
    sql("UPDATE gatehouse.alembic_version SET version_num = %s", KNOWN[-1])
    migrating.upgrade(app.services.database)


def test_a_schema_that_is_too_old_is_told_with_what_to_do(anyone: Client, schema: Sql) -> None:
    schema("UPDATE gatehouse.alembic_version SET version_num = %s", KNOWN[-2])
    checks = _wait_for(anyone, "schema_outdated")
    assert "run `flask db upgrade`" in checks["schema"]["message"]
    schema("UPDATE gatehouse.alembic_version SET version_num = %s", KNOWN[-1])
    _wait_for(anyone, "")


def test_a_schema_that_is_newer_is_ready_where_it_allows(anyone: Client, schema: Sql) -> None:
    schema("UPDATE gatehouse.alembic_version SET version_num = '9999'")
    wait_until(lambda: _ready(anyone)[1]["schema"].get("revision") == "9999", 60)
    assert _ready(anyone)[0] == ""
    ((oldest,),) = schema("SELECT oldest_code FROM gatehouse.compatibility")
    schema("UPDATE gatehouse.compatibility SET oldest_code = '9998'")
    try:
        checks = _wait_for(anyone, "schema_too_new")
        assert "revision 9998 or newer" in checks["schema"]["message"]
    finally:
        schema("UPDATE gatehouse.compatibility SET oldest_code = %s", oldest)


def test_a_log_that_cannot_be_written_is_told_and_takes_no_host_out(
    app: Gatehouse,
    anyone: Client,
    testbed: Testbed,
    database: str,
    sql: Sql,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readiness, "LOG_PATIENCE", 0.5)
    recorder = app.services.recorder
    row = LoggedCall(datetime.now(timezone.utc), "waits", 0, "GET /", "/", 200, None, None, None, None, None, "", 1.0)
    outside = psycopg2.connect(testbed.dsn(database))
    with outside.cursor() as cursor:
        cursor.execute("LOCK TABLE gatehouse.request_log IN ACCESS EXCLUSIVE MODE")
        recorder.record(row)
        wait_until(lambda: _ready(anyone)[1]["request_log"]["state"] == "degraded", 60)
        name, checks = _ready(anyone)
        assert (name, checks["request_log"]["name"]) == ("", "request_log_behind")
        assert "are not written" in checks["request_log"]["message"]
        assert anyone.result("GET", "/readyz", headers=OPERATOR)["status"] == "degraded"
        assert anyone.result("GET", "/readyz") == {"status": "ready"}
        outside.rollback()
    outside.close()
    wait_until(lambda: sql("SELECT 1 FROM gatehouse.request_log WHERE request_id = 'waits'"), 60)
    wait_until(lambda: recorder.lag() == 0, 60)
    assert anyone.result("GET", "/readyz", headers=OPERATOR)["status"] == "ready"


def _problems(app: Gatehouse, **settings: Any) -> list[str]:
    parts = app.services
    changed = replace(parts.settings, **settings)
    checks = readiness.make_checks(
        changed, parts.instance, parts.transactions, parts.catalog, parts.recorder, parts.addons
    )
    return [found.problem.name for found in checks.findings() if found.problem]


def test_a_pool_that_calls_use_up_does_not_make_a_host_unready(
    app: Gatehouse, anyone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    anyone.result("GET", "/readyz")  # the catalog is loaded
    monkeypatch.setattr(connections, "cursor", _full)
    assert _problems(app) == []
    # It is looked at all the same.
    monkeypatch.setattr(connections, "connect_beside", _refuse)
    assert _problems(app) == ["database_unavailable", "database_unavailable"]


def _full(database: str, settings: str) -> None:
    raise PoolError("The Connection Pool Is Full")


def _refuse(database: str) -> None:
    raise psycopg2.OperationalError("connection refused")


def test_the_checks_take_one_connection_after_the_other(app: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most = 0, 0
    read = direct_reads.read

    def counting(*arguments: Any, **options: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        time.sleep(0.2)  # that the other check, which has begun at the same time, is here too
        try:
            return read(*arguments, **options)
        finally:
            at_once -= 1

    monkeypatch.setattr(direct_reads, "read", counting)
    wait_until(lambda: _problems(app) == [], 60)
    assert most == 1


def test_a_disk_that_is_nearly_full_is_told_by_the_threshold(app: Gatehouse, anyone: Client) -> None:
    anyone.result("GET", "/readyz")  # the catalog is loaded
    assert _problems(app, min_free_space=10**18) == ["storage_full"]
    assert _problems(app, min_free_space=0) == []


def test_a_trial_leaves_nothing_in_the_filestore(tmp_path: Path) -> None:
    instance = Instance("db", tmp_path, {})
    storage.try_filestore(instance)
    assert list(tmp_path.rglob("*")) == []
    (tmp_path / "filestore" / "db").mkdir(parents=True)
    storage.try_filestore(instance)
    assert [path.name for path in tmp_path.rglob("*")] == ["filestore", "db"]


def test_a_data_folder_that_is_missing_is_told_and_not_made(tmp_path: Path) -> None:
    folder = tmp_path / "not mounted" / "data"
    with pytest.raises(Unavailable, match=f"{folder}.*: No such file") as caught:
        storage.try_filestore(Instance("db", folder, {}))
    assert caught.value.name == "data_dir_unavailable"
    assert list(tmp_path.iterdir()) == []


def test_a_filestore_that_is_no_folder_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "filestore").mkdir()
    (tmp_path / "filestore" / "db").touch()
    with pytest.raises(Unavailable, match=str(tmp_path)) as caught:
        storage.try_filestore(Instance("db", tmp_path, {}))
    assert caught.value.name == "data_dir_unavailable"
