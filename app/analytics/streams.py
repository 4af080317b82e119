"""All rows of the log, the audit and the history, page by page.

Each page is a query of its own, on a connection of its own: while a slow reader takes its time, nothing is locked, no
snapshot is held, and days can be dropped. No more than a page is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.analytics import log_pages
from app.analytics.log_pages import EVERYTHING, PageEnd, Wanted
from app.analytics.queries import Period
from app.database import Database

Page = list[dict[str, Any]]
#: Rows of a page; one of the history holds two definitions.
SIZE, HISTORY_SIZE = 5_000, 50


def log(database: Database, period: Period, wanted: Wanted = EVERYTHING) -> Iterator[Page]:
    """Yield the calls of the request log that are wanted, the newest first."""
    before: PageEnd | None = None
    while page := log_pages.log_page(database, period, wanted, limit=SIZE, before=before):
        before = PageEnd.after(page[-1])
        yield [{name: value for name, value in row.items() if name != "place"} for row in page]


def audit(database: Database, filters: Mapping[str, Any]) -> Iterator[Page]:
    """Yield the changes of records, the newest first; ``filters`` as ``log_pages.audit_page`` takes them."""
    return _by_id(lambda before: log_pages.audit_page(database, **filters, limit=SIZE, before=before))


def history(database: Database) -> Iterator[Page]:
    """Yield the changes of definitions, client apps and settings."""
    return _by_id(lambda before: log_pages.history_page(database, limit=HISTORY_SIZE, before=before))


def _by_id(fetch: Callable[[int | None], Page]) -> Iterator[Page]:
    before: int | None = None
    while page := fetch(before):
        before = page[-1]["id"]
        yield page
