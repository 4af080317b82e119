"""Webhooks: list, make, change, test, rotate, switch, send again, delete. A secret is on one page, once."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.blueprints.admin import webhook_facts
from app.blueprints.admin.client_questions import OVERLAPS, overlap_of
from app.blueprints.admin.view import PanelView, page, posted
from app.blueprints.admin.webhook_facts import owner_of, version_of
from app.blueprints.admin.webhook_form import NewWebhookForm, WebhookForm, data_of, domain_text
from app.blueprints.admin.webhook_questions import question
from app.errors import ApiError, Conflict
from app.literals import to_number
from app.web.services import services
from app.webhooks.deliveries import STATUSES
from app.webhooks.document import OVERLAP, Rotation, WebhookChange
from app.webhooks.store import Webhook


class Webhooks(PanelView):
    """Everything about webhooks."""

    help = "panel#webhooks"

    @page("/")
    def index(self) -> Response:
        """List the webhooks of all client apps, or of one."""
        client_id = _client()
        rows, possible = webhook_facts.listing(client_id), webhook_facts.possible()
        return self.show("panel/webhooks.html", rows=rows, client_id=client_id, possible=possible)

    @page("/new", "GET", "POST")
    def new(self) -> Response:
        """Make a webhook, and show its secret this once."""
        possible = webhook_facts.possible()
        form = NewWebhookForm(data={"client": _client()} if request.method == "GET" else None)
        form.offer(possible)
        document = form.document() if form.is_submitted() else None
        if document is not None:
            try:
                made, secret = services().webhooks.create(webhook_facts.owner(form.client.data), document)
                return self._secret(made, secret, "The webhook was made.")
            except ApiError as error:
                form.refuse_error(error)
        return self.show("panel/webhook_new.html", _status(form), form=form, possible=possible)

    @page("/<webhook_id>/")
    def details(self, webhook_id: str) -> Response:
        """Show a webhook with its deliveries, of all statuses or of one."""
        row = webhook_facts.find(webhook_id)
        wished, before = request.args.get("status"), request.args.get("before") or None
        wished = wished if wished in STATUSES else None
        return self.show(
            "panel/webhook.html",
            row=row,
            hook=row.webhook,
            domain=domain_text(row.webhook.domain),
            page=webhook_facts.deliveries(row.webhook, before=before, status=wished),
            wished=wished,
            statuses=(None, *STATUSES),
            first=before is None,
            overlaps=OVERLAPS,
            overlap=OVERLAP,
        )

    @page("/<webhook_id>/edit", "GET", "POST")
    def edit(self, webhook_id: str) -> Response:
        """Change the address of a webhook, its events, fields and domain."""
        found = webhook_facts.find(webhook_id).webhook
        form = WebhookForm(data=data_of(found) if request.method == "GET" else None)
        change = form.change() if form.is_submitted() else None
        changed = form.is_submitted() and form.version.data != version_of(found)
        if changed:
            form.version.data = version_of(found)  # who has seen the difference may save again
        elif change is not None:
            try:
                services().webhooks.change(owner_of(found), webhook_id, change)
                return self.go("hooks.details", "Saved.", webhook_id=webhook_id)
            except ApiError as error:
                form.refuse_error(error)
        status = 409 if changed else _status(form)
        theirs = data_of(found)
        return self.show("panel/webhook_edit.html", status, form=form, hook=found, changed=changed, theirs=theirs)

    @page("/<webhook_id>/confirm/<what>")
    def confirm(self, webhook_id: str, what: str) -> Response:
        """Ask before a button does something to a webhook, with its effect."""
        return self.ask(question(webhook_facts.find(webhook_id), what, request.args))

    @page("/<webhook_id>/delete", "POST")
    def delete(self, webhook_id: str) -> Response:
        """Delete a webhook."""
        found = webhook_facts.find(webhook_id).webhook
        if posted("version") != version_of(found):
            raise Conflict("Somebody else has changed this webhook in the meantime. It is not deleted.")
        services().webhooks.remove(owner_of(found), webhook_id)
        return self.go("hooks.index", f"The webhook of {found.client[:60]} is deleted.")

    @page("/<webhook_id>/rotate", "POST")
    def rotate(self, webhook_id: str) -> Response:
        """Make a new secret, and show it this once."""
        found = webhook_facts.find(webhook_id).webhook
        rotation = Rotation(overlap=overlap_of(posted("overlap")))
        _, secret = services().webhooks.rotate(owner_of(found), webhook_id, rotation)
        return self._secret(found, secret, "The webhook has a new secret.")

    @page("/<webhook_id>/switch", "POST")
    def switch(self, webhook_id: str) -> Response:
        """Switch a webhook on or off; one that is switched on goes on where it was."""
        on = posted("on") == "1"
        found = webhook_facts.find(webhook_id).webhook
        services().webhooks.change(owner_of(found), webhook_id, WebhookChange(active=on))
        return self.go("hooks.details", f"The webhook is switched {'on' if on else 'off'}.", webhook_id=webhook_id)

    @page("/<webhook_id>/test", "POST")
    def test(self, webhook_id: str) -> Response:
        """Have a message sent that tells of no record."""
        services().webhooks.test(owner_of(webhook_facts.find(webhook_id).webhook), webhook_id)
        told = "The test will be sent in a moment: reload to see what has come of it."
        return self.go("hooks.details", told, webhook_id=webhook_id)

    @page("/<webhook_id>/redeliver", "POST")
    def redeliver(self, webhook_id: str) -> Response:
        """Have a message sent again, about its record as it is now."""
        services().webhooks.redeliver(owner_of(webhook_facts.find(webhook_id).webhook), webhook_id, posted("delivery"))
        told = "The message will be sent again in a moment: reload to see what has come of it."
        return self.go("hooks.details", told, webhook_id=webhook_id)

    def _secret(self, webhook: Webhook, secret: str, message: str) -> Response:
        return self.show("panel/webhook_secret.html", hook=webhook, secret=secret, message=message)


def _client() -> int | None:
    """Return the client app that the address names, or None."""
    return to_number(request.args.get("client", ""))


def _status(form: Any) -> int:
    return 400 if form.is_submitted() else 200
