"""A call, as every door hands it to the gateway."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.definitions.definition import Definition
from app.operations.actions import Action
from app.operations.idempotency import Idempotency
from app.operations.report import CallReport
from app.operations.trial import Trial, is_rolled_back
from app.policy.context import RequestedContext
from app.principal import Credentials
from odoo_bridge import sessions


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a request asks for it; nothing of it has been checked but that the API serves this action."""

    definition: Definition
    action: Action
    credentials: Credentials
    requested: RequestedContext
    report: CallReport
    request_id: str
    call_id: str
    idempotency: Idempotency | None = None
    trial: Trial | None = None

    @property
    def rolled_back(self) -> bool:
        """True if nothing of it may remain."""
        return is_rolled_back(self.definition, self.trial)

    def by_now(self) -> Call:
        """Return the same call, under way for a while, by the id that its session has by now."""
        shown = self.credentials
        if not shown.session_id or shown.authorization:
            return self
        return replace(self, credentials=replace(shown, session_id=sessions.successor(shown.session_id)))
