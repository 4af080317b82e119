"""A live server beside a database that another version migrates, and a server that does not fit what it finds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from app.catalog.schema_version import KNOWN
from dev.testbed import Testbed
from tests.server.conftest import ROOT, Server, checkout, environment_of, serving, wait_until
from tests.server.load import Load

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

#: Of a version that is newer by one: new columns in tables that calls read and write, and a word on older versions.
_MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = {head!r}
loses = "a column"
TABLES = ("token", "audit", "request_log", "api")


def upgrade():
    for table in TABLES:
        op.add_column(table, sa.Column("newer", sa.Text), schema="gatehouse")
    op.execute("UPDATE gatehouse.compatibility SET oldest_code = {oldest!r}")


def downgrade():
    op.execute("UPDATE gatehouse.compatibility SET oldest_code = {head!r}")
    for table in TABLES:
        op.drop_column(table, "newer", schema="gatehouse")
"""


@dataclass(frozen=True)
class Newer:
    """A checkout of a version that is newer by one migration."""

    root: Path
    environment: dict[str, str]

    def write(self, oldest: str) -> None:
        """Say which version is the oldest that may work on what it makes."""
        text = _MIGRATION.format(head=KNOWN[-1], oldest=oldest)
        (self.root / "migrations" / "versions" / "9999_newer.py").write_text(text)

    def flask(self, *arguments: str) -> str:
        """Run a command of that version, which has to succeed."""
        command = [sys.executable, "-m", "flask", "--app", "newer:create_app()", *arguments]
        done = subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def live(testbed: Testbed, tmp_path: Path) -> Iterator[Server]:
    """A running server of this version, on a database of its own."""
    with serving(testbed, f"gatehouse_migrated_{os.getpid()}", tmp_path / "log") as server:
        yield server


@pytest.fixture
def newer(testbed: Testbed, live: Server, tmp_path: Path) -> Newer:
    """A version that is newer by one migration, and works on the same database."""
    root = checkout(tmp_path / "newer")
    (root / "migrations").unlink()
    (root / "migrations" / "versions").mkdir(parents=True)
    for file in (*(ROOT / "migrations").glob("*.*"), *(ROOT / "migrations" / "versions").glob("*.py")):
        (root / file.relative_to(ROOT)).symlink_to(file)
    (root / "migrations" / "tables").symlink_to(ROOT / "migrations" / "tables")
    # Flask takes the folder of the file itself, past the links, for the one to import from.
    (root / "newer.py").write_text("from app.factory import create_app")
    return Newer(root, environment_of(testbed, live.database))


def test_a_server_serves_on_while_another_version_migrates_and_after_a_way_back(
    live: Server, newer: Newer, testbed: Testbed
) -> None:
    newer.write(KNOWN[-1])
    cookies, url = live.session().cookies, f"{live.url}/api/partner/rest"
    record = requests.post(url, json={"name": "before"}, cookies=cookies, timeout=60).json()["result"]["id"]

    def write() -> int:
        answer = requests.patch(f"{url}/{record}", json={"phone": "1"}, cookies=cookies, timeout=60)
        return answer.status_code

    def read() -> int:
        return requests.get(f"{url}?limit=2", cookies=cookies, timeout=60).status_code

    with Load([read, write, lambda: requests.get(f"{live.url}/readyz", timeout=60).status_code], pause=0.02) as load:
        load.wait_for(9)
        assert "now it is at 9999" in newer.flask("db", "upgrade")
        load.wait_for(9)
        # Back to the version of before: its own upgrade does nothing, and it starts.
        assert "nothing was done" in live.flask("db", "upgrade").stdout
        before = set(live.worker_pids())
        live.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(set(live.worker_pids()) - before) == 2, 120, lambda: live.log.read_text()[-3000:])
        wait_until(lambda: not set(live.worker_pids()) & before, 60, lambda: live.log.read_text()[-3000:])
        load.wait_for(9)
        assert f"now it is at {KNOWN[-1]}" in newer.flask("db", "downgrade", KNOWN[-1], "--yes")
        load.wait_for(9)
    assert set(load.since(0)) == {200}


def test_a_server_does_not_start_on_a_schema_that_does_not_fit_and_says_why(
    live: Server, newer: Newer, testbed: Testbed
) -> None:
    newer.write("9999")
    newer.flask("db", "upgrade")
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"]
    for arguments in ([], ["--check-config"]):
        environment = {**newer.environment, "GATEHOUSE_BIND": "127.0.0.1:0"}
        done = subprocess.run(
            [*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode != 0
        assert "Gatehouse can't start: The schema gatehouse is at 9999, which asks for code of" in done.stderr
        assert "Traceback" not in done.stderr
    # So a reload to it is refused, and what runs stays.
    before = set(live.worker_pids())
    live.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "does not start" in live.log.read_text(), 120)
    assert set(live.worker_pids()) == before
