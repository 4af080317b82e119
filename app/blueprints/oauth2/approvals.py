"""The page on which a person approves what an AI agent wants to change (contract section 11, "proof of a person")."""

from __future__ import annotations

from typing import Literal

from flask import Response, request

from app.blueprints.oauth2.forms import ApprovalForm
from app.blueprints.oauth2.pages import blueprint
from app.blueprints.oauth2.rendering import page, see_other
from app.mcp import approvals, askers
from app.mcp.approvals import Approval
from app.principal import Person
from app.web.persons import person_of_cookie
from app.web.services import services
from odoo_bridge.transaction import Environment


@blueprint.route("/approvals/<lookup>", methods=["GET", "POST"])
def approval(lookup: str) -> Response:
    """Show a change, and take the decision of the person in whose name it is asked for, or of an administrator."""
    if not approvals.is_lookup(lookup):
        return _nothing()
    form = ApprovalForm()
    decision: Literal["approved", "refused"] | None = None
    if form.validate_on_submit():
        decision = "approved" if form.approve.data and not form.refuse.data else "refused"
    person, found, asker = services().transactions.run(lambda root: _decided(root, lookup, decision))
    if person is None:
        return see_other(f"/api/oauth2/login?next={request.path}")
    if found is None:
        return _nothing()
    return page("approval.html", form=form, person=person, approval=found, asker=asker)


def _nothing() -> Response:
    message = "There is nothing here for you to approve: it was decided long ago, or is another person's to decide."
    return page("error.html", status=404, message=message)


def _decided(
    root: Environment, lookup: str, decision: Literal["approved", "refused"] | None
) -> tuple[Person | None, Approval | None, str]:
    """Return the person, the approval that they may decide, as it is behind their decision, and the client app."""
    person = person_of_cookie(root)
    found = approvals.find(root.cr, lookup) if person is not None else None
    if person is None or found is None or found.way != "person":
        return person, None, ""
    if found.uid != person.uid and not person.administrator:
        return person, None, ""
    if decision is not None:
        approvals.decide(root.cr, lookup, decision, person.uid)
        found = approvals.find(root.cr, lookup)
    return person, found, askers.of(root.cr, [found]).get(found.lookup, "") if found is not None else ""
