"""Steps: requests into the app itself, of a batch or of a tool, which take the way of every request from outside.

A step differs from one in nothing but its mark: routes, authentication, scopes, policy, limits, log and audit are those
of its API. It runs in this thread, in an empty context. Its mark lies in the WSGI environment as an object of ours:
what a client sends arrives there as text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
#: What the call of a tool has of it: nothing that a browser adds by itself, and no wish but the tool's own.
OF_TOOL = tuple(
    name for name in _INHERITED if name not in ("HTTP_COOKIE", "HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE", "HTTP_PREFER")
)
#: Headers of answers that are told on: what to do about an error, and the version of a record.
_TOLD = ("Allow", "Retry-After", "WWW-Authenticate", "ETag")


@dataclass(slots=True)
class StepMark:
    """The mark of a step, and what it leaves for who has made it.

    ``endpoint`` is the only one that it may reach, None where nothing is served at its path. ``body`` is what its JSON
    says: that of a batch has references in place of ids, and ``in_path`` has those of its path by their text. ``tool``
    is the one that an AI agent has called, if any, ``resource`` where it was called, and ``approved_by`` the person who
    has approved it. What the log is to have of it waits in ``logged`` until it is known whether it was kept, which each
    of these functions is told.
    """

    report: CallReport
    endpoint: Endpoint | None
    body: Any = None
    in_path: Mapping[str, Reference] = field(default_factory=dict)
    together: Together | None = None
    tool: str | None = None
    resource: str | None = None
    approved_by: int | None = None
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
    step: Step,
    path: str,
    mark: StepMark,
    batch: Request,
    request_id: str,
    session_id: str | None = None,
    inherited: Iterable[str] = _INHERITED,
) -> dict[str, Any]:
    """Return the WSGI environment of a step; ``path`` is its own, percent-encoded or not as an address may be.

    ``session_id`` is that of a session that a step before has renewed, None where none has. ``inherited`` are the
    variables that it has of the request that brought it.
    """
    content_type = ("Content-Type", "application/json")  # also without a body: a call by cookie has to say it
    headers = [("Accept", "application/json"), content_type, ("X-Request-ID", request_id), *step.headers.items()]
    shared = {name: batch.environ[name] for name in inherited if name in batch.environ}
    if session_id is not None:
        shared["HTTP_COOKIE"] = f"{COOKIE}={session_id}"
    builder = EnvironBuilder(
        method=step.method,
        path=path,
        query_string=step.query,
        headers=headers,
        data=None if step.body is None else dumps(step.body),
        environ_overrides=shared,
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
    headers = {name: response.headers[name] for name in _TOLD if name in response.headers}
    return StepAnswer(response.status_code, document.get("result"), document.get("error"), headers)
