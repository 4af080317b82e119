"""Report of an import that was done, or would be: in lines for people, and as values for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from app.editing.files import Plan
from app.editing.openings import Openings

#: Marks of the levels of an opening, in front of it.
_MARKS = {"danger": "  !! ", "warn": "  !  ", "": "     "}


def done(planned: Plan) -> list[str]:
    """Return a line for each thing that was changed, and for each client app that was not.

    Below them stands what is to be looked at twice of what they open.
    """
    apis, apps = planned.changes, planned.clients
    changed = [
        *_opened("created: ", apis.created, planned.opens, marked=True),
        *_opened("updated: ", apis.updated, planned.opens, marked=True),
        *(f"deleted: {name}" for name in apis.deleted),
        *_opened("created: client app ", apps.created, apps.opens, marked=True),
        *_opened("updated: client app ", apps.updated, apps.opens, marked=True),
    ]
    if planned.new_defaults and not changed:
        changed = ["updated: the defaults for new APIs"]
    last = [] if changed else ["Nothing has changed."]
    return [*changed, *(f"unchanged: client app {name}" for name in apps.unchanged), *last]


def expected(planned: Plan) -> list[str]:
    """Return a line for each thing that the file names or that would be deleted, with what would become of it.

    Below an API or client app stands what callers may do then that they may not do now.
    """
    apis, apps, keys = planned.changes, planned.clients, planned.differing_keys()
    differing = {name: f" ({', '.join(names)})" for name, names in keys.items()}
    lines = [
        *_opened("would create: ", apis.created, planned.opens),
        *_opened("would update: ", apis.updated, planned.opens, behind=differing),
        *(f"would delete: {name}" for name in apis.deleted),
        *_opened("would create: client app ", apps.created, apps.opens),
        *_opened("would update: client app ", apps.updated, apps.opens),
        *(["would update: the defaults for new APIs"] if planned.new_defaults else []),
        *(f"unchanged: {name}" for name in planned.unchanged()),
        *(f"unchanged: client app {name}" for name in apps.unchanged),
    ]
    return [*lines, "Nothing would change."] if planned.changes_nothing() else lines


def as_json(planned: Plan) -> dict[str, Any]:
    """Return the same for programs, of an import that is done or not."""
    apis, apps = planned.changes, planned.clients
    return {
        "changes": not planned.changes_nothing(),
        "apis": {
            "created": apis.created,
            "updated": [{"name": name, "keys": keys} for name, keys in planned.differing_keys().items()],
            "deleted": apis.deleted,
            "unchanged": planned.unchanged(),
        },
        "clients": {"created": apps.created, "updated": apps.updated, "unchanged": apps.unchanged},
        "defaults": planned.new_defaults,
        "opens": {"apis": _as_values(planned.opens), "clients": _as_values(apps.opens)},
    }


def _opened(
    title: str,
    names: Iterable[str],
    opens: Openings,
    *,
    marked: bool = False,
    behind: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[str]:
    """Yield a line for each name, and below it what it opens; ``marked`` alone leaves out what is harmless."""
    for name in names:
        yield f"{title}{name}{behind.get(name, '')}"
        yield from (f"{_MARKS[line.level]}{line}" for line in opens.get(name, ()) if line.level or not marked)


def _as_values(opens: Openings) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{"subject": line.subject, "kind": line.kind, "names": line.names, "level": line.level} for line in lines]
        for name, lines in opens.items()
    }
