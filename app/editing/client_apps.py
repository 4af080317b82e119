"""Client apps as admins make and change them, by file, command line or panel: the one place for all three.

Each function runs in the transaction of ``root``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.clients import store as clients
from app.clients.document import ClientDocument
from app.clients.store import Client
from app.definitions.problems import Problem
from app.editing import allowed_clients
from app.editing.executors import executor
from odoo_bridge.transaction import Environment


class Refused(Exception):
    """A client app can't be so: what is wrong, each with the key at fault."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def create(root: Environment, document: ClientDocument, apis: Iterable[str] = ()) -> Client:
    """Create a client app, without a secret, that may call these APIs; raises Refused."""
    problems = [*_taken(root, document.name), *_claimed(root, document.metadata_hosts)]
    try:
        uid = acting_user(root, document.user)
    except Refused as error:
        raise Refused(*problems, *error.problems) from None
    if problems:
        raise Refused(*problems)
    client = clients.create(
        root.cr,
        document.name,
        scopes=document.scopes,
        uid=uid,
        lifetime=document.lifetime,
        redirect_uris=document.redirect_uris,
        resource_optional=document.resource_optional,
        metadata_hosts=document.metadata_hosts,
        active=document.active,
    )
    problems = allowed_clients.allow(root.cr, client, apis)
    if problems:
        raise Refused(*problems)
    return client


def change(root: Environment, client: Client, document: ClientDocument) -> Client:
    """Change a client app's rights, and return it; its name and credentials stay. Raises Refused.

    Nothing is written where it is so already: a statement raises the catalog's version whether it changes a row or not.
    """
    if problems := _claimed(root, document.metadata_hosts, client):
        raise Refused(*problems)
    wanted = Client(
        id=client.id,
        name=client.name,
        client_id=client.client_id,
        active=document.active,
        lifetime=document.lifetime,
        scopes=tuple(document.scopes),
        uid=acting_user(root, document.user),
        redirect_uris=tuple(document.redirect_uris),
        resource_optional=document.resource_optional,
        metadata_hosts=tuple(document.metadata_hosts),
    )
    if wanted != client:
        clients.update(root.cr, wanted)
    return wanted


def rename(root: Environment, client: Client, name: str) -> Client:
    """Rename a client app, here and in every definition that names it, and return it; raises Refused.

    Log, audit and history keep the name that it had; its callers' key (``client:3``) stays, and so do its credentials.
    """
    if name == client.name:
        return client
    if problems := _taken(root, name):
        raise Refused(*problems)
    allowed_clients.rename(root.cr, client, name)
    clients.rename(root.cr, client, name)
    return replace(client, name=name)


def delete(root: Environment, client: Client) -> list[str]:
    """Delete a client app with its secrets, tokens and consents; return the APIs that named it and no longer do.

    Log, audit and history keep what it did, under its name.
    """
    apis = allowed_clients.disallow_all(root.cr, client)
    clients.remove(root.cr, client)
    return apis


def _taken(root: Environment, name: str) -> list[Problem]:
    there = clients.by_name(root.cr, name) is not None
    return [Problem(("name",), f"there is a client app {name!r} already")] if there else []


def _claimed(root: Environment, hosts: Iterable[str], client: Client | None = None) -> list[Problem]:
    """Return a problem for each host that another client app has: its clients have the rights of one."""
    others = [each for each in clients.every(root.cr) if client is None or each.id != client.id]
    return [
        Problem(("metadata_hosts",), f"{host} belongs to the client app {other.name!r} already")
        for host in hosts
        for other in others
        if host in other.metadata_hosts
    ]


def acting_user(root: Environment, login: str | None) -> int | None:
    """Return the Odoo user that a client app acts as by itself; raises Refused where nobody can execute its calls."""
    if login is None:
        return None
    user = executor(root, "user", login)
    if isinstance(user, Problem):
        raise Refused(user)
    return user.uid
