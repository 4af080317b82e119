"""A call of the log, to be tried again: the console's form filled in with what the log has kept of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from app.analytics import callers
from app.blueprints.admin.console.callers import ME, PUBLIC, TrialCaller
from app.blueprints.admin.console.inputs import Inputs
from app.blueprints.admin.console.targets import Target, find, target_key
from app.blueprints.admin.editor import ApiRow
from app.blueprints.admin.endpoint_list import as_named
from app.definitions.masking import MASK
from app.operations.actions import PUBLIC_ID
from app.principal import Person


@dataclass(frozen=True, slots=True)
class Replay:
    """Values of the form, and notes on what differs from the call, or is missing."""

    values: Mapping[str, str]
    notes: tuple[str, ...]


def key_of(row: Mapping[str, Any]) -> str:
    """Return the console's key of the endpoint that was called."""
    method, _, path = as_named(str(row["endpoint"])).partition(" ")
    return target_key(row["api_id"], method, path)


def can_be_tried(rows: Iterable[ApiRow], row: Mapping[str, Any]) -> bool:
    """True if a call of the log can be tried again: it has an id, and its endpoint is one that the console has."""
    return bool(row["call_id"]) and find(rows, key_of(row)) is not None


def replay(row: Mapping[str, Any], target: Target, inputs: Inputs, apps: list[TrialCaller], me: Person) -> Replay:
    """Return the form of a call that stands in the log."""
    notes: list[str] = []
    given = _parameters(row, inputs, notes)
    values = {
        "caller": _caller(row, apps, me, notes),
        **_path(row, target, inputs),
        **{each.field: given[each.name] for each in inputs.at("query") if each.name in given},
    }
    if inputs.examples:
        values["body"] = _body(row, notes)
    if any(MASK in value for value in values.values()):
        notes.append(f"What the log has masked stands there as {MASK}: fill it in.")
    notes.append("Headers are kept nowhere.")
    return Replay(values, tuple(notes))


def _path(row: Mapping[str, Any], target: Target, inputs: Inputs) -> dict[str, str]:
    """Return the id, or the value of a key, in the path, where the endpoint has one."""
    if target.endpoint.key:
        value = str(row["path"]).removeprefix(target.endpoint.path_with("", ""))
        return {each.field: value for each in inputs.at("path") if value != "{value}"}  # which the log has hidden
    before, found, after = target.endpoint.path.partition(PUBLIC_ID)
    match = re.fullmatch(f"{re.escape(before)}([^/]+){re.escape(after)}", str(row["path"])) if found else None
    return {each.field: unquote(match[1]) for each in inputs.at("path")} if match else {}


def _parameters(row: Mapping[str, Any], inputs: Inputs, notes: list[str]) -> dict[str, str]:
    """Return the parameters by name: those of the query, and of the body of a search, which may hold them."""
    given = _object(row["query"])
    if row["query_note"]:
        notes.append(f"Its parameters: {row['query_note']}")
    if not inputs.examples:
        given |= _object(row["request_body"])
    if not given and inputs.at("query"):
        notes.append("Of its parameters the log keeps none: it keeps them where an API logs bodies.")
    known = {each.name for each in inputs.at("query")}
    return {name: _text(value) for name, value in given.items() if name in known}


def _body(row: Mapping[str, Any], notes: list[str]) -> str:
    text = str(row["request_body"] or "")
    if row["request_note"]:
        notes.append(f"Its body: {row['request_note']}")
    elif not text:
        notes.append("The log has no body of it: it keeps them where an API logs bodies, of callers who are known.")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _caller(row: Mapping[str, Any], apps: list[TrialCaller], me: Person, notes: list[str]) -> str:
    """Return as whom it is tried: the client app or the public that called, else oneself."""
    caller = callers.read(row["caller"])
    if caller.client is not None and caller.uid is None:
        app = next((each for each in apps if each.id == caller.client and each.able), None)
        if app is not None:
            return app.key
        notes.append("The client app that called is gone, or has no secret: you call as yourself.")
        return ME
    if row["caller"] is None or (caller.known and caller.uid is None):
        return PUBLIC
    if caller.uid != me.uid or caller.client is not None:
        notes.append("Somebody else called: you call as yourself, with your own rights.")
    return ME


def _object(text: object) -> dict[str, Any]:
    try:
        found = json.loads(str(text or ""))
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    # An envelope of JSON-RPC holds the parameters.
    inside = found.get("params") if "jsonrpc" in found else found
    return inside if isinstance(inside, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
