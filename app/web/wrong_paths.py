"""Errors for paths and methods that nothing is served at: they name what is, as far as anybody may know it.

Who may not know that an API is there gets no help in guessing: routes are named where they are open to all. Below the
route of an API, which the caller has written themselves, its methods are no secret: a 405 tells them one by one.
"""

from __future__ import annotations

from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.errors import ApiError, NotFound
from app.operations.endpoints import Endpoint
from app.policy.suggestions import closest_first
from app.web import lifecycle
from app.web.current import current_request
from app.web.routing import ApiRule, served_endpoints

#: Longest path that an answer repeats, in characters.
_LONGEST = 200


class MethodRefused(ApiError):
    """Something is served at the path, but not by this method."""

    status = 405
    name = "method_not_allowed"


def method_not_allowed(error: MethodNotAllowed) -> ApiError:
    """Return the error for a method: it names those of the path, and what each of them does there."""
    allowed = sorted(set(error.valid_methods or ()) - {"HEAD", "OPTIONS"})
    targets = {method: _target(method) for method in allowed}
    known = ", ".join(f"{method} ({each.action.words})" if each else method for method, each in targets.items())
    message = f"{current_request().method[:20]} is not served at {_path()}. Served are: {known}."
    api = next((each.definition for each in targets.values() if each), None)
    return MethodRefused(
        message, data={"allowed": allowed}, headers=lifecycle.headers(api.document) if api is not None else None
    )


def not_found() -> ApiError:
    """Return the error for a path: it names what is served around it."""
    path = current_request().path
    below = _below(path)
    if below:
        served = [f"{endpoint.method} {endpoint.shown_path}" for endpoint in below]
        return NotFound(f"There is no such route. Served here are: {', '.join(served)}.", data={"served": served})
    if path != "/api" and not path.startswith("/api/"):
        return NotFound("There is no such route. APIs are served below /api/, and described by /api/docs.")
    routes = closest_first(path, {_base(each) for each in served_endpoints() if _is_open(each)})
    known = f" Open to all are: {', '.join(routes)}." if routes else ""
    message = f"There is no such route.{known} GET /api/openapi.json lists all that its caller may call."
    return NotFound(message, data={"served": routes})


def _below(path: str) -> list[Endpoint]:
    """Return the endpoints of the model, or of the API of one model, whose own path this one goes on from."""
    bases: dict[str, list[Endpoint]] = {}
    for endpoint in served_endpoints():
        if path.startswith(f"{_base(endpoint)}/"):
            bases.setdefault(_base(endpoint), []).append(endpoint)
    return bases[max(bases, key=len)] if bases else []


def _base(endpoint: Endpoint) -> str:
    """Return the path that all endpoints of the same model begin with."""
    return endpoint.path.removesuffix(endpoint.action.suffix)


def _is_open(endpoint: Endpoint) -> bool:
    document = endpoint.definition.document
    if endpoint.definition.problems:
        return False
    return document.authentication == "public" or document.type == "key_authentication"


def _target(method: str) -> Endpoint | None:
    """Return the endpoint of an API that the current path leads to by another method; None for a route of our own."""
    try:
        rule, _ = request_ctx.url_adapter.match(method=method, return_rule=True)  # type: ignore[union-attr]
    except HTTPException:
        return None
    return rule.target if isinstance(rule, ApiRule) else None


def _path() -> str:
    path = current_request().path
    return path if len(path) <= _LONGEST else path[: _LONGEST - 1] + "…"
