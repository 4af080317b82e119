"""A batch under way: its steps, made one after the other, in one transaction or each in its own."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from flask import Request
from werkzeug.exceptions import HTTPException

from app.definitions.ids import InvalidId, Reference
from app.errors import ApiError, BadRequest, DefinitionOutdated
from app.operations.actions import DELTA, EXPORT, IMPORT
from app.operations.call import Call
from app.operations.endpoints import Endpoint
from app.operations.idempotency import Idempotency
from app.operations.report import CallReport
from app.operations.together import Together, of_several_modes
from app.policy import batch as policy
from app.policy.batch import Batch, Step
from app.web import calls, steps
from app.web.current import current_request, current_state
from app.web.routing import ApiRule, Gatehouse
from app.web.services import services
from app.web.steps import StepAnswer, StepMark

#: What a call that answers 200 with an error answers as a step that fails its batch.
_REFUSED = 422


class StepFailed(ApiError):
    """A step that ends its batch: its error, with the step."""

    def __init__(self, step: Step, answer: StepAnswer) -> None:
        error = answer.error or {}
        data = {name: value for name, value in error.get("data", {}).items() if name not in ("message", "request_id")}
        told = {"step": step.index, **({"ref": step.ref} if step.ref else {})}
        super().__init__(f"{step.name}: {error.get('message', '')}", data={**data, **told}, headers=answer.headers)
        self.name = str(data.get("name", self.name))
        self.status = answer.status if answer.status >= 400 else _REFUSED


class Run:
    """One run of a batch."""

    def __init__(self, app: Gatehouse, batch: Batch) -> None:
        """Find the endpoint of each step; raises BadRequest for one that has none of an API."""
        self._app = app
        self._batch = batch
        self._request: Request = current_request()
        self._state = current_state()
        self._known: dict[str, Reference] = {}
        self._together: Together | None = None
        self._has_begun = False
        self._marks = [StepMark(CallReport(), self._endpoint(step)) for step in batch.steps]
        self._served = [mark.endpoint for mark in self._marks if mark.endpoint is not None]
        self._report = self._state.report = CallReport()

    @property
    def revisions(self) -> str:
        """The revisions of all APIs that it has steps of."""
        found = {endpoint.definition.id: endpoint.definition.revision for endpoint in self._served}
        return " ".join(f"{api_id}:{revision}" for api_id, revision in sorted(found.items()))

    def answer(self, idempotency: Idempotency | None) -> Any:
        """Make the calls, and return an answer for each. Raises ApiError and BridgeError."""
        asked = [] if idempotency is None else self._calls()
        result = self._answer(asked, idempotency)
        if not self._has_begun and self._served:  # there are no steps to log: the log has the batch itself
            self._state.definition = self._served[0].definition
            self._report.principal = self._marks[0].report.principal
        return result

    def _answer(self, asked: list[Call], idempotency: Idempotency | None) -> Any:
        if not self._batch.atomic:
            return services().batches.apart(asked, self._each, idempotency)
        if len(self._served) < len(self._marks):
            raise self._first_wrong_path()
        testing = self._keeps_nothing() or self._state.dry_run
        try:
            result = services().batches.together(asked, self._all, idempotency, testing=testing)
        except DefinitionOutdated:  # it begins anew
            raise
        except BaseException:
            self._log(kept=self._together is not None and self._together.is_kept)
            raise
        self._log(kept=True)
        return result

    def _all(self, together: Together) -> list[dict[str, Any]]:
        """Make all calls in one transaction; raises StepFailed, and what the transaction can be tried again after."""
        self._known.clear()
        self._together = together
        for mark in self._marks:  # of a try that failed
            mark.logged.clear()
        answers = []
        for step, mark in zip(self._batch.steps, self._marks, strict=True):
            mark.together = together
            answer = self._send(step, mark)
            together.raise_what_another_try_may_mend()
            if answer.error is not None or answer.status >= 400:
                raise StepFailed(step, answer)
            answers.append({"ref": step.ref, "status": answer.status, "result": answer.result})
        return answers

    def _each(self) -> list[dict[str, Any]]:
        """Make each call for itself."""
        answers = []
        for step, mark in zip(self._batch.steps, self._marks, strict=True):
            answer: dict[str, Any] = {"ref": step.ref}
            try:
                given = self._send(step, mark)
            except BadRequest as error:  # a reference to what there is not
                answers.append({**answer, "status": error.status, "error": error.to_json()})
                continue
            finally:
                self._log(kept=True)
            told = {"result": given.result} if given.error is None else {"error": given.error}
            answers.append({**answer, "status": given.status, **told})
        return answers

    def _send(self, step: Step, mark: StepMark) -> StepAnswer:
        self._has_begun = True
        path, mark.in_path = policy.in_path(step, self._known)
        mark.body = policy.in_body(step, self._known)
        answer = self._sent(step, path, mark)
        self._report.session = mark.report.session or self._report.session
        self._report.principal = mark.report.principal or self._report.principal
        self._remember(step, mark.endpoint, answer)
        return answer

    def _sent(self, step: Step, path: str, mark: StepMark) -> StepAnswer:
        renewed = self._report.session.sid if self._report.session is not None else None
        environ = steps.environ_of(step, path, mark, self._request, self._state.request_id, renewed)
        return steps.send(self._app.wsgi_app, environ)

    def _remember(self, step: Step, endpoint: Endpoint | None, answer: StepAnswer) -> None:
        """Remember the record of an answer, where there is one that later steps can name."""
        shown = answer.result.get("id") if isinstance(answer.result, dict) else None
        if step.ref is None or endpoint is None or endpoint.exposure is None or shown is None:
            return
        model = endpoint.exposure.name
        try:
            record_id = endpoint.definition.ids.of(model).decode(shown)
        except InvalidId:  # the result of a method
            return
        self._known[step.ref] = Reference(model, record_id, f"@{{{step.ref}.id}}")

    def _endpoint(self, step: Step) -> Endpoint | None:
        """Return the endpoint of a step, None where nothing is served; raises BadRequest for what is no API's."""
        path = unquote(step.path.replace("@@{", "@{"), errors="replace")  # as Werkzeug will have it
        try:
            rule, _ = self._app.url_map.bind("").match(path, step.method, return_rule=True)
        except HTTPException:
            return None
        if not isinstance(rule, ApiRule) or rule.target.action.kind == "key_authentication":
            raise self._no_step(step, "only endpoints of APIs of type rest and rpc are steps")
        if rule.target.action in (EXPORT, IMPORT):
            raise self._no_step(step, f"an {rule.target.action.words} is a stream, and no step")
        if rule.target.action is DELTA:
            raise self._no_step(step, "a delta tells of what is committed, and is no step")
        return rule.target

    def _no_step(self, step: Step, why: str) -> BadRequest:
        data = {"parameter": "path", "step": step.index}
        return BadRequest(f"{step.name}: {step.path[:200]}: {why}.", name="invalid_step", data=data)

    def _first_wrong_path(self) -> StepFailed:
        """Return the error of the first step at whose path nothing is served; nothing has been done."""
        step, mark = next(each for each in zip(self._batch.steps, self._marks, strict=True) if each[1].endpoint is None)
        return StepFailed(step, self._sent(step, step.path, mark))

    def _keeps_nothing(self) -> bool:
        """True if all steps are for APIs in test mode; raises BadRequest where only some are."""
        modes = {endpoint.definition.document.keeps_nothing for endpoint in self._served}
        if len(modes) > 1:
            raise of_several_modes()
        return modes == {True}

    def _calls(self) -> list[Call]:
        """Return the steps as calls, as far as it matters who makes them and whether they may."""
        return [
            calls.make(self._request, self._state, mark.endpoint.definition, mark.endpoint.action, mark.report)
            for mark in self._marks
            if mark.endpoint is not None
        ]

    def _log(self, *, kept: bool) -> None:
        for mark in self._marks:
            for log in mark.logged:
                log(kept)
            mark.logged.clear()
