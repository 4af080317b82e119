"""Numbers: calls, success and latency in total, and per API, endpoint, client app, tool of AI agents and error."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from flask import Response, request

from app.analytics import queries
from app.analytics.queries import Dimension, Period, Statistics
from app.blueprints.admin import charts, periods
from app.blueprints.admin.tables import as_file
from app.blueprints.admin.view import PanelView, page
from app.errors import BadRequest
from app.literals import to_number
from app.web.services import services

_DIMENSIONS: dict[Dimension, str] = {
    "api": "API",
    "endpoint": "Endpoint",
    "client": "Client app",
    "tool": "Tool of AI agents",
    "error": "Error",
}
#: The filter of the log that tells each apart.
_FILTERS: dict[Dimension, str] = {
    "api": "api",
    "endpoint": "route",
    "client": "client",
    "tool": "tool",
    "error": "error",
}
#: Rows of a table on the page.
_SHOWN = 30


class Analytics(PanelView):
    """Calls in numbers: how many, how fast, how many failed."""

    help = "panel#analytics"

    @page("/")
    def index(self) -> Response:
        """Show the numbers of a period, of all APIs or one."""
        asked, api_id, database = periods.asked(), wished_api(), services().database
        names, period = api_names(), asked.period
        series = queries.series(database, period, api_id=api_id)
        return self.show(
            "panel/analytics.html",
            asked=asked,
            spans=periods.SPANS,
            api_id=api_id,
            names=names,
            totals=queries.totals(database, period, api_id=api_id),
            seconds=period.table.seconds,
            series=series,
            calls=charts.calls(series, period),
            latency=charts.latency(series, period),
            rows_over_time=_over_time(series, period),
            tables=[_table(name, asked, api_id, names) for name in _DIMENSIONS],
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


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its numbers, what it is called, and the filters of the log that lead to its calls."""

    each: Statistics
    name: str
    filters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers by one dimension, the most called first; ``count`` is the rows that there are in all."""

    by: Dimension
    label: str
    rows: list[Row]
    count: int


def _table(by: Dimension, asked: periods.PeriodChoice, api_id: int | None, names: dict[int, str]) -> Table:
    found = queries.by(services().database, asked.period, by, api_id=api_id)
    parameters = {**asked.parameters, "api": api_id}
    rows = [
        Row(
            each,
            names.get(each.key, f"deleted API {each.key}") if by == "api" else each.key,
            parameters | {_FILTERS[by]: each.key},
        )
        for each in found[:_SHOWN]
    ]
    return Table(by, _DIMENSIONS[by], rows, len(found))


def _over_time(series: list[Statistics], period: Period) -> list[Row]:
    """Return a row for each minute, hour or day, the newest first."""
    step = timedelta(seconds=period.table.seconds)
    return [Row(each, "", periods.own(each.key, each.key + step).parameters) for each in reversed(series)]


def _by(
    dimension: Dimension, asked: periods.PeriodChoice, api_id: int | None, names: dict[int, str]
) -> list[Statistics]:
    found = queries.by(services().database, asked.period, dimension, api_id=api_id)
    return [_named(each, names) for each in found] if dimension == "api" else found


def _named(each: Statistics, names: dict[int, str]) -> Statistics:
    values: dict[str, Any] = asdict(each)
    return Statistics(**{**values, "key": names.get(each.key, f"deleted API {each.key}")})
