"""From Flask's request to a call: the one adapter that every door uses."""

from __future__ import annotations

from dataclasses import replace

from flask import Request

from app.definitions.definition import Definition
from app.operations.actions import CREATE, IMPORT, UPSERT, Action
from app.operations.call import Call
from app.operations.idempotency import Idempotency
from app.operations.report import CallReport
from app.operations.trial import trial_of
from app.policy.context import LanguageChoice, RequestedContext
from app.principal import Credentials
from app.web import csrf
from app.web.current import RequestState, current_request, current_state
from app.web.preferences import asks_for_dry_run
from app.web.steps import mark_of
from odoo_bridge.sessions import COOKIE


def current_call(definition: Definition, action: Action) -> Call:
    """Return the current request as a call of an API; raises ApiError for a write that a foreign page may cause."""
    request, state = current_request(), current_state()
    mark = mark_of(request.environ)
    report = CallReport() if mark is None else mark.report
    state.definition, state.report = definition, report
    call = make(request, state, definition, action, report)
    state.dry_run = call.dry_run
    if mark is not None:
        return replace(call, together=mark.together, tool=mark.tool, approved_by=mark.approved_by)
    key = None if call.dry_run else request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return call
    return replace(call, idempotency=Idempotency.of(key, lambda: fingerprint(request, str(definition.revision))))


def make(request: Request, state: RequestState, definition: Definition, action: Action, report: CallReport) -> Call:
    """Return a request as a call; raises ApiError for a write that a foreign page may cause."""
    mark = mark_of(request.environ)
    environ = request.environ  # to ask it for a header costs a tenth of what ``request.headers`` does
    trial = trial_of(environ)
    session_id = request.cookies.get(COOKIE) if "HTTP_COOKIE" in environ else None
    authorization = environ.get("HTTP_AUTHORIZATION")
    if session_id and not authorization and definition.document.authentication == "user":
        takes_lines = request.method == "POST" and action in (CREATE, IMPORT, UPSERT)
        csrf.protect(request, definition.document.cors_origins, takes_lines=takes_lines)
    return Call(
        definition=definition,
        action=action,
        credentials=Credentials(
            session_id,
            authorization,
            request.remote_addr or "",
            trial.client if trial else None,
            resource=mark.resource if mark is not None else None,
        ),
        report=report,
        request_id=state.request_id,
        call_id=state.call_id,
        requested=RequestedContext(
            language=_language(request),
            time_zone=environ.get("HTTP_X_TIMEZONE"),
            company=environ.get("HTTP_X_COMPANY_ID"),
        ),
        trial=trial,
        dry_run=action.may_write and asks_for_dry_run(environ.get("HTTP_PREFER")),
    )


def _language(request: Request) -> LanguageChoice | None:
    """Return the choice of a language by ``Accept-Language``; None where the call does not say."""
    accepted = request.accept_languages if "HTTP_ACCEPT_LANGUAGE" in request.environ else None
    return accepted.best_match if accepted else None


def fingerprint(request: Request, revision: str) -> bytes:
    """Return all that an answer depends on, but for the database; ``revision`` is that of the API."""
    headers = [request.headers.get(name, "") for name in ("Accept-Language", "X-Timezone", "X-Company-Id")]
    conditions = [
        f"{name}: {request.headers[name]}" for name in ("If-Match", "If-None-Match") if name in request.headers
    ]
    parts = (request.method, request.full_path, revision, *headers, *conditions)
    return "\n".join(parts).encode() + b"\n" + request.get_data()
