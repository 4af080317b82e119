"""The request log: every call, with filters, and a page for each."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.admin import people, periods
from app.admin.analytics import api_names, wished_api
from app.admin.tables import MOST, as_file
from app.admin.view import PanelView, page, wished_page
from app.analytics import queries
from app.errors import NotFound
from app.services import services

PER_PAGE = 50


class RequestLog(PanelView):
    """Which calls there were."""

    @page("/")
    def index(self) -> Response:
        """List the calls of a period, the newest first."""
        asked, number = periods.asked(), wished_page()
        rows = _rows(asked, PER_PAGE + 1, (number - 1) * PER_PAGE)
        return self.show(
            "panel/log.html",
            asked=asked,
            spans=periods.SPANS,
            filters=_filters(),
            names=api_names(),
            rows=people.named(rows[:PER_PAGE]),
            number=number,
            more=len(rows) > PER_PAGE,
        )

    @page("/data.<kind>")
    def data(self, kind: str) -> Response:
        """Send the calls that match as a file."""
        return as_file(_rows(periods.asked(), MOST, 0), "requests", kind)

    @page("/<request_id>")
    def details(self, request_id: str) -> Response:
        """Show all that is known of a request: its calls, and what they changed."""
        calls, changes = queries.request(services().engine, request_id)
        if not calls and not changes:
            raise NotFound("This request is not in the log, or no longer.")
        return self.show(
            "panel/request.html",
            request_id=request_id,
            calls=people.named(calls),
            changes=people.named(changes),
            names=api_names(),
        )


def _filters() -> dict[str, Any]:
    """Return the filters of the request, as an address names them; None for what is not asked for."""
    outcome = request.args.get("outcome", "")
    return {
        "api": wished_api(),
        "outcome": outcome if outcome in ("good", "failed") else None,
        "q": request.args.get("q", "").strip()[:200].replace("\x00", "") or None,
    }


def _rows(asked: periods.Asked, limit: int, offset: int) -> list[dict[str, Any]]:
    filters = _filters()
    return queries.log_page(
        services().engine,
        asked.period,
        api_id=filters["api"],
        failed={"failed": True, "good": False}.get(filters["outcome"]),
        search=filters["q"] or "",
        limit=limit,
        offset=offset,
    )
