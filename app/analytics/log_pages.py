"""Pages of the request log, the audit and the history, the newest first, and all that is known of one call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from app.analytics import callers
from app.analytics.queries import Period
from app.database import Database
from app.literals import to_number

#: What lists and files show of a row of the log: all but bodies, which can be long.
LOG_COLUMNS = (
    "at, request_id, api_id, endpoint, path, status, error, message, caller, client, uid, address, milliseconds, "
    "call_id, reason, records, bytes, dry_run, tool"
)
_PLACE = re.compile(r"\(\d{1,10},\d{1,5}\)", re.ASCII)
#: What a person did: by themselves, through a client app, or what was done with their rights.
_BY_PERSON = "uid = %(uid)s OR caller = %(user)s OR caller LIKE %(on_behalf)s"
#: Rows in which a text is found: those of the log, and those of the audit.
_CALL_FOUND = (
    "(%(search)s IN (request_id, caller, client, endpoint, error, address, tool) "
    f"OR (%(search)s LIKE '/%%' AND starts_with(path, %(search)s)) OR {_BY_PERSON})"
)
_CHANGE_FOUND = f"(%(search)s IN (request_id, caller, client, api, action, address, tool) OR {_BY_PERSON})"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The calls that a page of the log is about; None and "" for what does not matter.

    ``status`` is the lowest and the highest; ``endpoint``, ``client`` (app), ``error`` and ``tool`` are whole names,
    ``agents`` stands for all tools; ``search`` is a request id, caller, client app, endpoint, error, address or tool,
    or the beginning of a path; ``person`` the Odoo user whom it names, if any.
    """

    api_id: int | None = None
    failed: bool | None = None
    status: tuple[int, int] | None = None
    endpoint: str | None = None
    client: str | None = None
    error: str | None = None
    tool: str | None = None
    agents: bool = False
    search: str = ""
    person: int | None = None

    @property
    def conditions(self) -> dict[str, bool]:
        """Conditions on a row of the log, each with True where it is wanted."""
        return {
            "api_id = %(api_id)s": self.api_id is not None,
            "error IS NOT NULL": self.failed is True,
            "error IS NULL": self.failed is False,
            "status BETWEEN %(lowest)s AND %(highest)s": self.status is not None,
            "endpoint = %(endpoint)s": self.endpoint is not None,
            "client = %(client)s": self.client is not None,
            "error = %(error)s": self.error is not None,
            "tool = %(tool)s": self.tool is not None,
            "tool IS NOT NULL": self.agents,
            _CALL_FOUND: bool(self.search),
        }

    @property
    def values(self) -> dict[str, Any]:
        """The values that the conditions name."""
        lowest, highest = self.status or (None, None)
        return {
            "api_id": self.api_id,
            "lowest": lowest,
            "highest": highest,
            "endpoint": self.endpoint,
            "client": self.client,
            "error": self.error,
            "tool": self.tool,
            "search": self.search,
            **_person(self.person),
        }


EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class PageEnd:
    """The end of a page of the request log: the time of its last row, and the row's place in its partition.

    Rows are written once and stay where they are, so a place tells apart what happened in one microsecond.
    """

    at: datetime
    place: str

    @classmethod
    def after(cls, row: Mapping[str, Any]) -> PageEnd:
        """Return the end of the page that has this as its last row (see ``log_page``)."""
        return cls(row["at"], row["place"])

    @classmethod
    def parse(cls, text: str) -> PageEnd | None:
        """Parse the text form of a place; None for anything else."""
        at, _, place = text.partition("~")
        microseconds = to_number(at, digits=17)  # until the year 5138, which a datetime can hold
        if microseconds is None or not _PLACE.fullmatch(place):
            return None
        return cls(datetime.fromtimestamp(microseconds / 1_000_000, timezone.utc), place)

    def __str__(self) -> str:
        microseconds = (self.at - datetime.fromtimestamp(0, timezone.utc)) // timedelta(microseconds=1)
        return f"{microseconds}~{self.place}"


def log_page(
    database: Database,
    period: Period,
    wanted: Wanted = EVERYTHING,
    *,
    limit: int = 50,
    before: PageEnd | None = None,
) -> list[dict[str, Any]]:
    """Return rows of the request log, the newest first, without bodies and with their ``place``.

    A page goes on where the one before ended, so that what is called meanwhile moves nothing, and its cost does not
    grow with its number.
    """
    where = _where(
        {
            "at >= %(start)s AND at < %(end)s": True,
            **wanted.conditions,
            "at <= %(at)s AND (at, ctid) < (%(at)s, CAST(%(place)s AS tid))": before is not None,
        }
    )
    at, place = (before.at, before.place) if before else (None, None)
    return database.rows(
        f"SELECT {LOG_COLUMNS}, ctid::text AS place FROM gatehouse.request_log {where} "
        "ORDER BY at DESC, ctid DESC LIMIT %(limit)s",
        {"start": period.start, "end": period.end, **wanted.values, "at": at, "place": place, "limit": limit},
    )


#: Which of the calls of one request id is meant where nothing more is said: the one that got it from this server, else
#: the newest.
_MEANT = """
SELECT call_id FROM (
  SELECT call_id, at FROM gatehouse.request_log WHERE request_id = %(id)s
  UNION ALL SELECT call_id, at FROM gatehouse.audit WHERE request_id = %(id)s
) AS calls ORDER BY call_id IS NOT DISTINCT FROM %(id)s DESC, at DESC LIMIT 1
"""
_OTHERS = """
SELECT EXISTS (SELECT FROM gatehouse.request_log WHERE request_id = %(id)s AND call_id IS DISTINCT FROM %(call)s)
  OR EXISTS (SELECT FROM gatehouse.audit WHERE request_id = %(id)s AND call_id IS DISTINCT FROM %(call)s) AS others
"""


def request(
    database: Database, request_id: str, call_id: str | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a call's row of the log and its rows of the audit.

    A client may send an id that was used before, by others too: ``call_id`` says which call is meant, "" one from
    before there were such ids. What the others did is no part of the answer.
    """
    if call_id is None:
        meant = database.rows(_MEANT, {"id": request_id})
        call_id = meant[0]["call_id"] if meant else None
    values = {"id": request_id, "call": call_id or None}
    condition = "request_id = %(id)s AND call_id IS NOT DISTINCT FROM %(call)s"
    return (
        database.rows(f"SELECT * FROM gatehouse.request_log WHERE {condition} ORDER BY at", values),
        database.rows(f"SELECT * FROM gatehouse.audit WHERE {condition} ORDER BY id", values),
    )


def call(database: Database, call_id: str, request_id: str | None = None) -> dict[str, Any] | None:
    """Return a call's row of the log, with its bodies, or None; ``request_id`` is the client's choice, where it chose.

    Rows are found by their request id, which is the call's own where nothing else is said.
    """
    found = database.rows(
        "SELECT * FROM gatehouse.request_log WHERE request_id = %(request)s AND coalesce(call_id, %(id)s) = %(id)s",
        {"id": call_id, "request": request_id or call_id},
    )
    return found[0] if found else None


def is_shared(database: Database, request_id: str, call_id: str | None) -> bool:
    """True if other calls came with the request id of this one."""
    (row,) = database.rows(_OTHERS, {"id": request_id, "call": call_id})
    return bool(row["others"])


def audit_page(
    database: Database,
    *,
    model: str = "",
    record_id: int | None = None,
    search: str = "",
    person: int | None = None,
    limit: int = 50,
    offset: int = 0,
    before: int | None = None,
) -> list[dict[str, Any]]:
    """Return rows of the audit, the newest first; of one model, or of one record, or those ``before`` an id.

    ``search`` is a request id, caller, client app, API, action or address; ``person`` as in ``log_page``.
    """
    where = _where(
        {
            _CHANGE_FOUND: bool(search),
            "id < %(before)s": before is not None,
            "model = %(model)s": bool(model),
            "record_ids @> ARRAY[%(record_id)s]": record_id is not None,
        }
    )
    return database.rows(
        f"SELECT * FROM gatehouse.audit {where} ORDER BY id DESC LIMIT %(limit)s OFFSET %(offset)s",
        {"model": model, "record_id": record_id, "search": search, "limit": limit, "offset": offset, "before": before}
        | _person(person),
    )


def history_page(
    database: Database, *, limit: int = 50, offset: int = 0, before: int | None = None
) -> list[dict[str, Any]]:
    """Return changes of definitions, client apps and settings, the newest first, with before and after."""
    where = _where({"id < %(before)s": before is not None})
    return database.rows(
        f"SELECT * FROM gatehouse.history {where} ORDER BY id DESC LIMIT %(limit)s OFFSET %(offset)s",
        {"limit": limit, "offset": offset, "before": before},
    )


def _where(conditions: Mapping[str, bool]) -> str:
    """Return the clause of those conditions that are wanted."""
    wanted = [condition for condition, is_wanted in conditions.items() if is_wanted]
    return f"WHERE {' AND '.join(wanted)}" if wanted else ""


def _person(uid: int | None) -> dict[str, Any]:
    """Return the values of ``_BY_PERSON``; nobody's where no person is asked for."""
    return {"uid": uid, "user": uid and callers.of_user(uid), "on_behalf": uid and callers.for_person(uid)}
