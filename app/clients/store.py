"""Client apps and their secrets in the database. Every function runs in the transaction that it is given.

``cr`` is the cursor of Odoo's environment: what is written here commits with the call, or not at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.analytics import history
from app.clients import tokens
from app.clients.tokens import Hasher

#: Seconds that tokens of a new client app last.
LIFETIME = 1800


@dataclass(frozen=True, slots=True)
class Client:
    """A client app. ``client_id`` is its OAuth2 id, ``id`` the row's; ``uid`` the Odoo user that it acts as.

    ``redirect_uris`` let it ask persons for consent. With ``resource_optional`` its tokens are good at the MCP server
    also where they were not asked for that. Clients that describe themselves at one of ``metadata_hosts`` call as it:
    such a one has a ``url``, which is its ``client_id``, and a ``title`` of its own.
    """

    id: int
    name: str
    client_id: str
    active: bool
    lifetime: int
    scopes: tuple[str, ...]
    uid: int | None
    redirect_uris: tuple[str, ...]
    resource_optional: bool = False
    metadata_hosts: tuple[str, ...] = ()
    url: str = ""
    title: str = ""

    def still(self, granted: Iterable[str]) -> tuple[str, ...]:
        """Return those of the scopes of an earlier grant that the client app has to this day."""
        return tuple(scope for scope in granted if scope in self.scopes)


#: What ``of_row`` takes, of ``gatehouse.client c``.
COLUMNS = (
    "c.id, c.name, c.public_id, c.active, c.lifetime, c.scopes, c.uid, c.redirect_uris, c.resource_optional, "
    "c.metadata_hosts"
)


def of_row(row: Sequence[Any]) -> Client:
    """Return the client app of a row of ``COLUMNS``."""
    identifier, name, public_id, active, lifetime, scopes, uid, redirect_uris, optional, hosts = row
    uris = tuple(redirect_uris)
    return Client(identifier, name, public_id, active, lifetime, tuple(scopes), uid, uris, optional, tuple(hosts))


def create(
    cr: Any,
    name: str,
    *,
    scopes: Iterable[str],
    uid: int | None,
    lifetime: int = LIFETIME,
    redirect_uris: Iterable[str] = (),
    resource_optional: bool = False,
    metadata_hosts: Iterable[str] = (),
    active: bool = True,
) -> Client:
    """Create a client app without a secret."""
    cr.execute(
        "INSERT INTO gatehouse.client AS c (name, public_id, lifetime, scopes, uid, redirect_uris, "
        f"resource_optional, metadata_hosts, active) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING {COLUMNS}",
        (
            name,
            secrets.token_urlsafe(18),
            lifetime,
            list(scopes),
            uid,
            list(redirect_uris),
            resource_optional,
            list(metadata_hosts),
            active,
        ),
    )
    return of_row(cr.fetchone())


def update(cr: Any, client: Client) -> None:
    """Store a client app's rights, as ``client`` has them; its name and credentials stay."""
    cr.execute(
        "UPDATE gatehouse.client SET scopes = %s, uid = %s, lifetime = %s, redirect_uris = %s, resource_optional = %s, "
        "metadata_hosts = %s, active = %s WHERE id = %s",
        (
            list(client.scopes),
            client.uid,
            client.lifetime,
            list(client.redirect_uris),
            client.resource_optional,
            list(client.metadata_hosts),
            client.active,
            client.id,
        ),
    )


def every(cr: Any) -> list[Client]:
    """Return all client apps by name."""
    cr.execute(f"SELECT {COLUMNS} FROM gatehouse.client c ORDER BY c.name")
    return [of_row(row) for row in cr.fetchall()]


def names(cr: Any, ids: Iterable[int]) -> dict[int, str]:
    """Return the names of those of the client apps that there are, by id."""
    cr.execute("SELECT id, name FROM gatehouse.client WHERE id = ANY(%s)", (list(ids),))
    return dict(cr.fetchall())


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
    cr.execute(f"SELECT {COLUMNS} FROM gatehouse.client c WHERE {condition}", (value,))
    row = cr.fetchone()
    return of_row(row) if row else None


def rename(cr: Any, client: Client, name: str) -> None:
    """Give a client app another name; its credentials stay. Definitions name it too: see ``editing.client_apps``."""
    cr.execute("UPDATE gatehouse.client SET name = %s WHERE id = %s", (name, client.id))


def remove(cr: Any, client: Client) -> None:
    """Delete a client app, and with it its secrets, tokens, codes and consents."""
    cr.execute("DELETE FROM gatehouse.client WHERE id = %s", (client.id,))


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
    """True if the secret is one of the client app's that is still good."""
    cr.execute(
        "SELECT hash FROM gatehouse.client_secret "
        "WHERE lookup = %s AND client_id = %s AND (expires_at IS NULL OR expires_at > now())",
        (tokens.lookup_of(secret, tokens.SECRET), client.id),
    )
    row = cr.fetchone()
    return bool(row and hasher.matches(secret, row[0]))


def has_secret(cr: Any, client: Client) -> bool:
    """True if the client app has a secret: without one it is public (RFC 6749 2.1), an app on a person's device."""
    cr.execute("SELECT 1 FROM gatehouse.client_secret WHERE client_id = %s LIMIT 1", (client.id,))
    return cr.fetchone() is not None


def with_secret(cr: Any) -> set[int]:
    """Return the rows of the client apps for which ``has_secret`` is true."""
    cr.execute("SELECT DISTINCT client_id FROM gatehouse.client_secret")
    return {client_id for (client_id,) in cr.fetchall()}
