"""The APIs: list, form, endpoints, and the buttons that publish, switch, copy and delete."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from flask import Response, request

from app.blueprints.admin import editor, prefill, traffic, transactions
from app.blueprints.admin.api_form import ApiForm, data_of
from app.blueprints.admin.api_questions import question
from app.blueprints.admin.draft import unused
from app.blueprints.admin.endpoint_list import models_of, switched, switches_of
from app.blueprints.admin.forms import named
from app.blueprints.admin.view import PanelView, page, posted
from app.catalog.store import Stale
from app.clients import store as clients
from app.definitions.document import ApiDocument
from app.definitions.problems import Problem
from app.errors import ApiError, BadRequest, Conflict
from app.literals import to_number
from odoo_bridge import models


class Apis(PanelView):
    """Everything about API definitions."""

    help = "panel#apis"
    help_of = MappingProxyType({"endpoints": "panel#endpoints", "yaml": "definitions"})

    @page("/")
    def index(self) -> Response:
        """List the APIs."""
        return self.show("panel/apis.html", rows=editor.rows(), calls=traffic.by_api())

    @page("/new", "GET", "POST")
    def new(self) -> Response:
        """Make an API from the system-wide defaults, or from those and what the address names; see ``prefill``."""
        filled = prefill.from_address(request.args) if request.method == "GET" else None
        form = _form(filled.data if filled else _new_data() if request.method == "GET" else None)
        if form.is_submitted():
            values, problems = form.document(published="publish" in request.form)
            try:
                if form.validate() and not problems:
                    return self._saved(editor.create(values), bool(values["published"]))
                found = editor.check(values, None)
            except editor.Invalid as error:
                found = error.problems
            _refuse(form, problems, found)
        return self._form(form, None, left_out=filled.left_out if filled else ())

    @page("/<int:api_id>/", "GET", "POST")
    def edit(self, api_id: int) -> Response:
        """Edit an API; a version that somebody else has changed meanwhile is shown beside one's own."""
        row = editor.row(api_id)
        if request.method == "GET":
            document = ApiDocument.model_validate(row.stored.document)
            return self._form(_form(data_of(document, row.stored.revision)), row)
        form = _form(None)
        values, problems = form.document(row.stored.document["published"] or "publish" in request.form)
        found = None
        try:
            if form.validate() and not problems:
                editor.save(api_id, form.seen_revision, values)
                return self._saved(api_id, bool(values["published"]))
        except Stale:
            row = editor.row(api_id)
        except editor.Invalid as error:
            found = error.problems
        _refuse(form, problems, editor.check(values, api_id) if found is None else found)
        return self._form(form, row) if form.seen_revision == row.stored.revision else self._conflict(form, row, values)

    @page("/<int:api_id>/yaml")
    def yaml(self, api_id: int) -> Response:
        """Show an API as a definition file would hold it."""
        row = editor.row(api_id)
        return self.show("panel/yaml.html", row=row, text=editor.as_yaml(row.stored.document))

    @page("/<int:api_id>/endpoints")
    def endpoints(self, api_id: int) -> Response:
        """Show an API's endpoints: methods, addresses, and switches."""
        row = editor.row(api_id)
        models = models_of(row.definition) if row.definition else []
        several = row.definition if len(models) > 1 else None
        return self.show(
            "panel/endpoints.html",
            row=row,
            models=models,
            switches=switches_of(several.document) if several else [],
            base=request.host_url.rstrip("/"),
            calls=traffic.by_endpoint(api_id),
        )

    @page("/<int:api_id>/confirm/<what>")
    def confirm(self, api_id: int, what: str) -> Response:
        """Ask before a button does something to an API, with its effect; refuse a page that is out of date."""
        row = editor.row(api_id)
        if request.args.get("revision", str(row.stored.revision)) != str(row.stored.revision):
            raise Conflict("Somebody else has changed this API in the meantime: look at it and try again.")
        return self.ask(question(row, what, request.args))

    @page("/<int:api_id>/switch", "POST")
    def switch(self, api_id: int) -> Response:
        """Switch the endpoints of one operation on or off, of the API or of one of its models."""
        operation, on, model = posted("operation"), posted("on") == "1", posted("model")
        try:
            keys = switched(editor.row(api_id).stored.document, model, operation, on)
        except LookupError as error:
            raise BadRequest("There is no such operation.") from error
        self._change(api_id, taking_away=not on, **keys)
        name = operation.capitalize().replace("_", " ")
        of = f" of {model}" if model else ""
        return self.go("apis.endpoints", f"{name}{of} is {'on' if on else 'off'}.", api_id=api_id)

    @page("/<int:api_id>/publish", "POST")
    def publish(self, api_id: int) -> Response:
        """Serve an API, or stop to."""
        on = posted("on") == "1"
        self._change(api_id, published=on, taking_away=not on)
        if on:
            return self.go("apis.endpoints", "The API is published. These are its endpoints.", api_id=api_id)
        return self.go("apis.edit", "The API is not published any more. Nobody can call it.", api_id=api_id)

    @page("/<int:api_id>/mode", "POST")
    def mode(self, api_id: int) -> Response:
        """Change between production and test."""
        mode = "test" if posted("mode") == "test" else "production"
        self._change(api_id, mode=mode, taking_away=mode == "test")
        return self.go("apis.edit", f"The API is in {mode} mode now.", api_id=api_id)

    @page("/<int:api_id>/copy", "POST")
    def copy(self, api_id: int) -> Response:
        """Make a copy that is not published."""
        original = editor.row(api_id).stored.document
        rows = editor.rows()
        copied = {
            **original,
            "name": unused(f"{original['name']} (copy)", (row.name for row in rows), " "),
            "route": unused(f"{original['route']}-copy", (str(row.stored.document["route"]) for row in rows), "-"),
            "published": False,
        }
        try:
            return self.go("apis.edit", "This is the copy. It is not published.", api_id=editor.create(copied))
        except editor.Invalid as error:
            raise _unfit(error) from error

    @page("/<int:api_id>/delete", "POST")
    def delete(self, api_id: int) -> Response:
        """Delete an API."""
        editor.delete(api_id, _revision())
        return self.go("apis.index", "The API has been deleted.")

    def _change(self, api_id: int, **keys: Any) -> None:
        try:
            editor.change(api_id, _revision(), **keys)
        except editor.Invalid as error:
            raise _unfit(error) from error

    def _saved(self, api_id: int, published: bool) -> Response:
        if published and "publish" in request.form:
            return self.go("apis.endpoints", "The API is published. These are its endpoints.", api_id=api_id)
        return self.go("apis.edit", "Saved.", api_id=api_id)

    def _form(self, form: ApiForm, row: editor.ApiRow | None, **more: Any) -> Response:
        failed = 400 if request.method == "POST" else 200
        return self.show("panel/api.html", more.pop("status", failed), form=form, row=row, **more)

    def _conflict(self, form: ApiForm, row: editor.ApiRow, values: dict[str, Any]) -> Response:
        """Show both versions; the form goes on with one's own, to be sent again by who has seen the other."""
        form.revision.data = str(row.stored.revision)
        lines = editor.difference(editor.as_yaml(row.stored.document), editor.as_yaml(values))
        return self._form(form, row, status=409, conflict=lines)


def _refuse(form: ApiForm, unread: list[Problem], found: list[Problem]) -> None:
    """Show all that is wrong: texts that could not be read, and of the rest whatever was found."""
    names = {str(entry.get("model")) for entry in form.entries if isinstance(entry, dict)}
    form.model_labels = transactions.look(lambda root: models.labels(root, names))
    places = {problem.key for problem in unread}
    form.refuse([*unread, *(problem for problem in found if problem.key not in places)])


def _unfit(error: editor.Invalid) -> ApiError:
    found = "; ".join(map(str, error.problems))
    return BadRequest(f"The definition does not fit, so nothing has been changed: {found}.")


def _revision() -> int:
    return to_number(posted("revision")) or 0


def _form(data: dict[str, Any] | None) -> ApiForm:
    form = ApiForm(data=data) if data else ApiForm()
    known = transactions.look(lambda root: clients.every(root.cr))
    form.clients.choices = named(client.name for client in known)
    return form


def _new_data() -> dict[str, Any]:
    """Return the data of a new API's form: the system-wide defaults, and neither a name nor models."""
    kind = editor.defaults().get("type", "rest")
    return {**data_of(editor.default_document(), 0), "name": "", "route": "/api/", "type": kind, "models": "[]"}
