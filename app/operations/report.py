"""Report of a call: what is told beside its answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.analytics.audit import Change
from app.auth.throttle import RateState
from app.principal import Principal
from odoo_bridge.types import Renewal


@dataclass(slots=True)
class CallReport:
    """Facts of a call that are told beside its answer.

    To the caller: a rotated session, and where the rate limit stands. To the log and the audit: who it was, and what
    was changed. ``version_before`` is that of the one record that was written, before it was.
    """

    session: Renewal | None = None
    rate: RateState | None = None
    principal: Principal | None = None
    under_way: str | None = None  # the caller that it counts for while it runs
    version_before: str | None = None
    changes: list[Change] = field(default_factory=list)
