"""One method call: arguments and ids checked, the method called, its result made into JSON. No Flask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.analytics.audit import Change
from app.definitions.definition import Definition, Exposure
from app.definitions.ids import InvalidId
from app.errors import ApiError, BadRequest, NotFound
from app.operations import references
from app.operations.meeting import meet
from app.operations.report import CallReport
from app.operations.serialize.results import to_json
from app.operations.versions import Condition
from app.policy import query
from app.policy.arguments import Arguments
from app.policy.values import Checked
from odoo_bridge import methods, records, sandbox
from odoo_bridge.transaction import Environment
from odoo_bridge.types import MethodInfo


class MethodCalls:
    """Calls the method of one API, as one user."""

    def __init__(
        self,
        env: Environment,
        definition: Definition,
        exposure: Exposure,
        method: MethodInfo,
        report: CallReport,
        *,
        only_reads: bool,
    ) -> None:
        """``report`` takes the call, for the audit, unless it can only read."""
        self.env = env
        self.report = report
        self.only_reads = only_reads
        self.definition = definition
        self.exposure = exposure
        self.method = method
        self.ids = definition.ids.of(exposure.name)

    def on_model(self, arguments: Arguments) -> Any:
        """Call the method on the model."""
        return self._call([], arguments)

    def on_record(self, public_id: str, arguments: Arguments, condition: Condition) -> Any:
        """Call the method on one record, if it is still in a version that the client has seen."""
        try:
            ids = [self.ids.decode(public_id)]
        except InvalidId:
            raise self._not_found() from None
        self._require(ids, lambda index: self._not_found())
        meet(self.env, self.definition, self.exposure.name, ids[0], condition, self.report)
        return self._call(ids, arguments)

    def on_records(self, value: object, arguments: Arguments) -> Any:
        """Call the method on the records of ``a,b,c``, in that order."""
        ids = []
        for index, public_id in enumerate(query.public_ids(value, self.definition.document.max_bulk)):
            try:
                ids.append(self.ids.decode(public_id))
            except InvalidId:
                raise self._not_found("ids").at(index) from None
        if len(set(ids)) < len(ids):
            raise BadRequest("ids: a record is named twice.", name="duplicate_id", data={"parameter": "ids"})
        self._require(ids, lambda index: self._not_found("ids").at(index))
        return self._call(ids, arguments)

    def _require(self, ids: Sequence[int], error: Callable[[int], ApiError]) -> None:
        found = records.visible(self.env, self.exposure.name, ids, list(self.exposure.domain))
        for index, record_id in enumerate(ids):
            if record_id not in found:
                raise error(index)

    def _call(self, ids: Sequence[int], arguments: Arguments) -> Any:
        references.verify(self.env, [Checked(references=arguments.references)])
        before = sandbox.ways_out()
        result = methods.call(self.env, self.method, ids, arguments.positional, arguments.keywords)
        if not self.only_reads:
            # What was written past the call's own transaction, that transaction can't tell.
            past_it = sandbox.ways_out() > before
            self.report.changes.append(Change(self.method.name, self.exposure.name, tuple(ids), certain=past_it))
        return to_json(result, self.definition.ids)

    def _not_found(self, named_by: str = "id") -> NotFound:
        return NotFound(f"There is no such record of {self.exposure.name}.", data={"parameter": named_by})
