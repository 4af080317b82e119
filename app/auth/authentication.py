"""From credentials to a principal. What the principal may do is for ``policy.access``.

In the steady state this costs one short query: the row of a Bearer token or key, or whether ``run_as`` is active. A
session costs the read of one file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Protocol

from app.analytics import callers
from app.auth import bearers
from app.auth.bearers import Bearer
from app.clients.tokens import Hasher
from app.definitions.definition import Definition
from app.errors import Unauthorized
from app.observe import meters
from app.principal import Credentials, Principal
from odoo_bridge import credentials, sessions
from odoo_bridge.transaction import Environment
from odoo_bridge.types import Renewal

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)  # RFC 6750 2.1
_ODOO_KEY = re.compile(r"[0-9a-f]{40}")


class SessionReport(Protocol):
    """The part of a call's report that is filled in here: a session's new secret, to be told whatever comes of it."""

    session: Renewal | None


class NoUser(Unauthorized):
    """The credentials are good, but nobody is there to execute the calls of this API for them."""


class Authenticator:
    """Finds out who calls an API."""

    def __init__(self, hasher: Callable[[], Hasher], on_token: Callable[[str], None]) -> None:
        """``on_token`` gets the lookup part of each token that was found good."""
        self._hasher = hasher
        self._on_token = on_token

    def authenticate(
        self, root: Environment, presented: Credentials, definition: Definition, report: SessionReport
    ) -> Principal:
        """Return the caller of an API; raises Unauthorized. A public API asks nobody and looks at no credentials."""
        run_as = definition.run_as
        if definition.document.authentication == "public":
            uid = credentials.public_user(root).uid if run_as is None else _active(root, run_as)
            return Principal("public", uid, callers.PUBLIC)
        return self._caller(root, presented, run_as, report)

    def callers(
        self, root: Environment, presented: Credentials, run_as: Collection[int | None], report: SessionReport
    ) -> dict[int | None, Principal]:
        """Return who calls where no API is named: as what the caller would call APIs with each of these ``run_as``.

        Those that nobody would execute are left out. Raises Unauthorized for credentials that are not good.
        """
        found = {}
        for each in run_as:
            try:
                found[each] = self._caller(root, presented, each, report)
            except NoUser:
                continue
        return found

    def _caller(
        self, root: Environment, presented: Credentials, run_as: int | None, report: SessionReport
    ) -> Principal:
        if presented.client is not None:
            principal = _acting(bearers.own_bearer(root.cr, presented.client, run_as))
            if principal is None:
                raise _unknown_token()
            return principal
        if presented.authorization:
            return self._bearer(root, presented, run_as)
        if presented.session_id:
            found = sessions.resolve(root, presented.session_id)
            _count("session", found)
            if found is None:
                raise Unauthorized("The session has ended. Please log in again.", name="session_expired")
            report.session = found.renewal
            uid = found.user.uid if run_as is None else _active(root, run_as)
            return Principal("session", uid, callers.of_user(found.user.uid))
        raise Unauthorized("This API needs a login: send a Bearer token, an Odoo API key, or Odoo's session cookie.")

    def _bearer(self, root: Environment, presented: Credentials, run_as: int | None) -> Principal:
        match = _BEARER.fullmatch(presented.authorization or "")
        if match is None:
            raise Unauthorized("Expected is the header Authorization: Bearer TOKEN.")
        token = match[1]
        is_key = _ODOO_KEY.fullmatch(token) is not None
        principal = _key(root, token, run_as) if is_key else self._token(root, token, run_as)
        _count("api_key" if is_key else "token", principal)
        if principal is None:
            # Never 429: tokens can't be guessed, and who has one that is over has to know that it needs another.
            raise _unknown_token()
        return principal

    def _token(self, root: Environment, token: str, run_as: int | None) -> Principal | None:
        found = bearers.bearer(root.cr, self._hasher(), token, run_as)
        principal = _acting(found)
        if found is not None and principal is not None:
            self._on_token(found.lookup)
        return principal


def _acting(found: Bearer | None) -> Principal | None:
    """Return who a token that was found lets call; None where it is good for nothing. Raises Unauthorized."""
    if found is None or not found.client_active:
        return None
    if not found.person_active:  # whoever executes the calls: the right to make them was this person's
        raise invalid_token("The person who allowed this client app to act for them is no longer active.")
    if found.acts_as is None:
        raise invalid_token("The client app acts as no user here.", NoUser)
    if not found.user_active:
        raise invalid_token("The user that executes this call is no longer active.", NoUser)
    key = callers.of_client(found.client_id, found.uid)
    return Principal("client" if found.uid is None else "person", found.acts_as, key, found.scopes, found.client_name)


def _unknown_token() -> Unauthorized:
    return invalid_token("The token is unknown, has expired or was revoked.")


def _count(kind: str, found: object | None) -> None:
    meters.credentials(kind, "wrong" if found is None else "good").inc()


def invalid_token(message: str, kind: type[Unauthorized] = Unauthorized) -> Unauthorized:
    """Return the error for a token that is not good (RFC 6750 3.1)."""
    challenge = f'Bearer realm="gatehouse", error="invalid_token", error_description="{message}"'
    return kind(message, name="invalid_token", headers={"WWW-Authenticate": challenge})


def _key(root: Environment, key: str, run_as: int | None) -> Principal | None:
    user = credentials.user_by_key(root, key)
    if user is None:
        return None
    return Principal("key", user.uid if run_as is None else _active(root, run_as), callers.of_user(user.uid))


def _active(root: Environment, run_as: int) -> int:
    if not credentials.is_active(root, run_as):
        raise NoUser("The user that executes this API's calls is no longer active.", name="run_as_inactive")
    return run_as
