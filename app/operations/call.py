"""A call, as every door hands it to the gateway."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.definitions.definition import Definition
from app.operations.actions import Action
from app.operations.idempotency import Idempotency
from app.operations.report import CallReport
from app.operations.together import Together
from app.operations.trial import Trial, is_rolled_back
from app.policy.context import RequestedContext
from app.principal import Credentials
from odoo_bridge import sessions


@dataclass(frozen=True, slots=True)
class Call:
    """A call as a request asks for it; nothing of it has been checked but that the API serves this action.

    ``together`` is the transaction of the batch that it is a step of, where that is atomic. ``goes_on`` says that it is
    a part of one that was admitted: it counts against nothing, and renews no session. ``tool`` is the one that an AI
    agent has called, ``approved_by`` the person who has approved what it does.
    """

    definition: Definition
    action: Action
    credentials: Credentials
    requested: RequestedContext
    report: CallReport
    request_id: str
    call_id: str
    idempotency: Idempotency | None = None
    trial: Trial | None = None
    dry_run: bool = False
    together: Together | None = None
    goes_on: bool = False
    tool: str | None = None
    approved_by: int | None = None

    @property
    def rolled_back(self) -> bool:
        """True if nothing of it may remain."""
        return self.dry_run or is_rolled_back(self.definition, self.trial)

    def by_now(self) -> Call:
        """Return the same call, which goes on, by the id that its session has by now."""
        shown = self.credentials
        if not shown.session_id or shown.authorization:
            return replace(self, goes_on=True)
        shown = replace(shown, session_id=sessions.successor(shown.session_id))
        return replace(self, credentials=shown, goes_on=True)
