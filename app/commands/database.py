"""``flask db``: our own tables."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.services import services

group = AppGroup("db", help="Gatehouse's own tables in the Odoo database.")


@group.command()
def upgrade() -> None:
    """Bring the schema `gatehouse` to the newest version."""
    from app.catalog import migrating  # noqa: PLC0415  see there: the server has no need of it

    migrating.upgrade(services().engine)
    click.echo("The schema gatehouse is up to date.")
