"""Filters of the request log, as an address names them."""

from __future__ import annotations

from typing import Any

from flask import request

from app.analytics.log_pages import Wanted
from app.blueprints.admin import people
from app.blueprints.admin.analytics import wished_api
from app.literals import to_number

#: Filters that links of other pages set, and what the page calls them.
NAMED = {"route": "Endpoint", "client": "Client app", "error": "Error", "tool": "Tool"}


def filters() -> dict[str, Any]:
    """Return the filters of the request; None for what is not asked for."""
    outcome, status = request.args.get("outcome", ""), request.args.get("status", "").strip()
    return {
        "api": wished_api(),
        "outcome": outcome if outcome in ("good", "failed") else None,
        "status": status if _range(status) else None,
        "by": "agents" if request.args.get("by") == "agents" else None,
        **{name: _text_of(name) for name in NAMED},
        "q": _text_of("q"),
    }


def wanted() -> Wanted:
    """Return the same as the log takes it."""
    found = filters()
    return Wanted(
        api_id=found["api"],
        failed={"failed": True, "good": False}.get(found["outcome"]),
        status=_range(found["status"] or ""),
        endpoint=found["route"],
        client=found["client"],
        error=found["error"],
        tool=found["tool"],
        agents=found["by"] == "agents",
        search=found["q"] or "",
        person=people.uid_of(found["q"] or ""),
    )


def storable(given: str) -> str:
    """Return a text that PostgreSQL takes."""
    return given.replace("\x00", "")


def _text_of(name: str) -> str | None:
    return storable(request.args.get(name, "").strip()[:500]) or None


def _range(status: str) -> tuple[int, int] | None:
    """Return the bounds of a class of statuses (``4xx``), or of one status; None for anything else."""
    ends = ("00", "99") if status[1:].lower() == "xx" else (status[1:], status[1:])
    lowest, highest = (to_number(status[:1] + end, digits=3) for end in ends)
    if lowest is None or highest is None or not 100 <= lowest <= 599:
        return None
    return lowest, highest
