"""Calls as the request log has them: as rows of a process, and as batches of values for its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from app.analytics.bodies import Exchange, Legible, legible

#: Most characters that are kept of the texts of a failure.
LONGEST = {"message": 500, "reason": 2_000}


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call. ``endpoint`` is method and route, ``path`` what was asked for without its query.

    Clients may choose ``request_id``, and one twice; ``call_id`` is this call's alone.

    ``message`` is what the client was told of a failure, ``reason`` what is for admins alone. ``exchange`` holds the
    bodies of a call of an API that logs them, and of one that failed. ``records`` and ``bytes`` are those of an export;
    of a ``dry_run`` nothing was kept; ``tool`` is the one that an AI agent has called.
    """

    at: datetime
    request_id: str
    api_id: int
    endpoint: str
    path: str
    status: int
    error: str | None
    message: str | None
    caller: str | None
    client: str | None
    uid: int | None
    address: str
    milliseconds: float
    call_id: str | None = None
    dry_run: bool = False
    tool: str | None = None
    reason: str | None = None
    records: int | None = None
    bytes: int | None = None
    exchange: Exchange | None = None

    def without_content(self) -> LoggedCall:
        """Return the same without bodies, for want of room; and without the texts that they would tell how to mask."""
        exchange = self.exchange.without_content() if self.exchange else None
        return replace(self, exchange=exchange, message=None, reason=None)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are written together, with the values of their columns and the bytes of bodies that they hold.

    ``since`` is when the first of them came, by the monotonic clock.
    """

    rows: Sequence[LoggedCall]
    values: list[dict[str, Any]]
    held: int
    since: float

    @classmethod
    def of(cls, rows: Sequence[LoggedCall], since: float) -> Batch:
        """Take the bodies apart, once, however often the batch has to be written."""
        return cls(
            rows=[row if row.exchange is None else replace(row, exchange=None) for row in rows],
            values=[_values(row) for row in rows],
            held=sum(row.exchange.size for row in rows if row.exchange is not None),
            since=since,
        )


_OF_ROW = tuple(field.name for field in fields(LoggedCall) if field.name != "exchange")
_OF_BODIES = tuple(field.name for field in fields(Legible) if field.name not in _OF_ROW)
#: Columns of the table, each with a value in the rows of a batch.
COLUMNS = (*_OF_ROW, *_OF_BODIES)
_of_row = attrgetter(*_OF_ROW)


def _values(row: LoggedCall) -> dict[str, Any]:
    values = dict(zip(_OF_ROW, _of_row(row), strict=True))
    if row.exchange is not None:
        values |= asdict(legible(row.exchange, row.message, row.reason))
    for name, longest in LONGEST.items():  # what was masked before it is cut can't show a part of what is hidden
        values[name] = values[name] and values[name][:longest]
    return values
