"""The audit: what calls changed in Odoo, and what admins changed here."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.analytics import log_pages, streams
from app.blueprints.admin import history_lines, people
from app.blueprints.admin.tables import as_stream
from app.blueprints.admin.view import PanelView, page, wished_page
from app.errors import BadRequest
from app.literals import to_number
from app.web.services import services

PER_PAGE = 50
#: What a row of the history is about.
_KINDS = {"api": "API", "client": "Client app", "setting": "Setting", "odoo": "Odoo", "webhook": "Webhook"}


class Audit(PanelView):
    """The audit: changes of records, definitions and settings."""

    help = "panel#audit"

    @page("/")
    def index(self) -> Response:
        """List the changes of records, the newest first; of one model or one record."""
        number = wished_page()
        wanted = _wanted()
        rows = log_pages.audit_page(services().database, **wanted, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE)
        return self.show(
            "panel/audit.html",
            model=wanted["model"],
            record=wanted["record_id"],
            q=wanted["search"],
            rows=people.named(rows[:PER_PAGE]),
            number=number,
            more=len(rows) > PER_PAGE,
        )

    @page("/definitions")
    def definitions(self) -> Response:
        """List the changes of definitions, client apps, webhooks and settings, with what differs."""
        number = wished_page()
        rows = log_pages.history_page(services().database, limit=PER_PAGE + 1, offset=(number - 1) * PER_PAGE)
        described = history_lines.described(rows[:PER_PAGE])
        shown = [{**row, "kind": _KINDS.get(row["kind"], row["kind"])} for row in described]
        return self.show("panel/history.html", rows=shown, number=number, more=len(rows) > PER_PAGE)

    @page("/data.<kind>")
    def data(self, kind: str) -> Response:
        """Send all changes as a file: of records that match, or (``of=definitions``) of definitions."""
        if request.args.get("of") == "definitions":
            return as_stream(streams.history(services().database), "definitions", kind)
        return as_stream(streams.audit(services().database, _wanted()), "changes", kind)


def _wanted() -> dict[str, Any]:
    """Return the filters of the request as ``log_pages.audit_page`` takes them."""
    search = _text_of("q")
    return {"model": _text_of("model"), "record_id": _record(), "search": search, "person": people.uid_of(search)}


def _text_of(name: str) -> str:
    return request.args.get(name, "").strip()[:200].replace("\x00", "")


def _record() -> int | None:
    text = request.args.get("record", "").strip()
    if not text:
        return None
    number = to_number(text)
    if number is None:
        raise BadRequest("The id of a record is a number: the one that Odoo itself uses.")
    return number
