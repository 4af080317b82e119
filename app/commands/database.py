"""``flask db``: our own tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import AppGroup

from app.catalog import neutralization, schema_version
from app.catalog.schema_version import KNOWN, SchemaError, SchemaVersion
from app.commands.cannot_begin import CannotBegin
from app.web.services import services
from odoo_bridge.errors import BridgeError

group = AppGroup("db", help="Gatehouse's own tables in the Odoo database: the schema `gatehouse`.")
# Alembic, which the server has no need of, is imported by the commands that migrate.


@group.command()
def upgrade() -> None:
    """Bring the schema to the newest revision that this version knows; a newer one stays as it is."""
    from app.catalog import migrating  # noqa: PLC0415

    with _refusals():
        done = migrating.upgrade(services().database)
    if done.before.is_newer():
        click.echo(
            f"The schema gatehouse is at {done.before.revision}, which is newer than {KNOWN[-1]}, the last that this "
            "version knows. This version works on it: nothing was done."
        )
    elif done.before == done.after:
        click.echo(f"The schema gatehouse is up to date: {done.after.revision}.")
    else:
        click.echo(
            f"The schema gatehouse was at {done.before.revision or 'nothing'}; now it is at {done.after.revision}."
        )


@group.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def current(as_json: bool) -> None:
    """Show the revision of the schema, and whether this version works on it: else the exit status is 1."""
    with _refusals():  # with 2: by 1 it says what it has found
        found = _found()
    problem = found.problem()
    facts = {"database": found.revision, "code": KNOWN[-1], "oldest_code": found.oldest_code}
    if as_json:
        click.echo(json.dumps({**facts, "problem": str(problem) if problem else None}))
    else:
        click.echo(f"database                   {found.revision or 'nothing'}")
        click.echo(f"this version               {KNOWN[-1]}")
        click.echo(f"oldest that works on it    {found.oldest_code or 'unknown'}")
        click.echo(str(problem) if problem else "This version works on it.")
    if problem:
        sys.exit(1)


@group.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask.")
def downgrade(revision: str, yes: bool) -> None:
    """Take the schema back to REVISION (or `base`: to nothing), and lose what newer ones have brought."""
    from app.catalog import migrating  # noqa: PLC0415

    with _refusals():
        found = _found()
        migrating.check_target(found, revision)
        click.echo(f"From {found.revision} to {revision}, this is lost:")
        for line in migrating.losses(found, revision):
            click.echo(f"  {line}")
        click.echo("Versions that need more than that stop working on this database.")
        if not yes:
            click.confirm("Go back?", abort=True)
        done = migrating.downgrade(services().database, revision)
    click.echo(f"The schema gatehouse was at {done.before.revision}; now it is at {done.after.revision or 'nothing'}.")


@group.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def neutralize(yes: bool) -> None:
    """In a copy of a database, let in nobody whom the original lets in; `odoo neutralize` does it with the addon.

    Client apps are switched off, their secrets, tokens, codes and consents end, and the kept secret key is another.
    """
    database = services().transactions.database
    click.echo(
        f"In the database {database} all client apps are switched off, and their secrets, tokens and consents end. "
        "That can't be undone."
    )
    if not yes:
        click.confirm("Neutralize it?", abort=True)
    with _refusals():
        services().transactions.run(lambda root: neutralization.neutralize(root.cr))
    click.echo(f"{database} is neutralized.")


def check_schema() -> None:
    """Before a command that works on the tables: end it with a sentence where this version does not fit them."""
    with _refusals():
        services().transactions.run(lambda root: schema_version.check(root.cr), keep=False)


def _found() -> SchemaVersion:
    return services().transactions.run(lambda root: schema_version.read(root.cr), keep=False)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn refusals into messages of the command line."""
    try:
        yield
    except (SchemaError, BridgeError) as error:
        raise CannotBegin(str(error)) from error
