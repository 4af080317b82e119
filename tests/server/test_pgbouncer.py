"""Behind PgBouncer: in session mode, and in transaction mode, where no two transactions need share a connection."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import requests

from dev.testbed import Testbed
from tests.packages import program
from tests.server.conftest import Server, environment_of, free_port, gunicorn, run_flask, wait_until

pytestmark = pytest.mark.live
API = "/api/partner/rest"


# In session mode each client has a connection of its own; four threads and the watcher of each worker need one. In
# transaction mode one is enough for all of them: nothing that holds a connection waits for another one.
@pytest.fixture(
    params=[("session", 20), ("transaction", 2), ("transaction", 1)],
    ids=["session", "transaction", "transaction with one connection"],
)
def pooled(request: pytest.FixtureRequest, testbed: Testbed, server: Server, tmp_path: Path) -> Iterator[Testbed]:
    """The tests' PostgreSQL through a PgBouncer that has few connections to it, on the shared server's database."""
    (mode, size), port = request.param, free_port()
    (tmp_path / "users.txt").write_text(f'"{testbed.user}" "{testbed.password}"\n')
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "scram-sha-256",
        "auth_file": tmp_path / "users.txt",
        "pool_mode": mode,
        "default_pool_size": size,
        "logfile": tmp_path / "pgbouncer.log",
    }
    lines = ["[databases]", f"* = host={testbed.host} port={testbed.port}", "[pgbouncer]"]
    (tmp_path / "pgbouncer.ini").write_text(
        "\n".join([*lines, *(f"{key} = {value}" for key, value in settings.items())])
    )
    command = [program("pgbouncer", "pgbouncer"), str(tmp_path / "pgbouncer.ini")]
    if os.geteuid() == 0:  # it does not run as root, and could not read root's files as another user
        command = [
            "setpriv",
            "--reuid=nobody",
            "--clear-groups",
            "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
            *command,
        ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    through = dataclasses.replace(testbed, port=port, odoo_conf=tmp_path / "odoo.conf")
    conf = testbed.odoo_conf.read_text().replace(f"db_port = {testbed.port}", f"db_port = {port}")
    through.odoo_conf.write_text(conf)

    def answers() -> bool:
        assert process.poll() is None, (tmp_path / "pgbouncer.log").read_text()
        try:
            psycopg2.connect(through.dsn(server.database)).close()
        except psycopg2.OperationalError:
            return False
        return True

    try:
        wait_until(answers, 30)
        yield through
    finally:
        process.terminate()
        process.wait()


def test_writers_that_meet_and_a_new_definition_come_through(pooled: Testbed, server: Server, tmp_path: Path) -> None:
    with gunicorn(pooled, server.database, tmp_path / "gunicorn.log", GATEHOUSE_STATEMENT_TIMEOUT="7") as behind:
        route, name = f"{behind.url}{API}", f"pooled {pooled.port}"
        record = behind.session().post(route, json={"name": name}).json()["result"]
        outcomes: list[int] = []

        def write(number: int) -> None:
            session = behind.session()
            for turn in range(5):
                changed = session.patch(f"{route}/{record['id']}", json={"phone": f"{number}-{turn}"}, timeout=30)
                found = session.get(route, params={"domain": f"[('name', '=', '{name}')]"}, timeout=30)
                outcomes.extend((changed.status_code, found.json()["result"]["length"]))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes == [200, 1] * 20

        document = tmp_path / "pooled.yaml"
        document.write_text(
            f"apis: [{{name: {name}, route: /api/pooled{pooled.port}, published: true, authentication: public, "
            "run_as: demo, models: [{model: res.partner, fields: [name]}]}]"
        )
        run_flask(["api", "import", str(document)], environment_of(pooled, server.database))
        new = f"{behind.url}/api/pooled{pooled.port}?limit=1"
        wait_until(lambda: requests.get(new, timeout=10).status_code == 200, 30)
        document.write_text(document.read_text().replace("published: true", "published: false"))
        server.flask("api", "import", str(document))

        # What a transaction has set for itself is gone with it: no other client's runs into our time limit. Nor is
        # anything prepared: the next transaction of the same client may come to another connection.
        connection = psycopg2.connect(pooled.dsn(server.database))
        with connection.cursor() as cursor:
            for _ in range(4):
                cursor.execute("SELECT name FROM pg_prepared_statements")
                assert cursor.fetchall() == []
                cursor.execute("SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')")
                assert cursor.fetchone() == ("0", "off")
                connection.rollback()
        connection.close()
