"""Behind PgBouncer: in session mode, and in transaction mode, where no two transactions need share a connection."""

from __future__ import annotations

import contextlib
import dataclasses
import json
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
from tests.server.commands import run_flask
from tests.server.conftest import ROOT, Server, environment_of, free_port, gunicorn, running, wait_until
from tests.server.receivers import receiving
from tests.server.test_webhooks import COMMAND

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


_APIS = """
apis: [{{name: {name}, route: /api/{name}, published: true, id_obfuscation: false, clients: [{name}], webhooks: true,
        endpoints: {{delta: true}}, models: [{{model: res.partner, fields: [name]}}]}}]
clients: [{{name: {name}, user: admin, scopes: [search]}}]
"""


def test_webhooks_are_delivered_and_each_process_that_delivers_has_its_turns(
    pooled: Testbed, server: Server, tmp_path: Path
) -> None:
    name, document = f"told{pooled.port}", tmp_path / "told.yaml"
    document.write_text(_APIS.format(name=name))
    server.flask("api", "import", str(document))
    environment = {**environment_of(pooled, server.database), "GATEHOUSE_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    with contextlib.ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        domain = json.dumps([["name", "like", name]])
        create = ("webhook", "create", name, receiver.url, "--api", name, "--domain", domain, "--json")
        made: list[str] = []

        def is_made() -> bool:
            done = run_flask(create, environment, check=False)
            made.append(done.stdout + done.stderr)
            return done.returncode == 0

        wait_until(is_made, 60, lambda: made[-1])
        webhook, _ = json.JSONDecoder().raw_decode(made[-1])
        logs = [tmp_path / f"log {number}" for number in range(2)]
        for log in logs:
            stack.enter_context(running(COMMAND, log, ROOT, environment))
        wait_until(lambda: all("Webhooks are followed" in log.read_text() for log in logs), 60)
        session, route = server.session(), f"{server.url}{API}"
        for number in range(20):
            assert session.post(route, json={"name": f"{name} {number}"}, timeout=30).ok
        wait_until(lambda: len(receiver.told()) >= 20, 60, lambda: "".join(log.read_text() for log in logs))
        assert [kind for kind, _ in receiver.told()] == ["created"] * 20
        for message in receiver.messages:
            message.verify(webhook["secret"])
        run_flask(["webhook", "delete", webhook["id"], "--yes"], environment)
    for log in logs:
        assert "can't be served" not in log.read_text(), log.read_text()
    document.write_text(document.read_text().replace("published: true", "published: false"))
    server.flask("api", "import", str(document))
