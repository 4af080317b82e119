"""Prepares the benchmarks' database for Gatehouse, in a process of its own: ``python -m bench.configure``.

Prints what a caller needs as JSON: ``client_id`` and ``client_secret`` of a new client app, and the Odoo user's ``uid``
with a new API ``key``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.catalog.migrating import upgrade
from app.definitions.scopes import SCOPES
from app.factory import create_app
from app.web.routing import Gatehouse

LOGIN = "admin"
CLIENT = "Bench"
#: The API of partners that the file defines.
API = "Bench partners"
#: The API of a method that does nothing.
METHOD = "Bench method"
DEFINITIONS = Path(__file__).with_name("definitions.yaml")
#: What earlier runs have left.
_EMPTIED = ("audit", "request_log", "rollup_minute", "rollup_hour", "rollup_day")


def main() -> None:
    """Configure the database that the settings name."""
    print(json.dumps(configure(create_app())))


def configure(app: Gatehouse) -> dict[str, Any]:
    """Bring the schema up to date, import the definitions, make new credentials, and return these."""
    upgrade(app.services.database)
    with app.services.database.transaction() as cr:
        cr.execute("DELETE FROM gatehouse.client WHERE name = %s", (CLIENT,))
        cr.execute(f"TRUNCATE {', '.join(f'gatehouse.{table}' for table in _EMPTIED)}")

    def flask(*arguments: str) -> str:
        runner = app.test_cli_runner(catch_exceptions=False)
        return runner.invoke(args=arguments, standalone_mode=False).stdout

    created = flask(
        "client", "create", CLIENT, "--user", LOGIN, "--lifetime", "86400", "--scope", ",".join(SCOPES), "--json"
    )
    flask("api", "import", str(DEFINITIONS), "--prune")
    uid, key = app.services.transactions.run(_new_key)
    return {**json.loads(created), "uid": uid, "key": key}


def _new_key(root: Any) -> tuple[int, str]:
    user = root["res.users"].search([("login", "=", LOGIN)])
    keys = root["res.users.apikeys"]
    keys.search([("user_id", "=", user.id)]).unlink()
    return user.id, keys.with_user(user)._generate(None, "bench", None)


if __name__ == "__main__":
    main()
