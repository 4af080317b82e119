"""``flask api``: definitions in and out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import click
from flask.cli import AppGroup

from app.catalog import store
from app.catalog.catalog import compile_all
from app.commands.cannot_begin import CannotBegin
from app.editing import files, import_report
from app.editing.files import FileError
from app.postman.collection import build
from app.postman.known import known
from app.web.services import services
from odoo_bridge.errors import BridgeError
from serving import exit_status


class _Group(AppGroup):
    def invoke(self, ctx: click.Context) -> Any:
        """Run a command and what comes before it, so that its status is never one that it has not chosen."""
        with exit_status.told_apart(ctx.args):
            return super().invoke(ctx)


group = _Group("api", help="API definitions.")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--prune", is_flag=True, help="Delete APIs that the file does not name.")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 where something would change.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def import_(file: Path, prune: bool, check: bool, as_json: bool) -> None:
    """Create or update APIs, client apps and defaults from a YAML file: all of it, or nothing if anything is wrong.

    With --check it is done and taken back, and the exit status is 0 where nothing would change, 1 where something
    would, and 2 where the file is wrong or could not be tried, whatever the reason.
    """
    failed = CannotBegin if check else click.ClickException
    try:
        content = files.parse(files.read(file), file)
        # A check is the import itself, rolled back: what the import would refuse, it refuses.
        planned = services().transactions.run(
            lambda root: files.import_content(content, file, root, prune=prune), keep=not check
        )
    except FileError as error:
        if as_json:
            click.echo(json.dumps({"problems": list(map(str, error.problems))}, indent=2, ensure_ascii=False))
        raise failed(str(error)) from error
    except BridgeError as error:
        raise failed(f"Nothing has been imported. {error.message}") from error
    if as_json:
        click.echo(json.dumps(import_report.as_json(planned), indent=2, ensure_ascii=False))
    else:
        for line in import_report.expected(planned) if check else import_report.done(planned):
            click.echo(line)
    if check and not planned.changes_nothing():
        sys.exit(1)


@group.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def export(file: Path | None) -> None:
    """Write all APIs as YAML, to FILE or to standard output."""
    text = services().transactions.run(
        lambda root: files.export_text(store.load(root.cr), files.client_documents(root)), keep=False
    )
    if file is None:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def list_(as_json: bool) -> None:
    """List the APIs."""
    definitions = services().transactions.run(lambda root: compile_all(store.load(root.cr), root, {}), keep=False)
    rows = [
        {
            "id": definition.id,
            "name": definition.name,
            "route": definition.document.route,
            "type": definition.document.type,
            "mode": definition.document.mode,
            "published": definition.document.published,
            "authentication": definition.document.authentication,
            "problems": list(map(str, definition.problems)),
        }
        for definition in definitions.values()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        state = "published" if row["published"] else "unpublished"
        click.echo(f"{row['name']}  {row['route']}  {row['type']}  {row['mode']}  {state}  {row['authentication']}")
        for problem in cast("list[str]", row["problems"]):
            click.echo(f"  problem: {problem}")


def _address(context: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """Return an address by HTTP or HTTPS as it was given; refuse other text."""
    try:
        parts = urlsplit(text or "https://none.example")
    except ValueError:  # brackets around no IPv6 address
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise click.BadParameter("an address is meant, such as https://api.example.com.")
    return text


@group.command()
@click.argument("route", required=False)
@click.option("--all", "everything", is_flag=True, help="All published APIs.")
@click.option(
    "--url",
    callback=_address,
    help="The server's address, e.g. https://api.example.com. Without it: as the settings say.",
)
def postman(route: str | None, everything: bool, url: str | None) -> None:
    """Print a Postman 2.1 collection of the API at ROUTE, or of all."""
    if everything == (route is not None):
        raise click.ClickException("Name the route of one API, or --all.")
    services().catalog.refresh()
    published = [
        definition
        for definition in services().catalog.snapshot.definitions.values()
        if definition.document.published and not definition.problems and route in (None, definition.document.route)
    ]
    if not published:
        raise click.ClickException(f"There is no published API at {route}." if route else "No API is published.")
    name = published[0].name if route else f"Gatehouse, {services().transactions.database}"
    facts = services().transactions.run(lambda root: known(root, published), keep=False)
    base = (url or services().settings.address).rstrip("/")
    collection = build(name, published, facts, base, services().transactions.database)
    click.echo(json.dumps(collection, indent=2, ensure_ascii=False))
