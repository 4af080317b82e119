"""The only place that knows one version of Odoo from another. Odoo 19.0 is supported."""

from __future__ import annotations

from typing import Any

from odoo import release, sql_db
from odoo.tools import config

from .errors import BootError

SUPPORTED = {"19.0"}


def check_version() -> None:
    """Raise BootError for an Odoo that Gatehouse was not tested with."""
    if release.major_version not in SUPPORTED:
        raise BootError(f"Odoo {release.major_version} is not supported; Gatehouse knows {', '.join(SUPPORTED)}.")


def configured_databases() -> list[str]:
    """Return the databases that ``db_name`` lists (a list since Odoo 19)."""
    names = config["db_name"]
    if isinstance(names, str):
        names = names.split(",")
    return [name.strip() for name in names or [] if name.strip()]


def version() -> str:
    """Return Odoo's version, e.g. ``19.0-20251201``."""
    return str(release.version)


#: Where PostgreSQL's host vanishes without a word, the operating system would wait for many minutes: seconds to
#: connect, and to notice that a connection has nobody at its other end (milliseconds for data that is not confirmed).
_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_connection_info_for = sql_db.connection_info_for


def _limited(db_or_uri: str, readonly: bool = False) -> tuple[str, dict[str, Any]]:
    name, info = _connection_info_for(db_or_uri, readonly)
    return name, {**_PATIENCE, **info}


def limit_connecting() -> None:
    """Let Odoo's connections to PostgreSQL fail in seconds; ``odoo.conf`` has no key for it."""
    sql_db.connection_info_for = _limited
