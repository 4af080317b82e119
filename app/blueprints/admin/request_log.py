"""The request log: every call, with filters, and a page for each."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.analytics import log_pages, streams
from app.analytics.log_pages import PageEnd
from app.blueprints.admin import people, periods
from app.blueprints.admin.analytics import api_names, wished_api
from app.blueprints.admin.tables import as_stream
from app.blueprints.admin.view import PanelView, page
from app.errors import NotFound
from app.literals import to_number
from app.web.services import services

PER_PAGE = 50


class RequestLog(PanelView):
    """The request log."""

    @page("/")
    def index(self) -> Response:
        """List the calls of a period, the newest first."""
        asked, before = periods.asked(), PageEnd.parse(request.args.get("before", ""))
        found = log_pages.log_page(services().database, asked.period, **_wanted(), limit=PER_PAGE + 1, before=before)
        rows = found[:PER_PAGE]
        return self.show(
            "panel/log.html",
            asked=asked,
            spans=periods.SPANS,
            filters=_filters(),
            names=api_names(),
            rows=people.named(rows),
            first=before is None,
            older=str(PageEnd.after(rows[-1])) if len(found) > PER_PAGE else None,
        )

    @page("/data.<kind>")
    def data(self, kind: str) -> Response:
        """Send all calls that match as a file, without bodies."""
        names = api_names()
        pages = streams.log(services().database, periods.asked().period, _wanted())
        named = ([{**row, "api": names.get(row["api_id"])} for row in rows] for rows in pages)
        return as_stream(named, "requests", kind)

    @page("/<request_id>")
    def details(self, request_id: str) -> Response:
        """Show all that is known of a call, and what it changed; ``?call=`` tells it from others of the same id."""
        request_id, call_id = _text(request_id), request.args.get("call")
        database = services().database
        calls, changes = log_pages.request(database, request_id, None if call_id is None else _text(call_id))
        if not calls and not changes:
            raise NotFound("This request is not in the log yet, or no longer.")
        return self.show(
            "panel/request.html",
            request_id=request_id,
            calls=people.named(calls),
            changes=people.named(changes),
            names=api_names(),
            shared=log_pages.is_shared(database, request_id, [*calls, *changes][0]["call_id"]),
        )


def _text(given: str) -> str:
    """Return a text that PostgreSQL takes."""
    return given.replace("\x00", "")


def _filters() -> dict[str, Any]:
    """Return the filters of the request, as an address names them; None for what is not asked for."""
    outcome, status = request.args.get("outcome", ""), request.args.get("status", "").strip()
    return {
        "api": wished_api(),
        "outcome": outcome if outcome in ("good", "failed") else None,
        "status": status if _range(status) else None,
        "q": _text(request.args.get("q", "").strip()[:200]) or None,
    }


def _wanted() -> dict[str, Any]:
    """Return the same filters as ``log_pages.log_page`` takes them."""
    filters = _filters()
    return {
        "api_id": filters["api"],
        "failed": {"failed": True, "good": False}.get(filters["outcome"]),
        "status": _range(filters["status"] or ""),
        "search": filters["q"] or "",
        "person": people.uid_of(filters["q"] or ""),
    }


def _range(status: str) -> tuple[int, int] | None:
    """Return the bounds of a class of statuses (``4xx``), or of one status; None for anything else."""
    ends = ("00", "99") if status[1:].lower() == "xx" else (status[1:], status[1:])
    lowest, highest = (to_number(status[:1] + end, digits=3) for end in ends)
    if lowest is None or highest is None or not 100 <= lowest <= 599:
        return None
    return lowest, highest
