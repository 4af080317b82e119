"""``flask capture``: the capture of changes in Odoo's tables."""

from __future__ import annotations

import json
import time

import click
from flask.cli import AppGroup

from app.capture import triggers
from app.capture.keeper import SWITCH
from app.catalog import store
from app.web.services import services

group = AppGroup("capture", help="The capture of changes in Odoo's tables, which delta and webhooks live by.")
#: Seconds that tables which others are using are waited for.
_PATIENCE = 60.0


@group.command()
def on() -> None:
    """Have the changes of all models noted whose definitions want it, as it is unless it was switched off."""
    _switch(True)
    count = len(_rows())
    click.echo(f"The capture is on: {count} tables." if count else "The capture is on; nothing is to be followed.")


@group.command()
def off() -> None:
    """Take away all triggers, and forget the changes: who follows any begins with a new pass once it is on again."""
    _switch(False)
    with services().database.transaction() as cr:
        triggers.forget(cr)
    click.echo("The capture is off. Nothing of it is left in Odoo's tables.")


@group.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def status(as_json: bool) -> None:
    """List the tables that are captured."""
    rows = _rows()
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['table']}: {row['columns']} columns{'' if row['is_whole'] else ', to be put in order'}")
    click.echo(f"{len(rows)} tables are captured." if rows else "No table is captured.")


def _switch(is_on: bool) -> None:
    """Store the switch and act on it; raises ClickException for tables that others use for too long."""
    with services().database.transaction() as cr:
        store.set_setting(cr, SWITCH, is_on)
    services().catalog.refresh()
    deadline = time.monotonic() + _PATIENCE
    while late := services().keeper.keep():
        if time.monotonic() > deadline:
            tables = ", ".join(sorted(late))
            raise click.ClickException(f"In use for {_PATIENCE:.0f} s: {tables}. The servers go on trying.")
        time.sleep(0.5)


def _rows() -> list[dict[str, object]]:
    with services().database.transaction() as cr:
        return triggers.rows(cr)
