"""``flask log``: the request log."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import click
from flask.cli import AppGroup

from app import partitions
from app.web.services import services

group = AppGroup("log", help="The request log.")
_AGE = re.compile(r"([1-9][0-9]{0,4})d")


@group.command()
@click.option("--older-than", required=True, metavar="DAYS", help="For example 90d.")
def purge(older_than: str) -> None:
    """Drop whole days of the request log that are older; statistics and the audit stay."""
    match = _AGE.fullmatch(older_than)
    if match is None:
        raise click.ClickException("--older-than takes a number of days, for example 90d.")
    first = datetime.now(timezone.utc).date() - timedelta(days=int(match[1]))
    with services().database.transaction() as cr:
        dropped = partitions.drop_before(cr, "request_log", first)
    click.echo(f"{len(dropped)} days were dropped." if dropped else "No day is that old.")
