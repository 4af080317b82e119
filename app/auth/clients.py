"""Client apps and their tokens in the database. Every function runs in the transaction that it is given.

``cr`` is the cursor of Odoo's environment: what is written here commits with the call, or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.auth import tokens
from app.auth.tokens import Hasher, Kind
from app.catalog import history
from app.catalog.definition import Operation

#: All scopes: the operations (contract section 4), in the order in which they are shown.
SCOPES = tuple(
    operation.value
    for operation in (
        Operation.CREATE,
        Operation.READ,
        Operation.UPDATE,
        Operation.DELETE,
        Operation.SEARCH,
        Operation.RPC,
    )
)
LIFETIME = 1800
#: Seconds that a refresh token lives from its last use.
REFRESH_LIFETIME = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Client:
    """A client app. ``client_id`` is its OAuth2 id, ``id`` the row's; ``uid`` the Odoo user that it acts as.

    ``redirect_uris`` let it ask persons for consent.
    """

    id: int
    name: str
    client_id: str
    active: bool
    lifetime: int
    scopes: tuple[str, ...]
    uid: int | None
    redirect_uris: tuple[str, ...]

    def still(self, granted: Iterable[str]) -> tuple[str, ...]:
        """Return those of the scopes of an earlier grant that the client app has to this day."""
        return tuple(scope for scope in granted if scope in self.scopes)


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access or refresh token stands for. ``uid`` is the person, None where the client acts by itself.

    ``scopes`` are those granted that the client app still has. ``login`` is that of the person or of the client app's
    own user, None where that is nobody who is active.
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

    @property
    def in_force(self) -> bool:
        """Whether it is good for anything: nothing of what it rests on has been taken away."""
        granted = self.client.active and bool(self.scopes) and not self.replaced
        return granted and (self.uid is None or self.login is not None)


_CLIENT = "c.id, c.name, c.public_id, c.active, c.lifetime, c.scopes, c.uid, c.redirect_uris"


def _client(row: Sequence[Any]) -> Client:
    identifier, name, public_id, active, lifetime, scopes, uid, redirect_uris = row
    return Client(identifier, name, public_id, active, lifetime, tuple(scopes), uid, tuple(redirect_uris))


def create(
    cr: Any,
    name: str,
    *,
    scopes: Iterable[str],
    uid: int | None,
    lifetime: int = LIFETIME,
    redirect_uris: Iterable[str] = (),
) -> Client:
    """Create a client app without a secret."""
    cr.execute(
        "INSERT INTO gatehouse.client AS c (name, public_id, lifetime, scopes, uid, redirect_uris) "
        f"VALUES (%s, %s, %s, %s, %s, %s) RETURNING {_CLIENT}",
        (name, secrets.token_urlsafe(18), lifetime, list(scopes), uid, list(redirect_uris)),
    )
    return _client(cr.fetchone())


def update(
    cr: Any,
    client: Client,
    *,
    scopes: Iterable[str],
    uid: int | None,
    lifetime: int,
    redirect_uris: Iterable[str],
    active: bool,
) -> None:
    """Change what a client app may do; its credentials stay."""
    cr.execute(
        "UPDATE gatehouse.client SET scopes = %s, uid = %s, lifetime = %s, redirect_uris = %s, active = %s "
        "WHERE id = %s",
        (list(scopes), uid, lifetime, list(redirect_uris), active, client.id),
    )


def every(cr: Any) -> list[Client]:
    """Return all client apps by name."""
    cr.execute(f"SELECT {_CLIENT} FROM gatehouse.client c ORDER BY c.name")
    return [_client(row) for row in cr.fetchall()]


def by_name(cr: Any, name: str) -> Client | None:
    """Return the client app of that name."""
    return _one_client(cr, "c.name = %s", name)


def by_public_id(cr: Any, public_id: str) -> Client | None:
    """Return the client app with that OAuth2 client id."""
    return _one_client(cr, "c.public_id = %s", public_id)


def by_id(cr: Any, client_id: int) -> Client | None:
    """Return the client app of that row."""
    return _one_client(cr, "c.id = %s", client_id)


def _one_client(cr: Any, condition: str, value: str | int) -> Client | None:
    cr.execute(f"SELECT {_CLIENT} FROM gatehouse.client c WHERE {condition}", (value,))
    row = cr.fetchone()
    return _client(row) if row else None


def set_active(cr: Any, client: Client, active: bool) -> None:
    """Switch a client app on or off; its tokens stand still while it is off."""
    cr.execute("UPDATE gatehouse.client SET active = %s WHERE id = %s", (active, client.id))


def new_secret(cr: Any, hasher: Hasher, client: Client, *, overlap: int) -> str:
    """Return a new secret; older ones are good for ``overlap`` seconds more. The history knows the lookup parts."""
    cr.execute(
        "SELECT lookup FROM gatehouse.client_secret "
        "WHERE client_id = %s AND (expires_at IS NULL OR expires_at > now()) ORDER BY created_at",
        (client.id,),
    )
    before = [lookup for (lookup,) in cr.fetchall()]
    cr.execute(
        "UPDATE gatehouse.client_secret SET expires_at = LEAST(expires_at, now() + %s * interval '1 second') "
        "WHERE client_id = %s",
        (overlap, client.id),
    )
    cr.execute("DELETE FROM gatehouse.client_secret WHERE client_id = %s AND expires_at <= now()", (client.id,))
    secret = tokens.generate(tokens.SECRET)
    kept = before if overlap else []
    history.note_client(
        cr,
        client.name,
        {"secrets": before},
        {"secrets": [*kept, tokens.lookup_of(secret, tokens.SECRET)], "old_good_for_seconds": overlap},
    )
    cr.execute(
        "INSERT INTO gatehouse.client_secret (lookup, hash, client_id) VALUES (%s, %s, %s)",
        (tokens.lookup_of(secret, tokens.SECRET), hasher.hash(secret), client.id),
    )
    return secret


def secret_matches(cr: Any, hasher: Hasher, client: Client, secret: str) -> bool:
    """Whether the secret is one of the client app's that is still good."""
    cr.execute(
        "SELECT hash FROM gatehouse.client_secret "
        "WHERE lookup = %s AND client_id = %s AND (expires_at IS NULL OR expires_at > now())",
        (tokens.lookup_of(secret, tokens.SECRET), client.id),
    )
    row = cr.fetchone()
    return bool(row and hasher.matches(secret, row[0]))


def has_secret(cr: Any, client: Client) -> bool:
    """Whether the client app has a secret: without one it is public (RFC 6749 2.1), an app on a person's device."""
    cr.execute("SELECT 1 FROM gatehouse.client_secret WHERE client_id = %s LIMIT 1", (client.id,))
    return cr.fetchone() is not None


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
) -> None:
    """Store a token that was just generated, and clear away some that have long expired."""
    cr.execute(
        "DELETE FROM gatehouse.token WHERE lookup IN (SELECT lookup FROM gatehouse.token "
        "WHERE expires_at < now() - interval '1 day' LIMIT 20 FOR UPDATE SKIP LOCKED)"
    )
    cr.execute(
        "INSERT INTO gatehouse.token (lookup, hash, kind, client_id, uid, scopes, family, expires_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, now() + %s * interval '1 second')",
        (
            tokens.lookup_of(token, kind),
            hasher.hash(token),
            "access" if kind == tokens.ACCESS else "refresh",
            client.id,
            uid,
            list(scopes),
            family,
            lifetime,
        ),
    )


_GRANT = (
    "t.hash, t.lookup, t.kind, t.uid, u.login, t.scopes, t.family, t.replaced, extract(epoch FROM t.created_at), "
    f"extract(epoch FROM t.expires_at), {_CLIENT}"
)
_BY_LOOKUP = (
    "FROM gatehouse.token t JOIN gatehouse.client c ON c.id = t.client_id "
    "LEFT JOIN res_users u ON u.id = COALESCE(t.uid, c.uid) AND u.active WHERE t.lookup = %s AND t.expires_at > now()"
)


def grant_of(cr: Any, hasher: Hasher, token: str) -> Grant | None:
    """Return what a token that has not expired stands for, in force or not; None for any other text."""
    kind = tokens.ACCESS if token.startswith(tokens.ACCESS) else tokens.REFRESH
    cr.execute(f"SELECT {_GRANT} {_BY_LOOKUP}", (tokens.lookup_of(token, kind),))
    row = cr.fetchone()
    return _grant(row, hasher, token) if row else None


def _grant(row: Sequence[Any], hasher: Hasher, token: str) -> Grant | None:
    stored, lookup, kind, uid, login, granted, family, replaced, created, expires, *rest = row
    if not hasher.matches(token, stored):
        return None
    client = _client(rest)
    scopes = client.still(granted)
    return Grant(lookup, kind, client, uid, login, scopes, family, replaced, float(created), float(expires))


def any_active(cr: Any, uids: Collection[int]) -> bool:
    """Whether one of these Odoo users may act."""
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


def consents(cr: Any, uid: int) -> list[tuple[Client, tuple[str, ...], Any]]:
    """Return what a person has allowed: client app, those of the scopes that it still has, and when."""
    cr.execute(
        f"SELECT {_CLIENT}, s.scopes, s.granted_at FROM gatehouse.consent s "
        "JOIN gatehouse.client c ON c.id = s.client_id WHERE s.uid = %s ORDER BY c.name",
        (uid,),
    )
    found = [(_client(row[:-2]), row[-2], row[-1]) for row in cr.fetchall()]
    return [(client, client.still(granted), when) for client, granted, when in found]


def grant_consent(cr: Any, client: Client, uid: int, scopes: Iterable[str]) -> None:
    """Remember what a person has allowed a client app."""
    cr.execute(
        "INSERT INTO gatehouse.consent (client_id, uid, scopes) VALUES (%s, %s, %s) "
        "ON CONFLICT (client_id, uid) DO UPDATE SET scopes = EXCLUDED.scopes, granted_at = now()",
        (client.id, uid, list(scopes)),
    )


def withdraw_consent(cr: Any, client_id: int, uid: int) -> None:
    """Forget a consent, and end all that it has led to at once."""
    for table in ("consent", "token", "authorization_code"):
        cr.execute(f"DELETE FROM gatehouse.{table} WHERE client_id = %s AND uid = %s", (client_id, uid))
