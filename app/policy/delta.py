"""Parameters of a delta, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.definitions.definition import Definition, Node
from app.errors import BadRequest
from app.policy import query

#: The token that stands for now.
LATEST = "latest"
_PARAMETERS = frozenset({"token", "fields", "limit"})


@dataclass(frozen=True, slots=True)
class DeltaQuery:
    """A delta that may be asked for: a token, None for a pass over all records, and what is shown of each."""

    token: str | None
    node: Node
    limit: int


def delta(parameters: Mapping[str, Any], definition: Definition, shown: Node) -> DeltaQuery:
    """Return the query of a delta; raises BadRequest that names the parameter."""
    query.only_known(parameters, _PARAMETERS)
    token = parameters.get("token") or None
    if token is not None and not isinstance(token, str):
        message = "token must be the delta_token, or the next_token, of an answer before."
        raise BadRequest(message, name="invalid_delta_token", data={"parameter": "token"})
    size = query.limit(parameters, definition)
    if not size:
        raise BadRequest("limit must be 1 or more.", name="invalid_limit", data={"parameter": "limit"})
    return DeltaQuery(token, query.narrow(shown, parameters.get("fields")), size)
