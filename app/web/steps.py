"""Steps of a batch: requests into the app itself, which take the way of every request from outside.

A step differs from one in nothing but its mark: routes, authentication, scopes, policy, limits, log and audit are those
of its API. It runs in this thread, in an empty context. Its mark lies in the WSGI environment as an object of ours:
what a client sends arrives there as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any

import orjson
from flask import Request
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from app.definitions.ids import Reference
from app.json import dumps
from app.operations.endpoints import Endpoint
from app.operations.report import CallReport
from app.operations.together import Together
from app.policy.batch import Step
from odoo_bridge.sessions import COOKIE

#: Where the mark lies.
KEY = "gatehouse.step"
#: What a step has of the request that brought the batch: where it came from and went to, and who calls.
_INHERITED = (
    "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "wsgi.url_scheme", "REMOTE_ADDR", "SCRIPT_NAME",
    "HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_USER_AGENT",
    "HTTP_TRACEPARENT", "HTTP_ACCEPT_LANGUAGE", "HTTP_X_TIMEZONE", "HTTP_X_COMPANY_ID", "HTTP_PREFER",
)  # fmt: skip
#: Headers of errors that tell what to do.
_OF_ERRORS = ("Allow", "Retry-After", "WWW-Authenticate")


@dataclass(slots=True)
class StepMark:
    """The mark of a step, and what it leaves for the batch.

    ``endpoint`` is the only one that it may reach, None where nothing is served at its path. ``body`` is what its JSON
    says, with references in place of ids; ``in_path`` those of its path by their text. What the log is to have of it
    waits in ``logged`` until the batch is over, as a function of whether it was kept.
    """

    report: CallReport
    endpoint: Endpoint | None
    body: Any = None
    in_path: Mapping[str, Reference] = field(default_factory=dict)
    together: Together | None = None
    logged: list[Callable[[bool], None]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """The answer to a step: ``result``, or ``error`` as its API tells it, with the headers that go with it."""

    status: int
    result: Any = None
    error: dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def mark_of(environ: Mapping[str, Any]) -> StepMark | None:
    """Return the mark of a request; None for all that come from outside."""
    found = environ.get(KEY)
    return found if isinstance(found, StepMark) else None


def environ_of(
    step: Step, path: str, mark: StepMark, batch: Request, request_id: str, session_id: str | None
) -> dict[str, Any]:
    """Return the WSGI environment of a step; ``path`` is its own without escapes.

    ``session_id`` is that of a session that a step before has renewed, None where none has.
    """
    content_type = ("Content-Type", "application/json")  # also without a body: a call by cookie has to say it
    headers = [("Accept", "application/json"), content_type, ("X-Request-ID", request_id), *step.headers.items()]
    inherited = {name: batch.environ[name] for name in _INHERITED if name in batch.environ}
    if session_id is not None:
        inherited["HTTP_COOKIE"] = f"{COOKIE}={session_id}"
    builder = EnvironBuilder(
        method=step.method,
        path=path,
        query_string=step.query,
        headers=headers,
        data=None if step.body is None else dumps(step.body),
        environ_overrides=inherited,
    )
    try:
        return {**builder.get_environ(), KEY: mark}
    finally:
        builder.close()


def send(wsgi_app: Any, environ: dict[str, Any]) -> StepAnswer:
    """Make the call of a step and return its answer."""
    response: Response = Context().run(Response.from_app, wsgi_app, environ, buffered=True)
    content = response.get_data()
    document = orjson.loads(content) if content else {}
    headers = {name: response.headers[name] for name in _OF_ERRORS if name in response.headers}
    return StepAnswer(response.status_code, document.get("result"), document.get("error"), headers)
