"""The client apps of a definition file: created or changed in the transaction that writes its APIs too."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from app.clients import store as clients
from app.clients.document import ClientDocument
from app.definitions.problems import Problem
from app.editing import client_apps, opened
from app.editing.client_apps import Refused
from app.editing.openings import Line
from odoo_bridge.transaction import Environment


@dataclass(slots=True)
class ClientChanges:
    """Names of the client apps that a file holds, by what became of them; ``opens`` has what they may do besides."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    opens: dict[str, list[Line]] = field(default_factory=dict)


def write(root: Environment, documents: Iterable[ClientDocument]) -> tuple[ClientChanges, list[Problem]]:
    """Create or update client apps in the transaction of ``root``; return what changed, and what is wrong."""
    changes = ClientChanges()
    problems: list[Problem] = []
    known = {client.name: client for client in clients.every(root.cr)}
    for document in documents:
        client = known.get(document.name)
        try:
            if client is None:
                written = client_apps.create(root, document)
                changes.created.append(document.name)
            else:
                written = client_apps.change(root, client, document)
                (changes.unchanged if written == client else changes.updated).append(document.name)
            if written != client:
                changes.opens[document.name] = opened.of_client(root, written, client)
        except Refused as error:
            problems += [problem.of(f"client {document.name!r}") for problem in error.problems]
    return changes, problems
