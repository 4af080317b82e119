"""Access of a principal to an API; who it is has been settled before."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from app.definitions.definition import Definition
from app.definitions.scopes import Scope
from app.errors import Forbidden, Unavailable
from app.principal import Principal


def check_served(definition: Definition) -> None:
    """Refuse an API whose definition no longer fits Odoo; raises Unavailable with what is missing for admins only."""
    if definition.problems:
        raise Unavailable(
            "This API is out of service, because Odoo has changed. Its administrator finds the reason in the log.",
            name="definition_broken",
            retry_after=60,
        )


def authorize(principal: Principal, definition: Definition, scopes: Sequence[Scope]) -> None:
    """Check that the caller's credentials cover all scopes; raises Forbidden (RFC 6750 3.1). No token covers none.

    Odoo's own access rights are a second bar, which the user that executes the call has to take.
    """
    if principal.client is None or principal.scopes is None:
        return
    if principal.client not in definition.document.clients:
        raise Forbidden("This client app is not connected to this API.", name="client_not_connected")
    if not scopes:
        raise Forbidden("No token opens this.", name="insufficient_scope")
    check_scopes(principal.scopes, scopes)


def check_scopes(held: Collection[str], scopes: Sequence[Scope]) -> None:
    """Check that a token has all scopes; raises Forbidden."""
    for scope in scopes:
        if scope.value not in held:
            needed = " ".join(each.value for each in scopes)
            challenge = f'Bearer realm="gatehouse", error="insufficient_scope", scope="{needed}"'
            raise Forbidden(
                f"The token lacks the scope {scope.value}.",
                name="insufficient_scope",
                headers={"WWW-Authenticate": challenge},
            )
