"""Client apps: create, connect, rotate, switch, revoke. A secret is on one page, once."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.blueprints.admin import client_apps
from app.blueprints.admin.client_form import ClientForm
from app.blueprints.admin.forms import named
from app.blueprints.admin.view import PanelView, page, posted
from app.clients import live_tokens
from app.clients import store as clients
from app.editing.client_apps import Refused
from app.errors import BadRequest
from app.literals import to_number
from app.web.services import services

#: How long the old secret stays good after a rotation: seconds, and what the choice is called.
OVERLAPS = ((0, "Ends at once"), (3600, "One hour"), (86_400, "One day"), (7 * 86_400, "One week"))


class Clients(PanelView):
    """Everything about client apps."""

    @page("/")
    def index(self) -> Response:
        """List the client apps."""
        return self.show("panel/clients.html", apps=client_apps.listing())

    @page("/new", "GET", "POST")
    def new(self) -> Response:
        """Create a client app, and show its secret this once."""
        form = _form(None)
        document = form.document() if form.validate_on_submit() else None
        if document is not None:
            try:
                client_id, secret = client_apps.create(document, form.apis.data, public=form.public.data)
                return self._credentials(client_id, secret, "The client app was created.")
            except Refused as error:
                form.refuse(error.problems)
        return self.show("panel/client_new.html", _status(form), form=form)

    @page("/<int:client_id>/", "GET", "POST")
    def edit(self, client_id: int) -> Response:
        """Show a client app with its tokens and consents, and change what it may do."""
        found = client_apps.details(client_id)
        form = _form(found if request.method == "GET" else None)
        form.name.data = found.client.name  # it stays: definitions name the client app by it
        document = form.document() if form.validate_on_submit() else None
        if document is not None:
            try:
                client_apps.update(client_id, document, form.apis.data)
                return self.go("clients.edit", "Saved.", client_id=client_id)
            except Refused as error:
                form.refuse(error.problems)
        return self.show("panel/client.html", _status(form), form=form, found=found, overlaps=OVERLAPS)

    @page("/<int:client_id>/rotate", "POST")
    def rotate(self, client_id: int) -> Response:
        """Make a new secret, and show it this once."""
        wanted = to_number(posted("overlap"))
        overlap = wanted if wanted is not None and wanted in dict(OVERLAPS) else 0
        secret = client_apps.with_client(
            client_id, lambda root, client: clients.new_secret(root.cr, services().hasher(), client, overlap=overlap)
        )
        return self._credentials(client_id, secret, "The client app has a new secret.")

    @page("/<int:client_id>/switch", "POST")
    def switch(self, client_id: int) -> Response:
        """Switch a client app on or off; its tokens stand still while it is off."""
        on = posted("on") == "1"
        client_apps.with_client(client_id, lambda root, client: clients.set_active(root.cr, client, on))
        return self.go("clients.edit", f"The client app is switched {'on' if on else 'off'}.", client_id=client_id)

    @page("/<int:client_id>/revoke", "POST")
    def revoke(self, client_id: int) -> Response:
        """Revoke one token, or all."""
        lookup = posted("lookup")
        count = client_apps.with_client(
            client_id,
            lambda root, client: (
                live_tokens.revoke_live(root.cr, client, lookup) if lookup else live_tokens.revoke_all(root.cr, client)
            ),
        )
        told = "One token is revoked." if count == 1 else f"{count} tokens are revoked."
        return self.go("clients.edit", told, client_id=client_id)

    @page("/<int:client_id>/withdraw", "POST")
    def withdraw(self, client_id: int) -> Response:
        """Withdraw a person's consent; what it has led to ends at once."""
        uid = to_number(posted("uid"))
        if uid is None:
            raise BadRequest("There is no such consent.")
        client_apps.withdraw(client_id, uid)
        return self.go("clients.edit", "The consent is withdrawn.", client_id=client_id)

    def _credentials(self, client_id: int, secret: str | None, message: str) -> Response:
        client = client_apps.details(client_id).client
        return self.show("panel/secret.html", client=client, secret=secret, message=message)


def _form(found: client_apps.Details | None) -> ClientForm:
    data: dict[str, Any] | None = None
    if found is not None:
        data = {
            "name": found.client.name,
            "user": found.user,
            "scopes": list(found.client.scopes),
            "apis": found.apis,
            "lifetime": found.client.lifetime,
            "redirect_uris": "\n".join(found.client.redirect_uris),
        }
    form = ClientForm(data=data)
    form.apis.choices = named(client_apps.api_names())
    return form


def _status(form: ClientForm) -> int:
    return 400 if form.is_submitted() else 200
