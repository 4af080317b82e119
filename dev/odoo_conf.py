"""The `odoo.conf` of the local set-up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from dev import paths
from dev.cluster import write_private
from dev.odoo_source import OdooSource
from dev.postgres import PostgresServer


def render(options: Mapping[str, str | int | Path]) -> str:
    """Return the text of an `odoo.conf`."""
    lines = [f"{name} = {value}" for name, value in options.items()]
    return "\n".join(["; Written by `make serve`; changes are overwritten.", "[options]", *lines]) + "\n"


def addons_path(source: OdooSource, extra: Iterable[Path]) -> str:
    """Return the value of `addons_path`: the project's folders that hold an addon, then Odoo's own."""
    folders = [folder for folder in extra if any(folder.glob("*/__manifest__.py"))]
    return ",".join(str(folder) for folder in (*folders, *source.addons))


def write(path: Path, server: PostgresServer, source: OdooSource, *, data_dir: Path, database: str | None) -> None:
    """Write `path` (mode 0600) if it would change. `database` None leaves the database open (tests name theirs)."""
    tests = () if database else (paths.TEST_ADDONS,)
    options: dict[str, str | int | Path] = {
        "db_host": server.host,
        "db_port": server.port,
        "db_user": server.user,
        "db_password": server.password,
        "addons_path": addons_path(source, (paths.BRIDGE_ADDONS, paths.DEV_ADDONS, *tests)),
        "data_dir": data_dir,
        "without_demo": "True",
        "list_db": "False",
        # No cron and no HTTP of Odoo's own: only the gateway serves.
        "max_cron_threads": 0,
        "http_interface": "127.0.0.1",
    }
    if database:
        options["db_name"] = database
    text = render(options)
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, text)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
