"""Consents of persons to client apps, in the database: one transaction, as in ``clients``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from app.clients.store import COLUMNS, Client, of_row


def every(cr: Any, uid: int) -> list[tuple[Client, tuple[str, ...], Any]]:
    """Return a person's consents: client app, those of the scopes that it still has, and the time.

    One that has access to APIs and to the tools of AI agents has both in one.
    """
    cr.execute(
        f"SELECT {COLUMNS}, coalesce(k.name, ''), s.client_url, array_agg(DISTINCT scope), max(s.granted_at) "
        "FROM gatehouse.consent s CROSS JOIN unnest(s.scopes) AS scope "
        "JOIN gatehouse.client c ON c.id = s.client_id LEFT JOIN gatehouse.stranger k ON k.url = s.client_url "
        "WHERE s.uid = %s GROUP BY c.id, k.name, s.client_url ORDER BY c.name, s.client_url",
        (uid,),
    )
    found = [(replace(of_row(row[:-4]), title=row[-4], url=row[-3]), row[-2], row[-1]) for row in cr.fetchall()]
    return [(client, client.still(scopes), when) for client, scopes, when in found]


def allowed(cr: Any, client: Client, uid: int, resource: str = "") -> tuple[str, ...]:
    """Return those of the scopes that a person has allowed a client app, for a resource, which it still has."""
    cr.execute(
        "SELECT scopes FROM gatehouse.consent WHERE client_id = %s AND uid = %s AND client_url = %s AND resource = %s",
        (client.id, uid, client.url, resource),
    )
    row = cr.fetchone()
    return client.still(row[0]) if row else ()


def grant(cr: Any, client: Client, uid: int, scopes: Iterable[str], resource: str = "") -> None:
    """Store a person's consent to a client app, for a resource, or for all that is none."""
    cr.execute(
        "INSERT INTO gatehouse.consent (client_id, uid, client_url, resource, scopes) VALUES (%s, %s, %s, %s, %s) "
        "ON CONFLICT (client_id, uid, client_url, resource) DO UPDATE SET scopes = EXCLUDED.scopes, granted_at = now()",
        (client.id, uid, client.url, resource, list(scopes)),
    )


def withdraw(cr: Any, client_id: int, uid: int, client_url: str | None = None) -> None:
    """Forget a consent, and end all that it has led to at once.

    ``client_url`` is that of a client that describes itself, "" of none; with None all go that call as this app.
    """
    for table in ("consent", "token", "authorization_code"):
        cr.execute(
            f"DELETE FROM gatehouse.{table} WHERE client_id = %s AND uid = %s AND coalesce(client_url = %s, true)",
            (client_id, uid, client_url),
        )
