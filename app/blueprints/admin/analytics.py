"""Numbers: calls, success and latency in total, and per API, endpoint, client app and error."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, request

from app.analytics import queries
from app.analytics.queries import Dimension, Statistics
from app.blueprints.admin import charts, periods
from app.blueprints.admin.tables import as_file
from app.blueprints.admin.view import PanelView, page
from app.errors import BadRequest
from app.literals import to_number
from app.web.services import services

_DIMENSIONS: dict[Dimension, str] = {"api": "API", "endpoint": "Endpoint", "client": "Client app", "error": "Error"}


class Analytics(PanelView):
    """Calls in numbers: how many, how fast, how many failed."""

    @page("/")
    def index(self) -> Response:
        """Show the numbers of a period, of all APIs or one."""
        asked, api_id, database = periods.asked(), wished_api(), services().database
        names = api_names()
        series = queries.series(database, asked.period, api_id=api_id)
        return self.show(
            "panel/analytics.html",
            asked=asked,
            spans=periods.SPANS,
            api_id=api_id,
            names=names,
            totals=queries.totals(database, asked.period, api_id=api_id),
            chart=charts.chart(series, asked.period),
            size=(charts.WIDTH, charts.HEIGHT),
            tables={name: (label, _by(name, asked, api_id, names)) for name, label in _DIMENSIONS.items()},
        )

    @page("/data.<kind>")
    def data(self, kind: str) -> Response:
        """Send the same numbers as a file: per API, endpoint, client app or error, or over time (``by=time``)."""
        asked, api_id, by = periods.asked(), wished_api(), request.args.get("by", "time")
        if by == "time":
            found = queries.series(services().database, asked.period, api_id=api_id)
        elif by in _DIMENSIONS:
            found = _by(by, asked, api_id, api_names())
        else:
            raise BadRequest("There are no numbers by this.")
        rows = [{**asdict(each), "success_rate": each.success_rate} for each in found]
        return as_file(rows, f"calls-by-{by}", kind)


def api_names() -> dict[int, str]:
    """Return the names of the APIs by id, as this process serves them."""
    return {definition.id: definition.name for definition in services().catalog.snapshot.definitions.values()}


def wished_api() -> int | None:
    """Return the API that the request asks about, None for all."""
    return to_number(request.args.get("api", ""))


def _by(
    dimension: Dimension, asked: periods.PeriodChoice, api_id: int | None, names: dict[int, str]
) -> list[Statistics]:
    found = queries.by(services().database, asked.period, dimension, api_id=api_id)
    return [_named(each, names) for each in found] if dimension == "api" else found


def _named(each: Statistics, names: dict[int, str]) -> Statistics:
    values: dict[str, Any] = asdict(each)
    return Statistics(**{**values, "key": names.get(each.key, f"deleted API {each.key}")})
