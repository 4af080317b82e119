"""``flask client`` and ``flask token``: client apps and their credentials."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import click
from flask.cli import AppGroup
from pydantic import ValidationError

from app.catalog import store
from app.clients import live_tokens
from app.clients import store as clients
from app.clients.document import ClientDocument
from app.clients.store import LIFETIME, Client
from app.definitions.problems import shape_problems
from app.definitions.scopes import DEFAULT_SCOPES, SCOPES
from app.editing import client_apps
from app.editing.client_apps import Refused
from app.times import utc
from app.web.services import services
from odoo_bridge.transaction import Environment

T = TypeVar("T")
group = AppGroup("client", help="Client apps (OAuth2).")
tokens = AppGroup("token", help="Tokens of client apps.")


@group.command()
@click.argument("name")
@click.option("--api", "apis", multiple=True, metavar="NAME", help="An API that it may call; may be repeated.")
@click.option(
    "--scope", "scopes", multiple=True, help=f"Of {', '.join(SCOPES)}; may be repeated. Default: all but export."
)
@click.option("--user", metavar="LOGIN", help="The Odoo user that it acts as where an API names none.")
@click.option("--lifetime", type=int, default=LIFETIME, show_default=True, help="Seconds that a token lives.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="Lets it ask persons for consent; exact.")
@click.option("--resource-optional", is_flag=True, help="Its tokens open the tools of AI agents also without resource.")
@click.option("--metadata-host", "metadata_hosts", multiple=True, help="Lets clients that this host describes ask.")
@click.option("--public", is_flag=True, help="Without a secret: an app on a person's device. Needs --redirect-uri.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def create(
    name: str,
    apis: tuple[str, ...],
    scopes: tuple[str, ...],
    user: str | None,
    lifetime: int,
    redirect_uris: tuple[str, ...],
    resource_optional: bool,
    metadata_hosts: tuple[str, ...],
    public: bool,
    as_json: bool,
) -> None:
    """Create a client app, connect it to APIs, and print its id and secret. The secret is shown this once."""
    if public and not redirect_uris:
        raise click.ClickException("--public needs --redirect-uri: without a secret it can't act by itself.")
    wanted = [scope for text in scopes for scope in text.replace(",", " ").split()] or list(DEFAULT_SCOPES)
    document = _document(
        {
            "name": name,
            "scopes": wanted,
            "user": user,
            "lifetime": lifetime,
            "redirect_uris": list(redirect_uris),
            "resource_optional": resource_optional,
            "metadata_hosts": list(metadata_hosts),
        }
    )

    def work(root: Environment) -> tuple[Client, str | None]:
        client = client_apps.create(root, document, apis)
        return client, None if public else clients.new_secret(root.cr, services().hasher(), client, overlap=0)

    try:
        client, secret = services().transactions.run(work)
    except Refused as error:
        raise click.ClickException(str(error)) from error
    _print(client, secret, as_json)


@group.command("list")
def list_() -> None:
    """List the client apps."""
    for client in services().transactions.run(lambda root: clients.every(root.cr)):
        state = "active" if client.active else "off"
        click.echo(f"{client.name}  {client.client_id}  {state}  {' '.join(client.scopes)}")


@group.command()
@click.argument("name")
@click.option("--overlap", type=click.IntRange(0), default=0, help="Seconds that the old secret stays good.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def rotate(name: str, overlap: int, as_json: bool) -> None:
    """Make a new secret and print it, this once."""

    def work(root: Environment, client: Client) -> tuple[Client, str]:
        return client, clients.new_secret(root.cr, services().hasher(), client, overlap=overlap)

    client, secret = _with_client(name, work)
    _print(client, secret, as_json)


@group.command()
@click.argument("name")
def disable(name: str) -> None:
    """Switch a client app off: its credentials and tokens are refused at once."""
    _with_client(name, lambda root, client: clients.set_active(root.cr, client, False))
    click.echo(f"{name} is switched off.")


@group.command()
@click.argument("name")
def enable(name: str) -> None:
    """Switch a client app on again."""
    _with_client(name, lambda root, client: clients.set_active(root.cr, client, True))
    click.echo(f"{name} is switched on.")


@group.command()
@click.argument("name")
@click.argument("new_name")
def rename(name: str, new_name: str) -> None:
    """Rename a client app, also in the definitions that name it. Its id, secret and tokens stay good."""
    document = _document({"name": new_name})

    def work(root: Environment, client: Client) -> None:
        client_apps.rename(root, client, document.name)

    try:
        _with_client(name, work)
    except Refused as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} is called {document.name} now. Definition files that name it have to be changed by hand.")


@group.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(name: str, yes: bool) -> None:
    """Delete a client app with its secrets, tokens and consents; the APIs that name it name it no longer.

    Its calls are refused at once. What it did stays in the log and the audit, under its name.
    """
    if not yes:
        tokens = len(_with_client(name, lambda root, client: live_tokens.live_tokens(root.cr, client)))
        click.echo(f"{name} has {tokens} live token{'' if tokens == 1 else 's'}. Nothing brings it back.")
        click.confirm("Delete it?", abort=True)
    apis = _with_client(name, client_apps.delete)
    click.echo(f"{name} is deleted.{' It could call ' + ', '.join(apis) + '.' if apis else ''}")


@tokens.command("list")
@click.argument("name")
def list_tokens(name: str) -> None:
    """List the live tokens of a client app, the newest first, with their last use."""
    for token in _with_client(name, lambda root, client: live_tokens.live_tokens(root.cr, client)):
        used = f"last used {_utc(token.last_used)}" if token.last_used else "never used"
        click.echo(
            f"{token.lookup}  {token.kind}  {' '.join(token.scopes)}  created {_utc(token.created)}  "
            f"{used}  expires {_utc(token.expires)}"
        )


def _utc(at: datetime) -> str:
    return f"{utc(at, 'minutes')} UTC"


@tokens.command("revoke-all")
@click.argument("name", required=False)
@click.option("--everything", is_flag=True, help="Of all client apps, and all consents: after a leak.")
def revoke_all(name: str | None, everything: bool) -> None:
    """Revoke all tokens of a client app: access tokens, refresh tokens, and codes that would become some.

    With --everything those of all client apps end, and what persons have allowed them. The client apps and their
    secrets stay as they are: they fetch new tokens. `flask db neutralize`, for a copy of a database, ends those too.
    """
    if name is not None and not everything:
        count = _with_client(name, lambda root, client: live_tokens.revoke_all(root.cr, client))
        click.echo(f"{count} tokens of {name} are revoked.")
    elif name is None and everything:
        counts = services().transactions.run(lambda root: live_tokens.revoke_everything(root.cr))
        for client, count in counts.items():
            click.echo(f"{count} tokens of {client} are revoked.")
        click.echo(f"{sum(counts.values())} tokens are revoked. The secrets of the client apps stay good.")
    else:
        raise click.UsageError("Name one client app, or --everything.")


def _document(values: dict[str, object]) -> ClientDocument:
    try:
        return ClientDocument.model_validate(values)
    except ValidationError as error:
        raise click.ClickException("\n".join(map(str, shape_problems(error)))) from error


def _with_client(name: str, work: Callable[[Environment, Client], T]) -> T:
    def within(root: Environment) -> T:
        store.claim(root.cr)
        client = clients.by_name(root.cr, name)
        if client is None:
            raise click.ClickException(f"There is no client app {name!r}.")
        return work(root, client)

    return services().transactions.run(within)


def _print(client: Client, secret: str | None, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"name": client.name, "client_id": client.client_id, "client_secret": secret}))
        return
    click.echo(f"client_id      {client.client_id}")
    if secret is not None:
        click.echo(f"client_secret  {secret}")
        click.echo("Keep the secret now: it is not shown again.")
