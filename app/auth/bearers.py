"""Bearer token lookup. Nearly each call does it, so the answer holds no more than a call needs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from app.clients import tokens
from app.clients.metadata import host_of
from app.clients.tokens import Hasher

#: Query for a number that rises when something is taken from a token or a client app (migration 0009).
VERSION = "SELECT sum(version)::bigint FROM gatehouse.credential_version"

# A client app that still has all that was granted is the rule: then its scopes need not come along.
_COLUMNS = (
    "SELECT t.hash, t.uid, t.scopes, CASE WHEN t.scopes <@ c.scopes THEN NULL ELSE c.scopes END, "
    "c.id, c.name, c.active, c.uid, t.resource, c.resource_optional, "
    "t.client_url, c.metadata_hosts, extract(epoch FROM t.expires_at - clock_timestamp())::float8, u.active"
)
_FOUND_IN = " FROM gatehouse.token t JOIN gatehouse.client c ON c.id = t.client_id"
_VALID = " WHERE t.lookup = %s AND t.expires_at > now()"
#: The call acts as the person who gave the token, or as the client app's user.
_AS_CALLER = f"{_COLUMNS}{_FOUND_IN} LEFT JOIN res_users u ON u.id = COALESCE(t.uid, c.uid){_VALID}"
#: The API names whom it acts as; who gave the token is looked at besides.
_AS_OTHER = (
    f"{_COLUMNS}, p.active{_FOUND_IN} LEFT JOIN res_users u ON u.id = %s LEFT JOIN res_users p ON p.id = t.uid{_VALID}"
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token that was sent with a call and has not expired, with its client app and the user that the call acts as.

    ``uid`` is the person who gave it, None where the client app acts by itself; ``acts_as`` is None where nobody does.
    ``scopes`` are those granted that the client app still has. It is good ``until`` a time of ``time.monotonic``, by
    the database's clock, and not a moment longer.

    ``resource`` is the only one that it is good for; where it names none, ``resource_optional`` says that it is good at
    each. ``url`` is that of a client which describes itself, and calls as the client app of its host.
    """

    lookup: str
    uid: int | None
    person_active: bool
    scopes: tuple[str, ...]
    client_id: int
    client_name: str
    client_active: bool
    acts_as: int | None
    user_active: bool
    until: float = 0.0
    resource: str | None = None
    resource_optional: bool = False
    url: str = ""

    def is_good_at(self, resource: str | None) -> bool:
        """True if it may be shown at a resource, or at what is none (RFC 8707 2)."""
        return self.resource == resource or (self.resource is None and self.resource_optional)


def bearer(cr: Any, hasher: Hasher, token: str, run_as: int | None) -> Bearer | None:
    """Look up a bearer token: its client app, user and scopes, or None. One query.

    None for any other text; ``run_as`` is the user that executes the calls of the API, where it names one.
    """
    lookup = tokens.lookup_of(token, tokens.ACCESS)
    if lookup is None:
        return None
    asked = time.monotonic()
    if run_as is None:
        cr.execute(_AS_CALLER, (lookup,))
    else:
        cr.execute(_AS_OTHER, (run_as, lookup))
    row = cr.fetchone()
    if row is None:
        return None
    stored, uid, granted, held, client_id, name, client_active, client_uid, *row = row
    resource, optional, url, hosts, left, user_active, *person = row
    if not hasher.matches(token, stored) or (url and host_of(url) not in hosts):
        return None
    scopes = tuple(granted if held is None else [scope for scope in granted if scope in held])
    acts_as = _first(run_as, uid, client_uid)
    person_active = uid is None or bool(person[0] if person else user_active)
    active, until = bool(user_active), asked + left
    return Bearer(
        lookup,
        uid,
        person_active,
        scopes,
        client_id,
        name,
        client_active,
        acts_as,
        active,
        until,
        resource,
        optional,
        url,
    )


def own_bearer(cr: Any, client_id: int, run_as: int | None) -> Bearer | None:
    """Return a bearer as if the client app had just been given a token for itself, with all its scopes."""
    cr.execute(
        "SELECT c.name, c.scopes, c.active, c.uid, u.active "
        "FROM gatehouse.client c LEFT JOIN res_users u ON u.id = COALESCE(%s, c.uid) WHERE c.id = %s",
        (run_as, client_id),
    )
    row = cr.fetchone()
    if row is None:
        return None
    name, scopes, client_active, client_uid, user_active = row
    acts_as = _first(run_as, client_uid)
    return Bearer("", None, True, tuple(scopes), client_id, name, client_active, acts_as, bool(user_active))


def _first(*users: int | None) -> int | None:
    """Return the first that is one, as COALESCE does."""
    return next((uid for uid in users if uid is not None), None)
