"""From Flask's request to a call: the one adapter that every door uses."""

from __future__ import annotations

from flask import Request

from app.definitions.definition import Definition
from app.operations.actions import Action
from app.operations.call import Call
from app.operations.idempotency import Idempotency
from app.operations.report import CallReport
from app.operations.trial import trial_of
from app.policy.context import LanguageChoice, RequestedContext
from app.principal import Credentials
from app.web import csrf
from app.web.current import current_request, current_state
from odoo_bridge.sessions import COOKIE


def current_call(definition: Definition, action: Action) -> Call:
    """Return the current request as a call of an API; raises ApiError for a write that a foreign page may cause."""
    request, state = current_request(), current_state()
    report = CallReport()
    state.definition, state.report = definition, report
    environ = request.environ  # to ask it for a header costs a tenth of what ``request.headers`` does
    trial = trial_of(environ)
    session_id = request.cookies.get(COOKIE) if "HTTP_COOKIE" in environ else None
    authorization = environ.get("HTTP_AUTHORIZATION")
    if session_id and not authorization and definition.document.authentication == "user":
        csrf.protect(request, definition.document.cors_origins)
    return Call(
        definition=definition,
        action=action,
        credentials=Credentials(session_id, authorization, request.remote_addr or "", trial.client if trial else None),
        report=report,
        request_id=state.request_id,
        call_id=state.call_id,
        requested=RequestedContext(
            language=_language(request),
            time_zone=environ.get("HTTP_X_TIMEZONE"),
            company=environ.get("HTTP_X_COMPANY_ID"),
        ),
        idempotency=Idempotency.of(environ.get("HTTP_IDEMPOTENCY_KEY"), lambda: _fingerprint(request, definition)),
        trial=trial,
    )


def _language(request: Request) -> LanguageChoice | None:
    """Return the choice of a language by ``Accept-Language``; None where the call does not say."""
    accepted = request.accept_languages if "HTTP_ACCEPT_LANGUAGE" in request.environ else None
    return accepted.best_match if accepted else None


def _fingerprint(request: Request, definition: Definition) -> bytes:
    """Return all that an answer depends on, but for the database."""
    headers = [request.headers.get(name, "") for name in ("Accept-Language", "X-Timezone", "X-Company-Id")]
    parts = (request.method, request.full_path, str(definition.revision), *headers)
    return "\n".join(parts).encode() + b"\n" + request.get_data()
