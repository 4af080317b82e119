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
) -> dict[str, Any]:
    """Return one request. ``ids`` are variables that it needs: they are set where no request before it did."""
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
    if body is not None:
        sent["header"].append({"key": "Content-Type", "value": "application/json"})
        sent["body"] = {
            "mode": "raw",
            "raw": dumps(body).decode(),
            "options": {"raw": {"language": "json"}},
        }
    events = [test]
    if ids:
        lines = "\n".join(set_unless_known(key, value) for key, value in ids.items())
        events.append(event("prerequest", lines))
    return {"name": name, "request": sent, "event": events, "response": []}
