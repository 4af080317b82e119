"""Writes that ask first: shown as a dry run, approved for just this call, and made where nothing has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from app.blueprints.mcp.callers import Agent
from app.blueprints.mcp.requests import DRY_RUN, made
from app.errors import BadRequest, Conflict, Forbidden
from app.mcp import approvals, results
from app.mcp.approvals import Approval, Bound, Way
from app.mcp.messages import Json, Message
from app.mcp.previews import preview
from app.mcp.tools import APPROVAL, Tool, ToolRequest
from app.operations.actions import DELETE_BY_KEY, READ, READ_BY_KEY, UPSERT
from app.web.current import current_request
from app.web.services import services
from app.web.steps import StepAnswer

#: Answers after which nothing has been done, whatever the write is: it was not begun, or not on what is there now.
_NOT_BEGUN = (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.TOO_MANY_REQUESTS)
#: The key of what a client asks its user, and the answer that approves.
_QUESTION, _APPROVE = "approval", "approve"


class Asking:
    """A call of a tool that asks first: the first one of a write, or the one that comes back with an approval."""

    def __init__(
        self, message: Message, agent: Agent, tool: Tool, asked: ToolRequest, arguments: Mapping[str, Any]
    ) -> None:
        self._message = message
        self._agent = agent
        self._tool = tool
        self._asked = asked
        self._arguments = {name: value for name, value in arguments.items() if name != APPROVAL}
        self._given = arguments.get(APPROVAL)

    def answer(self) -> Json:
        """Show the change that would be made, or make it where it was approved; raises ApiError where it was not."""
        state = self._message.params.get("requestState")
        if state is None and self._given is None:
            return self._show()
        secret = state if state is not None else self._given
        found = self._approval(secret)
        if found.status == "refused":
            raise Forbidden(_REFUSED, name="approval_refused")
        answered = self._is_answered(found)
        if found.way == "form" and not answered:
            return self._show()
        if found.way == "person" and found.status == "pending":
            return self._wait(str(secret), answered=answered)
        return self._make(found)

    def _show(self) -> Json:
        """Run the call without keeping anything of it, and ask."""
        # Once as it is, so that all fails now that would fail then; what is shown are all fields.
        dry = made(self._tool, self._asked, DRY_RUN)
        if self._asked.query and results.is_good(dry):
            dry = made(self._tool, replace(self._asked, query=""), DRY_RUN)
        if not results.is_good(dry):
            return self._message.result(results.of_answer(self._tool, dry, self._most))
        company = current_request().headers.get("X-Company-Id", "")
        shown = preview(self._tool, self._arguments, self._before(dry), dry.result, company)
        way = self._way()
        if way == "person" and not shown.is_whole:
            message = (
                "This change is too long for a person to look at as a whole, and so to approve: write less at once."
            )
            raise BadRequest(message, name="too_long_to_approve")
        bound = self._bound(_condition(self._tool, dry))
        secret = services().transactions.run(
            lambda root: approvals.store(root.cr, services().hasher(), bound, way, self._agent.uid, shown.text)
        )
        if secret is None:
            raise Conflict(_TOO_MANY, name="too_many_approvals")
        if way == "form":
            question = {"mode": "form", "message": f"{shown.text}\n\nShall this be done?", "requestedSchema": _FORM}
            return self._ask(question, secret)
        if way == "person" and "url" in self._message.elicits:
            return self._ask(_at(secret), secret)
        how = _BY_ARGUMENT if way == "argument" else f"{_BY_PERSON} {_page(secret)} {_THEN}"
        content = {"preview": shown.content, "next_step": how, APPROVAL: secret}
        return self._message.result(results.told(content, how))

    def _before(self, dry: StepAnswer) -> Json | None:
        """Return the record as it is, as far as the caller can read it; None where it is new, too."""
        action = self._tool.endpoint.action
        if not self._tool.endpoint.exposure or dry.status == HTTPStatus.CREATED:
            return None
        by = READ_BY_KEY if action in (UPSERT, DELETE_BY_KEY) else READ if action.on_one_record else None
        reading = self._agent.tools.like(self._tool, by) if by is not None else None
        if reading is None:
            return None
        named: Json = {name: self._arguments[name] for name in ("id", "value") if name in self._arguments}
        answer = made(reading, reading.request(named))
        return answer.result if results.is_good(answer) and isinstance(answer.result, dict) else None

    def _way(self) -> Way:
        if self._tool.asks == "person":
            return "person"
        return "form" if "form" in self._message.elicits else "argument"

    def _ask(self, question: Json, secret: str) -> Json:
        request = {"method": "elicitation/create", "params": question}
        return self._message.result({"inputRequests": {_QUESTION: request}, "requestState": secret}, complete=False)

    def _wait(self, secret: str, *, answered: bool) -> Json:
        """Send the client's user to the page, once; raises Conflict where they have been there, or can't be sent."""
        if "url" in self._message.elicits and not answered and self._given is None:
            return self._ask(_at(secret), secret)
        message = f"Nobody has approved it yet. {_BY_PERSON} {_page(secret)} {_THEN}"
        raise Conflict(message, name="approval_pending", data={APPROVAL: secret})

    def _approval(self, secret: object) -> Approval:
        """Return the approval of this very call; raises Forbidden."""
        found = None
        if isinstance(secret, str):
            found = services().transactions.run(lambda root: approvals.shown(root.cr, services().hasher(), secret))
        if found is None or (found.is_over and found.status != "used"):
            raise Forbidden(f"This approval is unknown, or older than five minutes. {_ANEW}", name="approval_over")
        # What a client asks its user, no agent answers for them.
        comes_as_given = found.way != "form" or self._given is None
        if found.bound != self._bound(found.bound.condition) or not comes_as_given:
            raise Forbidden(f"This approval is for another call. {_ANEW}", name="approval_of_another_call")
        if found.status == "used":
            raise Forbidden(_USED, name="approval_over")
        return found

    def _is_answered(self, found: Approval) -> bool:
        """True if the client's user has agreed; raises Forbidden where they have not, and it is over then."""
        responses = self._message.params.get("inputResponses")
        response = responses.get(_QUESTION) if isinstance(responses, dict) else None
        if not isinstance(response, dict):
            return False
        content = response.get("content")
        approves = isinstance(content, dict) and content.get(_APPROVE) is True
        if response.get("action") == "accept" and (approves or found.way == "person"):
            return True
        services().transactions.run(lambda root: approvals.decide(root.cr, found.lookup, "refused", None))
        raise Forbidden(_CLOSED if response.get("action") == "cancel" else _REFUSED, name="approval_refused")

    def _make(self, found: Approval) -> Json:
        """Make the write; where it is refused, the approval stays good for another try."""
        if not services().transactions.run(lambda root: approvals.use(root.cr, found)):
            raise Forbidden(_USED, name="approval_over")
        answer = made(self._tool, self._asked, found.bound.condition, found.decided_by)
        if answer.status in _NOT_BEGUN:
            services().transactions.run(lambda root: approvals.give_back(root.cr, found))
        return self._message.result(results.of_answer(self._tool, answer, self._most))

    def _bound(self, condition: Mapping[str, str]) -> Bound:
        definition, headers = self._tool.endpoint.definition, current_request().headers
        wishes = {name: headers.get(name, "") for name in ("X-Company-Id", "Accept-Language", "X-Timezone")}
        return Bound.of(
            self._agent.key, self._tool.name, definition.id, definition.revision, self._arguments, wishes, condition
        )

    @property
    def _most(self) -> int:
        return services().settings.mcp_bytes


def _condition(tool: Tool, dry: StepAnswer) -> dict[str, str]:
    """Return the header under which a write is made, so that it is of what was shown."""
    if tool.endpoint.action is UPSERT and dry.status == HTTPStatus.CREATED:
        return {"If-None-Match": "*"}
    return {"If-Match": dry.headers["ETag"]} if "ETag" in dry.headers else {}


def _at(secret: str) -> Json:
    message = "A person who is logged in to Odoo has to approve this change. Open the page, decide, and come back."
    return {"mode": "url", "message": message, "url": _page(secret)}


def _page(secret: str) -> str:
    return f"{current_request().host_url.rstrip('/')}/api/oauth2/approvals/{approvals.lookup_of(secret)}"


_FORM: Json = {
    "type": "object",
    "properties": {_APPROVE: {"type": "boolean", "title": "Approve", "description": "Do it, just as it is shown."}},
    "required": [_APPROVE],
}
_ANEW = "Call without it, to be shown what would change now."
_USED = (
    "This approval was used: what it was for was done, or tried. Look at the record to see which. Only where nothing "
    "was done, call without approval, to be shown what would change now."
)
_TOO_MANY = (
    f"{approvals.MOST_OPEN} changes wait for an approval already: have them decided, or wait until they are over."
)
_CLOSED = "The person has closed the question without an answer: nothing was done. Ask them what they want."
_REFUSED = "The person has refused: nothing was done. Do not ask for the same again unless they want it."
_BY_ARGUMENT = (
    "Nothing was done yet. Show the preview to the person you work for. Only when they approve, call again with the "
    "same arguments and this approval within five minutes."
)
_BY_PERSON = "A person who is logged in to Odoo has to approve it, at"
_THEN = "within five minutes. Then call again with the same arguments and this approval."
