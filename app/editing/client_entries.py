"""The client apps of a definition file: created or changed in the transaction that writes its APIs too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from app.clients import store as clients
from app.clients.document import ClientDocument
from app.clients.store import Client
from odoo_bridge import credentials
from odoo_bridge.transaction import Environment


@dataclass(slots=True)
class ClientChanges:
    """Names of the client apps that a file holds, by what became of them."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


def write(root: Environment, documents: Iterable[ClientDocument]) -> tuple[ClientChanges, list[str]]:
    """Create or update client apps in the transaction of ``root``; return what changed, and what is wrong."""
    changes, problems = ClientChanges(), []
    known = {client.name: client for client in clients.every(root.cr)}
    for document in documents:
        user = credentials.user_by_login(root, document.user) if document.user else None
        if document.user and (user is None or user.uid == 1):
            problems.append(f"client {document.name!r}: user: there is no active user {document.user!r} to act as")
            continue
        uid, client = user.uid if user else None, known.get(document.name)
        if client is None:
            changes.created.append(document.name)
            client = clients.create(root.cr, document.name, scopes=document.scopes, uid=uid)
        else:
            unchanged = _as_document(client, document, uid) == client
            (changes.unchanged if unchanged else changes.updated).append(document.name)
        if _as_document(client, document, uid) != client:
            clients.update(
                root.cr,
                client,
                scopes=document.scopes,
                uid=uid,
                lifetime=document.lifetime,
                redirect_uris=document.redirect_uris,
                active=document.active,
            )
    return changes, problems


def _as_document(client: Client, document: ClientDocument, uid: int | None) -> Client:
    """Return the client app as the file wants it."""
    return replace(
        client,
        scopes=tuple(document.scopes),
        uid=uid,
        lifetime=document.lifetime,
        redirect_uris=tuple(document.redirect_uris),
        active=document.active,
    )
