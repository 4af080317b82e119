"""Openings of what a file changes: each API and client app beside what is stored of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from app.catalog.odoo_source import OdooSource
from app.catalog.store import StoredApi
from app.clients.store import LIFETIME, Client
from app.definitions.compiler import compile_document
from app.definitions.definition import Definition
from app.definitions.document import ApiDocument
from app.definitions.scopes import Scope
from app.editing.openings import Line, Openings, opened
from odoo_bridge import users
from odoo_bridge.transaction import Environment


def of_apis(
    changed: Iterable[Definition], stored: Iterable[StoredApi], root: Environment, source: OdooSource
) -> Openings:
    """Return the openings of these APIs by name."""
    documents = {api.document["name"]: api.document for api in stored}
    definitions = list(changed)
    executors = {definition.run_as for definition in definitions if definition.run_as is not None}
    administrators = frozenset(uid for uid in executors if users.is_administrator(root, uid))
    return {
        each.name: opened(each, _compiled(documents.get(each.name), source), administrators) for each in definitions
    }


def of_client(root: Environment, new: Client, old: Client | None) -> list[Line]:
    """Return the openings of a client app: what it can't do now, and longer lives of its tokens."""
    had = old if old is not None and old.active else None
    if not new.active:
        return []
    found = []
    if new.uid is not None and (had is None or had.uid != new.uid):
        login = users.logins(root, [new.uid]).get(new.uid, f"user {new.uid}")
        admin = users.is_administrator(root, new.uid)
        who = f"{login}, an administrator of Odoo" if admin else login
        found.append(Line("Acts as", "", (who,), "danger" if admin else ""))
    gained = [name for name in new.scopes if had is None or name not in had.scopes]
    scopes = tuple(scope.meaning for scope in Scope if scope.value in gained)
    uris = tuple(uri for uri in new.redirect_uris if had is None or uri not in had.redirect_uris)
    hosts = tuple(host for host in new.metadata_hosts if had is None or host not in had.metadata_hosts)
    before = had is not None and had.resource_optional
    longer = new.lifetime > (LIFETIME if had is None else had.lifetime)
    lines = (
        Line("May", "", scopes),
        Line("Sends persons back to", "", uris, "warn"),
        Line("May use tools", "", ("with any of its tokens",) if new.resource_optional and not before else (), "warn"),
        Line("Lets clients of these hosts ask", "", hosts, "warn"),
        Line("Tokens live", "", (f"{new.lifetime} seconds",) if longer else ()),
    )
    return found + [line for line in lines if line.names]


def _compiled(document: Mapping[str, Any] | None, source: OdooSource) -> Definition | None:
    """Return a stored API as it is served; None where there is none, or this version can't read, and so serve it."""
    if document is None:
        return None
    try:
        return compile_document(ApiDocument.model_validate(document), source)
    except ValidationError:
        return None
