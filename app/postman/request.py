"""One request of a collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.json import dumps
from app.postman.scripts import event, set_unless_known


def request(
    name: str,
    method: str,
    path: str,
    test: dict[str, Any],
    *,
    body: Any = None,
    query: Mapping[str, str] | None = None,
    ids: Mapping[str, Any] | None = None,
    description: str = "",
    accept: str = "application/json",
    content_type: str = "application/json",
    prefer: str = "",
) -> dict[str, Any]:
    """Return one request. ``ids`` are variables that it needs: they are set where no request before it did.

    A body that is no JSON is a text.
    """
    parameters = [{"key": key, "value": value} for key, value in (query or {}).items()]
    raw = "{{base_url}}" + path
    if parameters:
        raw += "?" + "&".join(f"{parameter['key']}={parameter['value']}" for parameter in parameters)
    sent: dict[str, Any] = {
        "method": method,
        "header": [{"key": "Accept", "value": accept}],
        "url": {"raw": raw, "host": ["{{base_url}}"], "path": path.strip("/").split("/"), "query": parameters},
    }
    if description:
        sent["description"] = description
    if prefer:
        sent["header"].append({"key": "Prefer", "value": prefer})
    if body is not None:
        is_json = content_type == "application/json"
        sent["header"].append({"key": "Content-Type", "value": content_type})
        sent["body"] = {
            "mode": "raw",
            "raw": dumps(body).decode() if is_json else body,
            "options": {"raw": {"language": "json" if is_json else "text"}},
        }
    events = [test]
    if ids:
        lines = "\n".join(set_unless_known(key, value) for key, value in ids.items())
        events.append(event("prerequest", lines))
    return {"name": name, "request": sent, "event": events, "response": []}
