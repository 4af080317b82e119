"""Credentials that a client app sends with a request of its own (RFC 6749 2.3.1)."""

from __future__ import annotations

import base64
from urllib.parse import unquote_plus

from oauthlib.common import Request


def credentials_of(request: Request) -> tuple[str, str] | None:
    """Return the client id and secret of a request, by HTTP Basic or in the body."""
    header = request.headers.get("Authorization", "")
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            public_id, found, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except ValueError:  # not ASCII, not base64, not UTF-8
            return None
        # Both are form-encoded before they are put together (RFC 6749 2.3.1).
        public_id, secret = unquote_plus(public_id), unquote_plus(secret)
        return (public_id, secret) if found and "\x00" not in public_id + secret else None
    in_body = _secret(request)
    return (request.client_id, in_body) if request.client_id and in_body else None


def sends_secret(request: Request) -> bool:
    """True if the request shows a secret, right or wrong, in either of the two places."""
    _, sent = credentials_of(request) or ("", "")
    return bool(sent or _secret(request))


def _secret(request: Request) -> str | None:
    secret: str | None = getattr(request, "client_secret", None)
    return secret
