"""Askers: what the programs are called that ask for an approval."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.analytics import callers
from app.clients import store as clients
from app.mcp.approvals import Approval


def of(cr: Any, approvals: Iterable[Approval]) -> dict[str, str]:
    """Return the name of the client app by the lookup part of an approval, "" where it is none or is gone.

    A client that describes itself is named by the address that it lies at, and by the app as which it calls.
    """
    keys = {each.lookup: each.bound.caller.partition(" ") for each in approvals}
    ids = {lookup: callers.read(key).client for lookup, (key, _, _) in keys.items()}
    names = clients.names(cr, {client_id for client_id in ids.values() if client_id is not None})
    apps = {lookup: names.get(client_id or 0, "") for lookup, client_id in ids.items()}
    return {lookup: f"{url} (as {apps[lookup]})" if url else apps[lookup] for lookup, (_, _, url) in keys.items()}
