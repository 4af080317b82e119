"""Report of an import that was done, or would be: in lines for people, and as values for programs."""

from __future__ import annotations

from typing import Any

from app.editing.files import Plan


def done(planned: Plan) -> list[str]:
    """Return a line for each thing that was changed, and for each client app that was not."""
    apis, apps = planned.changes, planned.clients
    changed = [
        *(f"created: {name}" for name in apis.created),
        *(f"updated: {name}" for name in apis.updated),
        *(f"deleted: {name}" for name in apis.deleted),
        *(f"created: client app {name}" for name in apps.created),
        *(f"updated: client app {name}" for name in apps.updated),
    ]
    if planned.new_defaults and not changed:
        changed = ["updated: the defaults for new APIs"]
    last = [] if changed else ["Nothing has changed."]
    return [*changed, *(f"unchanged: client app {name}" for name in apps.unchanged), *last]


def expected(planned: Plan) -> list[str]:
    """Return a line for each thing that the file names or that would be deleted, with what would become of it."""
    apis, apps, keys = planned.changes, planned.clients, planned.differing_keys()
    lines = [
        *(f"would create: {name}" for name in apis.created),
        *(f"would update: {name} ({', '.join(keys[name])})" for name in apis.updated),
        *(f"would delete: {name}" for name in apis.deleted),
        *(f"would create: client app {name}" for name in apps.created),
        *(f"would update: client app {name}" for name in apps.updated),
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
    }
