"""Access and refresh tokens in the database, and what they stand for: one transaction, as in ``clients``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.clients import tokens
from app.clients.store import Client
from app.clients.tokens import Hasher, Kind

#: Seconds that a refresh token lives from its last use.
REFRESH_LIFETIME = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Grant:
    """The grant behind an access or refresh token. ``uid`` is the person, None where the client acts by itself.

    ``scopes`` are those granted that the client app still has. ``login`` is that of the person or of the client app's
    own user, None where that is nobody who is active. ``resource`` is the only one that it is good for, if it names
    one.
    """

    lookup: str
    kind: str
    client: Client
    uid: int | None
    login: str | None
    scopes: tuple[str, ...]
    family: str | None
    replaced: bool
    created: float
    expires: float
    resource: str | None

    @property
    def in_force(self) -> bool:
        """True if it is good for anything: nothing of what it rests on has been taken away."""
        granted = self.client.active and bool(self.scopes) and not self.replaced
        return granted and (self.uid is None or self.login is not None)


def store_token(
    cr: Any,
    hasher: Hasher,
    token: str,
    kind: Kind,
    client: Client,
    *,
    uid: int | None,
    scopes: Iterable[str],
    lifetime: int,
    family: str | None,
    resource: str | None = None,
) -> None:
    """Store a token that was just generated."""
    cr.execute(
        "INSERT INTO gatehouse.token "
        "(lookup, hash, kind, client_id, uid, scopes, family, resource, client_url, expires_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, now() + %s * interval '1 second')",
        (
            tokens.lookup_of(token, kind),
            hasher.hash(token),
            "access" if kind == tokens.ACCESS else "refresh",
            client.id,
            uid,
            list(scopes),
            family,
            resource,
            client.url,
            lifetime,
        ),
    )


def clear_expired(cr: Any) -> None:
    """Clear away some tokens that have long expired."""
    cr.execute(
        "DELETE FROM gatehouse.token WHERE lookup IN (SELECT lookup FROM gatehouse.token "
        "WHERE expires_at < now() - interval '1 day' LIMIT 20 FOR UPDATE SKIP LOCKED)"
    )


def grant_of(cr: Any, hasher: Hasher, client: Client, token: str) -> Grant | None:
    """Look up a client app's token that has not expired, in force or not; None for any other text."""
    kind = tokens.ACCESS if token.startswith(tokens.ACCESS) else tokens.REFRESH
    cr.execute(
        "SELECT t.hash, t.lookup, t.kind, t.uid, u.login, t.scopes, t.family, t.replaced, "
        "extract(epoch FROM t.created_at), extract(epoch FROM t.expires_at), t.resource FROM gatehouse.token t "
        "LEFT JOIN res_users u ON u.id = COALESCE(t.uid, %s) AND u.active "
        "WHERE t.lookup = %s AND t.client_id = %s AND t.client_url = %s AND t.expires_at > now()",
        (client.uid, tokens.lookup_of(token, kind), client.id, client.url),
    )
    row = cr.fetchone()
    return _grant(row, hasher, client, token) if row else None


def _grant(row: Sequence[Any], hasher: Hasher, client: Client, token: str) -> Grant | None:
    stored, lookup, kind, uid, login, granted, family, replaced, created, expires, resource = row
    if not hasher.matches(token, stored):
        return None
    scopes = client.still(granted)
    return Grant(lookup, kind, client, uid, login, scopes, family, replaced, float(created), float(expires), resource)


def any_active(cr: Any, uids: Collection[int]) -> bool:
    """True if one of these Odoo users may act."""
    cr.execute("SELECT EXISTS (SELECT 1 FROM res_users WHERE active AND id = ANY(%s))", (list(uids),))
    found: bool = cr.fetchone()[0]
    return found


def replace(cr: Any, grant: Grant) -> None:
    """Mark a refresh token as spent: seen once more, it gives its family away."""
    cr.execute("UPDATE gatehouse.token SET replaced = true WHERE lookup = %s", (grant.lookup,))


def revoke(cr: Any, grant: Grant) -> None:
    """Delete a token; with a refresh token, all that its consent has led to (RFC 7009 2.1)."""
    if grant.kind == "refresh" and grant.family:
        revoke_family(cr, grant.family)
    else:
        cr.execute("DELETE FROM gatehouse.token WHERE lookup = %s", (grant.lookup,))


def revoke_family(cr: Any, family: str) -> None:
    """Delete all tokens that one authorization has led to."""
    cr.execute("DELETE FROM gatehouse.token WHERE family = %s", (family,))
