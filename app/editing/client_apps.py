"""Client apps as admins make and change them, by file, command line or panel: the one place for all three.

Each function runs in the transaction of ``root``.
"""

from __future__ import annotations

from collections.abc import Iterable

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
    if clients.by_name(root.cr, document.name) is not None:
        raise Refused(Problem(("name",), f"there is a client app {document.name!r} already"))
    client = clients.create(
        root.cr,
        document.name,
        scopes=document.scopes,
        uid=acting_user(root, document.user),
        lifetime=document.lifetime,
        redirect_uris=document.redirect_uris,
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
    wanted = Client(
        id=client.id,
        name=client.name,
        client_id=client.client_id,
        active=document.active,
        lifetime=document.lifetime,
        scopes=tuple(document.scopes),
        uid=acting_user(root, document.user),
        redirect_uris=tuple(document.redirect_uris),
    )
    if wanted != client:
        clients.update(root.cr, wanted)
    return wanted


def acting_user(root: Environment, login: str | None) -> int | None:
    """Return the Odoo user that a client app acts as by itself; raises Refused where nobody can execute its calls."""
    if login is None:
        return None
    user = executor(root, "user", login)
    if isinstance(user, Problem):
        raise Refused(user)
    return user.uid
