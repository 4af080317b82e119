"""Consents of persons to client apps, in the database: one transaction, as in ``clients``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.clients.store import COLUMNS, Client, of_row


def every(cr: Any, uid: int) -> list[tuple[Client, tuple[str, ...], Any]]:
    """Return a person's consents: client app, those of the scopes that it still has, and the time."""
    cr.execute(
        f"SELECT {COLUMNS}, s.scopes, s.granted_at FROM gatehouse.consent s "
        "JOIN gatehouse.client c ON c.id = s.client_id WHERE s.uid = %s ORDER BY c.name",
        (uid,),
    )
    found = [(of_row(row[:-2]), row[-2], row[-1]) for row in cr.fetchall()]
    return [(client, client.still(scopes), when) for client, scopes, when in found]


def allowed(cr: Any, client: Client, uid: int) -> tuple[str, ...]:
    """Return those of the scopes that a person has allowed a client app which it still has."""
    cr.execute("SELECT scopes FROM gatehouse.consent WHERE client_id = %s AND uid = %s", (client.id, uid))
    row = cr.fetchone()
    return client.still(row[0]) if row else ()


def grant(cr: Any, client: Client, uid: int, scopes: Iterable[str]) -> None:
    """Store a person's consent to a client app."""
    cr.execute(
        "INSERT INTO gatehouse.consent (client_id, uid, scopes) VALUES (%s, %s, %s) "
        "ON CONFLICT (client_id, uid) DO UPDATE SET scopes = EXCLUDED.scopes, granted_at = now()",
        (client.id, uid, list(scopes)),
    )


def withdraw(cr: Any, client_id: int, uid: int) -> None:
    """Forget a consent, and end all that it has led to at once."""
    for table in ("consent", "token", "authorization_code"):
        cr.execute(f"DELETE FROM gatehouse.{table} WHERE client_id = %s AND uid = %s", (client_id, uid))
