"""Authorization codes in the database (RFC 6749 4.1). Every function runs in the transaction that it is given."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.clients import tokens
from app.clients.store import Client
from app.clients.tokens import Hasher

#: Seconds in which a code has to be exchanged.
LIFETIME = 60


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code that has been given out."""

    client_id: int
    uid: int
    scopes: tuple[str, ...]
    redirect_uri: str
    redirect_uri_given: bool
    challenge: str
    family: str
    used: bool
    person_active: bool
    resource: str | None
    client_url: str


def store(
    cr: Any,
    hasher: Hasher,
    code: str,
    client: Client,
    *,
    uid: int,
    scopes: Iterable[str],
    redirect_uri: str,
    redirect_uri_given: bool,
    challenge: str,
    resource: str | None,
) -> None:
    """Store an authorization code; expired ones are cleared away."""
    cr.execute("DELETE FROM gatehouse.authorization_code WHERE expires_at < now() - interval '1 hour'")
    cr.execute(
        "INSERT INTO gatehouse.authorization_code "
        "(lookup, hash, client_id, uid, scopes, redirect_uri, redirect_uri_given, challenge, resource, client_url, "
        "family, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now() + %s * interval '1 second')",
        (
            tokens.lookup_of(code, tokens.CODE),
            hasher.hash(code),
            client.id,
            uid,
            list(scopes),
            redirect_uri,
            redirect_uri_given,
            challenge,
            resource,
            client.url,
            secrets.token_urlsafe(16),
            LIFETIME,
        ),
    )


def find(cr: Any, hasher: Hasher, code: str) -> Code | None:
    """Look up an authorization code; None once it has expired, unless it was used."""
    cr.execute(
        "SELECT a.hash, a.client_id, a.uid, a.scopes, a.redirect_uri, a.redirect_uri_given, a.challenge, a.family, "
        "a.used, u.id IS NOT NULL, a.resource, a.client_url FROM gatehouse.authorization_code a "
        "LEFT JOIN res_users u ON u.id = a.uid AND u.active "
        "WHERE a.lookup = %s AND (a.used OR a.expires_at > now()) FOR UPDATE OF a",
        (tokens.lookup_of(code, tokens.CODE),),
    )
    row = cr.fetchone()
    if row is None or not hasher.matches(code, row[0]):
        return None
    _, client_id, uid, scopes, redirect_uri, given, challenge, family, used, active, resource, url = row
    return Code(client_id, uid, tuple(scopes), redirect_uri, given, challenge, family, used, active, resource, url)


def use(cr: Any, code: str) -> None:
    """Mark a code as exchanged; it is kept for some more time, so that a second use is noticed."""
    cr.execute(
        "UPDATE gatehouse.authorization_code SET used = true WHERE lookup = %s", (tokens.lookup_of(code, tokens.CODE),)
    )
