"""Changes of definitions, client apps, webhooks and settings in a person's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.blueprints.admin import editor, people
from app.json import dumps

#: What is called otherwise than its column; what is left out says nothing to a person.
_NAMES = {"uid": "user", "public_id": "client id", "rotated": "new secret"}
_LEFT_OUT = frozenset({"id", "key"})
_NONE = "–"

Line = tuple[str, str]


def described(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of the history with ``lines`` that say what differs; users stand there with their logins."""
    found = list(rows)
    uids = {state["uid"] for row in found for state in (row["before"], row["after"]) if state and state.get("uid")}
    logins = people.logins(uids)
    return [{**row, "lines": _lines(row, logins)} for row in found]


def _lines(row: Mapping[str, Any], logins: Mapping[int, str]) -> list[Line]:
    """Return lines of the differences, with ``+``, ``-`` or, for one value in the place of another, a space."""
    if row["kind"] == "api":
        theirs, mine = (editor.as_yaml(state) if state else "" for state in (row["before"], row["after"]))
        return [(mark, line) for mark, line in editor.difference(theirs, mine) if mark.strip()]
    before, after = (_facts(state, logins) for state in (row["before"], row["after"]))
    if before is None or after is None:
        return [("-" if after is None else "+", f"{name}: {text}") for name, text in (before or after or {}).items()]
    return [
        (" ", f"{name}: {before.get(name, _NONE)} → {after.get(name, _NONE)}")
        for name in {**before, **after}
        if before.get(name, _NONE) != after.get(name, _NONE)
    ]


def _facts(state: Mapping[str, Any] | None, logins: Mapping[int, str]) -> dict[str, str] | None:
    """Return the values of a row by name; those of a setting that has several one by one."""
    if state is None:
        return None
    several = state.get("value")
    plain = several if isinstance(several, dict) else state
    return {
        _NAMES.get(name, name): _user(item, logins) if name == "uid" else _text(item)
        for name, item in plain.items()
        if name not in _LEFT_OUT
    }


def _user(uid: int | None, logins: Mapping[int, str]) -> str:
    return _NONE if uid is None else logins.get(uid, f"user {uid}")


def _text(value: Any) -> str:
    if value is None or value in ([], ""):
        return _NONE
    if isinstance(value, list) and not any(isinstance(item, list) for item in value):  # a domain is no list of names
        return ", ".join(_text(item) for item in value)
    return value if isinstance(value, str) else dumps(value).decode()
