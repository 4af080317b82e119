"""The one line that every door leads to: principal → access → context → work, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from app.auth.principal import Credentials, Principal, authenticate, executing_user
from app.catalog.definition import Definition, Operation
from app.idempotency import Idempotency, once
from app.policy import access, context
from odoo_bridge import users
from odoo_bridge.transaction import Environment, Transactions, act_as

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """What a request asks of an API; nothing of it has been checked but that the API serves this operation."""

    definition: Definition
    operation: Operation
    credentials: Credentials
    wishes: context.Wishes
    idempotency: Idempotency | None = None


class Gateway:
    """Runs the calls of one database."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def run(self, call: Call, work: Callable[[Environment], T]) -> T:
        """Run ``work(env)`` as the Odoo user whom the call's API and principal name, and return its result.

        ``work`` checks what the call asks for against the policy and does it; it can be called again after a
        serialization failure. In test mode everything is rolled back. Raises ApiError and BridgeError.
        """
        return self._run(call, lambda env, principal: work(env))

    def run_once(self, call: Call, work: Callable[[Environment], Any]) -> Any:
        """Like ``run``; with an Idempotency-Key, the same call again gives the first one's result and does nothing."""
        key = call.idempotency
        if key is None:
            return self.run(call, work)
        return self._run(
            call, lambda env, principal: once(env, key, call.definition.id, principal.key, lambda: work(env))
        )

    def _run(self, call: Call, work: Callable[[Environment, Principal], T]) -> T:
        definition = call.definition
        access.check_served(definition)

        def within(root: Environment) -> T:
            principal = authenticate(root, call.credentials, definition)
            uid = executing_user(root, principal, definition)
            return work(act_as(root, uid, _context(root, uid, call.wishes, definition)), principal)

        return self._transactions.run(within, keep=definition.document.mode == "production")


def _context(root: Environment, uid: int, wishes: context.Wishes, definition: Definition) -> dict[str, object]:
    """Return Odoo's context for a call. What only some calls ask for is looked up only then."""
    language = context.language(wishes.languages, users.installed_languages(root)) if wishes.languages else None
    company = None
    if wishes.company is not None:
        company = context.company(wishes.company, definition.ids, users.company_ids(root, uid))
    return context.build(users.own_context(root, uid), language, context.time_zone(wishes.time_zone), company)
