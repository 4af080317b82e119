"""From credentials to a principal. What the principal may do is for ``policy.access``.

In the steady state this costs no query: who is good is remembered (``credentials.remember``), by a digest of
their token or key. A session costs the read of one file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeAlias

from app.analytics import callers
from app.auth import bearers
from app.auth.bearers import Bearer
from app.clients.tokens import Hasher, stand_in
from app.definitions.definition import Definition
from app.definitions.scopes import Scope
from app.errors import Forbidden, Unauthorized
from app.observe import meters
from app.policy import access
from app.principal import Credentials, Principal
from odoo_bridge import credentials, sessions
from odoo_bridge.transaction import Environment
from odoo_bridge.types import Renewal

_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*) *", re.IGNORECASE)  # RFC 6750 2.1
_ODOO_KEY = re.compile(r"[0-9a-f]{40}")


class SessionReport(Protocol):
    """The part of a call's report that is filled in here: a session's new secret, to be told whatever comes of it."""

    session: Renewal | None


class CallerReport(Protocol):
    """The part of a call's report that says who calls."""

    principal: Principal | None


class NoUser(Unauthorized):
    """The credentials are good, but whoever would execute the calls of this API for them is switched off."""


class ClientWithoutUser(Forbidden):
    """The token of a client app is good, but nobody is there to execute its calls of this API.

    No new token helps, so it is no 401, which has programs fetch one.
    """

    name = "client_without_user"


@dataclass(frozen=True, slots=True)
class _User:
    """An Odoo user who shows a session or an API key of theirs."""

    kind: Literal["session", "key"]
    uid: int


#: Holder of credentials that are good: the token of a client app, or a user of Odoo.
Holder: TypeAlias = Bearer | _User


class Authenticator:
    """Finds out who calls an API."""

    def __init__(self, hasher: Callable[[], Hasher], on_token: Callable[[str], None]) -> None:
        """``on_token`` gets the lookup part of each token that was found good."""
        self._hasher = hasher
        self._on_token = on_token

    def authenticate(
        self, root: Environment, presented: Credentials, definition: Definition, report: SessionReport | None
    ) -> Principal:
        """Return the caller of an API; raises Unauthorized. A public API asks nobody and looks at no credentials.

        Without a report it is a look at a call that is under way: no session is rotated, and nothing is counted.
        """
        run_as = definition.run_as
        if definition.document.authentication == "public":
            uid = credentials.public_uid(root) if run_as is None else _active(root, run_as)
            return Principal("public", uid, callers.PUBLIC)
        token = _token(presented)
        shown = (stand_in(token), run_as) if token else None
        found = credentials.recall(root, shown) if shown is not None else None
        if found is None:
            holder = self._holder(root, presented, run_as, report)
            found = holder, _principal(root, holder, run_as)
            if token and shown is not None:
                _remember(root, shown, *found, token)
        holder, principal = found
        _check_resource(holder, presented)
        if report is not None:
            self._note(holder)
        return principal

    def callers(
        self, root: Environment, presented: Credentials, run_as: Collection[int | None], report: SessionReport
    ) -> dict[int | None, Principal]:
        """Return the principals of a request that names no API: one for each of these ``run_as`` of APIs.

        Those that nobody would execute are left out. Raises Unauthorized for credentials that are not good.
        """
        holder = self._holder(root, presented, None, report)
        _check_resource(holder, presented)
        found = {}
        for each in run_as:
            try:
                found[each] = _principal(root, _executed_by(root, holder, each), each)
            except (NoUser, ClientWithoutUser):
                continue
        if found:
            self._note(holder)
        return found

    def client(self, root: Environment, presented: Credentials, report: CallerReport) -> Bearer:
        """Return the client app that calls by itself, with a token that it may search with, whatever the API.

        Raises Unauthorized, and Forbidden for everybody else.
        """
        holder = self._holder(root, presented, None, None)
        if isinstance(holder, _User) or holder.uid is not None:
            message = "Webhooks are the client apps' own: send a token that the app was given for itself."
            raise Forbidden(message, name="client_needed")
        _check_resource(holder, presented)
        # Webhooks tell all that the app itself may see: so no token does that lets one see less.
        own = bearers.own_bearer(root.cr, holder.client_id, None)
        reads = own is not None and Scope.READ.value in own.scopes
        access.check_scopes(holder.scopes, (Scope.SEARCH, Scope.READ) if reads else (Scope.SEARCH,))
        self._note(holder)
        uid = holder.acts_as or 0
        key = callers.of_client(holder.client_id)
        report.principal = Principal("client", uid, key, holder.scopes, holder.client_name)
        return holder

    def _holder(
        self, root: Environment, presented: Credentials, run_as: int | None, report: SessionReport | None
    ) -> Holder:
        """Return the holder of the credentials, for an API with this ``run_as``; raises Unauthorized."""
        if presented.client is not None:
            acting = _in_force(bearers.own_bearer(root.cr, presented.client, run_as))
            if acting is None:
                raise _unknown_token()
            return acting
        if presented.authorization:
            return self._bearer(root, presented.authorization, run_as)
        if presented.session_id:
            found = sessions.resolve(root, presented.session_id, rotates=report is not None)
            if found is None:
                meters.credentials("session", "wrong").inc()
                raise Unauthorized("The session has ended. Please log in again.", name="session_expired")
            if report is not None:
                report.session = found.renewal
            return _User("session", found.user.uid)
        raise Unauthorized("This API needs a login: send a Bearer token, an Odoo API key, or Odoo's session cookie.")

    def _bearer(self, root: Environment, authorization: str, run_as: int | None) -> Holder:
        match = _BEARER.fullmatch(authorization)
        if match is None:
            message = "Expected is the header Authorization: Bearer TOKEN."
            raise Unauthorized(message, data={"parameter": "Authorization"})
        holder: Holder | None
        token = match[1]
        is_key = _ODOO_KEY.fullmatch(token) is not None
        if is_key:
            user = credentials.user_by_key(root, token)
            holder = _User("key", user.uid) if user else None
        else:
            holder = _in_force(bearers.bearer(root.cr, self._hasher(), token, run_as))
        if holder is None:
            meters.credentials("api_key" if is_key else "token", "wrong").inc()
            # Never 429: tokens can't be guessed, and who has one that is over has to know that it needs another.
            raise _unknown_token()
        return holder

    def _note(self, holder: Holder) -> None:
        """Count credentials that were good; a client app that the console calls as has shown none."""
        if isinstance(holder, _User):
            meters.credentials("api_key" if holder.kind == "key" else "session", "good").inc()
        elif holder.lookup:
            meters.credentials("token", "good").inc()
            self._on_token(holder.lookup)


def _check_resource(holder: Holder, presented: Credentials) -> None:
    """Refuse a token at another place than the one that it was asked for; raises Unauthorized."""
    if not isinstance(holder, _User) and not holder.is_good_at(presented.resource):
        if holder.resource is None:
            raise invalid_token("This token names no resource: ask for one with the parameter resource (RFC 8707).")
        raise invalid_token("This token was asked for another resource.")


def _in_force(found: Bearer | None) -> Bearer | None:
    """Return a token that was found; None where it is good for nothing. Raises Unauthorized."""
    if found is None or not found.client_active:
        return None
    if not found.person_active:  # whoever executes the calls: the right to make them was this person's
        raise invalid_token("The person who allowed this client app to act for them is no longer active.")
    return found


def _executed_by(root: Environment, holder: Holder, run_as: int | None) -> Holder:
    """Return a holder that was found for APIs that name no user as one for APIs with this ``run_as``."""
    if run_as is None or isinstance(holder, _User):
        return holder
    return replace(holder, acts_as=run_as, user_active=credentials.is_active(root, run_as, remembered=True))


def _principal(root: Environment, holder: Holder, run_as: int | None) -> Principal:
    """Return as whom a holder calls an API with this ``run_as``; raises NoUser and ClientWithoutUser."""
    if isinstance(holder, _User):
        uid = holder.uid if run_as is None else _active(root, run_as)
        return Principal(holder.kind, uid, callers.of_user(holder.uid))
    if holder.acts_as is None:
        raise ClientWithoutUser(
            f"The client app {holder.client_name!r} acts as no user here: neither it nor this API names one."
        )
    if not holder.user_active:
        raise invalid_token("The user that executes this call is no longer active.", NoUser)
    kind: Literal["client", "person"] = "client" if holder.uid is None else "person"
    key = callers.of_client(holder.client_id, holder.uid)
    return Principal(kind, holder.acts_as, key, holder.scopes, holder.client_name, holder.url)


def _token(presented: Credentials) -> str | None:
    """Return the token or key that a call came with; None where it came with none, or not as itself."""
    if presented.client is not None or not presented.authorization:
        return None
    match = _BEARER.fullmatch(presented.authorization)
    return match[1] if match else None


def _remember(root: Environment, shown: Hashable, holder: Holder, principal: Principal, token: str) -> None:
    """Remember a token or key that was found good, with all that it rests on."""
    users = {principal.uid} if holder.uid is None else {principal.uid, holder.uid}
    if not isinstance(holder, _User):
        credentials.remember(root, shown, (holder, principal), users=users, until=holder.until)
    else:
        credentials.remember_by_key(root, shown, (holder, principal), users=users, holder=holder.uid, key=token)


def _unknown_token() -> Unauthorized:
    return invalid_token("The token is unknown, has expired or was revoked.")


def invalid_token(message: str, kind: type[Unauthorized] = Unauthorized) -> Unauthorized:
    """Return the error for a token that is not good (RFC 6750 3.1)."""
    challenge = f'Bearer realm="gatehouse", error="invalid_token", error_description="{message}"'
    return kind(message, name="invalid_token", headers={"WWW-Authenticate": challenge})


def _active(root: Environment, run_as: int) -> int:
    if not credentials.is_active(root, run_as, remembered=True):
        raise NoUser("The user that executes this API's calls is no longer active.", name="run_as_inactive")
    return run_as
