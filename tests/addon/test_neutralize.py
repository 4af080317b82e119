"""A copy of a database that Odoo's own command or ours neutralizes: no client app of the original is let in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests

from app.webhooks.secrets import Secrets, Unreadable
from app.webhooks.store import BY_HAND, OF_COPY
from dev import databases, odoo_source
from dev.testbed import Testbed
from tests.server.conftest import serving, wait_until

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]
TABLES = ("token", "authorization_code", "consent", "approval")
_WEBHOOKS = (
    "INSERT INTO gatehouse.webhook (id, client_id, api_id, model, url, events, secret, old_secret, active, reason) "
    "SELECT w.id, c.id, a.id, 'res.partner', 'https://hook.example', '{updated}', 'sealed', 'before', w.id = 'on', "
    f"CASE w.id WHEN 'on' THEN '' ELSE '{BY_HAND}' END "
    "FROM (VALUES ('on'), ('off')) AS w (id), gatehouse.client c, gatehouse.api a WHERE a.name = 'Partners'",
    "INSERT INTO gatehouse.delivery (id, webhook_id, event, record_id, status) "
    "VALUES ('waits', 'on', 'updated', 1, 'pending'), ('told', 'on', 'updated', 1, 'delivered')",
)


def neutralize(testbed: Testbed, database: str, *options: str) -> str:
    """Run Odoo's command on a database in which the addon counts as installed; return its output."""
    execute(testbed, database, "UPDATE ir_module_module SET state = 'installed' WHERE name = 'gatehouse'")
    source = odoo_source.present()
    assert source is not None
    command = [sys.executable, "-m", "odoo", "neutralize", "-c", str(testbed.odoo_conf), "-d", database, *options]
    environment = databases.environment(source)
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert execute(testbed, database, "SELECT count(*) FROM ir_module_module WHERE name = 'gatehouse'") == [(1,)]
    return done.stdout


def execute(testbed: Testbed, database: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement, and return its rows."""
    with closing(psycopg2.connect(testbed.dsn(database))) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.parametrize("program", ["odoo", "flask"])
def test_client_apps_of_the_original_are_not_let_in_any_more(testbed: Testbed, tmp_path: Path, program: str) -> None:
    database = f"gatehouse_copy_{os.getpid()}"
    with serving(testbed, database, tmp_path / "log") as server:

        def rows(statement: str) -> list[tuple[Any, ...]]:
            return execute(testbed, database, statement)

        made = server.flask("client", "create", "Shop", "--api", "Partners", "--user", "demo", "--json").stdout
        credentials = {name: value for name, value in json.loads(made).items() if name != "name"}

        def token(secret: str = credentials["client_secret"]) -> requests.Response:
            form = {"client_id": credentials["client_id"], "client_secret": secret}
            return requests.post(f"{server.url}/api/oauth2/token", data=form, timeout=60)

        headers = {"Authorization": f"Bearer {token().json()['access_token']}"}

        def call() -> int:
            return requests.get(f"{server.url}/api/partner/rest?limit=1", headers=headers, timeout=60).status_code

        assert call() == 200
        for statement in (
            "INSERT INTO gatehouse.authorization_code (lookup, hash, client_id, uid, scopes, redirect_uri, "
            "redirect_uri_given, challenge, family, expires_at) SELECT 'code', 'hash', id, 2, '{read}', "
            "'https://a.example', true, 'c', 'f', now() + interval '1 hour' FROM gatehouse.client",
            "INSERT INTO gatehouse.consent (client_id, uid, scopes) SELECT id, 2, '{read}' FROM gatehouse.client",
            "INSERT INTO gatehouse.approval (lookup, hash, caller, tool, api_id, revision, arguments, condition, way, "
            "text, expires_at) SELECT 'a', 'h', 'user:2', 'a', id, 1, '', '{}', 'argument', '', now() + '1 hour' "
            "FROM gatehouse.api LIMIT 1",
            *_WEBHOOKS,
        ):
            rows(statement)
        key = rows("SELECT value FROM gatehouse.setting WHERE key = 'secret_key'")
        actor = {"odoo": "odoo neutralize", "flask": "flask db neutralize"}[program]
        if program == "odoo":
            neutralize(testbed, database)
        else:
            server.flask("token", "revoke-all", "--everything")
            assert token().status_code == 200  # that alone leaves the secrets good
            assert f"{database} is neutralized." in server.flask("db", "neutralize", "--yes").stdout
        assert [rows(f"SELECT count(*) FROM gatehouse.{table}") for table in TABLES] == [[(0,)]] * len(TABLES)
        assert rows("SELECT name, active FROM gatehouse.client") == [("Shop", False)]
        found = rows("SELECT id, active, reason, secret, old_secret FROM gatehouse.webhook ORDER BY id")
        assert found == [("off", False, BY_HAND, "", None), ("on", False, OF_COPY, "", None)]
        assert rows("SELECT id FROM gatehouse.delivery") == [("told",)]
        with pytest.raises(Unreadable):
            Secrets("any key").open(found[0][3], "off")
        assert OF_COPY in server.flask("webhook", "list").stdout
        ((value,),) = rows("SELECT value FROM gatehouse.setting WHERE key = 'secret_key'")
        assert len(value) == 64
        assert [(value,)] != key
        last = "SELECT actor, kind, name, after->'active' FROM gatehouse.history ORDER BY id DESC LIMIT 1"
        assert rows(last) == [(actor, "client", "Shop", False)]
        # Also where somebody switches it on again: what the original's owner has is worth nothing here.
        wait_until(lambda: call() == 401, 60)
        server.flask("client", "enable", "Shop")
        wait_until(lambda: token().json()["error"] == "invalid_client", 60)
        assert call() == 401
        no_secret = requests.post(
            f"{server.url}/api/oauth2/token", data={"client_id": credentials["client_id"]}, timeout=60
        )
        assert no_secret.status_code == 401
        again = json.loads(server.flask("client", "rotate", "Shop", "--json").stdout)
        wait_until(lambda: token(again["client_secret"]).status_code == 200, 60)


def _first_tables(run: Callable[[str], Any]) -> None:
    """Make the tables those of Gatehouse's very first version."""
    run("CREATE SCHEMA gatehouse; CREATE TABLE gatehouse.setting (key text PRIMARY KEY, value jsonb)")
    run("""INSERT INTO gatehouse.setting VALUES ('secret_key', '"old"'), ('other', '"stays"')""")


@pytest.mark.parametrize("prepare", [None, _first_tables], ids=["no schema", "the first tables alone"])
def test_a_database_without_gatehouse_or_with_an_old_one_is_neutralized_as_ever(
    testbed: Testbed, prepare: Callable[[Callable[[str], Any]], None] | None
) -> None:
    database = f"gatehouse_plain_{os.getpid()}"
    testbed.clone(database)
    try:
        if prepare is not None:
            prepare(lambda statement: execute(testbed, database, statement))
        neutralize(testbed, database)
        flag = "SELECT value FROM ir_config_parameter WHERE key = 'database.is_neutralized'"
        assert execute(testbed, database, flag) == [("true",)]
        if prepare is not None:
            found = dict(execute(testbed, database, "SELECT key, value FROM gatehouse.setting"))
            assert (found["other"], found["secret_key"] != "old") == ("stays", True)
        else:
            assert execute(testbed, database, "SELECT to_regnamespace('gatehouse')") == [(None,)]
        assert "to_regclass('gatehouse.client')" in neutralize(testbed, database, "--stdout")
    finally:
        testbed.drop(database)
