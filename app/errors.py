"""Errors that a client may get: a status, a stable name to branch on, and a message for the person."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from odoo_bridge import errors as bridge


class ApiError(Exception):
    """Base of the errors of contract section 6.

    ``name`` is stable: clients branch on it. ``data`` says more, in JSON's terms. ``headers`` go into the answer.
    """

    status = 500
    name = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        name: str | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.data = dict(data or {})
        self.headers = dict(headers or {})
        if name:
            self.name = name

    def to_json(self) -> dict[str, Any]:
        """Return the ``error`` of contract section 6; ``code`` is the status that tells the kind.

        The message stands in ``data`` too, where clients of Odoo look for it.
        """
        data = {"name": self.name, "message": self.message, **self.data}
        return {"code": self.status, "message": self.message, "data": data}

    def to_problem(self) -> dict[str, Any]:
        """Return the error as Problem Details (RFC 9457), whose ``name`` tells more than a type of their own would."""
        own = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.message,
            "name": self.name,
        }
        return {**self.data, **own}

    def at(self, index: int) -> ApiError:
        """Name the item of a bulk call that is at fault; returns the error itself."""
        self.message = f"Item {index}: {self.message}"
        self.data["index"] = index
        return self


class BadRequest(ApiError):
    """Malformed, unknown or not allowed input."""

    status = 400
    name = "bad_request"


class Unauthorized(ApiError):
    """Nobody, or nobody that we know (RFC 9110 15.5.2: the answer says how to authenticate)."""

    status = 401
    name = "unauthorized"

    def __init__(self, message: str, **more: Any) -> None:
        super().__init__(message, **more)
        self.headers.setdefault("WWW-Authenticate", 'Bearer realm="gatehouse"')


class Forbidden(ApiError):
    """Known, but not allowed."""

    status = 403
    name = "forbidden"


class NotFound(ApiError):
    """No such route or record, or one that the caller may not see."""

    status = 404
    name = "not_found"


class NotAcceptable(ApiError):
    """The client takes none of the types that there are of the answer (RFC 9110 15.5.7)."""

    status = 406
    name = "not_acceptable"


class Conflict(ApiError):
    """Other calls were in the way, also after several tries."""

    status = 409
    name = "conflict"


class Gone(ApiError):
    """No longer there, as what a token of a delta leads to: the client begins anew (RFC 9110 15.5.11)."""

    status = 410
    name = "delta_expired"


class PreconditionFailed(ApiError):
    """The record is not in the state that the client's condition names."""

    status = 412
    name = "precondition_failed"


class UnsupportedMediaType(ApiError):
    """The body is of a type that the endpoint does not take."""

    status = 415
    name = "unsupported_media_type"


class Unprocessable(ApiError):
    """Well-formed, but contradicting something earlier."""

    status = 422
    name = "unprocessable"


class TooManyRequests(ApiError):
    """More calls, or more wrong credentials, than are allowed in a time."""

    status = 429
    name = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int, **more: Any) -> None:
        super().__init__(message, **more)
        self.headers.setdefault("Retry-After", str(retry_after))


class ApplicationError(ApiError):
    """One of Odoo's own rules said no. The status is the API's choice: 200 or 422."""

    status = 422
    name = "odoo.exceptions.UserError"


class Unavailable(ApiError):
    """Something that the call needs is away; trying again later is right."""

    status = 503
    name = "unavailable"

    def __init__(self, message: str, *, retry_after: int = 5, **more: Any) -> None:
        super().__init__(message, **more)
        self.headers.setdefault("Retry-After", str(retry_after))


class DefinitionOutdated(Unavailable):
    """The definition was compiled for another registry than the one at hand: the call begins anew with the present one.

    Nothing has been done. See ``Gatehouse.dispatch_request``; a client gets it where Odoo changes again and again.
    """

    name = "definition_outdated"

    def __init__(self) -> None:
        super().__init__("Odoo is being changed. Please try again in a moment.", retry_after=1)


def from_bridge(error: bridge.BridgeError, sent: str | None = None) -> ApiError:
    """Return the client's error for one of the bridge; ``sent`` is what carried the values that the call is about."""
    for kind, api_error in _FROM_BRIDGE:
        if isinstance(error, kind):
            parameter = _parameter(error, sent)
            return api_error(error.message, name=error.name, data={"parameter": parameter} if parameter else None)
    return ApiError(error.message, name=error.name)


def _parameter(error: bridge.BridgeError, sent: str | None) -> str | None:
    """Return the carrier of a fault that Odoo or PostgreSQL find where the policy found none: they name no field."""
    if error.name == "invalid_domain":
        return "domain"
    return sent if error.name in ("invalid_value", "invalid_image") else None


_FROM_BRIDGE: tuple[tuple[type[bridge.BridgeError], type[ApiError]], ...] = (
    (bridge.Rejected, ApplicationError),
    (bridge.Denied, Unauthorized),
    (bridge.Forbidden, Forbidden),
    (bridge.Missing, NotFound),
    (bridge.InvalidValue, BadRequest),
    (bridge.ReadOnly, Forbidden),
    (bridge.Conflict, Conflict),
    (bridge.Unavailable, Unavailable),
    (bridge.TooCostly, Unavailable),
)
