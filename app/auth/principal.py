"""Who calls: from what the request carries to a Principal. What the principal may do is for ``policy.access``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.catalog.definition import Definition
from app.errors import Unauthorized
from odoo_bridge import credentials, sessions
from odoo_bridge.transaction import Environment


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request carries to say who calls; nothing of it has been checked."""

    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller that is known. ``uid`` is None for the public."""

    kind: Literal["public", "session"]
    uid: int | None = None
    login: str | None = None

    @property
    def key(self) -> str:
        """A text that is the same for all calls of this caller, and for nobody else's."""
        return f"{self.kind}:{self.uid}"


PUBLIC = Principal("public")


def authenticate(root: Environment, presented: Credentials, definition: Definition) -> Principal:
    """Return the caller of an API; raises Unauthorized. A public API asks nobody and looks at no credentials."""
    if definition.document.authentication == "public":
        return PUBLIC
    if presented.session_id:
        user = sessions.resolve(root, presented.session_id)
        if user is None:
            raise Unauthorized("The session has ended. Please log in again.", name="session_expired")
        return Principal("session", user.uid, user.login)
    raise Unauthorized("This API needs a login: send Odoo's session cookie.")


def executing_user(root: Environment, principal: Principal, definition: Definition) -> int:
    """Return the id of the Odoo user that executes a call; never the superuser."""
    if definition.run_as is not None:
        if not credentials.is_active(root, definition.run_as):
            raise Unauthorized("The user that executes this API's calls is no longer active.", name="run_as_inactive")
        return definition.run_as
    if principal.uid is not None:
        return principal.uid
    return credentials.public_user(root).uid
