"""Live tokens of a client app, and the consents of persons, for who oversees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.analytics import history
from app.clients import store as clients
from app.clients.store import Client


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token that is good at the moment, without its secret; ``uid`` is the person it acts for, if any.

    ``last_used`` is right to a minute; None where no call came with it.
    """

    lookup: str
    kind: str
    uid: int | None
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime
    last_used: datetime | None


def live_tokens(cr: Any, client: Client, limit: int = 200) -> list[LiveToken]:
    """Return the newest tokens of a client app that are good at the moment, with the scopes that it still has."""
    cr.execute(
        "SELECT lookup, kind, uid, scopes, created_at, expires_at, last_used_at FROM gatehouse.token "
        "WHERE client_id = %s AND expires_at > now() AND NOT replaced ORDER BY created_at DESC LIMIT %s",
        (client.id, limit),
    )
    return [LiveToken(row[0], row[1], row[2], client.still(row[3]), *row[4:]) for row in cr.fetchall()]


def revoke_live(cr: Any, client: Client, lookup: str) -> int:
    """Delete one token of a client app, with a refresh token all of its family, and return how many there were."""
    cr.execute(
        "DELETE FROM gatehouse.token WHERE client_id = %s AND (lookup = %s OR family = (SELECT family "
        "FROM gatehouse.token WHERE lookup = %s AND client_id = %s AND kind = 'refresh')) RETURNING lookup",
        (client.id, lookup, lookup, client.id),
    )
    gone = [row[0] for row in cr.fetchall()]
    if gone:
        history.note_client(cr, client.name, {"tokens": gone}, {"tokens": []})
    return len(gone)


def revoke_all(cr: Any, client: Client, *, consents: bool = False) -> int:
    """Delete all tokens of a client app and the codes that would become some; return how many tokens. Noted.

    With ``consents``, persons are asked anew before the client app acts for them again.
    """
    counts: dict[str, int] = {}
    if consents:
        cr.execute("DELETE FROM gatehouse.consent WHERE client_id = %s", (client.id,))
        counts["consents"] = cr.rowcount
    cr.execute("DELETE FROM gatehouse.authorization_code WHERE client_id = %s", (client.id,))
    counts["codes"] = cr.rowcount
    cr.execute("DELETE FROM gatehouse.token WHERE client_id = %s", (client.id,))
    counts["tokens"] = cr.rowcount
    history.note_client(cr, client.name, counts, dict.fromkeys(counts, 0))
    return counts["tokens"]


def revoke_everything(cr: Any) -> dict[str, int]:
    """Delete all tokens, codes and consents of all client apps; return how many tokens of each that had any of them."""
    cr.execute(
        "SELECT client_id FROM gatehouse.token UNION SELECT client_id FROM gatehouse.authorization_code "
        "UNION SELECT client_id FROM gatehouse.consent"
    )
    holders = {client_id for (client_id,) in cr.fetchall()}
    return {client.name: revoke_all(cr, client, consents=True) for client in clients.every(cr) if client.id in holders}


def consents_of(cr: Any, client: Client) -> list[tuple[int, tuple[str, ...], Any]]:
    """Return the consents to a client app: person, scopes that it still has, and time."""
    cr.execute(
        "SELECT uid, scopes, granted_at FROM gatehouse.consent WHERE client_id = %s ORDER BY granted_at DESC",
        (client.id,),
    )
    return [(uid, client.still(scopes), when) for uid, scopes, when in cr.fetchall()]
