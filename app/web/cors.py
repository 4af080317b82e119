"""CORS, per API: which foreign pages a browser lets call it (Fetch standard, CORS protocol).

By hand and not with Flask-CORS, whose rules are fixed when the app starts: here they belong to definitions, which
change while it serves. Flask-CORS serves the OAuth2 endpoints, whose rules are fixed.
"""

from __future__ import annotations

from flask import Flask, Response

from app.web.current import current_request
from app.web.routing import current_definition

_EXPOSED = (
    "ETag, Link, Location, Retry-After, WWW-Authenticate, X-Request-ID, X-Test-Mode, RateLimit, RateLimit-Policy, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Deprecation, Sunset, Accept-Query, Content-Range, "
    "Preference-Applied"
)
_ACCEPTED = (
    "Accept-Language, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, Range, "
    "X-Company-Id, X-Request-ID, X-Timezone"
)
#: Seconds that a browser may keep the answer to a preflight.
_MAX_AGE = 600


def init_cors(app: Flask) -> None:
    """Answer preflights, and mark the answers of APIs that allow the page's origin."""
    app.after_request(_allow)


def _allow(response: Response) -> Response:
    definition = current_definition()
    if definition is None or not definition.document.cors_origins:
        return response
    request = current_request()
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    origins = definition.document.cors_origins
    if origin is None or not ("*" in origins or origin in origins):
        return response
    if "*" in origins:  # then without credentials: a page that anybody wrote may not use the person's session
        response.headers["Access-Control-Allow-Origin"] = "*"
    else:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = _ACCEPTED
        response.headers["Access-Control-Max-Age"] = str(_MAX_AGE)
        response.vary.update(("Access-Control-Request-Method", "Access-Control-Request-Headers"))
    return response
