"""Facts of the first page: the last hour and day, what failed, who was limited, and the steps to a first API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import url_for

from app.analytics import queries, recent
from app.analytics.queries import Period, Statistics
from app.blueprints.admin import charts, people
from app.blueprints.admin.charts import Chart
from app.blueprints.admin.editor import ApiRow
from app.blueprints.admin.request_log import listed
from app.clients.store import Client
from app.web.services import services

#: Rows of each list, and numbers beside the axis of a small chart.
_SHOWN, _MARKS = 8, 2


@dataclass(frozen=True, slots=True)
class Span:
    """The calls of a period that ends now; ``name`` is what the pages of numbers call it."""

    name: str
    label: str
    totals: Statistics
    calls: Chart
    errors: Chart
    latency: Chart


@dataclass(frozen=True, slots=True)
class Step:
    """A step to the first API: what is to be done, where, and if it is done."""

    label: str
    help: str
    address: str
    done: bool


def spans() -> list[Span]:
    """Return the last hour and the last day."""
    return [_span("hour", "Last hour", timedelta(hours=1)), _span("day", "Last 24 hours", timedelta(days=1))]


def failures() -> list[dict[str, Any]]:
    """Return the last failed calls of the last day, as lists of the log show them."""
    return listed(recent.failures(services().database, _SHOWN))


def limited() -> list[dict[str, Any]]:
    """Return the callers of the last day who were refused for too many calls."""
    return people.named(recent.limited(services().database, _SHOWN))


def steps(rows: Sequence[ApiRow], apps: Sequence[Client], *, tried: bool) -> list[Step]:
    """Return the four steps to an API that a program can call; each is done when its fact is there."""
    published = [row for row in rows if row.stored.document.get("published")]
    draft = next((row.stored.id for row in rows if row not in published), None)
    to_publish = url_for("apis.edit", api_id=draft) if draft is not None else url_for("apis.index")
    to_try = url_for("console.index", target=(published or rows)[0].stored.id) if rows else url_for("console.index")
    return [
        Step("Expose", "make an API of a model of Odoo", url_for("models.index"), bool(rows)),
        Step("Publish", "switch the API on, as it is or in test mode", to_publish, bool(published)),
        Step("Try", "send a first call, as a test of which nothing remains", to_try, tried),
        Step("Client app", "give a program its own access", url_for("clients.new"), bool(apps)),
    ]


def _span(name: str, label: str, length: timedelta) -> Span:
    period, database = Period.last(length), services().database
    series = queries.series(database, period)
    return Span(
        name=name,
        label=label,
        totals=queries.totals(database, period),
        calls=charts.calls(series, period, _MARKS),
        errors=charts.failures(series, period, _MARKS),
        latency=charts.latency(series, period, _MARKS),
    )
