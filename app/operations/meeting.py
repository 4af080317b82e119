"""A record that is about to be written, held against the condition of its write."""

from __future__ import annotations

from app.definitions.definition import Definition
from app.operations import versions
from app.operations.report import CallReport
from app.operations.versions import Condition
from odoo_bridge import records
from odoo_bridge.transaction import Environment


def meet(
    env: Environment, definition: Definition, model: str, record_id: int, condition: Condition, report: CallReport
) -> None:
    """Raise PreconditionFailed unless the record is in a version that the client has seen; a dry run tells it."""
    if not (condition.given or condition.told):
        return
    written = records.write_dates(env, model, [record_id])[record_id]
    report.version_before = versions.state(definition, model, record_id, written)
    condition.check(report.version_before)
