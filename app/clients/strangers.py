"""Clients that describe themselves, in the database: each calls as the client app that has its host.

Every function runs in the transaction that it is given.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from app.clients.metadata import Described, host_of
from app.clients.store import COLUMNS, Client, of_row
from app.definitions.scopes import Scope


def host_app(cr: Any, url: str) -> Client | None:
    """Return the client app that lets clients of a host ask, None where none does."""
    cr.execute(
        f"SELECT {COLUMNS} FROM gatehouse.client c WHERE c.active AND %s = ANY(c.metadata_hosts)",
        (host_of(url),),
    )
    row = cr.fetchone()
    return of_row(row) if row else None


def are_served(cr: Any) -> bool:
    """True if there is a host whose clients may ask."""
    cr.execute("SELECT EXISTS (SELECT FROM gatehouse.client WHERE active AND metadata_hosts <> '{}')")
    found: bool = cr.fetchone()[0]
    return found


def is_fresh(cr: Any, url: str) -> bool:
    """True if what a client's document says is known, and still good."""
    cr.execute("SELECT EXISTS (SELECT FROM gatehouse.stranger WHERE url = %s AND expires_at > now())", (url,))
    found: bool = cr.fetchone()[0]
    return found


def keep(cr: Any, app: Client, described: Described) -> None:
    """Keep the document of a client."""
    cr.execute(
        "INSERT INTO gatehouse.stranger (url, client_id, name, redirect_uris, expires_at) "
        "VALUES (%s, %s, %s, %s, now() + %s * interval '1 second') ON CONFLICT (url) DO UPDATE SET "
        "client_id = EXCLUDED.client_id, name = EXCLUDED.name, redirect_uris = EXCLUDED.redirect_uris, "
        "fetched_at = now(), expires_at = EXCLUDED.expires_at",
        (described.url, app.id, described.name, list(described.redirect_uris), described.seconds),
    )


def find(cr: Any, url: str) -> Client | None:
    """Return a client that is known, as the client app of its host: with that one's scopes, but never ``export``."""
    cr.execute(
        f"SELECT {COLUMNS}, s.name, s.redirect_uris FROM gatehouse.stranger s "
        "JOIN gatehouse.client c ON c.id = s.client_id AND %s = ANY(c.metadata_hosts) WHERE s.url = %s",
        (host_of(url), url),
    )
    row = cr.fetchone()
    if row is None:
        return None
    app = of_row(row[:-2])
    scopes = tuple(scope for scope in app.scopes if scope != Scope.EXPORT)
    return replace(app, client_id=url, url=url, title=row[-2], scopes=scopes, redirect_uris=tuple(row[-1]))


def of_app(cr: Any, app: Client) -> list[tuple[str, str, datetime]]:
    """Return the clients that call as a client app: address, name, and when the document was fetched."""
    cr.execute("SELECT url, name, fetched_at FROM gatehouse.stranger WHERE client_id = %s ORDER BY url", (app.id,))
    return list(cr.fetchall())
