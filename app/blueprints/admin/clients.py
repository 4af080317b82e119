"""Client apps: create, connect, rename, rotate, switch, revoke, delete. A secret is on one page, once."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.blueprints.admin import client_apps, webhook_facts
from app.blueprints.admin.client_form import ClientForm
from app.blueprints.admin.client_questions import OVERLAPS, overlap_of, question
from app.blueprints.admin.findings import Finding
from app.blueprints.admin.forms import named
from app.blueprints.admin.view import PanelView, page, posted
from app.clients import live_tokens
from app.clients import store as clients
from app.clients.document import ClientDocument
from app.editing.client_apps import Refused
from app.errors import BadRequest, Conflict
from app.literals import to_number
from app.openapi import curl
from app.web.services import services


class Clients(PanelView):
    """Everything about client apps."""

    help = "panel#client-apps"

    @page("/")
    def index(self) -> Response:
        """List the client apps."""
        return self.show("panel/clients.html", apps=client_apps.listing())

    @page("/new", "GET", "POST")
    def new(self) -> Response:
        """Create a client app, and show its secret this once."""
        form = _form(None)
        idle: list[Finding] = []
        document = form.document() if form.is_submitted() else None
        if document is not None:
            idle = [] if "anyway" in request.form else _idle(document, form.apis.data)
            try:
                if not idle:
                    client_id, secret = client_apps.create(document, form.apis.data, public=form.public.data)
                    return self._credentials(client_id, secret, "The client app was created.")
            except Refused as error:
                form.refuse(error.problems)
        return self.show("panel/client_new.html", _status(form), form=form, idle=idle)

    @page("/<int:client_id>/", "GET", "POST")
    def edit(self, client_id: int) -> Response:
        """Show a client app with its tokens and consents, and change what it may do."""
        found = client_apps.details(client_id)
        form = _form(found if request.method == "GET" else None)
        document = form.document() if form.is_submitted() else None
        changed = False
        if document is not None:
            try:
                client_apps.update(client_id, form.version.data or "", document, form.apis.data)
                return self.go("clients.edit", "Saved.", client_id=client_id)
            except client_apps.Changed:
                changed, form.version.data = True, found.version  # who has seen the difference may save again
            except Refused as error:
                form.refuse(error.problems)
        acts = bool(found.user or found.client.redirect_uris)
        idle = client_apps.idle_reasons(found.client.scopes, found.apis, acts=acts)
        return self.show(
            "panel/client.html",
            409 if changed else _status(form),
            form=form,
            found=found,
            overlaps=OVERLAPS,
            idle=idle,
            changed=changed,
            hooks=webhook_facts.listing(client_id),
        )

    @page("/<int:client_id>/confirm/<what>")
    def confirm(self, client_id: int, what: str) -> Response:
        """Ask before a button does something to a client app, with its effect, tokens and APIs."""
        return self.ask(question(client_apps.details(client_id), what, request.args))

    @page("/<int:client_id>/delete", "POST")
    def delete(self, client_id: int) -> Response:
        """Delete a client app."""
        try:
            name = client_apps.delete(client_id, posted("version"))
        except client_apps.Changed as error:
            raise Conflict("Somebody else has changed this client app in the meantime. It is not deleted.") from error
        return self.go("clients.index", f"The client app {name[:60]} is deleted.")

    @page("/<int:client_id>/rotate", "POST")
    def rotate(self, client_id: int) -> Response:
        """Make a new secret, and show it this once."""
        overlap = overlap_of(posted("overlap"))
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
        """Show a secret, this once, and the two commands that get a token with it and make a call."""
        found, base = client_apps.details(client_id), request.host_url.rstrip("/")
        shown: dict[str, Any] = {}
        if secret is not None:
            shown["get_token"] = curl.token(base, found.client.client_id, secret)
            shown |= _first_call(found, base)
        return self.show("panel/secret.html", client=found.client, secret=secret, message=message, **shown)


def _first_call(found: client_apps.Details, base: str) -> dict[str, Any]:
    """Return the command of a first call, and its API; nothing where the client app can make none."""
    first = client_apps.first_call_of(found)
    if first is None:
        return {}
    call = first.command(base, curl.AS_CLIENT)
    return {"call": call, "document": first.definition.document, "changes": first.changes}


def _idle(document: ClientDocument, apis: list[str]) -> list[Finding]:
    acts = bool(document.user or document.redirect_uris)
    return [Finding("", reason, "") for reason in client_apps.idle_reasons(document.scopes, apis, acts=acts)]


def _form(found: client_apps.Details | None) -> ClientForm:
    data: dict[str, Any] | None = None
    if found is not None:
        data = {
            "version": found.version,
            "name": found.client.name,
            "user": found.user,
            "scopes": list(found.client.scopes),
            "apis": found.apis,
            "lifetime": found.client.lifetime,
            "redirect_uris": "\n".join(found.client.redirect_uris),
            "resource_optional": found.client.resource_optional,
            "metadata_hosts": "\n".join(found.client.metadata_hosts),
        }
    form = ClientForm(data=data)
    form.apis.choices = named(client_apps.api_choices())
    return form


def _status(form: ClientForm) -> int:
    return 400 if form.is_submitted() else 200
