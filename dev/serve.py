"""`make serve`: prepare, migrate, import the demo's definitions once, serve and deliver webhooks until Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from dev import bind, databases, delivery, existing, greeting, local, paths, web
from dev.bind import Address
from dev.local import Local
from dev.steps import run, say, step
from serving import environment_file


def main() -> None:
    """Serve until a signal asks us to end. Raises SetupError."""
    environment_file.load()
    address = bind.parse(os.environ.get("GATEHOUSE_BIND") or bind.DEFAULT)
    bind.check_free(address)
    if os.environ.get("GATEHOUSE_ODOO_CONF"):
        env = {**os.environ, **existing.settings()}
        migrate(env)
        serve(address, env, greeting.existing())
        return
    with local.prepared() as here:
        env = {**databases.environment(here.source), **here.environment}
        with local.alone():
            migrate(env)
            import_demo(here, env)
        # In data_dir, which is closed to others, as the cookie opens a session.
        cookies = local.data_dir() / "cookies.txt"
        serve(address, env, greeting.demo(address, here.database, cookies) if here.database == local.DEMO else "")


def migrate(env: Mapping[str, str]) -> None:
    """Bring the schema `gatehouse` up to date. Raises SetupError."""
    with step("Updating the schema gatehouse"):
        flask(env, "migrate.log", "Updating the schema gatehouse", "db", "upgrade")


def import_demo(here: Local, env: Mapping[str, str]) -> None:
    """Import the demo's definitions into a demo database that is new; later they belong to the user."""
    if databases.comment(here.server, here.database) != local.PENDING:
        return
    with step("Importing the demo's API definitions"):
        flask(env, "import.log", "Importing the demo's API definitions", "api", "import", paths.DEMO_DEFINITIONS)
        databases.set_comment(here.server, here.database, local.COMPLETE)


def flask(env: Mapping[str, str], log: str, what: str, *arguments: str | Path) -> None:
    """Run a command of the application. Raises SetupError."""
    command = [sys.executable, "-m", "flask", *arguments]
    todo = "Correct what the message names, then run the same command again."
    run(command, log=paths.LOGS / log, what=what, todo=todo, env=env, cwd=paths.ROOT)


def serve(address: Address, env: Mapping[str, str], text: str) -> None:
    """Run gunicorn, and what delivers webhooks, until a signal asks us to end. Raises SetupError."""
    say(f"- Starting gunicorn on {address} ...")
    env = {**env, "GATEHOUSE_BIND": str(address)}
    with web.running(web.GUNICORN, env) as process:
        web.wait_ready(process, address)
        with delivery.beside(process, env) as delivering, web.until_stopped():
            say(greeting.ready(address))
            say(greeting.webhooks(delivery.log(), env.get(local.NETWORKS, "")))
            say(text)
            web.watch(process, meanwhile=delivering.look)
