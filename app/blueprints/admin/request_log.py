"""The request log: every call, with filters, live where one likes, and a page for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from flask import Response, make_response, request

from app.analytics import log_pages, streams
from app.analytics.log_pages import PageEnd
from app.analytics.queries import Period
from app.blueprints.admin import editor, log_filters, people, periods
from app.blueprints.admin.analytics import api_names
from app.blueprints.admin.console.replay import can_be_tried
from app.blueprints.admin.tables import as_stream
from app.blueprints.admin.view import PanelView, page
from app.errors import BadRequest, NotFound
from app.web.services import services

PER_PAGE = 50
#: How far a look at what is new goes back: processes write their rows a little after the calls, each at its own times.
_LATE = timedelta(seconds=5)


class RequestLog(PanelView):
    """The request log."""

    help = "panel#request-log"

    @page("/")
    def index(self) -> Response:
        """List the calls of a period, the newest first."""
        asked, before = periods.asked(), PageEnd.parse(request.args.get("before", ""))
        started = datetime.now(timezone.utc)
        found = log_pages.log_page(
            services().database, asked.period, log_filters.wanted(), limit=PER_PAGE + 1, before=before
        )
        rows = found[:PER_PAGE]
        return self.show(
            "panel/log.html",
            asked=asked,
            spans=periods.SPANS,
            filters=log_filters.filters(),
            named=log_filters.NAMED,
            names=api_names(),
            rows=listed(rows),
            first=before is None,
            older=str(PageEnd.after(rows[-1])) if len(found) > PER_PAGE else None,
            newest=str(PageEnd.after(rows[0])) if rows else str(PageEnd(started, "(0,0)")),
        )

    @page("/live/rows")
    def live(self) -> Response:
        """Send the rows that came after a place, as far as a page of them goes; also those that came just before it.

        Who asks knows those of them that it has already.
        """
        after = PageEnd.parse(request.args.get("after", ""))
        if after is None:
            raise BadRequest("After which call?")
        now = datetime.now(timezone.utc)
        period = Period(max(after.at - _LATE, now - timedelta(days=1)), now + timedelta(seconds=1))
        rows = log_pages.log_page(services().database, period, log_filters.wanted(), limit=PER_PAGE)
        return make_response(self.render("panel/log_live.html", rows=listed(rows), names=api_names()))

    @page("/data.<kind>")
    def data(self, kind: str) -> Response:
        """Send all calls that match as a file, without bodies."""
        names = api_names()
        pages = streams.log(services().database, periods.asked().period, log_filters.wanted())
        named = ([{**row, "api": names.get(row["api_id"])} for row in rows] for rows in pages)
        return as_stream(named, "requests", kind)

    @page("/<request_id>")
    def details(self, request_id: str) -> Response:
        """Show all that is known of a call, and what it changed; ``?call=`` tells it from others of the same id."""
        request_id, call_id = log_filters.storable(request_id), request.args.get("call")
        database = services().database
        calls, changes = log_pages.request(
            database, request_id, None if call_id is None else log_filters.storable(call_id)
        )
        if not calls and not changes:
            raise NotFound("This request is not in the log yet, or no longer.")
        rows = editor.rows()
        return self.show(
            "panel/request.html",
            request_id=request_id,
            calls=people.named(calls),
            changes=people.named(changes),
            names=api_names(),
            again=[call["call_id"] for call in calls if can_be_tried(rows, call)],
            shared=log_pages.is_shared(database, request_id, [*calls, *changes][0]["call_id"]),
        )


def listed(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of the log as lists show them, each with the ``key`` that tells it from all others."""
    return [{**row, "key": str(PageEnd.after(row))} for row in people.named(rows)]
