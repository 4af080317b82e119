"""The only place where an error becomes a body."""

from __future__ import annotations

import logging

import psycopg2
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.exceptions import NotFound as NotFoundByWerkzeug

from app import errors
from app.errors import ApiError
from app.web import answers, wrong_paths
from app.web.current import current_state
from app.web.http_methods import is_safe
from app.web.routing import current_definition
from odoo_bridge import errors as bridge
from odoo_bridge.translation import translate

_logger = logging.getLogger(__name__)


def init_error_handlers(app: Flask) -> None:
    """Register the handlers for everything that can rise out of a view."""
    app.register_error_handler(ApiError, _api_error)
    app.register_error_handler(bridge.BridgeError, _bridge_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _defect)


def _api_error(error: ApiError) -> Response:
    _give_reason_behind(error)
    status = error.status
    definition = current_definition()
    if isinstance(error, errors.ApplicationError) and definition is not None:
        status = definition.document.application_errors
    return answers.failure(error, status)


def _bridge_error(error: bridge.BridgeError) -> Response:
    if isinstance(error, bridge.Unavailable):
        _logger.warning("%s: %s", error.message, error.__cause__)
    _give_reason_behind(error)
    return _api_error(errors.from_bridge(error, sent=None if is_safe(request.method) else "body"))


def _http_error(error: HTTPException) -> Response:
    """Werkzeug's errors: 404 and 405 of the url map, 413 of a body that is too large, and the like."""
    response = answers.failure(_of_werkzeug(error))
    for name, value in error.get_headers(request.environ):
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _of_werkzeug(error: HTTPException) -> ApiError:
    if isinstance(error, NotFoundByWerkzeug):
        return wrong_paths.not_found()
    if isinstance(error, MethodNotAllowed):
        return wrong_paths.method_not_allowed(error)
    text = error.description or error.name
    if isinstance(error, RequestEntityTooLarge):
        text = "The body is larger than this server takes."
    found = ApiError(text, name=error.name.lower().replace(" ", "_"))
    found.status = error.code or 500
    return found


def _defect(error: Exception) -> Response:
    """Anything else is our mistake: the log has it all, the client gets the id to ask for."""
    _give_reason(error)
    known = from_database(error)
    if known is not None:
        _logger.warning("%s: %s", known.message, _text(error))
        return answers.failure(known)
    request_id = current_state().request_id
    _logger.error("Unexpected error in request %s", request_id, exc_info=error)
    return answers.failure(ApiError(f"Something went wrong on our side. Please report request {request_id}."))


def _give_reason_behind(error: ApiError | bridge.BridgeError) -> None:
    """Keep the words of Odoo or PostgreSQL behind an error of the bridge, where the client is not told the same."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, bridge.BridgeError):
        found = found.__cause__
    cause = found.__cause__ if found is not None else None
    if cause is not None and str(cause) not in error.message:
        _give_reason(cause)


def _give_reason(error: BaseException) -> None:
    """Keep an exception's own type and text for the request log, which admins alone may read."""
    kind = type(error)
    current_state().reason = f"{kind.__module__}.{kind.__qualname__}: {_text(error)}".removeprefix("builtins.")


def _text(error: BaseException) -> str:
    """Return an exception's text; of PostgreSQL's the sentence, with the constraint, but no values of the record."""
    if not isinstance(error, psycopg2.Error):
        return str(error)
    sentence, constraint = error.diag.message_primary or str(error), error.diag.constraint_name
    return f"{sentence} ({constraint})" if constraint and constraint not in sentence else sentence


def from_database(error: Exception) -> ApiError | None:
    """Return the client's error for one of the database that no transaction of the bridge has seen, else None."""
    found = translate(error) if isinstance(error, psycopg2.Error) else None
    return errors.from_bridge(found) if found is not None else None
