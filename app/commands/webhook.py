"""``flask webhook``: webhooks of client apps, and the process that has them delivered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import TypeVar

import click
from flask.cli import AppGroup

from app.clients import store as clients
from app.database import KeptConnection
from app.errors import ApiError
from app.networks import Networks
from app.operations.delta.feed import Feed
from app.times import utc
from app.web.services import services
from app.webhooks import shown, store
from app.webhooks.delivering import Deliverer
from app.webhooks.document import EVENTS, OVERLAP, Rotation, WebhookChange, WebhookDocument, parsed
from app.webhooks.engine import Engine
from app.webhooks.following import Follower
from app.webhooks.sending import Sender
from app.webhooks.store import Webhook
from app.webhooks.subscriptions import Owner
from serving import renewal

T = TypeVar("T")
group = AppGroup("webhook", help="Webhooks of client apps.")
_ACTOR = "command line"
#: Seconds that the capture of tables may take.
_PATIENCE = 20.0


@group.command()
def run() -> None:
    """Have webhooks delivered until SIGTERM: a process of its own, of which each host may have one.

    SIGHUP brings new code and new settings in.
    """
    app, database = services(), services().database
    app.catalog.refresh()
    app.catalog.watch()

    async def serve() -> str | None:
        sender = Sender(Networks.parse(app.settings.webhook_networks))
        engine = Engine(
            app.instance.dsn,
            KeptConnection(database),
            Feed(database),
            Follower(KeptConnection(database), app.acting),
            Deliverer(KeptConnection(database), app.acting, app.hasher, sender),
            lambda: app.catalog.snapshot.system.delivery_retention_days,
            app.addons.cure,
        )
        try:
            return await engine.run()
        finally:
            await sender.close()

    successor = asyncio.run(serve())
    if successor is not None:
        renewal.succeed(successor)


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def list_(as_json: bool) -> None:
    """List the webhooks of all client apps."""
    with services().database.transaction() as cr:
        found = store.every(cr)
    if as_json:
        click.echo(json.dumps([{"client": each.client, **shown.webhook(each)} for each in found], indent=2))
        return
    for each in found:
        state = "on" if each.active else f"off: {each.reason}"
        click.echo(f"{each.id}  {each.client}  {each.api}  {each.model}  {','.join(each.events)}  {each.url}  {state}")


@group.command()
@click.argument("client")
@click.argument("url")
@click.option("--api", required=True, metavar="NAME", help="The API whose records it is about.")
@click.option("--model", help="The model, where the API has several.")
@click.option("--event", "events", multiple=True, type=click.Choice(EVENTS), help="May be repeated; default: all.")
@click.option("--field", "fields", multiple=True, help="May be repeated; default: all that a delta shows.")
@click.option("--domain", default="[]", help="Only of these records; JSON.")
@click.option("--thin", is_flag=True, help="Ids alone, no values.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def create(
    client: str,
    url: str,
    api: str,
    model: str | None,
    events: tuple[str, ...],
    fields: tuple[str, ...],
    domain: str,
    thin: bool,
    as_json: bool,
) -> None:
    """Have changes sent to a URL for a client app, and print the secret that signs them. It is shown this once."""
    try:
        condition = json.loads(domain)
    except ValueError as error:
        raise click.BadParameter("write it as JSON", param_hint="--domain") from error
    keys = {"url": url, "api": api, "model": model, "domain": condition, "thin": thin}
    keys |= {"events": list(events)} if events else {}
    keys |= {"fields": list(fields)} if fields else {}
    services().catalog.refresh()
    made, secret = _told(lambda: services().webhooks.create(_owner(client), parsed(WebhookDocument, keys)))
    _print(made, secret, as_json)


@group.command()
@click.argument("webhook")
@click.option("--overlap", type=click.IntRange(0), default=OVERLAP, show_default=True, help="Seconds of both secrets.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def rotate(webhook: str, overlap: int, as_json: bool) -> None:
    """Make a new secret and print it, this once. Messages are signed with the old one too for a time."""
    found, secret = _told(
        lambda: services().webhooks.rotate(_owner_of(webhook), webhook, parsed(Rotation, {"overlap": overlap}))
    )
    _print(found, secret, as_json)


@group.command()
@click.argument("webhook")
def on(webhook: str) -> None:
    """Switch a webhook on again: it goes on where it was."""
    _switch(webhook, True)


@group.command()
@click.argument("webhook")
def off(webhook: str) -> None:
    """Switch a webhook off: nothing is sent until it is on again."""
    _switch(webhook, False)


@group.command()
@click.argument("webhook")
def test(webhook: str) -> None:
    """Have a message sent that tells of no record; `flask webhook deliveries` says what has come of it."""
    click.echo(_told(lambda: services().webhooks.test(_owner_of(webhook), webhook)).id)


@group.command()
@click.argument("webhook")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
def deliveries(webhook: str, limit: int) -> None:
    """List the deliveries of a webhook, the newest first."""
    for each in _told(lambda: services().webhooks.deliveries(_owner_of(webhook), webhook, limit=limit)):
        came = each.error or (f"status {each.answer_status}" if each.answer_status else "not tried yet")
        click.echo(f"{each.id}  {utc(each.created_at)} UTC  {each.event}  {each.status}  {each.attempts} tries  {came}")


@group.command()
@click.argument("webhook")
@click.argument("delivery")
def redeliver(webhook: str, delivery: str) -> None:
    """Have a message sent again, about its record as it is now."""
    _told(lambda: services().webhooks.redeliver(_owner_of(webhook), webhook, delivery))
    click.echo(f"{delivery} is sent again.")


@group.command()
@click.argument("webhook")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(webhook: str, yes: bool) -> None:
    """Delete a webhook and its deliveries."""
    owner = _owner_of(webhook)
    if not yes:
        click.confirm(f"Delete the webhook {webhook} of {owner.client}?", abort=True)
    _told(lambda: services().webhooks.remove(owner, webhook))
    click.echo(f"{webhook} is deleted.")


def _switch(webhook: str, is_on: bool) -> None:
    services().catalog.refresh()
    change = parsed(WebhookChange, {"active": is_on})
    _told(lambda: services().webhooks.change(_owner_of(webhook), webhook, change))
    click.echo(f"{webhook} is switched {'on' if is_on else 'off'}.")


def _owner(client: str) -> Owner:
    with services().database.transaction() as cr:
        found = clients.by_name(cr, client)
    if found is None:
        raise click.ClickException(f"There is no client app {client!r}.")
    return Owner(found.id, found.name, _ACTOR)


def _owner_of(webhook: str) -> Owner:
    with services().database.transaction() as cr:
        found = store.one(cr, webhook)
    if found is None:
        raise click.ClickException(f"There is no webhook {webhook!r}.")
    return Owner(found.client_id, found.client, _ACTOR)


def _told(work: Callable[[], T]) -> T:
    """Return the result of work, whose errors are the command's.

    Tables that it asks to be captured are captured here: no server hears of them, and this process ends.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return work()
        except ApiError as error:
            if error.name != "delta_not_ready" or time.monotonic() > until:
                raise click.ClickException(error.message) from error
        services().keeper.keep()
        time.sleep(0.5)


def _print(webhook: Webhook, secret: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(shown.webhook(webhook, secret)))
        return
    click.echo(f"webhook  {webhook.id}")
    click.echo(f"secret   {secret}")
    click.echo("Keep the secret now: it is not shown again.")
