"""Hooks around every request: its id, its input, and a catalog that is current."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import replace
from datetime import datetime, timezone
from functools import lru_cache, partial

from flask import Request, Response
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.sansio.utils import host_is_trusted

from app.analytics.bodies import MAX_PARSED, Body, Exchange
from app.analytics.logged_calls import LoggedCall
from app.analytics.recorder import Recorder
from app.auth.throttle import RateState
from app.config import Settings
from app.definitions.definition import Definition
from app.errors import BadRequest
from app.observe import meters
from app.operations import versions
from app.operations.long_answers import Ended, Stream
from app.operations.report import CallReport
from app.operations.trial import draft_of, is_rolled_back, trial_of
from app.web import lifecycle
from app.web.current import RequestState, current_incoming, current_request, current_state
from app.web.http_methods import ACCEPT_QUERY
from app.web.incoming import Incoming
from app.web.preferences import ROLLBACK
from app.web.routing import ApiRule, Gatehouse, current_definition, is_panel
from app.web.services import services
from app.web.steps import mark_of
from odoo_bridge.sessions import COOKIE

#: Most characters that the log keeps of a path, and that it is handed of the texts of a failure: it cuts them itself.
_LONGEST_PATH, _LONGEST_TEXT = 500, MAX_PARSED
#: A variable part of a Werkzeug rule of our own, with or without a converter.
_VARIABLE = re.compile(r"<(?:[a-z]+:)?(?:public_)?([a-z_]+)>")
#: What load balancers and supervisors ask for, by whichever address.
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
#: Headers of every answer that does not say otherwise.
_UNLESS_SAID = (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def init_hooks(app: Gatehouse, settings: Settings) -> None:
    """Bound the body, trust the configured proxies, and register what runs before and after each view."""
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_size
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.before_request(_identify)
    if settings.hosts is not None:
        app.before_request(partial(_check_host, [name.strip().lower() for name in settings.hosts.split(",")]))
    app.before_request(_read_input)
    app.after_request(_mark)
    _keep_catalog_current(app)


def _keep_catalog_current(app: Gatehouse) -> None:
    """Before the url map is asked: a route may just have been published."""
    inner = app.wsgi_app

    def wsgi_app(environ, start_response):  # type: ignore[no-untyped-def]
        path, catalog, mark = environ.get("PATH_INFO"), app.services.catalog, mark_of(environ)
        if path == "/readyz" and catalog.snapshot.version:
            catalog.watch()  # a look at the database may hang, which is what this one is to tell
        # Whether the process is alive depends on nothing else; a step of an atomic batch comes within its transaction.
        elif path != "/healthz" and (mark is None or mark.together is None):
            catalog.ensure_current()
        meters.IN_FLIGHT.inc()
        try:
            return inner(environ, start_response)
        finally:
            meters.IN_FLIGHT.dec()

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]


def _identify() -> None:
    """Take over a client's or proxy's request id, so that one id runs through all logs.

    Clients can choose one that was used before, also by others: which call is meant, the call's own id tells.
    """
    given, state = current_request().environ.get("HTTP_X_REQUEST_ID", ""), current_state()
    state.started = time.perf_counter()
    own = state.call_id = secrets.token_hex(16)
    state.request_id = given if _REQUEST_ID.fullmatch(given) else own


def _check_host(names: list[str]) -> None:
    """Refuse a request that is addressed to somebody else: the name stands in addresses that are given out."""
    request = current_request()
    if request.path not in _PROBES and not host_is_trusted(request.host.lower(), names):
        raise BadRequest("This server does not go by that name.", name="unknown_host", data={"parameter": "Host"})


def _read_input() -> None:
    request = current_request()
    most = services().catalog.snapshot.system.max_body_size
    if most is not None and not is_panel(request.path):  # which must stay able to raise it again
        request.max_content_length = min(most, services().settings.max_body_size)
    current_state().incoming = Incoming(request)


def _mark(response: Response) -> Response:
    request, state, headers = current_request(), current_state(), response.headers
    headers.add("X-Request-ID", state.request_id)
    said = set(headers.keys(lower=True))
    for name, value in _UNLESS_SAID:
        if name.lower() not in said:
            headers.add(name, value)
    if state.report is not None:
        _tell(response, state.report)
        _vouch(request, state.report)
    if request.method == "QUERY" or response.status_code == 405 or request.method == "OPTIONS":
        _tell_query(request, response)
    if state.dry_run:
        headers.add("Preference-Applied", ROLLBACK)
        if state.report is not None and state.report.version_before is not None:
            headers["ETag"] = f'"{versions.etag(state.report.version_before, b"")}"'
    definition = current_definition()
    if definition is not None:
        for name, value in lifecycle.headers(definition.document).items():
            headers[name] = value
        if is_rolled_back(definition, trial_of(request.environ)):
            headers.add("X-Test-Mode", "true")
        counts = definition.document.statistics and draft_of(request.environ) is None
        if counts and request.method != "OPTIONS":
            mark = mark_of(request.environ)
            row = _row(request, state, response, definition, mark.tool if mark is not None else None)
            if mark is not None:
                mark.logged.append(partial(_record_step, services().recorder, definition, row))
            elif state.stream is None:
                _record(services().recorder, definition, row)
            else:
                record = partial(_record_stream, services().recorder, definition, row, state.stream, state.started)
                state.stream.on_end(record)  # when no context of Flask's is there any more
    return response


def _tell_query(request: Request, response: Response) -> None:
    """Name the bodies that a QUERY may have where one was sent, or could have been (RFC 10008 3)."""
    allowed = response.headers.get("Allow")
    if "QUERY" in allowed.split(", ") if allowed else request.method == "QUERY" and request.url_rule is not None:
        response.headers["Accept-Query"] = ACCEPT_QUERY


def _vouch(request: Request, report: CallReport) -> None:
    """Tell the server, which tells callers apart by good credentials (serving.callers), who this one is."""
    vouch, principal = request.environ.get("gatehouse.vouch"), report.principal
    if vouch is not None and principal is not None and principal.kind != "public":
        vouch(principal.key)


def _record(recorder: Recorder, definition: Definition, row: LoggedCall, until_head: float | None = None) -> None:
    """Log and count a call; ``until_head`` are its milliseconds where its answer goes at the pace of its client."""
    recorder.record(row)
    meters.calls(definition.name, row.endpoint, row.status).inc()
    meters.seconds(definition.name).observe((until_head or row.milliseconds) / 1000)


def _record_step(recorder: Recorder, definition: Definition, row: LoggedCall, kept: bool) -> None:
    """Record a step, once its batch is over; ``kept`` says whether all of it was."""
    if not kept and row.error is None:
        message = "It was done, and taken back with its batch, as another step has failed."
        row = replace(row, error="batch_undone", message=message)
    _record(recorder, definition, row)


def _record_stream(
    recorder: Recorder, definition: Definition, row: LoggedCall, stream: Stream, started: float, ended: Ended
) -> None:
    """Record an answer that is made while it is sent, once it has ended."""
    records = stream.records
    whole = replace(row, milliseconds=(time.perf_counter() - started) * 1000, records=records, bytes=ended.size)
    told = replace(whole, error=stream.error, message=ended.reason) if ended.reason else whole
    _record(recorder, definition, told, until_head=row.milliseconds)
    stream.meter(definition.name, ended)


def _row(
    request: Request, state: RequestState, response: Response, definition: Definition, tool: str | None
) -> LoggedCall:
    """Return a call's row of the log: an allow-list, without headers; bodies and queries only where asked for."""
    failure, trial = state.failure, trial_of(request.environ)
    principal = state.report.principal if state.report else None
    error, message = (failure.name, _storable(failure.message, _LONGEST_TEXT)) if failure else (None, None)
    key, client, uid = (principal.key, principal.client, principal.uid) if principal else (None, None, None)
    return LoggedCall(
        at=datetime.now(timezone.utc),
        request_id=state.request_id,
        api_id=definition.id,
        endpoint=f"{request.method} {_route_of(request)}",
        path=_storable(_path_of(request, definition), _LONGEST_PATH),
        status=response.status_code,
        error=error,
        message=message,
        caller=trial.caller(key) if trial else key,
        client=client,
        uid=uid,
        address=request.remote_addr or "",
        milliseconds=(time.perf_counter() - state.started) * 1000,
        call_id=state.call_id,
        dry_run=state.dry_run,
        tool=tool,
        reason=_storable(state.reason, _LONGEST_TEXT) if state.reason else None,
        exchange=_exchange(request, response, definition)
        if principal and (failure or definition.logs_bodies)
        else None,
    )


def _path_of(request: Request, definition: Definition) -> str:
    """Return the path of a request, without the value of a key that the log hides."""
    rule = request.url_rule
    is_hidden = isinstance(rule, ApiRule) and rule.target.key and definition.masking.hides(rule.target.key)
    return _route_of(request) if is_hidden else request.path


def _route_of(request: Request) -> str:
    """Return the route of a request as people write it: ``/api/partner/rest/{id}``; its path where it has none."""
    rule = request.url_rule
    if isinstance(rule, ApiRule):
        return rule.target.shown_path
    return _route(rule.rule) if rule else request.path


@lru_cache(maxsize=1024)
def _route(rule: str) -> str:
    """Return a rule of our own without its converters: ``/api/image/{api_id}/{model}/{id}/{field}``."""
    return _VARIABLE.sub(r"{\1}", rule)


def _exchange(request: Request, response: Response, definition: Definition) -> Exchange:
    """Return the bodies of a call; those of callers who are not known are nobody's business, and could be anything."""
    if not definition.logs_bodies:
        answer = Body()
    elif response.direct_passthrough or response.is_streamed:  # content of a file
        answer = Body(note=f"Left out: {response.mimetype}.")
    else:
        answer = Body.of(response.get_data(), response.mimetype or "")
    incoming = current_incoming()
    left_out = Body(note=f"Left out: {request.mimetype}.")
    question = left_out if incoming.is_stream else Body.of(incoming.data, request.mimetype)
    return Exchange(
        request=question,
        response=answer,
        masking=definition.masking,
        most=services().catalog.snapshot.system.log_body_size,
        query=Body(request.query_string),
        kept=definition.logs_bodies,
    )


def _storable(text: str, longest: int) -> str:
    """Return a text that PostgreSQL can hold: bounded, and without NUL or halves of characters."""
    return text[:longest].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _tell(response: Response, report: CallReport) -> None:
    if report.session is not None:
        set_session_cookie(response, report.session.sid, report.session.max_age)
    if report.rate is not None:
        _tell_rate(response, report.rate)


def _tell_rate(response: Response, rate: RateState) -> None:
    """Tell the state of the rate limit: as many clients know it, and as the IETF's draft 10 of them says."""
    for name, value in (
        ("X-RateLimit-Limit", rate.limit),
        ("X-RateLimit-Remaining", rate.remaining),
        ("X-RateLimit-Reset", rate.reset),
        ("RateLimit-Policy", f'"default";q={rate.limit};w={rate.window}'),
        ("RateLimit", f'"default";r={rate.remaining};t={rate.reset}'),
    ):
        response.headers.add(name, value)


def set_session_cookie(response: Response, sid: str, max_age: int) -> None:
    """Set Odoo's session cookie as Odoo does, and for same-site pages alone."""
    response.set_cookie(COOKIE, sid, max_age=max_age, httponly=True, samesite="Lax", secure=current_request().is_secure)
