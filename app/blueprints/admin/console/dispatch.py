"""The console's call: a request into the app itself, which takes the way of every request from outside.

It differs from one in nothing but its mark (``app.operations.trial``): routes, authentication, scopes, policy, log and
audit are those of the API. It runs in this thread, in an empty context, so that it shares nothing with the panel's own
request.
"""

from __future__ import annotations

import http
import json
import time
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from flask import current_app, request
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from app.blueprints.admin.console.trial_request import TrialRequest
from app.operations import trial
from app.operations.trial import Trial
from odoo_bridge.sessions import COOKIE

#: Most characters of a body that the page shows, and most bytes of one that is set out in lines.
MOST_SHOWN = 100_000
MOST_FORMATTED = 4_000_000
#: What the request inherits of the panel's: where the server stands, and where the person sits.
_INHERITED = ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme", "REMOTE_ADDR")


@dataclass(frozen=True, slots=True)
class TrialAnswer:
    """The answer to a call. ``body`` is cut at ``MOST_SHOWN`` characters; ``size`` is all of it in bytes.

    ``good`` says whether the call did what it was to do, ``session_id`` which session it opened.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: str
    size: int
    cut: bool
    milliseconds: float
    request_id: str
    rolled_back: bool
    good: bool
    session_id: str | None


def send(asked: TrialRequest, mark: Trial, session_id: str | None) -> TrialAnswer:
    """Make the call and return its answer; ``session_id`` is the session that it brings along."""
    environ = _environ(asked, mark, session_id)
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy finds nothing in an empty context
    started = time.perf_counter()
    response: Response = Context().run(Response.from_app, app.wsgi_app, environ, buffered=True)
    milliseconds = (time.perf_counter() - started) * 1000
    data = response.get_data()
    body, failed = _set_out(data, response.mimetype or "")
    return TrialAnswer(
        status=response.status_code,
        reason=http.HTTPStatus(response.status_code).phrase,
        headers=tuple((name, _harmless(name, value)) for name, value in response.headers.items()),
        body=body[:MOST_SHOWN],
        size=len(data),
        cut=len(body) > MOST_SHOWN,
        milliseconds=milliseconds,
        request_id=response.headers.get("X-Request-ID", ""),
        rolled_back=response.headers.get("X-Test-Mode") == "true",
        good=response.status_code < 400 and not failed,
        session_id=_session_of(response),
    )


def _environ(asked: TrialRequest, mark: Trial, session_id: str | None) -> dict[str, Any]:
    headers = [*asked.headers, ("Accept", "application/json")]
    if asked.body is not None:
        headers.append(("Content-Type", asked.media_type))
    if session_id is not None:
        headers.append(("Cookie", f"{COOKIE}={session_id}"))
    builder = EnvironBuilder(
        method=asked.method,
        path=asked.path,
        query_string=asked.query_string,
        headers=headers,
        data=None if asked.body is None else asked.body.encode(),
        environ_overrides={name: request.environ[name] for name in _INHERITED if name in request.environ},
    )
    try:
        return {**builder.get_environ(), trial.KEY: mark}
    finally:
        builder.close()


def _set_out(data: bytes, mimetype: str) -> tuple[str, bool]:
    """Return a body for reading, and whether it is an error; what is too long for that is no error."""
    text = data.decode("utf-8", "replace")
    if mimetype != "application/json" or not data or len(data) > MOST_FORMATTED:
        return text, False
    document = json.loads(text)
    return json.dumps(document, indent=2, ensure_ascii=False), isinstance(document, dict) and "error" in document


def _harmless(name: str, value: str) -> str:
    """Cookies are secrets: of them the page shows the name alone."""
    return f"{value.partition('=')[0]}=… (not shown)" if name.lower() == "set-cookie" else value


def _session_of(response: Response) -> str | None:
    """Return the session that the answer opens or renews."""
    for value in response.headers.getlist("Set-Cookie"):
        name, _, rest = value.partition("=")
        if name == COOKIE:
            return rest.partition(";")[0] or None
    return None
