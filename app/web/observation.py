"""Observation of every request, whichever part serves it: a count, a line in the access log, a line if it was slow."""

from __future__ import annotations

import logging
import time
from typing import Any

from flask import Flask, Request, Response, has_request_context

from app.config import Settings
from app.observe import meters, tracing
from app.web.current import current_request, current_state
from app.web.http_methods import sent_method
from odoo_bridge import sql_cost

_access = logging.getLogger("gatehouse.access")
_slow = logging.getLogger("gatehouse.slow")


def init_observation(app: Flask, settings: Settings) -> None:
    """Register the hooks that run first of all before each view, and last of all after it."""

    def note(response: Response) -> Response:
        request, state = current_request(), current_state()
        seconds = time.perf_counter() - state.started
        meters.requests(_part(request), response.status_code).inc()
        failure = state.failure
        if failure is not None and failure.status == 503:
            meters.UNAVAILABLE.labels(failure.name).inc()
        if settings.access_log:
            _log(_access, logging.INFO, request, response, seconds)
        if settings.slow_call and seconds >= settings.slow_call:
            _log(_slow, logging.WARNING, request, response, seconds)
        return response

    app.before_request(_begin)
    app.after_request(note)


def request_ids() -> dict[str, str]:
    """Return the ids of the current request, if there is one, for the log; without a trace it stands for its own."""
    state = current_state() if has_request_context() else None
    if state is None or not state.request_id:
        return {}
    if state.trace is None:
        return {"request_id": state.request_id, "trace_id": state.request_id}
    return {"request_id": state.request_id, "trace_id": state.trace.trace_id, "parent_id": state.trace.parent_id}


def _begin() -> None:
    current_state().trace = tracing.parse(current_request().environ.get("HTTP_TRACEPARENT"))
    sql_cost.start()


def _part(request: Request) -> str:
    """Return the part of the server that a request is for; one without a route counts as one."""
    rule = request.url_rule
    if rule is None:
        return "none"
    return "admin" if rule.rule.startswith("/admin") else request.blueprint or "none"


def _log(logger: logging.Logger, level: int, request: Request, response: Response, seconds: float) -> None:
    """Write a line about the request. Its query stays out: it holds what clients look for."""
    cost = sql_cost.spent()
    facts: dict[str, Any] = {
        "method": sent_method(request.environ),
        "path": request.path,
        "status": response.status_code,
        "seconds": round(seconds, 4),
        "sql_seconds": round(cost.seconds, 4),
        "sql_statements": cost.statements,
        "address": request.remote_addr,
    }
    logger.log(
        level,
        "%(method)s %(path)s: %(status)d in %(seconds).3f s, of which %(sql_seconds).3f s in %(sql_statements)d "
        "SQL statements, for %(address)s",
        facts,
        extra={"facts": facts},
    )
