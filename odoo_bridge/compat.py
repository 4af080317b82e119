"""The only place that knows one version of Odoo from another. Odoo 19.0 is supported."""

from __future__ import annotations

from odoo import release
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
